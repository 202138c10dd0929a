"""The vault: what is sealed opens in one place alone, and only for who holds the private key."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from folkmoot.desk.accounts import vault
from folkmoot.desk.accounts.vault import VaultError, seal, unseal

SECRET = "abcd-efgh-ijkl-mnop"
PLACE = "account/1/secret"


@pytest.fixture
def key_file():
    """The private file; both are put back afterwards."""
    private, public = (settings.CONFIG.key_file(name) for name in ("vault.key", "vault.pub"))
    seal(PLACE, "so that they are there")
    before = private.read_text(), public.read_text()
    yield private
    private.write_text(before[0])
    public.write_text(before[1])


@pytest.mark.parametrize("secret", ["", "x", SECRET, "naïve 👨‍👩‍👧‍👦", "y" * 10_000])
def test_what_is_sealed_opens_in_its_place(secret):
    assert unseal(PLACE, seal(PLACE, secret)) == secret


def test_the_same_secret_is_never_sealed_alike():
    assert len({seal(PLACE, SECRET) for _ in range(20)}) == 20


def test_a_token_moved_to_another_place_does_not_open():
    sealed = seal(PLACE, SECRET)
    for place in ("account/2/secret", "account/1/session", "", "account/1/secret "):
        with pytest.raises(VaultError, match="moved from another account"):
            unseal(place, sealed)


def test_a_token_cut_short_anywhere_does_not_open():
    sealed = seal(PLACE, SECRET)
    for length in range(len(sealed)):
        with pytest.raises(VaultError):
            unseal(PLACE, sealed[:length])


def test_a_token_with_any_byte_changed_added_or_taken_does_not_open():
    sealed = seal(PLACE, SECRET)
    for place in range(len(sealed)):
        for other in "A9_=.!é\n":
            for changed in (
                sealed[:place] + other + sealed[place + 1 :],
                sealed[:place] + other + sealed[place:],
                sealed[:place] + sealed[place + 1 :],
            ):
                if changed != sealed:
                    with pytest.raises(VaultError):
                        unseal(PLACE, changed)


def test_a_token_sealed_with_another_key_says_to_put_the_old_key_back(key_file):
    sealed = seal(PLACE, SECRET)
    key_file.write_text(secrets.token_urlsafe(32))
    with pytest.raises(VaultError, match="Put the old key back as a further line"):
        unseal(PLACE, sealed)


def test_a_token_of_the_time_of_one_key_for_all_says_to_connect_again():
    with pytest.raises(VaultError, match="connect the account again"):
        unseal(PLACE, "0123abcd.c29tZXRoaW5nIG9sZA==")


def test_a_new_first_line_is_the_new_key_once_its_holder_has_published_it(key_file):
    old = seal(PLACE, SECRET)
    fresh = secrets.token_urlsafe(32)
    key_file.write_text(f"{fresh}\n{key_file.read_text()}")
    assert seal(PLACE, SECRET).partition(".")[0] == old.partition(".")[0]
    vault.keep_keys()
    new = seal(PLACE, SECRET)
    assert new.partition(".")[0] != old.partition(".")[0]
    assert unseal(PLACE, old) == unseal(PLACE, new) == SECRET
    key_file.write_text(f"{fresh}\n")
    assert unseal(PLACE, new) == SECRET
    with pytest.raises(VaultError):
        unseal(PLACE, old)


@pytest.mark.parametrize(
    ("line", "said"), [("\n", "key file is empty"), ("a-line-that-is-no-key", "is no key")]
)
def test_a_private_file_without_a_key_says_so(key_file, line, said):
    sealed = seal(PLACE, SECRET)
    key_file.write_text(line)
    with pytest.raises(VaultError, match=said):
        unseal(PLACE, sealed)
    key_file.with_name("vault.pub").unlink()
    with pytest.raises(VaultError, match=said):
        seal(PLACE, SECRET)


def test_a_broken_public_file_seals_nothing_and_is_written_anew_by_the_worker(key_file):
    public = key_file.with_name("vault.pub")
    public.write_text("rubbish")
    with pytest.raises(VaultError, match="Delete the file"):
        seal(PLACE, SECRET)
    public.unlink()
    vault.keep_keys()
    assert unseal(PLACE, seal(PLACE, SECRET)) == SECRET


def test_the_private_file_is_its_owners_alone_and_the_public_one_anybodys(key_file):
    modes = [
        stat.S_IMODE(file.stat().st_mode) for file in (key_file, key_file.with_name("vault.pub"))
    ]
    assert modes == [0o600, 0o644]


def test_sealing_needs_no_private_key_and_opening_does(key_file):
    key_file.unlink()
    key_file.mkdir()  # no user, root neither, can read this as a file
    try:
        sealed = seal(PLACE, SECRET)
        assert not vault.can_open()
        with pytest.raises(VaultError, match="by the worker alone"):
            unseal(PLACE, sealed)
    finally:
        key_file.rmdir()


SPLIT = """
import os, sys
from pathlib import Path
from types import SimpleNamespace
from django.conf import settings
from folkmoot.desk.keyfile import read_or_make
keys = Path(sys.argv[1])
settings.configure(CONFIG=SimpleNamespace(
    key_file=lambda name: keys / name,
    read_or_make_key=lambda name: read_or_make(keys / name, str)))
from folkmoot.desk.accounts import vault
vault.unseal("here", vault.seal("here", "all is loaded"))  # Python itself may be out of reach then
os.setuid(65534)
sealed = vault.seal("here", "secret")
try:
    vault.unseal("here", sealed)
except vault.VaultError as closed:
    print(closed)
print(sealed)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user for a moment")
def test_another_user_can_seal_and_cannot_open(key_file):
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder)
        keys.chmod(0o755)
        for name, mode in (("vault.key", 0o600), ("vault.pub", 0o644)):
            (keys / name).write_text(key_file.with_name(name).read_text())
            (keys / name).chmod(mode)
        ran = subprocess.run(
            [sys.executable, "-c", SPLIT, keys], capture_output=True, text=True, timeout=30
        )
    assert ran.returncode == 0, ran.stderr
    said, sealed = ran.stdout.splitlines()
    assert "by the worker alone" in said
    assert unseal("here", sealed) == "secret"
