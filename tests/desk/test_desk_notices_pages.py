"""The duty officer's page, and those that say who is told, on a desk with all its rooms."""

from __future__ import annotations

import html
from datetime import timedelta

import desk_moves as moves
import pytest

from folkmoot.channels import NotPrepared, Refused, Unconfirmed
from folkmoot.desk.accounts import actions as accounts
from folkmoot.desk.notices import actions
from folkmoot.desk.notices import queries as notices
from folkmoot.desk.notices.needs import Urgency
from folkmoot.desk.notices.queries import TargetKind
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing.models import Alarm, Installation

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def desk(cast, monkeypatch):
    """A desk whose pages have the test's clock, and whose worker goes."""
    monkeypatch.setattr("folkmoot.desk.notices.views._now", cast.clock)
    actions.beat(cast.clock())
    publishing.work(cast.clock)  # the fence's file is founded
    return cast


def read(desk, member=None, address="/desk/duty/", **headers):
    actions.beat(desk.clock())
    answer = desk.client(member or desk.bob).get(address, **headers)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def needs(desk, member=None):
    actions.beat(desk.clock())
    return [
        (one.kind, str(one.urgency)) for one in notices.list_needs(desk.body, desk.clock(), member)
    ]


def test_an_empty_page_says_what_was_looked_at_and_when(desk):
    page = read(desk)
    assert "Nothing needs a person now." in page
    assert "Looked at: whether the worker goes" in page
    assert "Looked at Friday 20 November 2026 at 09:00" in page
    assert "It goes." in page
    assert "None stands." in page
    assert "Nothing goes out." in page


def test_every_need_stands_with_its_urgency_in_words_and_one_link(desk, monkeypatch):
    moves.StandIn(send=[Unconfirmed("No answer.")] * 3, look_up=[]).install(monkeypatch)
    content = desk.content(due_at=desk.clock() + timedelta(minutes=50))
    moves.awaiting(desk, content)
    stop = publishing.press(desk.body, reason="A test", now=desk.clock(), member=desk.bob)
    page = read(desk)
    assert "is to go out within the hour" in page
    assert "Publishing is stopped: A test." in page
    assert page.count('class="desk-need ') == 2
    assert page.index("Now</strong>") < page.index('id="need-awaiting')
    assert f'id="need-stop-{stop.pk}-pressed"' in page
    assert "/desk/signoff/" in page
    assert 'href="/desk/stop/"' in page


def test_whoever_may_not_sign_is_led_to_the_post_and_not_to_its_sign_off(desk):
    moves.awaiting(desk, desk.content(due_at=desk.clock() + timedelta(minutes=50)))
    assert "/desk/signoff/" in read(desk, desk.bob)
    assert "/desk/signoff/" not in read(desk, desk.dan)


def test_a_post_nobody_knows_of_is_told_after_two_minutes_with_where_to_decide(desk, monkeypatch):
    moves.StandIn(
        send=[Unconfirmed("No answer.")], look_up=[moves.Unreadable("No answer.")] * 100
    ).install(monkeypatch)
    draft = moves.signed(desk)
    publishing.work(desk.clock)
    assert needs(desk) == []
    desk.clock.pass_(minutes=2, seconds=1)
    assert needs(desk) == [("unconfirmed", "now")]
    assert f"/desk/deliveries/{moves.told(draft).pk}" in read(desk)


def test_an_account_that_is_unwell_and_its_posts_are_one_need(desk, monkeypatch):
    wrong = NotPrepared("The password is wrong.", retry=False)
    moves.StandIn(prepare=[wrong] * 100).install(monkeypatch)
    for _ in range(2):
        moves.signed(desk)
    publishing.work(desk.clock)
    desk.clock.pass_(minutes=3)
    publishing.work(desk.clock)
    assert needs(desk) == [("account", "now")]
    assert "Our feed: The password is wrong. 2 posts wait for it." in read(desk)
    desk.feed.refresh_from_db()
    accounts.note_health(desk.feed, "")
    assert needs(desk) == [("waits", "now"), ("waits", "now")]


