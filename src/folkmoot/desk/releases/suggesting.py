"""What the program makes of a field, for a person to look at: release it, or not without thought.

A suggestion is a word and decides nothing. It is worked out when an entry is chosen and kept; the
text that it came from is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import StrEnum

from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.erasing import fold


class Suggestion(StrEnum):
    """What is suggested, and why."""

    PUBLIC = "public"
    """It is on the public register already: release."""
    PHRASE = "phrase"
    """It holds a name or number that was searched for."""
    CONTACT = "contact"
    """It holds an e-mail address or a telephone number."""
    STAFF = "staff"
    """It names a member who is not named in public."""
    PEOPLE = "people"
    """It is in an entry about people: a subscriber, a member, who asked."""
    PLAIN = "plain"
    """Nothing was found in it."""


PERSONAL = frozenset({Suggestion.PHRASE, Suggestion.CONTACT, Suggestion.STAFF, Suggestion.PEOPLE})
WORDS = {
    Suggestion.PUBLIC: "on the public register already",
    Suggestion.PHRASE: "holds words that were searched for",
    Suggestion.CONTACT: "holds an e-mail address or telephone number",
    Suggestion.STAFF: "names a member of staff",
    Suggestion.PEOPLE: "is about people",
    Suggestion.PLAIN: "nothing personal was found in it",
}

# Loose on purpose: what is found too often is looked at by a person, what is missed may be by none.
_EMAIL = re.compile(r"[^\s@<>()\"']{1,64}@[^\s@<>()\"']{1,255}\.[^\W\d_]{2,}")
# Nine digits or more with what people write between them: 07700 900123, +44 (0)20 7946 0018.
_PHONE = re.compile(r"(?<![0-9a-fA-F])(?:\+|00)?(?:[0-9][\s().\-]{0,2}){8,15}[0-9](?![0-9a-fA-F])")
_DIGEST = re.compile(r"[0-9a-f]{32,}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z]+")
_PEOPLE = frozenset({RecordClass.PEOPLE, RecordClass.MAILING, RecordClass.REQUESTS})


def suggest(
    value: str,
    *,
    retention: str,
    public: bool,
    phrases: Collection[str] = (),
    staff: Iterable[str] = (),
) -> Suggestion:
    """What to make of one field of an entry of this class. ``phrases`` were searched for; ``staff``
    are the names of members. What is public already is not held back by any of them.
    """
    if public:
        return Suggestion.PUBLIC
    folded = fold(value)
    if any(phrase in folded for phrase in map(fold, phrases) if phrase):
        return Suggestion.PHRASE
    # Times and digests are long runs of digits, and nobody's telephone.
    bare = _DIGEST.sub(" ", value)
    if _EMAIL.search(bare) or _PHONE.search(bare):
        return Suggestion.CONTACT
    if any(name in folded for name in map(fold, staff) if name):
        return Suggestion.STAFF
    if retention in _PEOPLE:
        return Suggestion.PEOPLE
    return Suggestion.PLAIN
