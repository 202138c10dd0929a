"""The program that goes into each bag: Python alone, any Python, judging as OpenSSL does."""

from __future__ import annotations

import ast
import itertools
import os
import shutil
import subprocess
import sys
from collections import Counter
from hashlib import sha512
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from practice_bag import alone, capture, write

from folkmoot.ledger import Checkpoint, EntryError, LedgerError, Signer, Verifier, verify_proof
from folkmoot.ledger.alone import verifier_source
from folkmoot.ledger.bags import zip_bag
from folkmoot.ledger.entries import Entry, parse_canonical

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493

# RFC 8032 section 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
            "1cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
            "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
            "984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        sha512(b"abc").hexdigest(),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c6"
            "6431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]


def openssl_says(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def both_say(public: bytes, signature: bytes, message: bytes) -> bool:
    ours = alone().is_signature(public, signature, message)
    assert ours == openssl_says(public, signature, message), (public, signature, message)
    return ours


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032_hold(secret, public, message, signature) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    held = key.public_key().public_bytes_raw()
    assert held.hex() == public
    assert both_say(held, bytes.fromhex(signature), bytes.fromhex(message))
    assert not both_say(held, bytes.fromhex(signature), bytes.fromhex(message) + b"x")


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.data())
def test_signatures_are_judged_as_openssl_judges_them(seed, message, data) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert both_say(public, signature, message)
    whole = bytearray(public + signature)
    whole[data.draw(st.integers(0, 95))] ^= 1 << data.draw(st.integers(0, 7))
    assert not both_say(bytes(whole[:32]), bytes(whole[32:]), message)


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64), st.binary())
def test_keys_and_signatures_that_are_noise_never_raise(public, signature, message) -> None:
    both_say(public, signature, message)


def test_a_signature_with_the_order_added_to_s_is_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"text")
    s = int.from_bytes(signature[32:], "little")
    for times in (1, 2, 8):
        more = (s + times * ORDER).to_bytes(32, "little")
        assert not both_say(public, signature[:32] + more, b"text")


def test_keys_of_small_order_and_odd_encodings_are_judged_alike() -> None:
    """Every point of small order, each in all forms of 32 bytes, as key and as R; S of 0 and 1."""
    eighth = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
    ys = [0, 1, P - 1, P, P + 1, 2**255 - 1, eighth, P - eighth, 2]
    points = [(y | sign << 255).to_bytes(32, "little") for y in ys for sign in (0, 1) if y < 2**255]
    verdicts = Counter(
        both_say(key, r + s.to_bytes(32, "little"), bytes([message]))
        for key, r in itertools.product(points, points)
        for s in (0, 1)
        for message in (0, 1)
    )
    assert verdicts[True] > 10
    assert verdicts[False] > 10


@pytest.mark.parametrize(("key", "signature"), [(0, 64), (31, 64), (33, 64), (32, 63), (32, 65)])
def test_keys_and_signatures_of_other_lengths_are_refused(key: int, signature: int) -> None:
    assert not both_say(b"\1" * key, b"\1" * signature, b"")


def test_the_program_is_one_file_of_the_standard_library_that_python_3_9_can_read() -> None:
    tree = ast.parse(verifier_source(), feature_version=(3, 9))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            assert node.module.partition(".")[0] in sys.stdlib_module_names
        elif isinstance(node, ast.Import):
            assert all(one.name in sys.stdlib_module_names for one in node.names)


