"""Watching an account's own timeline: what we did not sign, and what was changed or taken away."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from folkmoot.channels import Adapter, Seen, Unreadable
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import columns

from .lifecycle import DeliveryState
from .models import Alarm, Delivery, Watch
from .preparing import Clock, rendition_of, sent_of
from .readback import compare

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=60)
NEWEST = 40
OURS = 1000
LONGEST_ID = 400
LONGEST_ADDRESS = 600
# A post is looked for by name, too, now and then: on a busy account it soon leaves the newest.
FOR_DAYS = timedelta(days=30)
BY_NAME = 2
SETTLED_AFTER = timedelta(seconds=60)


def list_watches_owed(now: datetime) -> list[Watch]:
    """The watches whose next look has come; every connected account has one from the first round
    on.
    """
    watched = set(Watch.objects.values_list("account_id", flat=True))
    for account in accounts.list_connected():
        if account.pk not in watched:
            Watch.objects.get_or_create(
                account=account, defaults={"since_at": now, "next_look_at": now}
            )
    return columns.list_openable(
        Watch.objects.filter(next_look_at__lte=now, account__state="connected")
        .select_related("account__organisation")
        .order_by("next_look_at")
    )


def look(watch: Watch, clock: Clock) -> int:
    """Look at one timeline; 1 if it could be read. What is amiss becomes an alarm, once."""
    now = clock()
    claimed = Watch.objects.filter(pk=watch.pk, next_look_at=watch.next_look_at).update(
        next_look_at=now + EVERY
    )
    if not claimed:
        return 0
    trouble = ""
    try:
        adapter = accounts.open_adapter(watch.account)
        seen = adapter.list_recent(NEWEST)
        if isinstance(seen, Unreadable):
            trouble = seen.reason
        else:
            _hold_against_ours(watch, adapter, tuple(map(_readable, seen)), now)
    except accounts.VaultError as sealed:
        trouble = str(sealed)
    except Exception:
        log.exception("The timeline of account %s could not be looked at", watch.account_id)
        trouble = "A fault in this program stands in the way. It is in the log."
    if trouble:
        # It has not been looked at: what stood there before is not known yet.
        columns.update_sealed(watch, {"trouble": trouble})
    return 0 if trouble else 1


def _readable(seen: Seen) -> Seen:
    """``seen`` as a table can hold it: a stranger's post may be anything."""
    return Seen(
        _clean(seen.remote_id)[:LONGEST_ID],
        _clean(seen.url)[:LONGEST_ADDRESS],
        _clean(seen.text),
        seen.at,
    )


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _hold_against_ours(
    watch: Watch, adapter: Adapter, seen: tuple[Seen, ...], now: datetime
) -> None:
    # First what has no name yet: what gets one meanwhile is then in at least one of the two.
    on_their_way = _texts_on_their_way(watch, now)
    ours = _list_ours(watch, seen)
    by_id = {remote_id: one for one in ours for remote_id in one.remote_ids}
    strangers = [one for one in seen if one.remote_id not in by_id]
    if watch.last_look_at is None:
        watch.known = [one.remote_id for one in strangers]
    else:
        for one in strangers:
            if one.remote_id not in watch.known and one.text.strip() not in on_their_way:
                _raise(watch, "unsigned", one, now)
    Watch.objects.filter(pk=watch.pk).update(known=watch.known, last_look_at=now, trouble="")
    shown = {one.remote_id: one.text for one in seen}
    for delivery in _list_doubtful(ours, shown, now):
        result, note = compare(adapter.read_back(sent_of(delivery)), delivery)
        kind = {"gone": "vanished", "differs": "changed"}.get(result)
        if kind is not None:
            what = Seen(delivery.remote_id, delivery.url, note, now)
            _raise(watch, kind, what, now, delivery=delivery)
        if result in ("matches", "gone", "differs"):
            told = {"seen_at": now, "read_back": result, "read_back_note": note}
            columns.update_sealed(delivery, told)


