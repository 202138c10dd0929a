"""A database from before columns were sealed keeps all its rooms held, and keeps it sealed.

In a process and a database of its own, for it is made anew twice over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from contextlib import contextmanager

import pytest
from django.db import connection

SCRIPT = r"""
import hashlib, json, os, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
import django
django.setup()
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("drafts", "0003_slots_and_series"), ("publishing", "0002_watch_and_removals"),
          ("accounts", "0002_two_people"), ("mailing", "0001_initial"),
          ("notices", "0001_what_needs_a_person"), ("stops", "0001_initial"),
          ("people", "0001_initial"), ("guidance", "0002_period_stops"),
          ("records", "0005_seat_belt")]
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MARK = "qzxoldmarkvkw"
executor = MigrationExecutor(connection)
executor.migrate(BEFORE)
old = executor.loader.project_state(BEFORE).apps

def make(label, **columns):
    return old.get_model(label).objects.create(**columns)

body = make("people.Organisation", slug="moot", name="Mootshire")
ann = make("people.Member", organisation=body, email="ann@moot.example", name="Ann " + MARK,
           roles=["author"], password=make_password("correct horse battery"))
feed = make("accounts.Account", organisation=body, channel="atom", name="Feed", handle="h",
            state="connected", connected_at=NOW, trouble=MARK)
make("accounts.Trouble", account=feed, at=NOW, sentence=MARK)
post = make("drafts.Draft", organisation=body, author=ann.ref, made_at=NOW, changed_at=NOW)
shown = b"\x89PNG the picture " + MARK.encode()
sha = hashlib.sha256(shown).hexdigest()
plain = Path(settings.MEDIA_ROOT) / sha[:2] / (sha + ".png")
plain.parent.mkdir(parents=True)
plain.write_bytes(shown)
make("drafts.Picture", organisation=body, sha256=sha, media_type="image/png", size_bytes=1,
     width=1, height=1, name="", added_by=ann.ref, added_at=NOW)
make("drafts.Version", draft=post, number=1, by=ann.ref, at=NOW, text=MARK + " Ŵ", language="en",
     capacity="official", accounts=[feed.pk], pictures=[{"sha256": sha, "alt": MARK}],
     window_minutes=15, topic=MARK, pack="p", report={"verdict": MARK}, answers={},
     facts={"who": MARK}, digest="d")
make("drafts.Signoff", draft=post, version_number=1, digest="d", decision="sent_back",
     reason=MARK, accepted=[{"reason": MARK}], author=ann.ref, by="bob", at=NOW)
series = make("drafts.Series", organisation=body, author=ann.ref, source=post, version_number=1,
              every="week", clock="09:00", zone="Europe/London", from_on=NOW.date(), made_at=NOW)
make("drafts.Occurrence", series=series, wall="2026-11-20T09:00", note=MARK)
sent = make("publishing.Delivery", draft=post, account=feed, version_number=1, digest="d",
            due_at=NOW, not_after=NOW, next_try_at=NOW, key="k-1", memo=MARK,
            request=MARK.encode(), trouble=MARK, read_back_note=MARK)
unsent = make("publishing.Delivery", draft=post, account=feed, version_number=2, digest="d",
              due_at=NOW, not_after=NOW, next_try_at=NOW, key="k-2")
make("publishing.Attempt", delivery=sent, number=1, what="send", started_at=NOW, detail=MARK)
make("publishing.Ahead", draft=post, version_number=1, account=feed, memo=MARK, trouble=MARK,
     next_try_at=NOW)
make("publishing.Watch", account=feed, since_at=NOW, next_look_at=NOW, trouble=MARK)
for number in (1, 2):
    make("publishing.Alarm", account=feed, kind="unsigned", remote_id=f"x{number}",
         url="https://p/" + MARK, text=MARK, note=MARK, seen_at=NOW)
make("publishing.Alarm", account=feed, kind="changed", delivery=sent, remote_id="y", text=MARK,
     seen_at=NOW)
for key in ("k-1", "k-1-removed", "k-9"):
    make("accounts.ShelfItem", account=feed, key=key, record=MARK.encode(), at=NOW)
mails = make("accounts.Account", organisation=body, channel="email", name="Mail", handle="m",
             state="connected", connected_at=NOW, confirmed_by="x", connected_by="y")
make("publishing.Delivery", draft=post, account=mails, version_number=1, digest="d",
     due_at=NOW, not_after=NOW, next_try_at=NOW, key="m-1")
group = make("mailing.MailingList", account=mails, organisation=body, opened_at=NOW, trouble=MARK)
bea = make("mailing.Subscriber", mailing_list=group, address=MARK + "@b.example", mark="m",
           asked_at=NOW, note=MARK)
