"""All that can be undone or repeated: pictures handed over ahead, and the frozen request."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from folkmoot.channels import (
    Adapter,
    NotPrepared,
    NotReady,
    Prepared,
    Rendition,
    Sent,
    Uploaded,
)
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.records import columns
from folkmoot.ledger import KeyLost

from .lastlook import find_stop
from .models import Ahead, Delivery

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# How long before its time a post's pictures are handed over, and how many posts a round takes.
AHEAD = timedelta(minutes=15)
AT_ONCE = 5
TRY_AGAIN = timedelta(seconds=30)


def rendition_of(delivery: Delivery) -> Rendition:
    """What this delivery sends, made anew from the signed version.

    A correction answers, where the channel has answers, the last part of what it corrects.
    """
    version = drafts.get_version(delivery.draft, delivery.version_number)
    return drafts.make_rendition(
        version.text,
        version.pictures,
        version.language,
        accounts.capabilities_of(delivery.account),
        organisation_id=delivery.account.organisation_id,
        replying_to=_find_corrected(delivery),
    )


def prepare(
    delivery: Delivery, adapter: Adapter, at: datetime
) -> Prepared | NotPrepared | NotReady:
    """The frozen request: that of an earlier attempt where there is one, else a new one."""
    if delivery.request is not None:
        return Prepared(delivery.key, bytes(delivery.request))
    try:
        if delivery.removes is not None:
            return adapter.prepare_removal(
                sent_of(delivery.removes),
                key=delivery.key,
                at=at,
                reason=drafts.get_version(delivery.draft, delivery.version_number).text,
            )
        rendition = rendition_of(delivery)
        uploaded = adapter.upload(rendition, memo=delivery.memo)
        if not isinstance(uploaded, Uploaded):
            return uploaded
        return adapter.prepare(rendition, key=delivery.key, at=at, memo=uploaded.memo)
    except (drafts.PictureRefused, accounts.VaultError) as missing:
        return NotPrepared(str(missing), retry=False)


def sent_of(delivery: Delivery) -> Sent:
    """What is live of a delivery, as its adapter named it."""
    first = delivery.remote_id or next(iter(delivery.remote_ids), "")
    return Sent(first, delivery.url, tuple(delivery.remote_ids))


def list_to_hand_over(clock: Clock) -> list[tuple[int, Callable[[], int]]]:
    """What is owed to have the pictures of posts that are due soon handed over, by account, so that
    a slow channel makes none late.

    Nobody outside can see them, so this can be done although a post may still be taken back; but
    not while a stop is against the post, for they are in somebody else's house all the same.
    """
    jobs: list[tuple[int, Callable[[], int]]] = []
    for draft in drafts.list_due(clock() + AHEAD, most=AT_ONCE, with_pictures=True):
        try:
            jobs += _list_of_draft(draft, clock)
        except KeyLost:  # somebody changed it behind our back; it must keep no other waiting
            log.exception("The pictures of post %s cannot be handed over ahead", draft.pk)
    return jobs


def _list_of_draft(draft: drafts.Draft, clock: Clock) -> list[tuple[int, Callable[[], int]]]:
    version = drafts.get_version(draft)
    return [
        (account.pk, partial(_claim_and_hand_over, draft, version, account, clock))
        for account in accounts.get_accounts(draft.organisation, version.accounts)
        if not find_stop(Delivery(draft=draft, account=account, version_number=version.number))
    ]


def _claim_and_hand_over(
    draft: drafts.Draft, version: drafts.Version, account: accounts.Account, clock: Clock
) -> int:
    now = clock()
    row, _ = Ahead.objects.get_or_create(
        draft=draft,
        version_number=version.number,
        account=account,
        defaults={"next_try_at": now},
    )
    # One worker at a time; one that dies is taken over from after a while.
    claimed = Ahead.objects.filter(
        pk=row.pk, ready=False, next_try_at=row.next_try_at, next_try_at__lte=now
    ).update(next_try_at=now + TRY_AGAIN)
    return _hand_over(row, draft, version, account, clock) if claimed else 0


def find_memo(draft: drafts.Draft, version_number: int, account: accounts.Account) -> str:
    """What the adapter kept of pictures handed over ahead; empty where none were."""
    row = Ahead.objects.filter(draft=draft, version_number=version_number, account=account).first()
    return row.memo if row is not None else ""


def _hand_over(
    row: Ahead,
    draft: drafts.Draft,
    version: drafts.Version,
    account: accounts.Account,
    clock: Clock,
) -> int:
    outcome: Uploaded | NotReady | NotPrepared
    try:
        rendition = drafts.make_rendition(
            version.text,
            version.pictures,
            version.language,
            accounts.capabilities_of(account),
            organisation_id=account.organisation_id,
        )
        outcome = accounts.open_adapter(account).upload(rendition, memo=row.memo)
    except (drafts.PictureRefused, accounts.VaultError) as missing:
        outcome = NotPrepared(str(missing), retry=False)
    except Exception:
        log.exception("The pictures of post %s could not be handed over ahead", draft.pk)
        return 0
    now = clock()
    changes: dict[str, object] = {}
    match outcome:
        case Uploaded():
            changes = {"memo": outcome.memo, "ready": True, "trouble": ""}
        case NotReady():
            wait = timedelta(seconds=outcome.after_seconds)
            changes = {"memo": outcome.memo, "trouble": outcome.reason, "next_try_at": now + wait}
        case NotPrepared():
            wait = timedelta(seconds=outcome.after_seconds or TRY_AGAIN.total_seconds())
            changes = {"trouble": outcome.reason, "next_try_at": now + wait}
    columns.update_sealed(row, changes)
    return 1 if isinstance(outcome, Uploaded) else 0


def _find_corrected(delivery: Delivery) -> str:
    draft = delivery.draft
    if draft.kind != drafts.DraftKind.CORRECTION or draft.about_id is None:
        return ""
    corrected = (
        Delivery.objects.filter(
            draft_id=draft.about_id, account=delivery.account, removes=None, removed_at=None
        )
        .exclude(remote_ids=[])
        .order_by("-pk")
        .first()
    )
    return str(corrected.remote_ids[-1]) if corrected is not None else ""
