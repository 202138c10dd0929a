"""A sign-in on an AT Protocol server, as it is kept in a :class:`~.tokens.TokenStore`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Session:
    """Proof of having signed in. ``server`` is the account's own server, found at sign-in.

    The tokens are left out of the ``repr``.
    """

    handle: str
    did: str
    server: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)

    def to_tokens(self) -> dict[str, str]:
        """As a token store keeps it."""
        return asdict(self)

    @classmethod
    def from_tokens(cls, tokens: Mapping[str, str]) -> Session:
        """From what :meth:`to_tokens` made. Raises :class:`ValueError` for anything else."""
        names = ("handle", "did", "server", "access", "refresh")
        if not all(tokens.get(name) for name in names):
            raise ValueError("this is not a session of Bluesky's")
        return cls(*(tokens[name] for name in names))
