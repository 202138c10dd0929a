"""Welsh told from English: right on sentences, and not known rather than wrong when short."""

import os
from pathlib import Path

import pytest

from folkmoot.check.detectors.language import identify_language

DATA = Path(os.environ.get("FOLKMOOT_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def lines(kind, language):
    file = DATA / "welsh-english" / f"{kind}.{language}.txt"
    if not file.is_file():
        pytest.skip("the Welsh and English sentences are not in FOLKMOOT_DATA")
    return file.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("language", ["cy", "en"])
def test_of_sentences_ninety_nine_in_a_hundred_are_told(language):
    pytest.importorskip("py3langid", reason="telling languages needs the extra languages")
    told = [identify_language(line) for line in lines("sentences", language)]
    assert told.count(language) / len(told) >= 0.99


@pytest.mark.parametrize("language", ["cy", "en"])
def test_small_words_alone_tell_nine_sentences_in_ten_and_hardly_one_wrongly(language):
    told = [identify_language(line, by_words_alone=True) for line in lines("sentences", language)]
    assert told.count(language) / len(told) >= 0.90
    assert sum(each not in (None, language) for each in told) / len(told) <= 0.01


@pytest.mark.parametrize("kind", ["word-pairs", "single-words"])
@pytest.mark.parametrize("language", ["cy", "en"])
def test_of_a_word_or_two_it_is_not_known_rather_than_wrong(kind, language):
    told = [identify_language(line) for line in lines(kind, language)]
    assert sum(each not in (None, language) for each in told) / len(told) <= 0.005


def test_links_handles_and_hashtags_say_nothing_of_the_language():
    assert identify_language("https://www.example.gov.uk/the-and-of #YMae @yn_y_cyngor") is None
    text = "Mae'r ffordd ar gau y bore yma https://www.example.gov.uk/the-road-is-closed"
    assert identify_language(text) == "cy"
    assert identify_language("") is None
