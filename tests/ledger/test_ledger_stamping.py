"""Time stamps by a real authority, made on the spot with OpenSSL, and what is refused of others."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.ledger.errors import StampError
from folkmoot.ledger.stamping import (
    MAX_STAMP_BYTES,
    Stamp,
    fetch_stamp,
    make_stamp_request,
    read_stamp,
)

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[between]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[authority]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
serial = serial
crypto_device = builtin
signer_cert = {signer}.pem
signer_key = {signer}.key
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = {digests}
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
{more}
"""
HEAD = "log.example\n5\nqqqq\n\n— log.example AAAAAAAA\n".encode()
DAYS = "3650"


class Authority:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "serial").write_text("01\n")
        self.configure()
        self.certificate("root", "root", by=None)
        self.certificate("stamp", "authority", by="root")
        self.root = (folder / "root.pem").read_bytes()

    def configure(
        self, name: str = "x", signer: str = "stamp", digests: str = "sha256", more: str = ""
    ) -> None:
        text = CONFIG.format(name=name, signer=signer, digests=digests, more=more)
        (self.folder / "ts.cnf").write_text(text)

    def openssl(self, *words: str) -> bytes:
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def certificate(self, name: str, kind: str, *, by: str | None) -> None:
        self.configure(f"Borsetshire {name}")
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        how = ["-config", "ts.cnf", "-key", f"{name}.key"]
        if by is None:
            self.openssl(
                "req", "-x509", "-new", "-sha256", "-days", DAYS, "-extensions", kind,
                "-out", f"{name}.pem", *how,
            )  # fmt: skip
        else:
            self.openssl("req", "-new", "-out", f"{name}.csr", *how)
            self.openssl(
                "x509", "-req", "-sha256", "-days", DAYS, "-in", f"{name}.csr",
                "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial",
                "-extfile", "ts.cnf", "-extensions", kind, "-out", f"{name}.pem",
            )  # fmt: skip
        self.configure()

    def answer(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        self.openssl(
            "ts", "-reply", "-config", "ts.cnf", "-section", "tsa",
            "-queryfile", "query", "-out", "answer",
        )  # fmt: skip
        return (self.folder / "answer").read_bytes()


@pytest.fixture(scope="module")
def tsa(tmp_path_factory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command here to stand in for an authority")
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(autouse=True)
def as_it_was(tsa: Authority) -> None:
    tsa.configure()


@pytest.fixture(scope="module")
def stamped(tsa: Authority) -> tuple[bytes, int]:
    request = make_stamp_request(HEAD)
    return tsa.answer(request.body), request.nonce


def test_a_stamp_over_a_head_says_when_and_by_whom(tsa: Authority, stamped) -> None:
    answer, nonce = stamped
    stamp = read_stamp(answer, HEAD, tsa.root, nonce=nonce)
    assert abs(stamp.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert stamp.at.tzinfo is UTC
    assert stamp.authority == "CN=Borsetshire stamp"
    assert stamp.policy == "1.2.3.4.1"
    assert stamp.serial >= 1
    assert stamp.accuracy == timedelta(seconds=1, milliseconds=500, microseconds=100)
    # As it is read years later, when nobody remembers the request's number.
    assert read_stamp(answer, HEAD, tsa.root) == stamp


def test_openssl_reads_the_request_as_it_was_meant_and_believes_the_stamp(
    tsa: Authority, stamped
) -> None:
    request = make_stamp_request(HEAD, random_bytes=lambda size: bytes(range(size)))
    assert request.nonce == 0x8001020304050607
    (tsa.folder / "mine").write_bytes(request.body)
    said = tsa.openssl("ts", "-query", "-in", "mine", "-text").decode()
    assert "Version: 1\nHash Algorithm: sha256" in said
    assert "Nonce: 0x8001020304050607\nCertificate required: yes" in said
    (tsa.folder / "head").write_bytes(HEAD)
    (tsa.folder / "kept").write_bytes(stamped[0])
    said = tsa.openssl(
        "ts", "-verify", "-data", "head", "-in", "kept", "-CAfile", "root.pem"
    ).decode()
    assert "Verification: OK" in said


def test_requests_are_all_of_one_length_and_none_has_the_number_of_another() -> None:
    made = [make_stamp_request(HEAD) for _ in range(200)]
    assert {len(one.body) for one in made} == {70}
    assert len({one.nonce for one in made}) == 200
    zero = make_stamp_request(HEAD, random_bytes=bytes)
    assert len(zero.body) == 70


def test_the_log_fetches_a_stamp_and_keeps_what_the_authority_gave(tsa: Authority) -> None:
    asked: list[str] = []

    def post(url: str, body: bytes) -> tuple[int, str, bytes]:
        asked.append(url)
        return 200, "application/timestamp-reply", tsa.answer(body)

    kept, stamp = fetch_stamp(post, "https://tsa.example/", HEAD, tsa.root)
    assert asked == ["https://tsa.example/"]
    assert read_stamp(kept, HEAD, tsa.root) == stamp


def test_another_answer_of_the_server_is_no_stamp(tsa: Authority, stamped) -> None:
    for answer, says in (
        ((503, "text/html", b"later"), "it said 503"),
        ((200, "text/html", b"<p>welcome"), "This is no time stamp"),
        ((200, "application/timestamp-reply", b""), "This is no time stamp"),
        ((200, "application/timestamp-reply", stamped[0]), "answers another request"),
    ):
        with pytest.raises(StampError, match=says):
            fetch_stamp(lambda url, body, answer=answer: answer, "https://t/", HEAD, tsa.root)


def test_a_stamp_over_other_bytes_is_refused(tsa: Authority, stamped) -> None:
    for other in (HEAD + b"\n", HEAD[:-1], b""):
        with pytest.raises(StampError, match="over other bytes"):
            read_stamp(stamped[0], other, tsa.root)


def test_a_stamp_for_another_request_is_refused(tsa: Authority, stamped) -> None:
    with pytest.raises(StampError, match="answers another request"):
        read_stamp(stamped[0], HEAD, tsa.root, nonce=stamped[1] ^ 1)


def test_an_authority_that_nobody_vouched_for_is_refused(
    tsa: Authority, stamped, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)
    with pytest.raises(StampError, match="not that of an authority which the certificates you"):
        read_stamp(stamped[0], HEAD, stranger.root)
    with pytest.raises(StampError, match="not that of an authority"):
        read_stamp(stranger.answer(make_stamp_request(HEAD).body), HEAD, tsa.root)
    assert read_stamp(stamped[0], HEAD, stranger.root + tsa.root + tsa.root)


@pytest.mark.parametrize(
    "roots", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_root_certificates_that_are_none_are_refused(stamped, roots: bytes) -> None:
    with pytest.raises(StampError, match="root certificates are not PEM"):
        read_stamp(stamped[0], HEAD, roots)


def test_a_refusal_of_the_authority_is_told(tsa: Authority) -> None:
    tsa.configure(digests="sha512")
    with pytest.raises(StampError, match=r"gave no stamp: status 2 .*not supported"):
        read_stamp(tsa.answer(make_stamp_request(HEAD).body), HEAD, tsa.root)


def test_a_stamp_by_another_hash_than_was_asked_for_is_refused(tsa: Authority) -> None:
    tsa.configure(digests="sha512")
    (tsa.folder / "head").write_bytes(HEAD)
    tsa.openssl("ts", "-query", "-data", "head", "-sha512", "-cert", "-out", "other")
    with pytest.raises(StampError, match="another hash"):
        read_stamp(tsa.answer((tsa.folder / "other").read_bytes()), HEAD, tsa.root)


def test_a_stamp_without_its_signers_certificate_is_refused(tsa: Authority) -> None:
    (tsa.folder / "head").write_bytes(HEAD)
    tsa.openssl("ts", "-query", "-data", "head", "-sha256", "-out", "bare")
    with pytest.raises(StampError, match="must bring the one certificate"):
        read_stamp(tsa.answer((tsa.folder / "bare").read_bytes()), HEAD, tsa.root)


def test_an_authority_below_another_is_believed_where_that_one_is_given_too(
    tsa: Authority,
) -> None:
    tsa.certificate("between", "between", by="root")
    tsa.certificate("below", "authority", by="between")
    tsa.configure(signer="below")
    answer = tsa.answer(make_stamp_request(HEAD).body)
    with pytest.raises(StampError, match="not that of an authority"):
        read_stamp(answer, HEAD, tsa.root)
    between = (tsa.folder / "between.pem").read_bytes()
    assert read_stamp(answer, HEAD, tsa.root + between).authority == "CN=Borsetshire below"


def test_certificates_in_an_order_that_der_forbids_are_refused_in_words(tsa: Authority) -> None:
    """OpenSSL 3.0 writes them as they come; see the module."""
    found = set()
    for order in (("root", "stamp"), ("stamp", "root")):
        both = b"".join((tsa.folder / f"{one}.pem").read_bytes() for one in order)
        (tsa.folder / "both.pem").write_bytes(both)
        tsa.configure(more="certs = both.pem")
        try:
            read_stamp(tsa.answer(make_stamp_request(HEAD).body), HEAD, tsa.root)
        except StampError as refused:
            found.add("Ordering" in str(refused))
    assert True in found


def test_a_second_certificate_that_poses_as_the_signers_is_refused(tsa: Authority) -> None:
    """What a certificate is for is looked up by issuer and number, which anybody can write."""
    tsa.configure(more="certs = stamp.pem")  # the signer's comes twice, and the copies are equal
    answer = tsa.answer(make_stamp_request(HEAD).body)
    assert read_stamp(answer, HEAD, tsa.root)
    der = subprocess.run(
        ["openssl", "x509", "-in", "stamp.pem", "-outform", "DER"],
        cwd=tsa.folder,
        capture_output=True,
    ).stdout
    assert answer.count(der) == 2
    last = answer.rindex(der) + len(der) - 1
    for bit in range(8):
        posing = bytearray(answer)
        posing[last] ^= 1 << bit
        with pytest.raises(StampError, match=r"brings 2|Ordering"):
            read_stamp(bytes(posing), HEAD, tsa.root)


def test_no_changed_byte_makes_a_stamp_say_anything_else(tsa: Authority, stamped) -> None:
    """A few bytes are covered by no signature (a version, the name of an algorithm): changing them
    may pass, and changes nothing that the stamp says.
    """
    answer, nonce = stamped
    says = read_stamp(answer, HEAD, tsa.root, nonce=nonce)
    passed = 0
    for at in range(len(answer)):
        for bit in range(0, 8, 3):
            changed = bytearray(answer)
            changed[at] ^= 1 << (at + bit) % 8
            try:
                assert read_stamp(bytes(changed), HEAD, tsa.root, nonce=nonce) == says, at
                passed += 1
            except StampError:
                continue
    assert passed < 40


def test_a_stamp_cut_short_or_with_more_behind_it_is_refused(tsa: Authority, stamped) -> None:
    answer, _ = stamped
    for junk in [answer[:length] for length in range(0, len(answer), 7)] + [answer + b"\0"]:
        with pytest.raises(StampError, match="This is no time stamp"):
            read_stamp(junk, HEAD, tsa.root)
    with pytest.raises(StampError, match="64 KiB"):
        read_stamp(b"\x30" * (MAX_STAMP_BYTES + 1), HEAD, tsa.root)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_bytes_whatever_raise_anything_but_a_refusal(tsa: Authority, stamped, data) -> None:
    answer, _ = stamped
    at = data.draw(st.integers(0, len(answer)))
    junk = data.draw(st.binary(max_size=40))
    for hostile in (junk, answer[:at] + junk, answer[:at] + junk + answer[at + len(junk) :]):
        with contextlib.suppress(StampError):
            assert isinstance(read_stamp(hostile, HEAD, tsa.root), Stamp)
    with pytest.raises(StampError) as refused:
        read_stamp(junk, HEAD, tsa.root)
    assert str(refused.value).isprintable()
