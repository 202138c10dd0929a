"""Which posts a reader would say are the same, and how fast two thousand are looked through."""

from __future__ import annotations

import random
import time

import likeness_pairs as pairs
import pytest

from folkmoot.desk.drafts.likeness import (
    ENOUGH,
    FEW_WORDS,
    are_alike,
    find_alike,
    find_alike_pairs,
    take_print,
)


def share(one, other):
    one, other = take_print(one), take_print(other)
    common = len(one.runs & other.runs)
    return common / (len(one.runs) + len(other.runs) - common)


def long_enough(pair):
    return min(take_print(text).count for text in pair) >= FEW_WORDS


@pytest.mark.parametrize("pair", pairs.ALIKE)
def test_posts_that_say_nearly_the_same_are_alike(pair):
    one, other = map(take_print, pair)
    assert are_alike(one, other)
    assert are_alike(other, one)


@pytest.mark.parametrize("pair", pairs.DIFFERENT)
def test_posts_on_the_same_matter_that_say_something_else_are_not(pair):
    one, other = map(take_print, pair)
    assert not are_alike(one, other)
    assert not are_alike(other, one)


def test_the_threshold_stands_in_the_middle_of_the_gap_that_the_pairs_leave():
    least = min(share(*pair) for pair in pairs.ALIKE if long_enough(pair))
    most = max(share(*pair) for pair in pairs.DIFFERENT if long_enough(pair))
    assert most + 0.1 < ENOUGH < least - 0.1, (most, least)


def test_a_text_without_words_is_like_no_other():
    assert find_alike("", {1: "", 2: "🎉🎉", 3: "Words."}) == []
    assert find_alike_pairs({1: "", 2: "🎉", 3: "…"}) == {}


def test_links_case_width_and_punctuation_make_no_difference():
    assert find_alike(
        "The A31 is CLOSED: https://example.gov.uk/a",
        {1: "the A31 is closed www.example.gov.uk/b", 2: "Ｔｈｅ Ａ31 is closed…"},
    ) == [1, 2]


def test_one_against_all_and_all_against_all_agree():
    texts = dict(enumerate(text for pair in pairs.ALIKE + pairs.DIFFERENT for text in pair))
    found = find_alike_pairs(texts)
    for key, text in texts.items():
        others = {k: words for k, words in texts.items() if k != key}
        assert sorted(found.get(key, [])) == find_alike(text, others), text


def test_two_thousand_posts_are_looked_through_in_fifty_milliseconds():
    rng = random.Random(4)
    words = [f"word{n}" for n in range(900)]
    texts = {n: " ".join(rng.choices(words, k=48)) for n in range(2000)}
    copy = texts[1234] + " Again."
    took = []
    for _ in range(3):
        take_print.cache_clear()
        began = time.thread_time()  # of our own: others may be at work on the machine
        assert find_alike(copy, texts) == [1234]
        took.append(time.thread_time() - began)
    assert min(took) < 0.05
