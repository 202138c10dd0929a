"""The contract every adapter keeps, as tests: subclass :class:`ChannelContract` and run pytest.

::

    class TestMyChannel(ChannelContract):
        @pytest.fixture
        def adapter(self): ...  # an account with nothing on it, which can post

        @pytest.fixture
        def count_posts(self): ...  # () -> how many posts (parts count each) are live

        @pytest.fixture
        def secrets(self): ...  # the passwords and tokens the adapter works with

Where a channel needs an account set up or taken down, the fixtures do it. A channel whose posts
are whole threads, as a feed's are, sets ``thread_counts_as_one``. Nothing here imports a test
framework.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import ClassVar

from folkmoot.channels.limits import find_problems
from folkmoot.channels.port import (
    Absent,
    Adapter,
    Different,
    Live,
    NotPrepared,
    Part,
    Picture,
    Prepared,
    Rendition,
    Sent,
    Unconfirmed,
)

HOSTILE_TEXTS = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> &amp; &lt;b&gt; ]]> <!-- \" ' -->",
    "\u202eright to left\u202c, \u2066isolated\u2069, zero\u200bwidth, soft\u00adhyphen",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f44b\U0001f3fd \u2764\ufe0f",
    "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f is a flag",
    "e\u0301 and \u00e9 are not made one; \U00020bb7\u91ce\u5bb6; \u0627\u0644\u0639\u0631",
    "{{ 7*7 }} ${7*7} %s %00 ' OR 1=1 -- \\u0000 \\n $link null",
    "two\n\nparagraphs,\ttabs and  two spaces",
    "See https://example.gov.uk/a_(b)?c=d&e=f#g. #GoodNews, #2026 and javascript:alert(1)",
)


def make_png(width: int, height: int, shade: int) -> bytes:
    """A grey picture of one ``shade`` (0 to 255) in PNG: the same bytes for the same arguments."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * width) * height
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def make_picture(alt: str, *, width: int = 4, height: int = 3, shade: int = 90) -> Picture:
    """A small PNG with its digest, ready to be sent."""
    content = make_png(width, height, shade)
    return Picture(
        sha256=hashlib.sha256(content).hexdigest(),
        media_type="image/png",
        size_bytes=len(content),
        width=width,
        height=height,
        alt=alt,
        read=lambda: content,
    )


def post(*texts: str) -> Rendition:
    """A rendition of one part, or a thread of several."""
    return Rendition(tuple(Part(text) for text in texts))


