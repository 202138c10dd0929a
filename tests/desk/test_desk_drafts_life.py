"""The life of a post: whatever members do in whatever order, nothing leaves unsigned."""

from __future__ import annotations

import ast
import html
from pathlib import Path

import desk_moves as moves
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot.check import Checker
from folkmoot.desk import drafts as drafts_room
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts import queries
from folkmoot.desk.drafts.models import Draft, Signoff
from folkmoot.desk.drafts.queries import get_version
from folkmoot.desk.publishing.models import Delivery

DESK = Path(drafts_room.__file__).parents[1]
MEMBERS = ("alice", "bob", "carol", "dan")
VERBS = ("save", "send_for_signoff", "sign", "send_back", "take_back", "withdraw", "work", "copy")


def do(cast, draft, verb, who, seen):
    """One step by one member; a refusal is an answer like another."""
    member, now = getattr(cast, who), cast.clock.pass_(seconds=1)
    try:
        with transaction.atomic():
            if verb == "save":
                revision = Draft.objects.get(pk=draft.pk).revision
                content = cast.content(f"Said at {now:%H:%M:%S}.")
                drafts.save(member, draft.pk, content, revision=revision, now=now)
            elif verb == "sign":
                drafts.sign(member, draft.pk, digest_seen=seen, accepted={}, now=now)
            elif verb == "send_back":
                drafts.send_back(member, draft.pk, digest_seen=seen, reason="Why.", now=now)
            else:
                getattr(drafts, verb)(member, draft.pk, now=now)
    except drafts.DraftRefused:
        pass


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(VERBS), st.sampled_from(MEMBERS), st.booleans()),
        min_size=3,
        max_size=14,
    )
)
def test_no_order_of_steps_by_anybody_sends_what_no_second_person_signed(cast, steps):
    with transaction.atomic():
        draft = moves.awaiting(cast, author=cast.carol)
        seen = moves.digest_of(draft)
        for verb, who, looked in steps:
            if looked:
                seen = moves.digest_of(moves.again(cast, draft))
            if verb == "work":
                moves.work(cast, times=1, seconds=1)
            else:
                do(cast, draft, verb, who, seen)
        moves.work(cast, times=3)
        for delivery in Delivery.objects.filter(draft=draft):
            version = queries.get_version(delivery.draft, delivery.version_number)
            signature = Signoff.objects.get(
                draft=draft, version_number=version.number, decision="signed"
            )
            writers = {v.by for v in draft.versions.filter(number__lte=version.number)}
            assert signature.by not in writers
            assert signature.digest == version.digest == delivery.digest
            assert delivery.state == "sent"
        assert moves.again(cast, draft).state != "signed"
        transaction.set_rollback(True)


def writes_of_state(tree):
    """Every place that sets ``state`` on something, or hands it to a write of rows."""
    readers = {"render", "urlencode"}
    writers = {"update", "create", "update_or_create", "get_or_create", "bulk_update", "setattr"}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr in {"state", "revision"}:
                    yield node.lineno
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            words = {keyword.arg for keyword in node.keywords}
            if name in {*writers, "Draft", "Delivery"} and words & {"state", "revision"}:
                yield node.lineno
            given = [arg for arg in node.args if isinstance(arg, ast.Dict) and name not in readers]
            keys = {key.value for arg in given for key in arg.keys if isinstance(key, ast.Constant)}
            if keys & {"state", "revision"}:
                yield node.lineno


