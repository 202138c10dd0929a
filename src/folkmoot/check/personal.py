"""Speaking as oneself about one's work: three things that together say how careful to be.

The three factors are those of the Australian Public Service Commission's fact sheet on personal
behaviour on social media: how senior somebody is, how close the subject lies to their work, and
how strongly they put it. No one of them decides. The answer is advice and never forbids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from .detectors.registry import DetectInContext, context_detector
from .model import Capacity, Closeness, Context, Seniority
from .reading import Hits, Reading
from .table import Table

CLAUSE = "PERSONAL-CAPACITY"
"""The clause the advice rests on."""


class Strength(StrEnum):
    """How strongly something is put."""

    MILD = "mild"
    PLAIN = "plain"
    """A view, said as a view."""
    STRONG = "strong"
    """Anger, scorn or shouting."""


class Care(IntEnum):
    """How much care the three factors together ask for."""

    FREE = 0
    THINK = 1
    TALK = 2
    """Worth a word with one's manager first."""


@dataclass(frozen=True, slots=True)
class PersonalAdvice:
    """What to tell somebody who speaks as themselves. ``fine`` is what they may do all the same."""

    care: Care
    message: str
    advice: str
    fine: str
    clause: str = CLAUSE


_WEIGHT: dict[str, int] = {
    Seniority.JUNIOR: 0,
    Seniority.MIDDLE: 1,
    Seniority.SENIOR: 2,
    Closeness.FAR: 0,
    Closeness.NEAR: 1,
    Closeness.CLOSE: 2,
    Strength.MILD: 0,
    Strength.PLAIN: 1,
    Strength.STRONG: 2,
}
_THINK_FROM, _TALK_FROM = 4, 5
_OF_SIX = {
    Care.FREE: PersonalAdvice(
        Care.FREE,
        "You speak as yourself, and nothing here asks for special care.",
        "Post it if you would be happy for colleagues to read it.",
        "You may have views and say them, on your own account and in your own time.",
    ),
    Care.THINK: PersonalAdvice(
        Care.THINK,
        "People may connect what you say with your work.",
        "Say what you think in words you would use across a table, and leave out what you know "
        "only from work.",
        "You may say what you think; how it is put makes the difference.",
    ),
    Care.TALK: PersonalAdvice(
        Care.TALK,
        "A senior voice, a subject close to the work and strong words together may make people "
        "doubt that you can do your job fairly.",
        "Put it more calmly, or talk it over with your manager before you post. The choice is "
        "yours.",
        "You may still take part: facts that are public, thanks, and questions are yours to share.",
    ),
}


def judge_personal(
    seniority: Seniority, closeness: Closeness, strength: Strength
) -> PersonalAdvice:
    """How much care a personal post asks for, from the three factors, as advice and never more.

    Each factor weighs 0, 1 or 2. Four of six ask to think; five, with strong words among them, to
    talk to somebody first. What is put mildly asks for nothing, nor does a subject that is far
    from the work unless the words are strong. The factors are the APSC's; that they weigh the
    same, and where the lines lie, is our own reading.
    """
    weight = _WEIGHT[seniority] + _WEIGHT[closeness] + _WEIGHT[strength]
    is_strong = strength is Strength.STRONG
    if strength is Strength.MILD or (closeness is Closeness.FAR and not is_strong):
        return _OF_SIX[Care.FREE]
    if is_strong and weight >= _TALK_FROM:
        return _OF_SIX[Care.TALK]
    return _OF_SIX[Care.THINK if weight >= _THINK_FROM else Care.FREE]


_LOUD = re.compile(r"[!?]{2,}|\b[A-Z]{4,}\b(?:\W+[A-Z]{2,}\b)+")
_HEDGED = ("i think", "i wonder", "perhaps", "maybe", "in my view", "seems to me", "thank", "?")


def strength_of(reading: Reading, strong_words: re.Pattern[str] | None) -> Strength:
    """How strongly the text is put: by exclamation marks, capitals and ``strong_words``.

    ``strong_words`` looks in the folded text. Words that leave room for others make it mild.
    """
    text = reading.text
    if _LOUD.search(text.readable) or (strong_words and strong_words.search(text.folded)):
        return Strength.STRONG
    return Strength.MILD if any(word in text.folded for word in _HEDGED) else Strength.PLAIN


@context_detector("personal-line")
def personal_line(options: Table) -> DetectInContext:
    """Posts by private persons for whom the three factors come to ``care``: ``think`` or ``talk``.

    ``words`` are those that make it strong. The whole post is meant, so no place is marked.
    """
    care = Care[options.choice("care", ("think", "talk")).upper()]
    words = options.texts("words")
    strong = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)") if words else None

    def find(reading: Reading, context: Context) -> Hits | None:
        if context.capacity is not Capacity.PERSONAL:
            return None
        if context.seniority is None or context.closeness is None:
            return None
        strength = strength_of(reading, strong)
        seniority, closeness = Seniority(context.seniority), Closeness(context.closeness)
        return [] if judge_personal(seniority, closeness, strength).care is care else None

    return find