class ChannelContract:
    """What holds for every channel. See the module for how to use it."""

    thread_counts_as_one: ClassVar[bool] = False
    due_at: ClassVar[datetime] = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    key_pattern: ClassVar[str] = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}"

    # -- one post ------------------------------------------------------------------------------

    def test_a_post_is_absent_then_sent_then_read_back_as_it_was_prepared(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        prepared = self.prepare(adapter, post("Good morning from the council."))
        assert isinstance(adapter.look_up(prepared), Absent)
        assert count_posts() == 0, "preparing published something"
        sent = adapter.send(prepared)
        assert isinstance(sent, Sent), sent
        assert sent.url.startswith("http")
        assert len(sent.remote_ids) == 1
        assert adapter.look_up(prepared) == sent
        live = adapter.read_back(sent)
        assert live == Live(("Good morning from the council.",), ((),), ((),))
        assert count_posts() == 1

    def test_a_post_not_yet_sent_cannot_be_read_back(self, adapter: Adapter) -> None:
        first = self.prepare(adapter, post("The first."))
        sent = adapter.send(first)
        assert isinstance(sent, Sent)
        other_key = adapter.make_key("never-sent", self.due_at)
        moved = replace(
            sent,
            remote_id=sent.remote_id.replace(first.key, other_key),
            remote_ids=tuple(one.replace(first.key, other_key) for one in sent.remote_ids),
        )
        assert moved != sent, "a remote id does not hold the key"
        assert adapter.read_back(moved) == Absent()

    def test_the_same_key_and_bytes_sent_twice_leave_one_post(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        prepared = self.prepare(adapter, post("Once, and only once."))
        first = adapter.send(prepared)
        assert isinstance(first, Sent)
        again = adapter.send(prepared)
        assert again == first or isinstance(again, Unconfirmed)
        assert adapter.look_up(prepared) == first
        assert count_posts() == 1

    def test_preparing_twice_freezes_the_same_bytes(self, adapter: Adapter) -> None:
        rendition = Rendition((Part("Twice prepared.", self.pictures(adapter, 1)),))
        assert self.prepare(adapter, rendition) == self.prepare(adapter, rendition)

    def test_another_post_under_the_same_key_changes_nothing_and_is_found_out(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        first = self.prepare(adapter, post("What was signed."))
        other = self.prepare(adapter, post("Something else."))
        assert first.key == other.key
        sent = adapter.send(first)
        assert isinstance(sent, Sent)
        assert isinstance(adapter.look_up(other), Different)
        assert not isinstance(adapter.send(other), Sent)
        assert isinstance(adapter.look_up(other), Different)
        live = adapter.read_back(sent)
        assert isinstance(live, Live)
        assert live.texts == ("What was signed.",)
        assert count_posts() == 1

    # -- threads and pictures ------------------------------------------------------------------

    def test_a_thread_goes_out_whole_and_in_order(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        if adapter.capabilities().parts == 1:
            assert find_problems(adapter.capabilities(), post("One.", "Two."))
            return
        texts = ("One of three.", "Two of three.", "Three of three.")
        prepared = self.prepare(adapter, post(*texts))
        assert isinstance(adapter.look_up(prepared), Absent)
        first = adapter.send(prepared)
        assert isinstance(first, Sent), first
        assert len(first.remote_ids) == len(texts)
        assert adapter.look_up(prepared) == first
        live = adapter.read_back(first)
        assert isinstance(live, Live)
        assert live.texts == texts
        again = adapter.send(prepared)
        assert again == first or isinstance(again, Unconfirmed)
        assert adapter.look_up(prepared) == first
        assert count_posts() == (1 if self.thread_counts_as_one else len(texts))

    def test_pictures_go_out_with_their_text_alternatives_and_their_very_bytes(
        self, adapter: Adapter
    ) -> None:
        most = adapter.capabilities().pictures
        if most == 0:
            assert find_problems(
                adapter.capabilities(), Rendition((Part("x", (make_picture("A square."),)),))
            )
            return
        pictures = self.pictures(adapter, most)
        sent = adapter.send(self.prepare(adapter, Rendition((Part("Look:", pictures),))))
        assert isinstance(sent, Sent), sent
        live = adapter.read_back(sent)
        assert isinstance(live, Live)
        assert live.alts == (tuple(picture.alt for picture in pictures),)
        for signed, found in zip(pictures, live.picture_sha256s[0], strict=True):
            assert found in (signed.sha256, None)

    def test_a_picture_that_is_not_the_one_signed_stops_the_post(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        if adapter.capabilities().pictures == 0:
            return
        swapped = replace(make_picture("A square."), read=lambda: make_png(4, 3, 200))
        outcome = adapter.prepare(
            Rendition((Part("Look:", (swapped,)),)),
            key=adapter.make_key("swapped", self.due_at),
            at=self.due_at,
        )
        assert isinstance(outcome, NotPrepared)
        assert not outcome.retry
        assert count_posts() == 0

    # -- text ----------------------------------------------------------------------------------

    def test_hostile_text_survives_letter_for_letter(self, adapter: Adapter) -> None:
        for number, text in enumerate(HOSTILE_TEXTS):
            assert not find_problems(adapter.capabilities(), post(text)), text
            prepared = self.prepare(adapter, post(text), delivery=f"hostile-{number}")
            sent = adapter.send(prepared)
            assert isinstance(sent, Sent), (text, sent)
            live = adapter.read_back(sent)
            assert isinstance(live, Live)
            assert live.texts == (text,)

    def test_the_longest_post_the_channel_says_it_takes_goes_out(self, adapter: Adapter) -> None:
        most = adapter.capabilities().text_graphemes or 5000
        # Four-byte characters first, so that graphemes, code points and bytes all differ.
        text = "\U0001f44d" * 50 + "a" * (most - 50)
        sent = adapter.send(self.prepare(adapter, post(text)))
        assert isinstance(sent, Sent), sent

    def test_limits_are_enforced_before_anything_goes_out(
        self, adapter: Adapter, count_posts: Callable[[], int]
    ) -> None:
        for rendition in self.beyond_limits(adapter):
            problems = find_problems(adapter.capabilities(), rendition)
            assert problems, rendition
            for problem in problems:
                assert problem.message.endswith(".")
            outcome = adapter.prepare(
                rendition, key=adapter.make_key("too-much", self.due_at), at=self.due_at
            )
            assert isinstance(outcome, NotPrepared), rendition
            assert not outcome.retry
        assert count_posts() == 0

    # -- keys and secrets ----------------------------------------------------------------------

    def test_keys_are_stable_well_formed_and_differ(self, adapter: Adapter) -> None:
        many = range(200)
        seen = set()
        for number in many:
            due_at = self.due_at + timedelta(minutes=number % 7)
            key = adapter.make_key(f"delivery-{number}", due_at)
            assert key == adapter.make_key(f"delivery-{number}", due_at)
            assert re.fullmatch(self.key_pattern, key), key
            seen.add(key)
        assert len(seen) == len(many)
        elsewhere = self.due_at.astimezone(timezone(timedelta(hours=1)))
        assert adapter.make_key("d", elsewhere) == adapter.make_key("d", self.due_at)

    def test_nothing_secret_is_in_what_is_frozen_or_shown(
        self, adapter: Adapter, secrets: Callable[[], Sequence[str]]
    ) -> None:
        prepared = self.prepare(adapter, Rendition((Part("Open.", self.pictures(adapter, 1)),)))
        sent = adapter.send(prepared)
        shown = repr(prepared) + prepared.key + repr(sent) + repr(adapter) + repr(vars(adapter))
        for secret in secrets():
            assert secret
            assert secret.encode() not in prepared.request
            assert secret not in shown

    def test_an_account_that_can_post_has_nothing_wrong_with_it(self, adapter: Adapter) -> None:
        assert adapter.diagnose() is None

    # -- for the tests above -------------------------------------------------------------------

    def prepare(
        self, adapter: Adapter, rendition: Rendition, *, delivery: str = "contract"
    ) -> Prepared:
        """Prepare, with an assertion that it worked."""
        key = adapter.make_key(delivery, self.due_at)
        prepared = adapter.prepare(rendition, key=key, at=self.due_at)
        assert isinstance(prepared, Prepared), prepared
        assert prepared.key == key
        return prepared

    def pictures(self, adapter: Adapter, count: int) -> tuple[Picture, ...]:
        """Up to ``count`` different pictures, no more than the channel takes."""
        count = min(count, adapter.capabilities().pictures)
        return tuple(
            make_picture(f"Square number {number} \u2013 gr\u00e5.", shade=20 * number)
            for number in range(1, count + 1)
        )

    def beyond_limits(self, adapter: Adapter) -> list[Rendition]:
        """Renditions that each break one limit of the channel."""
        limits = adapter.capabilities()
        broken = [
            Rendition(()),
            post(""),
            post(" \n\t"),
            post("a bell\x07"),
            post("half a pair \ud83d"),
            post(*["part"] * (limits.parts + 1)),
        ]
        if limits.text_graphemes is not None:
            broken.append(post("x" * (limits.text_graphemes + 1)))
        if limits.text_bytes is not None:
            broken.append(post("e" + "\u0301" * limits.text_bytes))
        fine = make_picture("A square.")
        wrong = [
            (fine,) * (limits.pictures + 1),
            (replace(fine, size_bytes=limits.picture_bytes + 1),),
            (replace(fine, media_type="image/svg+xml"),),
            (replace(fine, alt=" "),),
            (replace(fine, width=0),),
        ]
        if limits.alt_graphemes is not None:
            wrong.append((replace(fine, alt="x" * (limits.alt_graphemes + 1)),))
        return broken + [Rendition((Part("Look:", pictures),)) for pictures in wrong]
