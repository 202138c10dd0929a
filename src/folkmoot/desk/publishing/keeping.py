"""Keeping what channels answered, at our side: nothing is ever fetched again to prove it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from folkmoot.channels.captures import Captured

from .models import Capture, Delivery

MOST = 20
"""Answers kept of one delivery: a channel that is asked for ever must not fill a table."""


def keep_answers(delivery: Delivery, what: str, answers: Sequence[Captured], now: datetime) -> None:
    """Keep the channel's answers to a send, a look-up or a reading back. Called once what came of
    it is written down, so that nothing about keeping them can lose that. What was erased of a post
    is not brought back by what its channel still says.
    """
    if not answers or delivery.request is None:
        return
    with transaction.atomic():
        left = MOST - Capture.objects.filter(delivery=delivery).count()
        for one in list(answers)[: max(left, 0)]:
            Capture.objects.create(
                delivery=delivery,
                what=what,
                at=now,
                status=one.status,
                url=one.url,
                headers=[list(pair) for pair in one.headers],
                body=one.body,
            )
