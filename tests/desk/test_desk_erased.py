"""After something was erased: pages still work and say so plainly, and nothing of it leaves."""

from __future__ import annotations

import html

import desk_moves as moves
import mailing_moves
import pytest
from desk_moves import StandIn, timedelta
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client

from folkmoot.channels import Seen
from folkmoot.desk.accounts.models import Account
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts import following, nearby
from folkmoot.desk.drafts.models import Draft, Picture, Version
from folkmoot.desk.mailing import actions as mailing
from folkmoot.desk.mailing.models import Issue, Mail, Subscriber
from folkmoot.desk.notices import actions as notices
from folkmoot.desk.notices.queries import TargetKind, Urgency
from folkmoot.desk.people.models import Member
from folkmoot.desk.people.queries import names_by_ref
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing.models import Alarm, Attempt, Delivery
from folkmoot.desk.publishing.queries import list_deliveries
from folkmoot.desk.records import erasing, keys
from folkmoot.desk.records.columns import is_erased
from folkmoot.desk.records.erasing import COLUMN, Place
from folkmoot.desk.records.models import SubjectKey
from folkmoot.desk.stops import queries as stops
from folkmoot.desk.stops.models import Stop
from folkmoot.desk.stops.queries import Leaving, StopScope

pytest_plugins = ["mailing_fixtures"]
SAID = "Councillor Tarleton opens the library in Mill Road on Monday at 9am."


def erase(cast, subject):
    with transaction.atomic():
        places = [one.place for one in erasing.list_about(cast.body.ref, [subject])]
        assert places
        erasing.erase(cast.body.ref, places, cast.clock())
    assert not SubjectKey.objects.filter(subject=subject, destroyed_at=None).exists()


def erase_value(cast, row, column):
    place = Place(COLUMN, f"{row._meta.label_lower}/{row.pk}", column)
    with transaction.atomic():
        erasing.erase(cast.body.ref, [place], cast.clock())


