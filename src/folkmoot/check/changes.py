"""Changes a pack makes to rules it inherits, read from its ``changes/*.toml``. One file, one rule.

A change names a rule of a pack this one extends and the keys it sets; it never copies the rule.
What a parent has locked nobody changes, and below a floor nobody goes. Two packs, of which neither
extends the other, may not set one key to two values unless a pack that extends both says which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from .model import Effect
from .rule_file import LOCKABLE, read_effect, read_values, refuse_contradictions, shown
from .rules import FACT_OF, Layer, Rule, RuleStatus, When
from .table import RuleError, Table, read_toml
from .vocabulary import Vocabulary

_WHEN = "when_"
# Each key of a change, and what a lock on it is called.
_LOCK_OF = {
    "effect": "effect",
    "confidence": "confidence",
    "clear_by": "clear_by",
    "status": "status",
    "advice": "advice",
    "advice_cy": "advice",
    "clauses_add": "clauses",
    "terms_add": "terms",
    "terms_remove": "terms",
    **{f"{_WHEN}{key}": "when" for key in FACT_OF},
}
_ADDING = frozenset(("clauses_add", "terms_add", "terms_remove", "locked"))


@dataclass(frozen=True, slots=True)
class Lineage:
    """A pack's folders, parents first, each with the ids of the packs it rests on."""

    folders: tuple[Path, ...]
    ids: Mapping[Path, str]
    above: Mapping[str, frozenset[str]]
    """For each pack by id, every pack it rests on, directly or not."""


def read_lineage(folders: Sequence[Path]) -> Lineage:
    """Who extends whom among ``folders`` (parents first), from each ``pack.toml``.

    A folder without ``pack.toml`` is a pack of its folder's name that extends all before it.

    Raises:
        RuleError: A ``pack.toml`` cannot be read.
    """
    ids: dict[Path, str] = {}
    above: dict[str, frozenset[str]] = {}
    for folder in folders:
        file = folder / "pack.toml"
        data = read_toml(file) if file.exists() else {}
        if "check" in data:
            # To pass settings over in silence would leave the pack's author believing they hold.
            raise RuleError(file, "check", "the checker takes no settings from a pack; remove it")
        pack = str(data.get("id", folder.name))
        rows = data.get("extends")
        parents = (
            [str(row.get("pack")) for row in rows if isinstance(row, dict)]
            if isinstance(rows, list)
            else ([] if "id" in data else list(above))
        )
        ids[folder] = pack
        above[pack] = frozenset(parents).union(*(above.get(parent, ()) for parent in parents))
    return Lineage(tuple(folders), ids, above)


def change_rules(
    rules: Sequence[Rule],
    lineage: Lineage,
    has_clause: Mapping[str, object],
    vocabulary: Vocabulary,
) -> tuple[Rule, ...]:
    """``rules`` as they stand after every pack's changes, in the same order.

    Raises:
        RuleError: A change cannot be used: it names no rule of a parent, changes what is locked,
            goes below a floor, or contradicts another pack's change. Both files are named.
    """
    by_id = {rule.id: _Changing(rule, lineage.ids.get(_pack_of(rule), "")) for rule in rules}
    for folder in lineage.folders:
        pack = lineage.ids[folder]
        seen: dict[str, Path] = {}
        for file in sorted((folder / "changes").glob("*.toml")):
            table = Table(file, read_toml(file))
            rule_id = table.text("rule")
            changing = by_id.get(rule_id)
            if changing is None:
                table.refuse("rule", f"no pack this one extends has a rule {rule_id!r}")
            if changing.pack == pack:
                table.refuse("rule", f"this is a rule of this very pack; edit {changing.rule.file}")
            if changing.pack not in lineage.above[pack]:
                table.refuse("rule", f"{rule_id!r} is a rule of {changing.pack}, not of a parent")
            if rule_id in seen:
                table.refuse("rule", f"{seen[rule_id]} changes the same rule; put them together")
            seen[rule_id] = file
            _read_change(table, pack, changing, has_clause, vocabulary)
    return tuple(by_id[rule.id].settle(lineage) for rule in rules)


def _pack_of(rule: Rule) -> Path:
    return rule.file.parent.parent


