"""The log's signed heads as they are published, with what witnesses wrote below them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from folkmoot.ledger import Checkpoint, LedgerError, Witness
from folkmoot.ledger.keytexts import ID_BYTES
from folkmoot.ledger.notes import split_note, split_signature

from . import models

log = logging.getLogger(__name__)


def newest() -> models.Checkpoint | None:
    """The newest signed head."""
    return models.Checkpoint.objects.order_by("-size").first()


def best_over(index: int) -> models.Checkpoint | None:
    """The head to prove the entry of this number by: the newest that a witness cosigned, else the
    newest; ``None`` where none covers it.
    """
    heads = models.Checkpoint.objects.filter(size__gt=index).order_by("-size")
    cosigned = models.Cosignature.objects.filter(size__gt=index).values("size")
    return heads.filter(size__in=cosigned).first() or heads.first()


def read(head: models.Checkpoint) -> Checkpoint:
    """What a head states. Raises ``folkmoot.ledger.NoteError`` where it was changed."""
    return Checkpoint.from_text(split_note(head.note)[0])


def published(head: models.Checkpoint) -> str:
    """A head as it is published: the log's signature first, then those of witnesses."""
    return head.note + "".join(f"{line}\n" for _witness, line in _cosignatures(head))


def witnesses_of(head: models.Checkpoint) -> list[str]:
    """The public keys of those whose signatures a published head bears."""
    return [witness for witness, _line in _cosignatures(head)]


def _cosignatures(head: models.Checkpoint) -> Iterator[tuple[str, str]]:
    """By witness, the lines that hold. One that was changed is left out, and told of by fsck."""
    text, _ = split_note(head.note)
    for row in models.Cosignature.objects.filter(size=head.size).order_by("pk"):
        if is_cosignature(row.witness, row.line, text):
            yield row.witness, row.line
        else:
            log.critical("A cosignature on the head of %s entries was changed", head.size)


def is_cosignature(vkey: str, line: str, text: str) -> bool:
    """Whether a kept line is this witness's signature on a head's text."""
    try:
        witness = Witness.from_text(vkey)
        name, signature = split_signature(line)
    except LedgerError:
        return False
    return (
        name == witness.name
        and signature[:ID_BYTES] == witness.key_id
        and witness.verify(text, signature[ID_BYTES:])
    )


def find_refusal() -> str | None:
    """Why the signer will not sign, where it has refused since it last signed."""
    refusal = models.Refusal.objects.order_by("-pk").first()
    if refusal is None or models.Checkpoint.objects.filter(made_at__gt=refusal.made_at).exists():
        return None
    return refusal.reason
