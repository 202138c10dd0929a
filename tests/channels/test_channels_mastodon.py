"""Mastodon: the contract with keys honoured and ignored, each request and answer held against the
API's own description, and what goes wrong on the way.
"""

import datetime as dt
import json
from dataclasses import replace

import pytest
from mastodon_description import Watched, find_description, load_description

from folkmoot.channels import (
    Absent,
    Different,
    Live,
    NotPrepared,
    NotReady,
    Outbound,
    Part,
    Partly,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.contract import ChannelContract, make_picture, post
from folkmoot.channels.kinds import CannotConnect, Connected, get_kind
from folkmoot.channels.mastodon.simulated import SIMULATED
from folkmoot.channels.simulator import Fault, Occasion, Simulator, Strike
from folkmoot.channels.tokens import MemoryTokens

DUE_AT = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 20, 8, 55, tzinfo=dt.UTC)


def connect(simulator, *, timeout_seconds=5.0, **more):
    kind = get_kind("mastodon")
    typed = {**simulator.simulated.to_type(simulator.url), **more}
    handle, server = kind.name_of(typed)
    secret = {one.name for one in kind.wanted if one.secret}
    return kind.build(
        Connected(
            handle=handle,
            server=server,
            settings={name: value for name, value in typed.items() if name not in secret},
            secrets={name: value for name, value in typed.items() if name in secret},
            outbound=Outbound(allow=[simulator.allow], timeout_seconds=timeout_seconds),
            tokens=MemoryTokens(),
            picture_url=lambda sha256, media_type: f"https://pictures.example/{sha256}",
            now=lambda: NOW,
        )
    )


class MastodonContract(ChannelContract):
    honours_keys = True

    @pytest.fixture
    def simulator(self):
        watched = Watched(SIMULATED(honours_keys=self.honours_keys), find_description())
        with Simulator(watched) as running:
            yield running
        assert watched.faults == []

    @pytest.fixture
    def adapter(self, simulator):
        return connect(simulator)

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def count_uploads(self, simulator):
        return lambda: sum(
            1 for one in simulator.requests if (one.method, one.path) == ("POST", "/api/v2/media")
        )

    @pytest.fixture
    def secrets(self, simulator):
        return lambda: [simulator.simulated.token]


class TestMastodonThatHonoursKeys(MastodonContract):
    pass


class TestMastodonThatIgnoresKeys(MastodonContract):
    honours_keys = False
    keyed = False


@pytest.fixture(params=["keys honoured", "keys ignored"])
def simulator(request):
    with Simulator(SIMULATED(honours_keys=request.param == "keys honoured")) as running:
        yield running


@pytest.fixture
def forgetful():
    """A server that takes no notice of idempotency keys."""
    with Simulator(SIMULATED(honours_keys=False)) as running:
        yield running


@pytest.fixture
def adapter(simulator):
    return connect(simulator)


def strike(simulator, occasion, fault, *, seconds=5.0, times=1):
    simulator.faults.add(occasion, Strike(fault, seconds), times=times)


def prepare(adapter, rendition, delivery="d1", memo=""):
    key = adapter.make_key(delivery, DUE_AT)
    prepared = adapter.prepare(rendition, key=key, at=DUE_AT, memo=memo)
    assert isinstance(prepared, Prepared), prepared
    return prepared


def send(adapter, prepared):
    done = ()
    while isinstance(outcome := adapter.send(prepared, done), Partly):
        done = outcome.remote_ids
    assert isinstance(outcome, Sent), outcome
    return outcome


def live(simulator):
    return [one.text for one in reversed(simulator.store.list_newest(1000))]


# -- a post whose answer never came -------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.BROKEN_AFTER, Fault.RUBBISH])
def test_a_post_whose_answer_is_lost_is_found_and_never_sent_again(simulator, adapter, fault):
    prepared = prepare(adapter, post("Roads are icy. #Grit https://example.gov.uk/grit?a=1&b=2"))
    strike(simulator, Occasion.PUBLISH, fault)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    found = adapter.look_up(prepared)
    assert isinstance(found, Sent)
    assert adapter.look_up(prepared) == found
    assert len(live(simulator)) == 1


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.BROKEN_BEFORE, Fault.TOO_MANY])
def test_a_post_that_never_arrived_is_absent_and_may_go_again(simulator, adapter, fault):
    prepared = prepare(adapter, post("The library is closed."))
    strike(simulator, Occasion.PUBLISH, fault)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert adapter.look_up(prepared) == Absent()
    assert isinstance(adapter.send(prepared), Sent)
    assert live(simulator) == ["The library is closed."]


