"""Where somebody lives: UK postcodes, and postcodes with a house in front of them."""

from __future__ import annotations

import re
from bisect import bisect_left

from folkmoot.check.passage import Passage, Spans, touches
from folkmoot.check.table import Table

from .registry import DetectInPassage, passage_detector, plain_passage_detector

# Letters and figures by place, after BS 7666 and Royal Mail's programmers' guide: Q, V and X never
# stand first, I, J and Z never second, and C, I, K, M, O and V in neither of the last two places.
_AREA = "[a-pr-uwyz]"
_OUTWARD = (
    rf"(?:{_AREA}\d{{1,2}}|{_AREA}[a-hk-y]\d{{1,2}}|{_AREA}\d[a-hjkpstuw]"
    rf"|{_AREA}[a-hk-y]\d[abehmnprvwxy]|gir)"
)
_POSTCODE = re.compile(rf"(?<![\w.-]){_OUTWARD} ?\d[abd-hjlnp-uw-z]{{2}}(?![\w-])")
# The areas there are, so that "a1 2bc" of a room or a pack is no postcode.
_AREAS = frozenset(
    [
        "ab",
        "al",
        "b",
        "ba",
        "bb",
        "bd",
        "bf",
        "bh",
        "bl",
        "bn",
        "br",
        "bs",
        "bt",
        "bx",
        "ca",
        "cb",
        "cf",
        "ch",
        "cm",
        "co",
        "cr",
        "ct",
        "cv",
        "cw",
        "da",
        "dd",
        "de",
        "dg",
        "dh",
        "dl",
        "dn",
        "dt",
        "dy",
        "e",
        "ec",
        "eh",
        "en",
        "ex",
        "fk",
        "fy",
        "g",
        "gl",
        "gu",
        "gy",
        "ha",
        "hd",
        "hg",
        "hp",
        "hr",
        "hs",
        "hu",
        "hx",
        "ig",
        "im",
        "ip",
        "iv",
        "je",
        "ka",
        "kt",
        "kw",
        "ky",
        "l",
        "la",
        "ld",
        "le",
        "ll",
        "ln",
        "ls",
        "lu",
        "m",
        "me",
        "mk",
        "ml",
        "n",
        "ne",
        "ng",
        "nn",
        "np",
        "nr",
        "nw",
        "ol",
        "ox",
        "pa",
        "pe",
        "ph",
        "pl",
        "po",
        "pr",
        "rg",
        "rh",
        "rm",
        "s",
        "sa",
        "se",
        "sg",
        "sk",
        "sl",
        "sm",
        "sn",
        "so",
        "sp",
        "sr",
        "ss",
        "st",
        "sw",
        "sy",
        "ta",
        "td",
        "tf",
        "tn",
        "tq",
        "tr",
        "ts",
        "tw",
        "ub",
        "w",
        "wa",
        "wc",
        "wd",
        "wf",
        "wn",
        "wr",
        "ws",
        "wv",
        "yo",
        "ze",
        "gir",
    ]
)
_STREET = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|close|cl|drive|dr|court|ct|crescent|cres|gardens|gdns"
    r"|terrace|grove|way|place|pl|hill|walk|row|mews|park|square|sq|rise|view|green|parade|heol|stryd"
    r"|ffordd|lôn)"
)
_HOUSE = re.compile(
    rf"(?<![\w£.,:/-])(?:flat \d{{1,4}}[a-z]?,? )?\d{{1,4}}[a-z]?,? "
    rf"(?:[a-z'-]{{2,20}} ){{0,3}}{_STREET}\b"
    r"|(?<![\w£.,:/-])\d{1,4}[a-z]?,? (?:heol|stryd|ffordd|lôn)(?: [a-z'-]{2,20}){1,3}"
    r"|\b[a-z'-]{3,20} (?:cottage|villa|farmhouse|lodge)\b"
)
_BETWEEN = 80
_DIGIT = re.compile("[0-9]")
# Words that make an address the address of something the public goes to.
_PUBLIC = re.compile(
    r"\b(?:visit|venue|library|librar(?:y|ies)|museum|gallery|theatre|school|college|university"
    r"|hospital|clinic|surgery|health centre|centre|center|hall|town hall|office|offices"
    r"|station|pool|church|chapel|mosque|temple|synagogue|park|hotel|shop|store|market|stadium"
    r"|arena|cafe|café|pub|restaurant|court|courthouse|depot|tip|hub|drop[ -]in|exhibition"
    r"|event|meeting|tickets|doors|opening (?:hours|times)|open (?:from|daily|every|until|on)"
    r"|join us|held at|takes place|write to|post (?:it )?to|by post|head office|headquarters"
    r"|hq|llyfrgell|amgueddfa|neuadd|canolfan)\b"
)
# Words that make it somebody's own.
_PRIVATE = re.compile(
    r"\b(?:lives?|living|lived|home|house|resident|tenant|neighbour|his|her|their|mr|mrs|ms|miss"
    r"|victim|suspect|family|moved|residing|occupant|byw|cartref)\b"
)


