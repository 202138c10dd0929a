"""The lives of a subscriber and of one e-mail to one subscriber."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from folkmoot.lifecycle import Guard, Lifecycle, Step


class SubscriberState(StrEnum):
    """Where a subscriber stands. Only who is ``confirmed`` is written to."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    LEFT = "left"


SUBSCRIBER_WORDS = {
    SubscriberState.ASKED: "Asked, not confirmed",
    SubscriberState.CONFIRMED: "Get the posts",
    SubscriberState.PAUSED: "Paused: their address takes nothing",
    SubscriberState.LEFT: "Left",
}


class MailState(StrEnum):
    """Where an e-mail stands. ``handing`` is for the moment of handing it over; one whose lease ran
    out there was being handed over by a worker that died. ``unsure`` and ``lapsed`` wait for a
    person; ``left`` was not sent, on purpose.
    """

    QUEUED = "queued"
    HANDING = "handing"
    HANDED = "handed"
    REFUSED = "refused"
    UNSURE = "unsure"
    LAPSED = "lapsed"
    LEFT = "left"


MAIL_WORDS = {
    MailState.QUEUED: "Waiting",
    MailState.HANDING: "Being handed over",
    MailState.HANDED: "Handed over",
    MailState.REFUSED: "Refused",
    MailState.UNSURE: "Nobody knows",
    MailState.LAPSED: "Not sent in time",
    MailState.LEFT: "Left unsent",
}


@dataclass(frozen=True, slots=True)
class SubscriberFacts:
    """What the guards read."""

    now: datetime
    link_until: datetime | None = None
    """How long the link that confirms works."""


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What the guards read."""

    now: datetime
    not_after: datetime
    against: tuple[str, ...] = ()
    """What the last look found against handing it over."""


def _link_works(facts: SubscriberFacts) -> tuple[str, ...]:
    if facts.link_until is None or facts.now <= facts.link_until:
        return ()
    return ("This link is too old. Ask for the posts again, and use the link you get then.",)


def _is_in_time(facts: MailFacts) -> tuple[str, ...]:
    return () if facts.now <= facts.not_after else ("Its time has passed. Nothing is sent late.",)


def _passed_last_look(facts: MailFacts) -> tuple[str, ...]:
    return facts.against


ANYONE, WORKER = frozenset({"anyone"}), frozenset({"worker"})
LEAVERS = frozenset({"anyone", "worker", "admin"})
DECIDERS = frozenset({"approver", "admin"})
A = SubscriberState
SUBSCRIBER = Lifecycle(
    "subscriber",
    states=SubscriberState,
    initial=A.ASKED,
    final={A.LEFT},
    steps=(
        # Whoever was paused, asks once more and confirms has an address that takes e-mails.
        Step(
            "confirm",
            "confirmed",
            frozenset({A.ASKED, A.PAUSED}),
            A.CONFIRMED,
            ANYONE,
            (_link_works,),
        ),
        Step("pause", "paused", frozenset({A.CONFIRMED}), A.PAUSED, WORKER),
        Step("expire", "expired", frozenset({A.ASKED}), A.LEFT, WORKER),
        Step("leave", "left", frozenset({A.ASKED, A.CONFIRMED, A.PAUSED}), A.LEFT, LEAVERS),
    ),
)


def _row(verb: str, done: str, sources: set[MailState], target: MailState, *guards: Guard) -> Step:
    return Step(verb, done, frozenset(sources), target, WORKER, guards)


M = MailState
MAIL = Lifecycle(
    "mail",
    states=MailState,
    initial=M.QUEUED,
    final={M.HANDED, M.REFUSED, M.LEFT},
    steps=(
        _row("hand", "handing", {M.QUEUED}, M.HANDING, _is_in_time, _passed_last_look),
        _row("confirm", "handed", {M.HANDING, M.UNSURE}, M.HANDED),
        _row("refuse", "refused", {M.HANDING}, M.REFUSED),
        _row("wait", "put_off", {M.HANDING}, M.QUEUED),
        _row("doubt", "doubted", {M.HANDING, M.QUEUED}, M.UNSURE),
        _row("clear", "cleared", {M.UNSURE}, M.QUEUED),
        _row("lapse", "lapsed", {M.QUEUED}, M.LAPSED),
        _row("drop", "dropped", {M.QUEUED}, M.LEFT),
        Step("send_again", "sent_again", frozenset({M.UNSURE, M.LAPSED}), M.QUEUED, DECIDERS),
        Step("leave", "left", frozenset({M.UNSURE, M.LAPSED}), M.LEFT, DECIDERS | WORKER),
    ),
)
