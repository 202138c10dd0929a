"""What the tests of Meta's three channels share: an account on a simulator."""

from contextlib import contextmanager
from datetime import UTC, datetime

from folkmoot.channels.kinds import Connected, get_kind
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.simulator import Simulator, make_simulated
from folkmoot.channels.tokens import MemoryTokens


def picture_url(sha256, media_type):
    return f"https://council.example.gov.uk/unseen/{sha256}.{media_type.removeprefix('image/')}"


class Clock:
    """A clock that a test can set."""

    def __init__(self):
        self.ahead = None

    def __call__(self):
        return self.ahead or datetime.now(UTC)


def connect(simulator, *, clock=None, **typed):
    """An account as the desk would build it from the form."""
    kind = get_kind(simulator.simulated.channel)
    typed = {**simulator.simulated.to_type(simulator.url), **typed}
    handle, server = kind.name_of(typed)
    secret = {wanted.name for wanted in kind.wanted if wanted.secret}
    return Connected(
        handle=handle,
        server=server,
        settings={name: value for name, value in typed.items() if name not in secret},
        secrets={name: value for name, value in typed.items() if name in secret},
        outbound=Outbound(allow=[simulator.allow], timeout_seconds=2.0),
        tokens=MemoryTokens(),
        picture_url=picture_url,
        now=clock or Clock(),
    )


@contextmanager
def simulate(channel):
    with Simulator(make_simulated(channel)) as simulator:
        yield simulator
