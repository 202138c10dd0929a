"""The classic faults of publishers, planted on purpose to show that the suite finds each of them.

They are put in by replacing functions in the suite's own processes. Nothing in the desk knows of
them, and nothing can switch them on there.
"""

# mypy: disable-error-code="attr-defined,assignment,arg-type"
# Functions are put in place of others, under the names by which their users call them.

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True)
class Plant:
    """One planted bug: what it does, what it must be found by, and the scenarios that a proof
    begins with, for they are likeliest to find it.
    """

    what: str
    shows: tuple[str, ...]
    first: tuple[str, ...]


TWICE, LOST, UNSIGNED, STALE = ("duplicates",), ("lost",), ("unsigned",), ("stale",)
PLANTS: dict[str, Plant] = {
    "retry-any": Plant(
        "anything but a clear answer is taken for not sent, and sent again at once",
        TWICE,
        ("lost_answers",),
    ),
    "random-key": Plant("every attempt has a fresh key and a fresh request", TWICE, ("lies",)),
    "no-lease": Plant(
        "leases keep nobody away, and what is on its way is looked for at once",
        TWICE,
        ("stands_still",),
    ),
    "requeue": Plant(
        "a delivery whose worker died is sent again without looking", TWICE, ("kills",)
    ),
    "requeue-mail": Plant(
        "an e-mail whose worker died is handed over again without looking", TWICE, ("mailed",)
    ),
    "give-up": Plant("anything but a clear answer is taken for a failure", LOST, ("lost_answers",)),
    "forget-parts": Plant(
        "which parts of a thread are live already is forgotten", TWICE, ("thread",)
    ),
    "no-last-look": Plant(
        "what was signed, and whether it may go, is not looked at before it leaves",
        (*UNSIGNED, *STALE),
        ("tampered", "stopped"),
    ),
    "no-window": Plant("nothing is ever too late", STALE, ("late_worker",)),
    "hasty-stop": Plant(
        "a stop is said to be in force while posts are on their way", STALE, ("stopped",)
    ),
    "flush-on-resume": Plant(
        "what came due during a stop goes out once it is lifted", STALE, ("resumed",)
    ),
    "no-fence": Plant(
        "a database brought back from a backup publishes as if nothing had happened",
        STALE,
        ("restored",),
    ),
    "blind": Plant("timelines are not watched", UNSIGNED, ("stranger",)),
}


def plant_bug(name: str) -> None:
    """Plant a bug in this process, for good. An empty name plants none."""
    if name:
        _PLANT[name]()


def _retry_any() -> None:
    from folkmoot.channels import Unconfirmed

    def send(real: Any, prepared: Any, done: Any = ()) -> Any:
        outcome = real(prepared, done)
        for _ in range(3):
            if isinstance(outcome, Unconfirmed):
                outcome = real(prepared, done)
        return outcome

    _wrap_adapter(send=send)


def _give_up() -> None:
    from folkmoot.channels import Refused, Unconfirmed

    def send(real: Any, prepared: Any, done: Any = ()) -> Any:
        outcome = real(prepared, done)
        return Refused(outcome.reason) if isinstance(outcome, Unconfirmed) else outcome

    _wrap_adapter(send=send)


def _forget_parts() -> None:
    def send(real: Any, prepared: Any, _done: Any = ()) -> Any:
        return real(prepared, ())

    def look_up(real: Any, prepared: Any, _done: Any = ()) -> Any:
        return real(prepared, ())

    _wrap_adapter(send=send, look_up=look_up)


def _random_key() -> None:
    from folkmoot.desk.accounts import queries as accounts
    from folkmoot.desk.publishing import delivering, preparing

    real = preparing.prepare

    def prepare(delivery: Any, adapter: Any, at: Any) -> Any:
        delivery.request = None
        name = f"{delivery.pk}-{secrets.token_hex(8)}"
        moment = delivery.due_at + timedelta(seconds=secrets.randbelow(50))
        delivery.key = accounts.key_for(delivery.account, name, moment)
        return real(delivery, adapter, at)

    delivering.prepare = prepare


def _no_lease() -> None:
    from folkmoot.desk.publishing import actions, settling
    from folkmoot.desk.publishing.models import Delivery

    real = actions.work

    def work(clock: Any, lanes: Any = None) -> int:
        over = clock() - timedelta(seconds=1)
        Delivery.objects.exclude(lease_until=None).update(lease_until=over)
        return real(clock, lanes)

    actions.work = work
    settling.QUIET = timedelta()


def _requeue() -> None:
    from folkmoot.desk.publishing import actions
    from folkmoot.desk.publishing.models import Delivery

    def give_up_lost(delivery: Any, now: Any) -> None:
        Delivery.objects.filter(pk=delivery.pk).update(
            state="waiting", lease_until=None, next_try_at=now, revision=delivery.revision + 1
        )

    actions.give_up_lost = give_up_lost


def _requeue_mail() -> None:
    from folkmoot.desk.mailing import actions
    from folkmoot.desk.mailing.models import Mail

    def give_up_lost(mail: Any, now: Any) -> None:
        waiting = {"state": "queued", "lease_until": None, "next_try_at": now}
        Mail.objects.filter(pk=mail.pk).update(**waiting)

    actions.give_up_lost = give_up_lost


def _no_last_look() -> None:
    from folkmoot.desk.publishing import delivering

    delivering.against_sending = lambda *_: ()
    delivering.against_leaving_now = lambda _delivery, now: ("", now)


def _no_window() -> None:
    from folkmoot.desk.publishing import actions, delivering

    real = delivering.deliver

    def deliver(delivery: Any, clock: Any) -> None:
        delivery.not_after += timedelta(days=36_500)
        real(delivery, clock)

    actions.deliver = deliver
    delivering.against_sending = lambda *_: ()


def _hasty_stop() -> None:
    from folkmoot.desk.publishing import stopping

    stopping.count_on_their_way = lambda *_: 0


def _flush_on_resume() -> None:
    from folkmoot.desk.publishing import actions, stopping

    def resume(member: Any, stop_id: int, *, reason: str, now: Any) -> int:
        stopping.stop_actions.lift(member, stop_id, reason=reason, now=now)
        return 0

    actions.resume = resume


def _no_fence() -> None:
    from folkmoot.desk.publishing import fence
    from folkmoot.desk.records import queries as records

    fence.find_fence = lambda _now: None
    fence.find_refusal = lambda: ""
    records.find_refusal = lambda: None


def _blind() -> None:
    from folkmoot.desk.publishing import actions

    actions.look = lambda *_: 0


def _wrap_adapter(**wrappers: Callable[..., Any]) -> None:
    from folkmoot.desk.accounts import queries as accounts

    real_open = accounts.open_adapter

    class Planted:
        def __init__(self, adapter: Any) -> None:
            self._adapter = adapter

        def __getattr__(self, asked: str) -> Any:
            method = getattr(self._adapter, asked)
            if asked not in wrappers:
                return method
            return lambda *args, **more: wrappers[asked](method, *args, **more)

    accounts.open_adapter = lambda account, **more: Planted(real_open(account, **more))


_PLANT: dict[str, Callable[[], None]] = {
    "retry-any": _retry_any,
    "random-key": _random_key,
    "no-lease": _no_lease,
    "requeue": _requeue,
    "requeue-mail": _requeue_mail,
    "give-up": _give_up,
    "forget-parts": _forget_parts,
    "no-last-look": _no_last_look,
    "no-window": _no_window,
    "hasty-stop": _hasty_stop,
    "flush-on-resume": _flush_on_resume,
    "no-fence": _no_fence,
    "blind": _blind,
}
