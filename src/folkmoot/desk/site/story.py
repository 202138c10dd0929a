"""The story of one post as a line of time, told from the record itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from folkmoot.desk.drafts.queries import Draft
from folkmoot.desk.people.queries import names_by_ref
from folkmoot.desk.records import queries as records

WORDS = {
    "draft.started": "The post was begun",
    "draft.saved": "A new version was saved",
    "draft.sent_for_signoff": "Sent for sign-off",
    "draft.signed": "Signed",
    "draft.sent_back": "Sent back",
    "draft.taken_back": "Taken back into drafting",
    "draft.withdrawn": "Withdrawn",
    "draft.begun": "Its time came",
    "draft.lapsed": "Not sent",
    "draft.published": "All deliveries ended",
    "draft.unsent": "All deliveries ended, and none was sent",
    "delivery.sending": "Sending",
    "delivery.sent": "Live",
    "delivery.refused": "Refused",
    "delivery.unconfirmed": "Unconfirmed: nobody knows yet whether it is live",
    "delivery.cleared": "Looked up, and it is not there",
    "delivery.missed": "Missed: not sent in time",
    "delivery.read_back": "Read back",
    "delivery.advanced": "One more part of the thread is live",
    "delivery.halted": "Stopped half way through the thread",
    "delivery.resumed": "The rest of the thread may go",
    "delivery.left": "Left as it is",
    "delivery.lapsed": "Lapsed, and not sent",
    "delivery.removed": "Taken down",
    "delivery.said_live": "Seen live by a person",
    "delivery.said_absent": "Looked for by a person, and not there",
    "draft.recalled": "Must be signed again",
    "draft.correction_started": "The correction was begun",
    "draft.removal_started": "The removal was asked for",
    "post.corrected": "Corrected",
    "post.removed": "Taken down",
    "alarm.raised": "Alarm",
}
OUTCOME_WORDS = {
    "sent": "it is there",
    "partly": "a part is there",
    "refused": "refused",
    "unconfirmed": "no clear answer",
    "absent": "it is not there",
    "different": "something else is there",
    "notprepared": "could not be prepared",
    "notready": "the channel is still at work on its pictures",
    "lost": "the program stopped",
}
DETAILS = ("account", "reason", "accepted", "note")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the record about the post, in words."""

    at: datetime
    what: str
    who: str
    details: tuple[tuple[str, str], ...]
    entry_id: str
    public: bool


def tell_story(draft: Draft) -> list[Event]:
    """Everything recorded of the post, oldest first."""
    entries = records.list_history(draft.subject)
    names = names_by_ref(entry.actor for entry in entries if entry.actor)
    return [
        Event(
            entry.at,
            WORDS.get(entry.kind, entry.kind),
            f"{names.get(entry.actor, 'a former member')}, {entry.role}"
            if entry.actor
            else "the program",
            (("note", records.DAMAGED),)
            if entry.damaged
            else tuple(
                (label, entry.fields[label]) for label in DETAILS if entry.fields.get(label)
            ),
            entry.entry_id,
            entry.kind == "delivery.sent" and entry.public and entry.index is not None,
        )
        for entry in entries
    ]
