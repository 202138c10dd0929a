"""Registration marks of vehicles, which lead to whoever keeps them."""

from __future__ import annotations

import re

from folkmoot.check.passage import Passage, Spans
from folkmoot.check.words import without_overlaps

from .registry import plain_passage_detector

# Two letters for where, two digits for when, three for which (DVLA leaflet INF104): I, Q and Z are
# no letter of an area's first place in use, I and Q are none of the last three.
_CURRENT = re.compile(r"(?<![\w#@/.-])[A-HK-PRSVWY][A-HJ-PR-Y]([0-9]{2}) ?[A-HJ-PR-Z]{3}(?![\w-])")
# Before 2001: a letter for the year before or after the number. As many other codes look so, a
# word for a vehicle must stand near.
_OLDER = re.compile(
    r"(?<![\w#@/.-])(?:[A-HJ-NPR-TV-Y][0-9]{1,3} ?[A-HJ-PR-Z]{3}"
    r"|[A-HJ-PR-Z]{3} ?[0-9]{1,3}[A-HJ-NPR-TV-Y])(?![\w-])"
)
# Northern Ireland: one to four digits with letters of which one is I or Z.
_NORTHERN = re.compile(r"(?<![\w#@/.-])(?:[A-Z]?[IZ][A-Z]|[A-Z]{2}[IZ]) ?[0-9]{1,4}(?![\w-])")
_VEHICLE = re.compile(
    r"\b(?:reg|registration|registered|number ?plate|plate|plates|vrm|car|van|lorry|vehicle"
    r"|motorbike|motorcycle|taxi|cerbyd|rhif cofrestru)\b"
)
_NEAR = 60
_DIGIT = re.compile("[0-9]")
# Digits of the current form that were or will be issued: 02 to 49 in March, 51 to 99 in September.
_NEVER_ISSUED = frozenset({"00", "01", "50"})


@plain_passage_detector("number-plate", where="digits")
def find_number_plates(passage: Passage) -> Spans:
    """Registration marks, written in capitals.

    The current form (``AB12 CDE``) stands for itself; older ones and those of Northern Ireland
    need a word such as car or registration within 60 characters.
    """
    text = passage.readable
    if not _DIGIT.search(text) or len(text) != len(passage.folded):
        return []
    found = [match.span() for match in _CURRENT.finditer(text) if match[1] not in _NEVER_ISSUED]
    if _VEHICLE.search(passage.folded):
        for pattern in (_OLDER, _NORTHERN):
            for match in pattern.finditer(text):
                start, end = match.span()
                around = passage.folded[max(0, start - _NEAR) : end + _NEAR]
                if _VEHICLE.search(around):
                    found.append((start, end))
    return without_overlaps(found)
