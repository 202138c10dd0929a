"""The Graph API's errors, waits, tokens and lists, as Meta words them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from folkmoot.channels.api import Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.graph import (
    Graph,
    find_newer,
    make_key,
    same_text,
    to_not_prepared,
    to_refused,
    undecided,
)
from folkmoot.channels.kinds import CannotConnect, Connected, get_kind
from folkmoot.channels.outbound import OutboundError, Response
from folkmoot.channels.port import Different, Refused, Unconfirmed
from folkmoot.channels.tokens import CannotSignIn, Grant, MemoryTokens

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Answers:
    """Stands in for the outbound client: gives each answer once, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def request(self, method, url, headers=None, body=None):
        self.asked.append((method, url, headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def yes(value):
    return Response(200, {}, json.dumps(value).encode())


def error(code, subcode=None, *, status=400, headers=None, **more):
    value = {"message": "It was said", "type": "OAuthException", "code": code, **more}
    if subcode is not None:
        value["error_subcode"] = subcode
    return Response(status, headers or {}, json.dumps({"error": value}).encode())


def make_graph(*answers, token="THE-TOKEN", tokens=None, grant_type=""):
    outbound = Answers(*answers)
    account = Connected(
        handle="council",
        server="https://graph.example",
        settings={},
        secrets={"token": token},
        outbound=outbound,
        tokens=tokens or MemoryTokens(),
        picture_url=lambda sha256, kind: "",
        now=lambda: NOW,
    )
    graph = Graph(
        account, title="Meta", version="v25.0", permissions="leave", grant_type=grant_type
    )
    return graph, outbound


@pytest.mark.parametrize(
    ("code", "subcode", "status", "meaning"),
    [
        (3, None, 400, Meaning.REFUSED),
        (4, 2207051, 400, Meaning.REFUSED),
        (10, None, 403, Meaning.REFUSED),
        (25, 2207050, 400, Meaning.REFUSED),
        (100, None, 400, Meaning.REFUSED),
        (100, 33, 400, Meaning.MISSING),
        (100, 2207028, 400, Meaning.REFUSED),
        (200, None, 403, Meaning.REFUSED),
        (283, None, 403, Meaning.REFUSED),
        (368, 1390008, 400, Meaning.REFUSED),
        (506, None, 400, Meaning.REPEAT),
        (803, None, 404, Meaning.MISSING),
        (36003, 2207009, 400, Meaning.REFUSED),
    ],
)
def test_a_clear_no_is_one_and_says_what_to_do(code, subcode, status, meaning):
    graph, _ = make_graph(error(code, subcode, status=status))
    with pytest.raises(SaidNo) as caught:
        graph.post("me/feed", {})
    assert caught.value.meaning is meaning
    assert caught.value.reason.endswith(".")
    if meaning is Meaning.REFUSED:
        assert isinstance(to_refused(caught.value), Refused)
        assert not to_not_prepared(caught.value).retry


@pytest.mark.parametrize(
    ("code", "subcode", "status"),
    [
        (1, None, 400),
        (2, None, 500),
        (-1, 2207001, 400),
        (-2, 2207003, 400),
        (-2, 2207020, 400),
        (4, None, 403),
        (9, 2207042, 400),
        (17, None, 400),
        (24, 2207008, 400),
        (24, 4279009, 400),
        (32, None, 400),
        (341, None, 400),
        (613, None, 400),
        (80001, None, 400),
        (80002, None, 403),
        (80014, None, 400),
        (9004, 2207052, 400),
        (9007, 2207027, 400),
    ],
)
def test_what_may_pass_is_no_clear_answer(code, subcode, status):
    graph, _ = make_graph(error(code, subcode, status=status))
    with pytest.raises(NoClearAnswer) as caught:
        graph.post("me/feed", {})
    assert isinstance(to_refused(caught.value), Unconfirmed)
    assert to_not_prepared(caught.value).retry


def test_what_meta_calls_passing_or_sends_with_a_5xx_is_never_a_clear_no():
    for answer in (error(100, is_transient=True), error(100, status=500), error(190, status=503)):
        graph, _ = make_graph(answer)
        with pytest.raises(NoClearAnswer):
            graph.post("me/feed", {})


@pytest.mark.parametrize(
    ("subcode", "why"),
    [
        (458, "removed the app"),
        (459, "sign in there"),
        (460, "password"),
        (463, "run out"),
        (464, "confirmed"),
        (467, "revoked"),
        (492, "no task"),
        (None, "It was said"),
    ],
)
def test_a_dead_token_is_told_with_the_reason(subcode, why):
    graph, outbound = make_graph(error(190, subcode, status=401))
    with pytest.raises(CannotSignIn) as caught:
        graph.get("me")
    assert why in caught.value.reason
    assert "connect the account again" in caught.value.reason
    assert not caught.value.retry
    assert len(outbound.asked) == 1
    assert isinstance(to_refused(caught.value), Refused)


def test_how_long_to_wait_is_read_from_metas_own_headers():
    usage = {"1": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 7}]}
    headers = {"x-business-use-case-usage": json.dumps(usage), "x-app-usage": '{"call_count":99}'}
    graph, _ = make_graph(
        error(80001, headers=headers), error(4), error(4, headers={"x-app-usage": "?"})
    )
    for seconds in (420.0, None, None):
        with pytest.raises(NoClearAnswer) as caught:
            graph.get("me")
        assert caught.value.after_seconds == seconds