def test_a_server_that_is_slow_to_answer_has_published_all_the_same(simulator):
    adapter = connect(simulator, timeout_seconds=0.3)
    prepared = prepare(adapter, post("Slowly."))
    strike(simulator, Occasion.PUBLISH, Fault.SLOW, seconds=0.6)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert isinstance(adapter.look_up(prepared), Sent)


def test_how_long_the_server_asks_to_wait_is_passed_on(simulator, adapter):
    prepared = prepare(adapter, post("Too many."))
    strike(simulator, Occasion.PUBLISH, Fault.TOO_MANY_WAIT, seconds=42)
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Unconfirmed)
    assert outcome.after_seconds == 42.0


def test_a_post_published_twice_is_told_to_a_person(forgetful):
    adapter = connect(forgetful)
    prepared = prepare(adapter, post("Twice."))
    strike(forgetful, Occasion.PUBLISH, Fault.TWICE)
    sent = adapter.send(prepared)
    assert isinstance(sent, Sent)
    found = adapter.look_up(prepared)
    assert isinstance(found, Different)
    assert found.reason.startswith("It stands there twice: http")
    # Knowing one of the two does not hide the other.
    assert isinstance(adapter.look_up(prepared, sent.remote_ids), Different)


def test_an_answer_about_another_post_is_not_believed(simulator, adapter):
    send(adapter, prepare(adapter, post("An older one."), "d0"))
    prepared = prepare(adapter, post("A newer one."))
    strike(simulator, Occasion.PUBLISH, Fault.WRONG_ID)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    found = adapter.look_up(prepared)
    assert isinstance(found, Sent)
    assert simulator.store.find_post(found.remote_id).text == "A newer one."


def test_an_answer_that_names_an_older_post_with_the_same_words_is_not_believed(simulator, adapter):
    older = send(adapter, prepare(adapter, post("Office closed today."), "monday"))
    prepared = prepare(adapter, post("Office closed today."), "tuesday")
    strike(simulator, Occasion.PUBLISH, Fault.WRONG_ID)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    found = adapter.look_up(prepared)
    assert isinstance(found, Sent)
    assert found.remote_id != older.remote_id


def test_a_list_that_hides_the_post_is_caught_by_the_count(forgetful):
    adapter = connect(forgetful)
    prepared = prepare(adapter, post("Hidden."))
    strike(forgetful, Occasion.PUBLISH, Fault.LOSE_ANSWER)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    forgetful.faults.set_rates({(Occasion.READ, Fault.LIE): (1.0, 0.0)})
    outcome = adapter.look_up(prepared)
    assert isinstance(outcome, Unconfirmed)
    assert "counts more posts" in outcome.reason
    forgetful.faults.clear()
    assert isinstance(adapter.look_up(prepared), Sent)


def test_a_post_is_found_among_many_newer_ones(simulator, adapter):
    prepared = prepare(adapter, post("The one."))
    for number in range(45):
        simulator.store.add_post(f"Before, number {number}.")
    strike(simulator, Occasion.PUBLISH, Fault.LOSE_ANSWER)
    adapter.send(prepared)
    for number in range(45):
        simulator.store.add_post(f"After, number {number}.")
    assert isinstance(adapter.look_up(prepared), Sent)


def test_a_wrong_clock_on_the_server_does_no_harm(simulator, adapter):
    for seconds in (-7200, 7200):
        strike(simulator, Occasion.READ, Fault.SKEW, seconds=seconds)
        prepared = prepare(adapter, post("At some time."), f"skew {seconds}")
        assert adapter.look_up(prepared) == Absent()
        strike(simulator, Occasion.PUBLISH, Fault.LOSE_ANSWER)
        adapter.send(prepared)
        assert isinstance(adapter.look_up(prepared), Sent)


def test_a_post_edited_before_it_could_be_looked_up_is_not_sent_again(simulator, adapter):
    prepared = prepare(adapter, post("The bridge is open."))
    strike(simulator, Occasion.PUBLISH, Fault.LOSE_ANSWER)
    adapter.send(prepared)
    [stored] = simulator.store.list_newest(1)
    now = simulator.store.now()
    simulator.store.change_post(stored.id, text="The bridge is shut.", edited_at=now)
    found = adapter.look_up(prepared)
    assert isinstance(found, Different)
    assert "edited" in found.reason


