"""The pages of the e-mail list: what anybody sees and can do, and what staff see and decide."""

from __future__ import annotations

import email
import email.policy
import html
import re

import pytest
from django.urls import reverse
from mailing_moves import Script, asked, confirm_token, joined, work

from folkmoot.channels.email import Unsure
from folkmoot.desk.mailing import actions, pages, views
from folkmoot.desk.mailing.models import Mail, Subscriber
from folkmoot.desk.mailing.tokens import LEAVE, make_token

pytest_plugins = ["mailing_fixtures"]


@pytest.fixture(autouse=True)
def clocks(cast, monkeypatch):
    for room in (views, pages):
        monkeypatch.setattr(room, "_now", cast.clock)


def text_of(answer):
    return html.unescape(answer.content.decode())


def leave_address(subscriber):
    return reverse("unsubscribe", kwargs={"token": make_token(LEAVE, subscriber.ref)})


def confirm_address(subscriber):
    return reverse("confirm_subscription", kwargs={"token": confirm_token(subscriber)})


# -- anybody ---------------------------------------------------------------------------------------


def test_the_answer_is_the_same_whoever_is_on_the_list(cast, mailing_list):
    joined(cast, "known@a.example")
    asked(cast, "asked@a.example")
    pages_seen = set()
    for address in ("known@a.example", "asked@a.example", "new@a.example"):
        client = cast.client()
        answer = client.post("/subscribe/", {"address": address}, follow=True)
        assert answer.redirect_chain == [("/subscribe/sent", 302)]
        assert address not in text_of(answer)
        pages_seen.add(answer.content)
    assert len(pages_seen) == 1
    assert Subscriber.objects.count() == 3


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b", "a@a.example\r\nBcc: x@y.example", "<script>alert(1)</script>@a.example"],
)
def test_what_is_no_address_is_said_at_the_field(cast, mailing_list, address):
    answer = cast.client().post("/subscribe/", {"address": address})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "There is a problem" in page
    assert 'id="address-error"' in page
    assert "<script>alert" not in page
    assert not Subscriber.objects.exists()


def test_one_place_cannot_ask_without_end(cast, mailing_list):
    client = cast.client()
    codes = [
        client.post("/subscribe/", {"address": f"a{number}@a.example"}).status_code
        for number in range(25)
    ]
    assert codes[:20] == [302] * 20
    assert codes[20:] == [422] * 5
    assert Subscriber.objects.count() == 20


def test_one_address_is_not_asked_for_without_end_from_many_places(cast, mailing_list):
    codes = [
        cast.client()
        .post("/subscribe/", {"address": "ANN@a.example"}, REMOTE_ADDR=f"192.0.2.{number}")
        .status_code
        for number in range(5)
    ]
    assert codes == [302, 302, 302, 422, 422]


def test_opening_a_link_changes_nothing_and_a_button_does(cast, mailing_list):
    ann = asked(cast, "ann@a.example")
    client = cast.client()
    for _ in range(3):
        assert "Yes, send me the posts" in text_of(client.get(confirm_address(ann)))
    ann.refresh_from_db()
    assert ann.state == "asked"
    assert "You get our posts" in text_of(client.post(confirm_address(ann)))
    ann.refresh_from_db()
    assert ann.state == "confirmed"
    for _ in range(3):
        assert "Stop the e-mails" in text_of(client.get(leave_address(ann)))
    ann.refresh_from_db()
    assert ann.state == "confirmed"
    assert "no more of our e-mails" in text_of(client.post(leave_address(ann)))
    ann.refresh_from_db()
    assert (ann.state, ann.left_by, ann.address) == ("left", "link", "")
    assert "no more of our e-mails" in text_of(client.post(leave_address(ann)))


def test_confirming_takes_our_own_form_and_leaving_takes_a_mail_programs_request(
    cast, mailing_list
):
    from django.test import Client

    ann = asked(cast, "ann@a.example")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(confirm_address(ann)).status_code == 403
    ann.refresh_from_db()
    assert ann.state == "asked"
    ann = joined(cast, "bo@a.example")
    answer = strict.post(leave_address(ann), {"List-Unsubscribe": "One-Click"})  # multipart
    assert answer.status_code == 200
    assert not answer.cookies
    ann.refresh_from_db()
    assert (ann.state, ann.left_by) == ("left", "program")