def test_the_token_is_in_no_address_and_is_never_repeated():
    graph, outbound = make_graph(error(100, message="Bad token THE-TOKEN here"))
    with pytest.raises(SaidNo) as caught:
        graph.post("me/feed", {"message": "x"})
    assert "THE-TOKEN" not in caught.value.reason
    [(_, url, headers)] = outbound.asked
    assert "THE-TOKEN" not in url
    assert headers["Authorization"] == "Bearer THE-TOKEN"


def test_an_answer_that_makes_no_sense_is_no_clear_answer():
    for answer in (
        yes([]),
        yes({"error": "?"}),
        Response(200, {}, b"<html>"),
        Response(200, {}, b""),
    ):
        graph, _ = make_graph(answer)
        with pytest.raises(NoClearAnswer):
            graph.post("me/feed", {})
    graph, _ = make_graph(yes({"data": "?"}), yes({"data": [{"id": 5}]}))
    for _ in range(2):
        with pytest.raises(NoClearAnswer):
            graph.list_page("me/feed", fields="id")
    with pytest.raises(NoClearAnswer):
        graph.get_id({"id": None})


# -- tokens --------------------------------------------------------------------------------------


def kept(graph_tokens, **changes):
    """What is kept for the typed token, with its end where a test wants it."""
    found = Grant.from_tokens(graph_tokens.find())
    fresh = Grant(found.access, found.refresh, changes.get("ends"), changes.get("ends"))
    graph_tokens.save(fresh.to_tokens())


def renewed(access="NEW", seconds=5_184_000):
    return yes({"access_token": access, "token_type": "bearer", "expires_in": seconds})


def with_end(days):
    tokens = MemoryTokens()
    graph, _ = make_graph(yes({}), tokens=tokens, grant_type="th_refresh_token")
    graph.get("me")
    kept(tokens, ends=NOW + timedelta(days=days))
    return tokens


def test_a_token_near_its_end_is_renewed_and_kept_before_it_is_used():
    tokens = with_end(days=3)
    graph, outbound = make_graph(renewed(), yes({}), tokens=tokens, grant_type="th_refresh_token")
    graph.get("me")
    assert outbound.asked[0][1].startswith("https://graph.example/refresh_access_token?grant_type=")
    assert outbound.asked[1][2]["Authorization"] == "Bearer NEW"
    assert tokens.find()["access"] == "NEW"
    assert graph.token.ends_at() == NOW + timedelta(days=60)


def test_a_renewal_that_fails_does_no_harm_while_the_token_holds():
    tokens = with_end(days=3)
    lost = OutboundError("Silence.", sent=True)
    graph, outbound = make_graph(lost, yes({}), tokens=tokens, grant_type="th_refresh_token")
    graph.get("me")
    assert outbound.asked[1][2]["Authorization"] == "Bearer THE-TOKEN"
    assert tokens.find()["access"] == "THE-TOKEN"


def test_an_answer_without_a_token_overwrites_nothing():
    tokens = with_end(days=3)
    graph, _ = make_graph(yes({}), yes({}), tokens=tokens, grant_type="th_refresh_token")
    graph.get("me")
    assert tokens.find()["access"] == "THE-TOKEN"


