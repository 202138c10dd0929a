"""What needs a person, worked out from what the other rooms say. Pure: asks and writes nothing.

Two things that have one cause are one need: posts that wait for an account that is unwell, or that
a stop holds, are told with it and not beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from folkmoot.desk.mailing.queries import MailState
from folkmoot.desk.publishing.queries import Alarm
from folkmoot.desk.retention.queries import What
from folkmoot.desk.stops.queries import StopState, say_stopped

from .deliveries import is_waiting, list_deliveries
from .needs import RANK, Need, Page, Seen, Urgency, capital, count, is_still, post_page, sentence
from .requested import list_requested

SIGN_WITHIN = timedelta(hours=1)
FIRST = ("worker", "fence", "record")


def tell_needs(seen: Seen, now: datetime) -> list[Need]:
    """Everything that needs a person, the most urgent first; of these what keeps everything back,
    and then the oldest.
    """
    explained: set[int] = set()  # deliveries that another need tells of already
    needs = [
        *_whole_desk(seen, now),
        *_record(seen),
        *_stops(seen, explained),
        *_accounts(seen, explained),
        *_around_accounts(seen, now),
        *_alarms(seen, explained),
        *list_deliveries(seen, explained, now),
        *_posts(seen, now),
        *_issues(seen),
        *_kept(seen),
        *list_requested(seen.asked),
        *_untold(seen),
    ]
    return sorted(
        needs,
        key=lambda one: (
            RANK[one.urgency],
            FIRST.index(one.kind) if one.kind in FIRST else len(FIRST),
            one.since_at or now,
            one.key,
        ),
    )


def _whole_desk(seen: Seen, now: datetime) -> Iterable[Need]:
    """What keeps everything back. A post that is overdue is no news beside a cause of it."""
    still = is_still(seen.beat_at, now)
    if still:
        late = " Posts that are due wait for it." if seen.oldest_due else ""
        yield Need(
            "worker",
            "worker",
            Urgency.NOW,
            f"The worker stands still, so nothing goes out and nobody is told of anything.{late}",
            "Have whoever looks after this system start it again, and look here until it is.",
            None,
            seen.beat_at,
        )
    if seen.fence is not None:
        unsigned = f" The record is not signed either: {seen.refusal}" if seen.refusal else ""
        yield Need(
            "fence",
            "fence",
            Urgency.NOW,
            seen.fence.fenced_reason + unsigned,
            "Compare what is on each channel with what the desk knows, and then let it go on.",
            Page("stop"),
            seen.fence.fenced_at,
        )
    elif seen.refusal:
        yield Need(
            "record",
            "record",
            Urgency.NOW,
            f"The record is not being signed, so nothing goes out. {seen.refusal}",
            "Find out what happened to the record with whoever looks after this system.",
            Page("settings"),
        )
    elif seen.oldest_due and not still:
        yield Need(
            "overdue",
            "overdue",
            Urgency.NOW,
            "A post has been due for more than a minute, and nothing says why it has not gone out.",
            "Have whoever looks after this system look at the worker's log.",
            None,
            seen.oldest_due,
        )


def _record(seen: Seen) -> Iterable[Need]:
    """What weakens the record, and keeps nothing back."""
    if seen.silence:
        yield Need(
            "silence",
            "silence",
            Urgency.TODAY,
            seen.silence,
            "Have whoever looks after this system see that the record's signer goes.",
            Page("ledger_key"),
        )
    for one in seen.unanchored:
        if one.disputed:
            yield Need(
                f"disputed/{one.name}",
                "disputed",
                Urgency.NOW,
                f"A witness holds another history of the record than this desk. {one.trouble}",
                "Change nothing. Have whoever looks after this system run `folkmoot ledger fsck`, "
                "and find out together with the witness which of the two is right.",
                Page("ledger_key"),
                one.troubled_at,
            )
            continue
        who = f"The witness {one.name}" if one.is_witness else "The time stamp service"
        yield Need(
            f"anchor/{one.name}",
            "anchor",
            Urgency.SOON,
            f"{who} has not answered for the record for more than a day. {one.trouble}",
            "Have whoever looks after this system find out why. The record goes on without it.",
            Page("ledger_key"),
            one.troubled_at,
        )


def _stops(seen: Seen, explained: set[int]) -> Iterable[Need]:
    for stop in seen.stops:
        sentence = say_stopped(stop)
        held = [one for one in seen.troubled if is_waiting(one) and one.trouble == sentence]
        explained.update(one.pk for one in held)
        pressed = stop.state == StopState.PRESSED
        going = seen.on_their_way.get(stop.pk, 0)
        told = [sentence]
        if pressed:
            told.append(
                f"It is not in force yet: {count(going, 'post')} had left before and may still "
                "arrive."
                if going
                else "Nobody has said yet that it is in force."
            )
        if held:
            told.append(f"It holds {count(len(held), 'delivery')} back.")
        yield Need(
            f"stop/{stop.pk}/{stop.state}",
            "stop",
            Urgency.NOW if pressed else Urgency.TODAY,
            " ".join(told),
            "Look whether it is in force."
            if pressed
            else "Let publishing go on once the reason is over; what came due meanwhile lapses.",
            Page("stop"),
            stop.pressed_at,
        )


def _accounts(seen: Seen, explained: set[int]) -> Iterable[Need]:
    unwell = {one.account.pk: one for one in seen.unwell}
    waiting: dict[int, set[int]] = defaultdict(set)
    for told in seen.troubled:
        if told.account_id in unwell and is_waiting(told) and told.pk not in explained:
            explained.add(told.pk)
            waiting[told.account_id].add(told.draft_id)
    for ahead in seen.ahead:
        if ahead.account_id in unwell:
            waiting[ahead.account_id].add(ahead.draft_id)
    for pk, one in unwell.items():
        posts = len(waiting[pk])
        urgency = Urgency.SOON
        if one.urgent:
            urgency = Urgency.NOW if posts else Urgency.TODAY
        waits = f" {count(posts, 'post')} {'wait' if posts > 1 else 'waits'} for it." * bool(posts)
        yield Need(
            f"account/{pk}/{'unwell' if one.account.trouble else 'ends'}",
            "account",
            urgency,
            f"{one.account.name}: {sentence(one.sentence)}{waits}",
            "Diagnose the account, and connect it again if that does not help.",
            Page("accounts"),
        )


def _around_accounts(seen: Seen, now: datetime) -> Iterable[Need]:
    """What else there is about accounts; what comes of one being unwell is left to that."""
    unwell = {one.account.pk for one in seen.unwell}
    for account in seen.proposed:
        yield Need(
            f"proposed/{account.pk}",
            "proposed",
            Urgency.SOON,
            f"{account.name} waits for a second person to confirm that it may be connected.",
            "Look whether it is ours, and confirm it or turn it down.",
            Page("accounts"),
            account.connected_at,
        )
    for ahead in seen.ahead:
        if ahead.account_id not in unwell:
            due_at = ahead.draft.due_at
            yield Need(
                f"ahead/{ahead.pk}",
                "pictures",
                Urgency.NOW if due_at and due_at - now <= SIGN_WITHIN else Urgency.TODAY,
                f"The pictures of post {ahead.draft_id} cannot be handed to {ahead.account.name} "
                f"yet: {sentence(ahead.trouble)}",
                "Look at the post, and change its pictures or its time if it stays so.",
                post_page(ahead.draft_id),
            )
    for watch in seen.watches:
        if watch.trouble and watch.account_id not in unwell:
            yield Need(
                f"watch/{watch.account_id}",
                "watch",
                Urgency.TODAY,
                f"What stands on {watch.account.name} cannot be looked at, so a post that nobody "
                f"here signed would not be seen: {sentence(watch.trouble)}",
                "Diagnose the account.",
                Page("accounts"),
                watch.last_look_at,
            )


ALARMS: dict[str, tuple[str, str]] = {
    "unsigned": (
        "{} that nobody here signed {} on {}.",
        "If it was nobody of yours, stop the account and have its password changed.",
    ),
    "changed": (
        "{} that was signed here {} on {} and has been changed there.",
        "Compare it with what was signed, and correct it or say why it is right.",
    ),
    "vanished": (
        "{} that was signed here no longer {} on {}.",
        "Find out who took it away and why.",
    ),
}


def _alarms(seen: Seen, explained: set[int]) -> Iterable[Need]:
    """One need for each kind on each account: a stranger who posts thirty times is one matter. A
    further one makes it a new matter, so that it is told.
    """
    groups: dict[tuple[int, str], list[Alarm]] = defaultdict(list)
    for alarm in seen.alarms:
        groups[alarm.account_id, alarm.kind].append(alarm)
        if alarm.delivery_id is not None:
            explained.add(alarm.delivery_id)
    for (account_id, kind), group in groups.items():
        what, do = ALARMS[kind]
        many = len(group) > 1
        yield Need(
            f"alarm/{kind}/{account_id}/{group[-1].pk}",
            "alarm",
            Urgency.NOW,
            what.format(
                count(len(group), "post"), "stand" if many else "stands", group[0].account.name
            ),
            do,
            Page("alarm", (("alarm_id", group[0].pk),)),
            group[0].seen_at,
        )


def _posts(seen: Seen, now: datetime) -> Iterable[Need]:
    for one in seen.awaiting:
        if one.at is None or one.at - now > SIGN_WITHIN:
            continue
        past = one.at <= now
        page = Page("signoff", (("draft_id", one.draft_id),))
        yield Need(
            f"awaiting/{one.draft_id}/{one.revision}/{'past' if past else 'soon'}",
            "awaiting_signoff",
            Urgency.TODAY if past else Urgency.NOW,
            f"Post {one.draft_id} waits for its sign-off, and its time has passed."
            if past
            else f"Post {one.draft_id} waits for its sign-off, and is to go out within the hour.",
            "Send it back, so that its author gives it a new time."
            if past
            else "Read it, and sign it or send it back.",
            page if seen.may_sign else post_page(one.draft_id),
            one.at if past else None,
        )
    told = {one.draft_id for one in seen.troubled}
    for one in seen.unsent:
        if one.draft_id not in told:
            yield Need(
                f"unsent/{one.draft_id}/{one.revision}",
                "unsent",
                Urgency.TODAY,
                f"Post {one.draft_id} was given up before any of it was sent.",
                "Read why. If it is still to be said, copy it and give it a new time.",
                post_page(one.draft_id),
                one.at,
            )


def _issues(seen: Seen) -> Iterable[Need]:
    for issue in seen.issues:
        unsure, lapsed = issue.of(MailState.UNSURE), issue.of(MailState.LAPSED)
        told = []
        if unsure:
            told.append(f"nobody knows whether {count(unsure, 'e-mail')} got out")
        if lapsed:
            told.append(f"{count(lapsed, 'e-mail')} could not be sent in time")
        yield Need(
            f"mails/{issue.key}/{'unsure' * bool(unsure)}{'lapsed' * bool(lapsed)}",
            "mails",
            Urgency.TODAY,
            capital(f"{' and '.join(told) or 'e-mails wait for a person'}."),
            "Look at the mail server, and say for each whether it is sent again.",
            Page("mailing_decide", (("key", issue.key),)),
            issue.at,
        )


# What it is; what is done about it; and the page where.
KEPT: dict[What, tuple[str, str, str]] = {
    What.RULES: (
        "A change of how long records are kept waits for a second person.",
        "Read it, and confirm it or turn it down.",
        "retention_schedule",
    ),
    What.RELEASE: (
        "Hold {} is to be released, which waits for a second person.",
        "Read why, and release it or keep it.",
        "retention_hold",
    ),
    What.DISPOSAL: (
        "Disposal {} waits for a second person.",
        "Look at what is to be destroyed, and confirm it or drop it.",
        "retention_batch",
    ),
    What.ERASURE: (
        "Erasure {} waits for a second person.",
        "Look at what is to go, and confirm it or take it back.",
        "retention_erasure",
    ),
    What.HELD_DISPOSAL: (
        "Disposal {} was refused, since some of it is held.",
        "Leave out what is held, drop it, or have the hold released.",
        "retention_batch",
    ),
    What.HELD_ERASURE: (
        "Erasure {} was refused, since some of it is held. The person who asked waits.",
        "Leave what is held, refuse and say why, or have the hold released.",
        "retention_erasure",
    ),
    What.TROUBLE: (
        "The search of erasure {} met something that it cannot read, so it found nothing.",
        "Have whoever looks after this system bring the record back, and search again.",
        "retention_erasure",
    ),
    What.STUCK_DISPOSAL: (
        "Disposal {} was agreed to more than ten minutes ago and has not come to an end.",
        "Have whoever looks after this system look at the worker's log.",
        "retention_batch",
    ),
    What.STUCK_ERASURE: (
        "Erasure {} was agreed to more than ten minutes ago and has not come to an end.",
        "Have whoever looks after this system look at the worker's log.",
        "retention_erasure",
    ),
}
_NUMBERED = {
    "retention_hold": "hold_id",
    "retention_batch": "batch_id",
    "retention_erasure": "erasure_id",
}


def _kept(seen: Seen) -> Iterable[Need]:
    for one in seen.kept:
        what, do, page = KEPT[one.what]
        given = ((_NUMBERED[page], one.number),) if page in _NUMBERED else ()
        yield Need(
            f"kept/{one.what}/{one.number}",
            "kept",
            Urgency.TODAY,
            what.format(one.number),
            do,
            Page(page, given),
            one.since_at,
        )


def _untold(seen: Seen) -> Iterable[Need]:
    for pk, name, since_at, why in seen.untold:
        yield Need(
            f"untold/{pk}",
            "untold",
            Urgency.TODAY,
            f"{name} could not be told of what needs a person. {why}",
            "Put it right, and send a test.",
            Page("notices"),
            since_at,
        )
