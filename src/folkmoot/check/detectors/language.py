"""Which language a text is in, among those its body writes."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from folkmoot.check.model import Context
from folkmoot.check.passage import Passage
from folkmoot.check.reading import Hits, Reading
from folkmoot.check.table import Table

from .registry import DetectInContext, context_detector

_LETTERS_AT_LEAST = 20
_LETTERS_OF_A_SENTENCE = 8
_WORDS_OF_A_SENTENCE = 3
_SURE_FROM = 0.6
_SURE_AGAINST_WORDS = 0.8
_WORDS_AT_LEAST = 1
_LOOKED_AT = 4_000
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")

# Words that hold sentences together and that the other language does not have.
_WELSH = (
    "ac yn yr y'r i'r o'r a'r â'r mae yw ydy ydyn oedd bydd byddwn wedi ar gyfer gan gyda gan'r "
    "hwn hon hyn hynny sydd sy'n mae'n nid ddim hefyd neu ond chi eich eu ein ni fel pan lle "
    "mwy trwy drwy rhwng cyn oherwydd rhaid gallwch cael gwneud ewch bod fod oes unrhyw bob pob "
    "yma dan heb dros iawn diolch os felly nac wrth mewn ni'n chi'n i'ch o'n eto newydd heddiw "
)
_ENGLISH = (
    "the and of to is are was were with for you your our this that these those from have has "
    "had will would can could not but or by at it its it's they their there we us be been who "
    "what when where which how all more about into if an as do does please don't than then out "
    "up "
)
_OWN_WORDS = {"cy": frozenset(_WELSH.split()), "en": frozenset(_ENGLISH.split())}
TOLD_BY_WORDS = frozenset(_OWN_WORDS)
"""The languages that can be told apart without ``py3langid``."""


def identify_language(
    text: str, languages: tuple[str, ...] = ("cy", "en"), *, by_words_alone: bool = False
) -> str | None:
    """The language of ``text`` among ``languages`` (two letters each), or ``None`` for not known.

    Not known is what short texts are: of fewer than 20 letters (8, if there are three words),
    once links, handles, hashtags and the like are taken away. ``py3langid`` decides where it
    is installed (the extra ``languages``), restricted to ``languages``; words that hold
    sentences together where it is not, or with ``by_words_alone``, for Welsh and English.
    Where the two do not agree and it is not sure of itself, the language is not known.
    """
    passage = Passage(text[:_LOOKED_AT], "text")
    plain = _without_marks(passage)
    letters = sum(map(str.isalpha, plain))
    if letters < _LETTERS_AT_LEAST and (
        letters < _LETTERS_OF_A_SENTENCE or len(_WORD.findall(plain)) < _WORDS_OF_A_SENTENCE
    ):
        return None
    by_words = _by_words(plain, languages)
    if by_words_alone or find_spec("py3langid") is None:
        return by_words
    language, probability = _identifier(languages).classify(plain)
    if by_words is not None and by_words != language and probability < _SURE_AGAINST_WORDS:
        return None
    return str(language) if by_words == language or probability >= _SURE_FROM else None


def _without_marks(passage: Passage) -> str:
    taken = sorted(
        (*passage.urls, *passage.hashtags, *passage.mentions, *passage.emails, *passage.emoji)
    )
    rest, at = [], 0
    for start, end in taken:
        rest.append(passage.folded[at:start])
        at = max(at, end)
    rest.append(passage.folded[at:])
    return " ".join(" ".join(rest).split())


def _by_words(text: str, languages: tuple[str, ...]) -> str | None:
    words = _WORD.findall(text)
    counts = {
        language: sum(map(_OWN_WORDS[language].__contains__, words))
        for language in languages
        if language in _OWN_WORDS
    }
    if not counts:
        return None
    best = max(counts, key=lambda language: counts[language])
    others = sum(count for language, count in counts.items() if language != best)
    return best if counts[best] >= _WORDS_AT_LEAST and counts[best] > 2 * others else None


@lru_cache(maxsize=8)
def _identifier(languages: tuple[str, ...]) -> Any:
    module = import_module("py3langid.langid")
    identifier = module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(languages))
    return identifier


@context_detector("language")
def other_language(options: Table) -> DetectInContext:
    """Posts in another of ``languages`` than the one declared. Short ones are let be.

    Options: ``languages``, two letters each, those the body writes. A declared language that is
    none of them is let be too. The rule needs ``language``.
    """
    languages = tuple(sorted(options.texts("languages", at_least=2)))

    def find(reading: Reading, context: Context) -> Hits | None:
        declared = (context.language or "").lower().partition("-")[0]
        text = reading.text.text
        if declared not in languages or len(text) < _LETTERS_OF_A_SENTENCE:
            return None
        # Without a small word of another language there is nothing to ask.
        words = reading.text.folded.split()
        if all(
            _OWN_WORDS[language].isdisjoint(words)
            for language in languages
            if language != declared and language in _OWN_WORDS
        ):
            return None
        others = [_OWN_WORDS[each] for each in languages if each != declared and each in _OWN_WORDS]
        words = _WORD.findall(reading.text.folded[:_LOOKED_AT])
        if all(sum(map(own.__contains__, words)) < _WORDS_AT_LEAST for own in others):
            return None
        # A third language looks a little like one of ours, but has none of its small words. They
        # are counted first, since that is cheap and settles nearly every post.
        looked_at = reading.text if len(text) <= _LOOKED_AT else Passage(text[:_LOOKED_AT], "text")
        small = _by_words(_without_marks(looked_at), languages)
        if small in (None, declared) or identify_language(text, languages) != small:
            return None
        return [("text", 0, len(text))]

    return find
