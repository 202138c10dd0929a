"""The pages of retention: what they show, to whom, and that no name gets into an address."""

from __future__ import annotations

import html

import pytest
import retention_moves as keeping
from django.contrib.sessions.models import Session
from django.urls import reverse
from test_desk_retention_erasure import NAME, alarm, leave

from folkmoot.desk.records import actions as records
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.retention import actions, queries
from folkmoot.desk.retention.models import Batch, Erasure, Hold, Rule

HOSTILE = "<script>alert(1)</script> & {{ 7*7 }}"
NUMBERS = {"hold_id": 1, "batch_id": 1, "erasure_id": 1, "alarm_id": 1, "record_class": "posts"}


@pytest.fixture(autouse=True)
def clock(cast, monkeypatch):
    """The pages go by the cast's clock, and so do sessions' ends."""
    for module in ("views", "hold_views", "erasure_views"):
        monkeypatch.setattr(f"folkmoot.desk.retention.{module}.now", cast.clock)


def read(client, name, **kwargs):
    query = kwargs.pop("query", "")
    answer = client.get(reverse(name, kwargs=kwargs or None) + query)
    assert answer.status_code == 200, name
    return html.unescape(answer.content.decode())


def post(client, name, data, *, status=200, **kwargs):
    query = kwargs.pop("query", "")
    address = reverse(name, kwargs=kwargs or None) + query
    answer = client.post(address, data, follow=True)
    assert answer.status_code == status, html.unescape(answer.content.decode())[-3000:]
    return html.unescape(answer.content.decode())


# The schedule


def test_the_page_of_the_schedule_says_what_is_law_and_what_is_only_proposed(cast):
    page = read(cast.client(cast.alice), "retention_schedule")
    assert "Proposed by this program; your records manager decides" in page
    assert "Propose this program" not in page, "an author cannot"
    fay, gus = cast.client(cast.fay), cast.client(cast.gus)
    page = post(fay, "retention_schedule", {})
    assert "Waiting for a second person" in page
    assert "another records officer must confirm" in page
    rules = list(Rule.objects.values_list("pk", flat=True))
    page = post(fay, "retention_decide", {"rule": rules, "do": "confirm"})
    assert "A second person must confirm it" in page
    assert "Confirm them" in read(gus, "retention_schedule")
    page = post(gus, "retention_decide", {"rule": rules, "do": "confirm"})
    assert "The schedule is in force" in page
    assert "The period is no law" in page
    assert "not verified" in page or "read in part" in page or "reported by others" in page


def test_a_line_is_changed_on_its_page_and_a_wrong_one_is_told_beside_its_field(cast):
    keeping.adopt(cast)
    fay = cast.client(cast.fay)
    page = read(fay, "retention_rule", record_class="posts")
    assert "https://www.legislation.gov.uk/ukpga/1980/58" in page
    good = {
        "trigger": "post_ended",
        "months": "84",
        "action": "review",
        "mandate": "Our policy",
        "address": "",
        "evidence": "seen_in_full",
        "why": HOSTILE,
    }
    for wrong, words in (
        ({"months": "soon"}, "Enter a number of months"),
        ({"months": "0"}, "Give a period"),
        ({"trigger": "member_left"}, "still in use"),
        ({"trigger": ""}, "Choose what the period runs from"),
        ({"address": "javascript:1"}, "must begin with https"),
    ):
        page = post(fay, "retention_rule", {**good, **wrong}, record_class="posts", status=422)
        assert words in page
        assert "There is a problem" in page
    post(fay, "retention_rule", good, record_class="posts")
    raw = fay.get(reverse("retention_rule", kwargs={"record_class": "posts"})).content.decode()
    assert "<script>alert" not in raw
    assert cast.client(cast.fay).get("/desk/records/retention/class/stamps").status_code == 404


def test_settings_lead_to_the_schedule(cast):
    assert (
        reverse("retention_schedule")
        in cast.client(cast.alice).get("/desk/settings/").content.decode()
    )


# Disposal


