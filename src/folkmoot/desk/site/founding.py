"""``folkmoot found``: a body of one's own and its first members, from the command line."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime

from django.db import transaction

from folkmoot.desk.accounts import actions as accounts
from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role

from .config import Config
from .practice import typeable_password


class BadMember(Exception):
    """A member was named in a way that cannot be used; the message says how to."""


def found(argv: list[str], config: Config) -> int:
    """Found an organisation with its feed and members, and print their passwords once.

    The exit status: 0, or 2 with a sentence where something was refused; then nothing was made.
    """
    parser = argparse.ArgumentParser(
        prog="folkmoot found", description="Found an organisation, with its feed and first members."
    )
    parser.add_argument("name", help="the body's name, such as 'Anytown Council'")
    parser.add_argument("--pack", default="uk-public-body", help="the guidance it holds itself to")
    parser.add_argument("--nation", default="UK", help="UK, England, Scotland, Wales or NI")
    parser.add_argument("--zone", default="Europe/London", help="its time zone")
    parser.add_argument(
        "--member",
        action="append",
        required=True,
        metavar="'NAME <EMAIL> ROLES'",
        help="such as 'Jo Bevan <jo@anytown.example> author,admin'; once for each member. There "
        "must be an author, an admin, and an approver who is not the only author",
    )
    args = parser.parse_args(argv)
    try:
        lines = _found(args, config)
    except (BadMember, people.PeopleRefused) as refused:
        print(f"folkmoot found: {refused}", file=sys.stderr)
        return 2
    print(f"{args.name} is founded. Give each member their password; it is not shown again:")
    for line in lines:
        print(f"  {line}")
    return 0


@transaction.atomic
def _found(args: argparse.Namespace, config: Config) -> list[str]:
    now = datetime.now(UTC)
    members = [_read_member(text) for text in args.member]
    held = {role for _, _, roles in members for role in roles}
    if missing := {Role.AUTHOR, Role.APPROVER, Role.ADMIN} - held:
        raise BadMember(f"Nobody is {' or '.join(sorted(missing))}. Each role needs somebody.")
    slug = re.sub(r"[^a-z0-9]+", "-", args.name.lower()).strip("-") or "body"
    body = people.found_organisation(
        slug=slug,
        name=args.name,
        introduction="",
        zone=args.zone,
        nation=args.nation,
        pack=args.pack,
        now=now,
    )
    accounts.open_own_channel(body, channel="atom", name="Our feed", handle=config.host, now=now)
    accounts.open_own_channel(
        body, channel="practice", name="Practice channel", handle="practice", now=now
    )
    lines = []
    for name, email, roles in members:
        password = typeable_password()
        people.add_member(body, email=email, name=name, roles=roles, password=password, now=now)
        lines.append(f"{name} <{email}>, {', '.join(sorted(roles))}: {password}")
    return lines


def _read_member(text: str) -> tuple[str, str, tuple[Role, ...]]:
    match = re.fullmatch(r"\s*(.+?)\s*<([^<>\s]+)>\s*([a-z, ]+)", text)
    if match is None:
        raise BadMember(f"Write {text!r} as 'Jo Bevan <jo@anytown.example> author,admin'.")
    words = [word for word in re.split(r"[,\s]+", match[3]) if word]
    unknown = set(words) - set(Role)
    if unknown:
        raise BadMember(
            f"There is no role {', '.join(sorted(unknown))}; there are {', '.join(Role)}."
        )
    return match[1], match[2], tuple(Role(word) for word in words)