def find_postcodes(text: str) -> Spans:
    """Places of UK postcodes in folded ``text``, in order."""
    found = []
    for match in _POSTCODE.finditer(text):
        letters = match[0][:3] if match[0].startswith("gir") else match[0][:2]
        area = letters if letters.isalpha() else letters[:1]
        if area in _AREAS:
            found.append(match.span())
    return found


def _postcodes(passage: Passage) -> Spans:
    """Postcodes in ``passage``, looked for once for both rules."""
    found: Spans | None = passage.memo.get(find_postcodes)
    if found is None:
        found = passage.memo[find_postcodes] = find_postcodes(passage.folded)
    return found


@plain_passage_detector("postcode", where="digits")
def postcode(passage: Passage) -> Spans:
    """UK postcodes that stand alone: one without a house is shared by about fifteen addresses.

    Written in capitals, or with a digit and a space where a postcode has them; ``w1 4pm`` in small
    letters is taken for words. Those :func:`home_address` finds are left to it.
    """
    if not _DIGIT.search(passage.folded):
        return []
    homes = _homes_once(passage)
    return [
        (start, end)
        for start, end in _postcodes(passage)
        if _is_written_as_one(passage.text[start:end]) and not touches(homes, start, end)
    ]


def _is_written_as_one(written: str) -> bool:
    return written.upper() == written


@passage_detector("home-address", where="digits")
def home_address(options: Table) -> DetectInPassage:
    """A house with its street and postcode, where nothing says that the public goes there.

    Options: ``in_any_case`` (false if left out) takes addresses of public places too. An address
    is one where the house stands at most 80 characters before the postcode. Words such as visit,
    library or tickets make it a public place, unless a word such as lives or Mrs makes it
    somebody's.
    """
    in_any_case = options.flag("in_any_case", default=False)

    def find(passage: Passage) -> Spans:
        if not _DIGIT.search(passage.folded):
            return []
        homes = _homes_once(passage)
        return homes if homes and (in_any_case or _is_private(passage.folded)) else []

    return find


def _is_private(text: str) -> bool:
    return _PRIVATE.search(text) is not None or _PUBLIC.search(text) is None


def _homes_once(passage: Passage) -> Spans:
    """Houses with their postcodes, looked for once for both rules."""
    homes: Spans | None = passage.memo.get(_homes)
    if homes is None:
        homes = passage.memo[_homes] = _homes(passage)
    return homes


def _homes(passage: Passage) -> Spans:
    postcodes = [
        span for span in _postcodes(passage) if _is_written_as_one(passage.text[slice(*span)])
    ]
    if not postcodes:
        return []
    houses = [match.span() for match in _HOUSE.finditer(passage.folded)]
    found: Spans = []
    for start, end in postcodes:
        earliest = max(0, start - _BETWEEN, found[-1][1] if found else 0)
        first = bisect_left(houses, (earliest,))
        if first < len(houses) and houses[first][1] <= start:
            found.append((houses[first][0], end))
    return found
