"""``folkmoot ledger hold``, ``dispose`` and ``erase``: what the pages do, from the command line.

Whoever runs it says who they are with ``--as`` and gives their password, at a prompt or as the
first line of standard input: what takes two people takes two here too. Names to search for are read
from standard input, never from the command line, which others on the machine can see.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from folkmoot.desk.people.queries import Member, names_by_ref
from folkmoot.desk.people.terminal import DO_NOT_BELONG, find_signed_in
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.keys import NoEpochKey
from folkmoot.ledger import LedgerError

from . import actions, queries
from .actions import HoldScope, RetentionRefused, Scope
from .grounds import GROUND_WORDS, Ground
from .triggers import CLASS_WORDS

DONE, NOT_YET, WRONG = 0, 1, 2
WAIT_SECONDS = 600.0
LOOK_EVERY_SECONDS = 0.2
Act = Callable[[Member, argparse.Namespace], int]


def run(argv: list[str]) -> int:
    """Run ``hold``, ``dispose`` or ``erase``, the first word of ``argv``.

    The exit status: 0 where it was done, 1 where it goes on or something is left to be decided, 2
    with a sentence where nothing was done.
    """
    parser = {"hold": _hold_parser, "dispose": _dispose_parser, "erase": _erase_parser}[argv[0]]()
    try:
        args = parser.parse_args(argv[1:])
    except SystemExit as leaving:  # argparse has printed its help or its complaint
        return int(leaving.code or 0)
    try:
        return int(args.act(_sign_in(args.as_email), args))
    except (RetentionRefused, LedgerError, NoEpochKey) as refused:
        print(f"folkmoot ledger {argv[0]}: {refused}", file=sys.stderr)
        return WRONG


def _hold_parser() -> argparse.ArgumentParser:
    parser, verbs = _parser("hold", "Keep records from destruction, and let them go.")
    _verb(verbs, "list", _list_holds, "the holds that stand")
    placing = _verb(verbs, "place", _place, "place a hold; one person is enough")
    placing.add_argument("--reason", required=True, help="why; it is sealed")
    placing.add_argument("--reference", default="", help="of a claim, an inquiry or a request")
    what = placing.add_mutually_exclusive_group(required=True)
    what.add_argument("--subject", action="append", default=[], help="such as post/12; repeatable")
    what.add_argument("--account", type=int, help="an account's number")
    what.add_argument("--class", dest="record_class", choices=[str(one) for one in RecordClass])
    what.add_argument("--entry", action="append", default=[], help="an entry's id; repeatable")
    placing.add_argument("--since", type=date.fromisoformat, help="of a class, from this day")
    placing.add_argument("--until", type=date.fromisoformat, help="of a class, until this day")
    releasing = _verb(
        verbs, "release", _release, "propose to release a hold, or release it as a second person"
    )
    releasing.add_argument("hold", type=int)
    releasing.add_argument("--reason", default="", help="why; needed by whoever proposes it")
    return parser


def _dispose_parser() -> argparse.ArgumentParser:
    parser, verbs = _parser("dispose", "Records whose time is over, and their disposal.")
    _verb(verbs, "due", _list_due, "what is due, by class, and disposals that wait")
    proposing = _verb(verbs, "propose", _propose_disposal, "draw up what is due and propose it")
    proposing.add_argument("record_class", choices=[str(one) for one in RecordClass])
    proposing.add_argument("--reason", required=True, help="what was looked at; it is sealed")
    proposing.add_argument(
        "--leave-out", action="append", default=[], help="a thing that is to stay, such as post/12"
    )
    proposing.add_argument(
        "--manifest", default="", help="SHA-256 of the manifest of the bag they were transferred in"
    )
    confirming = _verb(verbs, "confirm", _confirm_disposal, "agree as a second person, and wait")
    confirming.add_argument("disposal", type=int)
    return parser


def _erase_parser() -> argparse.ArgumentParser:
    parser, verbs = _parser("erase", "Find what is kept of a person, and have it erased.")
    finding = _verb(
        verbs, "find", _find, "search for what standard input names, a phrase to a line"
    )
    finding.add_argument(
        "--ground", default=str(Ground.NO_LONGER_NEEDED), choices=[str(one) for one in GROUND_WORDS]
    )
    finding.add_argument("--reference", default="", help="of the request; erased with the rest")
    proposing = _verb(verbs, "propose", _propose_erasure, "propose to erase what was found")
    proposing.add_argument("erasure", type=int)
    proposing.add_argument("--public", action="store_true", help="also what was published")
    confirming = _verb(verbs, "confirm", _confirm_erasure, "agree as a second person, and wait")
    confirming.add_argument("erasure", type=int)
    _verb(verbs, "roll", _roll, "change the keys' epoch now, or end a change that was begun")
    return parser


def _parser(name: str, about: str) -> tuple[argparse.ArgumentParser, argparse._SubParsersAction]:  # type: ignore[type-arg]
    parser = argparse.ArgumentParser(prog=f"folkmoot ledger {name}", description=about)
    return parser, parser.add_subparsers(required=True, metavar="VERB")


def _verb(
    verbs: argparse._SubParsersAction,  # type: ignore[type-arg]
    name: str,
    act: Act,
    about: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=about, description=about)
    parser.add_argument(
        "--as", dest="as_email", required=True, metavar="EMAIL", help="who you are here"
    )
    parser.set_defaults(act=act)
    return parser


def _sign_in(email: str) -> Member:
    """The member of this address, once they have given their password."""
    member = find_signed_in(email)
    if member is None:
        raise RetentionRefused(DO_NOT_BELONG)
    return member


def _list_holds(member: Member, _args: argparse.Namespace) -> int:
    if not queries.may_hold(member):
        raise RetentionRefused("Only a records officer or an admin can see holds.")
    standing = queries.list_standing(member.organisation)
    names = names_by_ref(one.placed_by for one in standing)
    for one in standing:
        waits = " (release waits for a second person)" if one.release_proposed_by else ""
        print(f"{one.pk:>4}  {queries.tell_scope(one)}{waits}")
        by = names.get(one.placed_by, "a former member")
        print(f"      {one.placed_at:%Y-%m-%d}, {by}: {one.reason}")
    if not standing:
        print("Nothing is held.")
    return DONE


def _place(member: Member, args: argparse.Namespace) -> int:
    if args.subject:
        scope = Scope(HoldScope.SUBJECTS, subjects=tuple(args.subject))
    elif args.account is not None:
        scope = Scope(HoldScope.ACCOUNT, account=args.account)
    elif args.entry:
        scope = Scope(HoldScope.CHOSEN, entries=tuple(args.entry))
    else:
        scope = Scope(
            HoldScope.CLASS,
            record_class=RecordClass(args.record_class),
            since_on=args.since,
            until_on=args.until,
        )
    hold = actions.place_hold(
        member, scope, reason=args.reason, reference=args.reference, now=_now()
    )
    print(f"Hold {hold.pk} is placed. Nothing of it is destroyed from now on.")
    return DONE


def _release(member: Member, args: argparse.Namespace) -> int:
    hold = queries.find_hold(member.organisation, args.hold)
    if hold is not None and hold.state == queries.HoldState.RELEASE_PROPOSED:
        actions.release_hold(member, args.hold, now=_now())
        print(f"Hold {args.hold} is released.")
        return DONE
    actions.propose_release(member, args.hold, reason=args.reason, now=_now())
    print(f"Proposed. Hold {args.hold} holds until a second person releases it.")
    return NOT_YET


def _list_due(member: Member, _args: argparse.Namespace) -> int:
    _must_see(member)
    found = queries.list_due(member.organisation, _now())
    for one in found:
        more = " or more" if one.free >= queries.MOST else ""
        print(f"{CLASS_WORDS[one.record_class]}: {one.free}{more} due, {one.held} held.")
        print(f"      {queries.tell_rule(one.rule)}")
    if not found:
        print("Nothing is due.")
    for waiting in queries.list_waiting(member.organisation, _now()):
        if waiting.what == queries.What.DISPOSAL:
            print(f"Disposal {waiting.number} waits for a second person.")
    return DONE


def _propose_disposal(member: Member, args: argparse.Namespace) -> int:
    batch = actions.draw_up(member, RecordClass(args.record_class), now=_now())
    if args.leave_out:
        actions.leave_out(member, batch.pk, args.leave_out)
    try:
        actions.propose_disposal(
            member, batch.pk, reason=args.reason, manifest=args.manifest, now=_now()
        )
    except RetentionRefused:
        actions.drop_disposal(member, batch.pk, now=_now())
        raise
    counts = queries.count_items(batch)
    print(
        f"Disposal {batch.pk} of {counts.chosen} entries is proposed. A second records officer "
        f"confirms it: folkmoot ledger dispose confirm {batch.pk} --as EMAIL"
    )
    return NOT_YET


def _confirm_disposal(member: Member, args: argparse.Namespace) -> int:
    _must_see(member)
    batch = queries.find_batch(member.organisation, args.disposal)
    seen = queries.digest_of(batch) if batch is not None else ""
    if batch is None or batch.state not in {"destroying", "rolling"}:
        actions.confirm_disposal(member, args.disposal, seen=seen, now=_now())

    def state() -> str:
        found = queries.find_batch(member.organisation, args.disposal)
        return found.state if found is not None else ""

    if not _wait(lambda: state() == queries.BatchState.DONE):
        return _tell_not_yet(f"Disposal {args.disposal}")
    done = queries.find_batch(member.organisation, args.disposal)
    assert done is not None
    counts = queries.count_items(done)
    print(f"{counts.gone} entries are destroyed, {counts.held_back} were held.")
    return DONE


def _find(member: Member, args: argparse.Namespace) -> int:
    if sys.stdin.isatty():
        print("A phrase to a line; end with Ctrl-D.", flush=True)
    made = actions.ask_erasure(
        member,
        phrases=sys.stdin.read().splitlines(),
        ground=Ground(args.ground),
        reference=args.reference,
        now=_now(),
    )
    if not actions.search(made, _now):
        found = queries.find_erasure(member.organisation, made.pk)
        print(found.trouble if found is not None else "", file=sys.stderr)
        return WRONG
    print(f"Erasure {made.pk}:")
    groups = queries.group_matches(made)
    for one in groups:
        where = " (public)" if one.public else ""
        print(f"{one.found:>8}  {one.kind}{where}, {one.year or 'no date'}")
    if not groups:
        print("Nothing that is kept holds any of these.")
        return DONE
    print(f"Propose it with: folkmoot ledger erase propose {made.pk} --as EMAIL")
    print("To leave some of it, choose on its page.")
    return NOT_YET


def _propose_erasure(member: Member, args: argparse.Namespace) -> int:
    if args.public:
        actions.choose(member, args.erasure, chosen=True, public=True)
    made = actions.propose_erasure(member, args.erasure, now=_now())
    going = sum(one.chosen for one in queries.group_matches(made))
    print(
        f"Erasure {made.pk} of {going} values is proposed. A second records officer confirms it: "
        f"folkmoot ledger erase confirm {made.pk} --as EMAIL"
    )
    for one in queries.list_copies_outside(member.organisation, queries.list_entries_of(made)):
        print(f"{one.bag} left on {one.released_at:%Y-%m-%d} with {one.entries} of the entries.")
    return NOT_YET


def _confirm_erasure(member: Member, args: argparse.Namespace) -> int:
    _must_see(member)
    found = queries.find_erasure(member.organisation, args.erasure)
    if found is None or found.state not in {"erasing", "rolling"}:
        seen = found.digest if found is not None else ""
        actions.confirm_erasure(member, args.erasure, seen=seen, now=_now())

    def state() -> str:
        one = queries.find_erasure(member.organisation, args.erasure)
        return one.state if one is not None else ""

    if not _wait(lambda: state() == queries.ErasureState.DONE):
        return _tell_not_yet(f"Erasure {args.erasure}")
    done = queries.find_erasure(member.organisation, args.erasure)
    assert done is not None
    print(f"{done.values_gone} values are erased, and the keys' epoch is changed.")
    if done.found_since:
        print(f"{done.found_since} places came to hold a name since the search. Search again.")
        return NOT_YET
    return DONE


def _roll(member: Member, _args: argparse.Namespace) -> int:
    wrapped = actions.roll_by_hand(member, now=_now())
    print(f"{wrapped} keys are wrapped anew. What was destroyed before opens nowhere any more.")
    return DONE


def _wait(is_done: Callable[[], bool]) -> bool:
    """Do what the worker would, until it is done; whether it was."""
    end = time.monotonic() + WAIT_SECONDS
    while not is_done():
        if not actions.work(_now):
            if time.monotonic() > end:
                return False
            time.sleep(LOOK_EVERY_SECONDS)
    return True


def _tell_not_yet(what: str) -> int:
    print(f"{what} goes on. The worker ends it; call this again to see.")
    return NOT_YET


def _must_see(member: Member) -> None:
    if not queries.may_see(member):
        raise RetentionRefused("Only a records officer can do this.")


def _now() -> datetime:
    return datetime.now(UTC)
