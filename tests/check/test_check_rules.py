"""Every rule of the shipped pack does on its own examples what its file says."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from folkmoot.check import (
    Attachment,
    Capacity,
    Checker,
    Context,
    Effect,
    ExampleFault,
    Post,
    Verdict,
    find_faults,
    find_uncovered,
)
from folkmoot.check.vocabulary import ROLES
from folkmoot.guidance import available_packs, load_pack

PACK = load_pack("uk-civil-service")
RULES = Checker(PACK).rules
OFFICIAL = Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="en")
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, example in enumerate(rule.examples, 1)
]


def found(checker, text, context=OFFICIAL, attachments=()):
    return {each.rule for each in checker.check(Post(text, attachments), context).findings}


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_does_on_its_example_what_the_example_says(checker, rule, example):
    report = checker.check(example.post, example.context)
    finding = next((each for each in report.findings if each.rule == rule.id), None)
    assert (finding is not None) is example.fires
    if example.marks is not None:
        texts = {"text": example.post.text} | {
            f"attachment:{each.id}:alt": each.alt or "" for each in example.post.attachments
        }
        assert example.marks in [texts[span.place][span.start : span.end] for span in finding.spans]


def test_the_shipped_rules_have_no_faults_and_each_has_both_kinds_of_example(checker):
    assert find_faults(checker) == ()


def test_a_fault_is_found_where_an_example_is_wrong(make_checker, rule):
    checker = make_checker(
        rule(
            '[match]\nterms = ["utilise"]\n'
            '[[example]]\ntext = "We utilise it."\nfires = false\n'
            '[[example]]\ntext = "We utilise it."\nfires = true\nmarks = "it"\n'
        )
    )
    assert find_faults(checker) == (
        ExampleFault("words/plain", "Example 1: the rule fires."),
        ExampleFault("words/plain", "Example 2: the rule marks ['utilise'], not 'it'."),
    )


def test_a_fault_is_found_where_examples_or_literals_are_missing(make_checker, rule):
    checker = make_checker(
        rule(
            "[match]\npatterns = ['gr[ae]y']\nliterals = [\"gray\"]\n"
            '[[example]]\ntext = "A grey day"\nfires = false\n'
        )
    )
    wrongs = [fault.wrong for fault in find_faults(checker)]
    assert wrongs[0] == "There is no example that fires."
    assert "add the literal" in wrongs[1]


def test_every_rule_cites_a_clause_of_the_pack_and_says_when_it_is_wrong():
    for rule in RULES:
        assert all(PACK.find_clause(clause) is not None for clause in rule.clauses)
        assert len(rule.when_wrong) > 20
        assert rule.effect != Effect.HOLD or rule.clear_by in set(ROLES) - {"nobody"}


NHS_VALID = ("943 476 5919", "9434765919", "943-476-5919", "401 023 2137", "999 000 0018")


@pytest.mark.parametrize("number", NHS_VALID)
def test_a_valid_nhs_number_stops_the_post(checker, number):
    assert "personal-data/nhs-number" in found(checker, f"Patient {number} has waited.")


def test_no_change_of_one_digit_of_an_nhs_number_is_taken_for_one(checker):
    number = "9434765919"
    for at in range(10):
        for digit in "0123456789":
            changed = number[:at] + digit + number[at + 1 :]
            if changed != number:
                assert "personal-data/nhs-number" not in found(checker, f"No. {changed}")


def test_a_national_insurance_number_is_told_by_hmrcs_rules(checker):
    def is_one(text):
        return "personal-data/national-insurance-number" in found(checker, text)

    assert is_one("AB123456C")
    assert is_one("ce 12 34 56 a".upper())
    assert is_one("My NI: jg103759a.")
    for never in ("GB123456A", "ZZ123456A", "DA123456A", "AO123456A", "AB123456E", "AB12345C"):
        assert not is_one(never)
    assert not is_one("it grew by 10 00 00 a year")


def test_cards_and_ibans_need_their_check_digits(checker):
    for card in ("5555 5555 5555 4444", "378282246310005", "6011111111111117", "30569309025904"):
        assert "personal-data/payment-card" in found(checker, f"card {card} thanks")
        wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
        assert "personal-data/payment-card" not in found(checker, f"card {wrong} thanks")
    assert "personal-data/payment-card" in found(checker, "4111 1111 1111 1111 123 is it")
    for iban in ("DE89 3704 0044 0532 0130 00", "FR1420041010050500013M02606"):
        assert "personal-data/iban" in found(checker, f"to {iban}.")
        wrong = iban[:-1] + str((int(iban[-1]) + 1) % 10)
        assert "personal-data/iban" not in found(checker, f"to {wrong}.")


@pytest.mark.parametrize(
    "number", ["07700 900123", "+44 7700 900123", "0044 7700 900123", "+44 (0)7700-900-123"]
)
def test_a_mobile_number_is_held_however_it_is_written(checker, number):
    assert "personal-data/mobile-number" in found(checker, f"Text {number}.")


@pytest.mark.parametrize(
    "text",
    [
        "Call 0800 123 4567",
        "Call 0300 123 1234, 101 or 999",
        "Call 0345 600 0123 on 01/02/2026",
        "From 01-02-2026 10.30 to 01-03-2026",
        "Ring 070 1234 5678",
        "Population 07700900123456",
    ],
)
def test_public_numbers_and_dates_are_not_personal_numbers(checker, text):
    assert not {"personal-data/mobile-number", "personal-data/landline-number"} & found(
        checker, text
    )


def test_the_same_words_are_held_in_official_and_free_in_personal_capacity(checker):
    text = "Vote Labour! Ring me on 07700 900123"
    official = checker.check(Post(text), OFFICIAL)
    personal = checker.check(Post(text), replace(OFFICIAL, capacity=Capacity.PERSONAL))
    assert official.verdict is Verdict.GET_SIGNOFF
    assert not {each.rule for each in personal.findings} & {
        "political/party-named",
        "personal-data/mobile-number",
    }


def test_words_in_alt_text_are_looked_at_too(checker):
    picture = Attachment("p1", "image/png", "Whiteboard: OFFICIAL-SENSITIVE, ring 943 476 5919")
    report = checker.check(Post("At work", (picture,)), OFFICIAL)
    places = {span.place for finding in report.findings for span in finding.spans}
    assert {each.rule for each in report.at_least(Effect.STOP)} == {
        "information/classification-marking",
        "personal-data/nhs-number",
    }
    assert places == {"attachment:p1:alt"}


def test_a_right_to_left_post_may_use_its_marks_but_no_override(checker):
    assert "record/unseen-characters" not in found(checker, "\u200f\u0633\u0644\u0627\u0645 2026")
    assert "record/unseen-characters" in found(checker, "\u202e\u0633\u0644\u0627\u0645")


def test_unseen_characters_that_python_calls_printable_are_found(checker):
    for character in "\u3164\u2800\u034f\ufe01\U000e0101\u115f":
        assert "record/unseen-characters" in found(checker, f"Free{character}dom")


def test_emoji_that_belong_together_count_as_one(checker):
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
    wales = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
    assert found(checker, f"Hello {family} {wales} \U0001f1ec\U0001f1e7") == set()


def test_a_question_is_asked_in_official_capacity_and_where_capacity_is_not_known(checker):
    assert len(checker.check(Post("Hi"), OFFICIAL).questions) == 6
    assert len(checker.check(Post("Hi"), Context()).questions) == 6
    personal = Context(capacity=Capacity.PERSONAL)
    assert checker.check(Post("Hi"), personal).questions == ()


@pytest.mark.parametrize("pack", available_packs())
def test_every_pack_that_is_shipped_keeps_to_its_examples_on_both_sides_of_each_condition(pack):
    checker = Checker(load_pack(pack))
    assert find_faults(checker) == ()
    assert find_uncovered(checker) == ()


def test_the_table_of_candidates_names_every_rule_and_no_other():
    table = (Path(__file__).parents[2] / "docs" / "candidates.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z-]+/[a-z-]+)`", table))
    rules = {rule.id for pack in available_packs() for rule in Checker(load_pack(pack)).rules}
    assert named == rules
    rows = re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    assert rows == [str(number) for number in range(1, 43)]
