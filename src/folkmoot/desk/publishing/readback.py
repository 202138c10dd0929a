"""Reading back what is live and holding it against what was signed."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from folkmoot.channels import Absent, Live, Rendition, Unreadable
from folkmoot.channels.captures import Captured, capturing
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.records import actions as record_actions
from folkmoot.desk.records import queries as records

from .keeping import keep_answers
from .models import Delivery
from .preparing import Clock, rendition_of, sent_of
from .steps import write

log = logging.getLogger(__name__)

MOST_TRIES = 8


def read_back(delivery: Delivery, clock: Clock) -> None:
    """Read a sent delivery back and keep what came of it: ``matches``, ``differs``, ``gone``, or,
    after the last of several tries, ``unreadable``. Raises ``LostClaim``.
    """
    seen: Live | Absent | Unreadable
    answers: list[Captured] = []
    try:
        adapter = accounts.open_adapter(delivery.account)
        with capturing() as answers:
            seen = adapter.read_back(sent_of(delivery))
    except accounts.VaultError as sealed:
        seen = Unreadable(str(sealed))
    except Exception:
        # Counted as one of the tries: a post that cannot be read must not be asked for for ever.
        log.exception("Delivery %s could not be read back", delivery.pk)
        seen = Unreadable("a fault in this program, which is in its log.")
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
    result, note = compare(seen, delivery)
    _keep(delivery, result, note, tries, now)
    keep_answers(delivery, "read_back", answers, now)


def compare(seen: Live | Absent | Unreadable, delivery: Delivery) -> tuple[str, str]:
    """What came of reading a delivery back (``matches``, ``differs``, ``gone``, ``unreadable``),
    and a sentence. A removal matches where there is nothing.
    """
    if isinstance(seen, Unreadable):
        return "unreadable", f"It could not be read back: {seen.reason}"
    if delivery.removes_id is not None:
        if isinstance(seen, Absent):
            return "matches", "It is gone, as was signed."
        return "differs", "It can still be seen on the channel."
    if isinstance(seen, Absent):
        return "gone", "It was there and is no longer: somebody removed it on the channel."
    differences = _list_differences(seen, rendition_of(delivery))
    if differences:
        return "differs", f"What is live is not what was signed: {', '.join(differences)}."
    return "matches", "What is live is what was signed."


def _list_differences(seen: Live, signed: Rendition) -> list[str]:
    differences = []
    if seen.texts != tuple(part.text for part in signed.parts):
        differences.append("the text")
    alts = tuple(tuple(p.alt for p in part.pictures) for part in signed.parts)
    if not _agrees(seen.alts, alts):
        differences.append("the descriptions of the pictures")
    pictures = tuple(tuple(p.sha256 for p in part.pictures) for part in signed.parts)
    if not _agrees(seen.picture_sha256s, pictures):
        differences.append("the pictures")
    return differences


def _agrees(live: tuple[tuple[str | None, ...], ...], signed: tuple[tuple[str, ...], ...]) -> bool:
    """Whether what is live is what was signed; ``None`` is what the channel does not show."""
    return [len(part) for part in live] == [len(part) for part in signed] and all(
        shown is None or shown == ours
        for live_part, signed_part in zip(live, signed, strict=True)
        for shown, ours in zip(live_part, signed_part, strict=True)
    )


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
