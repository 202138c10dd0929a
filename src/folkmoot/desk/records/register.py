"""Searching what was said in public.

Values are sealed, so there is no index on disk: it would be a second copy of what may have to be
erased. Each process keeps the public texts of an organisation in memory instead, made when somebody
first searches, brought up to date by what is new before each search, and dropped when nobody has
searched for a while. What is withheld or erased is dropped before the next search: the database
counts it (:class:`.models.Withdrawal`). What is shown is read from the database in any case.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, QuerySet, Sum

from folkmoot.ledger import KeyLost

from . import keys, models, values
from .erasing import fold
from .queries import CORRECTED, FOLLOWING, REMOVED
from .reading import Recorded, read_rows

log = logging.getLogger(__name__)

SAID = "delivery.sent"
PAGE = 25
BATCH = 5_000
IDLE_SECONDS = 15 * 60.0
_SEARCHED = ("text", "pictures", "url", "account")
_BECAME = {"corrected": CORRECTED, "removed": REMOVED}
BECAME = tuple(_BECAME)
"""What a reader may ask for that became of what was said."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader looks for: all that is given must fit. ``words`` need not stand together, and
    each may be part of a longer one. ``became`` is one of :data:`BECAME`. ``until_at`` is not
    included.
    """

    words: str = ""
    account: str = ""
    became: str = ""
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found, newest first; how many were found in all; and the accounts that
    anything was said on.
    """

    entries: list[Recorded]
    count: int
    accounts: tuple[str, ...]


def search(organisation: str, asked: Asked, *, page: int = 1) -> Found:
    """What this organisation said in public that fits, ``PAGE`` to a page."""
    with _LOCK:
        held = _hold(organisation)
        fitting = list(held.find(asked))
        accounts = held.accounts()
    start = (max(page, 1) - 1) * PAGE
    numbers = fitting[start : start + PAGE]
    rows = {row.index: row for row in models.Entry.objects.filter(index__in=numbers)}
    entries = read_rows([rows[number] for number in numbers], public_only=True)
    return Found(entries, len(fitting), accounts)


def list_accounts(organisation: str) -> tuple[str, ...]:
    """The accounts that this organisation said anything on in public, by name."""
    with _LOCK:
        return _hold(organisation).accounts()


def forget() -> None:
    """Keep no text in memory."""
    with _LOCK:
        _HELD.clear()


@dataclass(slots=True)
class _Said:
    """A public entry as it is searched: without what was withheld or erased."""

    index: int
    entry_id: str
    kind: str
    at: datetime
    subject: str
    account: str = ""
    text: str = ""
    parts: int = 0
    """How many of its fields were there to be searched."""


@dataclass(slots=True)
class _Held:
    """The public texts of one organisation, oldest first."""

    organisation: str
    withdrawn: int = 0
    said: list[_Said] = field(default_factory=list)
    followed: list[_Said] = field(default_factory=list)
    """Entries that say what was corrected or taken down."""
    became: dict[tuple[str, str], str] = field(default_factory=dict)
    """By subject and account, the kind of the newest of those."""
    last: tuple[int, str] = (-1, "")
    used_at: float = 0.0

    def find(self, asked: Asked) -> Iterator[int]:
        """The numbers of the entries that fit, newest first."""
        # The longest is in the fewest texts.
        words = sorted(set(fold(asked.words).split()), key=len, reverse=True)
        wanted = _BECAME.get(asked.became)
        for one in reversed(self.said):
            if asked.until_at is not None and one.at >= asked.until_at:
                continue
            if asked.from_at is not None and one.at < asked.from_at:
                continue
            if asked.account and one.account != asked.account:
                continue
            if wanted and self.became.get((one.subject, one.account)) != wanted:
                continue
            if all(word in one.text for word in words):
                yield one.index

    def accounts(self) -> tuple[str, ...]:
        return tuple(sorted({one.account for one in self.said if one.account}))

    def follow(self) -> None:
        """Take in what is new."""
        rows = models.Entry.objects.filter(
            organisation=self.organisation, kind__in=(SAID, *FOLLOWING), public=True
        ).order_by("index")
        while batch := list(
            rows.filter(index__gt=self.last[0]).values_list(
                "index", "entry_id", "kind", "at", "subject"
            )[:BATCH]
        ):
            fresh = [
                _Said(index, entry_id, kind, at, subject)
                for index, entry_id, kind, at, subject in batch
            ]
            _open(fresh)
            self.said += [one for one in fresh if one.kind == SAID]
            self.followed += [one for one in fresh if one.kind != SAID]
            self.last = batch[-1][:2]
        self._note_what_became()

    def drop_withdrawn(self) -> None:
        """Open anew what was withheld or erased in part, without what is gone."""
        live = _count_live(self.organisation)
        touched = [
            one for one in (*self.said, *self.followed) if one.parts != live.get(one.entry_id, 0)
        ]
        for one in touched:
            one.account = one.text = ""
            one.parts = 0
        _open(touched)
        self._note_what_became()

    def _note_what_became(self) -> None:
        self.became = {(one.subject, one.account): one.kind for one in self.followed}


