"""Witnesses and time stamps keep the record's heads; the log is served to whoever wants it."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import desk_moves as moves
import pytest
from django.conf import settings
from django.db import connection

from folkmoot.cli import main
from folkmoot.desk.notices.queries import list_needs
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import anchoring, cli, heads, log, queries, signing
from folkmoot.desk.records.anchoring import CannotAsk
from folkmoot.desk.records.fsck import check
from folkmoot.desk.records.models import Anchor, Checkpoint, Cosignature, Entry, Stamp
from folkmoot.ledger import Cosigner, Verifier, Witness, WitnessBook, open_note, verify_proof
from folkmoot.ledger.tilepaths import parse_bundle

URL = "https://witness.example/w"


def configure(monkeypatch, **values):
    """The installation's settings, changed for one test."""
    from dataclasses import replace

    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, **values))


@pytest.fixture
def grow(cast):
    def act(entries=1):
        for _ in range(entries):
            moves.leave(cast)
        records.sequence(cast.clock())
        return Checkpoint.objects.latest("size")

    return act


@pytest.fixture(autouse=True)
def by_the_test_s_clock(cast, monkeypatch):
    monkeypatch.setattr(cli, "_now", cast.clock)


class Council:
    """Another council that runs our small witness; ``says`` answers in its place."""

    def __init__(self, cast, folder):
        self.cosigner = Cosigner.generate("witness.other.example/w1")
        self.vkey = self.cosigner.vkey
        self.book = WitnessBook(self.cosigner, log.log_verifiers(), folder, clock=cast.clock)
        self.book.begin()
        self.asked, self.says = [], None

    def post(self, url, body, content_type):
        self.asked.append((url, content_type))
        if isinstance(self.says, Exception):
            raise self.says
        if self.says is not None:
            return self.says
        reply = self.book.add_checkpoint(body)
        return reply.status, reply.content_type, reply.body.encode()


@pytest.fixture
def council(cast, grow, tmp_path, monkeypatch):
    grow()
    council = Council(cast, tmp_path / "book")
    configure(monkeypatch, witnesses=((council.vkey, URL),), witness_asks=24)
    return council


# Witnesses


def test_a_witness_cosigns_the_newest_head_which_is_served_with_both_signatures(
    cast, council, grow
):
    head = grow(3)
    assert records.anchor(cast.clock, council.post) == 1
    assert council.asked == [(f"{URL}/add-checkpoint", anchoring.NOTE_TYPE)]
    served = cast.client().get("/ledger/checkpoint").content.decode()
    witness = Witness.from_text(council.vkey)
    note = open_note(served, [*log.log_verifiers(), witness])
    assert note.signed_by == (*log.log_verifiers(), witness)
    assert served.startswith(head.note)
    assert cast.client().get(f"/ledger/checkpoint/{head.size}").content.decode() == head.note
    assert check().findings == []
    page = cast.client().get("/ledger/key").content.decode()
    assert "witness.other.example/w1" in page


def test_a_proof_bears_the_cosignature_of_the_newest_head_that_has_one(cast, council, grow):
    moves.publish(cast)
    records.anchor(cast.clock, council.post)
    grow(5)
    one = Entry.objects.get(kind="delivery.sent")
    proof = queries.get_proof(one.entry_id)
    result = verify_proof(proof, keys=log.log_keys(), witnesses=[council.vkey])
    assert result.ok, result.reason
    assert [seen.witness.name for seen in result.cosignatures] == ["witness.other.example/w1"]


def test_a_witness_is_asked_no_oftener_than_was_set_and_from_where_it_left_off(cast, council, grow):
    for _ in range(3):
        records.anchor(cast.clock, council.post)
        grow()
    assert len(council.asked) == 1
    cast.clock.pass_(minutes=59)
    assert records.anchor(cast.clock, council.post) == 0
    cast.clock.pass_(minutes=2)
    assert records.anchor(cast.clock, council.post) == 1
    assert len(council.asked) == 2  # one request: it knew from which head on
    cast.clock.pass_(hours=2)
    assert records.anchor(cast.clock, council.post) == 0  # nothing new to cosign
    assert Cosignature.objects.count() == 2


def test_a_witness_that_knows_more_of_us_than_we_remember_is_asked_again_from_there(
    cast, council, grow
):
    records.anchor(cast.clock, council.post)
    Anchor.objects.all().delete()
    grow()
    assert records.anchor(cast.clock, council.post) == 1
    assert len(council.asked) == 3


