"""Beginning to use a new key for the log.

The change is an entry, under a head that the former key signs: whoever trusted that key can follow
to the new one. The former public key stays published, and what it signed counts.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from folkmoot.desk.keyfile import read_or_make
from folkmoot.ledger import Signer
from folkmoot.ledger.durable import sync_folder

from .actions import record, sequence
from .heads import find_refusal
from .log import NEXT, PRIVATE, NoLogKey, log_keys, publish_key, write_keys
from .signing import is_signed, sign


def change_key(now: datetime) -> str:
    """Make a new key, leave the entry that says so, have the former key sign it, and change over;
    the new public key.

    Killed anywhere, it is taken up by calling it again. Raises :class:`.log.NoLogKey` where the
    present key does not sign: then it is not changed.
    """
    config = settings.CONFIG
    waiting = config.key_file(NEXT)
    fresh = Signer.from_text(
        read_or_make(waiting, lambda: Signer.generate(config.origin).to_text())
    )
    if log_keys()[0] != fresh.vkey:
        publish_key()
        with transaction.atomic():
            record(
                "key.changed",
                at=now,
                organisation="",
                actor="",
                role="",
                subject="ledger",
                fields={"key": fresh.vkey},
                public=("key",),
                once=f"key.changed/{fresh.vkey[-40:]}",
            )
        sequence(now)
        sign(now)
        if not is_signed():
            raise NoLogKey(
                "The key was not changed: the present one does not sign the entry that says so. "
                f"{find_refusal() or ''}".rstrip()
            )
        write_keys([fresh.vkey, *log_keys()])
    waiting.replace(config.key_file(PRIVATE))
    sync_folder(waiting.parent)
    return fresh.vkey