def test_no_code_but_the_steps_of_a_room_writes_a_state():
    found = {
        (file.relative_to(DESK).as_posix(), line)
        for file in DESK.rglob("*.py")
        if "migrations" not in file.parts
        for line in writes_of_state(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert {name for name, _ in found} == {
        "accounts/steps.py",
        "drafts/steps.py",
        "mailing/steps.py",
        "notices/telling.py",
        "publishing/steps.py",
        "releases/steps.py",
        "retention/steps.py",
        "stops/actions.py",
    }


def test_the_search_for_writes_of_a_state_finds_them():
    for line in (
        "draft.state = 'signed'",
        "Draft.objects.update(state='signed')",
        "Draft(state='signed')",
        "write(delivery, {'state': 'sent'})",
        "delivery.revision += 1",
    ):
        assert list(writes_of_state(ast.parse(line))) == [1], line
    assert not list(writes_of_state(ast.parse("Draft.objects.filter(state='signed')")))


def test_only_an_author_begins_and_copies_a_post(cast):
    for who in (cast.bob, cast.dan):
        with pytest.raises(drafts.DraftRefused, match="Only somebody with the role author"):
            drafts.start(who, cast.content(), now=cast.clock())
        with pytest.raises(drafts.DraftRefused, match="Only somebody with the role author"):
            drafts.add_picture(
                who, moves.picture_file(), size_bytes=1, name="p", alt="", now=cast.clock()
            )


def test_sending_for_sign_off_makes_no_new_version_where_the_check_says_the_same(cast):
    draft = moves.awaiting(cast)
    assert draft.version_number == 1


def test_a_copy_leaves_the_time_and_the_answers_behind(cast):
    old = moves.signed(cast)
    new = drafts.copy(cast.carol, old.pk, now=cast.clock())
    version = get_version(new)
    assert version.text == get_version(old).text
    assert (version.due_at, version.answers, new.author) == (None, {}, cast.carol.ref)
    with pytest.raises(drafts.DraftRefused, match="Answer the question"):
        drafts.send_for_signoff(cast.carol, new.pk, now=cast.clock())


@pytest.mark.parametrize("verb", ["take_back", "withdraw"])
def test_a_post_that_is_going_out_can_no_longer_be_taken_back(cast, verb):
    draft = drafts.begin(moves.signed(cast), now=cast.clock())
    answer = cast.client(cast.alice).post(f"/desk/drafts/{draft.pk}/{verb}", follow=True)
    assert "This is publishing; it cannot be" in answer.content.decode()
    assert moves.again(cast, draft).state == "publishing"


def test_a_stop_keeps_a_post_from_sign_off_whatever_is_ticked(cast):
    form = moves.form_of(cast.content(moves.STOPPED), do="signoff", accept="anything")
    answer = cast.client(cast.alice).post("/desk/drafts/new", form)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Do not post this as it stands" in page
    assert Draft.objects.get().state == "drafting"


def test_a_hold_must_be_accepted_by_its_own_name(cast):
    draft = moves.awaiting(cast, cast.content(moves.HELD))
    client, address = cast.client(cast.bob), f"/desk/signoff/{draft.pk}"
    page = client.get(address).content.decode()
    mark = page.partition('name="accept"')[2].partition('value="')[2].partition('"')[0]
    form = {"decision": "sign", "digest": moves.digest_of(draft)}
    for ticked in ([], ["on"], [mark[:-1] + "0"], [mark.upper() + " "]):
        answer = client.post(address, {**form, "accept": ticked})
        assert answer.status_code == 422, ticked
        assert "Tick each finding that holds this post" in html.unescape(answer.content.decode())
    assert client.post(address, {**form, "accept": [mark]}).status_code == 422
    why = {f"why-{mark}": "It lists who stood; propriety agreed."}
    assert client.post(address, {**form, **why, "accept": [mark]}).status_code == 302
    assert moves.again(cast, draft).state == "signed"
    moves.work(cast)
    assert moves.told(draft).state == "sent"
    (entry,) = moves.entries(draft, "draft.signed")
    assert "party" in entry.fields["accepted"].casefold()


@pytest.mark.parametrize("fault", [RuntimeError("bug"), KeyError("x"), MemoryError()], ids=repr)
def test_a_check_that_crashes_is_never_a_pass_and_costs_nobody_their_words(
    cast, monkeypatch, fault
):
    waiting = moves.awaiting(cast)
    signed = moves.signed(cast, cast.content("Signed before."))

    def crash(*_):
        raise fault

    monkeypatch.setattr(Checker, "check", crash)
    form = moves.form_of(moves.Content("Typed in vain?", (cast.feed.pk,)), do="signoff")
    answer = cast.client(cast.alice).post("/desk/drafts/new", form)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "The check could not be carried out" in page
    assert "Typed in vain?" in page
    assert Draft.objects.latest("pk").state == "drafting"
    answer = cast.client(cast.bob).post(
        f"/desk/signoff/{waiting.pk}", {"decision": "sign", "digest": moves.digest_of(waiting)}
    )
    assert "The check could not be carried out" in answer.content.decode()
    moves.work(cast)
    assert moves.told(signed).state == "refused"


def test_what_was_given_up_before_it_was_sent_stands_on_today(cast):
    draft = moves.signed(cast)
    Signoff.objects.filter(draft=draft).update(digest="0" * 64)
    moves.work(cast)
    assert moves.again(cast, draft).state == "unsent"
    page = cast.client(cast.bob).get("/desk/").content.decode()
    assert "Needs a person" in page
    assert f"/desk/drafts/{draft.pk}" in page
