"""What goes into a bag, and what of it is withheld, taken from the record entry by entry.

Nothing is disclosed here but what a decision releases (for a request), what is on the public
register (for a public bag), or everything (for a transfer that two people agreed to).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from folkmoot.desk.drafts.queries import PictureErased, find_kept_picture, read_picture
from folkmoot.desk.people.queries import Organisation, names_by_ref
from folkmoot.desk.publishing.queries import list_captures
from folkmoot.desk.records import taking
from folkmoot.desk.records.queries import find_entry_id
from folkmoot.ledger.bags import BagError, Capture, Item, Medium, Redaction

from .models import Bag, BagEntry, Decision

ERASED = "Erased"
ERASED_REASON = "It was erased before, and nobody can read it any more."
LOST = "Lost"
LOST_REASON = "It was lost with a database, before the entry was brought back from a mirror."
NOT_PUBLIC = "Not public"
NOT_PUBLIC_REASON = "It is not on the public register."
PICTURES = "pictures"
_POST = re.compile("post/[0-9]{1,18}$")
_BATCH = 500


class NotDecided(Exception):
    """A field is neither released nor withheld: nothing is released by omission."""


@dataclass
class Filling:
    """What a bag will hold, before its proofs are taken.

    ``disclosed`` has for each entry the labels that are released; ``redactions`` is for all others.
    ``media`` are the pictures in what is released, with their description; ``whole`` the entries
    of which nothing is withheld, and ``posts`` what these are about. ``lost`` counts pictures that
    are kept no more.
    """

    entry_ids: list[str]
    disclosed: dict[str, frozenset[str]] = field(default_factory=dict)
    redactions: list[Redaction] = field(default_factory=list)
    media: dict[str, str] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    posts: set[str] = field(default_factory=set)
    lost: int = 0


Withheld = Callable[[str, str], Redaction | None]
"""From an entry's id and a label that can be read to why it is withheld; ``None`` to release it."""


def fill(bag: Bag) -> Filling:
    """What the bag will hold. Raises :class:`NotDecided`, and ``folkmoot.ledger.KeyLost`` where
    something cannot be read.
    """
    organisation = bag.organisation
    filling = Filling(
        list(bag.held.order_by("pk").values_list("entry_id", flat=True)),
    )
    judge = _judge_of(bag, filling.entry_ids)
    for found in taking.read(organisation.ref, filling.entry_ids):
        entry = found.entry
        if entry.damaged:
            raise BagError(
                f"What is kept of the entry {entry.entry_id} does not fit what was signed; no bag "
                "can be made with it. Tell whoever looks after this system."
            )
        redactions = [
            Redaction(entry.entry_id, label, ERASED, ERASED_REASON)
            for label in (*entry.erased, *entry.withheld)
        ]
        redactions += [Redaction(entry.entry_id, label, LOST, LOST_REASON) for label in entry.lost]
        shown = set()
        for label in entry.fields:
            redaction = judge(entry.entry_id, label)
            if redaction is None:
                shown.add(label)
            else:
                redactions.append(redaction)
        filling.disclosed[entry.entry_id] = frozenset(shown)
        filling.redactions += redactions
        if not redactions:
            filling.whole.add(entry.entry_id)
            filling.posts.add(entry.subject)
        if PICTURES in shown:
            _note_pictures(filling, entry.fields[PICTURES])
    for sha256, alt in list(filling.media.items()):
        try:
            _read(organisation, sha256, alt)
        except PictureErased:
            del filling.media[sha256]
            filling.lost += 1
    return filling


def take_items(organisation: Organisation, bag: Bag, filling: Filling, size: int) -> Iterator[Item]:
    """The entries with their proofs under the head of ``size`` entries, in the order of the log."""
    names = _Names(organisation, with_people=bag.purpose == "transfer")
    for one in taking.take(organisation.ref, filling.entry_ids, size):
        shown = filling.disclosed[one.entry.id]
        yield Item(
            one.entry,
            one.index,
            one.path,
            tuple(field for field in one.fields if field.label in shown),
            names.of(one.entry.actor, one.entry.role, one.entry.subject),
        )


def take_media(organisation: Organisation, filling: Filling) -> Iterator[Medium]:
    """The pictures of what is released. Raises ``PictureRefused`` where the store has lost one, and
    ``PictureErased`` where one was erased since.
    """
    for sha256, alt in filling.media.items():
        yield _read(organisation, sha256, alt)


