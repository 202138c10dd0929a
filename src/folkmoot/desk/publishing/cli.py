"""``folkmoot stop``: the kill switch from the command line, for when no browser is at hand."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.people.queries import Organisation, find_organisation, list_organisations
from folkmoot.desk.stops import queries as stops
from folkmoot.desk.stops.actions import StopRefused
from folkmoot.desk.stops.queries import StopKind, StopScope, StopState

from . import stopping

IN_FORCE, NOT_YET, WRONG = 0, 1, 2
LOOK_EVERY_SECONDS = 0.1


def run(argv: list[str]) -> int:
    """Stop publishing and wait until it is in force, or list what stands stopped.

    The exit status: 0 where it is in force, 1 where something was still on its way when the waiting
    ended, 2 with a sentence where nothing was done. Lifting a stop is for a person who is signed
    in.
    """
    parser = argparse.ArgumentParser(
        prog="folkmoot stop",
        description="Stop publishing now. Lift it on the desk's page Stop, signed in.",
    )
    parser.add_argument("reason", nargs="?", default="", help="why, in a few words")
    parser.add_argument(
        "--organisation", default="", help="its short name, where there are several"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--account", default="", help="only this account: its id, handle or name")
    what.add_argument("--channel", default="", help="only this channel, such as bluesky")
    what.add_argument("--topic", default="", help="only posts on this topic")
    what.add_argument("--incident", default="", help="everything but posts on this topic")
    what.add_argument("--list", action="store_true", help="only say what stands stopped")
    parser.add_argument(
        "--wait", type=float, default=40.0, help="seconds to wait for what is on its way (40)"
    )
    args = parser.parse_args(argv[1:])
    try:
        body = _find_body(args.organisation)
        return _list(body) if args.list else _stop(body, args)
    except StopRefused as refused:
        print(f"folkmoot stop: {refused}", file=sys.stderr)
        return WRONG


def _stop(body: Organisation, args: argparse.Namespace) -> int:
    scope, target, kind = StopScope.EVERYTHING, "", StopKind.STOP
    if args.account:
        scope, target = StopScope.ACCOUNT, _find_account(body, args.account)
    elif args.channel:
        if args.channel not in accounts.CHANNELS:
            raise StopRefused(
                f"There is no channel {args.channel!r}; there are {', '.join(accounts.CHANNELS)}."
            )
        scope, target = StopScope.CHANNEL, args.channel
    elif args.topic:
        scope, target = StopScope.TOPIC, args.topic
    elif args.incident:
        kind = StopKind.INCIDENT
    stop = stopping.press(
        body,
        reason=args.reason,
        now=datetime.now(UTC),
        member=None,
        kind=kind,
        scope=scope,
        target=target,
        topic=args.incident,
    )
    print("Pressed: nothing new leaves.", flush=True)
    end = time.monotonic() + args.wait
    while not stopping.acknowledge(stop, _now):
        if time.monotonic() > end:
            count = stopping.count_on_their_way(stop, _now())
            print(f"{count} that had left before are still on their way. See the page Stop.")
            return NOT_YET
        time.sleep(LOOK_EVERY_SECONDS)
    print("In force: nothing is on its way.")
    return IN_FORCE


def _list(body: Organisation) -> int:
    standing = stops.list_standing(body)
    for stop in standing:
        state = "in force" if stop.state == StopState.IN_FORCE else "stopping"
        what = stop.scope if not stop.target else f"{stop.scope} {stop.target}"
        print(f"{state}: {what}, since {stop.pressed_at:%Y-%m-%d %H:%M} UTC. {stop.reason}")
    if not standing:
        print("Nothing stands stopped.")
    return IN_FORCE


def _find_body(name: str) -> Organisation:
    bodies = list_organisations()
    found = find_organisation(name) if name else (bodies[0] if len(bodies) == 1 else None)
    if found is None:
        names = ", ".join(body.slug for body in bodies) or "none yet"
        raise StopRefused(f"Say which organisation with --organisation; there are {names}.")
    return found


def _find_account(body: Organisation, words: str) -> str:
    found = [one for one in accounts.search_accounts(words) if one.organisation_id == body.pk]
    if len(found) != 1:
        raise StopRefused(
            f"{len(found)} accounts go by {words!r}. `folkmoot channels list` names them all."
        )
    return str(found[0].pk)


def _now() -> datetime:
    return datetime.now(UTC)
