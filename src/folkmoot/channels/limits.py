"""What stops a rendition from going out on a channel as it stands, said so that it can be mended.

Length is counted in graphemes, what a reader calls characters: a family emoji or a letter with its
accent is one (Unicode Standard Annex 29, extended grapheme clusters), and sentences here call them
characters. Nothing is cut, dropped or repaired: what was signed goes out, or nothing does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from folkmoot.channels.port import Capabilities, Length, Part, Picture, Problem, Rendition

# Control characters but tab and line ends, lone halves of a surrogate pair, and what Unicode keeps
# for no character: XML cannot carry most of them, UTF-8 not all, and no reader ever sees one.
UNSENDABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def count_graphemes(text: str) -> int:
    """How many characters a reader sees in ``text``."""
    import regex

    return sum(1 for _ in regex.finditer(r"\X", text))


def count_bytes(text: str) -> int:
    """How many bytes ``text`` takes in UTF-8."""
    return len(text.encode())


def characters(most: int) -> Length:
    """A limit of ``most`` characters, as a reader counts them."""
    return Length("character", most, count_graphemes)


def utf8_bytes(most: int) -> Length:
    """A limit of ``most`` bytes in UTF-8."""
    return Length(
        "byte",
        most,
        count_bytes,
        "Emoji and letters outside English take several bytes each: use fewer",
    )


def find_problems(capabilities: Capabilities, rendition: Rendition) -> tuple[Problem, ...]:
    """Everything that keeps ``rendition`` from going out on the channel; empty where nothing does.

    In order of parts; in a part, the text before its pictures.
    """
    found: list[Problem] = []
    count, most = len(rendition.parts), capabilities.parts
    if count == 0:
        found.append(Problem("text", 0, "There is nothing to post. Write something."))
    if count > most:
        found.append(Problem("text", most, _too_many_parts(capabilities, count)))
    for number, part in enumerate(rendition.parts):
        may_split = count < most
        found += [
            Problem("text", number, message)
            for message in _text_messages(capabilities, part, may_split=may_split)
        ]
        found += [
            Problem("picture", number, message) for message in _picture_messages(capabilities, part)
        ]
    return tuple(found)


def _too_many_parts(capabilities: Capabilities, count: int) -> str:
    title, most = capabilities.title, capabilities.parts
    if most == 1:
        return f"This is in {count} parts; {title} takes no threads. Make it one post."
    return (
        f"This thread has {count} parts; {title} takes {most}. Join parts, or post the rest apart."
    )


def _text_messages(capabilities: Capabilities, part: Part, *, may_split: bool) -> Iterator[str]:
    if not part.text.strip() and not part.pictures:
        yield "This part is empty. Write something, or take the part away."
    title = capabilities.title
    split = ", or split it with a line of three hyphens" if may_split else ""
    if unsendable := _unsendable(part.text):
        yield f"{unsendable} Delete it, and type the words around it again."
        return  # it has no length in UTF-8
    for length in capabilities.lengths:
        if (count := length.count(part.text)) > length.most:
            yield (
                f"This is {_many(count, length)}; {title} takes {length.most:,}."
                f" {_shorten(count, length)}{split}."
            )


def _picture_messages(capabilities: Capabilities, part: Part) -> Iterator[str]:
    title, most = capabilities.title, capabilities.pictures
    count = len(part.pictures)
    if count < capabilities.least_pictures:
        yield f"{title} takes no post without a picture. Add one, or leave this channel out."
    if count > most:
        takes = f"takes {most}" if most else "takes none"
        there = "There is 1 picture" if count == 1 else f"There are {count} pictures"
        yield f"{there} here; {title} {takes}. Take away {count - most}."
    for number, picture in enumerate(part.pictures, start=1):
        which = "This picture" if count == 1 else f"Picture {number}"
        for message in _one_picture(capabilities, picture):
            yield f"{which} {message}"


def _one_picture(capabilities: Capabilities, picture: Picture) -> Iterator[str]:
    title = capabilities.title
    if picture.media_type not in capabilities.picture_types:
        takes = ", ".join(sorted(capabilities.picture_types)) or "no pictures"
        yield f"is {picture.media_type}; {title} takes {takes}. Save it as one of those."
    if picture.size_bytes > capabilities.picture_bytes:
        yield (
            f"is {picture.size_bytes:,} bytes; {title} takes {capabilities.picture_bytes:,}."
            " Make it smaller."
        )
    if picture.size_bytes < 1 or picture.width < 1 or picture.height < 1:
        yield (
            f"is {picture.width} by {picture.height} pixels and {picture.size_bytes:,} bytes, which"
            " is no picture. Add it again."
        )
    if not picture.alt.strip():
        yield "has no text alternative. Say in words what it shows, for people who cannot see it."
    if unsendable := _unsendable(picture.alt):
        yield f"has a text alternative that cannot go out. {unsendable} Delete it."
    most = capabilities.alt
    if most is not None and (count := most.count(picture.alt)) > most.most:
        yield (
            f"has a text alternative of {_many(count, most)}; {title} takes {most.most:,}."
            f" {_shorten(count, most)}."
        )


def _unsendable(text: str) -> str:
    found = UNSENDABLE.search(text)
    if found is None:
        return ""
    where = count_graphemes(text[: found.start()]) + 1
    return f"Character {where:,} is a code that nobody can see (U+{ord(found[0]):04X})."


def _many(count: int, length: Length) -> str:
    return f"{count:,} {length.unit}" if count == 1 else f"{count:,} {length.unit}s"


def _shorten(count: int, length: Length) -> str:
    return length.hint or f"Shorten it by {count - length.most:,}"
