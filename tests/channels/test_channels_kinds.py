"""Every kind of channel can be offered, named and built, without a secret and without a network."""

from datetime import UTC, datetime

import pytest

from folkmoot.channels.kinds import CHANNELS, CannotConnect, Connected, get_kind
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import Capabilities
from folkmoot.channels.simulator import make_simulated
from folkmoot.channels.tokens import MemoryTokens

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PLACE = "http://127.0.0.1:1"


class Unused(Outbound):
    def request(self, method, url, headers=None, body=None):
        raise AssertionError(f"{method} {url} was asked, and nobody should have")


def connected(kind, typed):
    handle, server = kind.name_of(typed)
    secret = {wanted.name for wanted in kind.wanted if wanted.secret}
    return Connected(
        handle=handle,
        server=server,
        settings={name: value for name, value in typed.items() if name not in secret},
        secrets={},
        outbound=Unused(),
        tokens=MemoryTokens(),
        picture_url=lambda sha256, media_type: f"https://x.test/{sha256}",
        now=lambda: AT,
    )


@pytest.mark.parametrize("channel", CHANNELS)
class TestEveryKind:
    def test_it_is_offered_in_sentences(self, channel):
        kind = get_kind(channel)
        assert kind.channel == channel
        assert kind.title
        assert kind.about.endswith(".")
        names = [wanted.name for wanted in kind.wanted]
        assert len(set(names)) == len(names)
        assert all(wanted.label for wanted in kind.wanted)

    def test_what_is_typed_for_its_simulator_makes_an_account(self, channel):
        kind = get_kind(channel)
        typed = make_simulated(channel).to_type(PLACE)
        wanted = {one.name for one in kind.wanted}
        assert set(typed) <= wanted, "it asks for no such field"
        must = {one.name for one in kind.wanted if not one.optional and not one.default}
        assert must <= set(typed)
        handle, server = kind.name_of(typed)
        assert isinstance(handle, str)
        assert isinstance(server, str)

    def test_nothing_typed_is_no_account(self, channel):
        with pytest.raises(CannotConnect) as why:
            get_kind(channel).name_of({})
        assert why.value.reason.endswith(".")
        assert why.value.field in {"", *(one.name for one in get_kind(channel).wanted)}

    def test_its_limits_and_keys_are_had_without_a_secret(self, channel):
        kind = get_kind(channel)
        typed = make_simulated(channel).to_type(PLACE)
        account = connected(kind, typed)
        adapter = kind.build(account)
        limits = adapter.capabilities()
        assert isinstance(limits, Capabilities)
        assert limits.channel == channel
        assert limits.title
        assert limits.least_pictures <= limits.pictures
        assert limits.parts >= 1
        assert all(length.most >= length.count("Good morning.") for length in limits.lengths)
        key = adapter.make_key("delivery-1", AT)
        assert key == kind.build(account).make_key("delivery-1", AT)


def test_a_channel_that_is_not_there_is_an_error():
    for name in ("", "myspace", "os", "atom", "../bluesky"):
        with pytest.raises(KeyError):
            get_kind(name)