make("mailing.Subscriber", mailing_list=group, address="", state="left", asked_at=NOW)
make("mailing.Signing", account=mails, key="m-1", topic=MARK)
for key in ("m-1", "m-9"):
    issue = make("mailing.Issue", mailing_list=group, key=key, record=MARK.encode(), at=NOW,
                 not_after=NOW, topic=MARK)
make("mailing.Mail", mailing_list=group, issue=issue, subscriber=bea, reference="r",
     not_after=NOW, trouble=MARK)
target = make("notices.Target", organisation=body, ref="t" * 32, kind="email",
              name=MARK + "@n.example", address=MARK + "@n.example", made_by="x", made_at=NOW,
              trouble=MARK)
make("notices.Telling", target=target, kind="need", urgency="now", what=MARK, do=MARK,
     address="", next_try_at=NOW, made_at=NOW, trouble=MARK)
make("stops.Stop", organisation=body, scope="topic", target=MARK, topic=MARK, reason=MARK,
     lifted_reason=MARK, pressed_at=NOW)

executor = MigrationExecutor(connection)
executor.migrate(executor.loader.graph.leaf_nodes())

from django.apps import apps
from folkmoot.desk.drafts.pictures import read_picture
from folkmoot.desk.people.models import Member
from folkmoot.desk.records import columns
from folkmoot.desk.records.models import SubjectKey

def everything():
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row):
                    held = bytes(value) if isinstance(value, (bytes, memoryview)) else value
                    if MARK in str(held):
                        yield f"{table}.{name}"

def opened():
    for column in columns.sealed_columns():
        for row in column.model._base_manager.order_by("pk"):
            value = getattr(row, column.name)
            if value in (None, "", b"", [], {}):
                continue
            value = value.decode() if isinstance(value, bytes) else value
            (one,) = column.model._base_manager.filter(pk=row.pk).annotate(
                raw=columns.models.functions.Cast(column.name, columns.models.TextField())
            ).values_list("raw", flat=True)
            subject = SubjectKey.objects.get(pk=int(one.split(".")[1])).subject
            yield f"{column.model._meta.label_lower}.{column.name}", subject, row.sealed_for, value

found = Member.objects.find_by_email("ANN@moot.example")
new = list(Path(settings.MEDIA_ROOT).rglob("*.sealed"))
print(json.dumps({
    "left": sorted(set(everything())), "opened": list(opened()), "mark": MARK,
    "member": [found.name, found.check_password("correct horse battery")],
    "picture": read_picture(body.pk, sha, "image/png").decode("latin-1"),
    "files": [len(new), plain.exists(), MARK.encode() in new[0].read_bytes()],
    "empty": [unsent.pk, apps.get_model("publishing.Delivery").objects.get(pk=unsent.pk).request],
}))
"""


@contextmanager
def own_database(tmp_path):
    """A database of the kind that these tests run on, with nothing in it."""
    if connection.vendor != "postgresql":
        yield f"sqlite:///{tmp_path / 'old.sqlite3'}"
        return
    name = f"upgrade_{uuid.uuid4().hex[:12]}"
    given = connection.settings_dict
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield (
            f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{name}"
        )
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.django_db(transaction=True)
def test_plain_columns_are_sealed_when_the_database_is_brought_up_to_date(tmp_path):
    with own_database(tmp_path) as database:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={
                **os.environ,
                "FOLKMOOT_HOME": str(tmp_path),
                "FOLKMOOT_DATABASE": database,
                "DJANGO_SETTINGS_MODULE": "folkmoot.desk.site.settings",
            },
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    mark = told["mark"]
    assert told["left"] == []
    values = [(where, subject, value) for where, subject, _, value in told["opened"]]
    assert all(
        mark in json.dumps(value)
        for where, _, value in values
        if "email" not in where and where != "drafts.picture.name"
    )
    assert all(subject == expected for _, subject, expected, _ in told["opened"])
    assert ("drafts.version.text", "post/1", f"{mark} Ŵ") in values
    assert ("drafts.version.report", "post/1", {"verdict": mark}) in values
    assert ("publishing.delivery.request", "post/1", mark) in values
    subjects = [subject for where, subject, _ in values if where == "accounts.shelfitem.record"]
    assert subjects == ["post/1", "post/1", "account/1"]
    subjects = [subject for where, subject, _ in values if where == "mailing.issue.record"]
    assert subjects == ["post/1", "issue/m-9"]
    alarms = [subject for where, subject, _ in values if where == "publishing.alarm.text"]
    assert alarms[2] == "post/1"
    assert len(set(alarms)) == 3
    # Every column that is sealed now had a row to be sealed.
    assert len({where for where, _, _ in values}) >= 37
    assert told["member"] == [f"Ann {mark}", True]
    assert told["picture"].endswith(f"the picture {mark}")
    assert told["files"] == [1, False, False]
    assert told["empty"][1] is None
