"""Hurtful words: found where they are used, let be where they are quoted, denied or condemned."""

import ast
import csv
import os
import tomllib
from pathlib import Path

import pytest

from folkmoot.check import Capacity, Context, Effect, Post, RuleError
from folkmoot.check.detectors import OF_PASSAGES
from folkmoot.check.passage import Passage
from folkmoot.check.table import Table

DATA = Path(os.environ.get("FOLKMOOT_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
OFFICIAL = Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="en")
CASES = tomllib.loads((Path(__file__).parent / "speech_cases.toml").read_text(encoding="utf-8"))
FUNCTIONS = [pytest.param(each, id=each["name"].replace(" ", "-")) for each in CASES["function"]]


def troubled(checker, text, context=OFFICIAL, effect=Effect.ADVISE):
    return any(
        finding.rule.startswith("conduct/")
        for finding in checker.check(Post(text), context).at_least(effect)
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_does_well_in_nine_cases_of_ten(checker, function):
    right = sum(troubled(checker, text) is function["abusive"] for text in function["texts"])
    assert right / len(function["texts"]) >= 0.9


def test_of_harmless_sentences_ninety_five_in_a_hundred_are_let_be(checker):
    harmless = [text for each in CASES["function"] if not each["abusive"] for text in each["texts"]]
    assert sum(len(each["texts"]) for each in CASES["function"]) >= 120
    assert sum(not troubled(checker, text) for text in harmless) / len(harmless) >= 0.95


def test_insults_and_slurs_are_held_on_an_official_account_and_never_on_ones_own(checker):
    personal = Context(capacity=Capacity.PERSONAL, periods=frozenset(), language="en")
    for each in CASES["function"]:
        if each["name"] in {"insult, aimed", "against what people are"}:
            for text in each["texts"]:
                assert troubled(checker, text, effect=Effect.HOLD), text
                assert not troubled(checker, text, personal, Effect.HOLD), text


def test_no_finding_repeats_the_word_it_found(checker):
    for each in CASES["function"]:
        for text in each["texts"]:
            for finding in checker.check(Post(text), OFFICIAL).findings:
                if finding.rule.startswith("conduct/"):
                    said = {text[span.start : span.end].lower() for span in finding.spans} - {
                        "racist",
                        "offensive",
                        "insult",
                    }
                    words = f" {finding.message} {finding.advice} ".lower()
                    assert not any(f" {word} " in words for word in said)


def test_characters_are_marked_as_readers_mark_them(checker):
    file = DATA / "toxic-spans" / "tsd_trial.csv"
    if not file.is_file():
        pytest.skip("Toxic Spans is not in FOLKMOOT_DATA")
    scores = []
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            gold = set(ast.literal_eval(row["spans"]))
            ours = {
                place
                for finding in checker.check(Post(row["text"]), OFFICIAL).findings
                if finding.rule.startswith("conduct/")
                for span in finding.spans
                for place in range(span.start, span.end)
            }
            if not gold or not ours:
                scores.append(float(not gold and not ours))
            else:
                scores.append(2 * len(ours & gold) / (len(ours) + len(gold)))
    assert sum(scores) / len(scores) >= 0.66


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("idiot 0.9\n", "a heading"),
        ("[abuse]\nidiot\n", "weight between 0 and 1"),
        ("[abuse]\nidiot 2\n", "weight between 0 and 1"),
        ("[abuse]\nidiot 0.9\nidiot 0.8\n", "there twice"),
        ("[insults]\nidiot 0.9\n", "no heading"),
        ("# nothing\n", "no word"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_its_line(tmp_path, line, wrong):
    (tmp_path / "rules").mkdir()
    (tmp_path / "words.txt").write_text(line, encoding="utf-8")
    make, _ = OF_PASSAGES["abusive-words"]
    with pytest.raises(RuleError, match=wrong):
        make(Table(tmp_path / "rules" / "a.toml", {"file": "words.txt"}, "options."))


def test_a_list_of_ones_own_works_like_the_shipped_one(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "words.txt").write_text(
        "[rude]\ntwerp 0.5\n[except]\nking twerp\n", encoding="utf-8"
    )
    make, _ = OF_PASSAGES["abusive-words"]
    find = make(
        Table(tmp_path / "rules" / "a.toml", {"file": "words.txt", "meant": ["aimed"]}, "options.")
    )
    assert find(Passage("You twerp", "text")) == [(4, 9)]
    assert find(Passage("A twerp is a word", "text")) == []
    assert find(Passage("You King Twerp", "text")) == []
