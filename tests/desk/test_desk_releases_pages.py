"""The pages of the record: who sees them, what they say, and where words stay out of addresses."""

from __future__ import annotations

import html

import desk_moves
import pytest
import releases_moves as moves

from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.records import actions as records
from folkmoot.desk.records.models import Entry
from folkmoot.desk.releases.models import Bag, Request

ROOT = "/desk/records/"
HOSTILE = "<script>x</script> {{ 7*7 }} \u202eabc"


def text(answer):
    return html.unescape(answer.content.decode())


@pytest.fixture
def officer(cast, monkeypatch):
    monkeypatch.setattr("folkmoot.desk.releases.views._now", cast.clock)
    monkeypatch.setattr("folkmoot.desk.releases.redact_views._now", cast.clock)
    monkeypatch.setattr("folkmoot.desk.releases.bag_views._now", cast.clock)
    return cast.client(cast.fay)


def places(cast):
    """An address of each kind, of the body's own."""
    request = moves.made(cast)
    bag = moves.bag_of(request)
    entry = bag.held.first().entry_id
    return [
        "",
        "requests/",
        "requests/new",
        "bags/",
        "bags/new",
        f"entries/{entry}",
        f"entries/{entry}.tlog-proof",
        f"requests/{request.ref}",
        f"requests/{request.ref}/entries",
        f"requests/{request.ref}/fields",
        f"requests/{request.ref}/fields/{entry}",
        f"requests/{request.ref}/reading",
        f"bags/{bag.ref}",
    ]


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "dan", "mallory"])
def test_whoever_is_no_records_officer_is_told_whom_to_ask(cast, who):
    for place in places(cast):
        answer = cast.client(getattr(cast, who)).get(ROOT + place)
        assert answer.status_code == 403, place
        assert "Library" not in text(answer), place
        if who != "mallory":
            assert "Fay, Gus" in text(answer)


def test_what_is_another_body_s_is_not_there_for_its_records_officer(cast):
    odd = people.add_member(
        cast.other,
        email="odd@other.example",
        name="Odd",
        roles=[Role.RECORDS],
        password="correct horse battery",
        now=cast.clock(),
    )
    client = cast.client(odd)
    for place in places(cast):
        answer = client.get(ROOT + place)
        owned = any(char.isdigit() for char in place)
        assert answer.status_code == (404 if owned else 200), place
        assert "Mill Road" not in text(answer), place
    request, bag = Request.objects.get(), Bag.objects.get()
    for place in (
        f"requests/{request.ref}/withdraw",
        f"bags/{bag.ref}/remove",
        f"bags/{bag.ref}/download",
    ):
        assert client.post(ROOT + place).status_code == 404


def test_an_officer_sees_each(cast, officer):
    for place in places(cast):
        assert officer.get(ROOT + place).status_code == 200, place


def test_words_are_searched_without_an_address_that_holds_them(cast, officer):
    desk_moves.leave(cast, kind="draft.tried", fields={"text": "Zebedee Quux was here."})
    records.sequence(cast.clock())
    answer = officer.post(ROOT, {"words": "zebedee  QUUX"})
    assert "Draft tried" in text(answer)
    assert "words=" not in text(answer)
    assert "Zebedee" not in answer.request["QUERY_STRING"]
    # By an address nobody searches for words.
    assert "No entry fits" not in text(officer.get(f"{ROOT}?words=nothing"))
    assert "No entry fits" in text(officer.post(ROOT, {"words": "nothing of the kind"}))


def test_filters_stand_in_the_address_and_more_pages_keep_them(cast, officer):
    for _ in range(30):
        desk_moves.leave(cast, kind="draft.tried", fields={"text": "Words."})
    records.sequence(cast.clock())
    page = text(officer.get(f"{ROOT}?kind=draft.tried"))
    assert page.count("/desk/records/entries/") == 25
    assert "?kind=draft.tried&page=2" in page
    page = text(officer.get(f"{ROOT}?kind=draft.tried&page=2"))
    assert page.count("/desk/records/entries/") == 5
    page = text(officer.post(ROOT, {"words": "words", "kind": "draft.tried", "page": "2"}))
    assert page.count("/desk/records/entries/") == 5


QUESTIONS = """
?page=0 ?page=x ?account=x ?post=-1 ?from_on=31+June ?record_class=king ?actor=%27
?from_on=2026-02-02&until_on=2026-01-01 ?post=9999999999999999999999999999
"""


@pytest.mark.parametrize("query", [*QUESTIONS.split(), "?kind=" + "x" * 100])
def test_any_question_is_answered_in_words(cast, officer, query):
    answer = officer.get(ROOT + query)
    assert answer.status_code in {200, 422}
    if answer.status_code == 422:
        assert "There is a problem" in text(answer)


UNKNOWN = """
entries/nothing entries/nothing.tlog-proof requests/nothing bags/nothing requests/nothing/fields
requests/nothing/reading bags/%00 entries/%00 requests/..%2f..%2fx requests/nothing/entries
requests/nothing/fields/x
"""


@pytest.mark.parametrize("place", UNKNOWN.split())
def test_an_address_of_nothing_is_a_page_of_ours(cast, officer, place):
    answer = officer.get(ROOT + place)
    assert answer.status_code == 404
    assert "Page not found" in text(answer)


