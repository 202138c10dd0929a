"""The checker: a pack's rules compiled once, then any number of posts looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from .compiled import Compiled, compile_pack
from .detecting import ATTACHMENTS, PASSAGE, POST, detector_of, made_detector
from .detectors.registry import DetectInContext, DetectInPassage, DetectInPost
from .finding import make_finding, rank_of
from .model import (
    Capacity,
    CheckError,
    Closeness,
    Context,
    Effect,
    NotEvaluated,
    Post,
    Question,
    Report,
    Seniority,
)
from .passage import Passage, Spans
from .reading import Hits, Reading
from .rules import Rule
from .verdict import reasons_for, verdict_on
from .vocabulary import ASKED, Vocabulary
from .words import WordIndex

if TYPE_CHECKING:  # the checker itself needs no pack, only what became of it
    from folkmoot.guidance.model import Pack

_PLANS_KEPT = 256


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the rules come to in one context: which run, which cannot answer, what is asked."""

    active: frozenset[int]
    """Every rule whose words are looked for: those that answer, are unsure, or are only watched."""
    of_passages: tuple[tuple[str | None, tuple[tuple[int, DetectInPassage], ...]], ...]
    of_posts: tuple[tuple[int, DetectInPost], ...]
    of_attached: tuple[tuple[int, DetectInPost], ...]
    """Those of posts that have nothing to say where nothing is attached."""
    of_contexts: tuple[tuple[int, DetectInContext], ...]
    because: dict[int, tuple[str, ...]]
    """Why each rule that answers applies."""
    unsure: dict[int, NotEvaluated]
    """Rules that lack facts, with what is said if they find something, in order of effect."""
    watched: frozenset[int]
    """Rules of another capacity that say what is fine in this one."""
    nothing: Report
    """The report on every post in which nothing is found."""