def test_a_disposal_goes_from_due_to_confirmed_on_the_pages(cast):
    draft = keeping.old_post(cast)
    keeping.adopt(cast)
    fay, gus = cast.client(cast.fay), cast.client(cast.gus)
    page = read(fay, "retention_due")
    assert "Posts" in page
    post(fay, "retention_due", {"record_class": "posts"})
    batch = Batch.objects.get()
    page = read(fay, "retention_batch", batch_id=batch.pk)
    assert draft.subject.replace("/", " ") in page
    page = post(fay, "retention_batch", {"do": "propose"}, batch_id=batch.pk, status=422)
    assert "Say why" in page
    post(
        fay,
        "retention_batch",
        {"do": "leave_out", "shown": [draft.subject], "subject": []},
        batch_id=batch.pk,
    )
    assert batch.items.filter(left_out=False).count() == 0
    post(
        fay,
        "retention_batch",
        {"do": "leave_out", "shown": [draft.subject], "subject": [draft.subject]},
        batch_id=batch.pk,
    )
    post(fay, "retention_batch", {"do": "propose", "reason": "Over."}, batch_id=batch.pk)
    page = read(fay, "retention_batch", batch_id=batch.pk)
    assert "Destroy " not in page
    page = read(gus, "retention_batch", batch_id=batch.pk)
    assert "cannot be brought back" in page
    seen = queries.digest_of(batch)
    page = post(
        gus, "retention_batch", {"do": "confirm", "seen": "x"}, batch_id=batch.pk, status=422
    )
    assert "has changed since" in page
    page = post(gus, "retention_batch", {"do": "confirm", "seen": seen}, batch_id=batch.pk)
    assert "being destroyed now" in page
    assert "Disposal" in read(gus, "retention_batches")


def test_keeping_longer_and_giving_up_are_buttons_too(cast):
    keeping.old_post(cast)
    keeping.adopt(cast)
    fay = cast.client(cast.fay)
    post(fay, "retention_due", {"record_class": "posts"})
    number = Batch.objects.get().pk
    page = post(
        fay,
        "retention_batch",
        {"do": "keep", "months": "x", "reason": "R"},
        batch_id=number,
        status=422,
    )
    assert "Give a period" in page
    post(fay, "retention_batch", {"do": "drop"}, batch_id=number)
    post(fay, "retention_due", {"record_class": "posts"})
    number = Batch.objects.latest("pk").pk
    page = post(
        fay,
        "retention_batch",
        {"do": "keep", "months": "24", "reason": "History."},
        batch_id=number,
    )
    assert "Kept until" in page
    page = post(fay, "retention_due", {"record_class": "alarms"})
    assert "Nothing of this class is due" in page
    assert fay.post(reverse("retention_due"), {"record_class": "x"}).status_code == 404
    answer = fay.post(reverse("retention_batch", kwargs={"batch_id": number}), {"do": "x"})
    assert answer.status_code == 404


# Holds


def test_a_hold_is_placed_found_and_released_on_the_pages(cast):
    draft = keeping.old_post(cast)
    dan, fay = cast.client(cast.dan), cast.client(cast.fay)
    page = post(dan, "retention_new_hold", {"reason": ""}, status=422)
    assert "Choose what is to be held" in page
    page = post(
        dan, "retention_new_hold", {"scope": "subjects", "subjects": draft.subject}, status=422
    )
    assert "Say why" in page
    page = post(
        dan,
        "retention_new_hold",
        {"scope": "subjects", "subjects": draft.subject, "reason": HOSTILE, "reference": "C/1"},
    )
    assert "Nothing of it is destroyed" in page
    hold = Hold.objects.get()
    listing = dan.get(reverse("retention_holds")).content.decode()
    assert "<script>alert" not in listing
    assert f"Hold {hold.pk}" in listing
    assert f"Hold {hold.pk}" not in read(dan, "retention_holds", query="?state=released")
    assert f"Hold {hold.pk}" not in read(dan, "retention_holds", query="?scope=account")
    page = post(fay, "retention_hold", {"do": "propose", "reason": ""}, hold_id=hold.pk, status=422)
    assert "Say why" in page
    post(fay, "retention_hold", {"do": "propose", "reason": "Over."}, hold_id=hold.pk)
    page = post(fay, "retention_hold", {"do": "release"}, hold_id=hold.pk)
    assert "A second person must confirm" in page
    page = post(dan, "retention_hold", {"do": "release"}, hold_id=hold.pk)
    assert "may be disposed of again" in page
    assert f"Hold {hold.pk}" in read(dan, "retention_holds", query="?state=released")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"scope": "class"}, "Choose a class"),
        ({"scope": "account"}, "Choose the account"),
        ({"scope": "class", "record_class": "posts", "since_on": "31 June"}, "Enter a day"),
        ({"scope": "subjects", "subjects": "post/99999"}, "Nothing is recorded of"),
    ],
)
def test_a_wrong_hold_is_told_beside_its_field(cast, data, words):
    page = post(cast.client(cast.dan), "retention_new_hold", {**data, "reason": "Why."}, status=422)
    assert words in page
    assert not Hold.objects.exists()


# Erasure