def test_a_post_that_stands_there_without_its_picture_is_not_sent_again(simulator, adapter):
    prepared = prepare(adapter, Rendition((Part("Look:", (make_picture("A square."),)),)))
    strike(simulator, Occasion.PUBLISH, Fault.LOSE_ANSWER)
    adapter.send(prepared)
    [stored] = simulator.store.list_newest(1)
    simulator.store.change_post(stored.id, media=())
    found = adapter.look_up(prepared)
    assert isinstance(found, Different)
    assert "lacks a picture" in found.reason


def test_somebody_elses_post_with_another_text_is_not_taken_for_it(simulator, adapter):
    prepared = prepare(adapter, post("Ours."))
    simulator.store.add_post("Theirs.")
    assert adapter.look_up(prepared) == Absent()


def test_a_token_of_another_account_decides_nothing(simulator, adapter):
    prepared = prepare(adapter, post("Ours."))
    frozen = json.loads(prepared.request)
    other = json.dumps({**frozen, "account_id": "77"}).encode()
    outcome = adapter.look_up(replace(prepared, request=other))
    assert isinstance(outcome, Unconfirmed)
    assert "another account" in outcome.reason


# -- threads ------------------------------------------------------------------------------------


def test_a_thread_goes_on_where_an_answer_was_lost(simulator, adapter):
    prepared = prepare(adapter, post("One.", "Two.", "Three."))
    first = adapter.send(prepared)
    assert isinstance(first, Partly)
    strike(simulator, Occasion.PUBLISH, Fault.LOSE_ANSWER)
    assert isinstance(adapter.send(prepared, first.remote_ids), Unconfirmed)
    second = adapter.look_up(prepared, first.remote_ids)
    assert isinstance(second, Partly)
    assert second.remote_ids[:1] == first.remote_ids
    third = adapter.send(prepared, second.remote_ids)
    assert isinstance(third, Sent)
    assert adapter.look_up(prepared) == third
    assert live(simulator) == ["One.", "Two.", "Three."]
    parents = [one.reply_to for one in simulator.store.list_all()]
    assert parents == ["", third.remote_ids[0], third.remote_ids[1]]


def test_a_thread_of_parts_that_read_alike_is_kept_apart(simulator, adapter):
    prepared = prepare(adapter, post("Again.", "Again.", "Again."))
    done = ()
    for number in range(1, 4):
        assert adapter.look_up(prepared, done) == Absent()
        strike(simulator, Occasion.PUBLISH, Fault.LOSE_ANSWER)
        adapter.send(prepared, done)
        found = adapter.look_up(prepared, done)
        assert isinstance(found, Sent | Partly)
        done = found.remote_ids
        assert len(done) == number
    assert len(live(simulator)) == 3


def test_a_thread_whose_beginning_was_taken_away_stops(simulator, adapter):
    prepared = prepare(adapter, post("One.", "Two."))
    first = adapter.send(prepared)
    assert isinstance(first, Partly)
    simulator.store.remove_post(first.remote_ids[0])
    found = adapter.look_up(prepared, first.remote_ids)
    assert isinstance(found, Different)
    assert found.reason.startswith("Part 1 of this thread is not on Mastodon any more.")
    refused = adapter.send(prepared, first.remote_ids)
    assert isinstance(refused, Refused)
    assert "answers" in refused.reason


def test_a_part_that_stands_twice_is_told_to_a_person(forgetful):
    adapter = connect(forgetful)
    prepared = prepare(adapter, post("One.", "Two."))
    first = adapter.send(prepared)
    strike(forgetful, Occasion.PUBLISH, Fault.TWICE)
    adapter.send(prepared, first.remote_ids)
    assert isinstance(adapter.look_up(prepared, first.remote_ids), Different)


# -- pictures -----------------------------------------------------------------------------------


def pictured(count=2):
    pictures = tuple(make_picture(f"Square {n}.", shade=40 * n) for n in range(1, count + 1))
    return Rendition((Part("Look:", pictures),))


def count_uploads(simulator):
    return sum(1 for one in simulator.requests if one.path == "/api/v2/media")