def _read(organisation: Organisation, sha256: str, alt: str) -> Medium:
    picture = find_kept_picture(organisation, sha256)
    if picture is None:
        raise PictureErased("A picture of this post was erased.")
    data = read_picture(organisation.pk, sha256, picture.media_type)
    return Medium(sha256, picture.media_type, alt, data)


def take_captures(organisation: Organisation, filling: Filling) -> Iterator[Capture]:
    """What channels answered about deliveries of which nothing is withheld: an answer repeats what
    was sent, so that it goes out with the whole of it or not at all.
    """
    drafts = sorted(
        {int(subject.removeprefix("post/")) for subject in filling.posts if _POST.match(subject)}
    )
    for start in range(0, len(drafts), _BATCH):
        for one in list_captures(drafts[start : start + _BATCH]):
            delivery = one.delivery
            mine = delivery.draft.organisation_id == organisation.pk
            sent = find_entry_id(f"delivery.sent/{delivery.pk}")
            if not mine or sent not in filling.whole or not one.body:
                continue
            headers = tuple((str(name), str(value)) for name, value in one.headers)
            yield Capture(one.url, one.at, one.status, headers, bytes(one.body))


def keep_list(bag: Bag, entry_ids: list[str]) -> None:
    """Write down which entries a bag holds. Part of the caller's transaction."""
    BagEntry.objects.bulk_create(
        [BagEntry(bag=bag, entry_id=one) for one in entry_ids], batch_size=1_000
    )


def _judge_of(bag: Bag, entry_ids: list[str]) -> Withheld:
    if bag.purpose == "transfer":
        return lambda _entry_id, _label: None
    if bag.purpose == "public":
        shown = taking.public_labels(entry_ids)
        return lambda entry_id, label: (
            None
            if label in shown.get(entry_id, ())
            else Redaction(entry_id, label, NOT_PUBLIC, NOT_PUBLIC_REASON)
        )
    return _decided(bag)


def _decided(bag: Bag) -> Withheld:
    request = bag.request
    assert request is not None
    grounds = {one.pk: (one.exemption, one.reason) for one in request.grounds.all()}
    rows = Decision.objects.filter(request=request).values_list(
        "entry_id", "label", "verdict", "ground_id"
    )
    decided: Mapping[tuple[str, str], tuple[str, int | None]] = {
        (entry_id, label): (verdict, ground_id)
        for entry_id, label, verdict, ground_id in rows.iterator(2_000)
    }

    def judge(entry_id: str, label: str) -> Redaction | None:
        verdict, ground_id = decided.get((entry_id, label), (Decision.UNDECIDED, None))
        if verdict == Decision.RELEASED:
            return None
        if verdict != Decision.WITHHELD or ground_id is None:
            raise NotDecided("A field is neither released nor withheld. Decide it first.")
        exemption, reason = grounds[ground_id]
        return Redaction(entry_id, label, exemption, reason)

    return judge


def _note_pictures(filling: Filling, text: str) -> None:
    """The pictures that a released field names. One that is not in our form names none."""
    try:
        listed: Any = json.loads(text)
        found = {str(one["sha256"]): str(one.get("alt", "")) for one in listed}
    except (ValueError, TypeError, KeyError, AttributeError):
        return
    for sha256, alt in found.items():
        filling.media.setdefault(sha256, alt)


class _Names:
    """Words for the ids of entries. Staff are named in a transfer alone."""

    def __init__(self, organisation: Organisation, *, with_people: bool) -> None:
        self._organisation = organisation
        self._with_people = with_people
        self._known: dict[str, str] = {}

    def of(self, actor: str, role: str, subject: str) -> dict[str, str]:
        names = {self._organisation.ref: self._organisation.name}
        if actor:
            names[actor] = self._person(actor, role)
        kind, _, number = subject.partition("/")
        if number and kind != "member":
            names[subject] = f"{kind.replace('_', ' ')} {number}"
        return names

    def _person(self, actor: str, role: str) -> str:
        if not self._with_people:
            return f"a member of staff, as {role}" if role else "a member of staff"
        if actor not in self._known:
            self._known |= names_by_ref([actor])
            self._known.setdefault(actor, "a former member")
        return self._known[actor]
