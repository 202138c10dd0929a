"""How often the shipped rules trouble innocent texts. Noise is what gets a checker switched off."""

import csv
import os
from pathlib import Path

import pytest

from folkmoot.check import Capacity, Context, Effect, Post

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


def share(checker, texts, effect):
    assert len(texts) > 500
    troubled = sum(bool(checker.check(Post(text), OFFICIAL).at_least(effect)) for text in texts)
    return troubled / len(texts)


def test_one_tweet_in_five_hundred_at_most_is_held(checker):
    assert share(checker, tweets(), Effect.HOLD) <= 0.002


def test_no_customers_question_is_held_and_one_in_fifty_at_most_advised_on(checker):
    texts = customers_questions()
    assert share(checker, texts, Effect.HOLD) == 0
    assert share(checker, texts, Effect.ADVISE) <= 0.02


@pytest.mark.parametrize("language", ["cy", "en"])
def test_three_sentences_in_a_thousand_at_most_are_held_in_either_language(checker, language):
    assert share(checker, sentences(language), Effect.HOLD) <= 0.003
