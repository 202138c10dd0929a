"""Workers that die or come in twos, databases that go back, real servers that misbehave."""

from __future__ import annotations

import email
import email.policy
import re
import threading
import time

import pytest
from django.db import close_old_connections, connection, connections
from mailing_moves import (
    Killed,
    Script,
    joined,
    states,
    work,
)

from folkmoot.channels.email import Handed, NotNow, Unsure
from folkmoot.desk.mailing import actions, handing, journal, queries
from folkmoot.desk.mailing.lifecycle import SubscriberState
from folkmoot.desk.mailing.models import Mail, Subscriber
from folkmoot.desk.records.columns import update_sealed
from folkmoot.desk.records.models import SubjectKey
from folkmoot.desk.stops import actions as stop_actions

pytest_plugins = ["mailing_fixtures"]

two_at_once = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite takes one writer at a time"
)


STEPS = [
    (handing, "write_letter"),
    (handing, "take_step"),
    (handing, "_freeze"),
    (handing, "settle"),
    (handing, "_confirm"),
    (journal.Journal, "begin"),
    (Script, "hand_over"),
    (Script, "find"),
    (actions, "carry"),
    (actions, "ask_about"),
    (actions, "_finish"),
]


@pytest.mark.parametrize("can_find", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("step", STEPS, ids=[name for _, name in STEPS])
def test_a_worker_killed_around_a_step_sends_nobody_two_and_loses_none(  # noqa: PLR0917
    cast, monkeypatch, mailing_list, post, step, nth, when, can_find
):  # fmt: skip
    people = [f"a{number}@a.example" for number in range(3)]
    for one in people:
        joined(cast, one)
    issue = post()
    lost = Script.lose_answer  # taken, and not said so: the second is looked up, or for a person
    transport = Script(Handed(), lost, can_find=can_find)
    room, name = step
    real, count = getattr(room, name), []

    def dies(*args, **kwargs):
        count.append(1)
        if len(count) == nth and when == "before":
            raise Killed
        answer = real(*args, **kwargs)
        if len(count) == nth:
            raise Killed
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(room, name, dies)
        for _ in range(6):
            try:
                work(cast, transport, seconds=61)
            except Killed:
                break
    work(cast, transport, times=8, seconds=61)
    taken = [one.to for one in transport.taken]
    assert len(taken) == len(set(taken)), f"somebody got two: {taken}"
    rows = {mail.subscriber.address: mail for mail in Mail.objects.filter(issue=issue)}
    for one in people:
        mail = rows[one]
        assert mail.state in ({"handed"} if can_find else {"handed", "unsure"})
        if mail.state == "handed":
            assert one in taken
        else:
            assert mail.next_try_at is None, "it is in front of a person"
    summary = queries.summary(cast.body, issue.key)
    troubled = queries.list_troubled(cast.body)
    assert bool(troubled) is bool(summary.of("unsure"))


def test_a_worker_whose_lease_ran_out_may_still_say_that_it_was_taken(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()

    def slow(letter):
        cast.clock.pass_(seconds=121)
        actions.work(cast.clock, lambda _: Script())  # the other worker meanwhile
        assert states(issue=issue) == ["unsure"]
        return Handed("late")

    transport = Script(slow)
    work(cast, transport, times=2)
    assert states(issue=issue) == ["handed"]
    assert len(transport.letters) == 1


def test_a_worker_that_stood_still_begins_nothing(cast, monkeypatch, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    real = handing._freeze

    def slow(*args):
        answer = real(*args)
        cast.clock.pass_(seconds=30)
        return answer

    transport = Script()
    with monkeypatch.context() as patched:
        patched.setattr(handing, "_freeze", slow)
        work(cast, transport)
    assert (states(issue=issue), transport.letters) == (["queued"], [])
    work(cast, transport, times=3)
    assert states(issue=issue) == ["handed"]


def test_what_our_own_code_cannot_write_is_put_off_and_keeps_no_other_back(
    cast, monkeypatch, mailing_list, post, caplog
):
    joined(cast, "ann@a.example")
    bad, good = post("Bad."), post("Good.")
    update_sealed(bad, {"record": b"{}"})
    transport = Script()
    actions.work(cast.clock, lambda _: transport)
    assert (states(issue=bad), states(issue=good)) == (["queued"], ["handed"])
    assert "fault in this program" in Mail.objects.get(issue=bad).trouble
    assert "could not be written" in caplog.text
    assert "ann@" not in caplog.text


def test_a_database_that_went_back_sends_nobody_a_second_one(cast, mailing_list, post):
    for number in range(4):
        joined(cast, f"a{number}@a.example")
    issue = post()
    before = list(Mail.objects.filter(issue=issue).values())
    transport = Script(Handed(), Handed(), NotNow("Later.", 3600.0), Unsure("?"), can_find=True)
    work(cast, transport)
    for row in before:  # last night's backup
        Mail.objects.filter(pk=row.pop("id")).update(**row)
    cast.clock.pass_(minutes=1)
    work(cast, transport, times=6, seconds=61)
    got = [one.to for one in transport.taken]
    assert len(got) == len(set(got)) == 4
    assert states(issue=issue) == ["handed"] * 4


def test_who_left_stays_away_though_the_database_forgot_it(cast, mailing_list, post):
    ann = joined(cast, "ann@a.example")
    before = Subscriber.objects.filter(pk=ann.pk).values().get()
    key = SubjectKey.objects.filter(subject=f"subscriber/{ann.ref}").values().get()
    actions.leave(ann, by="link", now=cast.clock())
    SubjectKey.objects.filter(pk=key.pop("id")).update(**key)  # a backup has both
    update_sealed(Subscriber.objects.get(pk=before.pop("id")), before)
    issue = post()
    transport = Script()
    work(cast, transport, times=2)
    ann.refresh_from_db()
    assert (ann.state, ann.address, transport.letters) == ("left", "", [])
    assert states(issue=issue) == ["left"]


def test_what_may_still_be_on_its_way_is_not_asked_about_yet(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    transport = Script(can_find=True)
    actions.doubt_waiting(reason="It was brought back.", now=cast.clock())
    work(cast, transport, times=5, seconds=10)
    assert (states(issue=issue), transport.letters) == (["unsure"], [])
    work(cast, transport, times=4, seconds=10)
    assert states(issue=issue) == ["handed"]


def test_another_worker_that_takes_the_same_mail_meanwhile_is_noticed(
    cast, monkeypatch, mailing_list, post
):
    joined(cast, "ann@a.example")
    issue = post()
    other, real, count = Script(), handing.write_letter, []

    def write_letter(mail):
        count.append(1)
        if len(count) == 1:
            actions.work(cast.clock, lambda _: other)
        return real(mail)

    monkeypatch.setattr(handing, "write_letter", write_letter)
    transport = Script()
    actions.work(cast.clock, lambda _: transport)
    assert (len(other.letters), len(transport.letters)) == (1, 0)
    assert states(issue=issue) == ["handed"]


def test_everything_that_waits_can_be_held_to_have_been_sent(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    assert actions.doubt_waiting(reason="It was brought back.", now=cast.clock()) == 1
    work(cast, Script(), times=3, seconds=61)
    assert states(issue=issue) == ["unsure"]


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_mail_once(cast, mailing_list, post):
    for number in range(40):
        joined(cast, f"a{number}@a.example")
    issue = post()
    transport = Script(slow=0.002)
    start = threading.Barrier(3)

    def run():
        start.wait()
        try:
            for _ in range(60):
                actions.work(cast.clock, lambda _: transport)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=run) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    close_old_connections()
    assert states(issue=issue) == ["handed"] * 40
    assert len(transport.letters) == 40


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_nothing_leaves_after_a_stop_was_pressed(cast, mailing_list, post):
    for number in range(60):
        joined(cast, f"a{number}@a.example")
    post()
    left_at = []

    class Clocked(Script):
        def hand_over(self, letter):
            left_at.append(time.monotonic())
            return super().hand_over(letter)

    transport, ended = Clocked(slow=0.001), threading.Event()

    def run():
        try:
            while not ended.is_set():
                actions.work(cast.clock, lambda _: transport)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=run) for _ in range(2)]
    for one in workers:
        one.start()
    while len(left_at) < 10:
        time.sleep(0.001)
    stop_actions.press(cast.body, reason="Stop.", now=cast.clock(), member=cast.alice)
    while queries.list_on_their_way(cast.body, cast.clock()):
        time.sleep(0.001)
    quiet = time.monotonic()
    time.sleep(0.1)
    ended.set()
    for one in workers:
        one.join()
    assert 10 <= len(left_at) < 60
    assert max(left_at) <= quiet


def test_a_thousand_subscribers_are_served_in_seconds(cast, mailing_list, post):
    Subscriber.objects.bulk_create(
        Subscriber(
            mailing_list=mailing_list,
            address=f"a{number}@a.example",
            mark=str(number),
            state=SubscriberState.CONFIRMED,
            asked_at=cast.clock(),
        )
        for number in range(1000)
    )
    issue = post()
    transport = Script(per_minute=100_000)
    started = time.monotonic()
    for _ in range(60):
        actions.work(cast.clock, lambda _: transport)
    assert states(issue=issue) == ["handed"] * 1000
    assert len({one.to for one in transport.letters}) == 1000
    assert time.monotonic() - started < 30


def test_over_a_real_mail_server_faults_and_all_each_gets_one(cast, mailing_list, post):
    from folkmoot.channels.email import Smtp, SmtpServer
    from folkmoot.channels.email.simulated_smtp import SimulatedSmtp
    from folkmoot.channels.simulator import Fault, Occasion, Strike

    for number in range(12):
        joined(cast, f"a{number}@a.example")
    issue = post()
    with SimulatedSmtp() as server:

        def open_transport(_):
            return Smtp(
                SmtpServer("127.0.0.1", server.port, "posts@testserver.example"),
                allow=[server.allow],
                answer_seconds=0.3,
            )

        for fault in (Fault.LOSE_ANSWER, Fault.DROP, Fault.TOO_MANY, Fault.REFUSE):
            server.faults.add(Occasion.PUBLISH, Strike(fault))
        server.faults.add(Occasion.PUBLISH, Strike(Fault.SLOW, 0.6))
        server.faults.add(Occasion.UPLOAD, Strike(Fault.BROKEN_BEFORE))
        for _ in range(20):
            actions.work(cast.clock, open_transport)
            cast.clock.pass_(seconds=61)
        got = [one.extra["to"][0] for one in server.store.list_all()]
        assert len(got) == len(set(got))
        found = states(issue=issue)
        assert (found.count("handed"), found.count("unsure"), found.count("refused")) == (8, 3, 1)
        assert len(got) == 10, "eight that were said, and two that were taken and not said"
        raw = server.list_to("a11@a.example")[0]
    message = email.message_from_bytes(raw, policy=email.policy.default)
    (leave,) = re.findall(r"<(.+)>", message["List-Unsubscribe"])
    answer = cast.client().post(
        leave.removeprefix("http://testserver"),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert Subscriber.objects.get(left_by="program").state == "left"


def test_over_notify_every_doubt_is_decided(cast, mailing_list, post):
    from datetime import UTC, datetime

    from folkmoot.channels.email import Notify, NotifyService
    from folkmoot.channels.email.simulated import SIMULATED
    from folkmoot.channels.outbound import Outbound
    from folkmoot.channels.simulator import Fault, Occasion, Simulator, Strike

    for number in range(6):
        joined(cast, f"a{number}@a.example")
    issue = post()
    with Simulator(SIMULATED()) as simulator:
        typed = simulator.simulated
        for fault in (Fault.LOSE_ANSWER, Fault.DROP, Fault.BROKEN_AFTER, Fault.WRONG_ID):
            simulator.faults.add(Occasion.PUBLISH, Strike(fault))

        def open_transport(_):
            return Notify(
                NotifyService(typed.api_key, typed.template_id, simulator.url),
                Outbound(allow=[simulator.allow], timeout_seconds=2),
                now=lambda: datetime.now(UTC),
            )

        for _ in range(8):
            actions.work(cast.clock, open_transport)
            cast.clock.pass_(seconds=61)
        got = [one.extra["to"] for one in simulator.store.list_all()]
    assert states(issue=issue) == ["handed"] * 6
    assert len(got) == len(set(got)) == 6
