"""An account's tokens, sealed on its row, and the lock under which they are renewed."""

from __future__ import annotations

import fcntl
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import cast

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from folkmoot.channels.outbound import seconds_left
from folkmoot.channels.tokens import CannotSignIn

from .lifecycle import AccountState
from .models import Account
from .vault import seal, unseal

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.05
# PostgreSQL's advisory locks are pairs of numbers; this first one spells "tokn".
TOKENS_LOCK = 0x746F6B6E


def place_of(account: Account, what: str) -> str:
    """Where a sealed value belongs, as the vault knows it: to what the account *is*.

    A password moved to a row with another server does not open, so it is never sent there; one that
    a proposal hands over to the account it is for does.
    """
    return json.dumps(
        [
            account.organisation_id,
            account.channel,
            account.server,
            account.handle,
            account.settings,
            what,
        ],
        sort_keys=True,
    )


class SealedTokens:
    """The tokens of one account: the engine's ``TokenStore``."""

    def __init__(self, account: Account) -> None:
        assert account.pk is not None
        self._account_id = account.pk
        self._place = place_of(account, "tokens")
        self._secret = account.secret

    def find(self) -> Mapping[str, str] | None:
        """What was saved last, by whichever process. Raises ``VaultError``."""
        sealed = (
            Account.objects.filter(pk=self._account_id).values_list("tokens", flat=True).first()
        )
        return cast("dict[str, str]", json.loads(unseal(self._place, sealed))) if sealed else None

    def save(self, tokens: Mapping[str, str]) -> None:
        """Keep ``tokens`` in place of the last.

        Not for an account that was disconnected, told to forget its tokens, or connected again
        while we asked for them: what it holds now, or does not hold any more, was a person's will.
        """
        Account.objects.filter(pk=self._account_id, secret=self._secret).exclude(
            state=AccountState.DISCONNECTED
        ).update(tokens=seal(self._place, json.dumps(dict(tokens))))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one, over all processes, who renews this account's tokens.

        May be entered again by the thread that is in it. Raises :class:`CannotSignIn` where another
        is in it for longer than a minute.
        """
        left = seconds_left()
        wait = WAIT_SECONDS if left is None else min(WAIT_SECONDS, left)
        end = time.monotonic() + wait
        held = _held_by_us(self._account_id)
        if not held.thread.acquire(timeout=wait):
            raise _too_long()
        try:
            if held.depth:
                held.depth += 1
                try:
                    yield
                finally:
                    held.depth -= 1
                return
            with ExitStack() as stack:
                if connection.vendor == "postgresql":
                    _lock_in_database(self._account_id, end, stack)
                else:
                    _lock_file(self._account_id, end, stack)
                held.depth = 1
                try:
                    yield
                finally:
                    held.depth = 0
        finally:
            held.thread.release()


class _Held:
    """What this process knows of one account's lock: which thread is in it, and how deep."""

    def __init__(self) -> None:
        self.thread = threading.RLock()
        self.depth = 0


_HELD: dict[int, _Held] = {}
_HELD_LOCK = threading.Lock()


def _held_by_us(account_id: int) -> _Held:
    with _HELD_LOCK:
        return _HELD.setdefault(account_id, _Held())


def _lock_in_database(account_id: int, end: float, stack: ExitStack) -> None:
    # On a connection of its own: a transaction that fails does not keep us from letting go, and a
    # process that dies lets go by dying.
    line: BaseDatabaseWrapper = connection.copy()
    stack.callback(line.close)

    def took_it() -> bool:
        with line.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [TOKENS_LOCK, account_id % 2**31])
            row = cursor.fetchone()
        return row is not None and bool(row[0])

    _wait(took_it, end)


def _lock_file(account_id: int, end: float, stack: ExitStack) -> None:
    file = settings.CONFIG.home / "locks" / f"account-{account_id}.lock"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened = stack.enter_context(file.open("a"))

    def took_it() -> bool:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    _wait(took_it, end)


def _wait(took_it: Callable[[], bool], end: float) -> None:
    while not took_it():
        if time.monotonic() >= end:
            raise _too_long()
        time.sleep(LOOK_SECONDS)


def _too_long() -> CannotSignIn:
    return CannotSignIn(
        "This account's sign-in has been renewed elsewhere for more than a minute, and is not done"
        " yet. It is tried again.",
        retry=True,
    )
