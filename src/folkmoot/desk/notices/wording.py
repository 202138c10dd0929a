"""The words of a message: what a target is told, in one, of everything that waits for it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from html import escape
from zoneinfo import ZoneInfo

from folkmoot.channels.email import Letter

from .needs import RANK, Urgency, count

MOST_TOLD = 15
URGENCY_WORDS = {
    Urgency.NOW: "Now",
    Urgency.TODAY: "Today",
    Urgency.SOON: "Soon",
}
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title></head>\n'
    '<body style="font-family: sans-serif; font-size: 19px; line-height: 1.4; max-width: 38em">\n'
    "{main}\n</body></html>\n"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One need in a message. ``address`` is that of the page where it is done, or empty; ``kind``
    is ``need``, ``reminder`` or ``test``.
    """

    kind: str
    urgency: Urgency
    what: str
    do: str
    address: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message. ``items`` are in the order in which they are told; ``more`` counts those left to
    the page at ``duty_address``; ``note`` is a sentence about what comes later, or empty.
    """

    title: str
    items: tuple[Item, ...]
    more: int
    note: str
    duty_address: str


def write_message(
    organisation: str, items: Sequence[Item], *, duty_address: str, note: str = ""
) -> Message:
    """One message of all of ``items``, the most urgent first."""
    ordered = sorted(items, key=lambda one: RANK[one.urgency])
    first = ordered[0]
    if first.kind == "test":
        title = f"{organisation}: a test"
    elif len(ordered) == 1:
        again = "still: " if first.kind == "reminder" else ""
        title = f"{organisation}, {URGENCY_WORDS[first.urgency].lower()}: {again}{first.what}"
    else:
        by = Counter(one.urgency for one in ordered)
        parts = ", ".join(f"{by[one]} {one}" for one in Urgency if by[one])
        title = f"{organisation}: {count(len(ordered), 'thing')} need a person ({parts})"
    told = tuple(ordered[:MOST_TOLD])
    return Message(title, told, len(ordered) - len(told), note, duty_address)


def as_text(message: Message) -> str:
    """The message as plain text, without its title."""
    pieces = [
        "\n".join(line for line in (f"{_lead(one)}{one.what}", one.do, one.address) if line)
        for one in message.items
    ]
    if message.more:
        pieces.append(f"And {message.more} more.")
    if message.note:
        pieces.append(message.note)
    pieces.append(f"Everything that needs a person: {message.duty_address}")
    return "\n\n".join(pieces)


def as_letter(
    message: Message, *, reference: str, to: str, sender_name: str, domain: str, at: datetime
) -> Letter:
    """The message as an e-mail to ``to``."""
    pieces = []
    for one in message.items:
        link = f'<br>\n<a href="{escape(one.address)}">See to it</a>' if one.address else ""
        pieces.append(
            f"<p><strong>{escape(_lead(one))}{escape(one.what)}</strong><br>\n"
            f"{escape(one.do)}{link}</p>"
        )
    if message.more:
        pieces.append(f"<p>And {message.more} more.</p>")
    if message.note:
        pieces.append(f"<p>{escape(message.note)}</p>")
    pieces.append(
        f'<p><a href="{escape(message.duty_address)}">Everything that needs a person</a></p>'
    )
    return Letter(
        reference=reference,
        to=to,
        sender_name=sender_name,
        domain=domain,
        subject=message.title,
        text=as_text(message) + "\n",
        html=_PAGE.format(title=escape(message.title), main="\n".join(pieces)),
        language="en",
        at=at,
    )


def plan_time(
    urgency: Urgency, quiet: tuple[time, time] | None, now: datetime, zone: ZoneInfo
) -> datetime:
    """When somebody with these quiet hours (from, until; in ``zone``) is to be told: at once, or at
    their end. What is needed now never waits.
    """
    if urgency is Urgency.NOW or quiet is None:
        return now
    begin, end = quiet
    local = now.astimezone(zone)
    clock = local.time()
    over_midnight = end <= begin
    quiet_now = not end <= clock < begin if over_midnight else begin <= clock < end
    if not quiet_now:
        return now
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    return max(now, datetime.combine(day, end, zone).astimezone(now.tzinfo))


def _lead(one: Item) -> str:
    if one.kind == "test":
        return ""
    return f"{URGENCY_WORDS[one.urgency]}{', still' if one.kind == 'reminder' else ''}: "
