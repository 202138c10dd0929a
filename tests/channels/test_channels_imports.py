"""What is imported stays small: counting characters brings no HTTP library, nor Django."""

import subprocess
import sys

import pytest

HEAVY = ("django", "httpx", "httpcore", "libipld", "regex", "pytest", "ssl")


@pytest.mark.parametrize(
    ("module", "brings"),
    [
        ("folkmoot.channels", set()),
        ("folkmoot.channels.atom", set()),
        ("folkmoot.channels.practice", set()),
        ("folkmoot.channels.contract", set()),
        ("folkmoot.channels.tokens", set()),
        ("folkmoot.channels.simulator", {"ssl"}),
        ("folkmoot.channels.bluesky", {"httpx", "httpcore", "ssl"}),
        ("folkmoot.channels.bluesky.simulated", {"httpx", "httpcore", "ssl"}),
    ],
)
def test_importing_a_channel_brings_no_more_than_it_needs(module, brings):
    code = f"import sys, {module}; print(*(n for n in {HEAVY!r} if n in sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(shown.stdout.split()) == brings


def test_the_client_is_there_for_those_who_ask():
    import folkmoot.channels
    from folkmoot.channels.outbound import Outbound

    assert folkmoot.channels.Outbound is Outbound
    assert all(hasattr(folkmoot.channels, name) for name in folkmoot.channels.__all__)
    with pytest.raises(AttributeError, match="Nothing"):
        folkmoot.channels.Nothing  # noqa: B018
