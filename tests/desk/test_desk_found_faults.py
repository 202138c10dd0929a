"""Faults that were found once, each shown here so that it cannot come back."""

from datetime import timedelta

import desk_moves as moves
import pytest

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts.models import Draft, Version
from folkmoot.desk.guidance import actions as guidance
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing.models import Attempt


@pytest.mark.parametrize("name", ["/etc", "/etc/passwd", "../packs/nolan", "nolan/.", "./nolan"])
def test_a_pack_is_asked_for_by_name_and_never_by_folder(cast, name):
    answer = cast.client().post(
        f"/api/check?pack={name}", data='{"text": "Hello."}', content_type="application/json"
    )
    assert answer.status_code == 404
    assert "There is no pack" in answer.json()["error"]


def test_not_there_yet_is_not_proof_while_the_request_may_be_on_its_way(cast, monkeypatch):
    absent = moves.Absent()
    standin = moves.StandIn(send=[moves.Unconfirmed("Silence.")], look_up=[absent, absent])
    monkeypatch.setattr(accounts, "open_adapter", lambda account, **_: standin)
    draft = moves.signed(cast)
    publishing.work(cast.clock)
    cast.clock.pass_(seconds=3)
    publishing.work(cast.clock)
    told = moves.told(draft)
    assert told.state == "unconfirmed"
    assert "It may still be on its way" in told.trouble
    cast.clock.pass_(seconds=30)
    publishing.work(cast.clock)
    assert moves.told(draft).state in {"waiting", "sending", "sent"}


def test_looking_for_a_post_for_ever_fills_no_table(cast, monkeypatch):
    silence = [moves.Unconfirmed("Silence.")] * 40
    standin = moves.StandIn(send=[moves.Unconfirmed("Silence.")], look_up=silence)
    monkeypatch.setattr(accounts, "open_adapter", lambda account, **_: standin)
    moves.signed(cast)
    for _ in range(30):
        moves.work(cast)
        cast.clock.pass_(minutes=2)
    assert Attempt.objects.count() == 2


def test_a_late_post_is_judged_by_the_moment_it_leaves(cast):
    due_at = cast.clock() + timedelta(minutes=10)
    draft = moves.signed(cast, cast.content(due_at=due_at, window_minutes=60))
    guidance.add_period(
        cast.body,
        kind="pre_election",
        name="",
        starts_at=due_at + timedelta(minutes=10),
        ends_at=due_at + timedelta(days=1),
        source="Notice",
        actor=cast.dan,
        now=cast.clock(),
    )
    cast.clock.pass_(minutes=30)
    moves.work(cast)
    assert moves.told(draft).state == "refused"
    assert "The check now holds this post" in moves.told(draft).trouble


def test_signing_with_an_objection_typed_throws_nothing_away(cast):
    draft = moves.awaiting(cast)
    answer = cast.client(cast.bob).post(
        f"/desk/signoff/{draft.pk}",
        {"decision": "sign", "digest": moves.digest_of(draft), "reason": "Is it 1,250?"},
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "pressed Sign, so nothing was done" in page
    assert "Is it 1,250?" in page
    assert moves.again(cast, draft).state == "awaiting_signoff"


def test_a_picture_shown_after_a_refused_save_is_kept_by_the_next(cast):
    client = cast.client(cast.alice)
    client.post("/desk/drafts/new", moves.form_of(cast.content("First.")))
    stale = moves.form_of(cast.content("Second."), revision=99)
    picture = moves.picture_file()
    picture.name = "p.png"
    answer = client.post(f"/desk/drafts/{_newest()}/edit", {**stale, "picture": picture})
    page = answer.content.decode()
    assert answer.status_code == 422
    mark = page.partition('name="have" value="')[2].partition('"')[0]
    assert mark
    revision = page.partition('name="revision" value="')[2].partition('"')[0]
    again = moves.form_of(cast.content("Second."), revision=revision, have=mark)
    assert client.post(f"/desk/drafts/{_newest()}/edit", again).status_code == 302
    assert [p["sha256"] for p in Version.objects.order_by("-pk")[0].pictures] == [mark]


def _newest():
    return Draft.objects.order_by("-pk")[0].pk
