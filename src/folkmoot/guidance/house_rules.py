"""An organisation's house rules in three lengths, made of its pack and its own profile.

Page, pinned post and profile line come from one pack, and the reasons a moderator chooses from are
the same ones, so that what is printed and what is done cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time

from .house_profile import Day, OwnWords, Profile, ProfileError, refuse_incomplete
from .house_rules_file import (
    DayWords,
    HouseRulesError,
    PackHouseRules,
    Statement,
    load_house_rules,
)
from .model import Pack

MOST_IN_PROFILE = 160
"""The longest profile line, in characters: what the strictest of the usual profiles takes."""
MOST_IN_PINNED = 280
"""The longest pinned post, in characters."""

_DAYS_IN_A_ROW = 3
_NOON = time(12)
_IN_BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text, the language it is in, and whether that is not the one that was asked for."""

    value: str
    language: str
    is_fallback: bool

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class HouseRule:
    """One thing that is removed, never removed, or kept, as the page prints it."""

    id: str
    pack: str
    clauses: tuple[str, ...]
    title: Text
    sentence: Text
    why: Text
    examples: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the page: its heading, its text, and the rules listed under it, if any."""

    id: str
    title: Text
    text: Text
    rules: tuple[HouseRule, ...]


@dataclass(frozen=True, slots=True)
class HouseRules:
    """House rules of one organisation in one language.

    ``profile`` has at most 160 characters and ``pinned`` at most 280; ``page`` is in sections.
    ``pack`` is the reference of the pack they were made of.
    """

    organisation: str
    language: str
    pack: str
    profile: Text
    pinned: Text
    page: tuple[Section, ...]

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Which texts are not in the language asked for, such as ``removed/abuse/why``."""
        texts = {"profile": self.profile, "pinned": self.pinned}
        for section in self.page:
            texts |= {f"{section.id}/title": section.title, f"{section.id}/text": section.text}
            for rule in section.rules:
                place = f"{section.id}/{rule.id}"
                texts |= {f"{place}/title": rule.title, f"{place}/sentence": rule.sentence}
                texts |= {f"{place}/why": rule.why}
                texts |= {f"{place}/examples": each for each in rule.examples}
        return tuple(place for place, text in texts.items() if text.is_fallback)


def make_house_rules(pack: Pack, profile: Profile) -> HouseRules:
    """The organisation's house rules in the language of its profile.

    What the pack does not say in that language is given in the pack's first one, and marked.
    Call it once for each language to publish two.

    Raises:
        HouseRulesError: The pack has no complete house rules, or none of its wordings fits with
            what this organisation puts in.
        ProfileError: The profile lacks something, or says something that cannot be.
        PackError: A ``house_rules.toml`` cannot be used as it stands.
    """
    refuse_incomplete(profile)
    told = load_house_rules(pack)
    making = _Making(told, profile)
    return HouseRules(
        organisation=making.put_in(profile.language)["organisation"].value,
        language=profile.language,
        pack=pack.reference,
        profile=making.short("profile", MOST_IN_PROFILE),
        pinned=making.short("pinned", MOST_IN_PINNED),
        page=tuple(making.sections()),
    )


def house_rules_lines(rules: HouseRules, length: str = "page") -> Iterator[str]:
    """The house rules as lines of text; ``length`` is ``profile``, ``pinned`` or ``page``.

    A text that is not in the language asked for begins with its own language: ``[en] ...``.

    Raises:
        ValueError: ``length`` is none of the three.
    """
    if length == "profile":
        yield _marked(rules.profile)
    elif length == "pinned":
        yield _marked(rules.pinned)
    elif length == "page":
        yield rules.organisation
        for section in rules.page:
            yield ""
            yield _marked(section.title)
            yield ""
            yield from _marked(section.text).split("\n")
            for rule in section.rules:
                yield f"- {_marked(rule.title)}: {_marked(rule.sentence)} {_marked(rule.why)}"
                for example in rule.examples:
                    yield f"  - {_marked(example)}"
    else:
        raise ValueError(f"{length!r} is no length of house rules; say profile, pinned or page.")


def format_hours(days: Sequence[Day], opens: time, closes: time, words: DayWords) -> str:
    """Days and hours as people write them: ``Monday to Friday, 9am to 5pm``.

    Three days in a row or more are joined with “to”, others are listed with “and” before the last.
    """
    order = list(Day)
    numbers = sorted({order.index(day) for day in days})
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts: list[str] = []
    for run in runs:
        if len(run) >= _DAYS_IN_A_ROW:
            parts.append(f"{words.days[run[0]]} {words.to} {words.days[run[-1]]}")
        else:
            parts.extend(words.days[number] for number in run)
    hours = f"{_clock(opens)} {words.to} {_clock(closes)}"
    return f"{_listed(parts, words.and_)}, {hours}"


