"""A list, and how an issue is put on it: a plugin that the tests of the mailing room name."""

from __future__ import annotations

import mailing_moves as moves
import pytest

from folkmoot.desk.mailing import actions


@pytest.fixture
def mailing_list(cast):
    return actions.open_list(cast.body, cast.feed.pk, now=cast.clock(), actor=cast.dan)


@pytest.fixture
def post(cast, mailing_list):
    """Puts an issue out; its row."""
    return lambda text="The library opens on Monday.": moves.put_out(cast, text)
