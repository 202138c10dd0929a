"""What a second reader agrees to, as one number: every field that is in, and what becomes of it."""

from __future__ import annotations

import hashlib
import json

from .models import Decision, Request


def release_digest(request: Request) -> str:
    """SHA-256, in hexadecimal, over every decision of a release as the database has it now.

    A field that is decided otherwise, an entry more or less, another exemption or another reason
    gives another number.
    """
    hashed = hashlib.sha256(b"folkmoot release 1\n")
    grounds = {
        ground.pk: (ground.exemption, ground.reason) for ground in request.grounds.order_by("pk")
    }
    rows = (
        Decision.objects.filter(request=request)
        .order_by("entry_id", "label")
        .values_list("entry_id", "label", "verdict", "ground_id")
    )
    for entry_id, label, verdict, ground_id in rows.iterator(2_000):
        exemption, reason = grounds.get(ground_id, ("", ""))
        line = json.dumps([entry_id, label, verdict, exemption, reason], ensure_ascii=False)
        hashed.update(line.encode() + b"\n")
    for entry_id in (
        request.chosen.order_by("entry_id").values_list("entry_id", flat=True).iterator(2_000)
    ):
        hashed.update(f"{entry_id}\n".encode())
    return hashed.hexdigest()