@dataclass(frozen=True, slots=True)
class _Change:
    """One key as one pack sets it."""

    key: str
    value: object
    pack: str
    table: Table

    def refuse(self, wrong: str) -> NoReturn:
        self.table.refuse(self.key, wrong)


@dataclass(slots=True)
class _Changing:
    """A rule, and what packs say about it, parents' words first."""

    rule: Rule
    pack: str
    said: list[_Change] = field(default_factory=list)

    def settle(self, lineage: Lineage) -> Rule:
        """The rule with every change made."""
        rule = self.rule
        locks = dict.fromkeys(rule.locked, (rule.file, self.pack))
        floor, floor_file = rule.floor, rule.file
        for number, change in enumerate(self.said):
            self._refuse_locked(change, locks, lineage)
            self._refuse_contradiction(number, change, lineage)
            if change.key == "locked":
                for key in _words(change.value):
                    locks.setdefault(key, (change.table.file, change.pack))
            elif change.key == "floor":
                raised = _effect(change.value)
                if floor is not None and raised < floor:
                    change.refuse(
                        f"{raised.word} is below the floor {floor.word} that {floor_file} sets"
                    )
                floor, floor_file = raised, change.table.file
            elif floor is not None:
                _refuse_below(floor, floor_file, change)
            rule = _apply(rule, change)
            layer = Layer(change.key, change.pack, change.table.file, shown(_plain(change.value)))
            rule = replace(rule, layers=(*rule.layers, layer))
        if self.said:
            refuse = self._refuser(floor, floor_file)
            refuse_contradictions(replace(rule, floor=floor), refuse)
        return replace(rule, floor=floor, locked=frozenset(locks))

    def _refuse_locked(
        self, change: _Change, locks: Mapping[str, tuple[Path, str]], lineage: Lineage
    ) -> None:
        wanted = _LOCK_OF.get(change.key)
        lock = locks.get(wanted or "") or (locks.get("all") if wanted else None)
        if lock is None or lock[1] == change.pack:
            return
        by = "" if lock[1] in lineage.above[change.pack] else ", a pack beside this one,"
        change.refuse(f"{lock[0]}{by} locks {wanted!r} of {self.rule.id}; no pack may change it")

    def _refuse_contradiction(self, number: int, change: _Change, lineage: Lineage) -> None:
        for other in self.said[:number]:
            if other.pack == change.pack or other.pack in lineage.above[change.pack]:
                continue
            clash = _clash(other, change)
            if clash and not self._is_settled_by_heir(change, other, lineage):
                change.refuse(f"{clash} {other.table.file} says otherwise of {self.rule.id}")

    def _is_settled_by_heir(self, one: _Change, two: _Change, lineage: Lineage) -> bool:
        return any(
            heir.key == one.key and {one.pack, two.pack} <= lineage.above[heir.pack]
            for heir in self.said
        )

    def _refuser(self, floor: Effect | None, floor_file: Path) -> Callable[[str, str], NoReturn]:
        last = self.said[-1]

        def refuse(key: str, wrong: str) -> NoReturn:
            at_fault = next((c for c in reversed(self.said) if c.key == key), last)
            beside = f" of {floor_file}" if floor is not None and key == "effect" else ""
            raise RuleError(at_fault.table.file, key, f"{wrong}{beside} (rule {self.rule.file})")

        return refuse


def _clash(one: _Change, two: _Change) -> str:
    """Why two changes by packs that do not know one another cannot both hold; empty if they can."""
    if one.key == two.key and one.key not in _ADDING and one.key != "floor":
        return "" if one.value == two.value else f"this pack sets {one.key!r} and"
    if {one.key, two.key} == {"terms_add", "terms_remove"}:
        both = set(_words(one.value)) & set(_words(two.value))
        return f"this pack has other plans for {', '.join(sorted(both))} and" if both else ""
    return ""


def _refuse_below(floor: Effect, file: Path, change: _Change) -> None:
    if change.key == "effect" and _effect(change.value) < floor:
        change.refuse(f"{_effect(change.value).word} is below the floor {floor.word} of {file}")
    if change.key == "status" and change.value is RuleStatus.OFF:
        change.refuse(f"off is below the floor {floor.word} of {file}")
    if change.key.startswith(_WHEN):
        change.refuse(f"narrowing is below the floor {floor.word} of {file} where it leaves off")


