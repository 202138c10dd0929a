"""A pack's rules read, checked and laid out: what a checker runs on.

Reading a hundred files of rules costs more than checking a post, so the command keeps what they
came to for the packs that are shipped, as one JSON file in the user's cache folder. It is used only
if it was made from the very bytes the packs hold now, by this very program; else it is made anew.
It may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .model import Capacity, Effect, Question
from .rules import AskedQuestion, Match, Rule, RuleStatus, When
from .vocabulary import Fact, Fine, Vocabulary

if TYPE_CHECKING:
    from folkmoot.guidance.model import Pack

    from .detecting import Made

FORM = 1
"""The version of the form of the kept file."""


@dataclass(frozen=True, slots=True)
class Cited:
    """As much of a clause as a report shows: what it is called, and how well it is known."""

    id: str
    title: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """Everything a checker needs of a pack.

    ``detectors`` tell for the rules that have one, by the number of the rule, its kind
    (``passage``, ``post`` or ``context``), the kind of place it waits for, and the module it is in.
    ``made`` are those that were made already; the others are made when first needed.
    """

    reference: str
    rules: tuple[Rule, ...]
    asked: tuple[AskedQuestion, ...]
    vocabulary: Vocabulary
    clauses: tuple[Cited, ...]
    detectors: Mapping[int, tuple[str, str | None, str]]
    made: Mapping[int, Made] = field(default_factory=dict)


def compile_pack(pack: Pack) -> Compiled:
    """The rules of ``pack`` as they stand after every change.

    Raises:
        RuleError: A file of rules, changes, questions or words cannot be used as it stands.
    """
    from .changes import change_rules, read_lineage
    from .detecting import load_all, make_detector
    from .rule_file import load_questions, load_rules
    from .vocabulary import load_vocabulary

    lineage = read_lineage(pack.folders)
    has_clause = {clause.id: clause for clause in pack.clauses}
    vocabulary = load_vocabulary(pack.folders)
    stated = load_rules(pack.folders, has_clause, vocabulary)
    rules = change_rules(stated, lineage, has_clause, vocabulary)
    load_all()
    made = {
        number: make_detector(rule)
        for number, rule in enumerate(rules)
        if rule.match.detector is not None
    }
    return Compiled(
        reference=pack.reference,
        rules=rules,
        asked=load_questions(pack.folders, has_clause, vocabulary),
        vocabulary=vocabulary,
        clauses=tuple(
            Cited(clause.id, clause.title, clause.evidence.value) for clause in pack.clauses
        ),
        detectors={number: (one.kind, one.where, one.module) for number, one in made.items()},
        made=made,
    )


def load_compiled(pack: str) -> Compiled:
    """The compiled rules of the shipped pack of this name, from the cache folder if they are there.

    What was kept lacks what only a rule's page shows: examples, why, and which file set what.

    Raises:
        UnknownPack: There is no such pack.
        PackError: A file of the pack cannot be used as it stands.
        RuleError: A file of its rules cannot be used as it stands.
    """
    file = _folder() / f"check-{pack}.json"
    kept = _find_kept(file)
    if kept is not None:
        return kept
    from folkmoot.guidance import load_pack

    loaded = load_pack(pack)
    compiled = compile_pack(loaded)
    _keep(file, compiled, loaded.folders)
    return compiled


def shipped_folder(pack: str) -> Path | None:
    """The folder of a pack that is shipped, or ``None`` where the name is of something else."""
    if not pack.replace("-", "").isalnum():
        return None
    folder = _shipped() / pack
    return folder if folder.is_dir() else None


def _shipped() -> Path:
    return Path(__file__).parent.parent / "guidance" / "packs"


def _folder() -> Path:
    """Where caches belong on this system."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "Folkmoot" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "folkmoot"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "folkmoot"


def _find_kept(file: Path) -> Compiled | None:
    """What was kept in ``file``, if it was made from what is there now; else ``None``."""
    try:
        raw = file.read_bytes()
        if hasattr(os, "getuid") and file.stat().st_uid != os.getuid():
            return None
        head, _, body = raw.partition(b"\n")
        told = json.loads(head)
        if told["body"] != sha256(body).hexdigest():
            return None
        folders = [_shipped() / str(name) for name in told["folders"]]
        if told["key"] != _key(folders):
            return None
        return _from_plain(json.loads(body))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # whatever is wrong with a cache, the packs themselves are there to be read


def _keep(file: Path, compiled: Compiled, folders: Iterable[Path]) -> None:
    paths = list(folders)
    if any(path.resolve().parent != _shipped().resolve() for path in paths):
        return  # a pack from elsewhere may find other parents tomorrow
    body = json.dumps(_to_plain(compiled), separators=(",", ":")).encode()
    head = {
        "folders": [path.name for path in paths],
        "key": _key(paths),
        "body": sha256(body).hexdigest(),
    }
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.write_bytes(json.dumps(head).encode() + b"\n" + body)
        new.replace(file)
    except OSError:
        # Nobody can write there: the next start reads the packs again, which costs only time.
        new.unlink(missing_ok=True) if new.exists() else None


