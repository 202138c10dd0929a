"""Tokens of a signed-in account: kept outside, renewed by one at a time, never lost to a blip.

What goes wrong with tokens elsewhere: two workers renew at once and each ruins the other's (a
refresh token is often good for one use); a new token is used before it is kept, and is gone with
the process; an answer without a token overwrites one that was good. So a token is renewed under a
lock that holds across processes, whoever waited for the lock first looks whether the work is done,
and what comes is kept before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Protocol


class TokenStore(Protocol):
    """Keeps what proves that one account is signed in. The desk keeps it sealed.

    What is kept is a small mapping of the channel's own; values are text, and secret.
    """

    def find(self) -> Mapping[str, str] | None:
        """What was saved last, by whichever process, or ``None``."""
        ...

    def save(self, tokens: Mapping[str, str]) -> None:
        """Keep ``tokens`` in place of the last. When this returns they are safe."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Be the only one, over all processes, who renews this account's tokens. Waits.

        May be entered again by the one who is in it.
        """
        ...


class MemoryTokens:
    """Keeps tokens as long as the process lives."""

    def __init__(self, tokens: Mapping[str, str] | None = None) -> None:
        self._tokens = dict(tokens) if tokens is not None else None
        self._lock = RLock()

    def find(self) -> Mapping[str, str] | None:
        """See :class:`TokenStore`."""
        return self._tokens

    def save(self, tokens: Mapping[str, str]) -> None:
        """See :class:`TokenStore`."""
        self._tokens = dict(tokens)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """See :class:`TokenStore`."""
        with self._lock:
            yield


class CannotSignIn(Exception):
    """Nobody is signed in. ``reason`` is a sentence for a person; ``retry`` says whether it may
    pass by itself; ``after_seconds`` is how long the channel asked us to wait, where it did.
    """

    def __init__(self, reason: str, *, retry: bool, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token, the refresh token beside it (empty where the channel gives none), and when
    the access token and the whole sign-in end; ``None`` where the channel does not say.
    """

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    access_ends_at: datetime | None = None
    sign_in_ends_at: datetime | None = None

    def to_tokens(self) -> dict[str, str]:
        """As a :class:`TokenStore` keeps it."""
        times = {
            "access_ends_at": self.access_ends_at,
            "sign_in_ends_at": self.sign_in_ends_at,
        }
        kept = {name: at.astimezone(UTC).isoformat() for name, at in times.items() if at}
        return {"access": self.access, "refresh": self.refresh, **kept}

    @classmethod
    def from_tokens(cls, tokens: Mapping[str, str]) -> Grant:
        """From what :meth:`to_tokens` made. Raises :class:`ValueError` for anything else."""
        if not tokens.get("access"):
            raise ValueError("there is no access token in it")
        return cls(
            tokens["access"],
            tokens.get("refresh", ""),
            *(
                datetime.fromisoformat(tokens[name]) if tokens.get(name) else None
                for name in ("access_ends_at", "sign_in_ends_at")
            ),
        )


class Grants:
    """The grant of one account, and its renewal.

    ``renew`` asks the channel for a new grant in place of one, and raises :class:`CannotSignIn`.
    ``missing`` is the sentence for an account that has no grant at all.
    """

    def __init__(self, store: TokenStore, renew: Callable[[Grant], Grant], *, missing: str) -> None:
        self._store = store
        self._renew = renew
        self._missing = missing

    def find(self) -> Grant | None:
        """The grant kept last; ``None`` where there is none, or what is kept is of another kind."""
        try:
            return Grant.from_tokens(self._store.find() or {})
        except ValueError:
            return None

    def get(self, now: datetime, *, ahead_seconds: float = 60.0) -> Grant:
        """A grant whose access token is good for ``ahead_seconds`` more, renewed if need be.

        Raises :class:`CannotSignIn`.
        """
        grant = self.find()
        if grant is None:
            raise CannotSignIn(self._missing, retry=False)
        ends_at = grant.access_ends_at
        if ends_at is not None and (ends_at - now).total_seconds() < ahead_seconds:
            return self.renew(grant)
        return grant

    def renew(self, spent: Grant) -> Grant:
        """A grant in place of ``spent``, whose access token the channel does not take any more.

        Raises :class:`CannotSignIn`; then what was kept is still kept.
        """
        with self._store.alone():
            kept = self.find()
            if kept is not None and kept.access != spent.access:
                return kept  # somebody else renewed it while we waited
            old = kept or spent
            fresh = self._renew(old)
            if not fresh.access:
                raise CannotSignIn(
                    "The channel answered without a token. What was there before is kept, and it"
                    " is tried again.",
                    retry=True,
                )
            if not fresh.refresh and old.refresh:
                # An answer that leaves the refresh token out means that the old one stays good
                # (RFC 6749, section 6), for as long as it would have been.
                ends_at = fresh.sign_in_ends_at or old.sign_in_ends_at
                fresh = Grant(fresh.access, old.refresh, fresh.access_ends_at, ends_at)
            self._store.save(fresh.to_tokens())
            return fresh
