"""The practice organisation: a body to rehearse with, and the people who can sign in."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import transaction

from folkmoot.desk.accounts import actions as accounts
from folkmoot.desk.guidance import actions as guidance
from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Organisation, Role

from .config import Config

PEOPLE = (
    ("author@practice.example", "Alex Author", (Role.AUTHOR,)),
    (
        "approver@practice.example",
        "Bryn Approver",
        (Role.APPROVER, Role.ADMIN, Role.DUTY, Role.RECORDS),
    ),
    ("duty@practice.example", "Casey Duty", (Role.DUTY, Role.APPROVER, Role.ADMIN)),
    ("records@practice.example", "Robin Records", (Role.RECORDS,)),
)


def signins_file(config: Config) -> Path:
    """Where the practice sign-ins are kept, readable by their owner alone."""
    return config.home / "practice-signins.txt"


@transaction.atomic
def load_practice(config: Config) -> None:
    """Found the practice organisation unless an organisation exists already."""
    if Organisation.objects.exists():
        return
    now = datetime.now(UTC)
    body = people.found_organisation(
        slug="practice",
        name="Department for Practice",
        zone="Europe/London",
        nation="UK",
        introduction="A made-up department that rehearses posting in public.",
        pack="uk-civil-service",
        now=now,
    )
    lines = []
    for email, name, roles in PEOPLE:
        password = typeable_password()
        people.add_member(body, email=email, name=name, roles=roles, password=password, now=now)
        lines.append(f"{roles[0].value}: {email}  {password}")
    accounts.open_own_channel(body, channel="atom", name="Our feed", handle=config.host, now=now)
    accounts.open_own_channel(
        body, channel="practice", name="Practice channel", handle="practice", now=now
    )
    guidance.state_house_profile(
        body,
        days=["monday", "tuesday", "wednesday", "thursday", "friday"],
        hours="09:00-17:00",
        response_promise="within two working days",
        appeal_route="appeals@practice.example",
        emergency_route="call 999",
        block_review_months=12,
        actor=None,
        now=now,
    )
    guidance.state_calendar(body, known_until=now + timedelta(days=180), actor=None, now=now)
    file = signins_file(config)
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


# No letter or digit that looks like another: people type these from a screen.
TYPEABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def typeable_password() -> str:
    """Sixteen random characters in groups of four: 79 bits."""
    return "-".join("".join(secrets.choice(TYPEABLE) for _ in range(4)) for _ in range(4))
