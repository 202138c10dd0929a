"""Writes of the accounts room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from folkmoot.desk.mailing import actions as mailing
from folkmoot.desk.people.queries import Member, Organisation

from .connecting import SigningIn, must_be_admin, propose, propose_signed_in, redirect_uri
from .lifecycle import OWN_CHANNELS, AccountFacts, AccountState
from .models import Account
from .steps import AccountRefused, connect_own, record, take_step
from .watching import note_health, work

__all__ = [
    "AccountRefused",
    "SigningIn",
    "ask_diagnosis",
    "confirm",
    "disconnect",
    "forget_all",
    "note_health",
    "open_own_channel",
    "propose",
    "propose_signed_in",
    "redirect_uri",
    "turn_down",
    "work",
]

NO_ACCOUNT = "There is no such account."
# What an account has no use for any more.
FORGOTTEN = {"secret": "", "tokens": "", "grant": "", "sign_in_ends_at": None}


@transaction.atomic
def open_own_channel(
    organisation: Organisation,
    *,
    channel: str,
    name: str,
    handle: str,
    now: datetime,
    actor: Member | None = None,
) -> Account:
    """Open a channel that the desk serves itself: the feed or the practice channel. It holds no
    token, so nobody has to confirm it. Raises :class:`AccountRefused` for any other.
    """
    if channel not in OWN_CHANNELS:
        raise AccountRefused("The desk does not serve this channel itself.")
    account = connect_own(
        Account(
            organisation=organisation,
            channel=channel,
            name=name,
            handle=handle,
            connected_at=now,
            connected_by=actor.ref if actor else "",
        )
    )
    record("account.connected", account, actor, now)
    return account


@transaction.atomic
def confirm(member: Member, account_id: int, *, now: datetime) -> Account:
    """Agree, as a second person, that an account is connected, or connected again; the account.

    Raises :class:`AccountRefused`: it was this member who proposed it, the channel has not let it
    in, or somebody else decided at the same moment.
    """
    proposal = _get(member, account_id, AccountState.PROPOSED)
    facts = AccountFacts(
        actor=member.ref,
        proposed_by=proposal.connected_by,
        checked=proposal.diagnosed_at is not None and not proposal.grant,
        trouble=proposal.trouble,
    )
    agreed = {"confirmed_by": member.ref, "confirmed_at": now}
    if proposal.replaces is None:
        try:
            with transaction.atomic():
                take_step(proposal, "confirm", member, facts=facts, now=now, changes=agreed)
        except IntegrityError as taken:
            raise AccountRefused(f"{proposal.name} is connected already.") from taken
        if proposal.channel == "email":
            _open_list(proposal, member, now)
        return proposal
    account = proposal.replaces
    kept = {name: getattr(proposal, name) for name in ("secret", "tokens", "settings", "name")}
    known = {
        "connected_by": proposal.connected_by,
        "sign_in_ends_at": proposal.sign_in_ends_at,
        "diagnosed_at": proposal.diagnosed_at,
        "trouble": "",
    }
    take_step(account, "renew", member, facts=facts, now=now, changes={**kept, **known, **agreed})
    take_step(proposal, "hand_over", member, facts=facts, now=now, changes=FORGOTTEN)
    return account


@transaction.atomic
def turn_down(member: Member, account_id: int, *, now: datetime) -> None:
    """Turn a proposal down, and forget what came with it. Raises :class:`AccountRefused`."""
    proposal = _get(member, account_id, AccountState.PROPOSED)
    take_step(proposal, "turn_down", member, facts=AccountFacts(), now=now, changes=FORGOTTEN)


@transaction.atomic
def disconnect(admin: Member, account_id: int, *, now: datetime) -> None:
    """Disconnect an account and forget its tokens. Raises :class:`AccountRefused`."""
    must_be_admin(admin)
    account = _get(admin, account_id, AccountState.CONNECTED)
    if account.channel in OWN_CHANNELS:
        raise AccountRefused(f"{account.name} is the desk's own channel; it stays.")
    take_step(account, "disconnect", admin, facts=AccountFacts(), now=now, changes=FORGOTTEN)
    mailing.close_list(account.pk, now=now, actor=admin)
    for proposal in account.proposals.filter(state=AccountState.PROPOSED):
        take_step(proposal, "turn_down", admin, facts=AccountFacts(), now=now, changes=FORGOTTEN)


@transaction.atomic
def forget_all(admin: Member, *, reason: str, now: datetime) -> int:
    """Make every account of the organisation forget its tokens at once, and turn down what is
    proposed; how many held any. They stay connected, and post nothing until they are connected
    again. Raises :class:`AccountRefused`.
    """
    must_be_admin(admin)
    facts = AccountFacts(reason=reason)
    if not reason.strip():
        raise AccountRefused(
            "Say in a few words why: whoever connects the accounts again will read it.", "reason"
        )
    theirs = Account.objects.filter(organisation=admin.organisation).exclude(
        channel__in=OWN_CHANNELS
    )
    told = f"Its tokens were forgotten: {reason.strip().rstrip('.')}. Connect it again."
    holding = list(theirs.filter(state=AccountState.CONNECTED).exclude(secret="").order_by("pk"))
    for account in holding:
        take_step(
            account,
            "forget",
            admin,
            facts=facts,
            now=now,
            fields={"reason": reason.strip()},
            changes={**FORGOTTEN, "trouble": told},
        )
    for proposal in theirs.filter(state=AccountState.PROPOSED).order_by("pk"):
        take_step(proposal, "turn_down", admin, facts=facts, now=now, changes=FORGOTTEN)
    return len(holding)


def ask_diagnosis(admin: Member, account_ids: Iterable[int], *, now: datetime) -> None:
    """Have the worker, who alone can open the tokens, ask the channel whether the account can
    post. Raises :class:`AccountRefused`.
    """
    must_be_admin(admin)
    for account_id in account_ids:
        account = _get(admin, account_id, AccountState.CONNECTED)
        Account.objects.filter(pk=account.pk).update(diagnose_asked_at=now)


def _open_list(account: Account, member: Member, now: datetime) -> None:
    try:
        mailing.open_list(account.organisation, account.pk, now=now, actor=member)
    except mailing.MailingRefused as refused:
        raise AccountRefused(str(refused)) from refused


def _get(member: Member, account_id: int, state: AccountState) -> Account:
    found = (
        Account.objects.select_related("organisation", "replaces__organisation")
        .filter(pk=account_id, organisation=member.organisation, state=state)
        .first()
    )
    if found is None:
        raise AccountRefused(NO_ACCOUNT)
    return found
