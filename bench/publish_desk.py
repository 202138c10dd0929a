"""A desk of its own with many posts due, in a process of its own: for :mod:`bench.publish`.

``python -m bench.publish_desk WHAT COUNT`` prints one JSON object. ``FOLKMOOT_DATABASE`` chooses
the database. The channel is the feed on the desk's own tables: what is measured is the desk, not
a network.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

BATCH = 500
WORDS = "The library in Mill Road opens again on Monday at 9am. Everyone is welcome, number {}."


def set_up(home: Path) -> None:
    """Django, and an empty database."""
    os.environ["FOLKMOOT_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "folkmoot.desk.site.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def found_body() -> tuple[object, object, object]:
    """An organisation, and the accounts that posts go to: the feed and the practice channel."""
    from folkmoot.desk.accounts import actions as accounts
    from folkmoot.desk.guidance import actions as guidance
    from folkmoot.desk.people import actions as people
    from folkmoot.desk.people.queries import Role

    now = datetime.now(UTC)
    body = people.found_organisation(
        slug="bench",
        name="Bench Council",
        introduction="",
        zone="Europe/London",
        nation="UK",
        pack="uk-civil-service",
        now=now,
    )
    guidance.state_calendar(body, known_until=now + timedelta(days=300), actor=None, now=now)
    for name, role in (("author", Role.AUTHOR), ("approver", Role.APPROVER)):
        people.add_member(
            body,
            email=f"{name}@bench.example",
            name=name,
            roles=(role,),
            password="correct horse battery",  # noqa: S106 - nobody signs in
            now=now,
        )
    own = [
        accounts.open_own_channel(body, channel=channel, name=channel, handle=handle, now=now)
        for channel, handle in (("atom", "bench.example"), ("practice", "practice"))
    ]
    return body, own[0], own[1]


def make_signed(body: object, account: object, times: list[datetime]) -> None:
    """One signed post for each time, as writing and signing it would have left it."""
    from folkmoot.desk.drafts.content import Content, check_content, content_digest
    from folkmoot.desk.drafts.models import Draft, Signoff, Version

    now = datetime.now(UTC)
    report = check_content(Content(WORDS.format(0), (account.pk,)), body, role="author", now=now)
    answers = {question["id"]: question["proceed"] for question in report["questions"]}
    for start in range(0, len(times), BATCH):
        some = times[start : start + BATCH]
        drafts = Draft.objects.bulk_create(
            Draft(
                organisation=body,
                author="author",
                state="signed",
                version_number=1,
                due_at=due,
                made_at=now,
                changed_at=now,
            )
            for due in some
        )
        versions = []
        for number, (draft, due) in enumerate(zip(drafts, some, strict=True), start):
            content = Content(
                WORDS.format(number), (account.pk,), due_at=due, window_minutes=60, answers=answers
            )
            fresh = check_content(content, body, role="author", now=now)
            versions.append(
                Version(
                    draft=draft,
                    number=1,
                    by="author",
                    at=now,
                    text=content.text,
                    language="en",
                    capacity="official",
                    accounts=[account.pk],
                    pictures=[],
                    due_at=due,
                    window_minutes=60,
                    pack=str(fresh["pack"]),
                    report=fresh,
                    answers=answers,
                    digest=content_digest(content, fresh, draft, 1),
                )
            )
        Version.objects.bulk_create(versions)
        Signoff.objects.bulk_create(
            Signoff(
                draft=version.draft,
                version_number=1,
                digest=version.digest,
                decision="signed",
                author="author",
                by="approver",
                at=now,
            )
            for version in versions
        )


def work_until(count: int, seconds: float) -> float:
    """Run the worker's loop until ``count`` deliveries are sent; the seconds it took."""
    from folkmoot.desk.publishing.models import Delivery
    from folkmoot.desk.site import worker

    stop = threading.Event()
    thread = threading.Thread(target=worker.work_until_stopped, args=(stop,))
    began = time.perf_counter()
    thread.start()
    try:
        while time.perf_counter() - began < seconds:
            if Delivery.objects.filter(state="sent").count() >= count:
                return time.perf_counter() - began
            time.sleep(0.05)
        raise SystemExit(f"Not sent within {seconds} seconds.")
    finally:
        stop.set()
        thread.join()