def _key(folders: Iterable[Path]) -> str:
    """A digest of every file of the packs, and of which program reads them."""
    whole = sha256(f"{FORM} {sys.version}\n".encode())
    engine = Path(__file__).parent
    for folder in (engine, engine / "detectors", engine.parent / "guidance"):
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            if entry.name.endswith(".py"):
                stat = entry.stat()
                whole.update(f"{entry.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for folder in folders:
        whole.update(f"{folder.name}\n".encode())
        for path in _files(str(folder)):
            with open(path, "rb") as opened:  # noqa: PTH123 - Path costs a tenth of the start
                whole.update(f"{path}\0".encode("utf-8", "surrogateescape"))
                whole.update(sha256(opened.read()).digest())
    return whole.hexdigest()


def _files(folder: str) -> list[str]:
    found: list[str] = []
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            found += _files(entry.path)
        else:
            found.append(entry.path)
    return sorted(found)


def _to_plain(compiled: Compiled) -> dict[str, Any]:
    return {
        "reference": compiled.reference,
        "rules": [_rule_to_plain(rule) for rule in compiled.rules],
        "asked": [
            [
                [one.question.id, one.question.text, one.question.hint,
                 list(one.question.clauses), one.question.proceed],
                _when_to_plain(one.when),
            ]
            for one in compiled.asked
        ],
        "facts": [[fact.name, fact.ask, list(fact.values)]
                  for fact in compiled.vocabulary.facts.values()],
        "roles": dict(compiled.vocabulary.roles),
        "fine": [[fine.text, sorted(fine.capacity)] for fine in compiled.vocabulary.fine],
        "clauses": [[clause.id, clause.title, clause.evidence] for clause in compiled.clauses],
        "detectors": {str(number): list(told) for number, told in compiled.detectors.items()},
    }  # fmt: skip


_MATCH_LISTS = ("terms", "patterns", "literals", "not_within", "skip", "places")
_MATCH_PLAIN = ("always", "case_sensitive", "whole_words", "detector")
_RULE_LISTS = ("clauses", "needs", "fine")
_RULE_PLAIN = (
    "id", "title", "since", "confidence", "clear_by", "message", "advice", "pack_folder",
    "protects", "outcome", "advice_cy",
)  # fmt: skip


def _rule_to_plain(rule: Rule) -> dict[str, Any]:
    return {
        **{key: getattr(rule, key) for key in _RULE_PLAIN},
        **{key: list(getattr(rule, key)) for key in _RULE_LISTS},
        "status": rule.status.value,
        "effect": rule.effect.value,
        "when": _when_to_plain(rule.when),
        "match": {
            **{key: getattr(rule.match, key) for key in _MATCH_PLAIN},
            **{key: list(getattr(rule.match, key)) for key in _MATCH_LISTS},
        },
        "options": rule.options,
        "file": str(rule.file),
    }


def _when_to_plain(when: When) -> list[dict[str, list[str]]]:
    return [
        {key: sorted(values) for key, values in side.items()} for side in (when.facts, when.named)
    ]


def _when(plain: list[dict[str, list[str]]]) -> When:
    facts, named = plain
    return When(
        {key: frozenset(values) for key, values in facts.items()},
        {key: frozenset(values) for key, values in named.items()},
    )


def _rule(plain: dict[str, Any]) -> Rule:
    match = plain["match"]
    keys: dict[str, Any] = {key: plain[key] for key in _RULE_PLAIN}
    keys |= {key: tuple(plain[key]) for key in _RULE_LISTS}
    sought: dict[str, Any] = {key: match[key] for key in _MATCH_PLAIN}
    sought |= {key: tuple(match[key]) for key in _MATCH_LISTS}
    return Rule(
        **keys,
        status=RuleStatus(plain["status"]),
        effect=Effect(plain["effect"]),
        when=_when(plain["when"]),
        match=Match(**sought),
        options=plain["options"],
        file=Path(plain["file"]),
        why="",
        when_wrong="",
        examples=(),
    )


def _from_plain(plain: dict[str, Any]) -> Compiled:
    return Compiled(
        reference=plain["reference"],
        rules=tuple(map(_rule, plain["rules"])),
        asked=tuple(
            AskedQuestion(Question(name, text, hint, tuple(clauses), proceed), _when(when))
            for (name, text, hint, clauses, proceed), when in plain["asked"]
        ),
        vocabulary=Vocabulary(
            {name: Fact(name, ask, tuple(values)) for name, ask, values in plain["facts"]},
            plain["roles"],
            tuple(
                Fine(text, frozenset(map(Capacity, capacity))) for text, capacity in plain["fine"]
            ),
        ),
        clauses=tuple(Cited(*told) for told in plain["clauses"]),
        detectors={
            int(number): (kind, where, module)
            for number, (kind, where, module) in plain["detectors"].items()
        },
    )
