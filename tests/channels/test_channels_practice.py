"""The practice channel goes wrong in every way a real one does, on demand; the contract notices."""

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from folkmoot.channels.contract import ChannelContract, post
from folkmoot.channels.entries import Removal, as_removed, as_sent, list_entries, read_record
from folkmoot.channels.port import (
    Absent,
    NotPrepared,
    Prepared,
    Refused,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.practice import Fault, Practice, Script
from folkmoot.channels.shelf import FolderShelf

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path):
    """A practice channel by its faults, and its shelf."""
    shelf, naps = FolderShelf(tmp_path), []

    def channel(kind=Practice, **faults):
        return kind(
            shelf,
            post_url=lambda key: f"https://example.gov.uk/practice/{key}",
            picture_url=lambda sha256, media_type: f"https://example.gov.uk/{sha256}/{media_type}",
            faults=Script(**faults),
            sleep=naps.append,
        )

    return SimpleNamespace(channel=channel, shelf=shelf, naps=naps)


def prepare(channel):
    prepared = channel.prepare(post("Hello."), key=channel.make_key("d", AT), at=AT)
    assert isinstance(prepared, Prepared)
    return prepared


def test_a_lost_answer_is_unconfirmed_and_a_look_up_finds_the_post(desk):
    channel = desk.channel(send=[Fault.LOSE_ANSWER])
    prepared = prepare(channel)
    assert isinstance(channel.send(prepared), Unconfirmed)
    assert isinstance(channel.look_up(prepared), Sent)
    assert len(desk.shelf.list_newest(9)) == 1


def test_a_dropped_request_is_unconfirmed_and_a_look_up_finds_nothing(desk):
    channel = desk.channel(send=[Fault.DROP])
    prepared = prepare(channel)
    assert isinstance(channel.send(prepared), Unconfirmed)
    assert channel.look_up(prepared) == Absent()
    assert isinstance(channel.send(prepared), Sent)


def test_rubbish_in_answer_to_a_send_is_unconfirmed_although_it_is_live(desk):
    channel = desk.channel(send=[Fault.RUBBISH])
    prepared = prepare(channel)
    assert isinstance(channel.send(prepared), Unconfirmed)
    assert isinstance(channel.look_up(prepared), Sent)


def test_a_refusal_leaves_nothing(desk):
    channel = desk.channel(send=[Fault.REFUSE])
    prepared = prepare(channel)
    assert isinstance(channel.send(prepared), Refused)
    assert channel.look_up(prepared) == Absent()


def test_a_slow_channel_answers_in_the_end(desk):
    channel = desk.channel(send=[Fault.SLOW], look_up=[Fault.SLOW])
    prepared = prepare(channel)
    sent = channel.send(prepared)
    assert isinstance(sent, Sent)
    assert channel.look_up(prepared) == sent
    assert desk.naps == [5.0, 5.0]


def test_a_lying_look_up_says_absent_and_sending_again_still_leaves_one(desk):
    channel = desk.channel(send=[Fault.LOSE_ANSWER], look_up=[Fault.LIE])
    prepared = prepare(channel)
    channel.send(prepared)
    assert channel.look_up(prepared) == Absent()
    assert isinstance(channel.send(prepared), Sent)
    assert len(desk.shelf.list_newest(9)) == 1


def test_reading_back_can_show_another_text_or_nothing_readable(desk):
    channel = desk.channel(read_back=[Fault.LIE, Fault.RUBBISH, Fault.DROP])
    sent = channel.send(prepare(channel))
    assert channel.read_back(sent).texts == ("Hello. (changed)",)
    assert isinstance(channel.read_back(sent), Unreadable)
    assert isinstance(channel.read_back(sent), Unreadable)
    assert channel.read_back(sent).texts == ("Hello.",)


@pytest.mark.parametrize(("fault", "retry"), [(Fault.REFUSE, False), (Fault.DROP, True)])
def test_preparing_and_diagnosing_fail_with_a_sentence(desk, fault, retry):
    channel = desk.channel(prepare=[fault], diagnose=[fault])
    outcome = channel.prepare(post("x"), key=channel.make_key("d", AT), at=AT)
    assert isinstance(outcome, NotPrepared)
    assert outcome.retry is retry
    assert channel.diagnose().endswith(".")
    assert channel.diagnose() is None