@dataclass(frozen=True, slots=True)
class _Making:
    """What one organisation puts in the pack's words."""

    told: PackHouseRules
    profile: Profile

    def order(self, *first: str) -> tuple[str, ...]:
        """Languages to try: ``first``, the one asked for, then the pack's in its own order."""
        return tuple(dict.fromkeys((*first, self.profile.language, *self.told.languages)))

    def put_in(self, language: str) -> dict[str, Text]:
        """What the words in braces stand for within a text in ``language``, in that language.

        What cannot be had in it is marked. What the organisation did not say is left out.
        """
        profile = self.profile
        opens, closes = profile.opening_times()
        words_in = next(each for each in self.order(language) if each in self.told.words)
        words = self.told.words[words_in]
        told = {
            "organisation": self._own("organisation", language),
            "hours": (format_hours(profile.days, opens, closes, words), words_in),
            "zone": (profile.zone, language),
            "promise": self._own("response_promise", language),
            "channels": (_listed(profile.channels, words.and_), words_in),
            "appeal": self._own("appeal_route", language),
            "emergency": self._own("emergency_route", language),
            "review_months": (str(profile.block_review_months), language),
            "rules": (profile.rules_address, language),
        }
        return {
            word: Text(value, told_in, is_fallback=told_in != language)
            for word, (value, told_in) in told.items()
            if value
        }

    def short(self, length: str, most: int) -> Text:
        """The first wording that fits, in the first language that has any."""
        for language in self.order():
            wordings = self.told.short.get(language, {}).get(length, ())
            if not wordings:
                continue
            put_in = self.put_in(language)
            usable = [each for each in wordings if put_in.keys() >= set(_words_in(each))]
            if not usable:
                raise ProfileError("The profile lacks rules_address, the address of the page.")
            filled = [self._filled(each, language, put_in) for each in usable]
            for text in filled:
                if len(text.value) <= most:
                    return text
            raise _too_long(length, most, filled, usable, put_in)
        raise HouseRulesError(f"The house rules have no wording for the {length}.")

    def sections(self) -> Iterator[Section]:
        put_in = {language: self.put_in(language) for language in self.order()}
        for section in self.told.sections:
            listed = self.told.statements(section.holds) if section.holds else ()
            yield Section(
                id=section.id,
                title=self._best(section.texts, "title", put_in),
                text=self._best(section.texts, "text", put_in),
                rules=tuple(self._rule(statement, put_in) for statement in listed),
            )

    def _rule(self, statement: Statement, put_in: Mapping[str, Mapping[str, Text]]) -> HouseRule:
        told_in = [each for each in self.order() if statement.examples.get(each)]
        return HouseRule(
            id=statement.id,
            pack=statement.pack,
            clauses=statement.clauses,
            title=self._best(statement.texts, "title", put_in),
            sentence=self._best(statement.texts, "sentence", put_in),
            why=self._best(statement.texts, "why", put_in),
            examples=tuple(
                self._text(example, language)
                for language in told_in[:1]
                for example in statement.examples[language]
            ),
        )

    def _best(
        self,
        texts: Mapping[str, Mapping[str, str]],
        key: str,
        put_in: Mapping[str, Mapping[str, Text]],
    ) -> Text:
        language = next(each for each in self.order() if key in texts.get(each, {}))
        text = texts[language][key]
        if missing := [word for word in _words_in(text) if word not in put_in[language]]:
            raise ProfileError(f"The profile lacks what the page says of {', '.join(missing)}.")
        return self._filled(text, language, put_in[language])

    def _filled(self, text: str, language: str, put_in: Mapping[str, Text]) -> Text:
        others = [put_in[word].language for word in _words_in(text) if put_in[word].is_fallback]
        # In one go, so that what an organisation says of itself is never read as a word in braces.
        filled = _IN_BRACES.sub(lambda word: put_in[word[1]].value, text)
        if others and language == self.profile.language:
            return Text(filled, others[0], is_fallback=True)
        return self._text(filled, language)

    def _own(self, key: str, language: str) -> tuple[str, str]:
        """What the organisation says of itself: one text for all languages, or one for each."""
        text: OwnWords = getattr(self.profile, key)
        if isinstance(text, str):
            return text, language
        order = self.order(language)
        for each in order:
            if text.get(each):
                return text[each], each
        raise ProfileError(
            f"The profile gives {key} neither in {' nor in '.join(order)}, only in "
            f"{', '.join(text)}."
        )

    def _text(self, value: str, language: str) -> Text:
        return Text(value, language, language != self.profile.language)


def _too_long(
    length: str,
    most: int,
    filled: Sequence[Text],
    wordings: Sequence[str],
    values: Mapping[str, Text],
) -> HouseRulesError:
    size = [len(each.value) for each in filled]
    shortest = size.index(min(size))
    put_in = sorted(set(_words_in(wordings[shortest])), key=lambda word: -len(values[word].value))
    told = ", ".join(f"{word} ({len(values[word].value)} characters)" for word in put_in)
    return HouseRulesError(
        f"The shortest wording of the {length} has {size[shortest]} characters, and {most} fit. "
        f"Say less in the organisation’s profile: {told or 'nothing is put in'}."
    )


def _words_in(text: str) -> list[str]:
    """The words in braces in a text, which were checked when it was read."""
    return _IN_BRACES.findall(text)


def _listed(parts: Sequence[str], and_: str) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} {and_} {parts[-1]}"


def _clock(moment: time) -> str:
    """A time as GOV.UK writes it: 9am, 4:30pm."""
    half = "am" if moment < _NOON else "pm"
    minutes = f":{moment.minute:02}" if moment.minute else ""
    return f"{moment.hour % _NOON.hour or _NOON.hour}{minutes}{half}"


def _marked(text: Text) -> str:
    return f"[{text.language}] {text.value}" if text.is_fallback else text.value
