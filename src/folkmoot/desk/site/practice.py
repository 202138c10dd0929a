"""The practice organisation: a body to rehearse with, and two people who can sign in."""

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
    ("approver@practice.example", "Bryn Approver", (Role.APPROVER, Role.ADMIN)),
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
        slug="practice", name="Department for Practice", zone="Europe/London", nation="UK",
        introduction="A made-up department that rehearses posting in public.",
        pack="uk-civil-service", now=now)
    lines = []
    for email, name, roles in PEOPLE:
        password = "-".join(secrets.choice(WORDS) for _ in range(4))
        people.add_member(body, email=email, name=name, roles=roles, password=password, now=now)
        lines.append(f"{roles[0].value}: {email}  {password}")
    accounts.open_own_channel(body, channel="atom", name="Our feed", handle=config.host, now=now)
    accounts.open_own_channel(body, channel="practice", name="Practice channel",
                              handle="practice", now=now)
    guidance.state_calendar(body, known_until=now + timedelta(days=180), actor=None, now=now)
    file = signins_file(config)
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


# Short, common, distinct words: four of these are a password one can type from a screen. 256 words
# give 32 bits, and sign-in is rate-limited; it is a rehearsal, and says so.
WORDS = tuple("""
acorn adder alder amber anvil apple apron arrow aspen attic badge bagel baker barge basil basin
beach beans berry birch bison blade bloom board bonus booth brass bread brick bride brook broom
brush bugle cabin cable camel candy canoe cargo carol cedar chair chalk charm chess chest chief
cider cigar civic clamp clerk cliff cloak clock cloud clove coach coast cobra cocoa comet coral
couch court crane crate cream creek crown crumb crust cubic curry daisy dance delta diary diner
ditch dough dozen draft drain drama dream dress drift drill drink drum eagle earth easel elbow
elder ember entry equal essay event fable fairy feast fence ferry fiber field flame flask fleet
flint flock flora flour flute forge forum frame frost fruit gable gauge ghost giant glade glass
globe glove grain grape grass gravy green grove guard guest guide habit hazel heart hedge heron
hinge hobby honey horse hotel house igloo index inlet ivory jelly jewel juice kayak kettle kiosk
knife knoll label ladle lance larch latch laurel ledge lemon lever lilac linen lodge lotus lunar
maple march marsh mason match medal melon merit metal mint model moose motor mound mouse music
nacho niece night north novel nurse ocean olive onion opera orbit organ otter oxide panda paper
party pasta patch peach pearl pedal penny piano pilot plank plant plaza plum poppy porch pound
press prism prize pupil quail quest quilt quota radar radio raven reef relay ridge river robin
rodeo royal rugby ruler salad sauce scarf scone scout shade sheep shell shelf shore siren skate
""".split())
