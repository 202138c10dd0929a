"""What requests for information and bags need of a person."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.desk.releases.queries import Asks, What

from .needs import Need, Page, Urgency

# What it is; what is done about it; how soon; and the page where.
_TOLD: dict[What, tuple[str, str, Urgency, str]] = {
    What.LATE: (
        "Request {} is late: its last day has passed.",
        "Answer it, or tell whoever asked when you will.",
        Urgency.TODAY,
        "records_request",
    ),
    What.DUE: (
        "Request {} must be answered within a few days.",
        "See how far it is.",
        Urgency.TODAY,
        "records_request",
    ),
    What.NOT_KNOWN: (
        "By which day request {} must be answered is not known here.",
        "Count it by hand from the list of bank holidays, and bring this program up to date.",
        Urgency.TODAY,
        "records_request",
    ),
    What.READING: (
        "What request {} releases waits for its second reader.",
        "Another records officer reads it, and agrees or sends it back.",
        Urgency.TODAY,
        "records_reading",
    ),
    What.BAG_PROPOSED: (
        "Bag {} is proposed, which waits for a second person.",
        "Look at what is to go into it, and agree or destroy it.",
        Urgency.SOON,
        "records_bag",
    ),
    What.BAG_FAILED: (
        "Bag {} could not be made.",
        "Its page says why. Put that right, and have it made again.",
        Urgency.TODAY,
        "records_bag",
    ),
}


def list_requested(asked: Iterable[Asks]) -> Iterable[Need]:
    """A need for each of what requests and bags ask for."""
    for one in asked:
        what, do, urgency, page = _TOLD[one.what]
        yield Need(
            f"requested/{one.what}/{one.ref}",
            "requested",
            urgency,
            what.format(one.number),
            do,
            Page(page, (("ref", one.ref),)),
            one.since_at,
        )