TROUBLES = {
    "silent": CannotAsk("witness.example did not answer within 20 seconds."),
    "busy": (429, "text/plain", b"slow down"),
    "rubbish": (200, "text/plain", b"\xff\x00"),
    "stranger": (200, "text/plain", "\u2014 x AAAAAAAA\n".encode()),
}


@pytest.mark.parametrize("says", TROUBLES.values(), ids=TROUBLES)
def test_a_witness_that_does_not_answer_blocks_nothing_and_is_told_after_a_day(
    cast, council, grow, says
):
    council.says = says
    assert records.anchor(cast.clock, council.post) == 0
    head = grow()
    assert queries.find_checkpoint() == head.note
    assert queries.find_refusal() is None
    assert not told(cast, "anchor")
    cast.clock.pass_(hours=23)
    records.anchor(cast.clock, council.post)
    assert not told(cast, "anchor")
    cast.clock.pass_(hours=2)
    (need,) = told(cast, "anchor")
    assert need.urgency == "soon"
    assert "The witness witness.other.example/w1 has not answered" in need.what
    council.says = None
    records.anchor(cast.clock, council.post)
    assert not told(cast, "anchor")


def told(cast, kind):
    return [need for need in list_needs(cast.body, cast.clock()) if need.kind == kind]


def test_a_witness_that_holds_another_history_is_told_at_once_and_leaves_one_entry(
    cast, council, grow, tmp_path
):
    import json

    from folkmoot.desk.records import seatbelt
    from folkmoot.desk.records.models import Tile
    from folkmoot.ledger import MemoryStore, Tree, leaf_hashes

    records.anchor(cast.clock, council.post)
    # The keeper of database, key and memory writes another history: only the witness knows.
    with seatbelt.lifted():
        one = Entry.objects.get(index=0)
        held = json.loads(one.leaf)
        held["actor"] = "0" * 16
        leaf = json.dumps(held, sort_keys=True, separators=(",", ":"))
        Entry.objects.filter(pk=0).update(leaf=leaf)
        tree = Tree(MemoryStore())
        leaves = Entry.objects.order_by("index").values_list("leaf", flat=True)
        tree.append(leaf_hashes(leaf.encode() for leaf in leaves))
        Tile.objects.all().delete()
        for (level, index), hashes in tree.store.tiles.items():
            Tile.objects.create(level=level, index=index, hashes=hashes)
        Checkpoint.objects.all().delete()
    log.memory().unlink()
    for _ in range(3):
        grow()
        cast.clock.pass_(hours=2)
        records.anchor(cast.clock, council.post)
    (need,) = told(cast, "disputed")
    assert need.urgency == "now"
    assert "another history" in need.what
    records.sequence(cast.clock())
    assert Entry.objects.filter(kind="witness.disputed").count() == 1


def test_a_kept_cosignature_that_was_changed_is_left_out_and_found_by_fsck(cast, council):
    records.anchor(cast.clock, council.post)
    row = Cosignature.objects.get()
    Cosignature.objects.update(line=row.line[:-6] + "AAAAA=")
    assert queries.find_checkpoint() == Checkpoint.objects.latest("size").note
    assert any("is not on the head of that size" in one for one in check().findings)
    assert cast.client().get("/ledger/checkpoint").status_code == 200


def test_two_workers_ask_a_witness_once(cast, council, monkeypatch):
    """The second reads before the first has claimed, and writes after it."""
    real = Anchor.objects.get_or_create

    def slow(**given):
        row, made = real(**given)
        monkeypatch.undo()
        configure(monkeypatch, witnesses=((council.vkey, URL),))
        records.anchor(cast.clock, council.post)
        return row, made

    monkeypatch.setattr(type(Anchor.objects), "get_or_create", lambda _self, **given: slow(**given))
    records.anchor(cast.clock, council.post)
    assert len(council.asked) == 1


def test_a_key_that_is_none_is_a_trouble_and_stops_no_other(cast, council, monkeypatch):
    configure(monkeypatch, witnesses=(("junk+0+junk", URL), (council.vkey, URL)))
    assert records.anchor(cast.clock, council.post) == 1
    assert Anchor.objects.get(name="junk+0+junk").trouble


