"""A record that is touched, lost or brought back from a backup is found out."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import desk_moves as moves
import pytest
from django.conf import settings
from django.db import connection

from folkmoot.desk.records import actions as records
from folkmoot.desk.records import keys, queries, seatbelt
from folkmoot.desk.records.models import (
    Checkpoint,
    Entry,
    FieldValue,
    Intent,
    Refusal,
    SubjectKey,
    Tile,
)
from folkmoot.desk.records.values import open_values, seal_field
from folkmoot.ledger import Field, verify_proof

MEMORY = "ledger.checkpoint"


NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def row(cast):
    return Entry.objects.get(kind="delivery.sent")


# Proofs


def test_every_public_entry_can_be_proved_and_no_byte_of_its_proof_changed(cast):
    moves.publish(cast, accounts=[cast.feed, cast.practice])
    public = Entry.objects.filter(public=True)
    assert {one.kind for one in public} == {"delivery.sent", "delivery.read_back"}
    key = [queries.log_key()]
    for one in public:
        proof = queries.get_proof(one.entry_id)
        assert verify_proof(proof, keys=key).ok
        for place in range(0, len(proof), 37):
            changed = proof[:place] + ("A" if proof[place] != "A" else "B") + proof[place + 1 :]
            assert not verify_proof(changed, keys=key).ok, place


def test_a_rehearsal_stands_on_no_register_and_has_no_public_proof(cast):
    moves.publish(cast, accounts=[cast.practice])
    one = Entry.objects.get(kind="delivery.sent")
    client = cast.client()
    assert client.get(f"/register/{one.entry_id}/").status_code == 404
    assert client.get(f"/register/{one.entry_id}.tlog-proof").status_code == 404
    assert "library" not in client.get("/register/").content.decode()


def touch_leaf(one):
    held = json.loads(one.leaf)
    held["actor"] = "0" * 16
    text = json.dumps(held, sort_keys=True, separators=(",", ":"))
    Entry.objects.filter(pk=one.pk).update(leaf=text)


def touch_leaf_to_rubbish(one):
    Entry.objects.filter(pk=one.pk).update(leaf=one.leaf.replace('"at":', '"At":'))


def said(one):
    return FieldValue.objects.filter(entry_id=one.entry_id, label="text")


def seal_anew(one, value, salt):
    """As somebody would who holds the keys too."""
    number, key = keys.live_key(one.subject, NOW)
    field = Field("text", value, salt)
    said(one).update(key_id=number, sealed=seal_field(key, one.entry_id, field))


def touch_value(one):
    seal_anew(one, "Never said.", open_values(said(one))[0].salt)


def touch_salt(one):
    seal_anew(one, open_values(said(one))[0].value, bytes(32))


def touch_sealed(one):
    sealed = bytearray(said(one).get().sealed)
    sealed[-1] ^= 1
    said(one).update(sealed=bytes(sealed))


def touch_sealed_to_rubbish(one):
    said(one).update(sealed=b"zz")


def touch_sealed_to_another_fields(one):
    other = FieldValue.objects.filter(entry_id=one.entry_id).exclude(label="text").first()
    said(one).update(sealed=bytes(other.sealed))


def touch_key(one):
    SubjectKey.objects.filter(pk=said(one).get().key_id).update(wrapped=bytes(60))
    keys.forget_cached()


def touch_label(one):
    FieldValue.objects.filter(entry_id=one.entry_id, label="text").update(label="made_up")


def touch_tiles(one):
    Tile.objects.update(hashes=bytes(32))


def touch_tiles_away(one):
    Tile.objects.all().delete()


def touch_checkpoint(one):
    Checkpoint.objects.update(note="rubbish\n")


TOUCHES = [value for name, value in list(globals().items()) if name.startswith("touch_")]


@pytest.mark.parametrize("touch", TOUCHES, ids=lambda act: act.__name__)
def test_an_entry_that_was_touched_is_found_out_when_it_is_shown_or_proved(cast, touch):
    draft = moves.publish(cast)
    one = row(cast)
    with seatbelt.lifted():  # as whoever owns the tables can
        touch(one)
    for who, address in (
        (None, f"/register/{one.entry_id}/"),
        (None, f"/register/{one.entry_id}.tlog-proof"),
        (cast.bob, f"/desk/drafts/{draft.pk}"),
        (None, "/register/"),
        (None, "/"),
    ):
        client = cast.client(who)
        client.raise_request_exception = False
        answer = client.get(address)
        page = answer.content.decode()
        shut = touch is touch_key and who  # the post itself is sealed under that key
        assert answer.status_code == (500 if "tlog" in address or shut else 200), address
        assert not shut or "cannot be opened" in page
        assert "Never said." not in page or who
        if one.entry_id in address:
            assert "does not fit" in page
            assert "c2sp.org/tlog-proof" not in page


# The signer


def is_refused(cast, words):
    answer = cast.client().get("/healthy")
    page = cast.client(cast.dan).get("/desk/").content.decode()
    return (
        answer.status_code == 503
        and answer.json()["record_signed"] is False
        and "The record is not being signed." in page
        and words in page
    )


def test_a_database_that_lost_its_newest_entries_is_not_signed_for(cast):
    moves.publish(cast)
    head = Checkpoint.objects.latest("size").size
    gone = [one.entry_id for one in Entry.objects.order_by("-index")[:2]]
    with seatbelt.lifted():
        Entry.objects.filter(entry_id__in=gone).delete()
        Checkpoint.objects.filter(size__gt=head - 2).delete()
    moves.leave(cast)
    records.sequence(cast.clock())
    assert is_refused(cast, "entries are gone")
    assert not Checkpoint.objects.filter(size=head - 1).exists()


def test_a_database_of_last_night_is_found_out_before_anything_new_is_written(cast):
    moves.leave(cast)
    records.sequence(cast.clock())
    last_night = list(Entry.objects.values_list("pk", flat=True))
    moves.leave(cast)
    records.sequence(cast.clock())
    with seatbelt.lifted():
        Entry.objects.exclude(pk__in=last_night).delete()
        Checkpoint.objects.filter(size__gt=len(last_night)).delete()
    records.sequence(cast.clock())
    assert is_refused(cast, "entries are gone")


def test_a_database_with_other_entries_in_the_place_of_ours_is_not_signed_for(cast):
    moves.publish(cast)
    size = Entry.objects.count()
    with seatbelt.lifted():
        for table in (Entry, Checkpoint, Tile, Intent, FieldValue):
            table.objects.all().delete()
    for _ in range(size + 1):
        moves.leave(cast)
    records.sequence(cast.clock())
    assert is_refused(cast, "does not begin with")
    assert not Checkpoint.objects.exists()


def test_tiles_that_were_lost_are_said_and_keep_the_worker_from_nothing_else(cast):
    moves.publish(cast)
    with seatbelt.lifted():
        Tile.objects.all().delete()
    moves.leave(cast)
    records.sequence(cast.clock())
    assert is_refused(cast, "")


def test_a_memory_that_was_deleted_stops_the_signing_until_it_is_put_back(cast):
    moves.publish(cast)
    memory = settings.CONFIG.home / MEMORY
    kept = memory.read_bytes()
    for _ in range(2):  # the second time it is said again
        cast.clock.pass_(seconds=1)
        memory.unlink()
        moves.leave(cast)
        records.sequence(cast.clock())
        assert is_refused(cast, "is missing, though this log has been signed for before")
        memory.write_bytes(kept)
        cast.clock.pass_(seconds=1)
        moves.leave(cast)
        records.sequence(cast.clock())
        assert cast.client().get("/healthy").json()["record_signed"]
        kept = memory.read_bytes()
    assert Refusal.objects.count() == 2


def test_a_memory_that_was_changed_stops_the_signing(cast):
    moves.publish(cast)
    memory = settings.CONFIG.home / MEMORY
    memory.write_bytes(memory.read_bytes().replace(b"\n", b"\n\n", 1))
    moves.leave(cast)
    records.sequence(cast.clock())
    assert is_refused(cast, "cannot be believed")


def test_a_memory_that_cannot_be_written_is_said_and_nothing_is_signed(cast, monkeypatch):
    moves.publish(cast)
    memory = settings.CONFIG.home / MEMORY
    memory.unlink()
    memory.mkdir()
    try:
        size = Checkpoint.objects.count()
        moves.leave(cast)
        records.sequence(cast.clock())
        assert is_refused(cast, MEMORY)
        assert Checkpoint.objects.count() == size
    finally:
        memory.rmdir()


def test_nothing_new_leaves_while_the_record_cannot_be_signed(cast):
    """A database brought back from last night must not send what was sent since."""
    moves.publish(cast)
    draft = moves.signed(cast, cast.content("Of last night."))
    records.sequence(cast.clock())
    gone = Entry.objects.latest("index")
    with seatbelt.lifted():
        Checkpoint.objects.filter(size__gt=gone.index).delete()
        gone.delete()
    records.sequence(cast.clock())
    moves.work(cast, times=3)
    assert moves.again(cast, draft).state == "signed"
    moves.work(cast, times=3, hours=1)
    records.sequence(cast.clock())
    assert b"Of last night." not in cast.client().get("/feed.atom").content
    assert connection.vendor