def test_a_picture_in_processing_is_waited_for_and_handed_over_once(simulator, adapter):
    strike(simulator, Occasion.UPLOAD, Fault.SLOW_MEDIA, seconds=0.2)
    first = adapter.upload(pictured())
    assert isinstance(first, NotReady)
    assert "still at work on a picture" in first.reason
    key = adapter.make_key("d1", DUE_AT)
    early = adapter.prepare(pictured(), key=key, at=DUE_AT, memo=first.memo)
    assert isinstance(early, NotPrepared)
    assert early.retry
    outcome = first
    while isinstance(outcome, NotReady):
        outcome = adapter.upload(pictured(), memo=outcome.memo)
    assert isinstance(outcome, Uploaded)
    assert count_uploads(simulator) == 2
    send(adapter, prepare(adapter, pictured(), memo=outcome.memo))
    assert count_uploads(simulator) == 2


def test_what_was_handed_over_before_a_fault_is_not_lost(simulator, adapter):
    strike(simulator, Occasion.UPLOAD, Fault.SLOW, seconds=0)
    strike(simulator, Occasion.UPLOAD, Fault.BROKEN_BEFORE)
    first = adapter.upload(pictured())
    assert isinstance(first, NotReady)
    second = adapter.upload(pictured(), memo=first.memo)
    assert isinstance(second, Uploaded)
    # Two for the first attempt (one of them failed), one for what was left.
    assert count_uploads(simulator) == 3


def test_a_fault_before_anything_was_handed_over_is_tried_again(simulator, adapter):
    strike(simulator, Occasion.UPLOAD, Fault.TOO_MANY_WAIT, seconds=30)
    outcome = adapter.upload(pictured())
    assert isinstance(outcome, NotPrepared)
    assert outcome.retry
    assert outcome.after_seconds == 30.0


def test_a_picture_the_server_threw_away_is_handed_over_anew(simulator, adapter):
    uploaded = adapter.upload(pictured(1))
    [known] = json.loads(uploaded.memo)
    simulator.store.change_medium(known["id"], extra={"status": "another"})
    again = adapter.upload(pictured(1), memo=uploaded.memo)
    assert isinstance(again, Uploaded)
    assert json.loads(again.memo)[0]["id"] != known["id"]


def test_a_picture_that_cannot_be_processed_stops_the_post(simulator, adapter):
    strike(simulator, Occasion.UPLOAD, Fault.SLOW_MEDIA, seconds=60)
    waiting = adapter.upload(pictured(1))
    [known] = json.loads(waiting.memo)
    simulator.store.change_medium(known["id"], extra={"failed": True})
    outcome = adapter.upload(pictured(1), memo=waiting.memo)
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry
    assert "could not make sense of a picture" in outcome.reason


def test_a_memo_of_other_pictures_is_not_relied_on(simulator, adapter):
    uploaded = adapter.upload(pictured(1))
    other = Rendition((Part("Other:", (make_picture("Another.", shade=200),)),))
    assert isinstance(adapter.upload(other, memo=uploaded.memo), Uploaded)
    assert isinstance(adapter.upload(other, memo="not a memo"), Uploaded)
    assert count_uploads(simulator) == 3


# -- reading and taking down --------------------------------------------------------------------


def test_an_edited_post_reads_as_it_stands_now(simulator, adapter):
    sent = send(adapter, prepare(adapter, post("Before.")))
    now = simulator.store.now()
    simulator.store.change_post(sent.remote_id, text="After.", edited_at=now)
    read = adapter.read_back(sent)
    assert isinstance(read, Live)
    assert read.texts == ("After.",)
    [seen] = adapter.list_recent(5)
    assert seen.text == "After."


def test_a_lost_text_alternative_is_read_as_empty(simulator, adapter):
    sent = send(adapter, prepare(adapter, pictured(1)))
    [stored] = simulator.store.list_newest(1)
    simulator.store.change_medium(stored.media[0], alt="")
    read = adapter.read_back(sent)
    assert isinstance(read, Live)
    assert read.alts == (("",),)


def test_a_timeline_longer_than_a_page_is_listed_as_far_as_asked(simulator, adapter):
    for number in range(60):
        simulator.store.add_post(f"Number {number}.")
    listed = adapter.list_recent(50)
    assert [seen.text for seen in listed] == [f"Number {n}." for n in range(59, 9, -1)]


