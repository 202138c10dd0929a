"""The contract finds out what takes a thread part by part, or has no keys, and breaks it."""

import hashlib
import inspect
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.limits import characters, find_problems
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Live,
    NotPrepared,
    NotReady,
    Partly,
    Prepared,
    Seen,
    Sent,
    Uploaded,
)


@dataclass
class Post:
    id: str
    text: str
    pictures: list
    after: str
    key: str
    gone: bool = False


@dataclass
class Timeline:
    """A channel with ids of its own, one picture at least, and threads made post by post."""

    posts: list = field(default_factory=list)
    uploads: int = 0

    def add(self, **what):
        self.posts.append(Post(f"p{len(self.posts) + 1}", **what))
        return self.posts[-1]

    def live(self):
        return [post for post in self.posts if not post.gone]


class Stepwise:
    """An adapter for it without keys: what is its own came after it was prepared."""

    def __init__(self, timeline):
        self.timeline = timeline
        self._waiting = {}

    def capabilities(self):
        return Capabilities(
            channel="stepwise",
            title="Stepwise",
            lengths=(characters(100),),
            pictures=2,
            picture_bytes=1000,
            picture_types=frozenset({"image/jpeg"}),
            parts=3,
            least_pictures=1,
            replies=True,
        )

    def make_key(self, delivery_id, due_at):
        at = due_at.astimezone(UTC).isoformat()
        return hashlib.sha256(f"{delivery_id} {at}".encode()).hexdigest()

    def upload(self, rendition, *, memo=""):
        if problems := find_problems(self.capabilities(), rendition):
            return NotPrepared(problems[0].message, retry=False)
        if not memo:
            for part in rendition.parts:
                for picture in part.pictures:
                    if isinstance(content := read_signed(picture), NotPrepared):
                        return content
                    self.timeline.uploads += 1
            return NotReady("handed over", "Still at work.", 0.0)
        return Uploaded("handed over")

    def prepare(self, rendition, *, key, at, memo=""):
        if problems := find_problems(self.capabilities(), rendition):
            return NotPrepared(problems[0].message, retry=False)
        parts = [
            {"text": part.text, "pictures": [[p.alt, p.sha256] for p in part.pictures]}
            for part in rendition.parts
        ]
        last = self.timeline.posts[-1].id if self.timeline.posts else "p0"
        return self.freeze(key, parts=parts, since=last, answers=rendition.replying_to)

    def prepare_removal(self, sent, *, key, at, reason):
        return self.freeze(key, removes=sent.remote_ids, url=sent.url)

    def freeze(self, key, **what):
        return Prepared(key, json.dumps(what, sort_keys=True).encode())

    def send(self, prepared, done=()):
        what = json.loads(prepared.request)
        if "removes" in what:
            [post] = [p for p in self.timeline.posts if p.id == what["removes"][len(done)]]
            post.gone = True
            return self.outcome(what["removes"], (*done, post.id), what["removes"][0])
        part = what["parts"][len(done)]
        above = done[-1] if done else what["answers"]
        post = self.timeline.add(**part, after=above, key=prepared.key)
        return self.outcome(what["parts"], (*done, post.id))

    def look_up(self, prepared, done=()):
        what = json.loads(prepared.request)
        if "removes" in what:
            live = {post.id for post in self.timeline.live()}
            return Absent() if live & set(what["removes"]) else self.removed(what)
        found = self.find(what, prepared, done)
        return self.outcome(what["parts"], (*done, found.id)) if found else Absent()

    def find(self, what, prepared, done):
        part = what["parts"][len(done)]
        above = done[-1] if done else what["answers"]
        for post in self.timeline.live():
            same = (post.text, post.after) == (part["text"], above)
            if same and int(post.id[1:]) > int(what["since"][1:]):
                return post
        return None

    def outcome(self, whole, done, first=None):
        done = tuple(done)
        if len(done) < len(whole):
            return Partly(done)
        return Sent(first or done[0], f"https://x.test/{first or done[0]}", done)

    def removed(self, what):
        return self.outcome(what["removes"], what["removes"], what["removes"][0])

    def read_back(self, sent):
        there = [post for post in self.timeline.live() if post.id in sent.remote_ids]
        if not there:
            return Absent()
        return Live(
            tuple(post.text for post in there),
            tuple((None,) * len(post.pictures) for post in there),
            tuple((None,) * len(post.pictures) for post in there),
        )

    def list_recent(self, limit):
        newest = self.timeline.live()[::-1][:limit]
        at = datetime(2026, 11, 20, tzinfo=UTC)
        return tuple(Seen(p.id, f"https://x.test/{p.id}", p.text, at) for p in newest)

    def diagnose(self):
        return None

    def sign_in_ends_at(self):
        return None


