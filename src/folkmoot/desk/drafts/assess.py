"""A post as its author and approver see it: the check beside the words, and each channel's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot.channels import Length, count_graphemes
from folkmoot.check import CheckError, Effect, NotEvaluated, Question, Report, report_from_dict
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.people.queries import Organisation
from folkmoot.guidance import Clause, GuidanceError, Pack

from .content import Content, chosen_accounts
from .renditions import describe_problems, make_rendition


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the text; ``effect`` is the strongest of the findings about it, or empty."""

    text: str
    effect: str


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with its clauses looked up."""

    title: str
    effect: str
    message: str
    advice: str
    clauses: tuple[Clause, ...]
    because: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One part of a channel's form; ``count`` says its length in words."""

    text: str
    pictures: tuple[Mapping[str, Any], ...]
    count: str


@dataclass(frozen=True, slots=True)
class Card:
    """What one channel will show, and what stands in the way."""

    title: str
    account: str
    parts: tuple[ShownPart, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A fact the author may supply. ``ask`` finishes "Say ..."; ``values`` are what it may be;
    ``said`` is what was said, or empty; ``counts`` whether the verdict waits for it.
    """

    name: str
    ask: str
    values: tuple[str, ...]
    said: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything a page shows about a post. ``failed`` is a sentence where the check could not be
    carried out; then nothing else of the check is there.
    """

    failed: str
    verdict: str
    findings: tuple[ShownFinding, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    questions: tuple[tuple[Question, tuple[Clause, ...], str], ...]
    looked_at: int
    pieces: tuple[Piece, ...]
    cards: tuple[Card, ...]
    asked: tuple[Asked, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One sentence for those who cannot see the findings change."""
        if self.failed:
            return self.failed
        if not self.findings:
            return f"Nothing found by {self.looked_at} rules."
        counts = {
            e: sum(f.effect == e for f in self.findings) for e in ("stop", "hold", "advise", "note")
        }
        told = ", ".join(f"{n} {e}" for e, n in counts.items() if n)
        return (
            f"{len(self.findings)} {'finding' if len(self.findings) == 1 else 'findings'}: {told}."
        )


def assess(content: Content, report: Mapping[str, Any], organisation: Organisation) -> Assessment:
    """The assessment of a post under a report that was made of it."""
    cards = tuple(_card(content, account) for account in chosen_accounts(content, organisation))
    if "failed" in report:
        return _failed(str(report["failed"]), content, cards)
    try:
        read = report_from_dict(report)
        pack = guidance.get_pack(organisation.pack)
    except (CheckError, GuidanceError) as unusable:
        return _failed(
            f"What the check said of this post cannot be read: {unusable}", content, cards
        )
    return Assessment(
        "",
        read.verdict,
        tuple(
            ShownFinding(
                f.title,
                f.effect.word,
                f.message,
                f.advice,
                _clauses(pack, f.clauses),
                f.because,
                f.fingerprint,
            )
            for f in read.findings
        ),
        read.not_evaluated,
        tuple(
            (q, _clauses(pack, q.clauses), content.answers.get(q.id, "")) for q in read.questions
        ),
        len(read.looked_at),
        _pieces(content.text, read),
        cards,
        _asked(content, read, organisation),
        read.reasons,
    )


def _asked(content: Content, report: Report, organisation: Organisation) -> tuple[Asked, ...]:
    """The facts the rules could not find out, and those the author has already supplied."""
    known = guidance.get_checker(organisation.pack).vocabulary.facts
    counting: dict[str, bool] = dict.fromkeys(content.facts, False)
    for each in report.not_evaluated:
        for name in each.missing:
            counting[name] = counting.get(name, False) or each.counts
    return tuple(
        Asked(
            name,
            known[name].ask,
            known[name].values or ("yes", "no"),
            _said(content.facts.get(name)),
            counts,
        )
        for name, counts in sorted(counting.items(), key=lambda one: (not one[1], one[0]))
        if name in known
    )


def _said(value: str | bool | None) -> str:  # noqa: FBT001  # a fact is a truth or a word
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or ""


def _failed(sentence: str, content: Content, cards: tuple[Card, ...]) -> Assessment:
    return Assessment(sentence, "failed", (), (), (), 0, (Piece(content.text, ""),), cards)


def _clauses(pack: Pack, ids: tuple[str, ...]) -> tuple[Clause, ...]:
    """The clauses that can still be found; an old report may cite one a newer pack has not."""
    return tuple(clause for one in ids if (clause := pack.find_clause(one)) is not None)


def _pieces(text: str, report: Report) -> tuple[Piece, ...]:
    strength = [0] * len(text)
    for finding in report.findings:
        for span in finding.spans:
            if span.place == "text":
                for place in range(span.start, min(span.end, len(text))):
                    strength[place] = max(strength[place], finding.effect)
    pieces: list[Piece] = []
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or strength[place] != strength[start]:
            effect = Effect(strength[start]).word if strength[start] else ""
            pieces.append(Piece(text[start:place], effect))
            start = place
    return tuple(pieces)


def _card(content: Content, account: accounts.Account) -> Card:
    capabilities = accounts.capabilities_of(account)
    rendition = make_rendition(
        content.text,
        content.pictures,
        content.language,
        capabilities,
        organisation_id=account.organisation_id,
    )
    parts = []
    for number, part in enumerate(rendition.parts):
        shown = content.pictures if number == 0 else ()
        parts.append(ShownPart(part.text, shown, _count(part.text, capabilities.lengths)))
    return Card(
        capabilities.title,
        account.name,
        tuple(parts),
        tuple(p.message for p in describe_problems(capabilities, rendition)),
    )


def _count(text: str, lengths: tuple[Length, ...]) -> str:
    """How long a text is by the limit that people know the channel by."""
    if not lengths:
        return f"{count_graphemes(text):,} characters"
    first = lengths[0]
    return f"{first.count(text):,} of {first.most:,} {first.unit}s"
