"""Writes of a bag by people: proposing it, agreeing to it, taking it out, and destroying it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from django.db import transaction

from folkmoot.desk.people.queries import Member, Role, list_holders
from folkmoot.desk.records import taking
from folkmoot.desk.retention.copies import find_copy, note_copy

from . import queries
from .filling import keep_list
from .lifecycle import BagState
from .making import ERASED, STALE, open_file, path_of, remove_bag
from .models import Bag
from .requests import must_be_officer
from .scope import Scope, find_ids
from .steps import ReleaseRefused, begin_bag, note_bag, take_bag_step

PURPOSES = ("transfer", "public")
MOST_ENTRIES = 50_000
LONGEST_TITLE = 200


@transaction.atomic
def propose(
    member: Member,
    *,
    purpose: str,
    title: str,
    about: str,
    scope: Scope,
    now: datetime,
) -> Bag:
    """Propose a bag of everything that a scope comes to now. A ``transfer`` holds every field and
    awaits a second person; a ``public`` one holds what is on the register and is made at once.

    Raises :class:`~.steps.ReleaseRefused`.
    """
    must_be_officer(member)
    if purpose not in PURPOSES:
        raise ReleaseRefused("Choose what is to go into it.", field="purpose")
    if not title.strip() or len(title.strip()) > LONGEST_TITLE or "\n" in title.strip():
        raise ReleaseRefused(
            f"Give it a title of one line, up to {LONGEST_TITLE} characters.", field="title"
        )
    if purpose == "transfer" and not about.strip():
        raise ReleaseRefused(
            "Say what it is for: whoever agrees to it, and whoever opens it, reads that.",
            field="about",
        )
    entry_ids, _elsewhere = find_ids(member.organisation, scope)
    if not entry_ids:
        raise ReleaseRefused("No entry of the record is in this. Look for something else.")
    if len(entry_ids) > MOST_ENTRIES:
        raise ReleaseRefused(
            f"That is {len(entry_ids):,} entries, and {MOST_ENTRIES:,} is the most for one bag. "
            "Make one for each year, or narrow it otherwise."
        )
    public = purpose == "public"
    bag = begin_bag(
        organisation=member.organisation,
        purpose=purpose,
        title=title.strip(),
        about=about.strip(),
        scope=cast("Any", scope.to_json()),
        state=BagState.WANTED if public else BagState.PROPOSED,
        proposed_by=member.ref,
        proposed_at=now,
        next_try_at=now if public else None,
        entries=len(entry_ids),
    )
    keep_list(bag, entry_ids)
    said = ", ".join(f"{name}: {value}" for name, value in scope.to_json().items())
    note_bag(
        bag,
        "bag.proposed",
        member,
        now,
        {
            "purpose": purpose,
            "title": bag.title,
            "scope": said or "everything",
            "entries": str(bag.entries),
        },
    )
    return bag


@transaction.atomic
def agree(member: Member, ref: str, *, now: datetime) -> Bag:
    """Agree, as a second person, to a bag that discloses everything. Raises
    :class:`~.steps.ReleaseRefused` and :class:`~.queries.NoSuchBag`.
    """
    return take_bag_step(
        _get(member, ref),
        "agree",
        member=member,
        now=now,
        changes={"agreed_by": member.ref, "agreed_at": now, "next_try_at": now},
    )


@transaction.atomic
def retry(member: Member, ref: str, *, now: datetime) -> Bag:
    """Have a bag made again that could not be made. Raises as :func:`agree` does."""
    changes = {"next_try_at": now, "trouble": ""}
    return take_bag_step(_get(member, ref), "retry", member=member, now=now, changes=changes)


@transaction.atomic
def remove(member: Member, ref: str, *, reason: str, now: datetime) -> Bag:
    """Destroy a bag: its key first, so that no copy of the file opens. Raises as :func:`agree`
    does.
    """
    return remove_bag(_get(member, ref), member, reason, now)


@transaction.atomic
def fetch(member: Member, ref: str, *, now: datetime) -> tuple[Bag, Iterator[bytes]]:
    """A bag's zip file as it is opened, piece by piece, once it is on the record who has it. From
    then on it is known as a copy outside, which no erasure here can reach.

    Raises as :func:`agree` does.
    """
    bag = _get(member, ref)
    if bag.state != BagState.READY:
        raise ReleaseRefused("There is nothing to be fetched: the bag is not ready, or is gone.")
    if queries.is_stale(bag):
        raise ReleaseRefused(f"This bag is not handed out. {STALE} Have it read and made again.")
    entry_ids = list(bag.held.values_list("entry_id", flat=True))
    assert bag.taken_at is not None
    if taking.was_erased_since(entry_ids, bag.taken_at):
        raise ReleaseRefused(f"This bag is not handed out. {ERASED} Have it made again.")
    if not path_of(bag).is_file():
        raise ReleaseRefused(
            "The bag's file is missing from the folder of bags. Have it made again."
        )
    note_bag(bag, "bag.downloaded", member, now, {"manifest_sha256": bag.manifest_sha256})
    if find_copy(bag.organisation, bag.manifest_sha256) is None:
        note_copy(
            bag.organisation,
            bag=bag.subject,
            manifest=bag.manifest_sha256,
            entries=entry_ids,
            released_at=now,
        )
    return bag, open_file(bag)


def _get(member: Member, ref: str) -> Bag:
    must_be_officer(member)
    return queries.get_bag(member, ref)


def others_who_may_agree(bag: Bag) -> int:
    """How many other records officers there are who could agree to a bag."""
    officers = list_holders(bag.organisation, Role.RECORDS)
    return len(officers - {bag.proposed_by})