@pytest.mark.parametrize("page", ["/subscribe/confirm/", "/unsubscribe/"])
def test_links_that_are_not_whole_do_nothing(cast, mailing_list, page):
    ann = asked(cast, "ann@a.example")
    good = (confirm_address if "confirm" in page else leave_address)(ann)
    other = (leave_address if "confirm" in page else confirm_address)(ann)
    wrong = [
        good[:-1],
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good[:-22] + "A" * 22,
        page + other.rpartition("/")[2],
        page + "x",
        page + "é" * 38,
    ]
    for address in wrong:
        for method in ("get", "post"):
            answer = getattr(cast.client(), method)(address)
            assert answer.status_code in (404, 422), address
            assert "does not work" in text_of(answer)
    ann.refresh_from_db()
    assert ann.state == "asked"


def test_pages_for_one_person_are_kept_by_nobody(cast, mailing_list):
    ann = asked(cast, "ann@a.example")
    for address in (confirm_address(ann), leave_address(ann)):
        answer = cast.client().get(address)
        assert answer["X-Robots-Tag"] == "noindex"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer["Cache-Control"]
        assert "ann@" not in text_of(answer)


def test_without_a_list_there_is_nothing_to_ask_for(cast):
    for address in ("/subscribe/", "/subscribe/sent", "/mail/x/"):
        assert cast.client().get(address).status_code == 404