def burst(count: int) -> dict[str, float]:
    """So many posts due at once."""
    body, feed, _ = found_body()
    now = datetime.now(UTC)
    make_signed(body, feed, [now - timedelta(seconds=1)] * count)
    return {"per_second": count / work_until(count, 3000)}


def minute(count: int) -> dict[str, float]:
    """So many posts due within one minute, evenly: how late each was, in seconds."""
    from folkmoot.desk.publishing.models import Attempt

    body, feed, _ = found_body()
    begin = datetime.now(UTC) + timedelta(seconds=3)
    make_signed(body, feed, [begin + timedelta(seconds=60 * n / count) for n in range(count)])
    work_until(count, 300)
    late = sorted(
        (ended - due).total_seconds()
        for ended, due in Attempt.objects.filter(what="send").values_list(
            "ended_at", "delivery__due_at"
        )
    )
    return {"p50": late[len(late) // 2], "p99": late[int(len(late) * 0.99)], "most": late[-1]}


def stop(count: int) -> dict[str, float]:
    """From the press of the kill switch until it is known to be in force, while the desk sends."""
    from folkmoot.desk.publishing import stopping
    from folkmoot.desk.publishing.models import Attempt
    from folkmoot.desk.site import worker
    from folkmoot.desk.stops.queries import StopKind

    body, feed, _ = found_body()
    make_signed(body, feed, [datetime.now(UTC) - timedelta(seconds=1)] * 2000)
    ending = threading.Event()
    thread = threading.Thread(target=worker.work_until_stopped, args=(ending,))
    thread.start()
    waits, after = [], 0
    try:
        while Attempt.objects.filter(what="send").count() < 20:  # noqa: PLR2004 - it is under way
            time.sleep(0.01)
        for number in range(count):
            began = time.perf_counter()
            pressed = stopping.press(
                body,
                reason=f"Try {number}.",
                now=datetime.now(UTC),
                member=None,
                kind=StopKind.STOP,
            )
            while not stopping.acknowledge(pressed, worker.utc_now):
                time.sleep(0.001)
            waits.append(time.perf_counter() - began)
            sent = Attempt.objects.filter(what="send").count()
            time.sleep(0.2)
            after += Attempt.objects.filter(what="send").count() - sent
            pressed.state = "lifted"
            pressed.save(update_fields=["state"])
            time.sleep(0.3)
    finally:
        ending.set()
        thread.join()
    return {"p50": sorted(waits)[len(waits) // 2], "most": max(waits), "left_after": after}


def plain(count: int) -> dict[str, float]:
    """The method of a plain scheduler on the same tables: take a row, send, mark it; no lease, no
    last look, no record, no read-back.
    """
    from django.db import transaction

    from folkmoot.desk.accounts import queries as accounts
    from folkmoot.desk.drafts.models import Draft
    from folkmoot.desk.drafts.queries import get_version, make_rendition

    body, feed, _ = found_body()
    make_signed(body, feed, [datetime.now(UTC) - timedelta(seconds=1)] * count)
    adapter = accounts.open_adapter(feed)
    began = time.perf_counter()
    for draft in Draft.objects.filter(state="signed").order_by("due_at")[:count]:
        with transaction.atomic():
            Draft.objects.filter(pk=draft.pk).update(state="publishing")
        version = get_version(draft)
        rendition = make_rendition(
            version.text, (), "en", adapter.capabilities(), organisation_id=body.pk
        )
        key = adapter.make_key(str(draft.pk), draft.due_at)
        adapter.send(adapter.prepare(rendition, key=key, at=draft.due_at))
        with transaction.atomic():
            Draft.objects.filter(pk=draft.pk).update(state="published")
    return {"per_second": count / (time.perf_counter() - began)}


def main(what: str, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        set_up(Path(folder))
        print(
            json.dumps(
                {"burst": burst, "minute": minute, "stop": stop, "plain": plain}[what](count)
            )
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