def test_a_request_is_answered_by_two_on_the_pages_alone(cast, officer):
    desk_moves.publish(cast)
    answer = officer.post(
        f"{ROOT}requests/new",
        {
            "regime": "foi",
            "nation": "England",
            "channel": "social",
            "received_on": "2026-11-18",
            "words": f"Everything. {HOSTILE}",
            "requester": HOSTILE,
            "record_class": "posts",
        },
        follow=True,
    )
    request = Request.objects.get()
    page = text(answer)
    assert "Answer by Thursday 17 December 2026" in page
    assert "<script>x" not in answer.content.decode()
    place = f"{ROOT}requests/{request.ref}"
    officer.post(f"{place}/search")
    assert "entries are chosen" in text(officer.post(f"{place}/choose", follow=True))
    officer.post(f"{place}/redact")
    assert "Nothing goes out that nobody decided" in text(officer.get(f"{place}/fields"))
    officer.post(f"{place}/fields", {"do": "public"})
    rows = request.decisions.values_list("kind", "label").distinct()
    wrong = officer.post(f"{place}/fields", {"labels": ["draft.started|text"]})
    assert wrong.status_code == 422
    assert "released or withheld" in text(wrong)
    wrong = officer.post(
        f"{place}/fields",
        {
            "labels": [f"{kind}|{label}" for kind, label in rows],
            "verdict": "withhold",
            "undecided": "yes",
            "exemption": "FOIA s.43(2)",
        },
    )
    assert "public interest" in text(wrong)
    done = officer.post(
        f"{place}/fields",
        {
            "labels": [f"{kind}|{label}" for kind, label in rows],
            "verdict": "withhold",
            "undecided": "yes",
            "exemption": "FOIA s.43(2)",
            "reason": "A tender runs.",
        },
    )
    assert done.status_code == 302
    entry_id = request.decisions.filter(verdict="withheld").first()
    shown = officer.post(
        f"{place}/fields/{entry_id.entry_id}", {f"field-{entry_id.label}": "release"}
    )
    assert shown.status_code == 302
    officer.post(f"{place}/prepare")
    own = text(officer.get(f"{place}/reading"))
    assert "another records officer must read it" in own
    gus = cast.client(cast.gus)
    page = text(gus.get(f"{place}/reading"))
    assert "A tender runs." in page
    stale = gus.post(f"{place}/reading", {"seen": "0" * 64})
    assert "changed since you read it" in text(stale)
    request.refresh_from_db()
    gus.post(f"{place}/reading", {"seen": request.digest})
    moves.work(cast)
    page = text(officer.get(place))
    assert "It was sent" in page
    bag = request.bags.get()
    answer = officer.post(f"{ROOT}bags/{bag.ref}/download")
    assert answer["Content-Type"] == "application/zip"
    assert answer["Cache-Control"] == "no-store"
    data = b"".join(answer.streaming_content)
    assert len(data) == int(answer["Content-Length"]) == bag.size_bytes
    assert officer.get(f"{ROOT}bags/{bag.ref}/download").status_code == 405
    page = text(officer.post(f"{place}/release", follow=True))
    assert "in time" in page


def test_what_is_wrong_stands_at_its_field(cast, officer):
    answer = officer.post(f"{ROOT}requests/new", {"received_on": "31 June"})
    page = text(answer)
    assert answer.status_code == 422
    for field in ("regime", "received_on", "channel"):
        assert f'href="#{field}"' in page
    answer = officer.post(f"{ROOT}bags/new", {"title": "x", "purpose": "transfer"})
    assert "what it is for" in text(answer)
    request = moves.received(cast)
    for verb in ("refuse", "withdraw", "extend", "ask", "hear", "prepare", "release", "scope"):
        data = {"from_on": "31 June"} if verb == "scope" else {}
        answer = officer.post(f"{ROOT}requests/{request.ref}/{verb}", data)
        assert answer.status_code == 422, verb
        assert "There is a problem" in text(answer), verb
    assert officer.post(f"{ROOT}requests/{request.ref}/explode").status_code == 404


def test_the_clock_is_on_the_first_screen_and_late_is_said(cast, officer):
    from datetime import date

    moves.received(cast, on=date(2026, 10, 1))
    page = text(officer.get(ROOT))
    assert "1 open request" in page
    assert "late since Thursday 29 October 2026" in page


def test_an_entry_that_was_erased_or_changed_says_so(cast, officer):
    from folkmoot.desk.records import erasing

    desk_moves.leave(cast, kind="draft.tried", fields={"name": "Zebedee", "word": "Fine."})
    records.sequence(cast.clock())
    entry_id = Entry.objects.get(kind="draft.tried").entry_id
    place = erasing.Place(erasing.FIELD, entry_id, "name")
    erasing.erase(cast.body.ref, [place], cast.clock())
    page = text(officer.get(f"{ROOT}entries/{entry_id}"))
    assert "Erased. Nobody can read it" in page
    assert "Fine." in page


def test_only_records_officers_are_shown_the_way_to_the_record(cast):
    assert ">Record<" in "".join(text(cast.client(cast.fay).get("/desk/")).split())
    assert ">Record<" not in "".join(text(cast.client(cast.alice).get("/desk/")).split())
