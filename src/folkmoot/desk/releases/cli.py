"""``folkmoot ledger export``: everything of an account, a post or a request, as a bag."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

from folkmoot.desk.accounts.queries import list_known
from folkmoot.desk.people.queries import Member
from folkmoot.desk.people.terminal import DO_NOT_BELONG, find_signed_in
from folkmoot.desk.records import actions as records
from folkmoot.ledger import LedgerError

from . import actions, queries
from .lifecycle import BagState
from .scope import Scope
from .steps import ReleaseRefused

DONE, REFUSED, WAITS = 0, 1, 3


def run(argv: list[str]) -> int:
    """Run ``export``; the exit status: 0 where the bag was written, 1 where it was refused, 3 where
    it waits for a second person or for the worker.
    """
    args = _parser().parse_args(argv[1:])
    try:
        return _export(args, _sign_in(args.officer))
    except (ReleaseRefused, queries.NoSuchBag, queries.NoSuchRequest) as refused:
        print(f"folkmoot: {refused}", file=sys.stderr)
    except (LedgerError, OSError) as wrong:
        print(f"folkmoot: the bag could not be written. {wrong}", file=sys.stderr)
    return REFUSED


def _sign_in(email: str) -> Member:
    member = find_signed_in(email)
    if member is None:
        raise ReleaseRefused(DO_NOT_BELONG)
    return member


def _export(args: argparse.Namespace, member: Member) -> int:
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise ReleaseRefused(f"{args.out} exists and is not an empty folder.")
    bag = _find_bag(args, member)
    if bag.state == BagState.PROPOSED:
        print(
            f"Bag {bag.ref} is proposed, with {bag.entries:,} entries. It holds every field, so "
            "that another records officer must agree to it on the page of bags. Then run:\n"
            f"  folkmoot ledger export --bag {bag.ref} --out {args.out} --as {args.officer}"
        )
        return WAITS
    _make(bag)
    bag = queries.get_bag(member, bag.ref)
    if bag.state == BagState.WANTED:
        print(f"Bag {bag.ref} is being made. Run this again with --bag {bag.ref}.")
        return WAITS
    if bag.state != BagState.READY:
        why = bag.trouble or "It was destroyed."
        raise ReleaseRefused(f"There is no bag {bag.ref} to be written. {why}")
    _write(member, bag, args.out)
    print(f"Wrote {args.out}: {bag.entries:,} entries, {bag.withheld:,} fields withheld.")
    print(f"SHA-256 of its manifest: {bag.manifest_sha256}")
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot ledger export",
        description="Write entries of the record into a folder that anybody can read and check. "
        "What a request releases is written once two officers agreed to it; every field of "
        "anything else once a second officer agreed on the page of bags; what is on the public "
        "register at once, with --public. Who took it is on the record.",
    )
    parser.add_argument("--account", help="an account: its number, handle or name")
    parser.add_argument("--post", type=int, metavar="NUMBER", help="a post")
    parser.add_argument("--topic", default="", help="posts on a topic")
    parser.add_argument("--from", dest="from_on", type=_day, metavar="DAY", help="2026-11-01")
    parser.add_argument("--to", dest="until_on", type=_day, metavar="DAY", help="included")
    parser.add_argument("--request", metavar="REF", help="what a request that was agreed releases")
    parser.add_argument("--bag", metavar="REF", help="a bag that was proposed before")
    parser.add_argument("--public", action="store_true", help="only what is on the public register")
    parser.add_argument("--title", default="", help="its title; one is made up otherwise")
    parser.add_argument("--about", default="", help="what it is for; needed without --public")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    parser.add_argument(
        "--as", dest="officer", required=True, metavar="EMAIL", help="the records officer you are"
    )
    return parser


def _find_bag(args: argparse.Namespace, member: Member) -> queries.Bag:
    actions.must_be_officer(member)
    if args.bag:
        return queries.get_bag(member, args.bag)
    if args.request:
        row = queries.get_request(member, args.request)
        bag = row.bags.order_by("-pk").first()
        if bag is None or queries.is_stale(bag):
            raise ReleaseRefused("Two officers must agree to what this request releases first.")
        return bag
    scope = Scope(
        account=_find_account(member, args.account) if args.account else None,
        post=args.post,
        topic=args.topic,
        from_on=args.from_on,
        until_on=args.until_on,
    )
    said = ", ".join(f"{name} {value}" for name, value in scope.to_json().items())
    return actions.propose(
        member,
        purpose="public" if args.public else "transfer",
        title=args.title or f"{member.organisation.name}: {said or 'everything'}"[:200],
        about=args.about,
        scope=scope,
        now=_now(),
    )


def _find_account(member: Member, words: str) -> int:
    bare = words.strip().lstrip("@").casefold()
    found = [
        one.pk
        for one in list_known(member.organisation)
        if bare in {str(one.pk), one.handle.casefold(), one.name.lstrip("@").casefold()}
    ]
    if len(found) != 1:
        raise ReleaseRefused(
            f"{len(found) or 'No'} account{'s are' if len(found) > 1 else ' is'} called {words!r} "
            "here. Give its number, as `folkmoot channels list` shows it."
        )
    return found[0]


def _make(bag: queries.Bag) -> None:
    """Make the bag now, should no worker be about to."""
    if bag.state == BagState.WANTED:
        records.sequence(_now())
        actions.work(_now)


def _write(member: Member, bag: queries.Bag, out: Path) -> None:
    """Fetch a bag and unpack it into ``out``; whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    _bag, pieces = actions.fetch(member, bag.ref, now=_now())
    with tempfile.TemporaryDirectory(prefix=".bag-", dir=out.parent) as scratch:
        packed, folder = Path(scratch) / "bag.zip", Path(scratch) / "unpacked"
        with packed.open("xb") as file:
            for piece in pieces:
                file.write(piece)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(folder)  # our own, made and checked here
        (inner,) = folder.iterdir()
        if out.exists():
            out.rmdir()
        shutil.move(inner, out)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _now() -> datetime:
    return datetime.now(UTC)