def test_an_erasure_goes_from_a_search_to_the_second_person_on_the_pages(cast):
    leave(cast, f"{HOSTILE} {NAME}")
    leave(cast, NAME, public=("text",))
    records.sequence(cast.clock())
    fay, gus = cast.client(cast.fay), cast.client(cast.gus)
    page = post(fay, "retention_new_erasure", {"phrases": NAME}, status=422)
    assert "Choose why" in page
    assert NAME in page, "what was typed is not lost"
    page = post(fay, "retention_new_erasure", {"phrases": "a", "ground": "objected"}, status=422)
    assert "nearly everything" in page
    answer = fay.post(
        reverse("retention_new_erasure"),
        {"phrases": f"{NAME}\nz@q.example", "ground": "objected", "reference": "R 7"},
    )
    erasure = Erasure.objects.get()
    assert answer["Location"] == reverse("retention_erasure", kwargs={"erasure_id": erasure.pk})
    raw = fay.get(f"{answer['Location']}?list=1").content.decode()
    assert "<script>alert" not in raw
    page = html.unescape(raw)
    assert NAME in page
    assert "Published" in page
    assert "what this body published stays" in page
    assert "What others copied before now" in page
    post(
        fay,
        "retention_erasure",
        {"do": "choose_all", "kind": "draft.tried", "year": "2026", "public": "yes"},
        erasure_id=erasure.pk,
    )
    shown = list(erasure.matches.values_list("pk", flat=True))
    post(
        fay,
        "retention_erasure",
        {"do": "choose", "shown": shown, "match": shown[:1]},
        erasure_id=erasure.pk,
    )
    assert list(erasure.matches.filter(chosen=True).values_list("pk", flat=True)) == shown[:1]
    post(fay, "retention_erasure", {"do": "propose"}, erasure_id=erasure.pk)
    assert "another records officer must confirm" in read(
        fay, "retention_erasure", erasure_id=erasure.pk
    )
    erasure.refresh_from_db()
    page = post(
        gus, "retention_erasure", {"do": "confirm", "seen": erasure.digest}, erasure_id=erasure.pk
    )
    assert "being erased now" in page
    assert NAME not in page
    assert "Erasure" in read(gus, "retention_erasures")
    for session in Session.objects.all():
        assert "Quillfeather" not in str(session.get_decoded())


def test_refusing_holding_and_giving_up_are_buttons_too(cast):
    leave(cast, NAME)
    records.sequence(cast.clock())
    fay = cast.client(cast.fay)
    number = keeping.ask(cast, NAME).pk
    page = post(fay, "retention_erasure", {"do": "refuse"}, erasure_id=number, status=422)
    assert "Choose why it is not erased" in page
    page = post(
        fay,
        "retention_erasure",
        {"do": "refuse", "exemption": "archiving", "reason": ""},
        erasure_id=number,
        status=422,
    )
    assert "Say why" in page
    page = post(fay, "retention_erasure", {"do": "hold"}, erasure_id=number, status=422)
    assert "Say why it is held" in page
    post(fay, "retention_erasure", {"do": "hold", "hold_reason": "A claim."}, erasure_id=number)
    page = post(fay, "retention_erasure", {"do": "propose"}, erasure_id=number, status=422)
    assert "Nothing was erased: hold" in page
    page = read(fay, "retention_erasure", erasure_id=number, query="?list=1")
    assert "Some of this is held" in page
    assert "held by" in page
    post(fay, "retention_erasure", {"do": "leave_held"}, erasure_id=number)
    post(fay, "retention_erasure", {"do": "search_again"}, erasure_id=number)
    page = post(
        fay,
        "retention_erasure",
        {"do": "refuse", "exemption": "legal_claims", "reason": "Before the court."},
        erasure_id=number,
    )
    assert "Before the court." in page
    number = keeping.ask(cast, NAME).pk
    page = post(fay, "retention_erasure", {"do": "drop"}, erasure_id=number)
    assert "is forgotten" in page
    assert (
        fay.post(
            reverse("retention_erasure", kwargs={"erasure_id": number}), {"do": "x"}
        ).status_code
        == 404
    )


def test_a_name_is_in_no_address_and_no_log(cast, caplog):
    leave(cast, NAME)
    records.sequence(cast.clock())
    fay = cast.client(cast.fay)
    with caplog.at_level("DEBUG"):
        answer = fay.post(reverse("retention_new_erasure"), {"phrases": NAME, "ground": "objected"})
        page = fay.get(answer["Location"]).content.decode()
    assert "Quillfeather" not in answer["Location"]
    assert "Quillfeather" not in "".join(
        part for part in page.split('"') if part.startswith(("/", "?"))
    )
    assert "Quillfeather" not in caplog.text


