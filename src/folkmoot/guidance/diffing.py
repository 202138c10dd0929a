"""What changed between two versions of a pack, clause by clause, and what of it concerns whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from .model import Audience, Clause, GuidanceError, Level, Pack
from .spans import Span, compare_texts


class UnrelatedPacks(GuidanceError):
    """Two packs were compared that have nothing to do with each other."""

    def __init__(self, old: Pack, new: Pack) -> None:
        super().__init__(
            f"{old.id} and {new.id} are different packs, and neither rests on the other, so there "
            f"is nothing to compare. Compare two versions of one pack, such as {new.id}@2026.05 "
            f"and {new.id}, or a pack with one it extends."
        )


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key of a clause or pack that says something else now. Empty text stands for nothing."""

    key: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """A clause that is in both packs and says something else now.

    ``keys`` are in the order of the clause's fields. ``levels`` holds the levels whose text
    changed, each as spans; the others are left out.
    """

    old: Clause
    new: Clause
    keys: tuple[KeyChange, ...]
    levels: Mapping[Level, tuple[Span, ...]]

    @property
    def id(self) -> str:
        """The clause's id, which never changes."""
        return self.new.id


@dataclass(frozen=True, slots=True)
class PackDiff:
    """What changed from ``old`` to ``new``.

    ``keys`` are what the pack says of itself. ``added`` and ``changed`` stand in the order of the
    new pack, ``removed`` in that of the old. With an ``audience``, only what concerns it is here:
    a clause that did not concern it before is ``added`` and one that no longer does ``removed``.
    """

    old: str
    new: str
    keys: tuple[KeyChange, ...]
    added: tuple[Clause, ...]
    removed: tuple[Clause, ...]
    changed: tuple[ClauseChange, ...]
    audience: Audience | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed, or nothing that concerns the audience."""
        return not (self.keys or self.added or self.removed or self.changed)


def diff_packs(old: Pack, new: Pack) -> PackDiff:
    """What changed from ``old`` to ``new``, with all they inherit.

    The packs are two versions of one, or one rests on the other.

    Raises:
        UnrelatedPacks: They are neither.
    """
    if old.id != new.id and not (
        old.provenance.find_layer(new.id) or new.provenance.find_layer(old.id)
    ):
        raise UnrelatedPacks(old, new)
    before = {clause.id: clause for clause in old.clauses}
    after = {clause.id: clause for clause in new.clauses}
    compared = (_compared(before[each], after[each]) for each in after if each in before)
    return PackDiff(
        old=old.reference,
        new=new.reference,
        keys=tuple(_changed_keys(_pack_words(old), _pack_words(new))),
        added=tuple(clause for clause in new.clauses if clause.id not in before),
        removed=tuple(clause for clause in old.clauses if clause.id not in after),
        changed=tuple(change for change in compared if change.keys or change.levels),
    )


def for_role(diff: PackDiff, audience: Audience) -> PackDiff:
    """What of ``diff`` concerns ``audience``: “what changed for you”.

    A clause for everyone concerns each audience. What the pack says of itself is left out, and so
    are clauses of which nothing changed but their place among the packs.
    """
    added = [clause for clause in diff.added if audience.is_concerned_by(clause)]
    removed = [clause for clause in diff.removed if audience.is_concerned_by(clause)]
    changed = []
    for change in diff.changed:
        was, now = audience.is_concerned_by(change.old), audience.is_concerned_by(change.new)
        if was and now:
            keys = tuple(key for key in change.keys if key.key not in _OF_NO_CONCERN)
            if keys or change.levels:
                changed.append(replace(change, keys=keys))
        elif now:
            added.append(change.new)
        elif was:
            removed.append(change.old)
    return replace(
        diff,
        keys=(),
        added=tuple(added),
        removed=tuple(removed),
        changed=tuple(changed),
        audience=audience,
    )


# Where a clause stands, when somebody last looked, and whom else it concerns: nothing a reader
# has to do differently for.
_OF_NO_CONCERN = frozenset(
    {"pack", "checked_on", "group", "audiences", "url_history", "in_overview", "locked"}
)


def _compared(old: Clause, new: Clause) -> ClauseChange:
    levels = {
        level: compare_texts(old.levels[level], new.levels[level])
        for level in Level
        if old.levels[level] != new.levels[level]
    }
    keys = tuple(_changed_keys(_clause_words(old), _clause_words(new)))
    return ClauseChange(old, new, keys, MappingProxyType(levels))


def _changed_keys(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[KeyChange]:
    for key, was in old.items():
        if new[key] != was:
            yield KeyChange(key, was, new[key])


def _pack_words(pack: Pack) -> dict[str, str]:
    return {
        "id": pack.id,
        "title": pack.title,
        "version": pack.version,
        "issuer": pack.issuer,
        "nation": pack.nation,
        "summary": pack.summary,
        "extends": ", ".join(
            layer.reference for layer in pack.provenance.layers if layer.pack in pack.extends
        ),
    }


def _clause_words(clause: Clause) -> dict[str, str]:
    return {
        "title": clause.title,
        "status": clause.status.value,
        "evidence": clause.evidence.value,
        "version_on": "" if clause.version_on is None else clause.version_on.isoformat(),
        "checked_on": clause.checked_on.isoformat(),
        "source": clause.source,
        "official_ref": clause.official_ref or "",
        "aliases": ", ".join(clause.aliases),
        "url": clause.url,
        "url_history": ", ".join(clause.url_history),
        "note": clause.note,
        "kind": clause.kind.value,
        "group": clause.group,
        "audiences": ", ".join(each.value for each in Audience if each in clause.audiences),
        "in_overview": "yes" if clause.in_overview else "no",
        "locked": ", ".join(sorted(clause.locked)),
        "pack": clause.pack,
    }
