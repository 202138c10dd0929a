"""What a reader's browser says of a proof is what the library says, whatever is done to the proof.

The script runs in Node, which has the browser's own cryptography.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from folkmoot.desk import records
from folkmoot.ledger import (
    Checkpoint,
    Cosigner,
    Entry,
    MemoryStore,
    Signer,
    Tree,
    commit,
    leaf_hash,
    make_proof,
    seal,
    verify_consistency,
    verify_inclusion,
    verify_proof,
)

NODE = shutil.which("node")
SCRIPT = Path(records.__file__).parent / "static/records/proof.js"
JUDGE = """
import { readFileSync } from "node:fs";
const script = readFileSync(process.argv[2], "base64");
const judge = await import("data:text/javascript;base64," + script);
const bytes = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const said = [];
for (const { text, keys, name, sizes, hashes, path } of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    if (name === "inclusion") {
      const [leaf, root] = hashes.map(bytes);
      said.push(await judge.isIncluded(leaf, ...sizes.map(BigInt), path.map(bytes), root));
    } else if (name === "consistency") {
      said.push(await judge.isGrowth(...sizes.map(BigInt), ...hashes.map(bytes), path.map(bytes)));
    } else {
      said.push((await judge.openProof(text, keys)).head.signed === true);
    }
  } catch (fault) {
    said.push(fault instanceof judge.Refused ? false : String(fault));
  }
}
console.log(JSON.stringify(said));
"""
DRAWN = Random(5)
SIGNER, OTHER = (Signer.generate("log.example/r", random_bytes=DRAWN.randbytes) for _ in range(2))
WITNESS = Cosigner.generate("witness.example/w", random_bytes=DRAWN.randbytes)
AT = datetime(2026, 11, 20, tzinfo=UTC)

pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not installed")


def in_browser(tmp_path, cases):
    judge = tmp_path / "judge.mjs"
    judge.write_text(JUDGE, encoding="utf-8")
    done = subprocess.run(
        [NODE, judge, SCRIPT],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def differing(tmp_path, cases):
    """Of the cases by name, those that the browser judges otherwise than the library."""
    said = in_browser(tmp_path, [{"text": text, "keys": keys} for _, text, keys in cases])
    return {
        name: (browser, library.reason)
        for (name, text, keys), browser in zip(cases, said, strict=True)
        if browser != (library := verify_proof(text, keys=keys)).ok
    }


def compact(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass
class Log:
    """A small log, and an entry of it that says what is awkward."""

    tree: Tree
    entry: str
    shown: dict
    note: str

    @classmethod
    def make(cls):
        tree = Tree(MemoryStore())
        for number in range(9):
            entry, fields = seal(
                id=f"{number:032x}",
                kind="a.b",
                at=AT,
                organisation="o",
                actor="a",
                role="r",
                subject="s",
                retention="x",
                fields={"text": "h\u00e9\ufffd\u2028\x7f \U0001f600", "other": 'x"\\\n'},
                salts=lambda: DRAWN.randbytes(32),
            )
            if number == 3:
                mine, opened = entry, fields
            tree.append([leaf_hash(entry.to_bytes())])
        shown = {one.label: {"salt": one.salt.hex(), "value": one.value} for one in opened}
        return cls(tree, mine.to_bytes().decode(), shown, head_of(tree))

    def proof(self, *, index=3, path=None, note=None, extra=None, **changed):
        parts = {"disclosed": self.shown, "entry": self.entry, "vkey": SIGNER.vkey} | changed
        return proof_text(
            compact(parts) if extra is None else extra,
            index,
            self.tree.inclusion_proof(3) if path is None else path,
            note or self.note,
        )

    def field(self, **changed):
        return self.shown | {"text": self.shown["text"] | changed}


def head_of(tree, *extensions):
    return SIGNER.sign(Checkpoint("log.example/r", tree.size, tree.root(), extensions).to_text())


def proof_text(extra, index, path, note):
    data = extra if isinstance(extra, bytes) else extra.encode()
    hashes = "".join(base64.b64encode(one).decode() + "\n" for one in path)
    return (
        f"c2sp.org/tlog-proof@v1\nextra {base64.b64encode(data).decode()}\nindex {index}\n"
        f"{hashes}\n{note}"
    )


@pytest.fixture(scope="module")
def log():
    return Log.make()


def line(name, data):
    return f"\u2014 {name} {base64.b64encode(data).decode()}\n"


def forged(log):
    """Proofs by name, of which most are false, with the keys to believe."""
    good = log.proof()
    text = log.note.partition("\n\n")[0] + "\n"
    mine, theirs = (one.sign(text).rpartition("\n\n")[2] for one in (SIGNER, OTHER))
    yield from (("good", good), ("another byte", good.replace("index 3", "index 4")))
    yield from (
        (f"shows {one!r}", log.proof(disclosed=one)) for one in (None, [], 5, True, "", 1.5)
    )
    half = compact({"disclosed": log.shown, "entry": log.entry, "vkey": SIGNER.vkey})
    yield "half a character", log.proof(extra=half.replace("\ufffd", "\\ud800"))
    salt = log.shown["text"]["salt"]
    for odd in (salt + "\n", salt.upper(), [salt], salt[2:]):
        yield f"salt {odd}", log.proof(disclosed=log.field(salt=odd))
    for label in ("__proto__", "t\u0435xt", "constructor"):
        yield label, log.proof(disclosed=log.shown | {label: log.shown["text"]})
    yield "a key twice", log.proof(extra='{"entry":"",' + half[1:])
    yield "a space after", log.proof(extra=half + " ")
    yield "a mark before", "\ufeff" + good
    yield "lines of Windows", good.replace("\n", "\r\n")
    for index in (-3, 4, 9, "03", "\u0663", "3 ", 2**63 - 1, 2**63 + 3, 2**64 + 3):
        yield f"index {index}", log.proof(index=index)
    path = log.tree.inclusion_proof(3)
    for wrong in (path[1:], [*path, bytes(32)], [path[0][:31], *path[1:]]):
        yield f"{len(wrong)} hashes", log.proof(path=wrong)
    yield "signed twice", good + mine
    yield "signed falsely too", good + line(SIGNER.name, SIGNER.verifier.key_id + bytes(64))
    yield "cosigned", good + WITNESS.cosign(text, AT).line + "\n"
    yield "64 signatures", good + line("ab", bytes(5)) * 63
    yield "65 signatures", good + line("ab", bytes(5)) * 64
    yield "no signature", good + line("ab", bytes(4))
    for code in (0, 0x1C, 0x2B, 0x7F, 0x85, 0xA0, 0x1680, 0x180E, 0x200B, 0x2028, 0x3000, 0xFEFF):
        yield f"a name with {code:x}", good + line(f"a{chr(code)}b", bytes(68))
    yield "with further lines", log.proof(note=head_of(log.tree, "further", "lines"))
    yield "for another log", log.proof(note=SIGNER.sign(text.replace("log.example/r", "other")))
    yield "by a stranger", log.proof(note=OTHER.sign(text))
    yield "by both", log.proof(note=log.note + theirs)
    yield "by both, the other first", log.proof(note=OTHER.sign(text) + mine)
    yield "by the other's name", log.proof(vkey=OTHER.vkey)


def made_up(log):
    """Proofs of entries that no record of ours has, in a log that holds them."""
    held = json.loads(log.entry)
    salt, opened = bytes(32), {"salt": "00" * 32, "value": "v"}
    labels = {label: commit(held["id"], label, salt, "v").hex() for label in ("Text", "t\u0435xt")}
    changes = [
        *({"id": one} for one in ("ab", "A" * 32)),
        *({"kind": one} for one in ("Evil", "a.b\n", "a")),
        *({"at": one} for one in ("tomorrow", "2026-13-01T00:00:00.000000Z")),
        *({"at": f"2026-02-{one}.000000Z"} for one in ("30T00:00:00", "03T24:00:00")),
        *({"at": one} for one in ("2026-02-03T00:00:60.000000Z", "0000-02-03T00:00:00.000000Z")),
        *({"version": one} for one in (2, True, 1.5)),
        *({"actor": one} for one in ("a b", "a@b", None, "\0", "\u00e9", "x" * 129)),
        *({"links": one} for one in ({}, ["x"], ["0" * 32] * 2, ["0" * 32] * 2_000)),
        *({"commitments": one} for one in ([], {"Text": "0" * 64}, {"text": "A" * 64})),
        *({"commitments": {label: one}} for label, one in labels.items()),
        {"further": 1},
        {"retention": ""},
    ]
    for change in changes:
        leaf = compact(held | change)
        shown = {label: opened for label in labels if label in change.get("commitments", ())}
        tree = Tree(MemoryStore())
        tree.append([leaf_hash(leaf.encode())])
        extra = compact({"disclosed": shown, "entry": leaf, "vkey": SIGNER.vkey})
        yield f"{change!r:.80}", proof_text(extra, 0, [], head_of(tree))


def test_what_a_forger_can_do_to_a_proof_the_browser_judges_as_the_library_does(tmp_path, log):
    keys = [SIGNER.vkey, OTHER.vkey]
    cases = [(name, text, keys[:1]) for name, text in (*forged(log), *made_up(log))]
    cases += [(f"{name}, both known", text, keys) for name, text in forged(log)]
    assert differing(tmp_path, cases) == {}
    good = [name for name, text, known in cases if verify_proof(text, keys=known).ok]
    assert "good" in good
    assert len(good) < len(cases) / 2


def test_thousands_of_proofs_with_a_character_changed_are_judged_alike(tmp_path, log):
    good = make_proof(
        Entry.from_bytes(log.entry.encode()),
        (),
        index=3,
        path=log.tree.inclusion_proof(3),
        checkpoint=log.note,
        vkey=SIGNER.vkey,
    )
    cases = [
        (f"{number}", change(good if number % 2 else log.proof()), [SIGNER.vkey])
        for number in range(2_000)
    ]
    inner = compact({"disclosed": log.shown, "entry": log.entry, "vkey": SIGNER.vkey})
    cases += [
        (f"within {number}", log.proof(extra=change(inner)), [SIGNER.vkey])
        for number in range(2_000)
    ]
    assert differing(tmp_path, cases) == {}


def change(text):
    place, odd = DRAWN.randrange(len(text)), DRAWN.choice('AB=+/\n \u2014\0\u00e90 1{}[]"\\,:.-')
    kind = DRAWN.choice(["put", "out", "over"])
    if kind == "put":
        return text[:place] + odd + text[place:]
    return text[:place] + (odd if kind == "over" else "") + text[place + 1 :]


def test_the_hostile_vectors_are_judged_alike(tmp_path):
    folder = Path(
        os.environ.get("FOLKMOOT_DATA") or Path(__file__).parents[2].parent / "shared/data"
    )
    vectors = folder / "merkle-vectors" / "testdata"
    if not vectors.is_dir():
        pytest.skip("the open test data is absent; set FOLKMOOT_DATA to its folder")
    cases, wanted = [], []
    for name, sizes, hashes in (
        ("inclusion", ("leafIdx", "treeSize"), ("leafHash", "root")),
        ("consistency", ("size1", "size2"), ("root1", "root2")),
    ):
        for file in sorted((vectors / name).rglob("*.json")):
            held = json.loads(file.read_bytes())
            decoded = [base64.b64decode(held[one] or "").hex() for one in hashes]
            path = [base64.b64decode(one).hex() for one in held["proof"] or ()]
            cases.append(
                {
                    "name": name,
                    "sizes": [held[one] for one in sizes],
                    "hashes": decoded,
                    "path": path,
                }
            )
            wanted.append(library_says(cases[-1]))
    assert len(cases) == 196
    assert wanted.count(True) == 11
    assert in_browser(tmp_path, cases) == wanted


def library_says(case):
    first, second = map(bytes.fromhex, case["hashes"])
    path = list(map(bytes.fromhex, case["path"]))
    if case["name"] == "inclusion":
        return verify_inclusion(first, *case["sizes"], path, second).ok
    return verify_consistency(*case["sizes"], first, second, path).ok
