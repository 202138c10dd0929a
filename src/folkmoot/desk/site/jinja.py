"""Jinja for every page: each room's templates, and the design system's macros."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader

from folkmoot.desk.guidance.queries import EVIDENCE_WORDS, render_markdown
from folkmoot.desk.people.queries import Organisation
from folkmoot.guidance import Evidence
from folkmoot.lifecycle import words


def environment(**options: Any) -> Environment:
    """The environment Django's Jinja backend asks for."""
    options["loader"] = ChoiceLoader(
        [
            FileSystemLoader([settings.DESK / room / "templates" for room in settings.ROOMS]),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    options |= {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    # The design system's macros lean on missing parameters being nothing, so undefined stays lax.
    env = Environment(**options)  # noqa: S701  # autoescape is set above
    env.globals.update(static=static, url=url, evidence_words=evidence_words)
    env.filters.update(
        words=words, moment=moment, instant=datetime.fromisoformat, markdown=render_markdown
    )
    return env


def url(name: str, /, **kwargs: object) -> str:
    """The address of a page by its name."""
    return reverse(name, kwargs=kwargs or None)


def evidence_words(mark: str) -> str:
    """An evidence mark as people read it."""
    return EVIDENCE_WORDS[Evidence(mark)]


def moment(at: datetime, organisation: Organisation) -> str:
    """A time in the organisation's zone, the day named: ``Friday 20 November 2026 at 17:55``."""
    local = at.astimezone(organisation.timezone)
    return f"{local:%A} {local.day} {local:%B %Y} at {local:%H:%M}"