def test_what_a_stop_holds_is_told_with_it_and_what_lapses_after_it(desk):
    stop = publishing.press(desk.body, reason="The mayor died", now=desk.clock(), member=desk.bob)
    publishing.work(desk.clock)
    moves.signed(desk)
    publishing.work(desk.clock)
    desk.clock.pass_(minutes=3)
    publishing.work(desk.clock)
    assert needs(desk) == [("stop", "today")]
    assert "It holds 1 delivery back." in read(desk)
    publishing.resume(desk.bob, stop.pk, reason="It is over.", now=desk.clock())
    assert needs(desk) == [("missed", "today")]


def test_a_refused_post_and_a_stranger_on_the_timeline_are_told(desk, monkeypatch):
    moves.StandIn(send=[Refused("Too rude.")]).install(monkeypatch)
    moves.signed(desk)
    moves.work(desk, 2)
    Alarm.objects.create(
        account=desk.feed, kind="unsigned", remote_id="x", text="Buy!", seen_at=desk.clock()
    )
    assert needs(desk) == [("alarm", "now"), ("refused", "today")]
    page = read(desk)
    assert "Buy!" not in page
    assert "/desk/alarms/" in page


def test_a_fenced_database_is_one_need(desk):
    moves.signed(desk)
    Installation.objects.update(fenced_reason="This is a copy.", fenced_at=desk.clock())
    desk.clock.pass_(minutes=5)
    publishing.work(desk.clock)
    assert needs(desk) == [("fence", "now")]


def test_a_worker_that_stands_still_is_the_first_need(desk):
    moves.signed(desk)
    desk.clock.pass_(minutes=5)
    page = html.unescape(desk.client(desk.bob).get("/desk/duty/").content.decode())
    assert "The worker stands still" in page
    assert "It stands still</strong> since Friday 20 November 2026 at 09:00" in page
    assert "Posts that are due wait for it." in page


def test_the_next_hour_is_counted_and_the_first_posts_named(desk):
    for minutes in (10, 20, 30, 40, 45, 50, 55, 90):
        due_at = desk.clock() + timedelta(minutes=minutes)
        moves.signed(desk, desk.content(f"Post number {minutes}.", due_at=due_at))
    page = read(desk)
    assert "7 posts go out." in page
    assert "and 2 more" in page
    assert "at 09:10" in page
    assert "Post number" not in page


def test_another_body_sees_nothing_of_ours(desk, monkeypatch):
    moves.awaiting(desk, desk.content(due_at=desk.clock() + timedelta(minutes=50)))
    assert "Nothing needs a person now." in read(desk, desk.mallory)


# A page that refreshes itself


def test_the_list_refreshes_alone_and_says_when_it_changed(desk):
    page = read(desk)
    had = page.split("/desk/duty/list?had=")[1].split('"')[0]
    same = read(desk, None, f"/desk/duty/list?had={had}", **HTMX)
    assert same.lstrip().startswith('<div id="duty"')
    assert "<html" not in same
    assert "hx-swap-oob" not in same
    moves.awaiting(desk, desk.content(due_at=desk.clock() + timedelta(minutes=50)))
    changed = read(desk, None, f"/desk/duty/list?had={had}", **HTMX)
    assert "The list has changed. 1 thing needs a person, 1 of them now." in changed


def test_the_page_can_be_kept_as_it_is(desk):
    page = read(desk, None, "/desk/duty/?still=1")
    assert "hx-trigger" not in page
    assert "htmx-2" not in page
    assert "Let it refresh itself" in page
    assert "http-equiv" not in read(desk)


def test_whoever_was_signed_out_is_asked_to_sign_in_and_shown_no_empty_list(desk):
    answer = desk.client().get("/desk/duty/list", **HTMX)
    assert answer["HX-Redirect"] == "/sign-in/?next=/desk/duty/"
    assert answer.content == b""
    assert desk.client().get("/desk/duty/list")["Location"] == "/desk/duty/"


# Who is told


FORM = {"urgencies": ["now", "today"], "quiet_from": "22:00", "quiet_until": "07:00"}