def test_what_is_written_to_somebody_alone_is_not_on_the_timeline(simulator, adapter):
    simulator.store.add_post("@mayor@elsewhere.example Yes.", extra={"visibility": "direct"})
    assert adapter.list_recent(10) == ()


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.BROKEN_AFTER, Fault.DROP])
def test_a_removal_in_doubt_is_looked_up(simulator, adapter, fault):
    sent = send(adapter, prepare(adapter, post("One.", "Two.")))
    key = adapter.make_key("removal", DUE_AT)
    removal = adapter.prepare_removal(sent, key=key, at=DUE_AT, reason="Wrong.")
    strike(simulator, Occasion.REMOVE, fault)
    assert isinstance(adapter.send(removal), Unconfirmed)
    assert adapter.look_up(removal) == Absent(), "the first part is still there"
    assert isinstance(adapter.send(removal), Sent)
    assert adapter.look_up(removal) == sent
    assert live(simulator) == []


def test_what_another_account_posted_is_not_said_to_be_removed(simulator, adapter):
    sent = send(adapter, prepare(adapter, post("Theirs.")))
    key = adapter.make_key("removal", DUE_AT)
    removal = adapter.prepare_removal(sent, key=key, at=DUE_AT, reason="Wrong.")
    # As a server answers that has the post, but not of the account that asks.
    simulator.simulated.deletes = False
    assert isinstance(adapter.send(removal), Unconfirmed)
    assert adapter.look_up(removal) == Absent()
    simulator.simulated.username = "mayor"
    outcome = adapter.prepare_removal(sent, key=key, at=DUE_AT, reason="Wrong.")
    assert isinstance(outcome, NotPrepared)
    assert "not of council" in outcome.reason


def test_a_post_edited_back_to_what_was_signed_is_ours(simulator, adapter):
    prepared = prepare(adapter, post("As signed."))
    sent = send(adapter, prepared)
    simulator.store.change_post(sent.remote_id, edited_at=simulator.store.now())
    assert adapter.look_up(prepared) == sent


# -- being let in -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"), [(Fault.REVOKED, "was revoked"), (Fault.EXPIRED, "is over")]
)
def test_a_token_that_is_not_taken_says_connect_again(simulator, adapter, fault, words):
    prepared = prepare(adapter, post("Never."))
    strike(simulator, Occasion.PUBLISH, fault)
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert words in outcome.reason
    assert "connect the account again" in outcome.reason
    assert live(simulator) == []


def test_a_revoked_token_stays_revoked_until_a_new_one_is_typed(simulator, adapter):
    prepared = prepare(adapter, post("Later."))
    strike(simulator, Occasion.READ, Fault.REVOKED)
    assert "revoked" in adapter.diagnose()
    assert "connect the account again" in adapter.diagnose()
    assert isinstance(adapter.send(prepared), Refused)
    assert isinstance(adapter.look_up(prepared), Unconfirmed)
    key = adapter.make_key("d2", DUE_AT)
    outcome = adapter.prepare(post("x"), key=key, at=DUE_AT)
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry
    assert isinstance(adapter.list_recent(5), Unreadable)
    fresh = connect(simulator)
    assert fresh.diagnose() is None
    assert isinstance(fresh.send(prepared), Sent)


def test_a_refusal_says_what_the_server_said(simulator, adapter):
    prepared = prepare(adapter, post("Not here."))
    strike(simulator, Occasion.PUBLISH, Fault.REFUSE)
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert "Text is not acceptable here" in outcome.reason
    assert adapter.look_up(prepared) == Absent()


def test_scopes_that_lack_are_named(simulator, adapter):
    simulator.simulated.scopes = ("read", "write:statuses")
    assert "add write:media to" in adapter.diagnose()
    simulator.simulated.scopes = ("profile",)
    sentence = adapter.diagnose()
    assert "read:accounts, read:statuses, write:statuses, write:media" in sentence
    simulator.simulated.scopes = ("read", "write")
    assert adapter.diagnose() is None


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("suspended", "suspended on Mastodon"),
        ("limited", "have limited this account"),
        ("memorial", "memorial"),
    ],
)
def test_what_was_done_to_the_account_is_said(simulator, adapter, flag, words):
    simulator.simulated.flags = {flag: True}
    assert words in adapter.diagnose()


def test_a_suspended_account_is_not_prepared_for(simulator, adapter):
    simulator.simulated.flags = {"suspended": True}
    outcome = adapter.prepare(post("x"), key=adapter.make_key("d", DUE_AT), at=DUE_AT)
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry


