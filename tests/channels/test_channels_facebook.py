"""A page on Facebook, held to the contract and to its own ways."""

import pytest
from graph_kit import connect, simulate

from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.facebook import KIND


@pytest.fixture
def simulator():
    with simulate("facebook") as running:
        yield running


@pytest.fixture
def adapter(simulator):
    return KIND.build(connect(simulator))


class TestFacebook(ChannelContract):
    keyed = False

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def count_uploads(self, simulator):
        return lambda: sum(one.path.endswith("/photos") for one in simulator.requests)

    @pytest.fixture
    def secrets(self, simulator):
        return lambda: list(simulator.simulated.tokens)
