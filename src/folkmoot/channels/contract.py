"""The contract every adapter keeps, as tests: subclass :class:`ChannelContract` and run pytest.

::

    class TestMyChannel(ChannelContract):
        @pytest.fixture
        def adapter(self): ...  # an account with nothing on it, which can post

        @pytest.fixture
        def count_posts(self): ...  # () -> how many posts (parts count each) are live

        @pytest.fixture
        def secrets(self): ...  # () -> the passwords and tokens the adapter works with

        @pytest.fixture
        def count_uploads(self): ...  # if there is one: () -> how many files were handed over

Where a channel needs an account set up or taken down, the fixtures do it. What a channel does in
its own way is said by class attributes and by the methods under "for the tests above":

* ``keyed = False``: the channel has no idempotency keys. Nothing is sent twice here then, and a
  look-up must find the post that was sent, and no older one with the same words.
* ``thread_counts_as_one = True``: a thread is one item on the channel, as on a feed.
* ``reads_back = False``, ``lists = False``: the channel does not show what stands there.
* ``key_pattern``, ``due_at``: what a key looks like, and the time the posts here are due.
* ``reads_as(text)``: how the channel shows a text, where that is not letter for letter.
* ``wait(seconds)``, ``most_waits``: how, and how often, media in processing is waited for.

Nothing here imports a test framework.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import quote

from folkmoot.channels.limits import find_problems
from folkmoot.channels.port import (
    Absent,
    Adapter,
    Different,
    Live,
    NotPrepared,
    NotReady,
    Part,
    Partly,
    Prepared,
    Refused,
    Rendition,
    Seen,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.specimens import (
    HOSTILE_TEXTS,
    agree,
    beyond_limits,
    longest_text,
    make_picture,
    make_pictures,
    make_png,
    make_post,
    post,
)

__all__ = ["HOSTILE_TEXTS", "ChannelContract", "make_picture", "make_png", "post"]


class ChannelContract:
    """What holds for every channel. See the module for how to use it."""

    keyed: ClassVar[bool] = True
    thread_counts_as_one: ClassVar[bool] = False
    reads_back: ClassVar[bool] = True
    lists: ClassVar[bool] = True
    due_at: ClassVar[datetime] = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    key_pattern: ClassVar[str] = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}"
    most_waits: ClassVar[int] = 100

    # -- one post ------------------------------------------------------------------------------

    def test_a_post_is_absent_then_sent_then_read_back_as_it_was_prepared(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        rendition = self.post(adapter, "Good morning from the council.")
        prepared = self.prepare(adapter, rendition)
        assert isinstance(adapter.look_up(prepared), Absent)
        assert count_posts() == 0, "preparing published something"
        sent = self.send(adapter, prepared)
        assert sent.url.startswith("http")
        assert len(sent.remote_ids) == 1
        assert adapter.look_up(prepared) == sent
        self.assert_live(adapter, sent, rendition)
        assert count_posts() == 1

    def test_a_post_not_yet_sent_cannot_be_read_back(self, adapter: Adapter) -> None:
        first = self.prepare(adapter, self.post(adapter, "The first."))
        sent = self.send(adapter, first)
        if not self.reads_back or first.key not in sent.remote_id:
            return  # the channel gives ids of its own, so none can be had of what is not there
        other_key = adapter.make_key("never-sent", self.due_at)
        moved = replace(
            sent,
            remote_id=sent.remote_id.replace(first.key, other_key),
            remote_ids=tuple(one.replace(first.key, other_key) for one in sent.remote_ids),
        )
        assert adapter.read_back(moved) == Absent()

    def test_the_same_key_and_bytes_sent_twice_leave_one_post(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        prepared = self.prepare(adapter, self.post(adapter, "Once, and only once."))
        first = self.send(adapter, prepared)
        if self.keyed:
            again = adapter.send(prepared)
            assert again == first or isinstance(again, Unconfirmed)
        assert adapter.look_up(prepared) == first
        assert count_posts() == 1

    def test_an_older_post_with_the_same_words_is_not_taken_for_it(self, adapter: Adapter) -> None:
        rendition = self.post(adapter, "The bridge is closed.")
        older = self.send(adapter, self.prepare(adapter, rendition, delivery="older"))
        later = self.due_at + timedelta(minutes=5)
        prepared = self.prepare(adapter, rendition, delivery="newer", at=later)
        assert isinstance(adapter.look_up(prepared), Absent)
        outcome = adapter.send(prepared)
        found = adapter.look_up(prepared)
        if isinstance(outcome, Sent):
            assert outcome.remote_id != older.remote_id
            assert found == outcome
        else:  # a channel may refuse what it holds to be a repeat
            assert isinstance(outcome, Refused | Unconfirmed), outcome
            assert not isinstance(found, Sent | Partly), found

    def test_preparing_twice_freezes_the_same_bytes(self, adapter: Adapter) -> None:
        rendition = Rendition((Part("Twice prepared.", make_pictures(adapter.capabilities(), 1)),))
        memo = self.upload(adapter, rendition)
        key = adapter.make_key("contract", self.due_at)
        first = adapter.prepare(rendition, key=key, at=self.due_at, memo=memo)
        assert isinstance(first, Prepared), first
        assert adapter.prepare(rendition, key=key, at=self.due_at, memo=memo) == first

    def test_another_post_under_the_same_key_changes_nothing_and_is_found_out(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        if not self.keyed:
            return
        rendition = self.post(adapter, "What was signed.")
        first = self.prepare(adapter, rendition)
        other = self.prepare(adapter, self.post(adapter, "Something else."))
        assert first.key == other.key
        sent = self.send(adapter, first)
        # Where the key is part of the id, what stands under it can be told apart and is.
        named = first.key in sent.remote_id
        assert isinstance(adapter.look_up(other), Different if named else Absent | Different)
        assert not isinstance(adapter.send(other), Sent | Partly)
        assert not isinstance(adapter.look_up(other), Sent | Partly)
        self.assert_live(adapter, sent, rendition)
        assert count_posts() == 1

    # -- threads and answers -------------------------------------------------------------------

    def test_a_thread_goes_out_whole_and_in_order(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        if adapter.capabilities().parts == 1:
            assert find_problems(adapter.capabilities(), self.post(adapter, "One.", "Two."))
            return
        rendition = self.thread(adapter)
        prepared = self.prepare(adapter, rendition)
        assert isinstance(adapter.look_up(prepared), Absent)
        sent = self.send(adapter, prepared)
        assert len(sent.remote_ids) == len(rendition.parts)
        assert sent.remote_id == sent.remote_ids[0]
        self.assert_live(adapter, sent, rendition)
        assert count_posts() == (1 if self.thread_counts_as_one else len(rendition.parts))

    def test_a_thread_in_doubt_is_decided_part_by_part(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        if adapter.capabilities().parts == 1:
            return
        rendition = self.thread(adapter)
        prepared = self.prepare(adapter, rendition)
        done: tuple[str, ...] = ()
        while True:
            assert adapter.look_up(prepared, done) == Absent()
            outcome = adapter.send(prepared, done)
            assert isinstance(outcome, Sent | Partly), outcome
            # The answer might have been lost: a look-up says the same.
            assert adapter.look_up(prepared, done) == outcome
            if self.keyed:
                again = adapter.send(prepared, done)
                assert again == outcome or isinstance(again, Unconfirmed)
                assert adapter.look_up(prepared, done) == outcome
            if isinstance(outcome, Sent):
                break
            assert outcome.remote_ids[: len(done)] == done
            assert len(outcome.remote_ids) == len(done) + 1 == count_posts()
            done = outcome.remote_ids
        assert len(outcome.remote_ids) == len(rendition.parts)
        assert count_posts() == (1 if self.thread_counts_as_one else len(rendition.parts))

    def test_an_answer_names_the_post_that_it_answers(self, adapter: Adapter) -> None:
        wrong = self.send(adapter, self.prepare(adapter, self.post(adapter, "Closed on Monday.")))
        answer = replace(
            self.post(adapter, "Closed on Tuesday, not Monday."), replying_to=wrong.remote_id
        )
        later = self.due_at + timedelta(minutes=5)
        prepared = self.prepare(adapter, answer, delivery="answer", at=later)
        if adapter.capabilities().replies:
            names = (wrong.remote_id, quote(wrong.remote_id, safe=""))
            assert any(name.encode() in prepared.request for name in names)
        sent = self.send(adapter, prepared)
        assert adapter.look_up(prepared) == sent
        self.assert_live(adapter, sent, answer)

    # -- pictures ------------------------------------------------------------------------------

    def test_pictures_go_out_with_their_text_alternatives_and_their_very_bytes(
        self, adapter: Adapter
    ) -> None:
        most = adapter.capabilities().pictures
        if most == 0:
            assert find_problems(
                adapter.capabilities(), Rendition((Part("x", (make_picture("A square."),)),))
            )
            return
        rendition = Rendition((Part("Look:", make_pictures(adapter.capabilities(), most)),))
        sent = self.send(adapter, self.prepare(adapter, rendition))
        self.assert_live(adapter, sent, rendition)

    def test_what_was_handed_over_is_not_handed_over_again(
        self, adapter: Adapter, count_posts: Callable[[], int], request: Any
    ) -> None:
        rendition = Rendition((Part("Look:", make_pictures(adapter.capabilities(), 2)),))
        memo = self.upload(adapter, rendition)
        counts = hasattr(type(self), "count_uploads")
        count: Callable[[], int] = request.getfixturevalue("count_uploads") if counts else lambda: 0
        before = count()
        if counts and rendition.parts[0].pictures:
            assert before == len(rendition.parts[0].pictures)
        again = self.upload(adapter, rendition, memo=memo)
        key = adapter.make_key("contract", self.due_at)
        prepared = adapter.prepare(rendition, key=key, at=self.due_at, memo=again)
        assert isinstance(prepared, Prepared), prepared
        assert count() == before, "a picture was handed over twice"
        assert count_posts() == 0, "handing over published something"
        self.assert_live(adapter, self.send(adapter, prepared), rendition)

    def test_a_picture_that_is_not_the_one_signed_stops_the_post(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        if adapter.capabilities().pictures == 0:
            return
        [signed] = make_pictures(adapter.capabilities(), 1)[:1]
        swapped = replace(signed, read=lambda: make_png(4, 3, 200))
        outcome = self.try_to_prepare(adapter, Rendition((Part("Look:", (swapped,)),)))
        assert isinstance(outcome, NotPrepared)
        assert not outcome.retry
        assert count_posts() == 0

    # -- text ----------------------------------------------------------------------------------

    def test_hostile_text_survives_letter_for_letter(self, adapter: Adapter) -> None:
        for number, text in enumerate(HOSTILE_TEXTS):
            rendition = self.post(adapter, text)
            assert not find_problems(adapter.capabilities(), rendition), text
            at = self.due_at + timedelta(minutes=number)
            prepared = self.prepare(adapter, rendition, delivery=f"hostile-{number}", at=at)
            sent = self.send(adapter, prepared)
            assert adapter.look_up(prepared) == sent, text
            self.assert_live(adapter, sent, rendition)

    def test_the_longest_post_the_channel_says_it_takes_goes_out(self, adapter: Adapter) -> None:
        rendition = self.post(adapter, longest_text(adapter.capabilities()))
        prepared = self.prepare(adapter, rendition)
        sent = self.send(adapter, prepared)
        assert adapter.look_up(prepared) == sent

    def test_limits_are_enforced_before_anything_goes_out(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        for rendition in beyond_limits(adapter.capabilities()):
            problems = find_problems(adapter.capabilities(), rendition)
            assert problems, rendition
            for problem in problems:
                assert problem.message.endswith(".")
            key = adapter.make_key("too-much", self.due_at)
            for outcome in (
                adapter.upload(rendition),
                adapter.prepare(rendition, key=key, at=self.due_at),
            ):
                assert isinstance(outcome, NotPrepared), rendition
                assert not outcome.retry
        assert count_posts() == 0

    # -- taking down, and what stands there ----------------------------------------------------

    def test_what_is_taken_down_is_gone_and_stays_gone(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        limits = adapter.capabilities()
        kept = self.send(adapter, self.prepare(adapter, self.post(adapter, "This stays.")))
        before = count_posts()
        later = self.due_at + timedelta(minutes=5)
        rendition = self.post(adapter, "A mistake.") if limits.parts == 1 else self.thread(adapter)
        sent = self.send(adapter, self.prepare(adapter, rendition, delivery="slip", at=later))
        removal = adapter.prepare_removal(
            sent,
            key=adapter.make_key("removal", later + timedelta(minutes=1)),
            at=later + timedelta(minutes=1),
            reason="It named the wrong street.",
        )
        if not limits.removes:
            assert isinstance(removal, NotPrepared)
            assert not removal.retry
            assert removal.reason.endswith(".")
            return
        assert isinstance(removal, Prepared), removal
        assert adapter.look_up(removal) == Absent(), "it is still there, so the removal is not done"
        removed = self.send(adapter, removal)
        assert removed.remote_id == sent.remote_id
        assert adapter.look_up(removal) == removed
        assert count_posts() == before
        if self.reads_back:
            assert adapter.read_back(sent) == Absent()
            assert isinstance(adapter.read_back(kept), Live)
        if self.lists:
            ids = [seen.remote_id for seen in self.list_recent(adapter, 10)]
            assert not set(ids) & set(sent.remote_ids)
            assert kept.remote_id in ids
        assert self.send(adapter, removal) == removed, "removing what is gone is no fault"
        assert count_posts() == before

    def test_the_accounts_own_timeline_is_listed_newest_first(self, adapter: Adapter) -> None:
        if not self.lists:
            assert adapter.list_recent(10) == () or isinstance(adapter.list_recent(10), Unreadable)
            return
        assert self.list_recent(adapter, 10) == ()
        wanted: list[tuple[str, tuple[str, ...]]] = []
        renditions = [self.post(adapter, "Older."), self.post(adapter, "Newer.")]
        if adapter.capabilities().parts > 1:
            renditions.append(self.thread(adapter))
        for number, rendition in enumerate(renditions):
            at = self.due_at + timedelta(minutes=number)
            prepared = self.prepare(adapter, rendition, delivery=f"listed-{number}", at=at)
            sent = self.send(adapter, prepared)
            texts = [part.text for part in rendition.parts]
            if self.thread_counts_as_one:
                wanted.insert(0, (sent.remote_id, tuple(texts)))
                continue
            for remote_id, text in zip(sent.remote_ids, texts, strict=True):
                wanted.insert(0, (remote_id, (text,)))
        listed = self.list_recent(adapter, 10)
        assert [seen.remote_id for seen in listed] == [remote_id for remote_id, _ in wanted]
        for seen, (_, texts_there) in zip(listed, wanted, strict=True):
            assert all(self.reads_as(text) in seen.text for text in texts_there)
            assert seen.at.tzinfo is not None
            assert seen.url.startswith("http")
        assert self.list_recent(adapter, 1) == listed[:1]

    # -- keys and secrets ----------------------------------------------------------------------

    def test_keys_are_stable_well_formed_and_differ(self, adapter: Adapter) -> None:
        seen = set()
        for number in range(200):
            due_at = self.due_at + timedelta(minutes=number % 7)
            key = adapter.make_key(f"delivery-{number}", due_at)
            assert key == adapter.make_key(f"delivery-{number}", due_at)
            assert re.fullmatch(self.key_pattern, key), key
            seen.add(key)
        assert len(seen) == 200  # noqa: PLR2004 - as many as there were
        elsewhere = self.due_at.astimezone(timezone(timedelta(hours=1)))
        assert adapter.make_key("d", elsewhere) == adapter.make_key("d", self.due_at)

    def test_nothing_secret_is_in_what_is_frozen_or_shown(
        self, adapter: Adapter, secrets: Callable[[], Sequence[str]]
    ) -> None:
        rendition = Rendition((Part("Open.", make_pictures(adapter.capabilities(), 1)),))
        memo = self.upload(adapter, rendition)
        prepared = self.prepare(adapter, rendition)
        sent = self.send(adapter, prepared)
        removal = adapter.prepare_removal(
            sent, key=adapter.make_key("removal", self.due_at), at=self.due_at, reason="A mistake."
        )
        frozen = [one.request for one in (prepared, removal) if isinstance(one, Prepared)]
        shown = [prepared.key, memo, *map(repr, (prepared, removal, sent, adapter, vars(adapter)))]
        for secret in secrets():
            assert secret
            assert not any(secret.encode() in request for request in frozen)
            assert not any(secret in one for one in shown)

    def test_an_account_that_can_post_has_nothing_wrong_with_it(self, adapter: Adapter) -> None:
        assert adapter.diagnose() is None
        assert (ends_at := adapter.sign_in_ends_at()) is None or ends_at.tzinfo is not None

    # -- for the tests above -------------------------------------------------------------------

    def reads_as(self, text: str) -> str:
        """How the channel shows ``text``."""
        return text

    def wait(self, seconds: float) -> None:
        """Wait for media in processing: not as long as it would take elsewhere."""
        time.sleep(min(seconds, 0.05))

    def post(self, adapter: Adapter, *texts: str) -> Rendition:
        """A post, or a thread, with as many pictures as the channel demands and no more."""
        return make_post(adapter.capabilities(), *texts)

    def thread(self, adapter: Adapter) -> Rendition:
        """A thread of three parts, or of as many as fit."""
        texts = ("One of three.", "Two of three.", "Three of three.")
        return self.post(adapter, *texts[: adapter.capabilities().parts])

    def upload(self, adapter: Adapter, rendition: Rendition, *, memo: str = "") -> str:
        """Hand over what can be handed over ahead, waiting for what is in processing; the memo."""
        outcome = self._upload(adapter, rendition, memo)
        assert isinstance(outcome, Uploaded), outcome
        return outcome.memo

    def try_to_prepare(
        self,
        adapter: Adapter,
        rendition: Rendition,
        *,
        delivery: str = "contract",
        at: datetime | None = None,
    ) -> Prepared | NotPrepared:
        """Hand over and prepare."""
        at = at or self.due_at
        uploaded = self._upload(adapter, rendition, "")
        if isinstance(uploaded, NotPrepared):
            return uploaded
        key = adapter.make_key(delivery, at)
        return adapter.prepare(rendition, key=key, at=at, memo=uploaded.memo)

    def prepare(
        self,
        adapter: Adapter,
        rendition: Rendition,
        *,
        delivery: str = "contract",
        at: datetime | None = None,
    ) -> Prepared:
        """Hand over and prepare, with an assertion that it worked."""
        prepared = self.try_to_prepare(adapter, rendition, delivery=delivery, at=at)
        assert isinstance(prepared, Prepared), prepared
        assert prepared.key == adapter.make_key(delivery, at or self.due_at)
        return prepared

    def send(self, adapter: Adapter, prepared: Prepared) -> Sent:
        """Send, part by part where the channel wants it so, with an assertion that it worked."""
        done: tuple[str, ...] = ()
        while True:
            outcome = adapter.send(prepared, done)
            if not isinstance(outcome, Partly):
                assert isinstance(outcome, Sent), outcome
                return outcome
            assert outcome.remote_ids[: len(done)] == done
            assert len(outcome.remote_ids) == len(done) + 1, "one request is one part"
            done = outcome.remote_ids

    def list_recent(self, adapter: Adapter, limit: int) -> tuple[Seen, ...]:
        """The account's timeline, with an assertion that it can be read."""
        listed = adapter.list_recent(limit)
        assert not isinstance(listed, Unreadable), listed
        assert len(listed) <= limit
        return listed

    def assert_live(self, adapter: Adapter, sent: Sent, rendition: Rendition) -> None:
        """What is live is what was signed, as far as the channel shows it."""
        live = adapter.read_back(sent)
        if not self.reads_back:
            assert isinstance(live, Unreadable), live
            return
        assert isinstance(live, Live), live
        assert agree(rendition, live, self.reads_as), live

    def _upload(self, adapter: Adapter, rendition: Rendition, memo: str) -> Uploaded | NotPrepared:
        outcome = adapter.upload(rendition, memo=memo)
        for _ in range(self.most_waits):
            if not isinstance(outcome, NotReady):
                return outcome
            self.wait(outcome.after_seconds)
            outcome = adapter.upload(rendition, memo=outcome.memo)
        raise AssertionError(f"still in processing after {self.most_waits} looks: {outcome}")