def page(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, path
    return html.unescape(answer.content.decode())


def picture(cast):
    return drafts.add_picture(
        cast.alice,
        moves.picture_file(),
        size_bytes=200,
        name="tarleton.png",
        alt="Councillor Tarleton at the door.",
        now=cast.clock(),
    )


def published(cast, **more):
    draft = moves.signed(cast, cast.content(SAID, **more))
    moves.work(cast, times=3)
    assert moves.again(cast, draft).state == "published"
    return draft


@pytest.mark.parametrize("state", ["drafting", "awaiting", "signed", "published"])
def test_every_page_of_an_erased_post_works_and_says_that_it_was_erased(cast, state):
    make = {
        "drafting": lambda: drafts.start(cast.alice, cast.content(SAID), now=cast.clock()),
        "awaiting": lambda: moves.awaiting(cast, cast.content(SAID)),
        "signed": lambda: moves.signed(
            cast, cast.content(SAID, due_at=cast.clock() + timedelta(hours=1))
        ),
        "published": lambda: published(cast),
    }[state]
    draft = make()
    erase(cast, draft.subject)
    client = cast.client(cast.carol)
    shown = page(client, f"/desk/drafts/{draft.pk}")
    assert "[erased]" in shown
    for path in ("/desk/", "/desk/drafts/", "/desk/calendar/", f"/desk/drafts/{draft.pk}/edit"):
        answer = client.get(path, follow=True)
        assert answer.status_code == 200, path
        assert "Tarleton" not in answer.content.decode()
    for path in ("/", "/register/", "/feed.atom", "/feed.rss"):
        assert "Tarleton" not in page(cast.client(), path)
    assert "Tarleton" not in shown


def test_a_post_that_was_erased_after_its_sign_off_is_not_sent_and_says_why(cast):
    draft = moves.signed(cast, cast.content(SAID, due_at=cast.clock() + timedelta(minutes=5)))
    erase(cast, draft.subject)
    moves.work(cast, times=9, minutes=2)
    assert not [one for one in list_deliveries(draft) if one.state == "sent"]
    assert moves.again(cast, draft).state == "unsent"
    assert "<entry" not in page(cast.client(), "/feed.atom")
    assert "What would go out is not what was signed" in page(
        cast.client(cast.alice), f"/desk/drafts/{draft.pk}"
    )


@pytest.mark.parametrize("column", ["text", "topic", "pictures", "report", "facts"])
def test_the_last_look_refuses_a_post_of_which_only_a_part_was_erased(cast, monkeypatch, column):
    StandIn(upload=[moves.NotReady("Wait.", "", 1.0)]).install(monkeypatch)
    content = cast.content(
        SAID, topic="Roads", pictures=(picture(cast),), facts={"consent_given": True}
    )
    draft = moves.signed(cast, content)
    publishing.work(cast.clock)
    assert moves.told(draft).state == "waiting"
    erase_value(cast, Version.objects.order_by("-pk").first(), column)
    moves.work(cast, times=3)
    told = moves.told(draft)
    assert told.state == "refused", told
    assert "What would go out is not what was signed." in told.trouble
    assert ("What it says was erased" in told.trouble) == (column == "text")


def test_an_erased_text_cannot_be_sent_for_sign_off_though_it_is_not_empty(cast):
    draft = drafts.start(cast.alice, cast.content(SAID), now=cast.clock())
    erase_value(cast, Version.objects.get(), "text")
    draft = moves.again(cast, draft)
    with pytest.raises(drafts.DraftRefused, match="What this post said was erased"):
        drafts.send_for_signoff(cast.alice, draft.pk, now=cast.clock())


def test_an_erased_post_is_near_to_nothing(cast):
    published(cast)
    content = cast.content(SAID)
    assert nearby.list_near(cast.body, content, None, now=cast.clock())
    erase(cast, Draft.objects.get().subject)
    assert not nearby.list_near(cast.body, content, None, now=cast.clock())
    other = drafts.start(cast.alice, content, now=cast.clock())
    erase(cast, other.subject)
    erased = nearby.list_near(
        cast.body, cast.content(Version.objects.last().text), None, now=cast.clock()
    )
    assert not erased


def test_what_is_live_of_an_erased_post_raises_no_alarm_and_can_still_be_taken_down(
    cast, monkeypatch
):
    Account.objects.exclude(pk=cast.feed.pk).update(state="disconnected")
    channel = StandIn()
    channel.install(monkeypatch)
    draft = moves.signed(cast, cast.content(SAID))
    moves.work(cast, times=4)
    erase(cast, draft.subject)
    moves.work(cast, times=4)
    assert not Alarm.objects.exists()
    assert "[erased]" in page(cast.client(cast.alice), f"/desk/drafts/{draft.pk}")
    assert cast.client(cast.alice).get(f"/desk/drafts/{draft.pk}/follow/removal").status_code == 200
    removal = following.remove(
        cast.alice,
        draft.pk,
        accounts=(cast.feed.pk,),
        ground="law",
        words="A court asked.",
        now=cast.clock(),
    )
    moves.sign(cast, removal)
    moves.work(cast, times=3)
    assert [one.state for one in list_deliveries(removal)] == ["sent"]
    assert Delivery.objects.get(draft=draft).removed_at is not None


def test_an_unconfirmed_post_that_was_erased_waits_for_a_person_and_is_not_sent_again(
    cast, monkeypatch
):
    channel = StandIn(send=[moves.Unconfirmed("No answer.")], look_up=[moves.Absent()] * 9)
    channel.install(monkeypatch)
    draft = moves.signed(cast, cast.content(SAID))
    publishing.work(cast.clock)
    assert moves.told(draft).state == "unconfirmed"
    erase(cast, draft.subject)
    moves.work(cast, times=5, minutes=11)
    assert moves.told(draft).state == "unconfirmed"
    assert "was erased here, so it cannot be looked up" in moves.told(draft).trouble
    assert channel.calls.count("send") == 1


def test_the_feed_and_its_pages_show_an_erased_post_no_more_and_the_others_still(cast):
    draft = published(cast)
    other = moves.signed(cast, cast.content("The bridge is open."))
    moves.work(cast, times=3)
    assert page(cast.client(), "/feed.atom").count("<entry") == 2
    address = moves.told(draft).url.removeprefix("http://testserver")
    assert "Tarleton" in page(cast.client(), address)
    erase(cast, draft.subject)
    assert page(cast.client(), "/feed.atom").count("<entry") == 1
    assert "bridge" in page(cast.client(), "/feed.rss")
    page(cast.client(), address, status=404)
    assert moves.again(cast, other).state == "published"


def test_a_taken_down_post_stays_down_though_what_was_said_of_it_is_erased(cast):
    draft = published(cast)
    removal = following.remove(
        cast.alice,
        draft.pk,
        accounts=(cast.feed.pk,),
        ground="private",
        words="It named somebody.",
        now=cast.clock(),
    )
    moves.sign(cast, removal)
    moves.work(cast, times=3)
    address = moves.told(draft).url.removeprefix("http://testserver")
    page(cast.client(), address, status=410)
    erase(cast, removal.subject)
    assert "<entry" not in page(cast.client(), "/feed.atom")
    page(cast.client(), address, status=404)


def test_an_erased_picture_is_gone_everywhere_and_says_so(cast):
    row = picture(cast)
    draft = published(cast, pictures=(row,))
    public, inside = f"/pictures/{row['sha256']}.png", f"/desk/pictures/{row['sha256']}"
    assert cast.client().get(public).status_code == 200
    assert "31536000" not in cast.client().get(public)["Cache-Control"]
    kept = Picture.objects.get()
    erase(cast, kept.sealed_for)
    for client, path in ((cast.client(), public), (cast.client(cast.bob), inside)):
        assert "A picture of this post was erased." in page(client, path, status=410)
    assert "[erased]" not in page(cast.client(cast.bob), f"/desk/drafts/{draft.pk}")
    again = picture(cast)
    assert again["sha256"] == row["sha256"]
    assert cast.client(cast.bob).get(inside).status_code == 200
    assert cast.client().get(public).status_code == 404  # a person publishes it, or nobody does


def test_a_post_with_an_erased_picture_is_not_sent(cast):
    row = picture(cast)
    draft = moves.signed(cast, cast.content(SAID, pictures=(row,)))
    erase(cast, Picture.objects.get().sealed_for)
    moves.work(cast, times=6, minutes=5)
    assert moves.told(draft).state in {"refused", "missed"}
    assert "A picture of this post was erased." in moves.told(draft).trouble


def test_a_picture_s_file_holds_nothing_of_it(cast, settings):
    row = picture(cast)
    files = [file for file in settings.MEDIA_ROOT.rglob("*") if file.is_file()]
    assert len(files) == 1
    assert b"PNG" not in files[0].read_bytes()[:200]
    assert row["sha256"] in files[0].name


def test_a_stranger_s_words_are_erased_apart_from_what_the_record_says_of_the_account(
    cast, monkeypatch
):
    Account.objects.exclude(pk=cast.feed.pk).update(state="disconnected")
    words = "I am Ann Tarleton, and you are wrong."
    strange = Seen("x:1", "https://posts.example/tarleton", words, cast.clock())
    channel = StandIn(list_recent=[(), (strange,), (strange,), (strange,), (strange,)])
    channel.install(monkeypatch)
    moves.work(cast, times=2)
    (alarm,) = Alarm.objects.all()
    found = list(erasing.find(cast.body.ref, ["tarleton"]))
    assert {one.subject for one in found} == {f"alarm/{alarm.ref}"}
    assert {one.kind for one in found} == {"publishing.alarm", "alarm.raised"}
    erase(cast, alarm.sealed_for)
    for path in (f"/desk/alarms/{alarm.pk}", "/desk/"):
        assert "Tarleton" not in page(cast.client(cast.bob), path)
    moves.work(cast, times=2)  # still on the timeline, and told of once
    assert Alarm.objects.count() == 1
    publishing.close_alarm(cast.bob, alarm.pk, note="Answered.", now=cast.clock())
    moves.work(cast, times=1)
    assert Alarm.objects.count() == 1
    history = moves.list_history(f"account/{cast.feed.pk}")
    raised = [one for one in history if one.kind == "alarm.raised"]
    assert raised[0].fields["alarm"] == "unsigned"
    assert set(raised[0].erased) == {"text", "url"}


def test_an_issue_that_was_erased_is_sent_to_nobody_more_and_its_page_is_gone(
    cast, mailing_list, post
):
    mailing_moves.joined(cast, "ann@a.example")
    issue = post("Councillor Tarleton speaks.")
    assert issue.subject == f"issue/{issue.key}"
    assert "Tarleton" in page(cast.client(), f"/mail/{issue.key}/")
    erase(cast, issue.subject)
    page(cast.client(), f"/mail/{issue.key}/", status=404)
    transport = mailing_moves.Script()
    mailing_moves.work(cast, transport, times=2)
    assert not transport.letters
    assert mailing_moves.states(issue=issue) == ["left"]
    shown = page(cast.client(cast.dan), "/desk/mailing/")
    assert "Tarleton" not in shown
    assert Issue.objects.get().record == b""


def test_a_subscriber_who_was_erased_gets_nothing(cast, mailing_list, post):
    ann = mailing_moves.joined(cast, "ann@a.example")
    mailing_moves.joined(cast, "bea@b.example")
    erase(cast, f"subscriber/{ann.ref}")
    post("News.")
    transport = mailing_moves.Script()
    mailing_moves.work(cast, transport, times=3)
    assert {one.to for one in transport.taken} == {"bea@b.example"}


def test_who_left_the_list_cannot_be_read_in_any_copy_of_the_database(cast, mailing_list):
    ann = mailing_moves.joined(cast, "ann@a.example")
    copy = raw_of(ann, "address")
    mailing.leave(ann, by="link", now=cast.clock())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mailing_subscriber SET address = %s", [copy])
    assert Subscriber.objects.get(pk=ann.pk).address == ""
    assert SubjectKey.objects.get(subject=f"subscriber/{ann.ref}").destroyed_at is not None


def raw_of(row, column):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s", [row.pk])
        return cursor.fetchone()[0]


def test_a_stop_of_which_it_was_erased_what_it_is_about_stops_everything(cast):
    stop = Stop.objects.create(
        organisation=cast.body,
        scope=StopScope.ACCOUNT,
        target=str(cast.feed.pk),
        reason="Wrong figures.",
        pressed_at=cast.clock(),
    )
    elsewhere = Leaving(cast.body, cast.practice.pk, "practice")
    assert not stops.find_against(elsewhere)
    erase(cast, stop.sealed_for)
    assert stops.find_against(elsewhere)
    assert stops.find_against(Leaving(cast.body, cast.feed.pk, "atom"))
    assert "[erased]" in page(cast.client(cast.bob), "/desk/stop/")


def test_a_member_who_was_erased_has_no_name_and_no_way_in(cast):
    moves.signed(cast)
    erase(cast, f"member/{cast.alice.ref}")
    alice = Member.objects.get(pk=cast.alice.pk)
    assert is_erased(alice.name)
    assert alice.email == ""
    assert names_by_ref([alice.ref]) == {alice.ref: "[erased]"}
    for path in ("/desk/settings/", "/desk/", f"/desk/drafts/{Draft.objects.get().pk}"):
        shown = page(cast.client(cast.dan), path)
        assert "alice@" not in shown
        assert "Alice" not in shown
    client = cast.client()
    answer = client.post(
        "/sign-in/", {"login": "alice@moot.example", "password": "correct horse battery"}
    )
    assert answer.status_code == 200
    assert client.get("/desk/").status_code == 302


def test_a_target_of_notices_that_was_erased_is_told_nothing(cast):
    target = notices.add_target(
        cast.dan,
        kind=TargetKind.EMAIL,
        name="",
        address="tarleton@moot.example",
        urgencies=list(Urgency),
        quiet=None,
        now=cast.clock(),
    )
    found = list(erasing.find(cast.body.ref, ["tarleton"]))
    assert {one.subject for one in found} == {target.sealed_for}
    erase(cast, target.sealed_for)
    shown = page(cast.client(cast.dan), "/desk/notices/")
    assert "[erased]" in shown
    assert "tarleton" not in shown


# What no copy of the database can tell


def everything():
    """All that any column of any table holds, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    held = bytes(value) if isinstance(value, bytes | memoryview) else value
                    yield f"{table}.{name}", str(held)


def test_nothing_that_a_person_wrote_or_is_called_stands_in_any_column(
    cast, mailing_list, monkeypatch
):
    mark = "qzxmarkervkw"
    mailing_moves.joined(cast, f"{mark}@a.example")
    draft = drafts.start(
        cast.alice,
        cast.content(
            f"{mark} says so.",
            topic=f"{mark} topic",
            pictures=({**picture(cast), "alt": f"{mark} at a door", "name": f"{mark}.png"},),
            facts={"consent": mark},
        ),
        now=cast.clock(),
    )
    drafts.send_for_signoff(cast.alice, draft.pk, now=cast.clock())
    drafts.send_back(
        cast.bob,
        draft.pk,
        digest_seen=moves.digest_of(draft),
        reason=f"{mark} is wrong.",
        now=cast.clock(),
    )
    moves.signed(cast, cast.content(f"{mark} speaks.", topic=mark))
    StandIn(
        send=[moves.Unconfirmed(f"{mark} was not found")],
        list_recent=[(), (Seen("x:1", f"https://p/{mark}", mark, cast.clock()),)],
    ).install(monkeypatch)
    moves.work(cast, times=3)
    stop = publishing.press(cast.body, reason=f"{mark} again.", now=cast.clock(), member=cast.alice)
    publishing.resume(cast.bob, stop.pk, reason=f"{mark} is done.", now=cast.clock())
    notices.add_target(
        cast.dan,
        kind=TargetKind.EMAIL,
        name="",
        address=f"{mark}@moot.example",
        urgencies=list(Urgency),
        quiet=None,
        now=cast.clock(),
    )
    client = Client()
    client.cookies["sessionid"] = "0" * 32
    client.post("/desk/drafts/new", {"text": f"{mark} unsaved"})
    Client().post("/sign-in/", {"login": "dan@moot.example", "password": "correct horse battery"})
    assert Session.objects.count() == 2
    assert Mail.objects.exists()
    assert Alarm.objects.exists()
    assert Attempt.objects.exclude(detail="").exists()
    names = [mark, "alice@moot", "dan@moot", "Alice", "tarleton.png", "Councillor"]
    told = {
        (where, name)
        for where, held in everything()
        for name in names
        if name.casefold() in held.casefold()
    }
    assert not told


def test_a_session_opens_with_its_cookie_alone(cast):
    client = cast.client(cast.dan)
    assert client.get("/desk/").status_code == 200
    row = Session.objects.get()
    cookie = client.cookies["sessionid"].value
    assert cookie not in (row.session_key, row.session_data)
    thief = Client()
    thief.cookies["sessionid"] = row.session_key
    assert thief.get("/desk/").status_code == 302
    assert client.get("/desk/").status_code == 200
    client.post("/sign-out/")
    assert not Session.objects.exists()
    client.cookies["sessionid"] = cookie
    assert client.get("/desk/").status_code == 302


def test_keys_of_a_roll_leave_all_of_this_readable(cast):
    draft = published(cast)
    keys.roll(cast.clock())
    assert "Tarleton" in page(cast.client(cast.alice), f"/desk/drafts/{draft.pk}")
    assert Version.objects.get().text == SAID
