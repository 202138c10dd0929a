"""What can go wrong on a channel, as a list to be played: for training, and for tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol


class Occasion(StrEnum):
    """When a fault can strike."""

    PREPARE = "prepare"
    SEND = "send"
    LOOK_UP = "look_up"
    READ_BACK = "read_back"
    DIAGNOSE = "diagnose"


class Fault(StrEnum):
    """What goes wrong. On occasions other than those named, a fault means no answer came."""

    LOSE_ANSWER = "lose_answer"
    """The channel accepts; its answer is lost on the way back (send)."""
    DROP = "drop"
    """The request is lost on the way there: the channel never sees it."""
    REFUSE = "refuse"
    """The channel says no (prepare, send)."""
    SLOW = "slow"
    """The answer comes, late: after the channel's ``slow_seconds``."""
    RUBBISH = "rubbish"
    """The channel accepts and answers with something unreadable (send); reads are unreadable."""
    LIE = "lie"
    """A look-up says the post is not there although it is; reading back shows another text."""


class Faults(Protocol):
    """Says which fault strikes next. The desk may keep its own script in its database."""

    def next_fault(self, occasion: Occasion, key: str) -> Fault | None:
        """The fault for this call about ``key`` (empty for a diagnosis); ``None``: all is well."""
        ...


class Script:
    """Faults in order, for each occasion apart; when a list is used up, all is well.

    ``Script(send=[Fault.LOSE_ANSWER, None])`` loses the first answer and nothing after it.
    """

    def __init__(
        self,
        *,
        prepare: Iterable[Fault | None] = (),
        send: Iterable[Fault | None] = (),
        look_up: Iterable[Fault | None] = (),
        read_back: Iterable[Fault | None] = (),
        diagnose: Iterable[Fault | None] = (),
    ) -> None:
        self._waiting = {
            Occasion.PREPARE: deque(prepare),
            Occasion.SEND: deque(send),
            Occasion.LOOK_UP: deque(look_up),
            Occasion.READ_BACK: deque(read_back),
            Occasion.DIAGNOSE: deque(diagnose),
        }

    def next_fault(self, occasion: Occasion, key: str) -> Fault | None:  # noqa: ARG002
        """The next fault of the occasion's list, whatever the key."""
        waiting = self._waiting[occasion]
        return waiting.popleft() if waiting else None
