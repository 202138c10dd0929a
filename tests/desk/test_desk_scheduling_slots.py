"""Slots of the week: the next free one, by the clock on the wall, for one post each."""

from __future__ import annotations

import html
import threading
from datetime import date

import desk_moves as moves
import pytest
from django.db import connection

from folkmoot.desk.drafts import actions, repeating, slots
from folkmoot.desk.drafts.models import Draft, Occurrence, Slot
from folkmoot.desk.drafts.queries import get_version
from folkmoot.desk.drafts.recurring import Every, Rule
from folkmoot.desk.records.queries import list_history

# SQLite's test database is in memory, where a second writer is refused and does not wait.
two_at_once = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="two writers at once need PostgreSQL"
)
SATURDAY, SUNDAY, MONDAY = 5, 6, 0


@pytest.fixture
def slot(cast):
    def add(weekday, clock, account=None):
        return slots.add_slot(
            cast.alice,
            weekday=weekday,
            clock=clock,
            account_id=account.pk if account else None,
            now=cast.clock(),
        )

    return add


def in_slot(cast, text="Words.", accounts=None):
    return actions.start(
        cast.alice, cast.content(text, accounts=accounts), now=cast.clock(), in_slot=True
    )


def wall(draft):
    return get_version(draft).wall


def test_posts_take_one_free_slot_after_another(cast, slot):
    slot(SATURDAY, "09:00")
    slot(MONDAY, "17:00")
    taken = [wall(in_slot(cast, f"Post {n}.")) for n in range(3)]
    assert taken == ["2026-11-21T09:00", "2026-11-23T17:00", "2026-11-28T09:00"]


def test_a_slot_is_free_again_on_an_account_that_the_post_in_it_is_not_for(cast, slot):
    slot(SATURDAY, "09:00")
    first = in_slot(cast, accounts=[cast.feed])
    other = in_slot(cast, accounts=[cast.practice])
    both = in_slot(cast, accounts=[cast.feed, cast.practice])
    assert wall(first) == wall(other) == "2026-11-21T09:00"
    assert wall(both) == "2026-11-28T09:00"


def test_a_slot_of_one_account_is_for_its_posts_alone(cast, slot):
    slot(SATURDAY, "09:00", cast.feed)
    assert wall(in_slot(cast, accounts=[cast.feed])) == "2026-11-21T09:00"
    with pytest.raises(actions.DraftRefused, match="There is no free slot"):
        in_slot(cast, accounts=[cast.feed, cast.practice])
    slot(SATURDAY, "09:00", cast.practice)
    assert wall(in_slot(cast, accounts=[cast.feed, cast.practice])) == "2026-11-28T09:00"


def test_a_post_that_is_withdrawn_gives_its_slot_back(cast, slot):
    slot(SATURDAY, "09:00")
    first = in_slot(cast)
    actions.withdraw(cast.alice, first.pk, now=cast.clock())
    assert wall(in_slot(cast)) == wall(first)


def test_a_post_saved_again_may_keep_the_slot_it_has(cast, slot):
    slot(SATURDAY, "09:00")
    draft = in_slot(cast)
    saved = actions.save(
        cast.alice, draft.pk, cast.content("New."), revision=0, now=cast.clock(), in_slot=True
    )
    assert wall(saved) == "2026-11-21T09:00"


def test_a_slot_keeps_its_clock_time_when_the_clocks_change_and_leaves_out_the_hour(cast, slot):
    slot(SUNDAY, "09:00")
    slot(SUNDAY, "01:30")
    cast.clock.now = cast.clock.now.replace(year=2027, month=3, day=20)
    openings = slots.list_openings(cast.body, slots.list_slots(cast.body), date(2027, 3, 20), 16)
    assert [(one.wall, f"{one.at:%H:%M}") for one in openings] == [
        ("2027-03-21T01:30", "01:30"),
        ("2027-03-21T09:00", "09:00"),
        ("2027-03-28T09:00", "08:00"),  # and none at 01:30, which there is not
        ("2027-04-04T01:30", "00:30"),
        ("2027-04-04T09:00", "08:00"),
    ]


