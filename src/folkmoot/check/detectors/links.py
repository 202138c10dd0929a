"""Links: how many, to where, how safely, and whether the words say what they lead to."""

from __future__ import annotations

from folkmoot.check.passage import Passage, Spans
from folkmoot.check.table import Table

from .registry import DetectInPassage, passage_detector


@passage_detector("link-number", where="urls")
def link_number(options: Table) -> DetectInPassage:
    """Links beyond the ``at_most`` first ones.

    Options: ``wrapped_by``, hosts a channel wraps links and pictures in (``t.co``), not counted.
    """
    at_most = options.whole("at_most", low=0, high=100)
    wrapped_by = frozenset(options.texts("wrapped_by"))

    def find(passage: Passage) -> Spans:
        urls = passage.urls
        if len(urls) <= at_most:
            return []
        text = passage.folded
        return [span for span in urls if _host(text[slice(*span)]) not in wrapped_by][at_most:]

    return find


@passage_detector("link-alone", where="urls")
def link_alone(options: Table) -> DetectInPassage:
    """The first link, where fewer than ``words`` words stand beside links, hashtags and handles."""
    least = options.whole("words", low=1, high=50)

    def find(passage: Passage) -> Spans:
        urls = passage.urls
        taken = sorted((*urls, *passage.hashtags, *passage.mentions))
        rest, at = [], 0
        for start, end in taken:
            rest.append(passage.text[at:start])
            at = max(at, end)
        rest.append(passage.text[at:])
        words = [
            word
            for word in " ".join(rest).split()
            if any(character.isalnum() for character in word)
        ]
        return urls[:1] if len(words) < least else []

    return find


@passage_detector("short-link", where="urls")
def short_link(options: Table) -> DetectInPassage:
    """Links through one of the shortening services ``hosts``, which hide where they lead."""
    hosts = frozenset(options.texts("hosts", at_least=1))

    def find(passage: Passage) -> Spans:
        return [
            (start, end)
            for start, end in passage.urls
            if _host(passage.folded[start:end]).removeprefix("www.") in hosts
        ]

    return find


def _host(address: str) -> str:
    rest = address.partition("://")[2] or address
    for mark in "/?#":
        rest = rest.partition(mark)[0]
    return rest.rpartition("@")[2].partition(":")[0]


@passage_detector("insecure-link", where="urls")
def insecure_link(options: Table) -> DetectInPassage:
    """Links that begin with ``http://``.

    Options: ``wrapped_by``, hosts a channel wraps every link in (``t.co``): what is behind them is
    not the author's doing.
    """
    wrapped_by = frozenset(options.texts("wrapped_by"))

    def find(passage: Passage) -> Spans:
        return [
            (start, end)
            for start, end in passage.urls
            if passage.folded.startswith("http://", start)
            and _host(passage.folded[start:end]) not in wrapped_by
        ]

    return find
