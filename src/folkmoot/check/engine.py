"""The checker: a pack's rules compiled once, then any number of posts looked at."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from folkmoot.guidance.model import Pack

from .detectors import OF_PASSAGES, OF_POSTS, DetectInPassage, DetectInPost
from .folding import fold, utf16_offsets
from .model import (
    CheckError,
    Context,
    Effect,
    Finding,
    NotEvaluated,
    Post,
    Question,
    Report,
    Span,
    Verdict,
)
from .passage import Passage, Spans
from .reading import Hits, Reading
from .rules import Rule, RuleStatus, load_questions, load_rules
from .table import RuleError, Table, read_toml
from .words import WordIndex

_WORDS_NAMED = 3
_WORDS_SHOWN = 40
_PLANS_KEPT = 256

# How a missing fact is asked for.
_ASKED = {
    "capacity": "in what capacity it is posted",
    "role": "the role of whoever posts it",
    "channel": "the channel it goes to",
    "nation": "the nation it is for",
    "language": "the language it is in",
    "audience": "the audience it is for",
    "publish_at": "when it will be published",
    "periods": "whether a special period, such as a pre-election period, is in force then",
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the rules come to in one context: which run, which cannot answer, what is asked."""

    active: frozenset[int]
    of_passages: tuple[tuple[str | None, tuple[tuple[int, DetectInPassage], ...]], ...]
    of_posts: tuple[tuple[int, DetectInPost], ...]
    because: dict[int, tuple[str, ...]]
    not_evaluated: tuple[NotEvaluated, ...]
    questions: tuple[Question, ...]
    looked_at: tuple[str, ...]


