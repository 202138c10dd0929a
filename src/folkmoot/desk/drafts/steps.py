"""The one place that writes a draft's state: plan, compare-and-set, record, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import connection

from folkmoot.desk.records import actions as records
from folkmoot.lifecycle import Refused

from .lifecycle import DRAFT, DraftFacts, DraftState
from .models import Draft


class DraftRefused(Exception):
    """The step was not taken. ``reasons`` are sentences for the person who asked."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class StaleDraft(DraftRefused):
    """Somebody else changed the draft in the meantime; nothing was written."""


def take_step(
    draft: Draft,
    verb: str,
    *,
    facts: DraftFacts,
    roles: Iterable[str],
    role: str,
    now: datetime,
    fields: Mapping[str, str] | None = None,
    changes: Mapping[str, object] | None = None,
    once: str | None = None,
) -> Draft:
    """Take ``verb`` on ``draft`` as it was read, and leave its entry in the record.

    ``role`` is the one the actor acts in; ``changes`` are further columns to set. Must run in the
    caller's transaction. Raises :class:`DraftRefused` where the table refuses and
    :class:`StaleDraft` where somebody was quicker.
    """
    assert connection.in_atomic_block
    planned = DRAFT.plan(DraftState(draft.state), verb, roles=roles, facts=facts)
    if isinstance(planned, Refused):
        raise DraftRefused(*planned.reasons)
    changed = Draft.objects.filter(
        pk=draft.pk,
        state=planned.source,
        revision=draft.revision,
    ).update(state=planned.target, revision=draft.revision + 1, changed_at=now, **(changes or {}))
    if changed != 1:
        raise StaleDraft(
            "Somebody else changed this post at the same moment, so nothing was done. "
            "Look at it as it now stands and decide again."
        )
    draft.refresh_from_db()
    records.record(
        f"draft.{planned.done}",
        at=now,
        organisation=draft.organisation.ref,
        actor=facts.actor,
        role=role,
        subject=draft.subject,
        fields=fields,
        once=once,
    )
    return draft