# Time stamps


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A time stamp authority by OpenSSL, with a root of its own: answers requests."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*words, **more):
        return subprocess.run(
            ["openssl", *words], cwd=folder, check=True, capture_output=True, **more
        )

    (folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\n")
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\n"
        "default_policy=1.2.3.4.1\ndigests=sha256\nsigner_digest=sha256\n"
        "ess_cert_id_alg=sha256\ncrypto_device=builtin\n"
    )
    new = ("-newkey", "rsa:2048", "-nodes")
    openssl(
        "req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Root",
        "-days", "3650",
    )  # fmt: skip
    openssl("req", *new, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=TSA")
    openssl(
        "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "tsa.pem", "-days", "3650", "-extfile", "ext",
    )  # fmt: skip

    def answer(_url, body, content_type):
        assert content_type == "application/timestamp-query"
        (folder / "query").write_bytes(body)
        openssl(
            "ts", "-reply", "-config", "tsa.cnf", "-section", "t", "-queryfile", "query",
            "-out", "reply",
        )  # fmt: skip
        return 200, "application/timestamp-reply", (folder / "reply").read_bytes()

    return folder, answer


def test_a_head_is_stamped_once_a_day_and_the_stamp_can_be_had_and_checked(
    cast, grow, authority, monkeypatch, tmp_path
):
    folder, answer = authority
    grow()
    configure(monkeypatch, timestamps="https://tsa.example/", timestamps_root=folder / "ca.pem")
    assert records.anchor(cast.clock, answer) == 1
    grow()
    cast.clock.pass_(hours=23)
    assert records.anchor(cast.clock, answer) == 0
    cast.clock.pass_(hours=2)
    assert records.anchor(cast.clock, answer) == 1
    assert Stamp.objects.count() == 2
    report = check()
    assert report.findings == []
    assert any("2 time stamps" in one for one in report.checked)
    row = Stamp.objects.earliest("size")
    answered = cast.client().get(f"/ledger/stamps/{row.size}/{row.pk}")
    (tmp_path / "stamp").write_bytes(answered.content)
    head = cast.client().get(f"/ledger/checkpoint/{row.size}").content
    (tmp_path / "head").write_bytes(head)
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-in", "stamp", "-data", "head", "-CAfile", folder / "ca.pem"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "Verification: OK" in done.stdout + done.stderr
    assert (
        f"/ledger/stamps/{row.size}/{row.pk}" in cast.client().get("/ledger/key").content.decode()
    )


def test_a_stamp_on_another_head_is_found_by_fsck(cast, grow, authority, monkeypatch):
    folder, answer = authority
    grow()
    configure(monkeypatch, timestamps="https://tsa.example/", timestamps_root=folder / "ca.pem")
    records.anchor(cast.clock, answer)
    grow()
    assert check().findings == []
    at = Stamp.objects.get().at
    Stamp.objects.update(at=at - timedelta(days=1))
    assert any("is of another time than is kept beside it" in one for one in check().findings)
    Stamp.objects.update(at=at, size=Checkpoint.objects.latest("size").size)
    assert any("The time stamp on the head" in one for one in check().findings)


def test_a_service_that_gives_no_stamp_is_asked_again_within_the_day_and_told(
    cast, grow, authority, monkeypatch
):
    folder, _ = authority
    grow()
    configure(monkeypatch, timestamps="https://tsa.example/", timestamps_root=folder / "ca.pem")
    asked = []

    def refuse(*given):
        asked.append(given)
        return 503, "text/html", b"<h1>no"

    for _ in range(30):
        records.anchor(cast.clock, refuse)
        cast.clock.pass_(hours=1)
    assert len(asked) == 30
    assert "The time stamp service has not answered" in told(cast, "anchor")[0].what
    assert not Stamp.objects.exists()


# Tiles and mirrors


def test_full_tiles_are_for_ever_and_heads_for_a_moment_and_all_is_for_everybody(cast, grow):
    grow(300)
    client = cast.client()
    size = Checkpoint.objects.latest("size").size
    full = client.get("/ledger/tile/0/000")
    partial = client.get(f"/ledger/tile/0/001.p/{size - 256}")
    assert len(full.content) == 256 * 32
    assert len(partial.content) == (size - 256) * 32
    assert "immutable" in full["Cache-Control"]
    assert "immutable" not in partial["Cache-Control"]
    assert client.get("/ledger/checkpoint")["Cache-Control"] == "public, max-age=2"
    entries = parse_bundle(client.get("/ledger/tile/entries/000").content)
    assert [one.decode() for one in entries] == list(
        Entry.objects.order_by("index").values_list("leaf", flat=True)[:256]
    )
    for path in ("checkpoint", "tile/0/000", "tile/entries/000", "consistency?from=1&to=2"):
        answer = client.get(f"/ledger/{path}")
        assert answer["Access-Control-Allow-Origin"] == "*", path
        assert "Set-Cookie" not in answer, path


def test_only_what_a_published_head_covers_is_served(cast, grow, monkeypatch):
    size = grow(3).size
    with monkeypatch.context() as patched:
        patched.setattr(records, "sign", lambda now: False)
        moves.leave(cast)
        records.sequence(cast.clock())
    assert Entry.objects.count() == size + 1
    client = cast.client()
    assert client.get(f"/ledger/tile/0/000.p/{size}").status_code == 200
    for path in (
        f"tile/0/000.p/{size + 1}",
        f"tile/entries/000.p/{size + 1}",
        "tile/0/000",
        "tile/entries/000",
        "tile/1/000.p/1",
        f"consistency?from=1&to={size + 1}",
    ):
        assert client.get(f"/ledger/{path}").status_code == 404, path


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1", "tile/00/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/x000/000",
        "tile/entries/../../key", "tile/64/000", "tile/-1/000", "tile/0/%30%30%30%00",
        "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/data/000",
    ],
)  # fmt: skip
def test_what_is_no_tile_is_nowhere(cast, grow, path):
    grow()
    assert cast.client().get(f"/ledger/{path}").status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400), ("?from=0&to=1", 400), ("?from=2&to=1", 404), ("?from=x&to=1", 400),
        ("?from=1&to=99999999999999999999", 400), ("?from=1&to=1", 200),
    ],
)  # fmt: skip
def test_growth_can_be_asked_for(cast, grow, query, status):
    grow(3)
    assert cast.client().get(f"/ledger/consistency{query}").status_code == status


