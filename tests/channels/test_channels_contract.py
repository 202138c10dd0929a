"""Every adapter of our own keeps the contract; Bluesky's is held to it in its own file."""

import hashlib
from datetime import date

import pytest

from folkmoot.channels.atom import Atom
from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.entries import list_entries
from folkmoot.channels.practice import Practice
from folkmoot.channels.shelf import FolderShelf


@pytest.fixture
def shelf(tmp_path):
    return FolderShelf(tmp_path / "shelf")


def url_of_key(key):
    return f"https://example.gov.uk/posts/{key}"


def url_of_picture(sha256, media_type):
    return f"https://example.gov.uk/pictures/{sha256}"


class OnAShelf(ChannelContract):
    thread_counts_as_one = True

    @pytest.fixture
    def count_posts(self, shelf):
        return lambda: len(list_entries(shelf, 1000))

    @pytest.fixture
    def secrets(self):
        # A channel of our own holds none; this one proves the comparison itself is made.
        return lambda: [hashlib.sha256(b"never used").hexdigest()]


class TestAtom(OnAShelf):
    @pytest.fixture
    def adapter(self, shelf):
        return Atom(
            shelf,
            authority="example.gov.uk",
            since_on=date(2026, 11, 20),
            entry_url=url_of_key,
            picture_url=url_of_picture,
        )


class TestPractice(OnAShelf):
    @pytest.fixture
    def adapter(self, shelf):
        return Practice(shelf, post_url=url_of_key, picture_url=url_of_picture)
