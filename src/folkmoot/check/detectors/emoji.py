"""How many emoji, whether one is repeated, and whether one stands inside a sentence."""

from __future__ import annotations

from folkmoot.check.passage import Passage, Spans, touches
from folkmoot.check.table import Table

from .registry import DetectInPassage, passage_detector, plain_passage_detector

# The same picture whatever the colour of skin and however it is asked to be drawn.
_LOOKS = {ord("\ufe0f"): None, **dict.fromkeys(range(0x1F3FB, 0x1F400))}


@passage_detector("emoji-number", where="emoji")
def emoji_number(options: Table) -> DetectInPassage:
    """Emoji beyond the ``at_most`` first ones. What a reader sees as one picture counts as one."""
    at_most = options.whole("at_most", low=0, high=100)

    def find(passage: Passage) -> Spans:
        return passage.emoji[at_most:]

    return find


@plain_passage_detector("emoji-repeated", where="emoji")
def emoji_repeated(passage: Passage) -> Spans:
    """Emoji that already stood in the text before, whatever the colour of skin."""
    seen: set[str] = set()
    found = []
    for start, end in passage.emoji:
        looks = passage.text[start:end].translate(_LOOKS)
        if looks in seen:
            found.append((start, end))
        seen.add(looks)
    return found


@plain_passage_detector("emoji-within-sentence", where="emoji")
def emoji_within_sentence(passage: Passage) -> Spans:
    """Emoji with a word or comma before them and, on the same line, a small letter after.

    One that points at a link does not count: there the sentence has ended.
    """
    text, spans = passage.text, passage.emoji
    found = []
    before = ""
    for number, (start, end) in enumerate(spans):
        left = text[spans[number - 1][1] if number else 0 : start].rstrip(" ")
        # Emoji in a row share what stands before the first of them.
        before = left[-1] if left else before
        right = text[end : spans[number + 1][0] if number + 1 < len(spans) else len(text)]
        after = right.lstrip(" ")[:1]
        next_at = end + len(right) - len(right.lstrip(" "))
        if touches(passage.urls, next_at, next_at + 1):
            continue
        if (before.isalnum() or before == ",") and after.islower():
            found.append((start, end))
    return found