def test_damage_is_said_and_not_served(cast, grow):
    from folkmoot.desk.records import seatbelt
    from folkmoot.desk.records.models import Tile

    size = grow(3).size
    with seatbelt.lifted():
        Tile.objects.all().delete()
        Entry.objects.filter(index=0).delete()
    for path in (f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}", "consistency?from=1&to=3"):
        answer = cast.client().get(f"/ledger/{path}")
        assert answer.status_code == 500, path
        assert answer["Cache-Control"] == "no-store"


def take_mirror(cast, folder):
    """The log as a stranger takes it, over the desk's own addresses."""
    from folkmoot.ledger.fetching import HttpLog, fetch_mirror

    client = cast.client()

    def fetch(self, path, most):
        answer = client.get(f"/ledger/{path}")
        assert answer.status_code in {200, 404}
        assert len(answer.content) <= most
        return answer.content if answer.status_code == 200 else None

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HttpLog, "_fetch", fetch)
        return fetch_mirror("http://testserver/ledger", folder, log.log_verifiers())


def test_a_mirror_that_was_taken_is_whole_and_grows(cast, grow, tmp_path, capsys):
    for entries in (2, 300):
        size = grow(entries).size
        assert take_mirror(cast, tmp_path / "mirror").size == size
        command = ["ledger", "fsck", str(tmp_path / "mirror"), "--key", queries.log_key()]
        assert main(command) == 0, capsys.readouterr()


def test_a_mirror_holds_no_words_and_no_names(cast, tmp_path):
    moves.publish(cast, accounts=[cast.feed, cast.practice])
    take_mirror(cast, tmp_path / "mirror")
    whole = b"".join(p.read_bytes() for p in (tmp_path / "mirror").rglob("*") if p.is_file())
    for word in (b"library", b"Alice", b"Bob", b"moot.example", b"Mootshire"):
        assert word.lower() not in whole.lower(), word


# The drill: back up, write on, restore, be refused, recover


class Backup:
    """The tables of the record as they were, put back as a restore would."""

    def __init__(self):
        from folkmoot.desk.records import models

        self.tables = [
            models.Intent, models.Entry, models.SubjectKey, models.FieldValue, models.Tile,
            models.Checkpoint, models.Refusal,
        ]  # fmt: skip
        self.rows = [list(table.objects.all()) for table in self.tables]

    def restore(self):
        from folkmoot.desk.records import keys, seatbelt

        with seatbelt.lifted():
            for table in reversed(self.tables):
                table.objects.all().delete()
            for table, rows in zip(self.tables, self.rows, strict=True):
                table.objects.bulk_create(rows)
        keys.forget_cached()
        connection.run_on_commit.clear()  # what comes after a restore is another transaction


