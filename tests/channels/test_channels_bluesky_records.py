"""Keys and content ids are computed as the protocol says, and are the same for ever."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.channels.bluesky.keys import make_key, part_key
from folkmoot.channels.bluesky.records import (
    blob_cid,
    find_blob_sha256,
    find_pictures,
    freeze,
    read_frozen,
    record_cid,
)
from folkmoot.channels.contract import post

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DID = "did:plc:abcdefghijklmnopqrstuvwx"
TID = r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}"


def seconds(key):
    number = 0
    for digit in key:
        number = number * 32 + "234567abcdefghijklmnopqrstuvwxyz".index(digit)
    return (number >> 10) // 1_000_000


def test_the_key_of_a_delivery_does_not_change_from_release_to_release():
    """A change here would let a delivery in flight be published twice. It must never change."""
    assert make_key("delivery-1", AT) == "3n2q7w3audrm5"
    assert make_key("delivery-2", AT) == "3n2q7w3c7l6mz"
    assert part_key("3n2q7w3audrm5", 0) == "3n2q7w3audrm5"


@given(st.text(), st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)))  # noqa: DTZ001
def test_a_key_is_shaped_like_a_tid_of_the_second_the_post_is_due(delivery_id, naive):
    due_at = naive.replace(tzinfo=UTC)
    key = make_key(delivery_id, due_at)
    assert re.fullmatch(TID, key)
    assert seconds(key) == int(due_at.timestamp())
    assert key == make_key(delivery_id, due_at.replace(microsecond=0))


def test_keys_sort_by_time_and_a_threads_parts_in_their_order():
    keys = [make_key("d", AT + timedelta(seconds=n)) for n in range(50)]
    assert keys == sorted(set(keys))
    parts = [part_key(keys[0], number) for number in range(25)]
    assert parts == sorted(set(parts))
    assert parts[0] == keys[0]
    assert all(re.fullmatch(TID, part) for part in parts)


def test_ten_thousand_deliveries_of_one_second_have_keys_of_their_own():
    assert len({make_key(f"delivery-{n}", AT) for n in range(10_000)}) == 10_000


def test_a_key_of_somebody_elses_or_a_time_without_a_zone_is_an_error():
    with pytest.raises(ValueError, match="not a record key"):
        part_key("self", 0)
    with pytest.raises(ValueError, match="no time zone"):
        make_key("d", datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        freeze(post("x"), [[]], repo=DID, key=make_key("d", AT), at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_content_ids_are_those_of_the_published_examples():
    # The two most quoted: {"hello": "world"} in DAG-CBOR, and no bytes at all as a file.
    assert (
        record_cid({"hello": "world"})
        == "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae"
    )
    assert (
        blob_cid(hashlib.sha256(b"").hexdigest())
        == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    )


def test_the_order_of_names_does_not_change_a_content_id():
    assert record_cid({"a": 1, "bb": {"d": 2, "c": 3}}) == record_cid(
        {"bb": {"c": 3, "d": 2}, "a": 1}
    )


@given(st.binary())
def test_a_files_digest_can_be_read_from_its_content_id(content):
    sha256 = hashlib.sha256(content).hexdigest()
    assert find_blob_sha256(blob_cid(sha256)) == sha256


@pytest.mark.parametrize(
    "cid", [None, 5, "", "zzz", "bafy", record_cid({"a": 1}), "b", "bafkreihdwdcefgh4dqk", "é"]
)
def test_what_is_not_a_files_content_id_gives_no_digest(cid):
    assert find_blob_sha256(cid) is None


def test_what_was_frozen_is_read_as_it_was_frozen():
    key = make_key("d", AT)
    for rendition in (post("One."), post("One.", "Two.", "Three.")):
        request = freeze(rendition, [[]] * 3, repo=DID, key=key, at=AT)
        frozen = read_frozen(request)
        assert frozen.repo == DID
        assert [p.rkey for p in frozen.posts] == [
            part_key(key, number) for number in range(len(rendition.parts))
        ]
        assert request == freeze(rendition, [[]] * 3, repo=DID, key=key, at=AT)


def test_a_threads_parts_name_their_root_and_parent_and_are_a_millisecond_apart():
    request = freeze(post("1", "2", "3"), [[]] * 3, repo=DID, key=make_key("d", AT), at=AT)
    frozen = read_frozen(request)
    values = [write["value"] for write in json.loads(request)["writes"]]
    names = [{"uri": p.uri, "cid": p.cid} for p in frozen.posts]
    assert "reply" not in values[0]
    assert values[1]["reply"] == {"root": names[0], "parent": names[0]}
    assert values[2]["reply"] == {"root": names[0], "parent": names[1]}
    assert [value["createdAt"][-5:] for value in values] == [".000Z", ".001Z", ".002Z"]


@pytest.mark.parametrize("request_", [b"", b"{}", b"[]", b"null", b'{"repo":1,"writes":[5]}'])
def test_bytes_that_were_not_frozen_here_are_an_error(request_):
    with pytest.raises(ValueError, match=r"."):
        read_frozen(request_)


@pytest.mark.parametrize(
    "embed", [None, 5, {}, {"images": 5}, {"images": [5]}, {"images": [{"image": {"ref": 5}}]}]
)
def test_a_strange_embed_in_a_live_record_is_read_without_falling_over(embed):
    assert all(sha256 is None for _, sha256 in find_pictures({"embed": embed}))
