"""A context and a post from plain values: rows of JSON and CSV, front matter, the command line.

Every value is checked here, so that a misspelt capacity or a time without its zone is a sentence
and not a rule that quietly does not apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from .model import (
    Attachment,
    Capacity,
    Captions,
    CheckError,
    Closeness,
    Context,
    Post,
    Seniority,
)
from .vocabulary import Vocabulary

_CHOICES = {"capacity": Capacity, "seniority": Seniority, "closeness": Closeness}
_WORDS = frozenset(("role", "channel", "nation", "language", "audience"))
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}
CONTEXT_KEYS = frozenset((*_CHOICES, *_WORDS, "publish_at", "at", "periods", "period", "facts"))
"""The keys :func:`read_context` takes, beside the names of facts."""
_ATTACHMENT_FLAGS = ("consent", "has_faces", "has_children", "has_location", "text_only", "ai_made")
_ATTACHMENT_KEYS = frozenset(field.name for field in fields(Attachment))


class NoSuchValue(CheckError):
    """A value of a row or of the context cannot be used. Says which, and what would do."""


# One branch for each kind of key.
def read_context(  # noqa: C901
    values: Mapping[str, Any], vocabulary: Vocabulary, known: Context
) -> tuple[Context, tuple[str, ...]]:
    """``known`` with what ``values`` say, and the keys among ``values`` that mean nothing here.

    A value that is ``None`` or blank says nothing. ``periods`` is a list, or words separated by
    spaces, commas or semicolons; ``none``, or an empty list, says that there is no period.

    Raises:
        NoSuchValue: A value is not of its kind.
    """
    changed: dict[str, Any] = {}
    facts: dict[str, str | bool | None] = {}
    unknown: list[str] = []
    for key, value in values.items():
        if value is None or value == "":
            continue
        if key in _CHOICES:
            changed[key] = _choice(key, value)
        elif key in _WORDS:
            changed[key] = _words(key, value)
        elif key in ("publish_at", "at"):
            changed["publish_at"] = read_moment(value)
        elif key in ("periods", "period"):
            changed["periods"] = read_periods(value)
        elif key == "facts":
            if not isinstance(value, dict):
                raise NoSuchValue("facts must be an object of names and values.")
            facts.update({name: read_fact(name, part, vocabulary) for name, part in value.items()})
        elif key in vocabulary.facts:
            facts[key] = read_fact(key, value, vocabulary)
        else:
            unknown.append(key)
    if facts:
        changed["facts"] = {**known.facts, **facts}
    return (replace(known, **changed) if changed else known), tuple(unknown)


def _choice(key: str, value: object) -> object:
    kind = _CHOICES[key]
    try:
        return kind(str(value))
    except ValueError as wrong:
        raise NoSuchValue(f"{key} {value!r} is not one of {', '.join(kind)}.") from wrong


def _words(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise NoSuchValue(f"{key} must be words, not {value!r}.")
    return value


def read_moment(value: object) -> datetime:
    """A time with its offset from UTC. Raises :class:`NoSuchValue`."""
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError as wrong:
            raise NoSuchValue(
                f"{value!r} is not a date and time such as 2026-05-01T09:00:00+01:00."
            ) from wrong
    if moment.tzinfo is None:
        raise NoSuchValue(f"{value!s} lacks its offset from UTC, such as +01:00 or Z.")
    return moment


def read_periods(value: object) -> frozenset[str]:
    """The kinds of period in ``value``. Raises :class:`NoSuchValue`."""
    kinds: list[object]
    if isinstance(value, str):
        words = value.replace(",", " ").replace(";", " ").split()
        kinds = [] if words == ["none"] else list(words)
    elif isinstance(value, list | tuple | set | frozenset):
        kinds = list(value)
    else:
        raise NoSuchValue(f"periods must be a list of words, not {value!r}.")
    for kind in kinds:
        if not isinstance(kind, str) or not kind.replace("_", "").isalpha() or not kind.islower():
            raise NoSuchValue(f"{kind!r} is not a kind of period such as pre_election.")
    return frozenset(map(str, kinds))


def read_fact(name: str, value: object, vocabulary: Vocabulary) -> str | bool | None:
    """The value of the named fact. Raises :class:`NoSuchValue`."""
    fact = vocabulary.facts.get(name)
    if fact is None:
        raise NoSuchValue(f"There is no fact {name!r}. There are {', '.join(vocabulary.facts)}.")
    if value is None or value == "":
        return None
    if fact.values:
        if value not in fact.values:
            raise NoSuchValue(f"{name} {value!r} is not one of {', '.join(fact.values)}.")
        return str(value)
    if not isinstance(value, bool):
        said = _YES_NO.get(str(value).lower())
        if said is None:
            raise NoSuchValue(f"{name} is {value!r}; say yes or no.")
        return said
    return value


def read_post(values: Mapping[str, Any]) -> Post:
    """The post in a row: ``text``, and perhaps ``attachments``, a list of objects.

    Raises:
        NoSuchValue: There is no text, or an attachment is not of its form.
    """
    text = values.get("text")
    if not isinstance(text, str):
        raise NoSuchValue("There is no text." if text is None else f"The text is {text!r}.")
    rows = values.get("attachments")
    if not rows:
        return Post(text)
    if not isinstance(rows, list):
        raise NoSuchValue("attachments must be a list of objects.")
    return Post(text, tuple(_attachment(row) for row in rows))


def _attachment(row: object) -> Attachment:
    if not isinstance(row, dict):
        raise NoSuchValue(f"An attachment must be an object, not {row!r}.")
    unknown = set(row) - _ATTACHMENT_KEYS
    if unknown:
        raise NoSuchValue(f"An attachment has no {min(map(str, unknown))!r}; is it misspelt?")
    for key in ("id", "media_type"):
        if not isinstance(row.get(key), str):
            raise NoSuchValue(f"An attachment needs its {key}, in words.")
    for key in ("alt", "filename", "licence"):
        if not isinstance(row.get(key, ""), str | None):
            raise NoSuchValue(f"{key} of an attachment must be words.")
    for key in _ATTACHMENT_FLAGS:
        if not isinstance(row.get(key), bool | None):
            raise NoSuchValue(f"{key} of an attachment must be true or false.")
    captions = row.get("captions")
    if captions is not None and captions not in tuple(Captions):
        raise NoSuchValue(f"captions {captions!r} is not one of {', '.join(Captions)}.")
    return Attachment(
        row["id"],
        row["media_type"],
        row.get("alt"),
        row.get("filename") or "",
        None if captions is None else Captions(captions),
        licence=row.get("licence"),
        **{key: row.get(key) for key in _ATTACHMENT_FLAGS},
    )