class Doubling(Practice):
    """Posts twice."""

    def send(self, prepared, done=()):
        again = self.prepare(post("Hello."), key=self.make_key(str(id(object())), AT), at=AT)
        super().send(again)
        return super().send(prepared)


class Overwriting(Practice):
    """Answers Sent for another post under a key that is taken."""

    def send(self, prepared, done=()):
        outcome = super().send(prepared)
        return (
            super().send(prepared) if isinstance(outcome, Sent) else Sent("x", "https://x", ("x",))
        )


class Forgetting(Practice):
    """Says absent of what is there."""

    def look_up(self, prepared, done=()):
        return Absent()


class Eager(Practice):
    """Publishes while preparing."""

    def prepare(self, rendition, *, key, at, memo=""):
        prepared = super().prepare(rendition, key=key, at=at)
        if isinstance(prepared, Prepared):
            self.send(prepared)
        return prepared


class Trimming(Practice):
    """Loses spaces at the ends and doubles of them."""

    def prepare(self, rendition, *, key, at, memo=""):
        if rendition.parts:
            rendition = post(*(" ".join(part.text.split()) for part in rendition.parts))
        return super().prepare(rendition, key=key, at=at)


class Careless(Practice):
    """Has keys that change from call to call."""

    count = 0

    def make_key(self, delivery_id, due_at):
        self.count += 1
        return super().make_key(f"{delivery_id}-{self.count}", due_at)


class Leaking(Practice):
    """Writes its password into what is frozen."""

    def prepare(self, rendition, *, key, at, memo=""):
        prepared = super().prepare(rendition, key=key, at=at)
        if isinstance(prepared, NotPrepared):
            return prepared
        return Prepared(prepared.key, prepared.request.replace(b"Open.", b"Open. hunter2"))


class Confusing(Practice):
    """Takes an older post with the same words for the one that is looked for."""

    def look_up(self, prepared, done=()):
        found = super().look_up(prepared)
        text = read_record(prepared.request).parts
        same = [e for e in list_entries(self._shelf) if found == Absent() and e.parts == text]
        return as_sent(same[0]) if same else found


class Clinging(Practice):
    """Says that a post was taken down, and leaves it up."""

    def send(self, prepared, done=()):
        frozen = read_record(prepared.request)
        return as_removed(frozen) if isinstance(frozen, Removal) else super().send(prepared)


class Hiding(Practice):
    """Lists the oldest first."""

    def list_recent(self, limit):
        return super().list_recent(limit)[::-1]


class Curt(Practice):
    """Forgets what a post answers."""

    def prepare(self, rendition, *, key, at, memo=""):
        return super().prepare(replace(rendition, replying_to=""), key=key, at=at)


class Unready(Practice):
    """Finds out what breaks a limit only when the time has come."""

    def upload(self, rendition, *, memo=""):
        return Uploaded()


@pytest.mark.parametrize(
    "kind",
    [
        Doubling,
        Overwriting,
        Forgetting,
        Eager,
        Trimming,
        Careless,
        Leaking,
        Confusing,
        Clinging,
        Hiding,
        Curt,
        Unready,
    ],
)
def test_the_contract_finds_out_an_adapter_that_breaks_it(kind, tmp_path):
    class Contract(ChannelContract):
        thread_counts_as_one = True

    def failures(adapter_kind):
        failed = []
        for name, test in inspect.getmembers(Contract(), inspect.ismethod):
            if not name.startswith("test_"):
                continue
            shelf = FolderShelf(tmp_path / adapter_kind.__name__ / name)
            given = {
                "request": None,
                "adapter": adapter_kind(
                    shelf,
                    post_url=lambda key: f"https://example.gov.uk/{key}",
                    picture_url=lambda sha256, media_type: f"https://x.test/{sha256}/{media_type}",
                ),
                "count_posts": lambda shelf=shelf: len(list_entries(shelf, 99)),
                "secrets": lambda: ["hunter2"],
            }
            try:
                test(**{want: given[want] for want in inspect.signature(test).parameters})
            except AssertionError:
                failed.append(name)
        return failed

    assert failures(Practice) == []
    assert failures(kind) != []