def test_a_token_of_the_wrong_account_is_found_out_before_anything_is_sent(simulator):
    adapter = connect(simulator, handle="@mayor@mastodon.example")
    outcome = adapter.prepare(post("x"), key=adapter.make_key("d", DUE_AT), at=DUE_AT)
    assert isinstance(outcome, NotPrepared)
    assert "that of the account council, not of mayor" in outcome.reason
    assert adapter.diagnose() == outcome.reason


def test_a_server_with_a_limit_of_its_own_is_set_by_hand_or_told_of():
    with Simulator(SIMULATED(max_characters=5000)) as generous:
        adapter = connect(generous, max_characters="5000")
        assert adapter.capabilities().lengths[0].most == 5000
        send(adapter, prepare(adapter, post("x" * 5000)))
    with Simulator(SIMULATED(max_characters=300)) as strict:
        assert "takes 300 characters" in connect(strict).diagnose()
        assert connect(strict, max_characters="300").diagnose() is None


# -- connecting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handle", "server", "wanted"),
    [
        ("@a@b.example", "", ("@a@b.example", "https://b.example")),
        ("a", "https://b.example/", ("@a@b.example", "https://b.example")),
        ("a", "b.example", ("@a@b.example", "https://b.example")),
        ("@a@b.example", "social.b.example", ("@a@b.example", "https://social.b.example")),
    ],
)
def test_an_account_is_named_by_what_was_typed(handle, server, wanted):
    kind = get_kind("mastodon")
    assert kind.name_of({"handle": handle, "server": server}) == wanted


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"handle": ""}, "handle"),
        ({"handle": "two words"}, "handle"),
        ({"handle": "a"}, "server"),
        ({"handle": "a", "server": "ftp://b.example"}, "server"),
        ({"handle": "a", "server": "https://user@b.example"}, "server"),
        ({"handle": "a", "server": "https://b.example/path"}, "server"),
        ({"handle": "a@b.example", "max_characters": "many"}, "max_characters"),
        ({"handle": "a@b.example", "max_characters": "0"}, "max_characters"),
    ],
)
def test_what_cannot_be_right_is_said_by_field(typed, field):
    with pytest.raises(CannotConnect) as caught:
        get_kind("mastodon").name_of(typed)
    assert caught.value.field == field
    assert caught.value.reason.endswith(".")


def test_capabilities_are_known_without_secrets():
    account = Connected(
        "@a@b.example",
        "https://b.example",
        {},
        {},
        Outbound(),
        MemoryTokens(),
        lambda sha256, media_type: "",
        lambda: NOW,
    )
    limits = get_kind("mastodon").build(account).capabilities()
    assert (limits.channel, limits.parts, limits.pictures) == ("mastodon", 25, 4)


# -- the description itself ---------------------------------------------------------------------


def test_the_description_covers_all_that_the_adapter_asks_and_notices_what_is_wrong():
    watched = Watched(SIMULATED(), load_description())
    with Simulator(watched) as running:
        adapter = connect(running)
        assert adapter.diagnose() is None
        strike(running, Occasion.UPLOAD, Fault.SLOW_MEDIA, seconds=0.1)
        outcome = adapter.upload(pictured(1))
        while isinstance(outcome, NotReady):
            outcome = adapter.upload(pictured(1), memo=outcome.memo)
        prepared = prepare(adapter, pictured(1), memo=outcome.memo)
        sent = send(adapter, prepared)
        assert adapter.look_up(prepared) == sent
        now = running.store.now()
        running.store.change_post(sent.remote_id, text="Changed.", edited_at=now)
        adapter.look_up(prepared)
        send(adapter, adapter.prepare_removal(sent, key="r", at=DUE_AT, reason="Wrong."))
        assert watched.faults == []
        assert watched.seen >= {
            "GET /api/v2/instance 200",
            "GET /api/v1/accounts/verify_credentials 200",
            "GET /api/v1/apps/verify_credentials 200",
            "GET /api/v1/accounts/ID/statuses 200",
            "POST /api/v2/media 202",
            "GET /api/v1/media/ID 206",
            "GET /api/v1/media/ID 200",
            "POST /api/v1/statuses 200",
            "DELETE /api/v1/statuses/ID 200",
        }
        watched.simulated.username = None
        adapter.diagnose()
        assert any("username" in fault for fault in watched.faults)
