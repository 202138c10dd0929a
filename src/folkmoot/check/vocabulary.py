"""The named facts and the roles that rules may speak of: those every pack has, and a pack's own.

A fact here is something no checker can see in a post and the desk, or a person, can know. It is
listed so that a misspelt name is an error and so that a screen can ask for it in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .model import Capacity
from .table import RuleError, Table, read_toml

_NAME = re.compile(r"[a-z]+(?:_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Fact:
    """One named fact. ``ask`` finishes the sentence "Say ...". ``values`` are the words it may
    take; none means that it is ``True`` or ``False``.
    """

    name: str
    ask: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fine:
    """A sentence that says what somebody may do, in these capacities."""

    text: str
    capacity: frozenset[Capacity]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The facts and roles the rules of a pack may name, and what is fine in general."""

    facts: Mapping[str, Fact]
    roles: Mapping[str, str]
    """Role and the words for it, as in "the head of news may clear it"."""
    fine: tuple[Fine, ...] = ()


# Facts of the context that are not in `facts`, and how a missing one is asked for.
ASKED = {
    "capacity": "in what capacity it is posted",
    "role": "the role of whoever posts it",
    "channel": "the channel it goes to",
    "nation": "the nation it is for",
    "language": "the language it is in",
    "audience": "the audience it is for",
    "publish_at": "when it will be published",
    "periods": "whether a special period, such as a pre-election period, is in force then",
    "seniority": "how senior the person is who posts it",
    "closeness": "how close the subject is to that person's own work",
}

FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        fact.name: fact
        for fact in (
            Fact("announced_to_parliament", "whether Parliament has been told first"),
            Fact(
                "statistic_released",
                "whether the figure has been officially released by the time of posting",
            ),
            Fact(
                "consultation",
                "whether it opens a consultation, reports on one, or neither",
                ("opens", "open", "results", "none"),
            ),
            Fact("paid_promotion", "whether somebody is paid, or paid us, for it"),
            Fact("budget_approved", "whether spending on promotion has been approved"),
            Fact(
                "welsh_version",
                "whether there is a Welsh version that goes out with it",
                ("together", "later", "none", "not_needed"),
            ),
            Fact("incident", "whether an emergency or a time of mourning is going on"),
            Fact("about_incident", "whether it is about the emergency that is going on"),
            Fact("has_objective", "whether somebody has written down what it is for"),
            Fact("approver_is_author", "whether the approver is the author"),
            Fact("approval_is_stale", "whether it was changed after it was approved"),
            Fact("corrects_live_post", "whether it corrects a post that is already out"),
            Fact("correction_linked", "whether the correction is linked to what it corrects"),
            Fact("deletes_live_post", "whether it takes a post down that is already out"),
            Fact("deletion_reason_given", "whether a reason is given for taking the post down"),
            Fact("links_to_partisan", "whether it shares or links to something party political"),
            Fact("ai_made", "whether a machine wrote it or made a part of it"),
            Fact("ai_reviewed", "whether a person has checked what the machine made"),
            Fact("ai_declared", "whether it says that a machine made it"),
            Fact("reply_to_journalist", "whether it answers a journalist"),
            Fact("is_reply", "whether it is a reply to somebody"),
            Fact("proceedings_active", "whether somebody has been arrested or charged in the case"),
            Fact("employer_stated", "whether the profile says who the person works for"),
            Fact("channel_has_owner", "whether somebody answers on the channel in its hours"),
            Fact("is_service_or_emergency", "whether it is about a running service or a danger"),
        )
    }
)
"""The facts every pack may use, by name. A pack's ``vocabulary.toml`` may add its own."""

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "author": "the author",
        "approver": "the approver",
        "nobody": "nobody",
        "accessibility": "whoever is responsible for accessibility",
        "data_protection": "the data protection officer",
        "emergency_lead": "whoever leads on the emergency",
        "finance": "whoever approves spending",
        "head_of_news": "the head of news",
        "lawyer": "a lawyer",
        "line_manager": "the line manager",
        "monitoring_officer": "the monitoring officer",
        "press_office": "the press office",
        "propriety": "the propriety team",
        "safeguarding": "the safeguarding lead",
        "security": "the security adviser",
        "statistics": "the head of statistics",
        "welsh_language": "whoever is responsible for the Welsh language",
    }
)
"""Who may clear a finding, by role, and the words for them."""


def load_vocabulary(folders: Iterable[Path]) -> Vocabulary:
    """What every pack has, with what the ``vocabulary.toml`` of each folder adds.

    Raises:
        RuleError: A file cannot be used as it stands, or a name is there twice.
    """
    facts, roles, fine = dict(FACTS), dict(ROLES), list[Fine]()
    for folder in folders:
        file = folder / "vocabulary.toml"
        if not file.exists():
            continue
        whole = Table(file, read_toml(file))
        for row in whole.tables("fact"):
            name = _new_name(row, "name", (*facts, *ASKED))
            facts[name] = Fact(name, row.text("ask"), row.texts("values"))
            row.end()
        for row in whole.tables("role"):
            name = _new_name(row, "name", roles)
            roles[name] = row.text("words")
            row.end()
        for row in whole.tables("fine"):
            capacities = row.choices("capacity", tuple(Capacity))
            if not capacities or Capacity.OFFICIAL in capacities:
                row.refuse("capacity", "what is fine is said for personal and professional only")
            fine.append(Fine(row.text("text"), frozenset(map(Capacity, capacities))))
            row.end()
        whole.end()
    return Vocabulary(facts, roles, tuple(fine))


def _new_name(row: Table, key: str, taken: Iterable[str]) -> str:
    name = row.text(key)
    if not _NAME.fullmatch(name):
        row.refuse(key, f"{name!r} is not small letters and underscores, such as has_objective")
    if name in taken:
        row.refuse(key, f"{name!r} is already a name; choose another")
    return name


__all__ = ["ASKED", "FACTS", "ROLES", "Fact", "Fine", "RuleError", "Vocabulary", "load_vocabulary"]