class Checker:
    """Looks at posts by the rules of one pack. Build it once; it may be shared between threads.

    ``rules`` are the pack's rules in order of id, ``questions`` its questions in the files' order,
    ``vocabulary`` the facts and roles they may name. Rules are read from ``rules/*.toml``, changes
    to inherited rules from ``changes/*.toml``, questions from ``questions.toml`` and words of the
    pack's own from ``vocabulary.toml`` in each of ``pack.folders``.

    Raises:
        RuleError: A file of rules or questions cannot be used as it stands.
    """

    __slots__ = (
        "_asked",
        "_attached",
        "_lazy",
        "_of_contexts",
        "_of_passages",
        "_of_posts",
        "_pack",
        "_plans",
        "_words",
        "questions",
        "rules",
        "vocabulary",
    )

    def __init__(self, pack: Pack) -> None:
        self._build(compile_pack(pack), checked=False)

    @classmethod
    def of(cls, compiled: Compiled) -> Checker:
        """A checker of rules that were read and checked before."""
        checker = cls.__new__(cls)
        checker._build(compiled, checked=not compiled.made)  # noqa: SLF001 - our own
        return checker

    def _build(self, compiled: Compiled, *, checked: bool) -> None:
        self._pack = compiled.reference
        self.rules: tuple[Rule, ...] = compiled.rules
        self.vocabulary: Vocabulary = compiled.vocabulary
        self._asked = compiled.asked
        self.questions: tuple[Question, ...] = tuple(asked.question for asked in self._asked)
        self._words = WordIndex(self.rules, checked=checked)
        self._lazy: dict[int, tuple[str, str | None, str]] = {}
        self._of_passages: dict[int, tuple[DetectInPassage, str | None]] = {}
        self._of_posts: dict[int, DetectInPost] = {}
        self._attached: set[int] = set()
        self._of_contexts: dict[int, DetectInContext] = {}
        for number, (kind, where, module) in compiled.detectors.items():
            rule = self.rules[number]
            made = compiled.made.get(number)
            if made is None:
                self._lazy[number] = (kind, where, module)
            detect = made.detect if made else detector_of(rule, kind, module)
            if kind == PASSAGE:
                self._of_passages[number] = (cast("DetectInPassage", detect), where)
            elif kind == POST:
                if where == ATTACHMENTS:
                    self._attached.add(number)
                self._of_posts[number] = cast("DetectInPost", detect)
            else:
                self._of_contexts[number] = cast("DetectInContext", detect)
        self._plans: dict[object, _Plan] = {}

    def make_ready(self) -> None:
        """Make every detector now rather than when it is first needed, for many posts to come."""
        for number, (kind, where, module) in self._lazy.items():
            detect = made_detector(self.rules[number], kind, module)
            if kind == PASSAGE:
                self._of_passages[number] = (cast("DetectInPassage", detect), where)
            elif kind == POST:
                self._of_posts[number] = cast("DetectInPost", detect)
            else:
                self._of_contexts[number] = cast("DetectInContext", detect)
        self._lazy.clear()
        self._plans.clear()

    @property
    def running(self) -> tuple[Rule, ...]:
        """The rules that are run: all but those deprecated or switched off, in order of id."""
        return tuple(rule for rule in self.rules if rule.status.runs)

    def matches_without_literals(self, rule: Rule, text: str) -> bool:
        """Whether a pattern of ``rule`` matches ``text``, asked without looking at its literals.

        For testing that the literals are what every match must contain.
        """
        return self._words.matches_without_literals(self.rules.index(rule), text)

    def check(self, post: Post, context: Context) -> Report:
        """What the rules say of ``post`` in ``context``.

        Findings stand in order of effect, strongest first, then of place. A rule that needs a fact
        the context does not know is in ``not_evaluated``, and counts for the verdict if what it
        looks for is there; one whose ``[when]`` does not hold is in neither that nor
        ``looked_at``.

        Raises:
            CheckError: A rule failed, two attachments have the same id, or a fact of the context
                is of no use (a time without its offset, a capacity there is not). Nothing is
                known of the post then: this is not a pass.
        """
        plan = self._plan(context)
        reading = _read(post)
        found = self._find(reading, plan, context)
        if not found:
            return plan.nothing
        because = plan.because
        findings = [
            make_finding(self.rules[number], hits, because[number], reading)
            for number, hits in found.items()
            if number in because
        ]
        if len(findings) > 1:
            places = {passage.place: rank for rank, passage in enumerate(reading.alts, 1)}
            findings.sort(key=lambda finding: rank_of(finding, places))
        not_evaluated = plan.nothing.not_evaluated
        if not plan.unsure.keys().isdisjoint(found):
            not_evaluated = _counted(plan.unsure, found)
        verdict = verdict_on(findings, not_evaluated)
        return replace(
            plan.nothing,
            verdict=verdict,
            findings=tuple(findings),
            not_evaluated=not_evaluated,
            reasons=reasons_for(verdict, findings, not_evaluated, self.vocabulary.roles),
            fine=self._fine(found, plan, context),
        )

    def _fine(self, found: dict[int, Hits], plan: _Plan, context: Context) -> tuple[str, ...]:
        """What the rules that found something say is fine, then what is fine in general."""
        if context.capacity not in (Capacity.PERSONAL, Capacity.PROFESSIONAL):
            return ()
        told = [
            sentence
            for number in sorted(found)
            if number in plan.watched or number in plan.because
            for sentence in self.rules[number].fine
        ]
        return tuple(dict.fromkeys((*told, *plan.nothing.fine)))

    # One loop under one `try`, so that the rule at fault is known without a call for each.
    def _find(  # noqa: C901, PLR0912
        self, reading: Reading, plan: _Plan, context: Context
    ) -> dict[int, Hits]:
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
            for number, detect_in_post in plan.of_attached if reading.post.attachments else ():
                anywhere = detect_in_post(reading)
                if anywhere is not None:
                    found[number] = anywhere
            for number, detect_in_post in plan.of_posts:
                anywhere = detect_in_post(reading)
                if anywhere is not None:
                    found[number] = anywhere
            for number, detect_in_context in plan.of_contexts:
                anywhere = detect_in_context(reading, context)
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
        if context.publish_at is not None and context.publish_at.tzinfo is None:
            raise CheckError(
                f"The time of posting, {context.publish_at.isoformat()}, lacks its offset from "
                "UTC. Say it with its zone, such as 2026-05-01T09:00:00+01:00."
            )
        key = (
            context.capacity,
            context.role,
            context.channel,
            context.nation,
            context.language,
            context.audience,
            context.publish_at is None,
            context.periods,
            context.seniority,
            context.closeness,
            tuple(context.facts.items()) if context.facts else None,
        )
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[key] = self._make_plan(context)
        return plan

    def _make_plan(self, context: Context) -> _Plan:
        self._refuse_impossible(context)
        because: dict[int, tuple[str, ...]] = {}
        unsure: list[tuple[int, NotEvaluated]] = []
        watched: list[int] = []
        for number, rule in enumerate(self.rules):
            if not rule.status.runs:
                continue
            if rule.when.applies(context) is False:
                if rule.fine and _is_for_another_capacity(rule, context):
                    watched.append(number)
                continue
            missing = rule.missing(context)
            if missing:
                unsure.append((number, self._unanswered(rule, missing)))
            else:
                because[number] = rule.when.because(context)
        unsure.sort(key=lambda one: (-one[1].effect, one[1].rule))
        # What could only have been advice is listed and not looked for: it makes no difference.
        doubtful = [number for number, each in unsure if each.effect >= Effect.HOLD]
        active = sorted((*because, *doubtful, *watched))
        quiet = _counted(dict(unsure), {})
        verdict = verdict_on((), quiet)
        nothing = Report(
            pack=self._pack,
            verdict=verdict,
            not_evaluated=quiet,
            # Where it is not known whether a question applies, it is asked.
            questions=tuple(
                asked.question for asked in self._asked if asked.when.applies(context) is not False
            ),
            looked_at=tuple(self.rules[number].id for number in because),
            reasons=reasons_for(verdict, (), quiet, self.vocabulary.roles),
            fine=tuple(
                fine.text for fine in self.vocabulary.fine if context.capacity in fine.capacity
            ),
        )
        return _Plan(
            active=frozenset(active),
            of_passages=self._by_kind(active),
            of_posts=tuple(
                (n, self._of_posts[n])
                for n in active
                if n in self._of_posts and n not in self._attached
            ),
            of_attached=tuple((n, self._of_posts[n]) for n in active if n in self._attached),
            # One that looks at the circumstances can say nothing while they are not known.
            of_contexts=tuple((n, self._of_contexts[n]) for n in because if n in self._of_contexts),
            because=because,
            unsure=dict(unsure),
            watched=frozenset(watched),
            nothing=nothing,
        )

    def _refuse_impossible(self, context: Context) -> None:
        """A value that can never hold would switch rules off without anybody noticing."""
        for name, kind in (
            ("capacity", Capacity),
            ("seniority", Seniority),
            ("closeness", Closeness),
        ):
            value = getattr(context, name)
            if value is not None and value not in tuple(kind):
                raise CheckError(f"The {name} {value!r} is not one of {', '.join(kind)}.")
        if isinstance(context.periods, str):
            raise CheckError("Give the periods as a set of words, not as one word.")
        for name, value in context.facts.items():
            fact = self.vocabulary.facts.get(name)
            if fact is None or value is None:
                continue  # another pack may ask for it
            if not fact.values and not isinstance(value, bool):
                raise CheckError(f"The fact {name} is {value!r}; say true or false.")
            if fact.values and value not in fact.values:
                raise CheckError(f"{name} is {value!r}, not one of {', '.join(fact.values)}.")

    def _unanswered(self, rule: Rule, missing: tuple[str, ...]) -> NotEvaluated:
        asked = " and ".join(self.ask(fact) for fact in missing)
        return NotEvaluated(
            rule=rule.id,
            title=rule.title,
            missing=missing,
            effect=rule.effect,
            message=f"This could not be looked at. Say {asked}.",
            # Where no words decide, everything hangs on the facts.
            counts=rule.is_unconditional and rule.effect >= Effect.HOLD,
        )

    def ask(self, name: str) -> str:
        """How a fact is asked for: what follows "Say". Raises ``KeyError`` for another name."""
        return ASKED[name] if name in ASKED else self.vocabulary.facts[name].ask


def _is_for_another_capacity(rule: Rule, context: Context) -> bool:
    """Whether the rule would apply, or might, were it not for the capacity somebody speaks in."""
    if context.capacity not in (Capacity.PERSONAL, Capacity.PROFESSIONAL):
        return False
    wanted = rule.when.facts.get("capacity", frozenset())
    return any(
        rule.when.applies(replace(context, capacity=Capacity(other))) is not False
        for other in wanted
    )


def _counted(
    unsure: Mapping[int, NotEvaluated], found: Collection[int]
) -> tuple[NotEvaluated, ...]:
    """Those that count first, then the others, each in order of effect."""
    told = [
        replace(each, counts=True) if number in found and not each.counts else each
        for number, each in unsure.items()
    ]
    return tuple(sorted(told, key=lambda each: not each.counts))


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
