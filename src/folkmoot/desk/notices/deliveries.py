"""Deliveries that need a person: what is told of each state, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from folkmoot.desk.publishing.queries import DeliveryState, Told

from .needs import Need, Page, Seen, Urgency, capital, post_page

SETTLES_WITHIN = timedelta(minutes=2)
"""Most of what is unconfirmed, or waits with something in its way, is over by then by itself."""
LOOKED_BACK = timedelta(days=7)
"""What was not sent is shown for so long; its post says it for ever."""

S = DeliveryState


@dataclass(frozen=True, slots=True)
class _Trouble:
    """How a state of deliveries is told. ``{0}`` is the post, ``{1}`` the accounts."""

    kind: str
    urgency: Urgency
    what: str
    do: str
    decided: bool
    """Whether it is decided about on a page of its own, for each delivery."""


TROUBLES = {
    "unsure": _Trouble(
        "unconfirmed",
        Urgency.NOW,
        "Nobody knows whether {0} is live on {1}.",
        "Look on the channel, and say whether it is there. It is not sent again before that.",
        decided=True,
    ),
    "unsure_removal": _Trouble(
        "unconfirmed",
        Urgency.NOW,
        "Nobody knows whether {0} was taken down on {1}.",
        "Look on the channel, and say whether it is still there.",
        decided=True,
    ),
    "incomplete": _Trouble(
        "incomplete",
        Urgency.NOW,
        "Only a part of {0} is live on {1}.",
        "Decide whether the rest goes out.",
        decided=True,
    ),
    "differs": _Trouble(
        "differs",
        Urgency.NOW,
        "What is live of {0} on {1} is not what was signed.",
        "Compare the two, and correct it or take it down.",
        decided=False,
    ),
    "gone": _Trouble(
        "gone",
        Urgency.NOW,
        "{0} went out and is no longer to be seen on {1}.",
        "Find out who took it away and why.",
        decided=False,
    ),
    "unreadable": _Trouble(
        "unreadable",
        Urgency.TODAY,
        "{0} went out, and could not be read back on {1}.",
        "Look on the channel whether it is as it was signed.",
        decided=False,
    ),
    "missed": _Trouble(
        "missed",
        Urgency.TODAY,
        "{0} was not sent to {1} in time, and will not be sent late.",
        "Decide whether it is still to be said. If so, copy it and give it a new time.",
        decided=False,
    ),
    "refused": _Trouble(
        "refused",
        Urgency.TODAY,
        "{0} was refused by {1}.",
        "Read why, and put it right in a new post.",
        decided=False,
    ),
    "waits": _Trouble(
        "waits",
        Urgency.NOW,
        "{0} is due, and waits with something in its way on {1}.",
        "Read what is in its way.",
        decided=False,
    ),
}


def list_deliveries(seen: Seen, explained: Collection[int], now: datetime) -> Iterable[Need]:
    """One need for each post and what is wrong with it, however many accounts that is on.
    Those that are ``explained`` are told with their cause.
    """
    held = seen.fence is not None or bool(seen.refusal)
    groups: dict[tuple[int, str], list[Told]] = defaultdict(list)
    for one in seen.troubled:
        if one.pk in explained or (held and is_waiting(one)):
            continue
        trouble = _find_trouble(one, now)
        if trouble:
            groups[one.draft_id, trouble].append(one)
    for (draft_id, name), group in groups.items():
        how = TROUBLES[name]
        first = group[0]
        yield Need(
            f"delivery/{draft_id}/{name}/{max(one.pk for one in group)}",
            how.kind,
            how.urgency,
            capital(
                how.what.format(f"post {draft_id}", _list(sorted(one.account for one in group)))
            ),
            how.do,
            Page("decide", (("delivery_id", first.pk),)) if how.decided else post_page(draft_id),
            min(_since(one) for one in group),
        )


def _find_trouble(one: Told, now: datetime) -> str:
    """Which of :data:`TROUBLES` a delivery is in; empty where it is in none that asks for anybody
    now.
    """
    age = now - _since(one)
    match one.state:
        case S.UNCONFIRMED if age > SETTLES_WITHIN:
            return "unsure_removal" if one.removes else "unsure"
        case S.INCOMPLETE:
            return "incomplete"
        case S.SENT if one.read_back in TROUBLES:
            return one.read_back
        case S.MISSED | S.REFUSED if age <= LOOKED_BACK:
            return str(one.state)
        case S.WAITING if age > SETTLES_WITHIN:
            return "waits"
    return ""


def _since(one: Told) -> datetime:
    """Since when a delivery has been as it is, as far as its attempts tell."""
    sends = [attempt for attempt in one.attempts if attempt.what == "send"]
    if one.state == S.MISSED:
        return one.not_after
    if one.state in {S.UNCONFIRMED, S.INCOMPLETE, S.REFUSED} and sends:
        return sends[-1].ended_at or sends[-1].started_at
    return one.sent_at or one.due_at


def is_waiting(one: Told) -> bool:
    """Whether it still waits to be sent."""
    return one.state == S.WAITING


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
