"""Whoever touches the record is found out: by fsck, by the signer, or by a witness alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import desk_moves as moves
import pytest
from django.conf import settings

from folkmoot.desk.records import actions as records
from folkmoot.desk.records import cli, keys, log, queries, seatbelt
from folkmoot.desk.records.fsck import check
from folkmoot.desk.records.models import (
    Checkpoint,
    Cosignature,
    Entry,
    Epoch,
    FieldValue,
    Intent,
    SubjectKey,
    Tile,
)
from folkmoot.desk.records.values import open_values, seal_field
from folkmoot.ledger import Checkpoint as Head
from folkmoot.ledger import Cosigner, Field, MemoryStore, Signer, Tree, leaf_hashes

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def log_of(cast):
    """A record of some entries and several heads."""
    for _ in range(6):
        moves.leave(cast)
        moves.leave(cast)
        records.sequence(cast.clock())
        cast.clock.pass_(seconds=1)
    return list(Entry.objects.order_by("index"))


@pytest.fixture(autouse=True)
def keys_kept():
    """What a test does to the log's key files does not outlive it."""
    folder = settings.CONFIG.home / "keys"
    kept = {name: log._file(name) for name in (log.PRIVATE, log.PUBLIC)}
    held = {name: file.read_bytes() for name, file in kept.items() if file.exists()}
    yield
    for name, file in kept.items():
        file.unlink(missing_ok=True)
        if name in held:
            file.write_bytes(held[name])
    (folder / log.NEXT).unlink(missing_ok=True)


def found(*, words):
    report = check()
    assert any(words in sentence for sentence in report.findings), report.findings
    return report


