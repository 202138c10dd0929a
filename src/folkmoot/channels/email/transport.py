"""What hands e-mails over, and what came of handing one over.

An e-mail is handed over once. Only a clear *no*, or a failure before anything can have been taken,
lets the same one be handed over again; everything else is :class:`Unsure`, and is asked about where
the transport can be asked, or put before a person where it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from folkmoot.channels.email.letter import Letter


@dataclass(frozen=True, slots=True)
class Handed:
    """It was taken, and is now for others to deliver. ``remote_id`` is their name for it, empty
    where they gave none.
    """

    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A clear no for good, about this e-mail. ``reason`` is a sentence; ``about_address`` whether
    the address is what is wrong: nobody has it, or it takes nothing.
    """

    reason: str
    about_address: bool = False


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nothing was taken, and it may be handed over again after ``after_seconds``.

    ``for_all`` says that it is not about this e-mail: the server is down, the password is wrong,
    the day's allowance is used up. ``reason`` is a sentence.
    """

    reason: str
    after_seconds: float = 60.0
    for_all: bool = False


@dataclass(frozen=True, slots=True)
class Unsure:
    """Nobody knows whether it was taken. Must never be handed over again on this account."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """Asked about, and proven never to have been taken."""


class CannotOpen(Exception):
    """There is no transport to work with; the message is a sentence that says what to do."""


class Transport(Protocol):
    """Takes e-mails, one at a time. Used from one thread, and closed after a short while.

    No method raises for anything a server or the network does.
    """

    can_find: bool
    """Whether :meth:`find` can ever answer anything but :class:`Unsure`."""
    per_minute: int
    """How many letters a minute it is to be given, at most."""

    def hand_over(self, letter: Letter) -> Handed | NotTaken | NotNow | Unsure:
        """Hand ``letter`` over, once. Ends within 100 seconds, whatever the server does."""
        ...

    def find(self, reference: str) -> Handed | NotThere | Unsure:
        """What became of the letter with this reference. Reads only."""
        ...

    def diagnose(self) -> str | None:
        """``None`` where e-mails can be handed over, else a sentence that says what is wrong and
        what to do. Sends nothing.
        """
        ...

    def close(self) -> None:
        """Let go of any connection."""
        ...
