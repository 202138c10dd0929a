"""Personal data: how much is found, how much of what is found is right, and no false checksum."""

import random
from pathlib import Path

import pytest

from folkmoot.check import Capacity, Context, Post

OFFICIAL = Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="en")
SUITE = Path(__file__).parent / "telephone_numbers.txt"
TELEPHONE = {
    "m": {"personal-data/mobile-number"},
    "l": {"personal-data/landline-number", "personal-data/landline-of-person"},
}


def found(checker, text):
    return {finding.rule for finding in checker.check(Post(text), OFFICIAL).findings}


def has(checker, name, text):
    return f"personal-data/{name}" in found(checker, text)


def test_telephone_numbers_are_found_nine_times_in_ten_and_nothing_else_is_taken_for_one(checker):
    right = wrong = missed = 0
    for line in SUITE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        kind, text = line.split("\t")
        rules = found(checker, text.replace("\\n", "\n"))
        if kind == "-":
            wrong += bool(rules & (TELEPHONE["m"] | TELEPHONE["l"]))
        elif rules & TELEPHONE[kind]:
            right += 1
        else:
            missed += 1
    assert right + missed >= 90
    assert right / (right + wrong) >= 0.95
    assert right / (right + missed) >= 0.90


def luhn(digits):
    total = sum(
        sum(divmod(int(digit) * (1 + (place % 2 == 0)), 10))
        for place, digit in enumerate(reversed(digits))
    )
    return str(-total % 10)


def test_every_card_number_with_its_check_digit_is_found_and_none_without(checker):
    draw = random.Random(5)
    for start, length in (
        ("4", 16),
        ("51", 16),
        ("2221", 16),
        ("37", 15),
        ("36", 14),
        ("6011", 16),
    ):
        for _ in range(8):
            body = start + "".join(draw.choices("0123456789", k=length - 1 - len(start)))
            good = luhn(body)
            assert has(checker, "payment-card", f"Paid with {body}{good}.")
            for digit in "0123456789".replace(good, ""):
                assert not has(checker, "payment-card", f"Paid with {body}{digit}.")


def iban(country, body):
    turned = "".join(str(int(character, 36)) for character in f"{body}{country}00")
    return f"{country}{98 - int(turned) % 97:02d}{body}"


def test_every_iban_with_its_check_digits_and_length_is_found_and_none_without(checker):
    draw = random.Random(6)
    lengths = {"GB": 22, "DE": 22, "FR": 27, "NO": 15, "MT": 31, "IE": 22, "PL": 28, "OM": 23}
    for country, length in lengths.items():
        letters = "WEST" if country in {"GB", "IE"} else ""
        body = letters + "".join(draw.choices("0123456789", k=length - 4 - len(letters)))
        good = iban(country, body)
        assert has(checker, "iban", f"to {good} please")
        assert not has(checker, "iban", f"to {good[:-1]} please")
        assert not has(checker, "iban", f"to {iban(country, body + '0')} please")
        for at in (4 + len(letters), len(good) - 1):
            wrong = good[:at] + str((int(good[at]) + 1) % 10) + good[at + 1 :]
            assert not has(checker, "iban", f"to {wrong} please")


def nhs(body):
    total = sum(int(digit) * weight for digit, weight in zip(body, range(10, 1, -1), strict=True))
    return -total % 11


def test_every_nhs_number_with_its_check_digit_is_found_and_none_without(checker):
    draw = random.Random(7)
    for _ in range(40):
        body = draw.choice("479") + "".join(draw.choices("0123456789", k=8))
        good = nhs(body)
        for digit in range(10):
            text = f"Patient {body[:3]} {body[3:6]} {body[6:]}{digit} waits."
            assert has(checker, "nhs-number", text) is (digit == good)


def test_a_scottish_chi_number_is_a_date_of_birth_with_the_same_check_digit(checker):
    for birth in ("010170", "311299", "290264"):
        for rest in range(100, 180, 7):
            good = nhs(f"{birth}{rest}")
            if good < 10:
                assert has(checker, "nhs-number", f"CHI {birth}{rest}{good}")


@pytest.mark.parametrize(
    "postcode", ["M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX", "EC1A 1BB", "SW1A1AA"]
)
def test_each_form_of_postcode_is_found(checker, postcode):
    assert has(checker, "postcode", f"The power is off in {postcode}.")


@pytest.mark.parametrize(
    "text",
    [
        "Room A1 2nd floor", "at w1 4pm", "QV1 1AA is no postcode", "The A38 5CM bolt",
        "Version M1 1AI", "ZX1 1AB", "B12 3", "Bus X1 1AB", "AB123 4CD",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_postcode_is_let_be(checker, text):
    assert not has(checker, "postcode", text)


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("She lives at 12 High Street, Leeds LS1 4AP.", True),
        ("Flat 3, 9 Mill Lane, Hull HU1 2PQ", True),
        ("Mr Rao, 27 St John's Road, Cardiff CF10 3AT", True),
        ("Their home, Rose Cottage, Ashby, LE65 1AA, was flooded.", True),
        ("Join us at the library, 12 High Street, Leeds LS1 4AP.", False),
        ("Our new surgery: 9 Mill Lane, Hull HU1 2PQ", False),
        ("Tickets and doors at 27 Castle Road, Cardiff CF10 3AT", False),
        ("12 people met in LS1 4AP.", False),
    ],
)
def test_a_home_is_told_from_a_place_the_public_goes_to(checker, text, private):
    assert has(checker, "home-address", text) is private


@pytest.mark.parametrize(
    "text",
    ["Move AB12 CDE", "CV63KLM is blocked in", "My car, reg P456 KLM", "ABC 123D, a red van",
     "The taxi's plate is AIZ 1234"],
)  # fmt: skip
def test_registrations_old_and_new_are_found(checker, text):
    assert has(checker, "number-plate", text)


@pytest.mark.parametrize(
    "text",
    ["Flight BA12 to CDG", "AB01 CDE was never issued", "Form A123 BCD", "Room IQ12 ABC",
     "#AB12CDE", "ab12 cde", "The A38 is closed", "AB50 CDE"],
)  # fmt: skip
def test_what_only_looks_like_a_registration_is_let_be(checker, text):
    assert not has(checker, "number-plate", text)


def test_a_passport_number_needs_the_word(checker):
    assert has(checker, "passport-number", "Found: passport no. 533401372")
    assert has(checker, "passport-number", "Pasbort: 533401372")
    assert not has(checker, "passport-number", "Parcel 533401372 is at the desk")
    assert not has(checker, "passport-number", "533401372 is not your passport's number")