class Overhasty(Stepwise):
    """Publishes the whole thread and owns up to one part."""

    def send(self, prepared, done=()):
        what = json.loads(prepared.request)
        outcome = super().send(prepared, done)
        if "parts" in what and not done:
            for part in what["parts"][1:]:
                self.timeline.add(**part, after="", key="")
        return outcome


class Standing(Stepwise):
    """Looks the first part up, whatever is done already."""

    def find(self, what, prepared, done):
        return super().find(what, prepared, ())


class Mistaking(Stepwise):
    """Takes any post with the same words for its own."""

    def find(self, what, prepared, done):
        return super().find({**what, "since": "p0"}, prepared, done)


class Handing(Stepwise):
    """Hands pictures over anew each time."""

    def upload(self, rendition, *, memo=""):
        outcome = super().upload(rendition)
        return Uploaded("again") if memo and isinstance(outcome, NotReady) else outcome


class Endless(Stepwise):
    """Never gets ready."""

    def upload(self, rendition, *, memo=""):
        outcome = super().upload(rendition, memo=memo)
        return NotReady("x", "Still at work.") if isinstance(outcome, Uploaded) else outcome


class Half(Stepwise):
    """Takes down the first part of a thread and says that all of it is gone."""

    def send(self, prepared, done=()):
        outcome = super().send(prepared, done)
        what = json.loads(prepared.request)
        return self.removed(what) if "removes" in what else outcome


class Topsy(Stepwise):
    """Lists nothing of what others made, and the oldest first."""

    def list_recent(self, limit):
        return super().list_recent(limit)[::-1]


class Bare(Stepwise):
    """Takes a post without a picture although it says it does not."""

    def upload(self, rendition, *, memo=""):
        return Uploaded()


def failures(kind, **about):
    """The names of the tests of the contract that ``kind`` fails."""
    contract = type("Contract", (ChannelContract,), {"count_uploads": None, **about})()
    contract.wait = lambda seconds: None
    failed = []
    for name, test in inspect.getmembers(contract, inspect.ismethod):
        if not name.startswith("test_"):
            continue
        timeline = Timeline()
        given = {
            "adapter": kind(timeline),
            "count_posts": lambda timeline=timeline: len(timeline.live()),
            "secrets": lambda: ["hunter2"],
            "request": SimpleNamespace(
                getfixturevalue=lambda name, timeline=timeline: lambda: timeline.uploads
            ),
        }
        try:
            test(**{want: given[want] for want in inspect.signature(test).parameters})
        except AssertionError:
            failed.append(name)
    return failed


def test_a_channel_without_keys_that_takes_threads_part_by_part_can_keep_it():
    assert failures(Stepwise, keyed=False) == []


def test_a_channel_that_says_it_has_keys_and_has_none_is_found_out():
    assert "test_the_same_key_and_bytes_sent_twice_leave_one_post" in failures(Stepwise)


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (Overhasty, "test_a_thread_in_doubt_is_decided_part_by_part"),
        (Standing, "test_a_thread_in_doubt_is_decided_part_by_part"),
        (Mistaking, "test_an_older_post_with_the_same_words_is_not_taken_for_it"),
        (Handing, "test_what_was_handed_over_is_not_handed_over_again"),
        (Endless, "test_what_was_handed_over_is_not_handed_over_again"),
        (Half, "test_what_is_taken_down_is_gone_and_stays_gone"),
        (Topsy, "test_the_accounts_own_timeline_is_listed_newest_first"),
        (Bare, "test_limits_are_enforced_before_anything_goes_out"),
    ],
)
def test_one_that_breaks_it_is_found_out(kind, test):
    assert test in failures(kind, keyed=False)


def test_a_channel_that_takes_nothing_down_says_so():
    class Lasting(Stepwise):
        def capabilities(self):
            return replace(super().capabilities(), removes=False)

        def prepare_removal(self, sent, *, key, at, reason):
            return NotPrepared("Stepwise lets nothing be taken down.", retry=False)

    assert failures(Lasting, keyed=False) == []

    class Silent(Lasting):
        def prepare_removal(self, sent, *, key, at, reason):
            return NotPrepared("no", retry=True)

    assert failures(Silent, keyed=False) == ["test_what_is_taken_down_is_gone_and_stays_gone"]