class Checker:
    """Looks at posts by the rules of one pack. Build it once; it may be shared between threads.

    ``rules`` are the pack's rules in order of id, ``questions`` its questions in the files' order.
    Rules are read from ``rules/*.toml`` and questions from ``questions.toml`` in each of
    ``pack.folders``.

    Raises:
        RuleError: A file of rules or questions cannot be used as it stands.
    """

    __slots__ = (
        "_asked",
        "_of_passages",
        "_of_posts",
        "_pack",
        "_plans",
        "_words",
        "questions",
        "rules",
    )

    def __init__(self, pack: Pack) -> None:
        self._pack = pack.reference
        _refuse_settings(pack)
        has_clause = {clause.id: clause for clause in pack.clauses}
        self.rules: tuple[Rule, ...] = load_rules(pack.folders, has_clause)
        self._asked = load_questions(pack.folders, has_clause)
        self.questions: tuple[Question, ...] = tuple(asked.question for asked in self._asked)
        self._words = WordIndex(self.rules)
        self._of_passages: dict[int, tuple[DetectInPassage, str | None]] = {}
        self._of_posts: dict[int, DetectInPost] = {}
        for number, rule in enumerate(self.rules):
            self._make_detector(number, rule)
        self._plans: dict[object, _Plan] = {}

    def _make_detector(self, number: int, rule: Rule) -> None:
        name = rule.match.detector
        if name is None:
            return
        options = Table(rule.file, rule.options, "options.")
        if name in OF_PASSAGES:
            make, where = OF_PASSAGES[name]
            self._of_passages[number] = (make(options), where)
        elif name in OF_POSTS:
            self._of_posts[number] = OF_POSTS[name](options)
        else:
            known = ", ".join(sorted((*OF_PASSAGES, *OF_POSTS)))
            raise RuleError(
                rule.file, "match.detector", f"there is no detector {name!r}; there are {known}"
            )
        options.end()

    @property
    def running(self) -> tuple[Rule, ...]:
        """The rules that are run: all but deprecated ones, in order of id."""
        return tuple(rule for rule in self.rules if rule.status is not RuleStatus.DEPRECATED)

    def matches_without_literals(self, rule: Rule, text: str) -> bool:
        """Whether a pattern of ``rule`` matches ``text``, asked without looking at its literals.

        For testing that the literals are what every match must contain.
        """
        return self._words.matches_without_literals(self.rules.index(rule), text)

    def check(self, post: Post, context: Context) -> Report:
        """What the rules say of ``post`` in ``context``.

        Findings stand in order of effect, strongest first, then of place. A rule that needs a fact
        the context does not know is in ``not_evaluated``; one whose ``[when]`` does not hold is in
        neither that nor ``looked_at``.

        Raises:
            CheckError: A rule failed, or two attachments have the same id. Nothing is known of
                the post then: this is not a pass.
        """
        plan = self._plan(context)
        reading = _read(post)
        found = self._find(reading, plan)
        findings = [
            _finding(self.rules[number], hits, plan.because[number], reading)
            for number, hits in found.items()
        ]
        if len(findings) > 1:
            places = {passage.place: rank for rank, passage in enumerate(reading.alts, 1)}
            findings.sort(key=lambda finding: _rank(finding, places))
        return Report(
            pack=self._pack,
            verdict=_verdict(findings, plan.not_evaluated),
            findings=tuple(findings),
            not_evaluated=plan.not_evaluated,
            questions=plan.questions,
            looked_at=plan.looked_at,
        )

    # One loop under one `try`, so that the rule at fault is known without a call for each.
    def _find(self, reading: Reading, plan: _Plan) -> dict[int, Hits]:  # noqa: C901
        found: dict[int, Hits] = {}
        rules = self.rules
        number = -1
        try:
            for passage in (reading.text, *reading.alts):
                kind = "text" if passage is reading.text else "alt"
                number = -1
                for number, spans in self._words.find(passage, plan.active).items():
                    if kind in rules[number].match.places:
                        found.setdefault(number, []).extend(
                            (passage.place, start, end) for start, end in spans
                        )
                for where, detectors in plan.of_passages:
                    if where is not None and not getattr(passage, where):
                        continue
                    for number, detect in detectors:
                        spans = detect(passage)
                        if spans and kind in rules[number].match.places:
                            hits = _hits(passage, spans, rules[number].match.skip)
                            if hits:
                                found.setdefault(number, []).extend(hits)
            for number, detect_in_post in plan.of_posts:
                anywhere = detect_in_post(reading)
                if anywhere is not None:
                    found[number] = anywhere
        except Exception as wrong:
            which = f"The rule {rules[number].id}" if number >= 0 else "Looking for words"
            raise CheckError(
                f"{which} failed on this post ({type(wrong).__name__}: {wrong}). "
                "The post has not been checked."
            ) from wrong
        return found

    def _by_kind(
        self, active: list[int]
    ) -> tuple[tuple[str | None, tuple[tuple[int, DetectInPassage], ...]], ...]:
        """The active detectors of passages, grouped by the kind of place they wait for."""
        groups: dict[str | None, list[tuple[int, DetectInPassage]]] = {}
        for number in active:
            if number in self._of_passages:
                detect, where = self._of_passages[number]
                groups.setdefault(where, []).append((number, detect))
        return tuple((where, tuple(detectors)) for where, detectors in groups.items())

    def _plan(self, context: Context) -> _Plan:
        key = (
            context.capacity,
            context.role,
            context.channel,
            context.nation,
            context.language,
            context.audience,
            context.publish_at is None,
            context.periods,
        )
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[key] = self._make_plan(context)
        return plan

    def _make_plan(self, context: Context) -> _Plan:
        active: list[int] = []
        not_evaluated: list[NotEvaluated] = []
        for number, rule in enumerate(self.rules):
            if rule.status is RuleStatus.DEPRECATED or rule.when.applies(context) is False:
                continue
            missing = rule.missing(context)
            if missing:
                not_evaluated.append(_not_evaluated(rule, missing))
            else:
                active.append(number)
        not_evaluated.sort(key=lambda unanswered: (-unanswered.effect, unanswered.rule))
        return _Plan(
            active=frozenset(active),
            of_passages=self._by_kind(active),
            of_posts=tuple(
                (number, self._of_posts[number]) for number in active if number in self._of_posts
            ),
            because={number: self.rules[number].when.because(context) for number in active},
            not_evaluated=tuple(not_evaluated),
            # Where it is not known whether a question applies, it is asked.
            questions=tuple(
                asked.question for asked in self._asked if asked.when.applies(context) is not False
            ),
            looked_at=tuple(self.rules[number].id for number in active),
        )


