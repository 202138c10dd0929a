"""Payment cards, IBANs, and sort codes with account numbers."""

from __future__ import annotations

import re
from bisect import bisect_left

from folkmoot.check.passage import Passage, Spans

from .registry import plain_passage_detector

_CARD = re.compile(
    r"(?<![\w.])(?:"
    r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3}(?!\d))?"
    r"|3\d{3}([ -])\d{6}\2\d{4,5}"
    r"|\d{13,19}"
    r")(?!\w|-\d)"
)
# First digits from, to, and the lengths issued: Visa, Mastercard, American Express, Diners Club,
# JCB, Discover, UnionPay, then Maestro in the UK and elsewhere.
_MAESTRO = ("5018", "5020", "5038", "5893", "6304", "6761", "6762", "6763")
_LONG = frozenset({16, 17, 18, 19})
_ISSUED = (
    ("4", "4", frozenset({13, 16, 19})),
    ("51", "55", frozenset({16})),
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),
    ("37", "37", frozenset({15})),
    ("300", "305", frozenset({14})),
    ("36", "36", frozenset({14})),
    ("38", "39", frozenset({14})),
    ("3528", "3589", frozenset({16})),
    ("6011", "6011", _LONG),
    ("644", "659", _LONG),
    ("62", "62", _LONG),
    ("6759", "6759", _LONG),
    ("676770", "676770", _LONG),
    ("676774", "676774", _LONG),
    *(
        (maestro, maestro, _LONG)
        for maestro in ["5018", "5020", "5038", "5893", "6304", "6761", "6762", "6763"]
    ),
)
_DIGITS_OF_FOUR_GROUPS = 16

# Country: length of its IBANs, from the registry SWIFT keeps for ISO 13616, release 103 of
# September 2026 (https://www.swift.com/sites/default/files/files/iban-registry_4.pdf).
_IBAN_LENGTH = {
    country: int(length)
    for length, countries in {
        "15": "no",
        "16": "be",
        "18": "dk fi fo gl nl sd",
        "19": "mk si",
        "20": "at ba ee kz lt lu mn xk",
        "21": "ch cr hr li lv",
        "22": "bg bh de gb ge ie me rs va",
        "23": "ae gi il iq om so tl",
        "24": "ad cz es md pk ro sa se sk tn vg",
        "25": "ly pt st",
        "26": "is tr",
        "27": "bi dj fr gr it mc mr sm",
        "28": "al az by cy do gt hn hu lb ni pl",
        "29": "br eg ps qa ua",
        "30": "jo kw mu ye",
        "31": "mt sc",
        "32": "lc",
        "33": "ru",
    }.items()
    for country in countries.split()
}
_IBAN_START = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?=[ -]?[a-z0-9])")
_IBAN_DIGITS_AT_LEAST = 6

_SORT_CODE = re.compile(r"(?<![\w/.-])\d{2}([ -])\d{2}\1\d{2}(?![\w/-])")
_NAMED_SORT_CODE = re.compile(r"\bsort ?code\W{0,3}(?:is )?(\d{2}[ -]?\d{2}[ -]?\d{2})(?!\w)")
_ACCOUNT = re.compile(r"(?<![\w/.-])\d{8}(?![\w/-])")
_BANKING_WORD = re.compile(r"\b(?:sort ?code|account|acct?|a/c|bank|bacs|payee)\b")
_ACCOUNT_DIGITS = 8
_NEAR = 60
_BESIDE = 2


@plain_passage_detector("payment-card", where="numbers")
def find_cards(passage: Passage) -> Spans:
    """Card numbers by issuer's range, length and the Luhn check digit (ISO/IEC 7812-1)."""
    found = []
    for match in _CARD.finditer(passage.folded):
        start, end = match.span()
        digits = _digits(match[0])
        # Three digits after four groups of four may belong to the card or be its security code.
        if match[1] and len(digits) > _DIGITS_OF_FOUR_GROUPS and not _is_card(digits):
            digits = digits[:_DIGITS_OF_FOUR_GROUPS]
            end = start + _DIGITS_OF_FOUR_GROUPS + 3
        if _is_card(digits):
            found.append((start, end))
    return found


def _digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def _is_card(digits: str) -> bool:
    return len(set(digits)) > 1 and _is_issued(digits) and _passes_luhn(digits)


def _is_issued(digits: str) -> bool:
    """Whether an issuer has this range at this length."""
    return any(
        len(digits) in lengths and low <= digits[: len(low)] <= high
        for low, high, lengths in _ISSUED
    )


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        # Doubling every second digit and adding up the digits of what comes out.
        total += sum(divmod(int(digit) * (1 + place % 2), 10))
    return total % 10 == 0


@plain_passage_detector("iban", where="numbers")
def find_ibans(passage: Passage) -> Spans:
    """IBANs by country, length and the modulus 97 check (ISO 13616), grouped or not."""
    text = passage.folded
    found: Spans = []
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTH.get(text[match.start() : match.start() + 2])
        if length is None or (found and match.start() < found[-1][1]):
            continue
        end = _end_of_iban(text, match.start(), length)
        if end is not None:
            found.append((match.start(), end))
    return found


def _end_of_iban(text: str, start: int, length: int) -> int | None:
    taken, at = "", start
    while len(taken) < length and at < len(text):
        character = text[at]
        if character.isascii() and character.isalnum():
            taken += character
        elif character not in " -" or text[at - 1] in " -":
            return None
        at += 1
    if len(taken) < length or (at < len(text) and text[at].isalnum()):
        return None
    if len(_digits(taken)) < _IBAN_DIGITS_AT_LEAST:
        return None
    turned = "".join(str(int(character, 36)) for character in taken[4:] + taken[:4])
    return at if int(turned) % 97 == 1 else None


@plain_passage_detector("bank-account", where="numbers")
def find_accounts(passage: Passage) -> Spans:
    """A sort code and an eight-digit account number within 60 characters of each other.

    Both are marked. Digits in pairs are as often a date, so unless the two stand side by side and
    cannot be a date, the text must also speak of an account, a bank or a sort code.
    """
    text = passage.folded
    codes = {match.span(1) for match in _NAMED_SORT_CODE.finditer(text)}
    codes |= {match.span() for match in _SORT_CODE.finditer(text)}
    if not codes:
        return []
    speaks_of_banking = _BANKING_WORD.search(text) is not None
    accounts = [match.span() for match in _ACCOUNT.finditer(text)]
    found: set[tuple[int, int]] = set()
    for code in codes:
        first = bisect_left(accounts, (code[0] - _NEAR - _ACCOUNT_DIGITS,))
        last = bisect_left(accounts, (code[1] + _NEAR + 1,))
        for account in accounts[first:last]:
            gap = max(account[0] - code[1], code[0] - account[1])
            named = speaks_of_banking and 0 <= gap <= _NEAR
            beside = 0 <= gap <= _BESIDE and not _could_be_date(text[code[0] : code[1]])
            if named or beside:
                found.update((code, account))
    return sorted(found)


def _could_be_date(pairs: str) -> bool:
    digits = _digits(pairs)
    first, second = int(digits[:2]), int(digits[2:4])
    return 1 <= first <= 31 and 1 <= second <= 12  # noqa: PLR2004 - day and month
