"""``folkmoot simulate``: a stand-in of a channel on loopback, to practise without any account."""

from __future__ import annotations

import argparse
import signal
import sys
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING

from folkmoot.channels.kinds import CHANNELS, get_kind
from folkmoot.channels.simulator import Fault, Occasion, Simulator, Strike, make_simulated

if TYPE_CHECKING:
    from folkmoot.channels.email.simulated_smtp import SimulatedSmtp


class _Wrong(Exception):
    """What was typed cannot be used; the message is a sentence."""


def run(argv: list[str]) -> int:
    """Serve a simulated channel until Ctrl-C. The exit status: 0, or 2 with a sentence where what
    was typed cannot be used.
    """
    there = list_simulated()
    parser = argparse.ArgumentParser(
        prog="folkmoot simulate",
        description="Serve a stand-in of a channel's API on this machine, which nobody outside can "
        f"reach. There are {', '.join(there)}.",
    )
    parser.add_argument("channel", help="the channel")
    parser.add_argument("--port", type=int, default=0, help="default: one that is free")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="OCCASION:FAULT[:SECONDS[:TIMES]]",
        help="what goes wrong, in order, such as publish:lose_answer or upload:slow_media:600. "
        f"Occasions: {', '.join(Occasion)}. Faults: {', '.join(Fault)}",
    )
    parser.add_argument("--seed", type=int, default=0, help="for faults by chance")
    args = parser.parse_args(argv[1:])
    try:
        _must_be_there(args.channel, there)
        strikes = [_read_fault(text) for text in args.fault]
        simulator = _open(args.channel, args.port, args.seed)
    except _Wrong as wrong:
        print(f"folkmoot simulate: {wrong}", file=sys.stderr)
        return 2
    for occasion, strike, times in strikes:
        simulator.faults.add(occasion, strike, times=times)
    mail_server = _open_mail_server(simulator)
    _greet(simulator, args.fault, mail_server.allow if mail_server else "")

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        simulator.serve()
    except KeyboardInterrupt:
        if mail_server:
            mail_server.stop()
        print(f"\nEnded. {len(simulator.store.list_all())} posts had been made here.")
    return 0


def list_simulated() -> list[str]:
    """The channels that have a simulated form, in the order in which channels are offered."""
    return [
        channel
        for channel in CHANNELS
        if find_spec(f"folkmoot.channels.{channel}")
        and find_spec(f"folkmoot.channels.{channel}.simulated")
    ]


def _must_be_there(channel: str, there: list[str]) -> None:
    if channel not in there:
        raise _Wrong(f"There is no simulated channel {channel!r}. There are {', '.join(there)}.")


def _open(channel: str, port: int, seed: int) -> Simulator:
    try:
        return Simulator(make_simulated(channel), port=port, seed=seed)
    except (OSError, OverflowError) as taken:
        raise _Wrong(
            f"Port {port} cannot be used ({getattr(taken, 'strerror', None) or taken}). Choose "
            "another with --port, or leave it out."
        ) from taken


def _open_mail_server(simulator: Simulator) -> SimulatedSmtp | None:
    """For e-mail there are two to hand it to: beside GOV.UK Notify, a mail server."""
    if simulator.simulated.channel != "email":
        return None
    from folkmoot.channels.email.simulated_smtp import SimulatedSmtp

    try:
        server = SimulatedSmtp(store=simulator.store, faults=simulator.faults)
    except ImportError:  # aiosmtpd comes with the desk
        return None
    server.start()
    return server


def _read_fault(text: str) -> tuple[Occasion, Strike, int]:
    try:
        # What is left out is as in Strike, and once; more than four parts fit no names.
        occasion, fault, seconds, times = [*text.split(":"), "", ""][: max(4, text.count(":") + 1)]
        strike = Strike(Fault(fault), float(seconds)) if seconds else Strike(Fault(fault))
        return Occasion(occasion), strike, int(times or 1)
    except ValueError:
        raise _Wrong(
            f"A fault is written OCCASION:FAULT[:SECONDS[:TIMES]], such as publish:lose_answer or "
            f"upload:slow_media:600:3, not {text!r}. Occasions: {', '.join(Occasion)}. Faults: "
            f"{', '.join(Fault)}."
        ) from None


def _greet(simulator: Simulator, faults: list[str], mail_server: str) -> None:
    labels = {field.name: field.label for field in get_kind(simulator.simulated.channel).wanted}
    typed = {
        labels.get(name, name): value
        for name, value in simulator.simulated.to_type(simulator.url).items()
    }
    width = max(map(len, typed), default=0)
    print(f"A simulated {simulator.simulated.channel} stands at {simulator.url}")
    print("Look at that address in a browser to see what is posted here and what was asked.\n")
    print("Start the desk so that it may reach it:")
    hosts = ",".join(filter(None, (simulator.allow, mail_server)))
    print(f"  FOLKMOOT_INTERNAL_HOSTS={hosts}\n")
    print("Then connect an account (Accounts, Connect an account) with:")
    for name, value in typed.items():
        print(f"  {name:<{width}}  {value}")
    if mail_server:
        host, _, mail_port = mail_server.rpartition(":")
        print(f"Or with the mail server {host}, port {mail_port}, and any address to come from.")
    if faults:
        print(f"\nWhat goes wrong: {', '.join(faults)}")
    print("\nCtrl-C ends it.", flush=True)
