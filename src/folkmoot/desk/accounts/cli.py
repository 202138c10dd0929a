"""``folkmoot channels``: which accounts there are, and what a channel itself says of one."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta

from folkmoot.channels import Adapter, Unreadable
from folkmoot.channels.tokens import CannotSignIn
from folkmoot.desk.people.queries import Organisation

from . import queries
from .models import Account
from .watching import diagnose

WELL, UNWELL, WRONG = 0, 1, 2


def run(argv: list[str]) -> int:
    """List accounts, or diagnose them here and now. The exit status: 0 where all can post, 1 where
    one cannot, 2 with a sentence where there is no such account.
    """
    parser = argparse.ArgumentParser(
        prog="folkmoot channels", description="Accounts on channels, and how they are."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="every connected account, and what is known of it")
    asked = verbs.add_parser(
        "diagnose",
        help="ask the channel directly whether an account can post, and say in words what is wrong",
    )
    asked.add_argument("account", nargs="?", default="", help="its id, handle or name")
    asked.add_argument("--all", action="store_true", help="every connected account")
    args = parser.parse_args(argv[1:])
    if args.verb == "list":
        return _list()
    if bool(args.account) == args.all:
        parser.error("name one account, or say --all")
    found = queries.search_accounts("" if args.all else args.account)
    if not found:
        print(
            f"folkmoot channels: there is no connected account {args.account!r}. `folkmoot channels"
            " list` names them all."
            if args.account
            else "folkmoot channels: there is no connected account.",
            file=sys.stderr,
        )
        return WRONG
    well = [_diagnose(account) for account in found]
    return WELL if all(well) else UNWELL


def _list() -> int:
    now = datetime.now(UTC)
    accounts = queries.search_accounts("")
    unwell = {
        found.account.pk: found.sentence
        for organisation in {account.organisation for account in accounts}
        for found in queries.list_unwell(organisation, now)
    }
    for account in accounts:
        said = unwell.get(account.pk, "Nothing is known to be wrong.")
        print(f"{account.pk:>4}  {_place(account)}\n      {said}")
    if not accounts:
        print("There is no connected account.")
    return WELL


def _diagnose(account: Account) -> bool:
    """Print what the channel says of ``account``; whether it can post."""
    print(_place(account))
    before = queries.list_troubles(account)
    trouble = diagnose(account, lambda: datetime.now(UTC))
    _say("Sign-in", trouble or "The channel lets it in.")
    _say("Posting", "It cannot post until that is put right." if trouble else "It can post.")
    ends_at = account.sign_in_ends_at
    _say(
        "Ends",
        f"The sign-in ends on {_moment(ends_at, account.organisation)}."
        if ends_at
        else "The sign-in does not end, as far as the channel says.",
    )
    if not trouble:
        _say("Pace", _pace(queries.open_adapter(account)))
    _say("Troubles", "None is remembered." if not before else "The last, newest first:")
    for one in before:
        _say("", f"{_moment(one.at, account.organisation)}: {one.sentence}")
    print()
    return not trouble


def _pace(adapter: Adapter) -> str:
    """What is left of what the channel lets an account post, by the account's own timeline."""
    pace = adapter.capabilities().pace
    if pace is None:
        return "The channel states no limit."
    span = _span(pace.seconds)
    try:
        seen = adapter.list_recent(pace.posts)
    except CannotSignIn as fault:
        seen = Unreadable(fault.reason)
    if isinstance(seen, Unreadable):
        return f"{pace.posts} posts within {span}; what was used cannot be read: {seen.reason}"
    since = datetime.now(UTC) - timedelta(seconds=pace.seconds)
    used = sum(1 for one in seen if one.at >= since)
    return f"{used} of {pace.posts} posts within {span} are used; {pace.posts - used} are left."


def _span(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            many = seconds // size
            return f"{many} {name}{'' if many == 1 else 's'}"
    raise AssertionError(seconds)


def _place(account: Account) -> str:
    where = queries.CHANNELS.get(account.channel, account.channel)
    handle = f"{account.handle} on " if account.handle else ""
    server = f" at {account.server}" if account.server else ""
    return f"{account.name}: {handle}{where}{server} ({account.organisation.name})"


def _moment(at: datetime, organisation: Organisation) -> str:
    local = at.astimezone(organisation.timezone)
    return f"{local:%A} {local.day} {local:%B %Y} at {local:%H:%M}"


def _say(key: str, value: str) -> None:
    print(f"  {key:<9} {value}")