def test_the_drill(cast, grow, tmp_path, capsys):
    moves.publish(cast)
    said = Entry.objects.get(kind="delivery.sent")
    backup = Backup()
    before = Checkpoint.objects.latest("size").size
    moves.publish(cast, text="Said after the backup. Everyone is welcome.")
    later = Entry.objects.filter(kind="delivery.sent").latest("index")
    later_proof = queries.get_proof(later.entry_id)
    newest = grow(2).size
    take_mirror(cast, tmp_path / "mirror")
    backup.restore()

    # The signer refuses; the desk goes on leaving entries, and sequences them.
    cast.clock.pass_(seconds=5)
    since = [moves.leave(cast, once=f"since/{n}") for n in range(2)]
    records.sequence(cast.clock())
    assert "entries are gone" in queries.find_refusal()
    assert any("The signer remembers" in s or "rolled back" in s for s in check().findings)

    cast.clock.pass_(seconds=5)
    assert cli.run(["recover", "--mirror", str(tmp_path / "mirror")]) == 0
    shown = capsys.readouterr().out
    assert f"The record has the {newest} entries of the mirror again." in shown
    assert f"{newest - before} were lost" in shown
    assert "2 that were left since the restore" in shown

    cast.clock.pass_(seconds=5)
    records.sequence(cast.clock())
    assert queries.find_refusal() is None
    assert (
        Checkpoint.objects.latest("size").size == newest + 3
    )  # those since, and the recovery's own
    assert check().findings == []
    assert [one.entry_id for one in Entry.objects.order_by("index")[newest:]][:2] == since
    assert Entry.objects.get(index=newest + 2).kind == "entry.recovered"
    # What the witnesses and mirrors saw, it still begins with.
    assert take_mirror(cast, tmp_path / "mirror").size == newest + 3

    # What was here is whole; what was lost is shown as lost, and its old proof holds.
    client = cast.client()
    assert "library" in client.get(f"/register/{said.entry_id}/").content.decode()
    page = client.get(f"/register/{later.entry_id}/").content.decode()
    assert "What this entry was about is lost" in page
    assert "does not fit" not in page
    assert verify_proof(later_proof, keys=log.log_keys()).ok
    assert verify_proof(queries.get_proof(later.entry_id), keys=log.log_keys()).ok
    assert later.entry_id not in client.get("/register/").content.decode()


def test_entries_that_still_wait_in_the_restored_outbox_keep_their_values(cast, grow, tmp_path):
    grow()
    left = moves.leave(cast, once="waits/1")
    backup = Backup()
    records.sequence(cast.clock())
    take_mirror(cast, tmp_path / "mirror")
    backup.restore()
    cast.clock.pass_(seconds=5)
    from folkmoot.desk.records.recovering import recover

    done = recover(tmp_path / "mirror", cast.clock())
    assert (done.brought_back, done.kept, done.waiting) == (0, 1, 0)
    one = Entry.objects.get(entry_id=left)
    assert (one.once, one.recovered_at) == ("waits/1", None)
    cast.clock.pass_(seconds=5)
    records.sequence(cast.clock())
    assert check().findings == []


def test_a_mirror_that_is_too_old_brings_back_what_it_has_and_says_what_is_missing(
    cast, grow, tmp_path, capsys
):
    grow()
    backup = Backup()
    grow(2)
    take_mirror(cast, tmp_path / "mirror")
    grow(3)
    backup.restore()
    cast.clock.pass_(seconds=5)
    assert cli.run(["recover", "--mirror", str(tmp_path / "mirror")]) == 1
    assert "The signer remembers 3 entries more than the mirror has" in capsys.readouterr().out
    records.sequence(cast.clock())
    assert "entries are gone" in queries.find_refusal()


@pytest.mark.parametrize("how", ["nothing", "stranger", "damaged", "none", "other"])
def test_a_mirror_that_does_not_serve_changes_nothing(cast, grow, tmp_path, capsys, how):
    grow(2)
    take_mirror(cast, tmp_path / "mirror")
    folder = tmp_path / "mirror"
    if how == "stranger":
        from folkmoot.ledger import Signer

        note = (folder / "checkpoint").read_text()
        text = note.partition("\n\n")[0] + "\n"
        (folder / "checkpoint").write_text(Signer.generate("x.example/l").sign(text))
    elif how == "damaged":
        (file,) = (folder / "tile" / "entries").rglob("[0-9]*[0-9]")
        data = bytearray(file.read_bytes())
        data[20] ^= 1
        file.write_bytes(bytes(data))
    elif how == "none":
        folder = tmp_path / "nothing"
        folder.mkdir()
    elif how == "other":  # a head was signed here for others than those of the mirror
        from folkmoot.desk.records import seatbelt
        from folkmoot.ledger import Checkpoint as Head

        size = Checkpoint.objects.latest("size").size
        with seatbelt.lifted():
            Entry.objects.filter(index=size - 1).delete()
            note = log.signer().sign(Head(settings.CONFIG.origin, size, bytes(32)).to_text())
            Checkpoint.objects.filter(size=size).update(note=note)
    before = moves.state_of_everything()
    assert cli.run(["recover", "--mirror", str(folder)]) == 2
    assert "Nothing was changed." in capsys.readouterr().err
    assert moves.state_of_everything() == before