def test_a_list_of_many_is_a_page_of_few(cast):
    for number in range(60):
        leave(cast, f"{NAME} {number}")
    records.sequence(cast.clock())
    number = keeping.ask(cast, NAME).pk
    fay = cast.client(cast.fay)
    page = read(fay, "retention_erasure", erasure_id=number, query="?list=1")
    assert page.count('name="match"') == 25
    assert "Next page" in page
    page = read(fay, "retention_erasure", erasure_id=number, query="?list=1&page=3")
    assert page.count('name="match"') == 10
    assert "Next page" not in page


def test_a_deleted_post_is_erased_from_its_alarm(cast):
    row = alarm(cast)
    bob, alice = cast.client(cast.bob), cast.client(cast.alice)
    page = bob.get(reverse("alarm", kwargs={"alarm_id": row.pk})).content.decode()
    assert reverse("retention_alarm", kwargs={"alarm_id": row.pk}) in page
    page = post(alice, "retention_alarm", {}, alarm_id=row.pk, status=422)
    assert "Only an approver" in page
    page = post(bob, "retention_alarm", {}, alarm_id=row.pk)
    assert "being erased now" in page


# Who sees what


OFFICERS = {"retention_due", "retention_batches", "retention_batch", "retention_erasures"}
OFFICERS |= {"retention_new_erasure", "retention_erasure"}
HOLDERS = {"retention_holds", "retention_new_hold", "retention_hold"}
EVERYBODY = {"retention_schedule", "retention_rule"}


def test_every_address_of_the_room_is_in_the_table_of_who_sees_it():
    from folkmoot.desk.retention.urls import urlpatterns

    listed = OFFICERS | HOLDERS | EVERYBODY | {"retention_alarm", "retention_decide"}
    assert {pattern.name for pattern in urlpatterns} == listed
    assert all(getattr(one.callback, "login_required", True) for one in urlpatterns)


@pytest.fixture
def filled(cast):
    """One of each thing, and the numbers they have in the addresses."""
    draft = keeping.old_post(cast)
    keeping.adopt(cast)
    leave(cast, NAME)
    records.sequence(cast.clock())
    batch = actions.draw_up(cast.fay, RecordClass.POSTS, now=cast.clock())
    return cast, {
        "hold_id": keeping.hold(cast, subjects=(draft.subject,)).pk,
        "batch_id": batch.pk,
        "erasure_id": keeping.ask(cast, NAME).pk,
        "alarm_id": alarm(cast).pk,
        "record_class": "posts",
    }


def address_of(name, numbers):
    from django.urls import NoReverseMatch

    for keys in ((), *((key,) for key in numbers)):
        try:
            return reverse(name, kwargs={key: numbers[key] for key in keys} or None)
        except NoReverseMatch:
            continue
    raise AssertionError(name)


@pytest.mark.parametrize("who", ["anonymous", "alice", "bob", "dan", "fay", "mallory", "olga"])
def test_each_sees_what_their_role_lets_them_and_nothing_of_another_body(filled, who):
    cast, numbers = filled
    member = keeping.officer_of_other(cast) if who == "olga" else getattr(cast, who, None)
    client = cast.client(member)
    answer = client.get(reverse("retention_decide"))
    assert answer.status_code == (302 if who == "anonymous" else 405)
    for name in sorted(OFFICERS | HOLDERS | EVERYBODY | {"retention_alarm"}):
        status = client.get(address_of(name, numbers)).status_code
        officer = who in {"fay", "olga"}
        holder = officer or who in {"dan", "mallory"}
        if who == "anonymous":
            assert status == 302, name
        elif (name in OFFICERS and not officer) or (name in HOLDERS and not holder):
            assert status == 403, name
        elif who in {"mallory", "olga"} and name in {
            "retention_hold",
            "retention_batch",
            "retention_erasure",
            "retention_alarm",
        }:
            assert status == 404, name
        else:
            assert status == 200, name


def test_numbers_of_nothing_are_a_page_of_ours(cast):
    client = cast.client(cast.fay)
    for address in ("holds/999", "retention/disposals/999", "erasure/999", "erasure/alarm/999"):
        answer = client.get(f"/desk/records/{address}")
        assert answer.status_code == 404
        assert "Page not found" in answer.content.decode()


def test_what_waits_is_a_need_on_the_duty_page(filled):
    cast, numbers = filled
    actions.propose_release(cast.fay, numbers["hold_id"], reason="R", now=cast.clock())
    page = html.unescape(cast.client(cast.gus).get("/desk/duty/?still=1").content.decode())
    assert f"Hold {numbers['hold_id']} is to be released" in page
    assert "Open the hold" in page
