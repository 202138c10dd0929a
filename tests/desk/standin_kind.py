"""Two kinds of channel that do as they are told: one by password, one by its own sign-in page."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from folkmoot.channels import kinds
from folkmoot.channels.kinds import CannotConnect, Kind, Wanted
from folkmoot.channels.tokens import CannotSignIn
from folkmoot.desk.accounts import actions, queries
from folkmoot.desk.accounts.adapters import CHANNELS

SECRET = "abcd-efgh-ijkl-mnop"


@dataclass
class Door:
    """What the channel says, and what it was asked with."""

    trouble: str | None = None
    ends_at: object = None
    code_wrong: str = ""
    seen: list = field(default_factory=list)
    exchanged: list = field(default_factory=list)


class Adapter:
    def __init__(self, door, account):
        self.door, self.account = door, account

    def capabilities(self):
        from folkmoot.channels import Capabilities
        from folkmoot.channels.limits import characters

        return Capabilities(
            "standin", "Standin", (characters(300),), 4, 10**6, frozenset({"image/png"}), 1
        )

    def make_key(self, delivery_id, due_at):
        return delivery_id

    def diagnose(self):
        self.door.seen.append((self.account.handle, dict(self.account.secrets)))
        if not self.account.tokens.find():
            try:
                self.account.tokens.save({"access": f"token of {self.account.handle}"})
            except CannotSignIn as fault:
                return fault.reason
        return self.door.trouble

    def sign_in_ends_at(self):
        return self.door.ends_at


class Page:
    """The channel's own sign-in page."""

    def __init__(self, door):
        self.door = door

    def begin(self, account, *, redirect_uri, state, challenge):
        assert account.settings["client_id"]
        return (
            f"https://standin.example/allow?state={state}&challenge={challenge}&to={redirect_uri}"
        )

    def finish(self, account, *, redirect_uri, code, verifier):
        self.door.exchanged.append((code, verifier, redirect_uri, dict(account.secrets)))
        if self.door.code_wrong:
            raise CannotConnect(self.door.code_wrong)
        with account.tokens.alone():
            account.tokens.save({"access": f"token for {code}"})


def name_of(typed):
    handle = typed["handle"].strip().lstrip("@").lower()
    if "." not in handle:
        raise CannotConnect("Enter the account's name, such as moot.example.", "handle")
    return handle, typed["server"].rstrip("/")


@pytest.fixture
def door(monkeypatch):
    """The stand-in channel, which lets everybody in until it is told otherwise."""
    door = Door()
    fields = (
        Wanted("handle", "Handle"),
        Wanted("server", "Server", default="https://standin.example"),
    )
    own = (Wanted("password", "App password", secret=True), Wanted("tone", "Tone", optional=True))
    app = (Wanted("client_id", "Client ID"), Wanted("client_secret", "Client secret", secret=True))
    made = (
        Kind("standin", "Standin", "Ask Standin.", (*fields, *own), name_of, _builder(door)),
        Kind("pagein", "Pagein", "Ask.", (*fields, *app), name_of, _builder(door), Page(door)),
    )
    for kind in made:
        module = ModuleType(f"folkmoot.channels.{kind.channel}")
        module.KIND = kind
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(CHANNELS, kind.channel, kind.title)
    monkeypatch.setattr(kinds, "CHANNELS", (*kinds.CHANNELS, "standin", "pagein"))
    return door


def _builder(door):
    return lambda account: Adapter(door, account)


TYPED = {
    "handle": "@Moot.Example ",
    "server": "https://standin.example/",
    "password": SECRET,
    "tone": "calm",
}


def propose(cast, who=None, *, name="", again=None, channel="standin", now=None, **change):
    """A proposal, by Dan unless somebody else is named."""
    return actions.propose(
        who or cast.dan,
        channel=channel,
        name=name,
        typed={**TYPED, **change},
        now=now or cast.clock(),
        again=again,
    )


def connect(cast, **more):
    """An account connected by two: proposed by Dan, confirmed by Bob."""
    return actions.confirm(cast.bob, propose(cast, **more).pk, now=cast.clock())


def again(account):
    """The account as the database has it."""
    return queries.Account.objects.get(pk=account.pk)
