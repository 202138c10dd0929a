"""Reads of the guidance room: packs, checkers and the calendar."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from html import escape

from django.conf import settings
from django.urls import reverse
from markdown_it import MarkdownIt
from markupsafe import Markup

from folkmoot.check import Checker, CheckError, Fact, Question
from folkmoot.desk.people.queries import Organisation
from folkmoot.guidance import (
    Clause,
    Day,
    Evidence,
    GuidanceError,
    HouseRules,
    Pack,
    Profile,
    UnknownPack,
    Version,
    available_packs,
    list_versions,
    load_pack,
    make_house_rules,
)

from .models import Calendar, HouseProfile, Period

log = logging.getLogger(__name__)

EVIDENCE_WORDS = {
    Evidence.SEEN_IN_FULL: "read in full",
    Evidence.SEEN_IN_PART: "read in part",
    Evidence.REPORTED: "reported by others",
    Evidence.UNVERIFIED: "not verified",
}

# Raw HTML in a pack is shown as text: packs come from other bodies.
_markdown = MarkdownIt("commonmark", {"html": False})


@lru_cache(maxsize=16)
def get_pack(name: str) -> Pack:
    """An installed pack by its id, or by id and version. Raises ``UnknownPack``, ``PackError``.

    The name may come from anyone's address bar: it is never taken for a folder.
    """
    installed = available_packs()
    if name.partition("@")[0] not in installed:
        raise UnknownPack(name, installed)
    return load_pack(name)


def find_pack(name: str) -> Pack | None:
    """An installed pack, or ``None``, and a line in the log, where it cannot be read."""
    try:
        return get_pack(name)
    except GuidanceError:
        log.exception("The pack %s cannot be read", name)
        return None


@lru_cache(maxsize=16)
def get_checker(pack: str) -> Checker:
    """The compiled checker of a pack. Raises what loading the pack or its rules raises."""
    return Checker(get_pack(pack))


def find_facts(organisation: Organisation) -> Mapping[str, Fact]:
    """The facts an author may supply, by name; none where the pack cannot be used."""
    try:
        return get_checker(organisation.pack).vocabulary.facts
    except (CheckError, GuidanceError):
        return {}  # the check says so itself, as a check that failed


def find_roles(organisation: Organisation) -> Mapping[str, str]:
    """Who may clear a finding, by role, and the words for them; none where the pack is broken."""
    try:
        return get_checker(organisation.pack).vocabulary.roles
    except (CheckError, GuidanceError):
        return {}  # the check says so itself, as a check that failed


def list_questions(pack: str) -> tuple[Question, ...]:
    """What only a person can judge under a pack; none where its rules cannot be used."""
    try:
        return get_checker(pack).questions
    except (CheckError, GuidanceError):
        return ()  # the check says so itself, as a check that failed


def list_packs() -> list[Pack]:
    """Every installed pack, by title."""
    return sorted((get_pack(name) for name in available_packs()), key=lambda pack: pack.title)


@lru_cache(maxsize=16)
def list_pack_versions(pack_id: str) -> tuple[Version, ...]:
    """Every version of a pack that is at hand, newest first."""
    return list_versions(pack_id)


def clauses_by_group(clauses: Iterable[Clause]) -> dict[str, list[Clause]]:
    """Clauses under their headings, both in the order given."""
    groups: dict[str, list[Clause]] = {}
    for clause in clauses:
        groups.setdefault(clause.group, []).append(clause)
    return groups


def render_markdown(text: str) -> Markup:
    """A clause's Markdown as safe HTML with the classes of the design system."""
    html = _markdown.render(text) if text else escape(text)
    for tag, css in (
        ("p", "govuk-body"),
        ("ul", "govuk-list govuk-list--bullet"),
        ("ol", "govuk-list govuk-list--number"),
        ("a", "govuk-link"),
        ("h3", "govuk-heading-s"),
        ("h4", "govuk-heading-s"),
    ):
        html = html.replace(f"<{tag}>", f'<{tag} class="{css}">')
        html = html.replace(f"<{tag} href", f'<{tag} class="{css}" href')
    return Markup(html)  # noqa: S704  # markdown-it has escaped everything it did not make


def find_periods(organisation: Organisation, moment: datetime) -> frozenset[str] | None:
    """The kinds of special period in force at a moment; ``None`` where nobody has said."""
    kinds = frozenset(
        Period.objects.filter(
            organisation=organisation,
            starts_at__lte=moment,
            ends_at__gte=moment,
        ).values_list("kind", flat=True)
    )
    if kinds:
        return kinds
    calendar = Calendar.objects.filter(organisation=organisation).first()
    return frozenset() if calendar and moment <= calendar.known_until else None


def list_periods(organisation: Organisation) -> list[Period]:
    """The organisation's periods, the latest first."""
    return list(Period.objects.filter(organisation=organisation).order_by("-starts_at"))


def list_stopping(now: datetime) -> list[Period]:
    """Periods of every organisation that stop publishing and have begun and not ended."""
    return list(
        Period.objects.filter(stops=True, starts_at__lte=now, ends_at__gt=now).select_related(
            "organisation"
        )
    )


def find_known_until(organisation: Organisation) -> datetime | None:
    """How far ahead the organisation has said which periods apply."""
    calendar = Calendar.objects.filter(organisation=organisation).first()
    return calendar.known_until if calendar else None


def find_house_profile(organisation: Organisation) -> HouseProfile | None:
    """What the organisation says of itself in its house rules, once an admin has said it."""
    return HouseProfile.objects.filter(organisation=organisation).first()


def find_house_rules(
    organisation: Organisation, row: HouseProfile | None = None
) -> HouseRules | None:
    """The organisation's house rules; ``None`` until an admin has said what they say of it.

    ``row`` is a profile to try before it is kept. Raises ``GuidanceError`` where pack and profile
    do not make complete ones.
    """
    row = row or find_house_profile(organisation)
    if row is None:
        return None
    profile = Profile(
        organisation=organisation.name,
        days=tuple(Day(day) for day in row.days),
        hours=row.hours,
        zone=organisation.zone,
        response_promise=row.response_promise,
        channels=("social media",),  # which accounts there are is on the front page
        appeal_route=row.appeal_route,
        emergency_route=row.emergency_route,
        block_review_months=row.block_review_months,
        language=organisation.language,
        rules_address=settings.CONFIG.address + reverse("house_rules"),
    )
    return make_house_rules(get_pack(organisation.pack), profile)
