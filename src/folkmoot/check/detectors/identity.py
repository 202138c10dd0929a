"""Numbers the state gives a person: NHS (and CHI), National Insurance, passports."""

from __future__ import annotations

import re

from folkmoot.check.passage import Passage, Spans

from .registry import plain_passage_detector

_NHS = re.compile(r"(?<![\w/+])(?<![\d][.,-])(\d{3})([ -]?)(\d{3})\2(\d{4})(?!\w|[.,-]\d)")
# ISBN-10 has the same check digit as an NHS number, so that a book would pass for a patient.
_BEFORE_A_BOOK = re.compile(r"isbn(?:-?10)?[\s:.no]{0,6}$")
_FIRST_DIGITS_IN_USE = "34679"

_NI = re.compile(
    r"(?<!\w)([a-ceghj-prstw-z][a-ceghj-npr-tw-z])"
    r"([ -]?)\d{2}([ -]?)\d{2}\3\d{2}([ -]?)[abcd](?!\w)"
)
_PREFIXES_NEVER_ISSUED = frozenset({"bg", "gb", "kn", "nk", "nt", "tn", "zz"})


@plain_passage_detector("nhs-number", where="numbers")
def find_nhs_numbers(passage: Passage) -> Spans:
    """Ten digits, together or as 3-3-4, whose last is the modulus 11 check digit.

    The check is the NHS Data Dictionary's
    (https://www.datadictionary.nhs.uk/attributes/nhs_number.html): weights 10 to 2, the
    remainder taken from 11, where 11 counts as 0 and 10 is never issued. The first digit must
    be one that England, Wales and Northern Ireland use, or the first six a date, as in
    Scotland's CHI number.
    """
    text = passage.folded
    return [
        match.span()
        for match in _NHS.finditer(text)
        if _is_nhs(match[1] + match[3] + match[4])
        and not _BEFORE_A_BOOK.search(text, max(0, match.start() - 16), match.start())
    ]


def _is_nhs(digits: str) -> bool:
    if len(set(digits)) == 1 or not digits.isascii():
        return False
    if digits[0] not in _FIRST_DIGITS_IN_USE and not (
        1 <= int(digits[:2]) <= 31 and 1 <= int(digits[2:4]) <= 12  # noqa: PLR2004 - a date
    ):
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)
    )
    return (11 - total % 11) % 11 == int(digits[9])


@plain_passage_detector("national-insurance-number", where="numbers")
def find_national_insurance_numbers(passage: Passage) -> Spans:
    """Two letters, six digits and A to D, by HMRC's manual NIM39110.

    D, F, I, Q, U and V are in no prefix, O is never its second letter, and seven prefixes are not
    issued. With gaps (``AB 12 34 56 C``) the letters must be capitals, since
    ``by 100000 a year`` is English.
    """
    found = []
    for match in _NI.finditer(passage.folded):
        written = passage.text[match.start() : match.end()]
        in_one = len(written) == 9  # noqa: PLR2004 - letters and digits without gaps
        if match[1] not in _PREFIXES_NEVER_ISSUED and (in_one or written.isupper()):
            found.append(match.span())
    return found


# A British passport has nine digits; newer ones of some countries a letter and eight digits.
_PASSPORT = re.compile(r"(?<![\w.,/£+-])(?:[0-9]{9}|[a-z][0-9]{8})(?![\w%]|[.,-]\d)")
_PASSPORT_WORD = re.compile(r"\b(?:passports?|pasbort|pasbortau)\b")
_PASSPORT_NEAR = 50


@plain_passage_detector("passport-number", where="numbers")
def find_passport_numbers(passage: Passage) -> Spans:
    """Nine digits, or a letter and eight, with the word passport within 50 characters before.

    A passport number has no check digit outside the machine-readable zone (ICAO Doc 9303), so
    that without the word it could be anything.
    """
    text = passage.folded
    if "pas" not in text:
        return []
    return [
        match.span()
        for match in _PASSPORT.finditer(text)
        if _PASSPORT_WORD.search(text, max(0, match.start() - _PASSPORT_NEAR), match.start())
    ]
