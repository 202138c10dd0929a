"""The shelf of a channel the desk serves itself, on the desk's own database."""

from __future__ import annotations

from datetime import datetime

from django.db import DatabaseError, IntegrityError, transaction

from folkmoot.channels import ShelfError, Shelved

from .models import ShelfItem


class TableShelf:
    """Records by key for one account: the engine's ``Shelf``. What is put there is kept under
    ``subject``. A record that was erased is empty.
    """

    def __init__(self, account_id: int, subject: str = "") -> None:
        self._account_id = account_id
        self._subject = subject or f"account/{account_id}"

    def put_if_absent(self, key: str, record: bytes, *, published_at: datetime) -> bool:
        """Put ``record`` under ``key`` unless something stands there; whether it was put."""
        try:
            with transaction.atomic():
                ShelfItem.objects.create(
                    account_id=self._account_id,
                    key=key,
                    subject=self._subject,
                    record=record,
                    at=published_at,
                )
        except IntegrityError:
            return False
        except DatabaseError as fault:
            raise ShelfError(f"The database could not be written: {fault}.") from fault
        return True

    def find(self, key: str) -> Shelved | None:
        """What stands under ``key``, or ``None``."""
        try:
            item = ShelfItem.objects.filter(account_id=self._account_id, key=key).first()
        except DatabaseError as fault:
            raise ShelfError(f"The database could not be read: {fault}.") from fault
        return _shelved(item) if item else None

    def list_newest(self, limit: int) -> tuple[Shelved, ...]:
        """At most ``limit`` records, newest first; then by key."""
        try:
            return tuple(
                _shelved(item)
                for item in ShelfItem.objects.filter(account_id=self._account_id).order_by(
                    "-at", "key"
                )[:limit]
            )
        except DatabaseError as fault:
            raise ShelfError(f"The database could not be read: {fault}.") from fault


def _shelved(item: ShelfItem) -> Shelved:
    return Shelved(item.key, bytes(item.record), item.at)
