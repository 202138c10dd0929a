"""The last look before a post leaves: is it still exactly what was signed, and may it still go?"""

from __future__ import annotations

from datetime import datetime

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import queries as drafts

from .models import Delivery


def against_sending(delivery: Delivery, now: datetime) -> tuple[str, ...]:
    """What speaks against sending, as sentences; empty where nothing does.

    Reads everything anew in the caller's transaction: the post, its sign-off, its pictures' bytes,
    the account, and the check as it stands under today's calendar.
    """
    draft = drafts.get_again(delivery.draft)
    against = list(
        drafts.list_against_signoff(draft, delivery.version_number, delivery.digest, now=now)
    )
    window = drafts.window_of(drafts.get_version(draft, delivery.version_number))
    if draft.due_at is None or delivery.not_after != draft.due_at + window:
        against.append("The time after which it must not be sent is not the one that was signed.")
    account = accounts.find_account(draft.organisation, delivery.account.pk)
    if account is None:
        against.append("The account was disconnected after the post was signed.")
    return tuple(against)