def test_no_name_is_defined_twice_in_the_one_file() -> None:
    """The parts are apart in the library and share one set of names in the file."""
    names: Counter[str] = Counter()
    for node in ast.parse(verifier_source()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names[node.name] += 1
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(
                one.id
                for target in targets
                for one in ast.walk(target)
                if isinstance(one, ast.Name)
            )
    assert [name for name, count in names.items() if count > 1] == []


def pythons() -> list[str]:
    """This Python and every other from 3.9 on that is found here."""
    found = [sys.executable]
    for minor in range(9, 16):
        named = shutil.which(f"python3.{minor}")
        found += [named] if named else []
        found += map(str, Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3"))
    working = {}
    for one in found:
        asked = subprocess.run(
            [one, "-I", "-S", "-c", "import sys; print(sys.version_info[:2], sys.version)"],
            capture_output=True,
            text=True,
        )
        if asked.returncode == 0:
            working.setdefault(asked.stdout, one)
    return list(working.values())


def run(python: str, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [python, "-I", "-S", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={},
        cwd=cwd,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def bag(tmp_path_factory, practice) -> Path:
    folder = tmp_path_factory.mktemp("alone") / "bag"
    write(folder, practice, title="Rhybudd \u202e llifogydd", captures=[capture(b"\0" * 5000)])
    return folder


@pytest.mark.parametrize("python", pythons())
def test_the_program_in_a_bag_runs_in_an_empty_environment(
    python: str, bag: Path, tmp_path: Path, practice
) -> None:
    done = run(python, bag / "verify.py", "--key", practice.signer.vkey, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "true"
    assert "The key that signed it is one you gave." in lines[1]
    assert "seal (SHA-256 of tagmanifest-sha256.txt)" in lines[-1]
    zip_bag(bag, tmp_path / "bag.zip")
    assert run(python, bag / "verify.py", tmp_path / "bag.zip").returncode == 0
    shutil.copytree(bag, tmp_path / "changed")
    page = tmp_path / "changed/data/index.html"
    page.write_bytes(page.read_bytes().replace(b"llifogydd", b"llifogyd", 1))
    done = run(python, bag / "verify.py", tmp_path / "changed")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("false\nThis bag does not hold. data/index.html was changed")
    stranger = Signer(practice.signer.name, b"\7" * 32)
    done = run(python, bag / "verify.py", bag, "--key", stranger.vkey)
    assert done.returncode == 1
    assert "a key that is not among those you gave" in done.stdout


def test_what_cannot_be_read_is_neither_true_nor_false(bag: Path, tmp_path: Path, practice) -> None:
    for arguments in (
        [tmp_path / "absent"],
        [bag, "--key", "nonsense"],
        [bag, "--witness", practice.signer.vkey],
        [bag, "--unknown"],
        [bag, bag],
    ):
        done = run(sys.executable, bag / "verify.py", *arguments)
        assert done.returncode == 2, arguments
        assert done.stdout == ""
        assert "verify.py" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_programs_own_copy_is_compared_with_the_one_in_the_bag(bag, tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(verifier_source() + "# mine\n")
    done = run(sys.executable, own, bag)
    assert done.returncode == 0
    assert "The verify.py in the bag is another version than this program." in done.stdout


def test_a_terminal_of_few_letters_gets_escapes_and_no_traceback(tmp_path: Path, practice) -> None:
    signer = Signer("cofnod.môn.example/log", b"\1" * 32)
    note = signer.sign(Checkpoint(signer.name, 9, practice.tree.root()).to_text())
    write(tmp_path / "bag", practice, checkpoint=note, policy=[signer.vkey])
    done = subprocess.run(
        [sys.executable, "-I", "-S", tmp_path / "bag/verify.py"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
    )
    assert done.returncode == 0
    assert b"cofnod.m" in done.stdout


hostile_json = st.recursive(
    st.text(max_size=5) | st.integers(-3, 10**25) | st.booleans() | st.none() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_two_readers_of_entries_agree_on_what_is_one(practice, data: st.DataObject) -> None:
    whole = practice.entries[3].to_bytes()
    if data.draw(st.booleans()):
        held = parse_canonical(whole)
        assert isinstance(held, dict)
        key = data.draw(st.sampled_from(sorted(held)))
        held[key] = data.draw(hostile_json)
        try:
            changed = alone().write_canonical(held)
        except alone().Wrong:
            return
    else:
        at = data.draw(st.integers(0, len(whole) - 1))
        changed = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + 1 :]
    try:
        Entry.from_bytes(changed)
        theirs = True
    except EntryError:
        theirs = False
    try:
        alone().read_entry(changed)
        ours = True
    except alone().Wrong:
        ours = False
    assert ours == theirs, changed


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_two_readers_of_keys_agree_on_what_is_one(practice, data: st.DataObject) -> None:
    text = practice.signer.vkey
    at = data.draw(st.integers(0, len(text)))
    changed = text[:at] + data.draw(st.text(max_size=2)) + text[at + data.draw(st.integers(0, 2)) :]
    try:
        theirs = Verifier.from_text(changed).vkey == changed
    except LedgerError:
        theirs = False
    try:
        key = alone().parse_key(changed)
        ours = key.kind == alone().LOG and key.text == changed
    except alone().Wrong:
        ours = False
    assert ours == theirs, changed


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_two_readers_of_proofs_agree_on_what_is_true(practice, data: st.DataObject) -> None:
    """The same for whole proofs of one head, changed in a byte or line by line."""
    verify = alone()
    head = verify.open_checkpoint(
        practice.checkpoint.encode(), [verify.parse_key(practice.signer.vkey)]
    )
    text = practice.proof(data.draw(st.integers(0, 8)), "reason")
    front, gap, note = text.partition("\n\n")
    if data.draw(st.booleans()):
        lines = front.split("\n")
        other = (
            practice.proof(data.draw(st.integers(0, 8)), "text").partition("\n\n")[0].split("\n")
        )
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.lists(st.sampled_from([*lines, *other, "index 0", "index 08", ""]), max_size=2)
        )
        front = "\n".join(lines)
    else:
        at = data.draw(st.integers(0, len(front) - 1))
        front = front[:at] + data.draw(st.characters(codec="utf-8")) + front[at + 1 :]
    changed = (front + gap + note).encode()
    theirs = verify_proof(changed, keys=[practice.signer.vkey]).ok
    if changed.partition(b"\n\n")[2] != head.note:
        assert not theirs
        return
    try:
        verify.open_proof(changed, head)
        ours = True
    except verify.Wrong:
        ours = False
    assert ours == theirs, changed
