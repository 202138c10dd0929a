"""What a person decides: what becomes of e-mails that nobody knows about, or that were not sent in
time.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from folkmoot.desk.people.queries import Member
from folkmoot.desk.records import actions as records

from .lifecycle import MailState
from .models import Issue, Mail
from .outbox import WINDOW
from .steps import StepRefused, take_steps

TROUBLED = (MailState.UNSURE, MailState.LAPSED)


class DecisionRefused(Exception):
    """Nothing was decided; the message is a sentence that says why."""


@transaction.atomic
def decide(
    member: Member,
    issue_key: str,
    *,
    state: MailState,
    verb: str,
    now: datetime,
    reference: str = "",
    knows: bool = False,
) -> int:
    """Decide on an issue's e-mails that stand at ``state`` (``unsure`` or ``lapsed``), or on the
    one with ``reference``: ``leave`` them as they are, or ``send_again``; how many that were.
    Those that are still being asked about are left out.

    ``knows`` is that the member has said they know that sending again what may have been taken can
    reach people twice. Raises :class:`DecisionRefused`.
    """
    issue = Issue.objects.filter(
        mailing_list__organisation=member.organisation, key=issue_key
    ).first()
    if issue is None or state not in TROUBLED or verb not in ("leave", "send_again"):
        raise DecisionRefused("There is nothing here to decide.")
    if verb == "send_again" and state is MailState.UNSURE and not knows:
        raise DecisionRefused(
            "Tick that you know: whoever got this e-mail already may get it a second time."
        )
    mails = Mail.objects.filter(issue=issue, next_try_at=None)
    if reference:
        mails = mails.filter(reference=reference)
    changes: dict[str, object] = {"settled_by": member.ref, "next_try_at": None}
    if verb == "send_again":
        changes |= {"next_try_at": now, "not_after": now + WINDOW, "trouble": ""}
    try:
        count = take_steps(mails, verb, state, roles=member.held, now=now, changes=changes)
    except StepRefused as refused:
        raise DecisionRefused(str(refused)) from refused
    if count == 0:
        raise DecisionRefused("Somebody, or the worker, has settled this meanwhile.")
    if verb == "send_again":
        Issue.objects.filter(pk=issue.pk).update(finished_at=None)
    records.record(
        f"mails.{'left' if verb == 'leave' else 'sent_again'}",
        at=now,
        organisation=member.organisation.ref,
        actor=member.ref,
        role=next(iter(sorted(member.held))),
        subject=f"issue/{issue.key}",
        fields={"stood": state, "count": str(count)},
    )
    return count