def test_the_composer_offers_the_next_free_slot_and_shows_the_time_it_became(cast, slot):
    client = cast.client(cast.alice)
    assert "In the next free slot" not in client.get("/desk/drafts/new").content.decode()
    slot(SATURDAY, "09:00")
    assert "In the next free slot" in client.get("/desk/drafts/new").content.decode()
    form = moves.form_of(cast.content(), when="slot")
    page = client.post("/desk/drafts/new", form, follow=True)
    draft = Draft.objects.get()
    assert wall(draft) == "2026-11-21T09:00"
    shown = html.unescape(page.content.decode())
    assert "Its slot is Saturday 21 November 2026 at 09:00 in Europe/London (09:00 UTC)." in shown
    assert 'value="2026-11-21"' in shown
    actions.send_for_signoff(cast.alice, draft.pk, now=cast.clock())
    page = cast.client(cast.bob).get(f"/desk/signoff/{draft.pk}").content.decode()
    assert "Saturday 21 November 2026 at 09:00 in Europe/London" in page


def test_without_a_free_slot_the_words_are_kept_and_the_time_is_as_it_was(cast, slot):
    slot(SATURDAY, "09:00", cast.practice)
    form = moves.form_of(cast.content("My words."), when="slot")
    answer = cast.client(cast.alice).post("/desk/drafts/new", form)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "There is no free slot for these channels in the next eight weeks." in page
    assert "My words." in page
    assert get_version(Draft.objects.get()).text == "My words."
    assert get_version(Draft.objects.get()).due_at is None


def test_slots_are_added_and_removed_on_their_page_by_authors_alone(cast):
    client = cast.client(cast.alice)
    client.post("/desk/calendar/slots", {"weekday": "4", "clock": "9:30", "account": ""})
    only = Slot.objects.get()
    assert (only.weekday, only.clock, only.account) == (4, "09:30", None)
    for form, sentence in (
        ({"weekday": "4", "clock": "09:30"}, "There is such a slot already."),
        ({"weekday": "9", "clock": "09:30"}, "Choose a day of the week."),
        ({"weekday": "4", "clock": "25:00"}, "Enter the time on the 24-hour clock"),
        ({"weekday": "4", "clock": ""}, "Enter the time on the 24-hour clock"),
        ({"weekday": "4", "clock": "10:00", "account": "999"}, "Choose an account"),
        ({"weekday": "²", "clock": "10:00"}, "Choose a day of the week."),
        ({"remove": "99999999999"}, "There is no such slot"),
    ):
        answer = client.post("/desk/calendar/slots", form)
        assert answer.status_code == 422, form
        assert sentence in answer.content.decode(), form
    for who in (cast.bob, cast.dan, cast.mallory):
        answer = cast.client(who).post("/desk/calendar/slots", {"remove": only.pk})
        assert answer.status_code == 422
    assert Slot.objects.count() == 1
    client.post("/desk/calendar/slots", {"remove": only.pk})
    assert not Slot.objects.exists()


def test_a_slot_leaves_its_entries_in_the_record(cast, slot):
    one = slot(SATURDAY, "09:00")
    slots.remove_slot(cast.alice, one.pk, now=cast.clock())
    entries = list_history(f"slot/{one.pk}")
    assert [entry.kind for entry in entries] == ["slot.added", "slot.removed"]
    assert {entry.actor for entry in entries} == {cast.alice.ref}


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_two_authors_at_one_moment_never_get_one_slot(cast, slot):
    slot(SATURDAY, "09:00")
    together, got = threading.Barrier(4), []

    def save(n):
        try:
            together.wait(timeout=5)
            got.append(wall(in_slot(cast, f"Post {n}.")))
        finally:
            connection.close()

    authors = [threading.Thread(target=save, args=(n,)) for n in range(4)]
    for author in authors:
        author.start()
    for author in authors:
        author.join(timeout=20)
    assert sorted(got) == [f"2026-{day}T09:00" for day in ("11-21", "11-28", "12-05", "12-12")]


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_many_workers_at_one_moment_make_each_post_of_a_series_once(cast):
    source = actions.start(cast.alice, cast.content(), now=cast.clock())
    rule = Rule(Every.DAY, date(2026, 11, 21), "07:30", count=6)
    repeating.start_series(
        cast.alice, source.pk, rule, zone="Europe/London", lead_days=10, now=cast.clock()
    )
    together = threading.Barrier(4)

    def work():
        try:
            together.wait(timeout=5)
            while actions.make_occurrences(cast.clock):
                pass
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=20)
    while actions.make_occurrences(cast.clock):
        pass
    walls = list(Occurrence.objects.order_by("wall").values_list("wall", flat=True))
    assert walls == [f"2026-11-{day}T07:30" for day in range(21, 27)]
    assert Draft.objects.count() == 1 + 6
