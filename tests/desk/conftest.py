"""The cast: Alice writes, Bob signs, Carol does both, Dan is admin; Mallory is of another body."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, TransactionTestCase

from folkmoot.desk.accounts import actions as account_actions
from folkmoot.desk.drafts.content import Content, check_content
from folkmoot.desk.guidance import actions as guidance_actions
from folkmoot.desk.people import actions as people_actions
from folkmoot.desk.people.queries import Role
from folkmoot.desk.records import seatbelt

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FINE = "The library in Mill Road opens again on Monday at 9am. Everyone is welcome."

_empty_tables = TransactionTestCase._fixture_teardown


def _empty_tables_as_their_owner(case):
    """The record refuses to be emptied; after a test that commits it is, as its owner could."""
    with seatbelt.lifted():
        _empty_tables(case)


TransactionTestCase._fixture_teardown = _empty_tables_as_their_owner


@dataclass
class Clock:
    """A clock the test winds."""

    now: datetime = START

    def __call__(self):
        return self.now

    def pass_(self, **amount):
        self.now += timedelta(**amount)
        return self.now


@dataclass
class Cast:
    body: object
    other: object
    alice: object
    bob: object
    carol: object
    dan: object
    fay: object
    gus: object
    mallory: object
    feed: object
    practice: object
    clock: Clock = field(default_factory=Clock)

    def content(self, text=FINE, *, accounts=None, **more):
        """A post with every question answered as it must be."""
        accounts = (self.feed.pk,) if accounts is None else tuple(a.pk for a in accounts)
        content = Content(text, accounts, **more)
        report = check_content(content, self.body, role="author", now=self.clock())
        if "answers" in more or "failed" in report:
            return content
        answers = {q["id"]: q["proceed"] for q in report["questions"]}
        return Content(text, accounts, **{**more, "answers": answers})

    def client(self, member=None):
        client = Client()
        if member is not None:
            client.force_login(member)
        return client


@pytest.fixture
def cast(db, monkeypatch):
    """Two bodies; the first has a feed and a practice channel and has stated its calendar."""
    clock = Clock()
    monkeypatch.setattr("folkmoot.desk.drafts.views._now", clock)
    monkeypatch.setattr("folkmoot.desk.drafts.calendar._now", clock)
    made = {}
    for slug, name in (("moot", "Mootshire Council"), ("other", "Elsewhere Council")):
        made[slug] = people_actions.found_organisation(
            slug=slug,
            name=name,
            introduction="",
            zone="Europe/London",
            nation="UK",
            pack="uk-civil-service",
            now=clock(),
        )

    def member(body, name, *roles):
        return people_actions.add_member(
            made[body],
            email=f"{name}@{body}.example",
            name=name.capitalize(),
            roles=roles,
            password="correct horse battery",
            now=clock(),
        )

    guidance_actions.state_calendar(
        made["moot"], known_until=clock() + timedelta(days=400), actor=None, now=clock()
    )
    return Cast(
        body=made["moot"],
        other=made["other"],
        alice=member("moot", "alice", Role.AUTHOR),
        bob=member("moot", "bob", Role.APPROVER),
        carol=member("moot", "carol", Role.AUTHOR, Role.APPROVER),
        dan=member("moot", "dan", Role.ADMIN),
        fay=member("moot", "fay", Role.RECORDS),
        gus=member("moot", "gus", Role.RECORDS),
        mallory=member("other", "mallory", Role.AUTHOR, Role.APPROVER, Role.ADMIN),
        feed=account_actions.open_own_channel(
            made["moot"], channel="atom", name="Our feed", handle="testserver", now=clock()
        ),
        practice=account_actions.open_own_channel(
            made["moot"],
            channel="practice",
            name="Practice channel",
            handle="practice",
            now=clock(),
        ),
        clock=clock,
    )


@pytest.fixture(autouse=True)
def fresh_home(tmp_path, monkeypatch):
    """Pictures and the signer's memory do not outlive a test: its database does not either."""
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "pictures")
    (settings.CONFIG.home / "ledger.checkpoint").unlink(missing_ok=True)
    (settings.CONFIG.home / "ledger.checkpoint.lock").unlink(missing_ok=True)
    settings.CONFIG.key_file("installation").unlink(missing_ok=True)
    cache.clear()  # who signed in how often
