"""An account on Instagram, held to the contract and to its own ways."""

import pytest
from graph_kit import connect, simulate

from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.instagram import KIND


@pytest.fixture
def simulator():
    with simulate("instagram") as running:
        yield running


@pytest.fixture
def adapter(simulator):
    return KIND.build(connect(simulator))


class TestInstagram(ChannelContract):
    # The container is the key, not ours: another container under one key of ours is another post.
    keyed = False

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def secrets(self, simulator):
        return lambda: list(simulator.simulated.tokens)
