"""Every kind of channel: what is asked of whoever connects an account, and how one is built.

To add a channel, make a folder whose ``__init__`` has ``KIND`` and name it in :data:`CHANNELS`.
The channels that the desk serves itself (the feed, the practice channel) have no kind: they stand
on the desk's own tables, and the desk builds them. E-mail has one for what hands the e-mails over;
what is published stands on the desk's tables too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Protocol

from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import Adapter
from folkmoot.channels.tokens import TokenStore

CHANNELS = (
    "bluesky",
    "mastodon",
    "x",
    "facebook",
    "instagram",
    "threads",
    "linkedin",
    "email",
    "webhook",
)
"""The channels that have a ``KIND``, in the order in which they are offered."""


class CannotConnect(Exception):
    """What was typed, or what the channel answered, makes no account. ``field`` names the field it
    is about, where it is about one; the message is a sentence that says what to do.
    """

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """One field of the form that connects an account. ``secret`` ones are sealed and never shown
    again.
    """

    name: str
    label: str
    hint: str = ""
    default: str = ""
    secret: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """An account as its adapter is built from it.

    ``handle`` is what the channel calls it and ``server`` where it is reached (both empty where
    the channel has no such thing); ``settings`` and ``secrets`` are the other fields of the form by
    name. ``secrets`` is empty where only the capabilities are asked for. ``picture_url`` gives,
    from a picture's SHA-256 and media type, an https address that nobody can guess, where a channel
    that takes no files can fetch the picture before it is published. ``now`` is the time.
    """

    handle: str
    server: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    outbound: Outbound = field(repr=False)
    tokens: TokenStore = field(repr=False)
    picture_url: Callable[[str, str], str] = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)


class Authorisation(Protocol):
    """Signing in on the channel's own page (OAuth 2.0 authorisation code with PKCE, RFC 7636)."""

    def begin(self, account: Connected, *, redirect_uri: str, state: str, challenge: str) -> str:
        """The address to send the person to. ``challenge`` is the S256 code challenge; a channel
        without PKCE takes no notice of it. Pure. Raises :class:`CannotConnect`.
        """
        ...

    def finish(self, account: Connected, *, redirect_uri: str, code: str, verifier: str) -> None:
        """Exchange ``code`` for tokens and save them in ``account.tokens``. Raises
        :class:`CannotConnect`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel.

    ``name_of`` gives, from what was typed, the account's handle and server, and raises
    :class:`CannotConnect` for what cannot be right. ``build`` makes the adapter without asking the
    network; it takes a :class:`Connected` with no secrets too, and then only ``capabilities`` and
    ``make_key`` may be asked. ``about`` tells whoever connects an account where to find what is
    asked for.
    """

    channel: str
    title: str
    about: str
    wanted: tuple[Wanted, ...]
    name_of: Callable[[Mapping[str, str]], tuple[str, str]]
    build: Callable[[Connected], Adapter]
    authorisation: Authorisation | None = None


def get_kind(channel: str) -> Kind:
    """The kind of this name. Raises :class:`KeyError` where there is none."""
    if channel not in CHANNELS:
        raise KeyError(channel)
    kind = import_module(f"folkmoot.channels.{channel}").KIND
    assert isinstance(kind, Kind)
    return kind