def test_a_token_far_from_its_end_is_left_alone_and_one_with_no_known_end_is_asked_about():
    tokens = with_end(days=55)
    graph, outbound = make_graph(yes({}), tokens=tokens, grant_type="th_refresh_token")
    graph.token.freshen()
    assert outbound.asked == []
    graph, outbound = make_graph(error(190, status=400), grant_type="th_refresh_token")
    graph.token.freshen()  # younger than a day, so it cannot be renewed: no harm done
    assert len(outbound.asked) == 1
    assert graph.token.ends_at() is None


def test_a_token_that_somebody_else_renewed_meanwhile_is_used():
    tokens = with_end(days=30)
    graph, outbound = make_graph(
        error(190, 463), yes({}), tokens=tokens, grant_type="th_refresh_token"
    )
    first_find = tokens.find

    def find_then_renewed_by_another():
        found = first_find()
        if outbound.asked:
            return {**found, "access": "THEIRS"}
        return found

    tokens.find = find_then_renewed_by_another
    graph.get("me")
    assert outbound.asked[1][2]["Authorization"] == "Bearer THEIRS"


def test_a_token_that_is_typed_later_replaces_what_was_kept():
    tokens = with_end(days=30)
    graph, outbound = make_graph(yes({}), token="ANOTHER", tokens=tokens)
    assert graph.token.ends_at() is None
    graph.get("me")
    assert outbound.asked[0][2]["Authorization"] == "Bearer ANOTHER"


def test_an_account_without_a_token_says_so():
    graph, outbound = make_graph(token="")
    with pytest.raises(CannotSignIn, match="no access token"):
        graph.get("me")
    assert outbound.asked == []


# -- lists and small things ----------------------------------------------------------------------


def page(*ids, after=""):
    paging = {"cursors": {"after": after}, "next": "https://graph.example/"} if after else {}
    return yes({"data": [{"id": one} for one in ids], "paging": paging})


def test_what_is_newer_stands_above_what_was_known():
    graph, _ = make_graph(page("9", "8", after="x"), page("7", "3", "2"))
    newer = find_newer(graph, "me/feed", ("3", "2"), fields="id")
    assert [one["id"] for one in newer.items] == ["9", "8", "7"]
    assert newer.certain


def test_a_list_without_anything_that_was_known_proves_nothing():
    graph, _ = make_graph(page(), page("9"), page("9"))
    assert not find_newer(graph, "me/feed", ("3",), fields="id").certain
    assert not find_newer(graph, "me/feed", ("3",), fields="id").certain
    assert find_newer(graph, "me/feed", (), fields="id").certain


def test_what_stays_undecided_is_a_persons_after_a_quarter_of_an_hour():
    due = NOW.isoformat()
    assert isinstance(undecided("Why.", due, NOW + timedelta(minutes=14)), Unconfirmed)
    assert isinstance(undecided("Why.", due, NOW + timedelta(minutes=16)), Different)


def test_the_same_words_are_the_same_whatever_their_form():
    assert same_text("Caf\u00e9\n\n1 ", "Cafe\u0301\r\n\r\n1")
    assert same_text("", None)
    assert not same_text("One", "One.")


def test_a_key_needs_a_time_with_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        make_key("delivery", datetime(2026, 11, 20, 9, 0))  # noqa: DTZ001


@pytest.mark.parametrize("channel", ["facebook", "instagram", "threads"])
def test_what_is_typed_wrong_is_told_by_its_field(channel):
    kind = get_kind(channel)
    name = "page" if channel == "facebook" else "handle"
    right = {name: "1234567890" if channel == "facebook" else "@Council", "token": "x"}
    handle, server = kind.name_of(right)
    assert handle in ("1234567890", "council")
    assert server.startswith("https://graph.")
    for field, value in ((name, "not a name!"), ("token", " "), ("server", "no"), ("version", "9")):
        with pytest.raises(CannotConnect) as caught:
            kind.name_of({**right, field: value})
        assert caught.value.field == field
        assert caught.value.reason.endswith(".")


def test_facebooks_sign_in_on_instagram_needs_the_accounts_number():
    typed = {"handle": "council", "token": "x", "server": "https://graph.facebook.com"}
    with pytest.raises(CannotConnect):
        get_kind("instagram").name_of(typed)
    get_kind("instagram").name_of({**typed, "user_id": "17841400000000000"})
