"""What the worker does for accounts: finish sign-ins, answer who asked for a diagnosis, and look
when each sign-in ends. It alone opens what is sealed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from folkmoot.channels.kinds import CannotConnect, get_kind
from folkmoot.channels.tokens import CannotSignIn
from folkmoot.desk.records import columns

from .adapters import build_adapter, open_account
from .connecting import redirect_uri
from .lifecycle import OWN_CHANNELS, AccountState
from .models import Account, Trouble
from .tokens import SealedTokens, place_of
from .vault import keep_keys, unseal

log = logging.getLogger(__name__)

WATCH_EVERY = timedelta(hours=1)
TROUBLES_KEPT = 20


def work(clock: Callable[[], datetime]) -> int:
    """Do what is owed for accounts; how many things were done.

    A channel is asked about one account at most, so that posts which are due wait no longer than
    for that: whoever asked last is answered next time.
    """
    keep_keys()
    return _ask_one(clock) or _watch(clock())


def note_health(account: Account, trouble: str, now: datetime | None = None) -> None:
    """Keep what is known to be wrong with an account, as of ``now``; an empty sentence when
    nothing is.
    """
    if account.trouble == trouble:
        return
    now = now or datetime.now(UTC)
    account.trouble = trouble
    with transaction.atomic():
        columns.update_sealed(account, {"trouble": trouble})
        if trouble:
            Trouble.objects.create(account=account, at=now, sentence=trouble)
            kept = Trouble.objects.filter(account=account).order_by("-pk")
            last = kept.values_list("pk", flat=True)[:TROUBLES_KEPT]
            Trouble.objects.filter(account=account).exclude(pk__in=list(last)).delete()


def diagnose(account: Account, clock: Callable[[], datetime]) -> str:
    """Ask the account's channel whether it can post, and keep the answer: a sentence about what is
    wrong, or an empty one.
    """
    asked_at = clock()
    ends_at = account.sign_in_ends_at
    try:
        adapter = build_adapter(account)
        trouble = adapter.diagnose() or ""
        ends_at = adapter.sign_in_ends_at()
    except CannotSignIn as fault:  # what is sealed does not open
        trouble = fault.reason
    note_health(account, trouble, clock())
    account.diagnosed_at, account.sign_in_ends_at = asked_at, ends_at
    account.save(update_fields=["diagnosed_at", "sign_in_ends_at"])
    return trouble


def _ask_one(clock: Callable[[], datetime]) -> int:
    """Finish one sign-in, or answer one who asked for a diagnosis."""
    waiting = Account.objects.select_related("organisation")
    proposal = waiting.filter(state=AccountState.PROPOSED).exclude(grant="").order_by("pk").first()
    if proposal is not None:
        _finish(proposal, clock)
        return 1
    unanswered = Q(diagnosed_at=None) | Q(diagnosed_at__lt=F("diagnose_asked_at"))
    asked = (
        waiting.filter(unanswered, state=AccountState.CONNECTED, diagnose_asked_at__lte=clock())
        .order_by("diagnose_asked_at")
        .first()
    )
    if asked is None:
        return 0
    try:
        diagnose(asked, clock)
    except Exception:  # a fault of ours with one account must not keep the others waiting
        log.exception("Account %s could not be diagnosed", asked.pk)
        note_health(asked, "This program met a fault while asking; it is in its log.", clock())
        Account.objects.filter(pk=asked.pk).update(diagnosed_at=clock())
    return 1


def _finish(proposal: Account, clock: Callable[[], datetime]) -> None:
    """Exchange the code that somebody came back with for tokens, and ask whether they may post."""
    trouble = ""
    try:
        with SealedTokens(proposal).alone():
            proposal.refresh_from_db()
            if proposal.state != AccountState.PROPOSED or not proposal.grant:
                return  # another worker was quicker, or somebody turned it down
            trouble = _exchange(proposal)
    except CannotSignIn as fault:
        trouble = fault.reason
    except Exception:
        log.exception("The sign-in of account %s could not be finished", proposal.pk)
        trouble = "This program met a fault while signing in; it is in its log. Turn this down."
    proposal.refresh_from_db()
    ends_at = None
    if not trouble:
        try:
            ends_at = build_adapter(proposal).sign_in_ends_at()
        except CannotSignIn as fault:
            trouble = fault.reason
    note_health(proposal, trouble, clock())
    Account.objects.filter(pk=proposal.pk, state=AccountState.PROPOSED).update(
        grant="", diagnosed_at=clock(), sign_in_ends_at=ends_at
    )


def _exchange(proposal: Account) -> str:
    account = open_account(proposal)
    kind = get_kind(proposal.channel)
    assert kind.authorisation is not None
    if not account.tokens.find():  # a worker that died may have come as far as this
        grant = json.loads(unseal(place_of(proposal, "grant"), proposal.grant))
        try:
            kind.authorisation.finish(
                account,
                redirect_uri=redirect_uri(),
                code=grant["code"],
                verifier=grant["verifier"],
            )
        except CannotConnect as fault:
            return fault.reason
    return kind.build(account).diagnose() or ""


def _watch(now: datetime) -> int:
    """Look, without asking anybody, when sign-ins end, once an hour each."""
    due = (
        Account.objects.filter(state=AccountState.CONNECTED)
        .exclude(channel__in=OWN_CHANNELS)
        .exclude(secret="")
        .filter(Q(watched_at=None) | Q(watched_at__lte=now - WATCH_EVERY))
    )
    done = 0
    for account in due.order_by("pk"):
        changes: dict[str, datetime | None] = {"watched_at": now}
        try:
            changes["sign_in_ends_at"] = build_adapter(account).sign_in_ends_at()
        except CannotSignIn as fault:
            note_health(account, fault.reason, now)
        Account.objects.filter(pk=account.pk).update(**changes)
        done += 1
    return done
