"""Sending once: whatever the channel does, one post in the end or an honest “unconfirmed”."""

from __future__ import annotations

import contextlib

import desk_moves as moves
import pytest
from desk_moves import Absent, NotPrepared, Refused, StandIn, Unconfirmed

from folkmoot.channels import Different
from folkmoot.desk.accounts.models import Account
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing import settling
from folkmoot.desk.publishing.models import Delivery
from folkmoot.desk.records.models import Intent


class Killed(BaseException):
    """The process is gone: nothing after this point runs."""


def accept_then(what):
    """The channel takes the post, and then this happens to the answer."""

    def send(real, prepared, done=()):
        real(prepared, done)
        if isinstance(what, BaseException):
            raise what
        return what

    return send


LOST = {
    "the answer is lost after it was accepted": {"send": [accept_then(Unconfirmed("Silence."))]},
    "the request is lost on the way": {"send": [Unconfirmed("Silence.")]},
    "it is lost three times": {"send": [Unconfirmed("Silence.")] * 3},
    "the adapter answers rubbish": {"send": ["rubbish"]},
    "the adapter answers nothing": {"send": [None]},
    "the adapter says absent of a send": {"send": [Absent()]},
    "the adapter raises before it sent": {"send": [RuntimeError("bug")]},
    "the adapter raises after it sent": {"send": [accept_then(RuntimeError("bug"))]},
    "the look-up raises too": {
        "send": [accept_then(RuntimeError("bug"))],
        "look_up": [RuntimeError("bug"), None, "rubbish", Unconfirmed("Silence.")],
    },
    "the look-up lies that it is not there": {
        "send": [accept_then(Unconfirmed("Silence."))],
        "look_up": [Absent()],
    },
    "it is killed while sending": {"send": [Killed()]},
    "it is killed when the channel had accepted": {"send": [accept_then(Killed())]},
    "it is killed while preparing": {"prepare": [Killed(), Killed()]},
    "it is killed while looking up": {"send": [Unconfirmed("?")], "look_up": [Killed()]},
    "it is killed while reading back": {"read_back": [Killed()]},
    "preparing fails and then works": {"prepare": [NotPrepared("Down.", retry=True)] * 3},
    "preparing raises and then works": {"prepare": [RuntimeError("bug")]},
}


def survive(cast, times=14, **step):
    for _ in range(times):
        with contextlib.suppress(Killed):  # the next worker takes over from what the rows say
            publishing.work(cast.clock)
        cast.clock.pass_(**(step or {"seconds": 31}))


@pytest.mark.parametrize("case", LOST)
def test_exactly_one_post_is_live_in_the_end_though(cast, monkeypatch, case):
    channel = StandIn(**LOST[case]).install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=60))
    survive(cast)
    told = moves.told(draft)
    assert (told.state, told.read_back) == ("sent", "matches")
    assert len(channel.shelf) == 1
    assert moves.again(cast, draft).state == "published"
    assert Intent.objects.filter(leaf__contains='"delivery.sent"').count() == 1
    assert len({bytes(d.request) for d in Delivery.objects.all()}) == 1


def test_a_delivery_nobody_can_find_out_about_stays_unconfirmed_and_is_shown(cast, monkeypatch):
    channel = StandIn(send=[Unconfirmed("No answer came.")], look_up=[Unconfirmed("Nothing.")] * 99)
    channel.install(monkeypatch)
    draft = moves.signed(cast)
    moves.work(cast, times=30)
    told = moves.told(draft)
    assert (told.state, told.trouble) == ("unconfirmed", "Nothing.")
    assert channel.calls.count("send") == 1
    assert moves.again(cast, draft).state == "publishing"
    page = cast.client(cast.bob).get("/desk/").content.decode()
    assert "Unconfirmed" in page
    assert "Nothing." in page
    assert cast.client().get("/healthy").json()["unconfirmed"] == 1


def test_something_else_under_its_key_stays_in_front_of_a_person(cast, monkeypatch):
    channel = StandIn(
        send=[Unconfirmed("Silence.")], look_up=[Different("Another post stands there.")] * 99
    ).install(monkeypatch)
    draft = moves.signed(cast)
    moves.work(cast, times=20)
    assert moves.told(draft).state == "unconfirmed"
    assert "Another post stands there." in cast.client(cast.dan).get("/desk/").content.decode()
    assert channel.calls.count("send") == 1


def test_a_clear_no_ends_it_with_the_reason_and_nothing_live(cast, monkeypatch):
    channel = StandIn(send=[Refused("The channel refused it: too rude.")]).install(monkeypatch)
    draft = moves.signed(cast)
    moves.work(cast)
    told = moves.told(draft)
    assert (told.state, told.trouble) == ("refused", "The channel refused it: too rude.")
    assert channel.shelf == {}
    assert channel.calls.count("send") == 1
    assert moves.again(cast, draft).state == "unsent"
    page = cast.client(cast.alice).get(f"/desk/drafts/{draft.pk}").content.decode()
    assert "The channel refused it: too rude." in page


