"""Every address, for everybody: who may see it, and what those see who may not."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from pathlib import Path

import desk_moves as moves
import mailing_moves
import pytest
import releases_moves
from django.core import signing
from django.urls import URLPattern, reverse

from folkmoot.desk.accounts.adapters import EARLY_SALT
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.mailing import actions as mailing
from folkmoot.desk.mailing.tokens import LEAVE, make_token
from folkmoot.desk.people.models import Organisation
from folkmoot.desk.publishing.models import Alarm
from folkmoot.desk.records.models import Checkpoint, Entry, Stamp
from folkmoot.desk.site import urls
from folkmoot.desk.site import views as site
from folkmoot.guidance import PackError

PUBLIC = {
    "front",
    "feed",
    "rss",
    "feed_post",
    "public_picture",
    "early_picture",
    "register",
    "register_entry",
    "register_proof",
    "ledger_checkpoint",
    "ledger_old_checkpoint",
    "ledger_tile",
    "ledger_consistency",
    "ledger_stamp",
    "ledger_key",
    "guidance",
    "go_to_clause",
    "pack",
    "pack_overview",
    "pack_changes",
    "pack_rules",
    "pack_rule",
    "house_rules",
    "should_i_post",
    "api_check",
    "clause",
    "healthy",
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_inactive",
    "mail_issue",
    "subscribe",
    "subscribe_sent",
    "confirm_subscription",
    "unsubscribe",
}
# Signing out sends whoever is not signed in to the front page, and the list of the duty page to
# that page, which asks for signing in.
NEITHER = {"account_logout", "duty_list"}
POSTED = {"check_words", "take", "move_draft", "series_take", "account_take", "api_check"}
POSTED |= {"notice_test", "mailing_decide", "mailing_remove", "lift_stop", "lift_fence"}
POSTED |= {"records_request_take", "records_bag_take", "records_download"}
PEOPLE = ("anonymous", "alice", "bob", "dan", "fay", "mallory")


def flatten(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from flatten(pattern.url_patterns)


PATTERNS = list(flatten(urls.urlpatterns))
# The pages of the room retention have a table of their own, in test_desk_retention_pages.
NAMES = [one.name for one in PATTERNS if not one.name.startswith("retention_")]


@pytest.fixture
def town(cast):
    """A body with something at every address: a live post with a picture, one that waits."""
    from folkmoot.desk.drafts import actions as drafts
    from folkmoot.desk.notices import actions as notices
    from folkmoot.desk.notices.queries import TargetKind, Urgency

    row = drafts.add_picture(
        cast.alice, moves.picture_file(), size_bytes=1, name="p.png", alt="Teal.", now=cast.clock()
    )
    live = moves.publish(cast, pictures=(row,))
    waiting = moves.awaiting(cast)
    writing = drafts.start(cast.alice, cast.content("Being written."), now=cast.clock())
    entry = Entry.objects.get(kind="delivery.sent").entry_id
    told = notices.add_target(
        cast.dan,
        kind=TargetKind.EMAIL,
        name="",
        address="duty@moot.example",
        urgencies=[Urgency.NOW],
        quiet=None,
        now=cast.clock(),
    )
    notices.beat(datetime.now(UTC))  # /healthy is by the true clock
    alarm = Alarm.objects.create(
        account=cast.feed, kind="unsigned", remote_id="x", seen_at=cast.clock()
    )
    mailing.open_list(cast.body, cast.feed.pk, now=cast.clock())
    issue = mailing_moves.put_out(cast, "By e-mail.")
    ann = mailing_moves.joined(cast, "ann@a.example")
    head = Checkpoint.objects.latest("size")
    stamp = Stamp.objects.create(size=head.size, authority="x", token=b"x", at=cast.clock())
    request = releases_moves.made(cast, publish=False)
    bag = releases_moves.bag_of(request)
    chosen = request.chosen.first().entry_id
    places = {
        "records_entry": {"entry_id": chosen},
        "records_proof": {"entry_id": chosen},
        "records_request": {"ref": request.ref},
        "records_chosen": {"ref": request.ref},
        "records_redact": {"ref": request.ref},
        "records_redact_entry": {"ref": request.ref, "entry_id": chosen},
        "records_reading": {"ref": request.ref},
        "records_request_take": {"ref": request.ref, "verb": "refuse"},
        "records_bag": {"ref": bag.ref},
        "records_download": {"ref": bag.ref},
        "records_bag_take": {"ref": bag.ref, "verb": "remove"},
        "ledger_old_checkpoint": {"size": head.size},
        "ledger_tile": {"place": "0/000.p/1"},
        "ledger_stamp": {"size": head.size, "number": stamp.pk},
        "mail_issue": {"key": issue.key},
        "mailing_decide": {"key": issue.key},
        "confirm_subscription": {"token": mailing_moves.confirm_token(ann)},
        "unsubscribe": {"token": make_token(LEAVE, ann.ref)},
        "feed_post": {"key": moves.told(live).url.rstrip("/").rpartition("/")[2]},
        "public_picture": {"name": f"{row['sha256']}.png"},
        "early_picture": {
            "name": signing.dumps([cast.body.pk, row["sha256"], "image/png"], salt=EARLY_SALT)
        },
        "register_entry": {"entry_id": entry},
        "register_proof": {"entry_id": entry},
        "pack": {"pack": "uk-civil-service"},
        "pack_overview": {"pack": "uk-civil-service"},
        "pack_changes": {"pack": "uk-civil-service"},
        "pack_rules": {"pack": "uk-civil-service"},
        "pack_rule": {"pack": "uk-civil-service", "rule": "accessibility/alt-missing"},
        "clause": {"pack": "uk-civil-service", "clause": "HON-M1"},
        "post": {"draft_id": live.pk},
        "edit_draft": {"draft_id": writing.pk},
        "take": {"draft_id": writing.pk, "verb": "withdraw"},
        "move_draft": {"draft_id": writing.pk},
        "repeat": {"draft_id": writing.pk},
        "series_take": {"series_id": 1, "verb": "end"},
        "signoff": {"draft_id": waiting.pk},
        "picture": {"sha256": row["sha256"]},
        "account_take": {"account_id": cast.feed.pk, "verb": "diagnose"},
        "connect_channel": {"channel": "bluesky"},
        "add_notice_target": {"kind": "email"},
        "follow": {"draft_id": live.pk, "kind": "removal"},
        "lift_stop": {"stop_id": 1},
        "decide": {"delivery_id": moves.told(live).pk},
        "alarm": {"alarm_id": alarm.pk},
        "notice_target": {"target_id": told.pk},
        "notice_test": {"target_id": told.pk},
        "remove_notice_target": {"target_id": told.pk},
    }
    addresses = {name: reverse(name, kwargs=places.get(name)) for name in NAMES}
    addresses["ledger_consistency"] += "?from=1&to=2"
    return cast, addresses


OWNED = {"post", "edit_draft", "take", "move_draft", "repeat", "signoff", "picture"}
OWNED |= {"follow", "decide", "alarm"}
OWNED |= {"notice_target", "notice_test", "remove_notice_target"}


def expected(name, who, method):  # noqa: PLR0911 - the whole table, in words
    if name == "api_check":  # what is posted here is a form, and it takes JSON
        return {405} if method == "get" else {415}
    if name == "subscribe" and method == "post":
        return {422}
    if name in PUBLIC:
        return {302} if name == "account_login" and who != "anonymous" else {200, 302}
    if who == "anonymous":
        return {302}
    if name.startswith("records") and who != "fay":
        return {403}
    if name in POSTED and method == "get":
        return {405}
    if who == "mallory" and name in OWNED:
        return {404}
    return {200, 302, 422}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("who", PEOPLE)
def test_every_address_answers_each_as_the_table_says(town, who, method):
    cast, addresses = town
    for name, address in addresses.items():
        client = cast.client(getattr(cast, who, None))
        answer = getattr(client, method)(address)
        assert answer.status_code in expected(name, who, method), (name, answer.status_code)
        if name not in PUBLIC | NEITHER and who == "anonymous":
            assert answer["Location"].startswith("/sign-in/?next="), name
        if answer.streaming:
            assert b"".join(answer.streaming_content)


def test_only_the_pages_of_this_list_are_open_to_all():
    opened = {
        pattern.name
        for pattern in PATTERNS
        if not getattr(pattern.callback, "login_required", True)
    }
    assert opened == PUBLIC | NEITHER


@pytest.mark.parametrize("who", ["bob", "dan", "mallory"])
def test_who_may_not_write_is_told_so_and_nothing_changes(town, who):
    cast, addresses = town
    before = moves.state_of_everything()
    client = cast.client(getattr(cast, who))
    form = moves.form_of(cast.content("Mine now."), do="signoff")
    if who != "mallory":
        for name in ("new_draft", "edit_draft"):
            answer = client.post(addresses[name], form)
            assert answer.status_code == 422
            page = html.unescape(answer.content.decode())
            assert re.search("Only somebody with the role author( or duty)? can do this", page)
            assert "Mine now." in page
    draft = addresses["edit_draft"].split("/")[3]
    for verb in ("send_for_signoff", "withdraw", "take_back", "copy"):
        if who == "bob" and verb == "withdraw":
            continue  # an approver may withdraw
        answer = client.post(f"/desk/drafts/{draft}/{verb}", follow=True)
        assert answer.status_code == (404 if who == "mallory" else 200)
        words = "Page not found" if who == "mallory" else "There is a problem"
        assert words in answer.content.decode(), verb
    assert moves.state_of_everything() == before


UNKNOWN = [
    "/nothing",
    "/posts/nothing/",
    "/posts/%00/",
    "/pictures/nothing.png",
    "/pictures/%00",
    "/register/nothing/",
    "/register/%00/",
    "/register/nothing.tlog-proof",
    "/register/?words=%00",
    "/ledger/checkpoint/99999999999999999999999999",
    "/ledger/stamps/1/99999999999999999999999999",
    "/guidance/nothing/",
    "/guidance/..%2f..%2fetc/",
    "/guidance/%00/",
    "/guidance/uk-civil-service/nothing/",
    "/desk/drafts/999999",
    "/desk/drafts/99999999999999999999999999",
    "/desk/drafts/999999/edit",
    "/desk/signoff/999999",
    "/desk/signoff/99999999999999999999999999",
    "/desk/pictures/nothing",
    "/desk/pictures/%00",
    "/desk/pictures/..%2f..%2fledger.key",
]


@pytest.mark.parametrize("address", UNKNOWN)
def test_an_address_of_nothing_is_a_page_of_ours(cast, address):
    answer = cast.client(cast.alice).get(address)
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "Page not found" in page
    assert "govuk-template" in page
    assert "Alice" not in page or "Sign out" in page


def test_steps_on_what_does_not_exist_are_pages_of_ours(cast):
    client = cast.client(cast.dan)
    for address in ("/desk/drafts/999999/withdraw", "/desk/drafts/1/explode"):
        assert client.post(address).status_code == 404
    page = client.post("/desk/accounts/999999/disconnect", follow=True).content.decode()
    assert "There is no such account." in page
    assert client.post(f"/desk/accounts/{cast.feed.pk}/explode").status_code == 404


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=-1", "?page=x", "?page=999999", "?words=%25_'\"<script>", "?page=²"]
)
def test_the_register_takes_any_question(cast, query):
    answer = cast.client().get(f"/register/{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.content.decode().replace("<script ", "")


@pytest.mark.parametrize("address", ["/desk/drafts/?state=king", "/guidance/clause?clause=x"])
def test_a_choice_nobody_offered_is_passed_over(cast, address):
    assert cast.client(cast.alice).get(address).status_code in {200, 302}


def test_a_host_that_is_not_ours_gets_a_page_that_says_nothing(cast):
    answer = cast.client().get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "could not be read" in answer.content.decode()


def test_a_fault_of_ours_is_a_page_of_ours_that_needs_no_database(cast, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("bug")

    monkeypatch.setattr(site.drafts, "list_drafts", broken)
    monkeypatch.setattr(guidance, "get_pack", broken)
    client = cast.client(cast.alice)
    client.raise_request_exception = False
    answer = client.get("/desk/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Sorry, there is a problem" in page
    assert "bug" not in page


def test_a_pack_that_cannot_be_read_passes_nothing_and_breaks_no_page_of_the_desk(
    cast, monkeypatch
):
    waiting = moves.awaiting(cast)
    signed = moves.signed(cast, cast.content("Signed before it broke."))

    def broken(name):
        raise PackError(Path("pack.toml"), "id", "it is broken")

    monkeypatch.setattr(guidance, "get_pack", broken)
    guidance.get_checker.cache_clear()
    client = cast.client(cast.carol)
    for address in (
        "/desk/",
        "/desk/drafts/",
        "/desk/drafts/new",
        f"/desk/drafts/{waiting.pk}",
        f"/desk/signoff/{waiting.pk}",
        "/desk/settings/",
        "/desk/accounts/",
        "/nothing",
        "/",
        "/register/",
    ):
        assert client.get(address).status_code in {200, 404}, address
    answer = client.post(
        f"/desk/signoff/{waiting.pk}", {"decision": "sign", "digest": moves.digest_of(waiting)}
    )
    page = answer.content.decode()
    assert "The check could not be carried out" in page
    assert "Tell whoever looks after this system" in page
    assert moves.again(cast, waiting).state == "awaiting_signoff"
    moves.work(cast)
    assert moves.told(signed).state == "refused"
    assert "The check could not be carried out" in moves.told(signed).trouble
    form = moves.form_of(cast.content("Typed while it was broken."), do="signoff")
    answer = cast.client(cast.alice).post("/desk/drafts/new", form)
    assert answer.status_code == 422
    assert "Typed while it was broken." in answer.content.decode()


def test_a_desk_without_an_organisation_says_how_to_begin(db, client):
    assert not Organisation.objects.exists()
    assert "folkmoot up --practice" in client.get("/").content.decode()
    for address in ("/register/", "/guidance/", "/ledger/key", "/sign-in/"):
        assert client.get(address).status_code == 200, address
    for address in ("/feed.atom", "/posts/x/", "/ledger/checkpoint", "/guidance/clause"):
        assert client.get(address).status_code == 404, address


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"text": 1}', b"\xff\xfe", b"{}\0"])
def test_a_body_that_is_no_post_is_never_a_pass(cast, body):
    answer = cast.client().post("/api/check", body, content_type="application/json")
    assert answer.status_code == 422
    assert b'"verdict": "post"' not in answer.content