def test_an_admin_adds_changes_tests_and_removes_on_the_page(desk):
    client = desk.client(desk.dan)
    form = {**FORM, "address": "duty@moot.example"}
    answer = client.post("/desk/notices/add/email", form, follow=True)
    assert "duty@moot.example is told from now on." in html.unescape(answer.content.decode())
    (target,) = notices.list_targets(desk.body)
    assert (target.urgencies, str(target.quiet_from)) == (["now", "today"], "22:00:00")
    page = client.get(f"/desk/notices/{target.pk}").content.decode()
    assert 'value="22:00"' in page
    client.post(f"/desk/notices/{target.pk}", {"urgencies": ["soon"]})
    target.refresh_from_db()
    assert (target.urgencies, target.quiet_from) == (["soon"], None)
    answer = client.post(f"/desk/notices/{target.pk}/test", follow=True)
    assert "The test is being sent." in answer.content.decode()
    asked = client.get(f"/desk/notices/{target.pk}/remove").content.decode()
    assert "It is the only one." in asked
    assert notices.list_targets(desk.body)
    client.post(f"/desk/notices/{target.pk}/remove")
    assert notices.list_targets(desk.body) == []


def test_a_chat_is_added_and_its_address_never_shown_again(desk):
    client = desk.client(desk.dan)
    secret = "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
    form = {**FORM, "name": "", "address": secret}
    answer = client.post("/desk/notices/add/chat", form)
    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert "Enter a name for the chat" in page
    assert "Enter the address again: it is a secret" in page
    assert "JHMHI8" not in page
    answer = client.post("/desk/notices/add/chat", {**form, "name": "Duty"}, follow=True)
    assert "Duty is told from now on." in answer.content.decode()
    assert "JHMHI8" not in answer.content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "nonsense"}, "Enter an e-mail address"),
        ({"urgencies": []}, "Choose at least one urgency."),
        ({"urgencies": ["never"]}, "never is not one of the available choices"),
        ({"quiet_from": "25:00"}, "Enter a time such as 22:00"),
        ({"quiet_until": ""}, "Say when the quiet hours begin and when they end."),
        ({"quiet_until": "22:00"}, "begin and end at the same time"),
    ],
)
def test_a_form_that_cannot_be_taken_says_why_and_keeps_what_was_typed(desk, change, words):
    form = {**FORM, "address": "duty@moot.example", **change}
    answer = desk.client(desk.dan).post("/desk/notices/add/email", form)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert words in page
    assert "There is a problem" in page
    assert f'value="{form["address"]}"' in page
    assert notices.list_targets(desk.body) == []


def test_who_is_no_admin_sees_who_is_told_and_changes_nothing(desk):
    target = actions.add_target(
        desk.dan,
        kind=TargetKind.EMAIL,
        name="",
        address="duty@moot.example",
        urgencies=[Urgency.NOW],
        quiet=None,
        now=desk.clock(),
    )
    client = desk.client(desk.alice)
    page = client.get("/desk/notices/").content.decode()
    assert "duty@moot.example" in page
    assert "Send a test" not in page
    for address in ("add/email", f"{target.pk}", f"{target.pk}/test", f"{target.pk}/remove"):
        answer = client.post(f"/desk/notices/{address}", {**FORM, "address": "x@y.example"})
        answer = client.get("/desk/notices/") if answer.status_code == 302 else answer
        assert "Only an admin can change who is told." in answer.content.decode(), address
    assert [one.pk for one in notices.list_targets(desk.body)] == [target.pk]
    for address in (f"{target.pk}", f"{target.pk}/remove"):
        assert desk.client(desk.mallory).get(f"/desk/notices/{address}").status_code == 404


def test_without_a_mail_server_the_page_says_what_to_set(desk):
    page = read(desk, desk.dan, "/desk/notices/")
    assert "FOLKMOOT_SMTP" in page
    assert "Nobody is told yet." in page
    assert "FOLKMOOT_SMTP" in read(desk, desk.dan, "/desk/notices/add/email")
