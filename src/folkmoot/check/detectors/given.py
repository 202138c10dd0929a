"""What only people can know: rules that speak when somebody has said so, and never guess."""

from __future__ import annotations

from folkmoot.check.folding import fold, stands_alone
from folkmoot.check.model import Context
from folkmoot.check.passage import Passage, Spans
from folkmoot.check.reading import Hits, Reading
from folkmoot.check.table import Table

from .registry import DetectInContext, DetectInPassage, context_detector, passage_detector

_PLACES_AT_MOST = 1_000


@context_detector("said-to-be-so")
def said_to_be_so(options: Table) -> DetectInContext:
    """The whole post, once every one of the named ``facts`` is known; ``[when.facts]`` decides.

    Options: ``facts``, names of facts, which the rule names in ``[when.facts]`` too; ``unless``,
    words or hashtags that settle the matter where the text has one. Until the facts are known the
    rule is listed as not evaluated, and the verdict does not count it: a fact that is rarely asked
    for must not send every post to somebody's desk.
    """
    names = options.texts("facts", at_least=1)
    unless = tuple(map(fold, options.texts("unless")))

    def find(reading: Reading, context: Context) -> Hits | None:
        if any(context.facts.get(name) is None for name in names):
            return None
        return None if unless and has_one_of(unless, reading.text) else []

    return find


@passage_detector("words-without")
def words_without(options: Table) -> DetectInPassage:
    """Places of ``words`` in a text that has none of ``unless``, such as a topic without its help.

    Options: ``words`` and ``unless``, words and phrases found whole, in any case.
    """
    words = tuple(map(fold, options.texts("words", at_least=1)))
    unless = tuple(map(fold, options.texts("unless", at_least=1)))

    def find(passage: Passage) -> Spans:
        found: Spans = []
        for word in words:
            start = passage.folded.find(word)
            while start >= 0 and len(found) < _PLACES_AT_MOST:
                end = start + len(word)
                if stands_alone(passage.folded, start, end):
                    found.append((start, end))
                start = passage.folded.find(word, end)
        return [] if not found or has_one_of(unless, passage) else sorted(found)

    return find


def has_one_of(words: tuple[str, ...], passage: Passage) -> bool:
    """Whether one of the folded ``words`` stands in ``passage`` as a whole word."""
    text = passage.folded
    for word in words:
        start = text.find(word)
        while start >= 0:
            if stands_alone(text, start, start + len(word)):
                return True
            start = text.find(word, start + 1)
    return False