def test_anybody_can_read_an_issue_where_its_mails_say(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post("The <b>library</b> opens.")
    transport = Script()
    work(cast, transport)
    (url,) = set(re.findall(r"On the web: http://testserver(\S+)", transport.letters[0].text))
    answer = cast.client().get(url)
    assert answer.status_code == 200
    assert "The &lt;b&gt;library&lt;/b&gt; opens." in answer.content.decode()
    assert issue.key in url


# -- staff -----------------------------------------------------------------------------------------


def test_staff_see_numbers_and_never_an_address(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    asked(cast, "bo@a.example")
    actions.leave(joined(cast, "cy@a.example"), by="link", now=cast.clock())
    post()
    work(cast, Script(), times=2)
    page = text_of(cast.client(cast.alice).get("/desk/mailing/"))
    assert "@a.example" not in page
    assert "November 2026" in page
    assert "Handed over: 1" in page
    assert "Take somebody off" not in page
    assert "Lists of addresses cannot be brought in" in page
    assert "Take somebody off" in text_of(cast.client(cast.dan).get("/desk/mailing/"))


def test_a_person_decides_on_the_page(cast, mailing_list, post):
    for number in range(2):
        joined(cast, f"a{number}@a.example")
    issue = post()
    work(cast, Script(*[Unsure("Nobody said.")] * 2))
    address = reverse("mailing_decide", kwargs={"key": issue.key})
    page = text_of(cast.client(cast.bob).get("/desk/mailing/"))
    assert "2 e-mails of “The library opens on Monday.”: nobody knows" in page
    client = cast.client(cast.bob)
    answer = client.post(address, {"state": "unsure", "verb": "send_again"})
    assert answer.status_code == 422
    assert "second time" in text_of(answer)
    one = Mail.objects.filter(issue=issue).first().reference
    client.post(address, {"state": "unsure", "verb": "leave", "reference": one})
    answer = client.post(
        address, {"state": "unsure", "verb": "send_again", "knows": "yes"}, follow=True
    )
    assert "1 e-mail will be sent again." in text_of(answer)
    transport = Script()
    work(cast, transport, times=2)
    assert len(transport.letters) == 1


@pytest.mark.parametrize("who", ["alice", "mallory"])
def test_nobody_else_decides(cast, mailing_list, post, who):
    joined(cast, "a@a.example")
    issue = post()
    work(cast, Script(Unsure("?")))
    address = reverse("mailing_decide", kwargs={"key": issue.key})
    member = getattr(cast, who)
    answer = cast.client(member).post(address, {"state": "unsure", "verb": "leave"})
    assert answer.status_code == 422
    assert Mail.objects.get(issue=issue).state == "unsure"
    assert "nobody knows" not in text_of(cast.client(cast.mallory).get("/desk/mailing/"))


def test_an_admin_takes_somebody_off_on_the_page(cast, mailing_list):
    joined(cast, "ann@a.example")
    answer = cast.client(cast.alice).post("/desk/mailing/remove", {"address": "ann@a.example"})
    assert answer.status_code == 422
    answer = cast.client(cast.dan).post("/desk/mailing/remove", {"address": "?"})
    assert answer.status_code == 422
    answer = cast.client(cast.dan).post(
        "/desk/mailing/remove", {"address": "Ann@a.example"}, follow=True
    )
    assert "taken off the list and forgotten" in text_of(answer)
    assert Subscriber.objects.get().state == "left"


def test_before_there_is_a_list_staff_are_told_how_to_open_one(cast):
    page = text_of(cast.client(cast.alice).get("/desk/mailing/"))
    assert "do not go out by e-mail yet" in page


def test_what_keeps_mails_from_going_out_is_said(cast, mailing_list, post):
    from folkmoot.channels.email import NotNow

    joined(cast, "ann@a.example")
    post()
    work(cast, Script(NotNow("The password is wrong.", 600.0, for_all=True)))
    assert "The password is wrong." in text_of(cast.client(cast.alice).get("/desk/mailing/"))


# -- connecting ------------------------------------------------------------------------------------


def test_a_list_is_connected_by_two_and_an_issue_goes_all_the_way(cast, settings):
    """From the form of the accounts room to a subscriber's mailbox, by the worker's own ways."""
    from folkmoot.channels.email.simulated_smtp import SimulatedSmtp
    from folkmoot.desk.accounts import actions as accounts
    from folkmoot.desk.accounts import queries as account_queries
    from folkmoot.desk.mailing import queries

    with SimulatedSmtp(user="council", password="secret words") as server:
        settings.INTERNAL_HOSTS = [server.allow]
        typed = {
            "sender": "posts@council.example.uk",
            "host": "127.0.0.1",
            "port": str(server.port),
            "user": "council",
            "password": "wrong",
        }
        client = cast.client(cast.dan)
        answer = client.post("/desk/accounts/connect/email", typed)
        assert answer.status_code == 422
        assert "does not know this user and password" in text_of(answer)
        assert queries.find_list(cast.body) is None
        answer = client.post("/desk/accounts/connect/email", {**typed, "password": "secret words"})
        assert answer.status_code == 302
        (account,) = account_queries.list_proposed(cast.body)
        page = text_of(cast.client(cast.bob).get("/desk/accounts/"))
        assert f"from posts@council.example.uk by 127.0.0.1, port {server.port}" in page
        assert "Posts by e-mail" not in text_of(cast.client().get("/"))
        accounts.confirm(cast.bob, account.pk, now=cast.clock())
        assert 'href="/desk/mailing/"' in text_of(cast.client(cast.bob).get("/desk/accounts/"))
        assert 'href="/subscribe/">Posts by e-mail' in text_of(cast.client().get("/"))
        mailing_list = queries.find_list(cast.body)
        assert mailing_list.account_id == account.pk

        actions.subscribe(mailing_list, "ann@a.example", now=cast.clock())
        actions.work(cast.clock, account_queries.open_transport)
        (raw,) = server.list_to("ann@a.example")
        message = email.message_from_bytes(raw, policy=email.policy.default)
        asking = message.get_body(("plain",)).get_content()
        (link,) = re.findall(r"http://testserver(/subscribe/confirm/[\w-]+)", asking)
        assert cast.client().post(link).status_code == 200

        account.refresh_from_db()
        adapter = account_queries.open_adapter(account)
        assert adapter.diagnose() is None
        key = account_queries.key_for(account, 1, cast.clock())
        from folkmoot.channels.port import Part, Rendition

        prepared = adapter.prepare(Rendition((Part("All the way."),)), key=key, at=cast.clock())
        adapter.send(prepared)
        actions.work(cast.clock, account_queries.open_transport)
        assert len(server.list_to("ann@a.example")) == 2
        assert server.store.list_all()[-1].text == "All the way."
        assert queries.summary(cast.body, key).of("handed") == 1

        accounts.disconnect(cast.dan, account.pk, now=cast.clock())
        assert queries.find_list(cast.body) is None
