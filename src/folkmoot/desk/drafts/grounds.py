"""Why a post is corrected or taken down, and who must agree to it.

A correction or a removal is signed by a second person like any post. How many people that may be
goes by risk: what tells something private, or may hurt somebody while it stands, is taken down by
whoever is on duty at night; a change of what was said needs an approver.
"""

from __future__ import annotations

from dataclasses import dataclass

from .lifecycle import APPROVER, DUTY, DraftKind


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason. ``urgent``: leaving the post up is the greater risk, so that a duty officer may
    sign too. ``withholds``: what it said must not stand on the public register either. ``kinds``
    are what it is a reason for.
    """

    title: str
    kinds: frozenset[str]
    urgent: bool = False
    withholds: bool = False


_BOTH = frozenset({DraftKind.CORRECTION, DraftKind.REMOVAL})
_CORRECT = frozenset({DraftKind.CORRECTION})
_REMOVE = frozenset({DraftKind.REMOVAL})

GROUNDS = {
    "wrong_fact": Ground("It says something that is not so", _BOTH),
    "outdated": Ground("It was so and no longer is", _BOTH),
    "slip": Ground("A slip that changes nothing of what it says", _CORRECT),
    "unclear": Ground("It can be misunderstood", _CORRECT),
    "private": Ground(
        "It tells something private of somebody", _REMOVE, urgent=True, withholds=True
    ),
    "harm": Ground("It may hurt somebody while it stands", _REMOVE, urgent=True, withholds=True),
    "wrong_account": Ground("It went out from the wrong account", _REMOVE, urgent=True),
    "rights": Ground(
        "Somebody else holds the rights to a picture or words in it", _REMOVE, withholds=True
    ),
    "law": Ground("A court or a law asks for it", _REMOVE, withholds=True),
}


def list_grounds(kind: str) -> dict[str, Ground]:
    """The reasons there are for a correction, or for a removal, in the order they are offered."""
    return {name: ground for name, ground in GROUNDS.items() if kind in ground.kinds}


def find_ground_problems(kind: str, ground: str) -> list[str]:
    """What is missing of the reason, as sentences; a plain post needs none."""
    if kind == DraftKind.POST or ground in list_grounds(kind):
        return []
    what = "taken down" if kind == DraftKind.REMOVAL else "corrected"
    return [f"Choose why the post is {what}."]


def list_signers(kind: str, ground: str, *, through_stop: bool) -> frozenset[str]:
    """The roles that may sign such a post."""
    known = GROUNDS.get(ground)
    urgent = kind != DraftKind.POST and known is not None and known.urgent
    return frozenset({APPROVER, DUTY}) if urgent or through_stop else frozenset({APPROVER})
