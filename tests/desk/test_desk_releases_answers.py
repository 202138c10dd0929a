"""What channels answered is kept sealed when we publish, and goes into bags with all of it."""

from __future__ import annotations

import gzip

import desk_moves
import pytest
import releases_moves as moves
from django.db import connection

from folkmoot.channels.captures import offer
from folkmoot.desk.publishing.keeping import MOST, keep_answers
from folkmoot.desk.publishing.models import Capture, Delivery
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import erasing
from folkmoot.desk.releases import actions
from folkmoot.desk.releases.scope import Scope
from folkmoot.ledger.bags import check_bag

URL = "https://c.example/xrpc/com.atproto.repo.createRecord?access_token=tok-123456789"
BODY = b'{"uri": "at://did:plc:x/app.bsky.feed.post/3k", "cid": "bafy"}'


def answering(real, *args, **kwargs):
    """As the outbound client does it, in the midst of a send."""
    for url, body in ((URL, BODY), ("https://c.example/oauth/token", b'{"a": 1}')):
        offer(
            method="POST",
            url=url,
            sent={"Authorization": "Bearer tok-123456789"},
            body=b"{}",
            status=200,
            headers={"content-type": "application/json", "set-cookie": "sid=1"},
            answer=body,
        )
    return real(*args, **kwargs)


@pytest.fixture
def live(cast, monkeypatch):
    """A post that a channel answered for, twice: to the send, and to the reading back."""
    desk_moves.StandIn(send=[answering], read_back=[answering]).install(monkeypatch)
    return desk_moves.publish(cast)


def test_answers_are_kept_sealed_without_what_lets_anybody_in(live):
    kept = list(Capture.objects.order_by("pk"))
    assert [one.what for one in kept] == ["send", "read_back"]
    assert {one.body for one in kept} == {BODY}
    assert kept[0].url == URL.partition("?")[0]
    assert kept[0].headers == [["content-type", "application/json"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT url, headers, body FROM publishing_capture")
        raw = str(cursor.fetchall())
    assert "c.example" not in raw
    assert "bafy" not in raw
    assert "tok-123456789" not in str([(one.url, one.headers, one.body) for one in kept])


def test_what_is_erased_of_a_post_takes_the_answers_with_it(cast, live):
    holdings = erasing.list_about(cast.body.ref, [live.subject])
    assert any(one.kind == "publishing.capture" for one in holdings)
    erasing.erase(cast.body.ref, [one.place for one in holdings], cast.clock())
    assert not any(bytes(one.body or b"") for one in Capture.objects.all())
    # Nor does it come back with what the channel still says.
    delivery = Delivery.objects.get()
    before = Capture.objects.count()
    keep_answers(delivery, "read_back", [object()], cast.clock())
    assert Capture.objects.count() == before


def test_a_channel_that_is_asked_for_ever_does_not_fill_the_table(cast, live):
    from folkmoot.channels.captures import Captured

    delivery = Delivery.objects.get()
    many = [Captured("GET", "https://c.example/", 200, (), b"{}")] * (MOST + 30)
    keep_answers(delivery, "look_up", many, cast.clock())
    keep_answers(delivery, "look_up", many, cast.clock())
    assert Capture.objects.filter(delivery=delivery).count() == MOST


def test_a_bag_of_everything_holds_the_channel_s_own_answers(cast, live, tmp_path):
    bag = moves.ready(cast)
    assert bag.captures == 2
    folder = moves.unpack(moves.fetch(cast, bag), tmp_path / "unpacked")
    assert check_bag(folder).captures == 2
    assert BODY in gzip.decompress((folder / "data/warc/answers.warc.gz").read_bytes())


def test_an_answer_stays_out_where_a_field_of_its_delivery_is_withheld(cast, live, tmp_path):
    request = moves.received(cast, scope=Scope(classes=("posts",)))
    actions.choose(cast.fay, request.ref, now=cast.clock())
    actions.begin_redaction(cast.fay, request.ref, now=cast.clock())
    actions.show(cast.fay, request.ref, moves.every_field(request), now=cast.clock())
    which = actions.Which(labels=[("delivery.sent", "url")])
    actions.withhold(cast.fay, request.ref, which, exemption="FOIA s.40(2)", now=cast.clock())
    request = actions.prepare(cast.fay, request.ref, now=cast.clock())
    actions.agree(cast.gus, request.ref, seen=request.digest, now=cast.clock())
    moves.work(cast)
    bag = moves.bag_of(moves.again(request))
    assert bag.captures == 0
    assert BODY not in moves.fetch(cast, bag)


def test_a_post_of_which_nothing_was_sent_has_no_answers(cast):
    desk_moves.leave(cast)
    records.sequence(cast.clock())
    assert moves.ready(cast).captures == 0
