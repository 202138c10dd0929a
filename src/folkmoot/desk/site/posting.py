"""How the record's worker reaches witnesses and time stamp services: the one outbound client."""

from __future__ import annotations

from django.conf import settings

from folkmoot.channels import Outbound, OutboundError
from folkmoot.desk.records.anchoring import CannotAsk

SECONDS = 20.0
MOST_BYTES = 64 << 10


def post(url: str, body: bytes, content_type: str) -> tuple[int, str, bytes]:
    """Post ``body``; status, content type and body of the answer.

    Raises :class:`~folkmoot.desk.records.anchoring.CannotAsk` where there is none.
    """
    outbound = Outbound(
        allow=settings.INTERNAL_HOSTS, timeout_seconds=SECONDS, max_bytes=MOST_BYTES
    )
    try:
        answer = outbound.request("POST", url, {"Content-Type": content_type}, body)
    except OutboundError as fault:
        raise CannotAsk(fault.reason) from fault
    return answer.status, answer.headers.get("content-type", ""), answer.body