_LOCK = threading.Lock()
_HELD: dict[str, _Held] = {}


def _hold(organisation: str) -> _Held:
    withdrawn = _count_withdrawn()
    held = _HELD.get(organisation)
    if held is not None and not _is_still_true(held):
        held = None  # another database than the one it was read from
    if held is None:
        held = _HELD[organisation] = _Held(organisation, withdrawn)
        _drop_when_idle(organisation)
    if held.withdrawn != withdrawn:
        held.drop_withdrawn()
        held.withdrawn = withdrawn
    held.follow()
    held.used_at = time.monotonic()
    return held


def _is_still_true(held: _Held) -> bool:
    number, entry_id = held.last
    return number < 0 or models.Entry.objects.filter(index=number, entry_id=entry_id).exists()


def _count_withdrawn() -> int:
    # A row each on PostgreSQL, one row for all on SQLite: either way this never comes back.
    return models.Withdrawal.objects.aggregate(sum=Sum("number"))["sum"] or 0


def _count_live(organisation: str) -> dict[str, int]:
    """By entry, how many of its searched fields anyone may read."""
    public = models.Entry.objects.filter(
        organisation=organisation, kind__in=(SAID, *FOLLOWING), public=True
    )
    rows = _live().filter(entry_id__in=public.values("entry_id"))
    return dict(rows.values("entry_id").annotate(n=Count("pk")).values_list("entry_id", "n"))


def _live() -> QuerySet[models.FieldValue]:
    return models.FieldValue.objects.filter(
        label__in=_SEARCHED, public=True, erased_at=None, key__destroyed_at=None
    )


def _open(entries: Sequence[_Said]) -> None:
    """Read the texts of these entries into them."""
    for start in range(0, len(entries), BATCH):
        batch = {one.entry_id: one for one in entries[start : start + BATCH]}
        rows = list(
            _live()
            .filter(entry_id__in=list(batch))
            .values_list("entry_id", "label", "key_id", "sealed")
        )
        texts = _open_rows(rows)
        for (entry_id, label, _key, _sealed), text in zip(rows, texts, strict=True):
            one = batch[entry_id]
            one.parts += 1
            if text is None:
                continue
            if label == "account":
                one.account = text
            elif label == "pictures":
                one.text += "\n" + fold(_describe(text))
            else:
                one.text += "\n" + fold(text)


def _open_rows(rows: Collection[tuple[str, str, int, bytes | memoryview[int]]]) -> list[str | None]:
    sealed = [
        (key, values.place_of(entry_id, label), bytes(blob)) for entry_id, label, key, blob in rows
    ]
    try:
        return [values.text_of(blob) for blob in keys.unseal(sealed)]
    except KeyLost:
        return [_open_one(one) for one in sealed]


def _open_one(sealed: tuple[int, str, bytes]) -> str | None:
    """A value that may be damaged is found by nobody; its page says what is wrong with it."""
    try:
        return values.text_of(keys.unseal([sealed])[0])
    except KeyLost as wrong:
        log.critical("%s cannot be searched: %s", sealed[1], wrong)
        return None


def _describe(pictures: str) -> str:
    """The descriptions of pictures, out of what is recorded of them."""
    try:
        return "\n".join(str(one["alt"]) for one in json.loads(pictures))
    except (ValueError, TypeError, KeyError):
        return ""


def _drop_when_idle(organisation: str) -> None:
    """See to it that texts nobody asks for do not stay in memory."""

    def look() -> None:
        with _LOCK:
            held = _HELD.get(organisation)
            if held is None:
                return
            if time.monotonic() - held.used_at >= IDLE_SECONDS:
                del _HELD[organisation]
                return
        _later(look)

    _later(look)


def _later(act: Callable[[], None]) -> None:
    timer = threading.Timer(IDLE_SECONDS, act)
    timer.daemon = True
    timer.start()
