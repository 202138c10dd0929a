"""The words of a check: a post and its context go in; findings, questions and a verdict come out.

Everything here is a frozen value that turns into plain JSON and back. The engine is :mod:`.engine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum


class Capacity(StrEnum):
    """In what capacity somebody speaks. The same words may be fine in one and not in another."""

    OFFICIAL = "official"
    """On the body's own account."""
    PROFESSIONAL = "professional"
    """On an account of one's own, as somebody who works for the body."""
    PERSONAL = "personal"
    """As a private person."""


class Effect(IntEnum):
    """What a finding does, from least to most. Never derived from confidence."""

    NOTE = 1
    ADVISE = 2
    HOLD = 3
    """The approver must look at it and accept it by name."""
    STOP = 4
    """The post cannot be sent for sign-off until it is put right."""

    @property
    def word(self) -> str:
        """The word people see: ``note``, ``advise``, ``hold``, ``stop``."""
        return self.name.lower()


class Verdict(StrEnum):
    """What the whole report comes to."""

    POST = "post"
    POST_WITH_CARE = "post_with_care"
    GET_SIGNOFF = "get_signoff"
    TAKE_IT_OFFLINE = "take_it_offline"
    """Not in public: go on by letter, telephone or a private message."""
    DO_NOT_POST = "do_not_post"


class Seniority(StrEnum):
    """How senior somebody is, for what they say as a private person."""

    JUNIOR = "junior"
    MIDDLE = "middle"
    SENIOR = "senior"


class Closeness(StrEnum):
    """How close what is said lies to the speaker's own work."""

    FAR = "far"
    NEAR = "near"
    """Another part of the same body's work."""
    CLOSE = "close"
    """What the speaker works on."""


class Captions(StrEnum):
    """Whether a video can be followed without sound."""

    NO = "no"
    YES = "yes"
    """There are some, perhaps made by a machine, that nobody has read through."""
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture, video or sound that goes out with the post.

    ``alt`` is ``None`` or blank where none was given. All that follows ``filename`` is ``None``
    where nobody has said: ``captions`` of a video; ``consent``, whether everyone who can be
    recognised has agreed, for a child a parent or guardian, on record; ``licence``, under which
    we may use it or that it is our own (blank: there is none); ``has_faces`` and ``has_children``,
    whether people, and whether children, can be recognised; ``has_location``, whether the file
    says where it was made; ``text_only``, whether it is a picture of words; ``ai_made``, whether a
    machine made it.
    """

    id: str
    media_type: str
    alt: str | None
    filename: str = ""
    captions: Captions | None = None
    consent: bool | None = None
    licence: str | None = None
    has_faces: bool | None = None
    has_children: bool | None = None
    has_location: bool | None = None
    text_only: bool | None = None
    ai_made: bool | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """The words and pictures to be looked at, exactly as the author wrote them."""

    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about the circumstances. ``None`` means *not known*, never *no*.

    ``publish_at`` is an aware datetime. ``periods`` holds the kinds of special period in force at
    that moment (``pre_election``, ``mourning``): empty means somebody said there is none; ``None``
    means nobody has said. A rule that needs a fact which is ``None`` answers *not evaluated*.
    ``language`` is a BCP 47 tag (``en``, ``cy``).

    ``seniority`` and ``closeness`` are for what people say as themselves. ``facts`` are the named
    facts that a rule needs and only people or the desk can know (``announced_to_parliament``);
    :data:`folkmoot.check.FACTS` and a pack's ``vocabulary.toml`` list them, with ``True`` or
    ``False``, or the words a fact may take. One that is left out is not known.
    """

    capacity: Capacity | None = None
    role: str | None = None
    channel: str | None = None
    nation: str | None = None
    language: str | None = None
    audience: str | None = None
    publish_at: datetime | None = None
    periods: frozenset[str] | None = None
    seniority: Seniority | None = None
    closeness: Closeness | None = None
    facts: Mapping[str, str | bool | None] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Span:
    """Where the words concerned stand: code points and UTF-16 units, end exclusive.

    ``place`` is ``text``, or ``attachment:<id>:alt`` for the alt text of a picture.
    """

    start: int
    end: int
    start_utf16: int
    end_utf16: int
    place: str = "text"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found, with the clauses it rests on and what to do about it.

    ``message`` is one sentence of what, ``advice`` one sentence of how to put it right.
    ``confidence`` is between 0 and 1. ``clear_by`` is the role that may clear it (``author``,
    ``approver``, ``lawyer`` ...; ``nobody`` for a stop that must be put right). ``outcome`` is
    ``take_it_offline`` where the rule says so, else empty. ``advice_cy`` is the advice in Welsh,
    or empty. ``because`` names the facts of the context that made the rule apply
    (``capacity=official``). ``fingerprint`` stays the same while rule, place and the words
    concerned stay the same, so that an answer to a finding can be kept with it.
    """

    rule: str
    title: str
    clauses: tuple[str, ...]
    effect: Effect
    confidence: float
    message: str
    advice: str
    clear_by: str
    spans: tuple[Span, ...]
    because: tuple[str, ...]
    fingerprint: str
    outcome: str = ""
    advice_cy: str = ""


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A rule that could not answer because facts are missing. Shown, never silent.

    ``effect`` is the most the rule could have said; ``missing`` the names of the facts. ``counts``
    says whether the verdict counts it: the rule could have held the post, and what it looks for is
    there, or it looks at no words at all.
    """

    rule: str
    title: str
    missing: tuple[str, ...]
    effect: Effect
    message: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person can judge. ``proceed`` is the answer (``yes`` or ``no``) under which the
    post may go on; any other answer means it should not go out as it stands.
    """

    id: str
    text: str
    hint: str
    clauses: tuple[str, ...]
    proceed: str


@dataclass(frozen=True, slots=True)
class Overridden:
    """A finding somebody has answered for, with their reason. It is counted apart."""

    finding: Finding
    reason: str
    who: str
    made_at: datetime
    expires_on: date


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the checker has to say of one post, in order of effect and then of place.

    ``looked_at`` holds the ids of the rules that were evaluated, whether or not they found
    anything, in alphabetical order: "nothing found" always says what was looked at. ``reasons``
    say in plain words what the verdict rests on and who may clear what; ``fine`` what somebody may
    say as themselves all the same. ``overridden`` are findings that were answered for: the verdict
    no longer counts them, and they are never dropped.
    """

    pack: str
    """The pack's reference: ``id@version#digest``."""
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()
    questions: tuple[Question, ...] = ()
    looked_at: tuple[str, ...] = field(default=())
    reasons: tuple[str, ...] = ()
    fine: tuple[str, ...] = ()
    overridden: tuple[Overridden, ...] = ()

    def at_least(self, effect: Effect) -> tuple[Finding, ...]:
        """The findings of this effect or a stronger one, strongest first."""
        return tuple(finding for finding in self.findings if finding.effect >= effect)


class CheckError(Exception):
    """Root of everything this engine raises. A check that failed is not a pass."""