def _list_ours(watch: Watch, seen: Iterable[Seen]) -> list[Delivery]:
    """Our posts on the account, whatever became of them: those that ``seen`` names, and the last to
    go out, for the later parts of threads.

    By when they went out, not by when they were begun: in a burst, a post that a dead worker left
    behind is the newest on the timeline although a thousand that were begun after it are older.
    """
    ours = (
        Delivery.objects.filter(account=watch.account, removes=None)
        .exclude(remote_ids=[])
        .select_related("draft__organisation", "account")
        .defer("request", "memo", "trouble", "read_back_note")
    )
    named = ours.filter(remote_id__in=[one.remote_id for one in seen])
    last = ours.order_by(F("sent_at").desc(nulls_first=True), "-pk")[:OURS]
    found = list({one.pk: one for one in [*named, *last]}.values())
    columns.warm(one.draft.subject for one in found)
    return found


def _list_doubtful(ours: list[Delivery], shown: dict[str, str], now: datetime) -> list[Delivery]:
    """Those of our posts to be asked for by name: not shown as signed, or longest not seen.

    What a timeline shows may be shortened or dressed up, so that only reading back decides.
    """
    going = set(
        Delivery.objects.filter(removes__in=[one.pk for one in ours])
        .exclude(state__in=[DeliveryState.REFUSED, DeliveryState.MISSED])
        .values_list("removes", flat=True)
    )
    live = [
        one
        for one in ours
        if one.state == DeliveryState.SENT
        and one.removed_at is None
        and one.pk not in going
        and one.read_back in ("matches", "unreadable")
        and one.sent_at is not None
        and now - FOR_DAYS < one.sent_at < now - SETTLED_AFTER
        # What was erased here can be held against nothing.
        and not columns.is_erased(drafts.get_version(one.draft, one.version_number).text)
    ]
    doubtful = []
    for delivery in live:
        texts = [part.text for part in rendition_of(delivery).parts]
        listed = [shown.get(remote_id) for remote_id in delivery.remote_ids]
        if any(text is None or text.strip() not in ("", *texts) for text in listed):
            doubtful.append(delivery)
    # Of those that have merely left the newest, a few a round, the longest unseen first.
    newest = [one for one in doubtful if any(i in shown for i in one.remote_ids)]
    older = sorted(
        (one for one in doubtful if one not in newest), key=lambda one: one.seen_at or now
    )
    just_left = [one for one in older if len(shown) < NEWEST]
    return (newest + just_left + older[:BY_NAME])[:NEWEST]


def _texts_on_their_way(watch: Watch, now: datetime) -> set[str]:
    """The words of posts that may be live under a name we do not know: being sent, unconfirmed, or
    seen live by a person. They are no strangers' posts.
    """
    nameless = Q(state__in=[DeliveryState.SENDING, DeliveryState.UNCONFIRMED])
    nameless |= Q(state=DeliveryState.WAITING, request__isnull=False)
    nameless |= Q(state=DeliveryState.SENT, remote_ids=[], sent_at__gt=now - FOR_DAYS)
    going = Delivery.objects.filter(nameless, account=watch.account, removes=None).select_related(
        "draft__organisation", "account"
    )
    return {part.text.strip() for one in going[:OURS] for part in rendition_of(one).parts}


@transaction.atomic
def _raise(
    watch: Watch, kind: str, seen: Seen, now: datetime, *, delivery: Delivery | None = None
) -> None:
    """Raise an alarm, unless one is open or a person has closed one that said the same."""
    before = Alarm.objects.filter(account=watch.account, kind=kind, remote_id=seen.remote_id)
    if any(one.closed_at is None or _says(one, seen.text) for one in before):
        return
    alarm = Alarm.objects.create(
        account=watch.account,
        kind=kind,
        remote_id=seen.remote_id,
        url=seen.url,
        text=seen.text,
        delivery=delivery,
        seen_at=now,
    )
    stranger = {} if delivery is not None else dict.fromkeys(("url", "text"), alarm.sealed_for)
    log.error("Alarm on %s: %s", watch.account.name, alarm.get_kind_display())
    records.record(
        "alarm.raised",
        at=now,
        organisation=watch.account.organisation.ref,
        actor="",
        role="worker",
        subject=delivery.draft.subject if delivery is not None else f"account/{watch.account_id}",
        fields={
            "account": watch.account.name,
            "channel": watch.account.channel,
            "alarm": kind,
            "url": seen.url,
            "text": seen.text,
        },
        about=stranger,
    )


def _says(alarm: Alarm, text: str) -> bool:
    """Whether an alarm that was closed said this; of one that was erased nobody knows, and whoever
    had it erased does not want it back.
    """
    return columns.is_erased(alarm.text) or alarm.text == text