# A signer of its own


@pytest.fixture
def apart(cast, monkeypatch, tmp_path):
    """The desk without the log's key, and a way to act as the signer, who has it."""
    from dataclasses import replace

    home = settings.CONFIG
    desk = replace(home, home=tmp_path / "desk", separate_signer=True)
    signer = replace(home, home=tmp_path / "signer", separate_signer=True)
    for one in (desk, signer):
        one.home.mkdir()
        one.key_file("x").parent.mkdir()
    for name in ("epochs.key",):
        if home.key_file(name).exists():
            desk.key_file(name).write_bytes(home.key_file(name).read_bytes())
    monkeypatch.setattr(settings, "CONFIG", desk)

    def as_signer(act):
        with monkeypatch.context() as patched:
            patched.setattr(settings, "CONFIG", signer)
            return act()

    return desk, signer, as_signer


def test_a_desk_without_the_key_goes_on_and_the_signer_signs(cast, apart, grow):
    desk, signer, as_signer = apart
    moves.leave(cast)
    records.sequence(cast.clock())
    assert not Checkpoint.objects.exists()
    assert not desk.key_file(log.PRIVATE).exists()
    assert as_signer(lambda: cli.run(["sign", "--once"])) == 0
    assert not desk.key_file(log.PRIVATE).exists()
    assert Checkpoint.objects.latest("size").size == Entry.objects.count()
    assert (signer.home / "ledger.checkpoint").exists()
    assert not (desk.home / "ledger.checkpoint").exists()
    # The web needs the public half alone.
    desk.key_file(log.PUBLIC).write_bytes(signer.key_file(log.PUBLIC).read_bytes())
    one = Entry.objects.latest("index")
    assert verify_proof(queries.get_proof(one.entry_id, public_only=False), keys=log.log_keys()).ok
    assert cast.client().get("/ledger/key").status_code == 200
    assert check().findings == []


def test_without_the_public_key_a_page_says_what_to_do(cast, apart):
    moves.leave(cast)
    records.sequence(cast.clock())
    with pytest.raises(log.NoLogKey, match=r"Copy ledger\.pub"):
        log.log_keys()
    assert "is not here yet" in cast.client().get("/ledger/key").content.decode()
    assert cast.client(cast.dan).get("/desk/settings/").status_code == 200


def test_a_restored_database_is_refused_by_the_signer_apart(cast, apart):
    _desk, signer, as_signer = apart
    moves.leave(cast)
    records.sequence(cast.clock())
    backup = Backup()
    moves.leave(cast)
    records.sequence(cast.clock())
    as_signer(lambda: cli.run(["sign", "--once"]))
    backup.restore()
    moves.leave(cast)
    records.sequence(cast.clock())
    moves.leave(cast)
    records.sequence(cast.clock())
    assert as_signer(lambda: cli.run(["sign", "--once"])) == 1
    assert "does not begin with" in queries.find_refusal()
    assert Verifier.from_text(signer.key_file(log.PUBLIC).read_text().split()[0])


def test_a_signer_that_is_silent_is_told_after_a_while(cast, apart):
    moves.leave(cast)
    records.sequence(cast.clock())
    assert signing.find_silence(cast.clock()) is None
    cast.clock.pass_(minutes=6)
    assert "wait for a signed head" in signing.find_silence(cast.clock())
    assert told(cast, "silence")
    assert cast.client().get("/healthy").json()["record_signed"] is False


def test_the_verb_says_so_where_the_worker_signs(db, capsys):
    assert cli.run(["sign", "--once"]) == 2
    assert "signs by itself" in capsys.readouterr().err


def test_the_newest_head_can_be_printed(cast, grow, capsys):
    assert cli.run(["checkpoint"]) == 2
    head = grow()
    capsys.readouterr()
    assert cli.run(["checkpoint"]) == 0
    assert capsys.readouterr().out == heads.published(head) == head.note
