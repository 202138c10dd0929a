"""Words that hurt people, weighed by a pack's own list and by the sentence they stand in.

The list is data of the pack (``words/abuse.txt``), never of this module, and no finding says which
word it was: rules that use this detector leave ``{words}`` out of their message.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import ahocorasick_rs

from folkmoot.check.folding import in_word, stands_alone
from folkmoot.check.passage import Passage, Spans, touches
from folkmoot.check.table import RuleError, Table

from .registry import DetectInPassage, passage_detector

KINDS = ("slur", "abuse", "swearing", "rude", "harsh", "everyday")
MEANT = ("aimed", "used", "spoken_of")
_SECTIONS = (*KINDS, "stems", "except")
_STEM_KIND = "abuse"
# How much of what is expected to hurt weighs against each word more that is marked: below 1 a
# few sure words are kept and doubtful ones beside them are dropped. Chosen on the training half
# of Toxic Spans.
_EXPECTED = 0.6
_HITS_AT_MOST = 20_000
_BEFORE = 40
_NEXT_BREATH = 200
_LONGEST_WORD = 64

_SINGLE_QUOTED = re.compile(r"(?<![\w])'[^'\n]{2,80}'(?!\w)")
# A word with stars for letters, such as b*****d. A* and A*-C are marks at school.
_MASKED = re.compile(r"(?<![\w*])[a-z]{1,5}(?:\*{2,6}[a-z]{0,5}|\*[a-z]{1,5})(?![\w*])")
_MASKED_WEIGHT = 0.5
_MASKED_KIND = "rude"

# What a sentence says when it speaks about hurtful words rather than using them: it names them as
# words, or tells that somebody was called so ...
_SPEAKS_OF = re.compile(
    r"\b(?:the (?:\w-)?(?:word|term|label)|slurs?|name-calling|hate speech|hate crimes?"
    r"|zero tolerance|derogatory|abusive|verbally)\b"
    r"|\b(?:be|been|being|is|are|was|were|get|gets|got|getting) (?:called|labelled|branded|told)\b"
    r"|\b(?:called|calls|calling|call|calls|labels?|labelling|branded) (?:me|him|her|us|them|you"
    r"|someone|somebody|people|others|anyone|anybody|each other|another|women|men|girls|boys"
    r"|children|kids|staff|nurses|players|colleagues|an?(?: \w+){1,3} an?)\b"
    r"|\bno (?:one|\w+(?: \w+)?) (?:should|deserves)\b|\bnobody (?:should|deserves)\b"
)
# ... or tells what others say, think or do, and condemns it. Both must be there.
_TELLS = re.compile(
    r"\b(?:say|says|saying|said|thinks?|thinking|believes?|believing|claim(?:s|ing|ed)?|hates?|hating"
    r"|shout(?:s|ed|ing)?|scream(?:s|ed|ing)?|chant(?:s|ed|ing)?|us(?:e|es|ing)|tell(?:s|ing)?|told"
    r"|call(?:s|ed|ing)?|being|treat(?:s|ed|ing)?|banned|joking|jokes?|words?|insults?|heard|hear)\b"
)
_CONDEMNS = re.compile(
    r"\b(?:wrong|unacceptable|inappropriate|racist|sexist|homophobic|transphobic|ableist"
    r"|anti-?semitic|islamophobic|misogyn\w{1,6}|xenophobi\w{1,3}|racism|sexism|homophobia"
    r"|transphobia|antisemitism|islamophobia|prejudiced?|discriminat\w{1,6}|appall\w{2,4}|abhorrent"
    r"|(?:not|n't|never|no longer) (?:ok|okay|acceptable|funny|fine|right|a joke|cool|be tolerated)"
    r"|no excuse|hateful|hurtful|harmful|offensive|awful|horrible|terrible|disgusting|unkind|cruel"
    r"|shame|shameful|ashamed|stop|educate|against the law|a crime|an offence|illegal|bully(?:ing)?"
    r"|must end|has to end|no place|reject|condemn\w{0,3}|please don't|report(?:ed)? it)\b"
)
# "not an idiot", "never stupid", "isn't crazy".
_DENIED = re.compile(r"(?:\bnot|\bnever|n't)(?: (?:an?|being|be)){0,2} $")
# A group taking back the word that was used against it, or somebody speaking of themselves.
_OF_ONESELF = re.compile(
    r"\b(?:i'm|i am|i was|i feel|i felt|we're|we are|makes? me|made me|me feel|my fellow|us"
    r"|(?:as|being) a proud|proud(?: to be)?(?: an?)?|myself|feel so|i look|silly me|i)"
    r"(?: (?:an?|such|so|the|really|being|just|one|proud|bit|little|very|pretty|old|total"
    r"|like)){0,3} $"
)
# Words before that aim a word at somebody: "you", "these", "he is such a", "bunch of" ...
_AIMED_BEFORE = re.compile(
    r"\b(?:you|your|you're|youre|ur|u|he's|she's|they're|them|these|those|such an?|what an?"
    r"|bunch of|lot of|pack of|load of|him|dear|hey|oi|shut up|look at the|stop being|don't be"
    r"|(?:is|are|was|were) (?:an?|all|just|such|nothing but|a bunch of|always))"
    r"(?: (?:an?|the|all|just|such|\w{2,12})){0,2} $"
)
_AIMED_AFTER = re.compile(
    r" ?(?:you|like you|like him|like her|like them|off|yourself|the lot of)\b"
)
# A post that informs: words of services, courts, health, safety and schools.
_INFORMS = re.compile(
    r"\b(?:arrest(?:ed)?|charged|court|sentenced|jailed|convicted|guilty|appeal(?:ing)?"
    r"|witness(?:es)?|police|officers?|investigat\w{2,6}|inquest|collision|incident|victims?"
    r"|survivors?|suspects?|detectives?|pc|sgt|crew|crews|firefighters?|ambulance|council"
    r"|councillors?|residents?|recycl\w{1,5}|collections?|bins?|litter|services?|patients?"
    r"|hospital|clinics?|nhs|gp|doctor|nurses?|vaccin\w{1,6}|support(?:ing|ed|s)?|advice|helpline"
    r"|charity|school|pupils?|students?|teachers?|museum|exhibition|library|libraries|theatre"
    r"|booking|tickets|workshop|training|apply|register|join us|find out|visit our|open to"
    r"|consultation|public|community|campaign|awareness|research|report|symptoms|infection"
    r"|treatment|licen[cs]e|traffic|roads?|drivers?|driving|farm(?:ers|ing)?|zoo|wildlife"
    r"|species|safely|safety|warning|members?|team|week|month|volunteers?)\b"
    r"|https?:|www\.|#\w|\b(?:101|111|999)\b"
)
_WORDS_THAT_INFORM = 2
_LOOKED_AT = 50


def _word(match: re.Match[str]) -> str:
    return match[0]


@dataclass(frozen=True, slots=True)
class _Words:
    """A list as read: weights and kinds by word, stems, phrases that excuse."""

    automaton: ahocorasick_rs.AhoCorasick
    meanings: tuple[tuple[str, str, float], ...]


@passage_detector("abusive-words")
def abusive_words(options: Table) -> DetectInPassage:
    """Words of a list of the pack, told apart by how the sentence means them.

    Options: ``file``, the list, a path within the pack; ``kinds``, the headings of the list this
    rule is about; ``meant``, which of ``aimed`` at somebody, ``used`` without an aim, and
    ``spoken_of``: in quotation marks, denied, said of oneself, or in a sentence that names, reports
    or condemns such words. Marked are those words whose weights promise the best balance of
    finding what readers would mark and not marking more (the expected F1, taken greedily).
    """
    words = _read(options.file.parent.parent / options.text("file"), options.file)
    kinds = frozenset(options.choices("kinds", KINDS)) or frozenset(KINDS)
    meant = frozenset(options.choices("meant", MEANT)) or frozenset(MEANT)

    def find(passage: Passage) -> Spans:
        # Worked out by the first rule of the list that asks, and kept for the others.
        marked = passage.memo.get(words.automaton)
        if marked is None:
            marked = passage.memo[words.automaton] = _marked(passage, words)
        if not marked:
            return []
        return [(start, end) for start, end, kind, how in marked if kind in kinds and how in meant]

    return find


def _read(file: Path, asked_by: Path) -> _Words:
    try:
        return _read_list(file)
    except (OSError, UnicodeDecodeError) as wrong:
        raise RuleError(asked_by, "options.file", f"{file} cannot be read ({wrong})") from wrong


@lru_cache(maxsize=32)
def _read_list(file: Path) -> _Words:
    lines = file.read_text(encoding="utf-8").splitlines()
    meanings: dict[tuple[bool, str], tuple[str, str, float]] = {}
    section = ""
    for number, line in enumerate(lines, 1):
        plain = line.strip().lower()
        if not plain or plain.startswith("#"):
            continue
        if plain.startswith("[") and plain.endswith("]"):
            section = plain[1:-1]
            if section not in _SECTIONS:
                raise RuleError(file, f"line {number}", f"there is no heading {section!r}")
            continue
        word, weight = _line(plain, section, file, number)
        key = (section == "stems", word)
        if key in meanings:
            raise RuleError(file, f"line {number}", "the same word stands there twice")
        meanings[key] = (section, word, weight)
    if not meanings:
        raise RuleError(file, "", "there is no word in this list")
    return _Words(
        ahocorasick_rs.AhoCorasick([word for _, word in meanings]), tuple(meanings.values())
    )


def _line(plain: str, section: str, file: Path, number: int) -> tuple[str, float]:
    if not section:
        raise RuleError(file, f"line {number}", "a heading such as [rude] must come first")
    if section == "except":
        return plain, 0.0
    word, _, written = plain.rpartition(" ")
    try:
        weight = float(written)
    except ValueError:
        weight = -1.0
    if not word or not 0 < weight < 1:
        raise RuleError(
            file, f"line {number}", "a word and its weight between 0 and 1 are needed here"
        )
    return word, weight


def _marked(passage: Passage, words: _Words) -> list[tuple[int, int, str, str]]:
    """What is marked, as (start, end, kind, how the word is meant)."""
    hits = _hits(passage.folded, words)
    if not hits:
        return []
    judge = _Judge(passage)
    if any(hit[3] == "everyday" for hit in hits) and judge.informs():
        hits = [hit for hit in hits if hit[3] != "everyday"]
    return [
        (start, end, kind, judge.how_meant(start, end))
        for start, end, kind in _best(hits, passage.folded)
    ]


_Hit = tuple[int, int, float, str]


def _hits(text: str, words: _Words) -> list[_Hit]:
    """Words of the list in ``text`` as (start, end, weight, kind), in order, none overlapping."""
    found, excused = _seen(text, words)
    if "*" in text:
        found.extend(
            (*match.span(), _MASKED_WEIGHT, _MASKED_KIND) for match in _MASKED.finditer(text)
        )
    found.sort(key=lambda hit: (hit[0], -hit[1]))
    kept: list[_Hit] = []
    for hit in found:
        if kept and hit[0] < kept[-1][1]:
            continue
        if not any_touches(excused, hit[0], hit[1]):
            kept.append(hit)
    return kept


def _seen(text: str, words: _Words) -> tuple[list[_Hit], list[tuple[int, int]]]:
    """Words of the list and, apart from them, the phrases in which none counts, in order."""
    found: list[_Hit] = []
    stems: list[_Hit] = []
    excused: list[tuple[int, int]] = []
    for which, start, end in words.automaton.find_matches_as_indexes(text, overlapping=True):
        section, _, weight = words.meanings[which]
        if section == "stems":
            longer = _longer_word(text, start, end)
            if longer is not None:
                stems.append((start, longer, weight, _STEM_KIND))
        elif stands_alone(text, start, end):
            if section == "except":
                excused.append((start, end))
            else:
                found.append((start, end, weight, section))
        if len(found) + len(stems) >= _HITS_AT_MOST:
            break
    # Stems come after the words themselves: of two that are as long, the word is kept.
    return found + stems, sorted(excused)


def any_touches(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of ``spans`` (in order) meets ``start`` to ``end``; few overlap, if any."""
    at = bisect_right(spans, (end, 0))
    return any(spans[index][1] > start for index in range(max(0, at - 3), at))