def test_a_post_too_late_is_missed_and_never_sent(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    draft = moves.signed(cast)
    cast.clock.pass_(minutes=15, seconds=1)
    moves.work(cast, times=6, hours=1)
    told = moves.told(draft)
    assert told.state == "missed"
    assert told.trouble.startswith("Not sent in time. Nobody sent it in time")
    assert (set(channel.calls), channel.shelf) == ({"list_recent"}, {})
    assert moves.again(cast, draft).state == "unsent"


def test_a_post_may_leave_up_to_the_last_moment_of_its_window(cast, monkeypatch):
    StandIn().install(monkeypatch)
    draft = moves.signed(cast)
    cast.clock.pass_(minutes=15)
    publishing.work(cast.clock)
    assert moves.told(draft).state == "sent"


def test_a_look_up_that_clears_it_too_late_makes_it_missed_not_sent(cast, monkeypatch):
    channel = StandIn(send=[Unconfirmed("?")], look_up=[Unconfirmed("?")]).install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=5))
    moves.work(cast, times=3, minutes=4)
    moves.work(cast, times=2)
    assert moves.told(draft).state == "missed"
    assert channel.shelf == {}


def test_a_wrong_password_waits_in_sight_and_then_is_missed(cast, monkeypatch):
    wrong = "Bluesky does not accept this app password. Enter it again."
    channel = StandIn(prepare=[NotPrepared(wrong, retry=False)] * 99).install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=5))
    moves.work(cast, times=3)
    assert (moves.told(draft).state, moves.told(draft).trouble) == ("waiting", wrong)
    assert Account.objects.get(pk=cast.feed.pk).trouble == wrong
    assert cast.client(cast.bob).get("/desk/").content.decode().count(wrong) == 2
    moves.work(cast, times=5)
    told = moves.told(draft)
    assert (told.state, told.trouble) == ("missed", f"Not sent in time. {wrong}")
    assert "send" not in channel.calls


def test_an_account_whose_token_does_not_open_says_so_until_it_is_missed(cast):
    account = Account.objects.create(
        organisation=cast.body,
        channel="bluesky",
        name="Blue",
        handle="moot.example",
        server="https://pds.example",
        secret="aaaaaaaa.AAAA",
        state="connected",
        connected_by="one",
        confirmed_by="another",
        connected_at=cast.clock(),
    )
    draft = moves.signed(cast, cast.content(accounts=[account]))
    moves.work(cast, times=2)
    told = moves.told(draft)
    assert told.state == "waiting"
    assert "sealed with a key that is not in the vault" in told.trouble
    moves.work(cast, times=20)
    assert moves.told(draft).state == "missed"


def test_one_failing_post_never_keeps_another_back(cast, monkeypatch):
    bad = moves.signed(cast, cast.content("The bad one."))

    def prepare(real, rendition, **more):
        if rendition.parts[0].text == "The bad one.":
            raise RuntimeError("bug")
        return real(rendition, **more)

    channel = StandIn(prepare=[prepare] * 999).install(monkeypatch)
    good = [moves.signed(cast, cast.content(f"Post {n}.")) for n in range(3)]
    moves.work(cast, times=3)
    assert [moves.told(draft).state for draft in good] == ["sent"] * 3
    assert "A fault in this program" in moves.told(bad).trouble
    moves.work(cast, times=20)
    assert moves.told(bad).state == "missed"
    assert len(channel.shelf) == 3


def test_many_that_cannot_be_read_or_looked_up_do_not_starve_the_next(cast, monkeypatch):
    monkeypatch.setattr(publishing, "BATCH", 2)
    channel = StandIn(
        send=[lambda real, *args: real(*args)] * 2 + [Unconfirmed("?")] * 2,
        read_back=[RuntimeError("bug")] * 4,
        look_up=[RuntimeError("bug")] * 2,
    ).install(monkeypatch)
    drafts = [moves.signed(cast, cast.content(f"Post {n}.")) for n in range(6)]
    moves.work(cast, times=16)
    assert [moves.told(draft).read_back for draft in drafts] == ["matches"] * 6
    assert len(channel.shelf) == 6


def test_a_record_that_cannot_be_written_after_sending_does_not_send_twice(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    draft = moves.signed(cast)
    broken = [RuntimeError("the record is away")]

    def confirm(*args, **kwargs):
        if broken:
            raise broken.pop()
        return real(*args, **kwargs)

    real = settling.confirm
    monkeypatch.setattr(settling, "confirm", confirm)
    survive(cast, times=6)
    assert (moves.told(draft).state, len(channel.shelf)) == ("sent", 1)
    assert channel.calls.count("send") == 1
