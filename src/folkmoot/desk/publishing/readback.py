"""Reading back what is live and holding it against what was signed."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from folkmoot.channels import Absent, Live, Rendition, Sent, Unreadable
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.records import actions as record_actions
from folkmoot.desk.records import queries as records

from .delivering import FAULT, Clock, rendition_of
from .models import Delivery
from .steps import write

log = logging.getLogger(__name__)

MOST_TRIES = 8


def read_back(delivery: Delivery, clock: Clock) -> None:
    """Read a sent delivery back and keep what came of it: ``matches``, ``differs``, ``gone``, or,
    after the last of several tries, ``unreadable``. Raises ``LostClaim``.
    """
    seen: Live | Absent | Unreadable
    try:
        adapter = accounts.open_adapter(delivery.account)
        seen = adapter.read_back(Sent(delivery.remote_id, delivery.url, tuple(delivery.remote_ids)))
    except accounts.VaultError as sealed:
        seen = Unreadable(str(sealed))
    except Exception:
        # Counted as one of the tries: a post that cannot be read must not be asked for for ever.
        log.exception("Delivery %s could not be read back", delivery.pk)
        seen = Unreadable(FAULT)
    now = clock()
    tries = delivery.read_back_tries + 1
    if isinstance(seen, Unreadable) and tries < MOST_TRIES:
        write(
            delivery,
            {
                "read_back_tries": tries,
                "read_back_note": seen.reason,
                "next_try_at": now + timedelta(seconds=2**tries),
            },
        )
        return
    result, note = _compare(seen, rendition_of(delivery))
    _keep(delivery, result, note, tries, now)


def _compare(seen: Live | Absent | Unreadable, signed: Rendition) -> tuple[str, str]:
    if isinstance(seen, Unreadable):
        return "unreadable", f"It could not be read back: {seen.reason}"
    if isinstance(seen, Absent):
        return "gone", "It was there and is no longer: somebody removed it on the channel."
    differences = []
    if seen.texts != tuple(part.text for part in signed.parts):
        differences.append("the text")
    if seen.alts != tuple(tuple(p.alt for p in part.pictures) for part in signed.parts):
        differences.append("the descriptions of the pictures")
    pictures = tuple(tuple(p.sha256 for p in part.pictures) for part in signed.parts)
    if len(pictures) != len(seen.picture_sha256s) or any(
        len(live) != len(ours)
        or any(a is not None and a != b for a, b in zip(live, ours, strict=False))
        for live, ours in zip(seen.picture_sha256s, pictures, strict=False)
    ):
        differences.append("the pictures")
    if differences:
        return "differs", f"What is live is not what was signed: {', '.join(differences)}."
    return "matches", "What is live is what was signed."


@transaction.atomic
def _keep(delivery: Delivery, result: str, note: str, tries: int, now: datetime) -> None:
    write(delivery, {"read_back": result, "read_back_note": note, "read_back_tries": tries})
    sent_entry = records.find_entry_id(f"delivery.sent/{delivery.pk}")
    record_actions.record(
        "delivery.read_back",
        at=now,
        organisation=delivery.draft.organisation.ref,
        actor="",
        role="worker",
        subject=delivery.draft.subject,
        links=(sent_entry,) if sent_entry else (),
        fields={
            "account": delivery.account.name,
            "channel": delivery.account.channel,
            "result": result,
            "note": note,
        },
        public=("account", "channel", "result", "note")
        if accounts.is_public(delivery.account)
        else (),
        once=f"delivery.read_back/{delivery.pk}",
    )
