"""A rule must show both sides of each of its conditions, and tell its own page."""

import pytest

from folkmoot.check import (
    Checker,
    ExampleFault,
    UnknownRule,
    describe_rule,
    find_faults,
    find_uncovered,
)
from folkmoot.check.cli import run
from folkmoot.guidance import available_packs, load_pack

TERM = '[match]\nterms = ["utilise"]\n'


def example(fires, more="", text="We utilise it."):
    said = str(fires).lower()
    return f'[[example]]\ntext = "{text}"\nfires = {said}\n{more}\n'


def wrongs(checker):
    return [fault.wrong for fault in find_uncovered(checker)]


def test_each_key_of_when_needs_an_example_on_either_side(make_checker, rule):
    when = '[when]\ncapacity = ["official"]\nnation = ["wales"]\n'
    both = 'capacity = "official"\nnation = "wales"'
    some = make_checker(
        rule(when + TERM + example(True, both) + example(False, 'capacity = "personal"'))
    )
    assert wrongs(some) == ["No example is left alone because nation does not hold."]
    whole = make_checker(
        rule(
            when
            + TERM
            + example(True, both)
            + example(False, 'capacity = "personal"\nnation = "wales"')
            + example(False, 'capacity = "official"\nnation = "scotland"')
        )
    )
    assert wrongs(whole) == []
    assert find_faults(whole) == ()


def test_a_named_fact_needs_an_example_on_either_side(make_checker, rule):
    when = "[when.facts]\nincident = true\n"
    yes, no = "[example.facts]\nincident = true", "[example.facts]\nincident = false"
    assert wrongs(make_checker(rule(when + TERM + example(True, yes) + example(False, no)))) == []
    one = make_checker(rule(when + TERM + example(True, yes) + example(False, yes, "Hello")))
    assert wrongs(one) == ["No example is left alone because incident does not hold."]


def test_a_need_must_be_known_in_an_example_of_either_kind(make_checker, rule):
    known = 'publish_at = "2026-05-01T09:00:00Z"'
    checker = make_checker(
        rule('needs = ["publish_at"]\n' + TERM + example(True, known) + example(False, "", "Hello"))
    )
    assert wrongs(checker) == ["No example is left alone with publish_at known."]


def test_a_rule_without_examples_has_two_faults(make_checker, rule):
    checker = make_checker(rule(TERM))
    assert find_uncovered(checker) == (
        ExampleFault("words/plain", "There is no example that fires."),
        ExampleFault("words/plain", "There is no example that does not fire."),
    )


def test_the_command_fails_a_rule_whose_conditions_are_not_shown(tmp_path, capsys):
    assert run(["check", "test", "--coverage", "--pack", "nolan"]) in (0, 1)
    assert "faults." in capsys.readouterr().out


def test_every_rule_of_every_shipped_pack_can_be_told_on_a_page():
    for name in available_packs():
        pack = load_pack(name)
        checker = Checker(pack)
        for each in checker.rules:
            page = describe_rule(checker, pack, each.id)
            assert page.looks_for
            assert all(sentence.strip() for sentence in (*page.looks_for, *page.applies))
            assert [clause.id for clause in page.clauses] == list(each.clauses)
            assert page.examples
            assert page.layers[0].file == each.file
            assert page.cleared_by


def test_a_page_for_a_rule_there_is_not_lists_those_there_are(make_checker, rule):
    pack = load_pack("uk-civil-service")
    with pytest.raises(UnknownRule, match="accessibility/alt-missing"):
        describe_rule(Checker(pack), pack, "no/such-rule")


def test_explain_prints_which_file_set_each_key(capsys):
    assert run(["check", "explain", "political/party-named"]) == 0
    printed = capsys.readouterr().out
    assert "Which file set each key" in printed
    assert "effect = hold" in printed
    assert "political-party-named.toml" in printed
