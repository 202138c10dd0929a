"""Figures of how right the checker is: hurtful words, telephone numbers, noise, Welsh and English.

Measured on the open data of ``FOLKMOOT_DATA`` where it is there, and on the suites of
``tests/check``. A figure whose data is absent is left out, never guessed. ``peer_value`` is what
``docs`` and papers give for somebody else on the same data, where such a figure is known.
"""

from __future__ import annotations

import ast
import csv
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from folkmoot.check import Capacity, Checker, Context, Effect, Post
from folkmoot.check.detectors.language import identify_language
from folkmoot.guidance import load_pack

from .figure import Figure

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("FOLKMOOT_DATA") or ROOT.parent / "shared" / "data")
SUITES = ROOT / "tests" / "check"
OFFICIAL = Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="en")
WELSH = Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="cy")
TELEPHONE = {
    "m": frozenset({"personal-data/mobile-number"}),
    "l": frozenset({"personal-data/landline-number", "personal-data/landline-of-person"}),
}


@cache
def checker() -> Checker:
    return Checker(load_pack("uk-civil-service"))


def found(text: str, context: Context = OFFICIAL) -> frozenset[str]:
    """The ids of the rules that find something in ``text``."""
    return frozenset(each.rule for each in checker().check(Post(text), context).findings)


def toxic_spans(file: Path) -> float:
    """The mean over comments of the F1 of characters marked, as in SemEval-2021 task 5.

    Marked is what the rules about hurtful words point at in official capacity. Where nobody marked
    anything the F1 is 1 if nothing is found, else 0.
    """
    total, count = 0.0, 0
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            gold = set(ast.literal_eval(row["spans"]))
            ours = {
                place
                for finding in checker().check(Post(row["text"]), OFFICIAL).findings
                if finding.rule.startswith("conduct/")
                for span in finding.spans
                for place in range(span.start, span.end)
            }
            total += _f1(ours, gold)
            count += 1
    return total / count


def _f1(ours: set[int], gold: set[int]) -> float:
    if not gold or not ours:
        return float(not gold and not ours)
    return 2 * len(ours & gold) / (len(ours) + len(gold))


def telephones() -> tuple[float, float]:
    """Precision and recall on the labelled suite: a mobile found as a landline is not found."""
    right = wrong = missed = 0
    for line in (SUITES / "telephone_numbers.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        kind, text = line.split("\t")
        rules = found(text.replace("\\n", "\n"))
        if kind == "-":
            wrong += bool(rules & (TELEPHONE["m"] | TELEPHONE["l"]))
        elif rules & TELEPHONE[kind]:
            right += 1
        else:
            missed += 1
    return right / (right + wrong), right / (right + missed)


def press_office_posts() -> tuple[tuple[str, Context], ...]:
    """The ordinary posts of the suite with their context: Welsh ones are declared as Welsh."""
    posts = []
    for line in (SUITES / "press_office_posts.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text = line.replace("\\n", "\n")
            welsh = identify_language(text) == "cy"
            posts.append((text, WELSH if welsh else OFFICIAL))
    return tuple(posts)


def tweets() -> tuple[tuple[str, Context], ...]:
    """The tweets of the Broad Twitter Corpus, segment a, put together again; none if absent.

    They are private people's, swearing and all: a harder crowd than a press office.
    """
    file = DATA / "broad-twitter" / "a.conll"
    if not file.is_file():
        return ()
    joined = (
        " ".join(line.split("\t")[0] for line in tweet.splitlines() if line)
        for tweet in file.read_text(encoding="utf-8").split("\n\n")
    )
    return tuple((text.replace("# ", "#").replace("@ ", "@"), OFFICIAL) for text in joined if text)


def share(posts: tuple[tuple[str, Context], ...], effect: Effect) -> float:
    """The share of ``posts`` with a finding of ``effect`` or a stronger one."""
    troubled = sum(
        bool(checker().check(Post(text), context).at_least(effect)) for text, context in posts
    )
    return troubled / len(posts)


def welsh_or_english() -> float | None:
    """The share of the 2,000 sentences whose language is told; ``None`` if they are absent."""
    folder = DATA / "welsh-english"
    if not folder.is_dir():
        return None
    right = count = 0
    for language in ("cy", "en"):
        lines = (folder / f"sentences.{language}.txt").read_text(encoding="utf-8").splitlines()
        right += sum(identify_language(line) == language for line in lines)
        count += len(lines)
    return right / count


def toxic() -> Iterator[Figure]:
    file = DATA / "toxic-spans" / "tsd_trial.csv"
    if file.is_file():
        yield Figure(
            "quality.toxic_f1",
            toxic_spans(file),
            "character F1",
            0.66,
            more_is_better=True,
            peer="lexicon of 225 words learned from the same data, on its test half",
            peer_value=0.645,
        )


def phones() -> Iterator[Figure]:
    precision, recall = telephones()
    yield Figure("quality.phones_precision", precision, "share", 0.90, more_is_better=True)
    yield Figure("quality.phones_recall", recall, "share", 0.80, more_is_better=True)


def noise() -> Iterator[Figure]:
    for name, posts in (("", press_office_posts()), ("_tweets", tweets())):
        for word, effect, target in (("advise", Effect.ADVISE, 0.05), ("hold", Effect.HOLD, 0.01)):
            if posts:
                yield Figure(
                    f"quality.noise_{word}{name}",
                    share(posts, effect),
                    "share of posts",
                    target,
                    more_is_better=False,
                )


def welsh() -> Iterator[Figure]:
    told = welsh_or_english()
    if told is not None:
        yield Figure("quality.welsh", told, "share of sentences", 0.99, more_is_better=True)


FIGURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "quality.toxic_f1": toxic,
    "quality.phones": phones,
    "quality.noise": noise,
    "quality.welsh": welsh,
}
