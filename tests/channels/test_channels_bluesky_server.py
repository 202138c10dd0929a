"""Bluesky against a real server: the contract, and what happens when things go wrong."""

import base64
import hashlib
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bluesky_server import ServerFault, find_missing, running_pds
from standin_server import DROP, forward, said, standing_in

from folkmoot.channels.bluesky import Bluesky
from folkmoot.channels.bluesky.records import blob_cid, read_frozen
from folkmoot.channels.contract import ChannelContract, make_picture, post
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import (
    Absent,
    Different,
    Live,
    NotPrepared,
    Part,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
    Unreadable,
)
from folkmoot.channels.tokens import MemoryTokens

pytestmark = pytest.mark.skipif(find_missing() is not None, reason=find_missing() or "")

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
handles = (f"body{number}.test" for number in itertools.count())


@pytest.fixture(scope="module")
def pds(tmp_path_factory):
    with running_pds(tmp_path_factory.mktemp("pds")) as running:
        yield running


class Body:
    """A body with an account of its own on the server, and adapters for it."""

    def __init__(self, pds):
        self.pds = pds
        self.handle = next(handles)
        self.did = pds.create_account(self.handle, PASSWORD)
        self.tokens = MemoryTokens()

    def adapter(self, *, server=None, password=PASSWORD, tokens=None, timeout_seconds=20):
        server = server or self.pds.url
        return Bluesky(
            server=server,
            handle=self.handle,
            app_password=password,
            outbound=Outbound(
                allow=[server.removeprefix("http://")], timeout_seconds=timeout_seconds
            ),
            tokens=tokens or self.tokens,
        )

    def posts(self):
        return self.pds.list_posts(self.did)


@pytest.fixture
def body(pds):
    pds.start()
    return Body(pds)


def prepare(adapter, rendition, delivery="delivery-1"):
    prepared = adapter.prepare(rendition, key=adapter.make_key(delivery, AT), at=AT)
    assert isinstance(prepared, Prepared), prepared
    return prepared


class TestBluesky(ChannelContract):
    key_pattern = r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}"

    @pytest.fixture
    def adapter(self, body):
        return body.adapter()

    @pytest.fixture
    def count_posts(self, body):
        return lambda: len(body.posts())

    @pytest.fixture
    def secrets(self, body):
        def all_of_them():
            session = body.tokens.find()
            return [PASSWORD, session["access"], session["refresh"]]

        return all_of_them


