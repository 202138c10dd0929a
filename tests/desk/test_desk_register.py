"""The public register: found by words, account, time and what became of it; erased ones honest."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from folkmoot.desk.records import actions as records
from folkmoot.desk.records import erasing, register
from folkmoot.desk.records.models import Entry, FieldValue
from folkmoot.desk.records.register import Asked, search

SPRING = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_held():
    register.forget()
    yield
    register.forget()


def say(cast, text, *, account="Our feed", post=1, at=None, kind="delivery.sent", **more):
    """An entry as the publisher leaves it when something went out."""
    fields = {"account": account, "text": text, "url": f"https://a.example/{post}", **more}
    with transaction.atomic():
        return records.record(
            kind,
            at=at or cast.clock(),
            organisation=cast.body.ref,
            actor="",
            role="worker",
            subject=f"post/{post}",
            fields=fields,
            public=tuple(fields),
        )


@pytest.fixture
def said(cast):
    """Some posts in public, by name."""
    ids = {
        "bridge": say(cast, "The Straße bridge is closed.", post=1, at=SPRING),
        "library": say(cast, "The library opens at 9am.", post=2, at=SPRING + timedelta(days=1)),
        "library_blue": say(
            cast,
            "The library opens at 9am.",
            account="Bluesky",
            post=2,
            at=SPRING + timedelta(days=1),
        ),
        "picture": say(
            cast,
            "Look.",
            post=3,
            at=SPRING + timedelta(days=2),
            pictures='[{"sha256": "00", "alt": "A heron on the weir."}]',
        ),
        "hostile": say(cast, "<script>alert(1)</script> 100% _x", post=4),
    }
    ids["correction"] = say(cast, "It opens at 10am.", post=2, kind="post.corrected")
    ids["removal"] = say(cast, "It told something private.", post=1, kind="post.removed")
    records.sequence(cast.clock())
    return ids


def found(cast, **asked):
    return [entry.entry_id for entry in search(cast.body.ref, Asked(**asked)).entries]


def page(cast, query=""):
    answer = cast.client().get(f"/register/{query}")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


# Finding


def test_everything_that_was_said_is_there_newest_first(cast, said):
    wanted = ["hostile", "picture", "library_blue", "library", "bridge"]
    assert found(cast) == [said[name] for name in wanted]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("LIBRARY", ["library_blue", "library"]),
        ("9am library", ["library_blue", "library"]),
        ("strasse", ["bridge"]),
        ("ｂｒｉｄｇｅ", ["bridge"]),
        ("heron", ["picture"]),
        ("https://a.example/3", ["picture"]),
        ("bluesky", []),
        ("100% _x", ["hostile"]),
        ("<script>", ["hostile"]),
        ("library bridge", []),
        ("10am", []),
        ("private", []),
    ],
)
def test_words_are_found_without_regard_to_case_and_width_in_what_was_said(
    cast, said, words, names
):
    assert found(cast, words=words) == [said[name] for name in names]


def test_account_and_what_became_of_it_narrow_it_down(cast, said):
    assert found(cast, account="Bluesky") == [said["library_blue"]]
    assert found(cast, became="corrected") == [said["library"]]  # not that on Bluesky
    assert found(cast, became="removed") == [said["bridge"]]
    assert search(cast.body.ref, Asked()).accounts == ("Bluesky", "Our feed")


def test_the_last_thing_that_became_of_it_counts(cast, said):
    say(cast, "All wrong.", post=2, kind="post.removed")
    records.sequence(cast.clock())
    assert found(cast, became="corrected") == []
    assert found(cast, became="removed") == [said["library"], said["bridge"]]


def test_days_are_those_of_the_body_s_own_zone(cast):
    # In Mootshire it is 00:30 on 1 July.
    late = say(cast, "Night.", at=datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    records.sequence(cast.clock())
    assert late in page(cast, "?from=1/7/2026&to=2026-07-01")
    assert late not in page(cast, "?to=30 June 2026")
    assert late not in page(cast, "?from=2 Jul 2026")


def test_what_is_new_is_found_at_once(cast, said):
    assert found(cast, words="tunnel") == []
    new = say(cast, "The tunnel is open.", post=9)
    records.sequence(cast.clock())
    assert found(cast, words="tunnel") == [new]


def test_nothing_of_another_body_and_nothing_that_is_not_public_is_found(cast, said):
    with transaction.atomic():
        records.record(
            "delivery.sent",
            at=cast.clock(),
            organisation=cast.body.ref,
            actor="",
            role="worker",
            subject="post/77",
            fields={"text": "The library, rehearsed."},
        )
    records.sequence(cast.clock())
    assert len(found(cast, words="library")) == 2
    assert search(cast.other.ref, Asked(words="library")).entries == []


def test_pages_hold_twenty_five_and_the_address_holds_what_was_asked(cast):
    for number in range(60):
        say(cast, f"Notice {number}", post=number)
    records.sequence(cast.clock())
    first = page(cast, "?words=notice&account=Our+feed")
    assert "60 posts, page 1 of 3" in first
    assert "Notice 59" in first
    assert "Notice 34" not in first
    assert 'href="?page=2&words=notice&account=Our+feed"' in first
    last = page(cast, "?words=notice&account=Our+feed&page=3")
    assert "Notice 9" in last
    assert "page=4" not in last
    assert "There are only 3 pages" in page(cast, "?words=notice&page=9")


@pytest.mark.parametrize(
    "query",
    ["?from=31/2/2026", "?to=yesterday", "?from=1/1/0001", "?from=2/1/2026&to=1/1/2026"],
)
def test_a_day_that_is_none_is_said_at_its_field(cast, said, query):
    shown = page(cast, query)
    assert "<title>Error: " in shown
    assert "There is a problem" in shown
    assert "govuk-input--error" in shown
    assert "The library opens" not in shown


def test_nothing_found_is_said(cast, said):
    assert "Nothing that we said in public fits that." in page(cast, "?words=zebra")


def test_hostile_words_stay_words(cast, said):
    shown = cast.client().get("/register/?words=<script>").content.decode()
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown


# What is withheld or erased


def test_what_is_withheld_is_found_by_its_words_no_more(cast, said):
    assert found(cast, words="heron") == [said["picture"]]
    records.withhold(said["picture"], ["pictures"])
    assert found(cast, words="heron") == []
    assert found(cast, words="look") == [said["picture"]]
    records.withhold(said["picture"], ["text"])
    assert "What was said is withheld." in page(cast, "?words=a.example/3")


def erase(cast, entry_id, *labels):
    places = [erasing.Place(erasing.FIELD, entry_id, label) for label in labels]
    with transaction.atomic():
        erasing.erase(cast.body.ref, places, cast.clock())


def test_what_is_erased_is_found_no_more_and_its_page_says_so_without_claiming_damage(cast, said):
    assert found(cast, words="bridge") == [said["bridge"]]
    erase(cast, said["bridge"], "text")
    assert found(cast, words="bridge") == []
    for shown in (
        page(cast, "?words=a.example/1"),
        html.unescape(cast.client().get(f"/register/{said['bridge']}/").content.decode()),
    ):
        assert "erased on Friday 20 November 2026" in shown
        assert "does not fit" not in shown
        assert "Straße" not in shown


def test_an_erased_account_breaks_no_page(cast, said):
    for name in ("library", "correction"):
        erase(cast, said[name], "account", "text", "url")
    assert said["library"] in found(cast)
    assert found(cast, words="library") == [said["library_blue"]]
    assert "erased on" in page(cast)


def test_an_erased_entry_keeps_its_proof_and_so_do_all_others(cast, said):
    erase(cast, said["bridge"], "text", "account", "url")
    for entry_id in said.values():
        answer = cast.client().get(f"/register/{entry_id}.tlog-proof")
        assert answer.status_code == 200
    assert (
        "Straße" not in cast.client().get(f"/register/{said['bridge']}.tlog-proof").content.decode()
    )


def test_a_value_that_was_damaged_stops_no_search(cast, said):
    FieldValue.objects.filter(entry_id=said["picture"], label="text").update(sealed=b"zz" * 40)
    assert found(cast, words="library") == [said["library_blue"], said["library"]]
    assert "does not fit what was signed" in page(cast)


def test_a_value_whose_row_is_gone_is_damage(cast, said):
    FieldValue.objects.filter(entry_id=said["picture"], label="text").delete()
    assert "does not fit what was signed" in page(cast)
    assert found(cast, words="look") == []


def test_nothing_of_it_is_written_to_disk(cast, said, tmp_path, monkeypatch):
    """The texts in memory leave no trace in the tables: the same rows, before and after."""
    before = (Entry.objects.count(), FieldValue.objects.count())
    opened = []
    real = open
    monkeypatch.setattr("builtins.open", lambda *a, **k: opened.append(a) or real(*a, **k))
    assert found(cast, words="bridge")
    assert (Entry.objects.count(), FieldValue.objects.count()) == before
    assert not [args for args in opened if len(args) > 1 and set("wax+") & set(str(args[1]))]


def test_texts_nobody_asks_for_are_dropped(cast, said, monkeypatch):
    waiting = []
    monkeypatch.setattr(register, "_later", waiting.append)
    assert found(cast, words="bridge")
    (look,) = waiting
    look()
    assert register._HELD  # just used
    monkeypatch.setattr(register, "IDLE_SECONDS", 0.0)
    waiting[-1]()
    assert not register._HELD