def _longer_word(text: str, start: int, end: int) -> int | None:
    """Where the word that begins with a stem ends, or ``None`` if no word begins there."""
    if start > 0 and in_word(text[start - 1]):
        return None
    while end < len(text) and in_word(text[end]) and end - start < _LONGEST_WORD:
        end += 1
    return end


class _Judge:
    """Whether words of a passage are used, or spoken about. What is asked twice is kept."""

    __slots__ = ("_informs", "_passage", "_quoted", "_speaks_of", "_starts")

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._starts = [start for start, _ in passage.sentences]
        self._speaks_of: dict[int, bool] = {}
        self._quoted: Spans = [match.span() for match in _SINGLE_QUOTED.finditer(passage.folded)]
        self._informs: bool | None = None

    def how_meant(self, start: int, end: int) -> str:
        """``spoken_of``, ``aimed`` at somebody, or only ``used``."""
        if not self._is_used(start, end):
            return "spoken_of"
        text = self._passage.folded
        before = text[max(0, start - _BEFORE) : start]
        aimed = _AIMED_BEFORE.search(before) or _AIMED_AFTER.match(text, end, end + _BEFORE)
        return "aimed" if aimed else "used"

    def _is_used(self, start: int, end: int) -> bool:
        """Whether the words there are the post's own."""
        passage = self._passage
        if touches(passage.quotes, start, end) or touches(self._quoted, start, end):
            return False
        if touches(passage.urls, start, end):
            return False
        before = passage.folded[max(0, start - _BEFORE) : start]
        if _DENIED.search(before) or _OF_ONESELF.search(before):
            return False
        return not self._sentence_speaks_of(start)

    def informs(self) -> bool:
        """Whether the post has two words of services, courts, health, safety or schools."""
        if self._informs is None:
            found = _INFORMS.finditer(self._passage.folded)
            self._informs = len(set(map(_word, islice(found, _LOOKED_AT)))) >= _WORDS_THAT_INFORM
        return self._informs

    def _sentence_speaks_of(self, start: int) -> bool:
        number = max(0, bisect_right(self._starts, start) - 1)
        known = self._speaks_of.get(number)
        if known is None:
            sentences = self._passage.sentences
            text = self._passage.folded
            left, right = sentences[number] if sentences else (0, len(text))
            # What is condemned is often condemned in the next breath.
            after = sentences[number + 1][1] if number + 1 < len(sentences) else right
            known = _SPEAKS_OF.search(text, left, right) is not None or (
                _CONDEMNS.search(text, left, min(after, right + _NEXT_BREATH)) is not None
                and _TELLS.search(text, left, right) is not None
            )
            self._speaks_of[number] = known
        return known


def _best(hits: list[tuple[int, int, float, str]], text: str) -> list[tuple[int, int, str]]:
    """Of ``hits`` those that promise the best F1 together, neighbours of one kind joined."""
    expected = _EXPECTED * sum(weight * (end - start) for start, end, weight, _ in hits)
    by_weight = sorted({weight for _, _, weight, _ in hits}, reverse=True)
    right = length = best = 0.0
    least = 1.0
    for weight in by_weight:
        letters = sum(end - start for start, end, other, _ in hits if other == weight)
        right += weight * letters
        length += letters
        promise = 2 * right / (length + expected)
        if promise > best:
            best, least = promise, weight
    kept: list[tuple[int, int, str]] = []
    for start, end, weight, kind in hits:
        if weight < least:
            continue
        if kept and kept[-1][2] == kind and text[kept[-1][1] : start] == " ":
            kept[-1] = (kept[-1][0], end, kind)
        else:
            kept.append((start, end, kind))
    return kept
