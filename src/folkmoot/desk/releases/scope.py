"""What is looked for: filters as an officer gives them, and the entries that they come to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from folkmoot.desk.drafts.queries import list_on_topic, list_subjects_for
from folkmoot.desk.people.queries import Organisation
from folkmoot.desk.publishing.queries import list_subjects_on
from folkmoot.desk.records import erasing, taking

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """Filters, each narrowing the others. Nothing given is everything of the body.

    ``account`` and ``post`` are numbers of an account and a post; the whole history of a post
    goes with each account it was for. ``actor`` is the opaque id of a member: what they did, and
    what was done about them. ``phrases`` are names, handles or numbers that somebody is known by;
    entries with any of them in a field. Days are by the body's own clock, both included.
    """

    kinds: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    account: int | None = None
    post: int | None = None
    topic: str = ""
    actor: str = ""
    phrases: tuple[str, ...] = ()
    from_on: date | None = None
    until_on: date | None = None

    def to_json(self) -> dict[str, Any]:
        """The scope as it is kept: only what was given."""
        kept: dict[str, Any] = {
            "kinds": list(self.kinds),
            "classes": list(self.classes),
            "account": self.account,
            "post": self.post,
            "topic": self.topic,
            "actor": self.actor,
            "phrases": list(self.phrases),
            "from_on": self.from_on.isoformat() if self.from_on else None,
            "until_on": self.until_on.isoformat() if self.until_on else None,
        }
        return {name: value for name, value in kept.items() if value not in (None, "", [])}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Scope:
        """The scope that :meth:`to_json` wrote."""
        return cls(
            tuple(kept.get("kinds", ())),
            tuple(kept.get("classes", ())),
            kept.get("account"),
            kept.get("post"),
            kept.get("topic", ""),
            kept.get("actor", ""),
            tuple(kept.get("phrases", ())),
            date.fromisoformat(kept["from_on"]) if "from_on" in kept else None,
            date.fromisoformat(kept["until_on"]) if "until_on" in kept else None,
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing was given."""
        return not self.to_json()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How often phrases were found outside of entries: a kind of row, and what it belongs to."""

    table: str
    subject: str
    times: int


def narrow(organisation: Organisation, scope: Scope) -> taking.Wanted:
    """The scope without its person, as the record is asked for it."""
    return taking.Wanted(
        kinds=scope.kinds,
        classes=scope.classes,
        subjects=_subjects(organisation, scope),
        from_at=_midnight(organisation, scope.from_on),
        until_at=_midnight(organisation, scope.until_on and scope.until_on + _DAY),
    )


def find_ids(organisation: Organisation, scope: Scope) -> tuple[list[str], list[Elsewhere]]:
    """The ids of the entries that a scope comes to, oldest first, and where else its phrases were
    found: a member's name in a draft is on no entry, and may be what was asked for all the same.

    Raises ``folkmoot.ledger.KeyLost`` where something could not be read to be searched.
    """
    wanted = narrow(organisation, scope)
    if not scope.actor and not scope.phrases:
        return taking.list_ids(organisation.ref, wanted), []
    ids: set[str] = set()
    elsewhere: dict[tuple[str, str], int] = {}
    if scope.actor:
        ids |= set(taking.list_ids(organisation.ref, replace(wanted, actor=scope.actor)))
        member = {f"member/{scope.actor}"}
        both = member if wanted.subjects is None else member & set(wanted.subjects)
        ids |= set(taking.list_ids(organisation.ref, replace(wanted, subjects=both)))
    for one in erasing.find(organisation.ref, scope.phrases):
        if one.place.kind == erasing.FIELD:
            ids.add(one.place.row)
        else:
            place = one.kind, one.subject
            elsewhere[place] = elsewhere.get(place, 0) + 1
    return (
        taking.list_ids(organisation.ref, replace(wanted, entry_ids=ids)),
        [Elsewhere(table, subject, times) for (table, subject), times in sorted(elsewhere.items())],
    )


def _subjects(organisation: Organisation, scope: Scope) -> Collection[str] | None:
    chosen: set[str] | None = None
    if scope.post is not None:
        chosen = {f"post/{scope.post}"}
    if scope.topic:
        on_topic = {f"post/{pk}" for pk in list_on_topic(organisation, scope.topic)}
        chosen = on_topic if chosen is None else chosen & on_topic
    if scope.account is not None:
        theirs = {
            f"account/{scope.account}",
            *list_subjects_on(scope.account),
            *list_subjects_for(organisation, scope.account),
        }
        chosen = theirs if chosen is None else chosen & theirs
    return chosen


def _midnight(organisation: Organisation, day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), organisation.timezone)
