"""Ways to reach one person: telephone numbers and e-mail addresses."""

from __future__ import annotations

import re

from folkmoot.check.passage import Passage, Spans
from folkmoot.check.table import Table

from .registry import DetectInPassage, passage_detector

_TELEPHONE_START = re.compile(
    r"(?<![\w,/£$€+-])(?<![\d+(]\.)(?:\(?\+44\)?(?: ?\(0\))?|\(?0044\)?(?: ?\(0\))?|\(?0)"
    r"(?=[ .()/-]{0,3}\d)"
)
# Words after which ten digits are something else's number.
_OTHER_NUMBER = re.compile(
    r"\b(?:order|ref|reference|invoice|tracking|parcel|barcode|serial|isbn|account|acct|case|crime"
    r"|policy|booking|ticket|licence|application|product|part|model|customer|meter|version)"
    r"(?: ?(?:no|number|id|code|ref|reference|is|was)){0,2}[\s.:#-]{0,4}$"
)
_BEFORE = 30
_DIGITS_AFTER_TRUNK = 10
_GAP_AT_MOST = 2
_MOBILE = re.compile(r"7(?:[1-57-9]|624)")
_LANDLINE = re.compile(r"(?:1[1-9]|2[03489])")
_PARTS = re.compile(r"[._+'%-]+")


@passage_detector("telephone", where="numbers")
def telephone(options: Table) -> DetectInPassage:
    """UK telephone numbers of one kind, in any usual spelling, by Ofcom's national plan.

    https://www.ofcom.org.uk/phones-and-broadband/phone-numbers: 01 and 02 belong to places, 03 and
    08 to organisations, 07 to mobiles. Ten digits follow the 0, or +44, or 0044. A number that a
    word such as order or invoice stands before is something else's.

    Options: ``kind`` is ``mobile`` (07, without the pagers of 076 and the forwarding of 070) or
    ``landline`` (01 and 02). Numbers for calling an organisation (0300, 0800, 0345, 101, 111,
    999 ...) are neither.
    """
    starts = _MOBILE if options.choice("kind", ("mobile", "landline")) == "mobile" else _LANDLINE

    def find(passage: Passage) -> Spans:
        numbers = passage.memo.get(telephone)
        if numbers is None:  # looked for by the first rule that asks
            numbers = passage.memo[telephone] = _telephones(passage.folded)
        return [span for span, number in numbers if starts.match(number)]

    return find


def _telephones_once(passage: Passage) -> list[tuple[tuple[int, int], str]]:
    """What :func:`_telephones` finds, looked for once for rules of both kinds."""
    found: list[tuple[tuple[int, int], str]] | None = passage.memo.get(_telephones)
    if found is None:
        found = passage.memo[_telephones] = _telephones(passage.folded)
    return found


def _telephones(text: str) -> list[tuple[tuple[int, int], str]]:
    """Each UK number with its place, as the ten digits after the 0 or +44 (National plan)."""
    found: list[tuple[tuple[int, int], str]] = []
    for match in _TELEPHONE_START.finditer(text):
        if found and match.start() < found[-1][0][1]:
            continue
        number, at, gap = "", match.end(), 0
        while at < len(text) and len(number) < _DIGITS_AFTER_TRUNK:
            character = text[at]
            if character in "0123456789":
                number, gap = number + character, 0
            elif character in " .()/-" and gap < _GAP_AT_MOST:
                gap += 1
            else:
                break
            at += 1
        followed = at < len(text) and (text[at].isalnum() or text[at] == "%")
        followed = followed or (
            text[at : at + 1] in ("-", "/", ".", ",") and text[at + 1 : at + 2].isdigit()
        )
        if len(number) == _DIGITS_AFTER_TRUNK and not followed and not _is_other(text, match):
            found.append(((match.start(), at), number))
    return found


def _is_other(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - _BEFORE) : match.start()]
    return match[0] in ("0", "(0") and _OTHER_NUMBER.search(before) is not None


@passage_detector("personal-email", where="emails")
def personal_email(options: Table) -> DetectInPassage:
    """E-mail addresses that seem to be one person's.

    Options: ``roles``, words that make an address a desk's rather than a person's when they are
    one part of what stands before the ``@`` (``press.office``, ``foi-requests``).
    """
    roles = frozenset(options.texts("roles", at_least=1))

    def find(passage: Passage) -> Spans:
        return [
            span
            for span in passage.emails
            if not _is_role(passage.folded[span[0] : span[1]], roles)
        ]

    return find


def _is_role(address: str, roles: frozenset[str]) -> bool:
    local, _, domain = address.partition("@")
    parts = {part.strip("0123456789") for part in _PARTS.split(local)}
    # dvla@dvla.gov.uk is the body itself.
    return bool(parts & roles) or local in domain.split(".")
