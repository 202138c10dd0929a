"""Detectors by name: what a rule can look for that words and patterns cannot say.

A detector is made once per rule from the rule's ``[options]`` and is then a pure function. One of a
*passage* answers places in one run of words; one of a *post* sees words and pictures together.
"""

from __future__ import annotations

from collections.abc import Callable

from folkmoot.check.model import Context
from folkmoot.check.passage import KINDS, Passage, Spans
from folkmoot.check.reading import Hits, Reading
from folkmoot.check.table import Table

DetectInPassage = Callable[[Passage], Spans]
"""Places found in one passage, in order; none means the rule has nothing to say."""
DetectInPost = Callable[[Reading], Hits | None]
"""Places found in the post; ``None`` means nothing to say, no places that it is the whole post."""
DetectInContext = Callable[[Reading, Context], Hits | None]
"""Places found in the post in its circumstances; answers as :data:`DetectInPost` does."""

MakePassage = Callable[[Table], DetectInPassage]
MakePost = Callable[[Table], DetectInPost]
MakeContext = Callable[[Table], DetectInContext]

OF_PASSAGES: dict[str, tuple[MakePassage, str | None]] = {}
"""By name: how a detector is made, and the kind of place without which it has nothing to say."""
OF_POSTS: dict[str, MakePost] = {}
ATTACHED: set[str] = set()
"""Detectors of posts that have nothing to say where nothing is attached."""
OF_CONTEXTS: dict[str, MakeContext] = {}


def passage_detector(
    name: str, *, where: str | None = None
) -> Callable[[MakePassage], MakePassage]:
    """Register the decorated maker under ``name``. It is given the options and takes each key.

    ``where`` is a kind of place (:data:`folkmoot.check.passage.KINDS`): the detector is called only
    for passages that hold one.
    """

    def register(make: MakePassage) -> MakePassage:
        _refuse_twice(name)
        if where is not None and where not in KINDS:
            raise ValueError(f"The detector {name!r} waits for {where!r}, which is no kind.")
        OF_PASSAGES[name] = (make, where)
        return make

    return register


def plain_passage_detector(
    name: str, *, where: str | None = None
) -> Callable[[DetectInPassage], DetectInPassage]:
    """Register the decorated detector, which takes no options, under ``name``."""

    def register(detect: DetectInPassage) -> DetectInPassage:
        passage_detector(name, where=where)(lambda _options: detect)
        return detect

    return register


def post_detector(name: str, *, attached: bool = False) -> Callable[[MakePost], MakePost]:
    """Register the decorated maker under ``name``, as :func:`passage_detector` does.

    One that is ``attached`` is called only for posts with attachments.
    """

    def register(make: MakePost) -> MakePost:
        _refuse_twice(name)
        if attached:
            ATTACHED.add(name)
        OF_POSTS[name] = make
        return make

    return register


def plain_post_detector(
    name: str, *, attached: bool = False
) -> Callable[[DetectInPost], DetectInPost]:
    """Register the decorated detector, which takes no options, under ``name``."""

    def register(detect: DetectInPost) -> DetectInPost:
        post_detector(name, attached=attached)(lambda _options: detect)
        return detect

    return register


def context_detector(name: str) -> Callable[[MakeContext], MakeContext]:
    """Register the decorated maker under ``name``, as :func:`passage_detector` does.

    What such a detector asks of the context the rule must name in ``[when]`` or ``needs``, so that
    a fact which is missing is said and not taken for *no*.
    """

    def register(make: MakeContext) -> MakeContext:
        _refuse_twice(name)
        OF_CONTEXTS[name] = make
        return make

    return register


def _refuse_twice(name: str) -> None:
    if name in OF_PASSAGES or name in OF_POSTS or name in OF_CONTEXTS:
        raise ValueError(f"There are two detectors named {name!r}.")