def _refuse_settings(pack: Pack) -> None:
    # `check` in a pack.toml is the checker's to read; it takes no settings, and to pass one over
    # in silence would leave the pack's author believing it holds.
    for folder in pack.folders:
        file = folder / "pack.toml"
        if file.exists() and "check" in read_toml(file):
            raise RuleError(file, "check", "the checker takes no settings from a pack; remove it")


def _read(post: Post) -> Reading:
    if len({attachment.id for attachment in post.attachments}) < len(post.attachments):
        raise CheckError("Two attachments of this post have the same id. Give each its own.")
    return Reading(post)


def _hits(passage: Passage, spans: Spans, skip: tuple[str, ...]) -> Hits:
    return [
        (passage.place, start, end)
        for start, end in spans
        if not (skip and passage.overlaps(skip, start, end))
    ]


def _rank(finding: Finding, places: dict[str, int]) -> tuple[int, int, int, str]:
    if not finding.spans:
        return (-finding.effect, -1, 0, finding.rule)
    first = finding.spans[0]
    place = 0 if first.place == "text" else places.get(first.place, len(places) + 1)
    return (-finding.effect, place, first.start, finding.rule)


def _verdict(findings: list[Finding], not_evaluated: tuple[NotEvaluated, ...]) -> Verdict:
    """Any stop forbids; a hold, or a rule that might have held, needs sign-off."""
    strongest = max((finding.effect for finding in findings), default=0)
    unanswered = not_evaluated[0].effect if not_evaluated else 0  # they are in order of effect
    if strongest >= Effect.STOP:
        return Verdict.DO_NOT_POST
    if max(strongest, unanswered) >= Effect.HOLD:
        return Verdict.GET_SIGNOFF
    return Verdict.POST_WITH_CARE if strongest >= Effect.ADVISE else Verdict.POST


def _not_evaluated(rule: Rule, missing: tuple[str, ...]) -> NotEvaluated:
    asked = " and ".join(_ASKED[fact] for fact in missing)
    return NotEvaluated(
        rule=rule.id,
        title=rule.title,
        missing=missing,
        effect=rule.effect,
        message=f"This could not be looked at. Say {asked}.",
    )


def _finding(rule: Rule, hits: Hits, because: tuple[str, ...], reading: Reading) -> Finding:
    spans: list[Span] = []
    words: list[str] = []
    concerned: list[str] = []
    by_place: dict[str, list[tuple[int, int]]] = {}
    for place, start, end in hits:
        by_place.setdefault(place, []).append((start, end))
    for place, here in by_place.items():
        passage = reading.passage(place)
        text, folded = ("", "") if passage is None else (passage.text, passage.folded)
        units = utf16_offsets(text, (offset for span in here for offset in span))
        for start, end in here:
            spans.append(Span(start, end, units[start], units[end], place))
            words.append(text[start:end])
            concerned.append(f"{place}\x1f{folded[start:end]}")
    if not hits:
        concerned.append(f"post\x1f{reading.text.folded}")
    return Finding(
        rule=rule.id,
        title=rule.title,
        clauses=rule.clauses,
        effect=rule.effect,
        confidence=rule.confidence,
        message=rule.message.replace("{words}", _name(words)),
        advice=rule.advice,
        clear_by=rule.clear_by,
        spans=tuple(spans),
        because=because,
        fingerprint=_fingerprint(rule.id, concerned),
    )


def _fingerprint(rule: str, concerned: list[str]) -> str:
    """The first 16 hexadecimal digits of SHA-256 over rule, places and folded words, sorted.

    Sorted, so that moving a sentence keeps the answer given to it; with repeats, so that one more
    mention does not.
    """
    whole = "\x1e".join((rule, *sorted(concerned)))
    return sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _name(words: list[str]) -> str:
    """Up to three of the words found, each once, in quotation marks."""
    shown: dict[str, str] = {}
    for word in words:
        if word.strip():
            shown.setdefault(fold(word), _shorten(word))
    named = [f"“{word}”" for word in shown.values()]
    left = len(named) - _WORDS_NAMED
    if left > 0:
        return f"{', '.join(named[:_WORDS_NAMED])} and {left} more"
    return " and ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))


def _shorten(word: str) -> str:
    one_line = " ".join(word.split())
    return one_line if len(one_line) <= _WORDS_SHOWN else f"{one_line[: _WORDS_SHOWN - 1]}…"