class TestWhatIsPublished:
    def test_a_post_is_what_was_frozen_with_its_links_and_hashtags(self, body):
        adapter = body.adapter()
        text = "Bore da \U0001f44b https://example.gov.uk/tŷ #Newyddion @somebody.test"
        prepared = prepare(adapter, Rendition((Part(text),), language="cy"))
        sent = adapter.send(prepared)
        assert isinstance(sent, Sent)
        assert sent.url == f"https://bsky.app/profile/{body.handle}/post/{prepared.key}"
        [live] = body.posts()
        assert live["uri"] == sent.remote_id
        assert live["value"]["createdAt"] == "2026-11-20T09:00:00.000Z"
        assert live["value"]["langs"] == ["cy"]
        shown = text.encode()
        facets = {
            shown[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode(): f["features"]
            for f in live["value"]["facets"]
        }
        assert facets == {
            "https://example.gov.uk/tŷ": [
                {
                    "$type": "app.bsky.richtext.facet#link",
                    "uri": "https://example.gov.uk/t%C5%B7",
                }
            ],
            "#Newyddion": [{"$type": "app.bsky.richtext.facet#tag", "tag": "Newyddion"}],
        }

    def test_a_thread_of_two_is_one_request_whose_content_ids_were_known_before(self, body):
        adapter = body.adapter()
        prepared = prepare(adapter, post("First.", "Second."))
        frozen = read_frozen(prepared.request)
        sent = adapter.send(prepared)
        assert isinstance(sent, Sent)
        first, second = body.posts()
        assert [(first["uri"], first["cid"]), (second["uri"], second["cid"])] == [
            (frozen_post.uri, frozen_post.cid) for frozen_post in frozen.posts
        ]
        top = {"uri": first["uri"], "cid": first["cid"]}
        assert second["value"]["reply"] == {"root": top, "parent": top}

    def test_a_thread_goes_out_whole_or_not_at_all(self, body):
        adapter = body.adapter()
        prepared = prepare(adapter, post("First.", "Second."))
        broken = json.loads(prepared.request)
        broken["writes"][1]["value"]["text"] = "x" * 400
        assert isinstance(
            adapter.send(replace(prepared, request=json.dumps(broken).encode())), Refused
        )
        assert body.posts() == []

    def test_the_digest_in_a_pictures_content_id_is_that_of_the_bytes_the_server_keeps(self, body):
        adapter = body.adapter()
        picture = make_picture("A grey square", width=30, height=20)
        sent = adapter.send(prepare(adapter, Rendition((Part("Look:", (picture,)),))))
        assert isinstance(sent, Sent)
        [live] = body.posts()
        [image] = live["value"]["embed"]["images"]
        assert image["alt"] == "A grey square"
        assert image["aspectRatio"] == {"width": 30, "height": 20}
        cid = image["image"]["ref"]["$link"]
        assert cid == blob_cid(picture.sha256)
        kept = body.pds.read_blob(body.did, cid)
        assert hashlib.sha256(kept).hexdigest() == picture.sha256
        back = adapter.read_back(sent)
        assert back == Live(("Look:",), (("A grey square",),), ((picture.sha256,),))

    def test_an_edit_elsewhere_shows_when_it_is_read_back_and_looked_up(self, body):
        adapter = body.adapter()
        prepared = prepare(adapter, post("What was signed."))
        sent = adapter.send(prepared)
        edited = json.loads(prepared.request)
        del edited["swapRecord"]
        edited["record"]["text"] = "What was not."
        token = body.pds.sign_in(body.handle, PASSWORD)
        body.pds.call("com.atproto.repo.putRecord", edited, token=token)
        assert isinstance(adapter.look_up(prepared), Different)
        assert adapter.read_back(sent).texts == ("What was not.",)

    def test_a_thread_with_a_part_deleted_is_different_and_reads_back_shorter(self, body):
        adapter = body.adapter()
        prepared = prepare(adapter, post("First.", "Second."))
        sent = adapter.send(prepared)
        rkey = sent.remote_ids[1].rpartition("/")[2]
        token = body.pds.sign_in(body.handle, PASSWORD)
        gone = {"repo": body.did, "collection": "app.bsky.feed.post", "rkey": rkey}
        body.pds.call("com.atproto.repo.deleteRecord", gone, token=token)
        found = adapter.look_up(prepared)
        assert isinstance(found, Different)
        assert "1 of the 2 parts" in found.reason
        assert adapter.read_back(sent).texts == ("First.",)


class TestTakingDown:
    def test_a_thread_of_which_a_part_is_gone_already_can_be_taken_down(self, body):
        adapter = body.adapter()
        sent = adapter.send(prepare(adapter, post("First.", "Second.", "Third.")))
        removal = adapter.prepare_removal(
            sent, key=adapter.make_key("removal", AT), at=AT, reason="A mistake."
        )
        token = body.pds.sign_in(body.handle, PASSWORD)
        rkey = sent.remote_ids[1].rpartition("/")[2]
        gone = {"repo": body.did, "collection": "app.bsky.feed.post", "rkey": rkey}
        body.pds.call("com.atproto.repo.deleteRecord", gone, token=token)
        assert adapter.look_up(removal) == Absent()
        assert adapter.send(removal) == Sent(sent.remote_id, sent.url, sent.remote_ids)
        assert body.posts() == []
        assert adapter.look_up(removal) == sent

    def test_a_thread_goes_in_one_request(self, body):
        asked = []

        def say(request):
            asked.append(request.xrpc)
            return forward(body.pds.port, request)

        with standing_in(say) as proxy:
            adapter = body.adapter(server=proxy.url)
            sent = adapter.send(prepare(adapter, post("First.", "Second.")))
            removal = adapter.prepare_removal(
                sent, key=adapter.make_key("removal", AT), at=AT, reason="A mistake."
            )
            asked.clear()
            assert isinstance(adapter.send(removal), Sent)
        assert [one for one in asked if not one.endswith("getRecord")] == [
            "com.atproto.repo.applyWrites"
        ]

    def test_only_posts_of_the_account_are_taken_down(self, body):
        uri = "at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3n2q7w3audrm5"
        for remote_id in (uri, "https://example.org/", f"at://{body.did}/app.bsky.graph.list/x"):
            outcome = body.adapter().prepare_removal(
                Sent(remote_id, "https://x.test/", (remote_id,)), key="k", at=AT, reason="x"
            )
            assert isinstance(outcome, NotPrepared)
            assert not outcome.retry


class TestAnswers:
    def test_an_answer_names_its_parent_and_the_root_of_its_thread(self, body):
        adapter = body.adapter()
        thread = adapter.send(prepare(adapter, post("First.", "Second.")))
        answer = replace(post("Third.", "Fourth."), replying_to=thread.remote_ids[1])
        assert isinstance(adapter.send(prepare(adapter, answer, "answer")), Sent)
        there = {one["value"]["text"]: one for one in body.posts()}

        def named(text):
            return {"uri": there[text]["uri"], "cid": there[text]["cid"]}

        for text, parent in (("Third.", "Second."), ("Fourth.", "Third.")):
            assert there[text]["value"]["reply"] == {
                "root": named("First."),
                "parent": named(parent),
            }

    def test_what_is_not_there_is_not_answered(self, body):
        adapter = body.adapter()
        gone = f"at://{body.did}/app.bsky.feed.post/3n2q7w3audrm5"
        for uri in (gone, "https://example.org/"):
            answer = replace(post("Hello?"), replying_to=uri)
            outcome = adapter.prepare(answer, key=adapter.make_key("d", AT), at=AT)
            assert isinstance(outcome, NotPrepared)
            assert not outcome.retry


class TestTheTimeline:
    def test_a_post_made_elsewhere_is_listed_whatever_its_time_says(self, body):
        token = body.pds.sign_in(body.handle, PASSWORD)
        record = {"text": "Not ours.", "createdAt": "2020-01-01T00:00:00.000Z"}
        body.pds.call(
            "com.atproto.repo.createRecord",
            {"repo": body.did, "collection": "app.bsky.feed.post", "record": record},
            token=token,
        )
        [seen] = body.adapter().list_recent(5)
        assert seen.text == "Not ours."
        assert seen.at == datetime(2020, 1, 1, tzinfo=UTC)

    def test_more_than_a_page_is_listed(self, body):
        adapter = body.adapter()
        for number in range(5):
            texts = [f"{number}.{part}" for part in range(25)]
            assert isinstance(adapter.send(prepare(adapter, post(*texts), f"d{number}")), Sent)
        listed = adapter.list_recent(110)
        assert len({seen.remote_id for seen in listed}) == 110


class TestWhenTheServerSaysNo:
    def test_a_post_the_server_finds_too_long_is_refused_with_a_sentence(self, body):
        adapter = body.adapter()
        prepared = prepare(adapter, post("Short."))
        longer = json.loads(prepared.request)
        longer["record"]["text"] = "x" * 400
        outcome = adapter.send(replace(prepared, request=json.dumps(longer).encode()))
        assert isinstance(outcome, Refused)
        assert outcome.reason.startswith("Bluesky does not take this post as it is")
        assert outcome.reason.endswith("Nothing was published.")
        assert body.posts() == []

    def test_a_wrong_password_needs_a_person_and_is_said_plainly(self, body):
        adapter = body.adapter(password="wrong-password", tokens=MemoryTokens())
        outcome = adapter.prepare(post("Hello."), key=adapter.make_key("d", AT), at=AT)
        assert isinstance(outcome, NotPrepared)
        assert not outcome.retry
        assert "app password" in outcome.reason
        assert adapter.diagnose() == outcome.reason
        assert "wrong-password" not in outcome.reason

    def test_an_account_that_was_deactivated_cannot_prepare(self, body):
        adapter = body.adapter()
        assert adapter.diagnose() is None
        body.pds.deactivate(body.handle, PASSWORD)
        assert "deactivated" in adapter.diagnose()
        outcome = adapter.prepare(post("Hello."), key=adapter.make_key("d", AT), at=AT)
        assert isinstance(outcome, NotPrepared)
        assert not outcome.retry

    def test_an_account_deactivated_between_preparing_and_sending_is_refused(self, body):
        adapter = body.adapter()
        prepared = prepare(adapter, post("Hello."))
        body.pds.deactivate(body.handle, PASSWORD)
        outcome = adapter.send(prepared)
        assert isinstance(outcome, Refused)
        assert "deactivated" in outcome.reason


class TestSigningIn:
    def test_a_session_that_was_kept_is_used_again(self, body):
        body.adapter().diagnose()
        kept = body.tokens.find()
        # A wrong password shows that it is not used while the session is good.
        assert body.adapter(password="wrong").diagnose() is None
        assert body.tokens.find() == kept

    def test_a_token_that_is_no_good_is_renewed_with_the_refresh_token(self, body):
        body.adapter().diagnose()
        kept = body.tokens.find()
        body.tokens.save({**kept, "access": worn_out(kept["access"])})
        assert body.adapter(password="wrong").diagnose() is None
        assert body.tokens.find()["refresh"] != kept["refresh"]

    def test_where_both_tokens_are_no_good_the_password_is_used(self, body):
        body.adapter().diagnose()
        kept = body.tokens.find()
        worn = worn_out(kept["access"])
        body.tokens.save({**kept, "access": worn, "refresh": worn})
        assert "app password" in body.adapter(password="wrong").diagnose()
        assert body.adapter().diagnose() is None

    def test_a_token_that_runs_out_before_sending_is_renewed_and_the_post_goes_out_once(self, body):
        adapter = body.adapter()
        prepared = prepare(adapter, post("In time."))
        kept = body.tokens.find()
        body.tokens.save({**kept, "access": worn_out(kept["access"])})
        assert isinstance(adapter.send(prepared), Sent)
        assert len(body.posts()) == 1

    def test_another_accounts_session_is_not_used(self, body):
        other = Body(body.pds)
        other.adapter().diagnose()
        tokens = other.tokens
        adapter = body.adapter(tokens=tokens)
        assert isinstance(adapter.send(prepare(adapter, post("Mine."))), Sent)
        assert len(body.posts()) == 1
        assert other.posts() == []


def worn_out(token):
    """The token with another signature: the server cannot tell it from one it never gave."""
    head, claims, _ = token.split(".")
    return f"{head}.{claims}.{base64.urlsafe_b64encode(b'x' * 32).decode().rstrip('=')}"


class TestWhenTheAnswerIsLost:
    def through(self, body, drop_when, *, before=False):
        """An adapter that reaches the server through a proxy, which drops an answer once."""
        dropped = []

        def say(asked):
            drop = not dropped and asked.xrpc == drop_when
            if drop:
                dropped.append(asked)
                if before:
                    return DROP
            answer = forward(body.pds.port, asked)
            return DROP if drop else answer

        return standing_in(say)

    @pytest.mark.parametrize(
        ("rendition", "method"),
        [
            (post("Said once."), "com.atproto.repo.putRecord"),
            (post("First.", "Second."), "com.atproto.repo.applyWrites"),
        ],
        ids=["post", "thread"],
    )
    def test_a_look_up_finds_the_post_and_sending_again_leaves_one(self, body, rendition, method):
        with self.through(body, method) as proxy:
            adapter = body.adapter(server=proxy.url)
            prepared = prepare(adapter, rendition)
            assert isinstance(adapter.send(prepared), Unconfirmed)
            assert len(body.posts()) == len(rendition.parts)
            found = adapter.look_up(prepared)
            assert isinstance(found, Sent)
            again = adapter.send(prepared)
            assert again == found or isinstance(again, Unconfirmed)
            assert adapter.look_up(prepared) == found
            assert len(body.posts()) == len(rendition.parts)

    def test_a_request_lost_on_the_way_is_absent_and_may_be_sent_again(self, body):
        with self.through(body, "com.atproto.repo.putRecord", before=True) as proxy:
            adapter = body.adapter(server=proxy.url)
            prepared = prepare(adapter, post("Said once."))
            assert isinstance(adapter.send(prepared), Unconfirmed)
            assert adapter.look_up(prepared) == Absent()
            assert isinstance(adapter.send(prepared), Sent)
            assert len(body.posts()) == 1

    def test_the_very_bytes_that_were_frozen_are_sent(self, body):
        with self.through(body, None) as proxy:
            adapter = body.adapter(server=proxy.url)
            prepared = prepare(adapter, post("Byte for byte \U0001f44b."))
            assert isinstance(adapter.send(prepared), Sent)
            [request] = [a for a in proxy.asked if a.xrpc == "com.atproto.repo.putRecord"]
            assert request.body == prepared.request

    def test_a_lost_answer_to_a_picture_is_tried_again_by_preparing_again(self, body):
        with self.through(body, "com.atproto.repo.uploadBlob") as proxy:
            adapter = body.adapter(server=proxy.url)
            rendition = Rendition((Part("Look:", (make_picture("A square"),)),))
            outcome = adapter.prepare(rendition, key=adapter.make_key("d", AT), at=AT)
            assert isinstance(outcome, NotPrepared)
            assert outcome.retry
            assert isinstance(adapter.send(prepare(adapter, rendition, "d")), Sent)
            assert len(body.posts()) == 1

    def test_an_edit_that_our_own_record_cannot_be_told_from_is_not_accepted(self, body):
        """A server that names our content id but shows another text is not believed."""

        def say(asked):
            answer = forward(body.pds.port, asked)
            if asked.xrpc == "com.atproto.repo.getRecord" and answer.status == 200:
                told = json.loads(answer.body)
                told["value"]["text"] = "Something else."
                return said(200, told)
            return answer

        with standing_in(say) as proxy:
            adapter = body.adapter(server=proxy.url)
            prepared = prepare(adapter, post("What was signed."))
            sent = adapter.send(prepared)
            assert isinstance(sent, Sent)
            assert isinstance(adapter.look_up(prepared), Unconfirmed)
            assert isinstance(adapter.read_back(sent), Unreadable)


class TestWhenTheServerIsDown:
    def test_nothing_goes_out_and_it_goes_on_when_the_server_is_back(self, body):
        adapter = body.adapter()
        prepared = prepare(adapter, post("After the outage."))
        sent_before = adapter.send(prepare(adapter, post("Before it."), "delivery-0"))
        body.pds.stop()
        try:
            outcome = adapter.prepare(post("x"), key=prepared.key, at=AT)
            assert isinstance(outcome, NotPrepared)
            assert outcome.retry
            assert "Connection refused" in adapter.diagnose()
            assert isinstance(adapter.send(prepared), Unconfirmed)
            assert isinstance(adapter.look_up(prepared), Unconfirmed)
            assert isinstance(adapter.read_back(sent_before), Unreadable)
        finally:
            body.pds.start()
        assert adapter.look_up(prepared) == Absent()
        assert isinstance(adapter.send(prepared), Sent)
        assert adapter.read_back(sent_before).texts == ("Before it.",)


def test_a_real_rate_limit_is_not_taken_for_a_wrong_password(tmp_path):
    with running_pds(tmp_path, rate_limits=True) as pds:
        body = Body(pds)
        # Thirty sign-ins in five minutes are the limit; a password this long is refused unread.
        for _ in range(30):
            with pytest.raises(ServerFault, match="answered 401"):
                pds.sign_in(body.handle, "x" * 600)
        adapter = body.adapter()
        outcome = adapter.prepare(post("x"), key=adapter.make_key("d", AT), at=AT)
        assert isinstance(outcome, NotPrepared)
        assert outcome.retry
        assert "no more requests" in outcome.reason
        assert 200 < outcome.after_seconds <= 300, "the server says when its limit starts anew"
