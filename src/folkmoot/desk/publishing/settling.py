"""What a send or a look-up came to, written down; and looking up what nobody answered."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import assert_never

from django.db import transaction

from folkmoot.channels import (
    Absent,
    Different,
    Partly,
    Prepared,
    Refused,
    Sent,
    Unconfirmed,
)
from folkmoot.channels.captures import Captured, capturing
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import actions as draft_actions
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.drafts.grounds import GROUNDS
from folkmoot.desk.people.queries import Member, Role, list_holders
from folkmoot.desk.records import actions as record_actions
from folkmoot.desk.records import columns
from folkmoot.desk.records import queries as records

from .keeping import keep_answers
from .lifecycle import DeliveryFacts, DeliveryState
from .models import Attempt, Delivery
from .preparing import Clock
from .steps import take_step, write

# How long after a send its request may still be on its way. Until then "not there" proves nothing.
QUIET = timedelta(seconds=30)
WAIT_FOR_HELP = timedelta(minutes=10)
LOOK_AGAIN = timedelta(seconds=2)
LONGEST_LOOK = timedelta(minutes=10)

ERASED = (
    "What was sent was erased here, so it cannot be looked up. Look on the channel whether it is"
    " there, and say so."
)

Outcome = Sent | Partly | Refused | Unconfirmed | Absent | Different


def settle(delivery: Delivery, attempt: Attempt, outcome: Outcome, now: datetime) -> None:
    """Write what a send or a look-up came to. Raises :class:`~.steps.LostClaim`."""
    with transaction.atomic():
        outcome = _not_anothers(delivery, outcome)
        facts = DeliveryFacts(now, delivery.not_after)
        match outcome:
            case Sent():
                detail = outcome.url
                confirm(delivery, outcome, facts, now)
            case Partly():
                detail = f"{len(outcome.remote_ids)} parts are live."
                take_step(
                    delivery,
                    "advance",
                    facts=facts,
                    now=now,
                    fields={"parts_live": str(len(outcome.remote_ids))},
                    changes={
                        "remote_ids": list(outcome.remote_ids),
                        "trouble": "",
                        "lease_until": None,
                        "next_try_at": now,
                        "attempt": 0,
                    },
                )
            case Refused():
                detail = outcome.reason
                end_unsent(delivery, "refuse", detail, now)
            case Absent() if (until := quiet_until(delivery)) > now:
                detail = (
                    "It is not there yet. It may still be on its way, so we look again before "
                    "we send it a second time."
                )
                _keep_unconfirmed(delivery, detail, facts, next_try_at=until)
            case Absent():
                detail = "It is not there, so it may be sent again with the same key."
                take_step(
                    delivery,
                    "clear",
                    facts=facts,
                    now=now,
                    changes={"trouble": "", "lease_until": None, "next_try_at": now},
                )
            case Unconfirmed() | Different():
                detail = outcome.reason
                _keep_unconfirmed(
                    delivery, detail, facts, next_try_at=now + _wait(delivery, outcome, now)
                )
            case _:
                assert_never(outcome)
        kept = {"ended_at": now, "outcome": type(outcome).__name__.lower(), "detail": detail}
        columns.update_sealed(attempt, kept)


def look_up(delivery: Delivery, clock: Clock) -> None:
    """Find out what became of a claimed, unconfirmed delivery. Raises ``LostClaim``."""
    # One row for looking, however often it takes: a post nobody can settle must not fill a table.
    attempt, _ = Attempt.objects.update_or_create(
        delivery=delivery,
        what="look_up",
        number=_last_send(delivery).number,
        defaults={"started_at": clock(), "ended_at": None, "outcome": "", "detail": ""},
    )
    outcome: Outcome
    answers: list[Captured] = []
    try:
        adapter = accounts.open_adapter(delivery.account)
        if delivery.request is None:
            outcome = Unconfirmed(ERASED)
        else:
            with capturing() as answers:
                outcome = adapter.look_up(
                    Prepared(delivery.key, bytes(delivery.request)), tuple(delivery.remote_ids)
                )
    except accounts.VaultError as sealed:
        outcome = Unconfirmed(f"It cannot be looked up. {sealed}")
    settle(delivery, attempt, outcome, clock())
    keep_answers(delivery, "look_up", answers, clock())
    if delivery.state == DeliveryState.WAITING and clock() > delivery.not_after:
        late = "Not sent in time. It was sent, but the channel does not have it."
        end_unsent(delivery, "miss", late, clock())


def end_unsent(delivery: Delivery, verb: str, reason: str, now: datetime) -> None:
    """End a delivery that does not go out, by ``refuse``, ``miss`` or ``lapse``.

    Of a thread that is live in part this ends nothing: it is *incomplete*, and a person decides.
    Raises :class:`~.steps.LostClaim`.
    """
    live = len(delivery.remote_ids)
    if live and delivery.removes_id is None:
        verb, reason = "halt", f"{live} parts of this thread are live and the rest is not. {reason}"
    with transaction.atomic():
        take_step(
            delivery,
            verb,
            facts=DeliveryFacts(now, delivery.not_after),
            now=now,
            fields={"reason": reason},
            changes={"lease_until": None, "trouble": reason},
        )


def confirm(
    delivery: Delivery,
    sent: Sent,
    facts: DeliveryFacts,
    now: datetime,
    *,
    member: Member | None = None,
) -> None:
    """It is live, or gone where it was to go: keep where, and put it on the record.

    Part of the caller's transaction. ``member`` says so where no machine could find out.
    """
    removes = delivery.removes
    said = _tell_removal(delivery, facts) if removes is not None else _tell(delivery, sent, now)
    signed = records.find_entry_id(f"draft.signed/{delivery.draft_id}/{delivery.version_number}")
    before = records.find_entry_id(f"delivery.sent/{removes.pk}") if removes is not None else None
    take_step(
        delivery,
        "say_live" if member is not None else "confirm",
        facts=facts,
        now=now,
        fields=said,
        public=tuple(said) if accounts.is_public(delivery.account) else (),
        links=tuple(link for link in (signed, before) if link),
        once=f"delivery.sent/{delivery.pk}",
        kind="delivery.removed" if removes is not None else "delivery.sent",
        member=member,
        changes={
            "remote_id": sent.remote_id,
            "remote_ids": list(sent.remote_ids),
            "url": sent.url,
            "sent_at": now,
            "seen_at": now,
            "trouble": "",
            "lease_until": None,
            "next_try_at": now,
            "settled_by": member.ref if member is not None else "",
        },
    )
    if removes is not None:
        Delivery.objects.filter(pk=removes.pk).update(removed_at=now)
        _withhold(delivery, removes, before, now)
    if delivery.draft.about_id is not None:
        _note_on_original(delivery, sent, facts)


def _tell(delivery: Delivery, sent: Sent, now: datetime) -> dict[str, str]:
    """What was said, under which guidance, and who, by role, wrote and signed it."""
    draft = delivery.draft
    version = drafts.get_version(draft, delivery.version_number)
    signoff = drafts.find_signoff(draft)
    assert signoff is not None
    approvers = list_holders(draft.organisation, Role.APPROVER)
    return {
        "organisation": draft.organisation.name,
        "channel": delivery.account.channel,
        "account": delivery.account.name,
        "text": version.text,
        "pictures": json.dumps(
            [{"sha256": p["sha256"], "alt": p["alt"]} for p in version.pictures], ensure_ascii=False
        ),
        "published_at": now.isoformat(timespec="seconds"),
        "url": sent.url,
        "guidance": version.pack,
        "verdict": str(version.report.get("verdict", "")),
        "written_by": "author",
        "signed_by": "approver" if signoff.by in approvers else "duty",
        "signed_at": signoff.at.isoformat(timespec="seconds"),
        "digest": delivery.digest,
    }


def _tell_removal(delivery: Delivery, facts: DeliveryFacts) -> dict[str, str]:
    version = drafts.get_version(delivery.draft, delivery.version_number)
    assert delivery.removes is not None
    return {
        "organisation": delivery.draft.organisation.name,
        "channel": delivery.account.channel,
        "account": delivery.account.name,
        "text": version.text,
        "ground": version.ground,
        "removed_at": facts.now.isoformat(timespec="seconds"),
        "url": delivery.removes.url,
        "digest": delivery.digest,
    }


def _withhold(delivery: Delivery, removes: Delivery, entry_id: str | None, now: datetime) -> None:
    """Where what was said must not be read any more, take it off the public register too."""
    version = drafts.get_version(delivery.draft, delivery.version_number)
    if not GROUNDS[version.ground].withholds:
        return
    # In every entry of the post: what must not be read here must not be read beside it either,
    # whether or not it can be taken down everywhere.
    same = Delivery.objects.filter(draft_id=removes.draft_id, removes=None)
    entries = [
        records.find_entry_id(f"delivery.sent/{pk}") for pk in same.values_list("pk", flat=True)
    ]
    labels = {
        label
        for entry in entries
        if entry is not None
        for label in record_actions.withhold(entry, ("text", "pictures"))
    }
    still_live = same.filter(removed_at=None).exclude(remote_ids=[]).exclude(pk=removes.pk)
    if not still_live.exists():
        draft_actions.make_pictures_private(removes.draft, removes.version_number)
    record_actions.record(
        "entry.withheld",
        at=now,
        organisation=delivery.draft.organisation.ref,
        actor="",
        role="worker",
        subject=f"post/{removes.draft_id}",
        links=(entry_id,) if entry_id is not None else (),
        fields={"fields": ", ".join(sorted(labels)), "ground": version.ground},
        once=f"entry.withheld/{delivery.pk}",
    )


def _note_on_original(delivery: Delivery, sent: Sent, facts: DeliveryFacts) -> None:
    """Leave an entry about the post that was corrected or removed, so that its own page says so."""
    draft = delivery.draft
    version = drafts.get_version(draft, delivery.version_number)
    public = accounts.is_public(delivery.account)
    fields = {
        "channel": delivery.account.channel,
        "account": delivery.account.name,
        "ground": version.ground,
        "text": version.text,
        "url": sent.url,
    }
    record_actions.record(
        f"post.{'removed' if draft.kind == drafts.DraftKind.REMOVAL else 'corrected'}",
        at=facts.now,
        organisation=draft.organisation.ref,
        actor="",
        role="worker",
        subject=f"post/{draft.about_id}",
        fields=fields,
        public=tuple(fields) if public else (),
        once=f"post.followed/{delivery.pk}",
    )


def _not_anothers(delivery: Delivery, outcome: Outcome) -> Outcome:
    """The outcome, unless what was found is live as another post of ours. Two that would settle at
    once come one after the other, by a lock on their account.
    """
    if not isinstance(outcome, Sent | Partly):
        return outcome
    accounts.hold_account(delivery.account_id)
    other = _find_owner(delivery, outcome)
    if other is None:
        return outcome
    return Different(
        f"What was found is live already as post {other.draft_id} of ours, which says the same."
        " Look on the channel whether this one is there too."
    )


def _find_owner(delivery: Delivery, outcome: Sent | Partly) -> Delivery | None:
    """Another delivery of ours that is live under an id this one was found under."""
    if delivery.removes_id is not None:
        return None
    newest = outcome.remote_ids[-1]
    live = Delivery.objects.filter(account=delivery.account, removes=None).exclude(pk=delivery.pk)
    same = live.filter(remote_id=newest).first()
    if same is None and len(outcome.remote_ids) > 1:
        # Parts after the first are found in the lists alone; few threads are on the way at once.
        same = next(
            (
                one
                for one in live.exclude(remote_ids=[]).order_by("-pk")[:50]
                if newest in one.remote_ids
            ),
            None,
        )
    return same


def _keep_unconfirmed(
    delivery: Delivery, reason: str, facts: DeliveryFacts, *, next_try_at: datetime
) -> None:
    """Nobody knows yet: say why, and look again later."""
    changes: dict[str, object] = {
        "trouble": reason,
        "lease_until": None,
        "next_try_at": next_try_at,
    }
    if delivery.state == DeliveryState.UNCONFIRMED:
        write(delivery, changes)
        return
    fields = {"reason": reason}
    take_step(delivery, "doubt", facts=facts, now=facts.now, fields=fields, changes=changes)


def _last_send(delivery: Delivery) -> Attempt:
    """The newest attempt at sending. A delivery that is unconfirmed has one."""
    return delivery.attempts.filter(what="send").order_by("-pk")[0]


def quiet_until(delivery: Delivery) -> datetime:
    """When the last request sent for this delivery can no longer be on its way."""
    return _last_send(delivery).started_at + QUIET


def _wait(delivery: Delivery, outcome: Unconfirmed | Different, now: datetime) -> timedelta:
    """How long until the next look: as the channel asked, else as long again as it has been since
    the send, between two seconds and ten minutes; and ten minutes where only a person can help.
    """
    if isinstance(outcome, Different):
        return WAIT_FOR_HELP
    if outcome.after_seconds is not None:
        return timedelta(seconds=max(outcome.after_seconds, 1.0))
    return min(max(now - _last_send(delivery).started_at, LOOK_AGAIN), LONGEST_LOOK)
