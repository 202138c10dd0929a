"""Where the tokens of a signed-in account are kept between calls: outside, for they are secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Session:
    """Proof of having signed in. ``server`` is the account's own server, found at sign-in.

    The tokens are left out of the ``repr``.
    """

    handle: str
    did: str
    server: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


class Sessions(Protocol):
    """Keeps the session of one account. The desk keeps it encrypted.

    One process at a time may use an account's session: a refresh token is good for one use.
    """

    def find(self) -> Session | None:
        """The session saved last, or ``None``."""
        ...

    def save(self, session: Session) -> None:
        """Keep ``session`` in place of the last. When this returns it is safe."""
        ...


class MemorySessions:
    """Keeps a session as long as the process lives."""

    def __init__(self) -> None:
        self._session: Session | None = None

    def find(self) -> Session | None:
        """See :class:`Sessions`."""
        return self._session

    def save(self, session: Session) -> None:
        """See :class:`Sessions`."""
        self._session = session