def _read_change(
    table: Table,
    pack: str,
    changing: _Changing,
    has_clause: Mapping[str, object],
    vocabulary: Vocabulary,
) -> None:
    for key in table.names():
        if key in ("rule", "why"):
            continue
        changing.said.append(_Change(key, _value(table, key, vocabulary), pack, table))
        if key == "clauses_add":
            for clause in _words(changing.said[-1].value):
                if clause not in has_clause:
                    table.refuse(key, f"the pack has no clause {clause!r}; cite one it has")
    if table.has("why"):
        table.text("why")
    if len(table.names()) - table.has("why") < 2:  # noqa: PLR2004 - `rule` and one thing more
        table.refuse("rule", "nothing is changed; say what, or remove the file")
    table.end()


# One key, one line.
def _value(  # noqa: PLR0911, RET503
    table: Table, key: str, vocabulary: Vocabulary
) -> object:
    if key in ("effect", "floor"):
        return read_effect(table, key)
    if key == "confidence":
        return table.number(key, low=0.0, high=1.0)
    if key == "clear_by":
        return table.choice(key, tuple(vocabulary.roles))
    if key == "status":
        return RuleStatus(table.choice(key, ("preview", "stable", "off")))
    if key == "locked":
        return table.choices(key, LOCKABLE)
    if key in ("advice", "advice_cy"):
        return table.text(key)
    if key in _ADDING:
        return table.texts(key, at_least=1)
    if key.startswith(_WHEN) and key.removeprefix(_WHEN) in FACT_OF:
        return read_values(table, key, key.removeprefix(_WHEN))
    table.refuse(
        key,
        "a change cannot set this; it may set floor, locked, " + ", ".join(sorted(_LOCK_OF)),
    )


def _apply(rule: Rule, change: _Change) -> Rule:
    key, value = change.key, change.value
    if key in ("floor", "locked"):
        return rule
    if key == "clauses_add":
        return replace(rule, clauses=tuple(dict.fromkeys((*rule.clauses, *_words(value)))))
    if key == "terms_add":
        if rule.match.detector is not None:
            change.refuse(f"{rule.id} looks with a detector; it has no terms")
        taken = [term for term in _words(value) if term in rule.match.terms]
        if taken:
            change.refuse(f"{taken[0]!r} is already a term of {rule.id}")
        return replace(rule, match=replace(rule.match, terms=(*rule.match.terms, *_words(value))))
    if key == "terms_remove":
        return _without_terms(rule, change)
    if key.startswith(_WHEN):
        return _narrowed(rule, change)
    keys: dict[str, Any] = {key: value}
    return replace(rule, **keys)


def _without_terms(rule: Rule, change: _Change) -> Rule:
    removed = _words(change.value)
    for term in removed:
        if term not in rule.match.terms:
            change.refuse(f"{term!r} is no term of {rule.id} ({rule.file})")
    left = tuple(term for term in rule.match.terms if term not in removed)
    if not left and not rule.match.patterns:
        change.refuse('nothing would be left to look for; say status = "off" instead')
    return replace(rule, match=replace(rule.match, terms=left))


def _narrowed(rule: Rule, change: _Change) -> Rule:
    key = change.key.removeprefix(_WHEN)
    wanted = change.value
    assert isinstance(wanted, frozenset)
    before = rule.when.facts.get(key)
    if before is not None and not wanted <= before:
        extra = ", ".join(sorted(wanted - before))
        change.refuse(f"a change may narrow when a rule applies, not widen it: {extra}")
    return replace(rule, when=When({**rule.when.facts, key: wanted}, rule.when.named))


def _words(value: object) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return value


def _effect(value: object) -> Effect:
    assert isinstance(value, Effect)
    return value


def _plain(value: object) -> object:
    if isinstance(value, Effect):
        return value.word
    if isinstance(value, tuple | frozenset):
        return sorted(value) if isinstance(value, frozenset) else list(value)
    return value
