"""A desk in a process of its own, for the hunt: ``python retention_hunt.py STAGE [ARGUMENT]``.

``fill`` leaves a marker by every route a name can take, and things that are to stay. ``agree``
searches all markers and has two people agree to erase them. ``work`` does what the worker does;
with an argument ``before:NAME`` or ``after:NAME`` the process kills itself there. ``tell`` prints
what can be read, every proof, and the keys, as JSON.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folkmoot.desk.site.settings")
sys.path.insert(0, str(Path(__file__).parent))

ROUTES = (
    "draft", "alt", "reason", "alarm", "url", "member", "email", "subscriber", "hold", "reference",
    "stop", "target", "note", "picture", "requester", "words", "bag",
)  # fmt: skip
MARKERS = {route: f"qzx{route}vkw" for route in ROUTES}
STAYS = "The bridge in Mill Road is closed."


def main(stage, argument=""):
    import django

    django.setup()
    {"fill": fill, "agree": agree, "work": work, "tell": tell}[stage](argument)


def fill(_argument):  # noqa: PLR0915 - one route after another
    from django.core.management import call_command
    from django.db import transaction

    call_command("migrate", verbosity=0, interactive=False)
    import desk_moves as moves
    import mailing_moves
    import releases_moves
    import retention_moves as keeping

    import conftest
    from folkmoot.desk.accounts import actions as accounts
    from folkmoot.desk.drafts import actions as drafts
    from folkmoot.desk.guidance import actions as guidance
    from folkmoot.desk.mailing import actions as mailing
    from folkmoot.desk.notices import actions as notices
    from folkmoot.desk.notices.queries import TargetKind, Urgency
    from folkmoot.desk.people import actions as people
    from folkmoot.desk.people.queries import Role
    from folkmoot.desk.publishing import actions as publishing
    from folkmoot.desk.publishing import watching
    from folkmoot.desk.publishing.models import Alarm, Watch
    from folkmoot.desk.records import actions as records
    from folkmoot.desk.releases import actions as releases
    from folkmoot.desk.releases.scope import Scope
    from folkmoot.desk.retention import actions
    from folkmoot.desk.retention.models import Hold
    from folkmoot.desk.stops import actions as stops

    clock = conftest.Clock(datetime.now(UTC) - timedelta(days=2))

    def found(slug):
        return people.found_organisation(
            slug=slug, name="Mootshire", introduction="", zone="Europe/London", nation="UK",
            pack="uk-civil-service", now=clock(),
        )  # fmt: skip

    body = found("moot")

    def member(name, *roles, email=""):
        return people.add_member(
            body, email=email or f"{name}@moot.example", name=name, roles=roles,
            password="correct horse battery", now=clock(),
        )  # fmt: skip

    guidance.state_calendar(
        body, known_until=clock() + timedelta(days=400), actor=None, now=clock()
    )

    def own(channel, name, handle):
        return accounts.open_own_channel(
            body, channel=channel, name=name, handle=handle, now=clock()
        )

    cast = conftest.Cast(
        body=body,
        other=None,
        alice=member("alice", Role.AUTHOR),
        bob=member("bob", Role.APPROVER),
        carol=None,
        dan=member("dan", Role.ADMIN),
        fay=member("fay", Role.RECORDS),
        gus=member("gus", Role.RECORDS),
        mallory=None,
        feed=own("atom", "Our feed", "feed.example"),
        practice=own("practice", "Practice channel", "practice"),
        clock=clock,
    )
    member(MARKERS["member"], Role.AUTHOR, email=f"{MARKERS['email']}@moot.example")
    picture = drafts.add_picture(
        cast.alice, moves.picture_file(), size_bytes=1, name=f"{MARKERS['picture']}.png",
        alt=f"A face: {MARKERS['alt']}", now=clock(),
    )  # fmt: skip
    moves.signed(cast, cast.content(f"{MARKERS['draft']} spoke.", pictures=(picture,)))
    moves.signed(cast, cast.content(STAYS))
    sent_back = moves.awaiting(cast, cast.content("Sent back."))
    drafts.send_back(
        cast.bob, sent_back.pk, reason=f"{MARKERS['reason']} rang.",
        digest_seen=moves.digest_of(sent_back), now=clock(),
    )  # fmt: skip
    moves.work(cast, times=6)
    watch = Watch.objects.get(account=cast.feed)
    stranger = watching.Seen(
        "stranger/1", f"https://p.example/{MARKERS['url']}", f"{MARKERS['alarm']} here", clock()
    )
    watching._raise(watch, "unsigned", stranger, clock())
    alarm = Alarm.objects.get(kind="unsigned")
    publishing.work(clock)
    from folkmoot.desk.publishing import deciding

    deciding.close_alarm(cast.bob, alarm.pk, note=f"It was {MARKERS['note']}", now=clock())
    with transaction.atomic():
        mailing.open_list(body, cast.feed.pk, now=clock())
    mailing_moves.joined(cast, f"{MARKERS['subscriber']}@a.example")
    records.sequence(clock())
    actions.place_hold(
        cast.dan,
        actions.Scope(
            actions.HoldScope.CLASS, record_class="guidance", since_on=date(2040, 1, 1)
        ),
        reason=f"A claim by {MARKERS['hold']}", reference=MARKERS["reference"], now=clock(),
    )  # fmt: skip
    stop = stops.press(body, reason=f"{MARKERS['stop']} said so", now=clock(), member=cast.bob)
    stops.lift(cast.bob, stop.pk, reason="Over.", now=clock())
    notices.add_target(
        cast.dan, kind=TargetKind.EMAIL, name="", address=f"{MARKERS['target']}@moot.example",
        urgencies=[Urgency.NOW], quiet=None, now=clock(),
    )  # fmt: skip
    request = releases_moves.received(
        cast,
        requester=f"{MARKERS['requester']} of Mill Road",
        words=f"What have you on {MARKERS['words']}?",
        scope=Scope(),
    )
    # What somebody asked for is held; here the request is over, and two let it go.
    releases.withdraw(cast.fay, request.ref, reason="Answered by telephone.", now=clock())
    for hold in Hold.objects.filter(scope="request"):
        keeping.release(cast, hold)
    # A bag with everything so far, which lies here, sealed.
    bag = releases_moves.ready(cast, title=f"All on {MARKERS['bag']}", scope=Scope())
    assert bag.state == "ready", bag.state
    records.sequence(datetime.now(UTC))


def agree(_argument):
    from folkmoot.desk.people.models import Member
    from folkmoot.desk.records import actions as records
    from folkmoot.desk.retention import actions, queries
    from folkmoot.desk.retention.grounds import Ground

    by = {str(one.name): one for one in Member.objects.all()}
    made = actions.ask_erasure(
        by["fay"], phrases=list(MARKERS.values()), ground=Ground.OBJECTED,
        reference=f"The request of {MARKERS['member']}", now=now(),
    )  # fmt: skip
    assert actions.search(made, now)
    actions.choose(by["fay"], made.pk, chosen=True)
    actions.propose_erasure(by["fay"], made.pk, now=now())
    made = queries.find_erasure(by["fay"].organisation, made.pk)
    actions.confirm_erasure(by["gus"], made.pk, seen=made.digest, now=now())
    records.sequence(now())


def work(kill):
    from folkmoot.desk.records import actions as records
    from folkmoot.desk.retention import actions

    if kill:
        when, _, name = kill.partition(":")
        arm(when, name)
    for _ in range(3):
        actions.work(now)
    records.sequence(now())


def arm(when, name):
    """Have the process kill itself before or after the call of ``name``."""
    from folkmoot.desk.records import erasing, keys
    from folkmoot.desk.retention import destroying
    from folkmoot.ledger import keyring

    owner = {
        "_erase_some": destroying,
        "_empty": destroying,
        "_finish_erasure": destroying,
        "_erase_under": erasing,
        "_begin_epoch": keys,
        "_wrap_batch": keys,
        "write": keys.EpochFile,
        "forget": keys.EpochFile,
        "_sync_folder": keyring,
    }
    count = int(name[-1]) if name[-1].isdigit() else 1
    name = name.rstrip("0123456789")
    real = getattr(owner[name], name)
    calls = []

    def armed(*args, **kwargs):
        calls.append(1)
        if when == "before" and len(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = real(*args, **kwargs)
        if when == "after" and len(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner[name], name, armed)


def tell(_argument):
    from folkmoot.desk.people.models import Organisation
    from folkmoot.desk.records import columns, erasing, keys
    from folkmoot.desk.records.models import Entry, Epoch, FieldValue, SubjectKey
    from folkmoot.desk.records.queries import get_proof
    from folkmoot.desk.records.values import open_values
    from folkmoot.desk.retention.models import Erasure

    body = Organisation.objects.get()
    rows = list(FieldValue.objects.order_by("pk"))
    fields = {
        f"{row.entry_id}/{row.label}": field.value
        for row, field in zip(rows, open_values(rows), strict=True)
        if field is not None
    }
    everything = {str(one.place): one.text for one in erasing._all(body.ref)}
    epochs = keys.epoch_keys()
    subjects = {}
    for row in SubjectKey.objects.order_by("pk"):
        wrapped = bytes(row.wrapped)
        raw = b""
        if row.destroyed_at is None:
            raw = epochs.unwrap(row.epoch, wrapped, row.subject).raw
        subjects[row.pk] = {
            "subject": row.subject,
            "epoch": row.epoch,
            "wrapped": encode(wrapped),
            "raw": encode(raw),
        }
    print(
        json.dumps(
            {
                "fields": fields,
                "everything": everything,
                "proofs": {
                    one.entry_id: get_proof(one.entry_id, public_only=False)
                    for one in Entry.objects.order_by("index")
                },
                "leaves": {one.entry_id: one.leaf for one in Entry.objects.order_by("index")},
                "sealed": [
                    [row.entry_id, row.label, row.key_id, encode(bytes(row.sealed))] for row in rows
                ],
                "columns": {
                    f"{column.place}/{pk}": (column.place, raw)
                    for column in columns.sealed_columns()
                    for pk, raw in erasing._raw(column)
                    .filter(raw__startswith="f1.")
                    .exclude(raw="f1.erased")
                    .values_list("pk", "raw")
                },
                "keys": subjects,
                "epochs": sorted(epochs.keys),
                "open_epochs": list(
                    Epoch.objects.filter(destroyed_at=None).values_list("number", flat=True)
                ),
                "erasures": list(Erasure.objects.values_list("state", flat=True)),
            }
        )
    )


def encode(data):
    return base64.b64encode(data).decode()


def now():
    return datetime.now(UTC)


if __name__ == "__main__":
    main(*sys.argv[1:])