def test_a_record_nobody_touched_is_good(log_of, capsys):
    report = check()
    assert report.findings == []
    assert report.entries == len(log_of)
    assert cli.run(["fsck"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "good"
    assert "Each of the 6 heads was signed by the log." in shown
    assert "Every tile holds what the entries hash to." in shown
    assert cli.run(["fsck", "--json", "--without-values"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == len(log_of)


def test_a_whole_day_s_work_is_good_and_stays_so_when_part_of_it_is_erased(cast):
    from django.db import transaction

    from folkmoot.desk.records import erasing

    moves.publish(cast, accounts=[cast.feed, cast.practice])
    assert check().findings == []
    one = Entry.objects.get(kind="delivery.sent", public=True)
    with transaction.atomic():
        erasing.erase(
            cast.body.ref, [erasing.Place(erasing.FIELD, one.entry_id, "text")], cast.clock()
        )
    report = check()
    assert report.findings == []
    assert any("1 are erased" in sentence for sentence in report.checked)


def test_an_empty_record_is_good(db):
    assert check().findings == []


# Tampering, as whoever owns the tables can. Each: what is done, and what is said.


def touch(one, **changes):
    Entry.objects.filter(pk=one.pk).update(**changes)


def edit(rows):
    held = json.loads(rows[3].leaf)
    held["actor"] = "0" * 16
    touch(rows[3], leaf=json.dumps(held, sort_keys=True, separators=(",", ":")))
    return "Entry 3 does not hash to what tile 0 of level 0 holds: the entry was changed"


def edit_and_mend_the_tiles(rows):
    edit(rows)
    rebuild_tiles()
    return "was signed for others than those that are here"


def delete(rows):
    Entry.objects.filter(pk=rows[2].pk).delete()
    return "Entry number 2 is missing: the next that is here is 3"


def delete_and_close_the_gap(rows):
    Entry.objects.filter(pk=rows[2].pk).delete()
    for one in rows[3:]:
        Entry.objects.filter(pk=one.pk).update(index=one.index - 1)
    rebuild_tiles()
    return "A head of"


def insert(rows):
    for one in reversed(rows[4:]):
        Entry.objects.filter(pk=one.pk).update(index=one.index + 1)
    forged = json.loads(rows[4].leaf)
    forged["id"] = "f" * 32
    forged["commitments"] = {}
    values = {f.attname: getattr(rows[4], f.attname) for f in Entry._meta.concrete_fields}
    leaf = json.dumps(forged, sort_keys=True, separators=(",", ":"))
    Entry.objects.create(**{**values, "index": 4, "entry_id": "f" * 32, "leaf": leaf, "once": None})
    rebuild_tiles()
    return "was signed for others"


def reorder(rows):
    a, b = rows[1], rows[2]
    Entry.objects.filter(pk=a.pk).update(index=999_999)
    Entry.objects.filter(pk=b.pk).update(index=a.index)
    Entry.objects.filter(pk=999_999).update(index=b.index)
    return "Entry 1 does not hash to what tile 0"


def truncate(rows):
    Entry.objects.filter(index__gte=rows[-2].index).delete()
    return "2 entries are gone"


def truncate_with_heads_and_tiles(rows):
    Entry.objects.filter(index__gte=rows[-2].index).delete()
    Checkpoint.objects.filter(size__gt=rows[-2].index).delete()
    rebuild_tiles()
    return "What the signer remembers: A head of"


def swap_ciphertexts(rows):
    one, other = (FieldValue.objects.filter(entry_id=r.entry_id).first() for r in rows[-2:])
    FieldValue.objects.filter(pk=one.pk).update(sealed=other.sealed, key_id=other.key_id)
    return "What is sealed here does not open: it was changed, moved from another place"


def change_value(rows):
    row = FieldValue.objects.filter(entry_id=rows[-1].entry_id).first()
    number, key = keys.live_key(rows[-1].subject, NOW)
    field = Field(row.label, "Never said.", open_values([row])[0].salt)
    sealed = seal_field(key, rows[-1].entry_id, field)
    FieldValue.objects.filter(pk=row.pk).update(key_id=number, sealed=sealed)
    return "it is not what the entry was sealed with; it was changed"


def remove_value(rows):
    FieldValue.objects.filter(entry_id=rows[-1].entry_id).first().delete()
    return "it is missing; its row was removed"


def put_in_value(rows):
    row = FieldValue.objects.filter(entry_id=rows[-1].entry_id).first()
    FieldValue.objects.create(
        entry_id=rows[-1].entry_id, label="made_up", key=row.key, sealed=row.sealed, public=True
    )
    return "the entry has no such field; it was put in"


def orphan_value(rows):
    row = FieldValue.objects.filter(entry_id=rows[-1].entry_id).first()
    FieldValue.objects.create(
        entry_id="e" * 32, label="text", key=row.key, sealed=row.sealed, public=True
    )
    return "is kept for an entry that is not here"


def replace_subject_key(rows):
    SubjectKey.objects.filter(subject=rows[-1].subject).update(wrapped=bytes(60))
    keys.forget_cached()
    return "value 'text': What is sealed here does not open"


def relabel_columns(rows):
    touch(rows[1], kind="draft.signed")
    return "its columns say otherwise than what was hashed"


def rename(rows):
    touch(rows[1], entry_id="d" * 32)
    return "what was hashed is another entry"


def rubbish(rows):
    touch(rows[1], leaf="rubbish")
    return "what is kept as its text is no entry"


def change_tile(rows):
    tile = Tile.objects.get(level=0)
    hashes = bytearray(tile.hashes)
    hashes[5 * 32] ^= 1
    Tile.objects.update(hashes=bytes(hashes))
    return "the tile was changed, for the entries lead to the signed root"


def remove_tile(rows):
    Tile.objects.all().delete()
    return "should hold"


def forge_head(rows):
    head = Checkpoint.objects.order_by("size").first()
    stranger = Signer.generate(settings.CONFIG.origin)
    text = head.note.rpartition("\n\n")[0] + "\n"
    Checkpoint.objects.filter(pk=head.pk).update(note=stranger.sign(text))
    return "None of the keys given signed this note"


def move_head(rows):
    head = Checkpoint.objects.order_by("size").first()
    Checkpoint.objects.filter(pk=head.pk).update(size=head.size + 1)
    return "is one of"


def fork_head(rows):
    """As the keeper of the key: a signed head of the same size over other entries."""
    head = Checkpoint.objects.order_by("size").first()
    note = log.signer().sign(Head(settings.CONFIG.origin, head.size, bytes(32)).to_text())
    Checkpoint.objects.filter(pk=head.pk).update(note=note)
    return "was signed for others than those that are here"


def roll_back_everything(rows):
    """The database as it was before, whole in itself; only the signer remembers."""
    keep = Checkpoint.objects.order_by("size")[3].size
    gone = list(Entry.objects.filter(index__gte=keep).values_list("entry_id", flat=True))
    FieldValue.objects.filter(entry_id__in=gone).delete()
    Entry.objects.filter(index__gte=keep).delete()
    Checkpoint.objects.filter(size__gt=keep).delete()
    rebuild_tiles()
    return "The log was rolled back; keep that head, it is the proof"


def forget_memory(rows):
    log.memory().unlink()
    return "The signer's memory, ledger.checkpoint, is missing"


def spoil_memory(rows):
    log.memory().write_text("rubbish")
    return "cannot be believed"


def strange_cosignature(rows):
    head = Checkpoint.objects.order_by("size").first()
    Cosignature.objects.create(size=head.size, witness="w+00000000+AAAA", line="junk", at=NOW)
    return "is not on the head of that size"


def pass_a_removed_value_off_as_lost(rows):
    touch(rows[-1], recovered_at=NOW)
    FieldValue.objects.filter(entry_id=rows[-1].entry_id).delete()
    return "is marked as brought back from a mirror, and no entry of the record says that it was"


def pass_a_value_off_as_erased(rows):
    FieldValue.objects.filter(entry_id=rows[-1].entry_id).update(erased_at=NOW)
    return "it is marked as erased, and is still here"


def pass_a_key_off_as_destroyed(rows):
    SubjectKey.objects.filter(subject=rows[-1].subject).update(destroyed_at=NOW)
    keys.forget_cached()
    return "is marked as destroyed, and is still here"


def pass_an_epoch_off_as_over(rows):
    Epoch.objects.update(destroyed_at=NOW, closed_at=NOW)
    return "which is over: what was erased in it could be opened out of a copy"


def date_a_cosignature_back(rows):
    head = Checkpoint.objects.order_by("size").first()
    cosigner = Cosigner.generate("witness.example/w1")
    made = cosigner.cosign(head.note.rpartition("\n\n")[0] + "\n", NOW)
    Cosignature.objects.create(
        size=head.size, witness=cosigner.vkey, line=made.line, at=NOW - timedelta(days=1)
    )
    return "is of another time than is kept beside it"


def put_in_a_tile(rows):
    """In the way of the tile that will come there, which then could not be written."""
    Tile.objects.create(level=1, index=0, hashes=bytes(32))
    return "Tile 0 of level 1 is beyond the"


def rubbish_without_end(rows):
    touch(rows[1], leaf="[" * 60_000)
    return "what is kept as its text is no entry"


def change_what_waits(rows):
    last = rows[-1]
    values = {"entry_id": "c" * 32, "leaf": last.leaf, "subject": last.subject, "made_at": NOW}
    Intent.objects.create(**values)
    return "that waits for the record is not the one that was left"


def rebuild_tiles():
    tree = Tree(MemoryStore())
    leaves = Entry.objects.order_by("index").values_list("leaf", flat=True)
    tree.append(leaf_hashes(leaf.encode() for leaf in leaves))
    Tile.objects.all().delete()
    for (level, index), hashes in tree.store.tiles.items():
        Tile.objects.create(level=level, index=index, hashes=hashes)


TAMPERS = [
    edit, edit_and_mend_the_tiles, delete, delete_and_close_the_gap, insert, reorder, truncate,
    truncate_with_heads_and_tiles, swap_ciphertexts, change_value, remove_value, put_in_value,
    orphan_value, replace_subject_key, relabel_columns, rename, rubbish, change_tile, remove_tile,
    forge_head, move_head, fork_head, roll_back_everything, forget_memory, spoil_memory,
    strange_cosignature, pass_a_removed_value_off_as_lost, pass_a_value_off_as_erased,
    pass_a_key_off_as_destroyed, pass_an_epoch_off_as_over, date_a_cosignature_back,
    change_what_waits, put_in_a_tile, rubbish_without_end,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda act: act.__name__)
def test_fsck_finds_what_was_done(log_of, tamper, capsys):
    with seatbelt.lifted():
        words = tamper(log_of)
    found(words=words)
    assert cli.run(["fsck"]) == 1
    assert capsys.readouterr().out.startswith("damaged\n")


def test_guards_that_were_taken_off_are_told(log_of):
    with seatbelt.lifted():
        found(words="own guards of the record are off")


def test_a_long_list_of_what_is_wrong_is_cut_and_counted(cast, capsys):
    for _ in range(130):
        moves.leave(cast)
    records.sequence(cast.clock())
    with seatbelt.lifted():
        Entry.objects.update(kind="draft.signed")
    report = check()
    assert len(report.findings) == 100
    assert report.more >= 30
    cli.run(["fsck"])
    assert "more that is wrong." in capsys.readouterr().out


# Keys


def test_a_key_in_the_place_of_another_signs_nothing(cast, log_of):
    log._file(log.PRIVATE).write_text(Signer.generate(settings.CONFIG.origin).to_text())
    moves.leave(cast)
    records.sequence(cast.clock())
    assert "is not the one that was published" in queries.find_refusal()
    found(words="The head of the record is not being signed")


def test_a_key_that_is_gone_is_not_made_anew(cast, log_of):
    log._file(log.PRIVATE).unlink()
    moves.leave(cast)
    records.sequence(cast.clock())
    assert "is not here, though its public half is" in queries.find_refusal()


def test_a_key_and_its_public_half_in_the_place_of_others_are_found_by_the_memory(cast, log_of):
    stranger = Signer.generate(settings.CONFIG.origin)
    log._file(log.PRIVATE).write_text(stranger.to_text())
    log._file(log.PUBLIC).write_text(stranger.vkey + "\n")
    moves.leave(cast)
    records.sequence(cast.clock())
    assert "cannot be believed" in queries.find_refusal()
    found(words="None of the keys given signed this note")


def test_a_change_of_key_is_an_entry_and_what_was_signed_before_counts(cast, log_of, capsys):
    before = queries.log_key()
    old = queries.get_proof(log_of[0].entry_id, public_only=False)
    assert cli.run(["key", "change"]) == 0
    after = capsys.readouterr().out.strip()
    assert after != before
    assert log.log_keys() == (after, before)
    one = Entry.objects.get(kind="key.changed")
    assert one.public
    from folkmoot.ledger import verify_proof

    # The entry that names the new key is under a head of the former one.
    assert verify_proof(queries.get_proof(one.entry_id), keys=[before]).disclosed["key"] == after
    assert verify_proof(old, keys=[before]).ok
    moves.leave(cast)
    records.sequence(cast.clock())
    assert queries.find_refusal() is None
    assert verify_proof(queries.get_proof(one.entry_id), keys=[after]).ok
    assert check().findings == []
    page = cast.client().get("/ledger/key").content.decode()
    assert after.replace("+", "&#43;") in page or after in page
    assert "Keys it was signed with before" in page
    assert cli.run(["key"]) == 0
    assert capsys.readouterr().out.split() == [after, before]


@pytest.mark.parametrize("when", ["write_keys", "sync_folder"])
def test_a_change_of_key_that_was_cut_off_is_taken_up(cast, log_of, monkeypatch, when):
    from folkmoot.desk.records import rekeying

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rekeying, when, die)
        with pytest.raises(KeyboardInterrupt):
            rekeying.change_key(cast.clock())
    fresh = rekeying.change_key(cast.clock()) if when == "write_keys" else log.log_keys()[0]
    assert log.log_keys()[0] == log.signer().vkey == fresh
    assert Entry.objects.filter(kind="key.changed").count() == 1
    moves.leave(cast)
    records.sequence(cast.clock())
    assert queries.find_refusal() is None


def test_a_key_is_not_changed_while_the_signer_refuses(cast, log_of, capsys):
    before = log.log_keys()
    log.memory().unlink()
    assert cli.run(["key", "change"]) == 2
    assert "The key was not changed" in capsys.readouterr().err
    assert log.log_keys() == before


# What nothing here can find


def test_whoever_has_key_memory_and_database_rewrites_unseen_but_for_a_witness(
    cast, log_of, tmp_path
):
    """The limit, on purpose: all that this desk holds agrees with the forgery."""
    from folkmoot.ledger import Cosigner, WitnessBook, ask_witness
    from folkmoot.ledger.errors import WitnessRefused

    cosigner = Cosigner.generate("witness.example/w1")
    book = WitnessBook(cosigner, log.log_verifiers(), tmp_path / "book", clock=cast.clock)
    book.begin()

    def post(_url, body):
        reply = book.add_checkpoint(body)
        return reply.status, reply.content_type, reply.body.encode()

    head = Checkpoint.objects.latest("size")
    ask_witness(post, "https://w", cosigner.witness, tree=log.log_tree(), checkpoint=head.note)
    with seatbelt.lifted():
        held = json.loads(log_of[3].leaf)
        held["actor"] = "0" * 16
        touch(log_of[3], leaf=json.dumps(held, sort_keys=True, separators=(",", ":")))
        rebuild_tiles()
        Checkpoint.objects.all().delete()
    log.memory().unlink()
    records.sequence(cast.clock())
    assert check().findings == []  # nothing here knows any better
    forged = Checkpoint.objects.latest("size")
    with pytest.raises(WitnessRefused) as refused:
        ask_witness(
            post,
            "https://w",
            cosigner.witness,
            tree=log.log_tree(),
            checkpoint=forged.note,
            old_size=head.size,
        )
    assert refused.value.disputed
