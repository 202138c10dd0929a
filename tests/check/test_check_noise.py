"""How often the shipped rules trouble innocent texts. Noise is what gets a checker switched off."""

import csv
import os
from dataclasses import replace
from pathlib import Path

import pytest

from folkmoot.check import Capacity, Context, Effect, Post, Verdict

DATA = Path(os.environ.get("FOLKMOOT_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
OFFICIAL = Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="en")


def tweets():
    """The tweets of the Broad Twitter Corpus, put together again from their words."""
    folder = DATA / "broad-twitter"
    if not folder.is_dir():
        pytest.skip("the Broad Twitter Corpus is not in FOLKMOOT_DATA")
    posts = (folder / "a.conll").read_text(encoding="utf-8").split("\n\n")
    joined = (" ".join(line.split("\t")[0] for line in post.splitlines() if line) for post in posts)
    return [text.replace("# ", "#").replace("@ ", "@") for text in joined if text]


def customers_questions():
    folder = DATA / "banking77"
    if not folder.is_dir():
        pytest.skip("BANKING77 is not in FOLKMOOT_DATA")
    with (folder / "train.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)][::3]


def sentences(language):
    file = DATA / "welsh-english" / f"sentences.{language}.txt"
    if not file.is_file():
        pytest.skip("the Welsh and English sentences are not in FOLKMOOT_DATA")
    return file.read_text(encoding="utf-8").splitlines()


def share(checker, texts, effect, context=OFFICIAL):
    assert len(texts) > 500
    troubled = sum(bool(checker.check(Post(text), context).at_least(effect)) for text in texts)
    return troubled / len(texts)


def press_office_posts():
    """Posts as a press office writes them, each with the language it is declared to be in."""
    lines = (Path(__file__).parent / "press_office_posts.txt").read_text(encoding="utf-8")
    language = "en"
    for line in lines.splitlines():
        if line.startswith("#"):
            language = "cy" if "Wales" in line else "en"
        elif line:
            text = line.replace("\\n", "\n")
            welsh = language == "cy" and " the " not in text and "Welsh" not in text
            yield text, replace(OFFICIAL, language="cy" if welsh else "en")


def test_of_ordinary_posts_of_public_bodies_hardly_one_is_advised_on_and_none_is_held(checker):
    reports = [checker.check(Post(text), context) for text, context in press_office_posts()]
    assert len(reports) >= 200
    advised = sum(bool(report.at_least(Effect.ADVISE)) for report in reports)
    noted = sum(bool(report.findings) for report in reports)
    assert advised / len(reports) <= 0.01
    assert noted / len(reports) <= 0.06
    assert all(report.verdict in {Verdict.POST, Verdict.POST_WITH_CARE} for report in reports)


def test_of_private_tweets_one_in_twenty_is_advised_on_and_one_in_a_hundred_held_at_most(checker):
    assert share(checker, tweets(), Effect.ADVISE) <= 0.05
    assert share(checker, tweets(), Effect.HOLD) <= 0.01


def test_no_customers_question_is_held_and_one_in_two_hundred_at_most_advised_on(checker):
    texts = customers_questions()
    assert share(checker, texts, Effect.HOLD) == 0
    assert share(checker, texts, Effect.ADVISE) <= 0.005


def test_of_sentences_from_the_web_one_in_twenty_at_most_is_advised_on(checker):
    assert share(checker, sentences("en"), Effect.ADVISE) <= 0.05


@pytest.mark.parametrize("language", ["cy", "en"])
def test_three_sentences_in_a_thousand_at_most_are_held_in_either_language(checker, language):
    context = replace(OFFICIAL, language=language)
    assert share(checker, sentences(language), Effect.HOLD, context) <= 0.003
