"""A database that went back in time, or is a copy, publishes nothing until somebody compared."""

from __future__ import annotations

import desk_moves as moves
import pytest
from desk_moves import StandIn, timedelta
from django.conf import settings

from folkmoot.channels import Seen
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing import fence
from folkmoot.desk.publishing.models import Alarm, Attempt, Installation, Watch


def memory_file():
    return settings.CONFIG.key_file("installation")


def forget_what_was_sent_since(number):
    """What a backup from before the attempts after ``number`` would hold."""
    Attempt.objects.filter(pk__gt=number).delete()


def compare(cast):
    """Let the worker look at every timeline."""
    cast.clock.pass_(seconds=61)
    publishing.work(cast.clock)


def test_every_send_is_remembered_outside_the_database_before_it_leaves(cast, monkeypatch):
    remembered = []

    def send(real, prepared, done):
        remembered.append(fence.read_memory())
        return real(prepared, done)

    StandIn(send=[send]).install(monkeypatch)
    moves.signed(cast)
    moves.work(cast)
    (attempt,) = Attempt.objects.filter(what="send")
    assert remembered == [fence.Memory(Installation.objects.get().ref, attempt.pk)]
    assert memory_file().stat().st_mode & 0o077 == 0


def test_a_database_brought_back_from_a_backup_sends_nothing_again(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=60))
    waiting = moves.signed(cast, cast.content("Signed, not begun.", window_minutes=60))
    later = moves.signed(
        cast, cast.content("For later.", due_at=cast.clock() + timedelta(minutes=30))
    )
    moves.work(cast, times=2)
    assert len(channel.shelf) == 2
    del waiting
    backup = Attempt.objects.order_by("pk").first().pk - 1
    # Back to before anything was sent.
    from folkmoot.desk.drafts.models import Draft
    from folkmoot.desk.publishing.models import Delivery

    forget_what_was_sent_since(backup)
    Alarm.objects.all().delete()
    Delivery.objects.all().delete()
    Draft.objects.filter(state="published").update(state="signed")
    moves.work(cast, times=4)
    assert len(channel.shelf) == 2
    assert moves.again(cast, draft).state == "signed"
    page = cast.client(cast.dan).get("/desk/stop/").content.decode()
    assert "brought back from a backup" in page
    assert cast.client(cast.bob).get("/desk/").content.decode().count("Compare the channels") == 1
    with pytest.raises(publishing.DecisionRefused, match="Only an admin"):
        publishing.lift_fence(cast.bob, reason="Fine.", now=cast.clock())
    with pytest.raises(publishing.DecisionRefused, match="Say what you compared"):
        publishing.lift_fence(cast.dan, reason=" ", now=cast.clock())
    Watch.objects.all().update(last_look_at=None)
    with pytest.raises(publishing.DecisionRefused, match="has not been looked at yet"):
        publishing.lift_fence(cast.dan, reason="Fine.", now=cast.clock())
    compare(cast)
    for alarm in Alarm.objects.filter(closed_at=None):
        publishing.close_alarm(cast.dan, alarm.pk, note="Ours, of last night.", now=cast.clock())
    publishing.lift_fence(cast.dan, reason="I compared both.", now=cast.clock())
    assert moves.again(cast, later).state == "awaiting_signoff"
    assert moves.again(cast, draft).state == "awaiting_signoff"
    moves.work(cast, times=4)
    assert len(channel.shelf) == 2
    after = moves.signed(cast, cast.content("Signed afterwards."))
    moves.work(cast)
    assert moves.told(after).state == "sent"


def test_a_post_the_database_does_not_know_must_be_dealt_with_first(cast, monkeypatch):
    stranger = Seen("practice:x", "https://posts.example/x", "Sent in the lost time.", cast.clock())
    seen = []
    channel = StandIn(list_recent=[lambda real, limit: tuple(seen)] * 99).install(monkeypatch)
    moves.signed(cast)
    moves.work(cast, times=2)
    forget_what_was_sent_since(0)
    seen.append(stranger)
    publishing.work(cast.clock)
    compare(cast)
    assert channel.calls.count("send") == 1
    with pytest.raises(publishing.DecisionRefused, match="does not know: 2"):
        publishing.lift_fence(cast.dan, reason="I compared.", now=cast.clock())
    for alarm in Alarm.objects.filter(closed_at=None):
        publishing.close_alarm(cast.dan, alarm.pk, note="Ours, of last night.", now=cast.clock())
    publishing.lift_fence(cast.dan, reason="I compared.", now=cast.clock())
    assert fence.find_fence(cast.clock()) is None


def test_a_copy_of_the_database_in_another_home_publishes_nothing(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    moves.signed(cast)
    moves.work(cast, times=2)
    memory_file().unlink()
    moves.signed(cast, cast.content("From the copy."))
    moves.work(cast, times=2)
    assert len(channel.shelf) == 1
    assert fence.find_fence(cast.clock()).fenced_reason.startswith(
        "This database belongs to another"
    )


def test_a_backup_from_before_the_first_round_is_found_out_by_the_file_alone(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    moves.signed(cast)
    moves.work(cast, times=2)
    # What a backup of the first day, or of before an upgrade, holds: no installation at all.
    forget_what_was_sent_since(0)
    Installation.objects.all().delete()
    kept = memory_file().read_text()
    moves.signed(cast, cast.content("Signed on the first day."))
    moves.work(cast, times=2)
    assert len(channel.shelf) == 1
    assert fence.find_fence(cast.clock()) is not None
    assert memory_file().read_text() == kept


def test_a_damaged_memory_fences_rather_than_guesses(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    publishing.work(cast.clock)
    memory_file().write_text("{")
    moves.signed(cast)
    moves.work(cast, times=2)
    assert channel.shelf == {}
    assert fence.find_fence(cast.clock()) is not None


def test_a_database_put_back_while_the_worker_runs_is_found_out_at_the_last_look(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    moves.signed(cast)
    moves.work(cast, times=2)
    draft = moves.signed(cast, cast.content("The next.", window_minutes=60))
    real = publishing._begin_due

    def begin_due(clock):
        begun = real(clock)
        forget_what_was_sent_since(0)
        return begun

    monkeypatch.setattr(publishing, "_begin_due", begin_due)
    publishing.work(cast.clock)
    assert len(channel.shelf) == 1
    assert "brought back from a backup" in moves.told(draft).trouble


def test_a_backup_from_before_a_fence_was_lifted_is_found_out_too(cast, monkeypatch):
    StandIn().install(monkeypatch)
    publishing.work(cast.clock)
    old = Installation.objects.get().ref
    memory_file().unlink()
    publishing.work(cast.clock)
    compare(cast)
    publishing.lift_fence(cast.dan, reason="I compared.", now=cast.clock())
    assert fence.find_fence(cast.clock()) is None
    Installation.objects.update(ref=old)
    assert fence.find_fence(cast.clock()).fenced_reason.startswith(
        "This database belongs to another"
    )
