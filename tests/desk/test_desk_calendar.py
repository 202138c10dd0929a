"""The calendar: week, month and list at an address that says all; moving; free slots."""

from __future__ import annotations

import html
import re

import desk_moves as moves
import pytest

from folkmoot.desk.drafts import actions, slots, walltime
from folkmoot.desk.drafts.queries import get_version
from folkmoot.desk.guidance import actions as guidance

LONDON = "Europe/London"


def at(cast, wall, text="Words.", zone=LONDON, **more):
    found = walltime.resolve(wall, zone)
    return cast.content(text, due_at=found.at, wall=found.wall, zone=found.zone, **more)


def drafting(cast, wall, text="Words.", **more):
    return actions.start(cast.alice, at(cast, wall, text, **more), now=cast.clock())


def show(cast, address="", who=None):
    answer = cast.client(who or cast.alice).get(f"/desk/calendar/{address}")
    assert answer.status_code == 200
    return html.unescape(" ".join(answer.content.decode().split()))


def row_of(page, day):
    """The row of the week's table that is about a day."""
    return next(row for row in re.findall(r"<tr.*?</tr>", page) if f">{day}" in row)


@pytest.mark.parametrize("view", ["week", "month", "list"])
def test_every_view_shows_a_post_on_its_day_with_its_time_and_state(cast, view):
    draft = moves.signed(cast, at(cast, "2026-11-24T09:00", "Snow tonight."))
    page = show(cast, f"?view={view}&on=2026-11-23")
    assert f'href="/desk/drafts/{draft.pk}">09:00 <span dir="auto">Snow tonight.' in page
    assert "Signed" in page
    assert "Snow tonight." not in show(cast, f"?view={view}&on=2027-02-23")


def test_a_week_shows_posts_by_account_in_the_order_of_the_day(cast):
    drafting(cast, "2026-11-24T17:00", "Later.", accounts=[cast.feed, cast.practice])
    drafting(cast, "2026-11-24T09:00", "Sooner.", accounts=[cast.practice])
    row = row_of(show(cast, "?on=2026-11-24"), "Tuesday 24 November 2026")
    _head, feed, practice = re.split(r"<td", row)
    assert "Later." in feed
    assert "Sooner." not in feed
    assert practice.index("Sooner.") < practice.index("Later.")


def test_an_address_holds_the_filters_and_every_link_keeps_them(cast):
    drafting(cast, "2026-11-24T09:00", "On the feed.")
    drafting(cast, "2026-11-24T10:00", "On practice.", accounts=[cast.practice])
    moves.signed(cast, at(cast, "2026-11-24T11:00", "Signed one."))
    page = show(cast, f"?view=week&on=2026-11-23&account={cast.feed.pk}&state=drafting")
    assert "On the feed." in page
    assert "On practice." not in page
    assert "Signed one." not in page
    for link in ("on=2026-11-30", "on=2026-11-16", "view=month", "view=list"):
        (found,) = [
            href
            for href in re.findall(r'href="([^"]+)"', page)
            if link in href and "state=" in href
        ][:1]
        assert f"account={cast.feed.pk}" in found
        assert "state=drafting" in found


@pytest.mark.parametrize(
    "address",
    [
        "?view=year",
        "?on=tomorrow",
        "?on=0001-01-01",
        "?on=9999-12-31",
        "?on=2000-01-01&view=month",
        "?on=2199-12-31&view=month",
        "?account=999",
        "?account=²",
        "?state=withdrawn&view=",
    ],
)
def test_an_address_that_makes_no_sense_shows_a_calendar_all_the_same(cast, address):
    assert "Calendar" in show(cast, address)


def test_a_month_goes_to_the_next_and_the_one_before(cast):
    page = show(cast, "?view=month&on=2026-12-31")
    assert "December 2026" in page
    assert "on=2026-11-01" in page
    assert "on=2027-01-01" in page


def test_a_day_whose_clocks_change_says_so_in_every_view(cast):
    for view in ("week", "month", "list"):
        page = show(cast, f"?view={view}&on=2027-03-26")
        assert page.count("01:00 to 01:59 does not exist on this day") == 1
        page = show(cast, f"?view={view}&on=2026-10-25")
        assert page.count("01:00 to 01:59 happens twice on this day") == 1


def test_periods_are_shown_on_their_days(cast):
    kind = next(iter(guidance.KINDS))
    guidance.add_period(
        cast.body,
        kind=kind,
        name="Council election",
        source="Notice",
        starts_at=walltime.resolve("2026-11-24T00:00", LONDON).at,
        ends_at=walltime.resolve("2026-11-25T23:59", LONDON).at,
        actor=cast.dan,
        now=cast.clock(),
    )
    page = show(cast, "?on=2026-11-23")
    shown = [n for n in range(23, 30) if "Council election" in row_of(page, f"{DAYS[n]}")]
    assert shown == [24, 25]


DAYS = {
    n: f"{day} {n} November 2026"
    for n, day in zip(
        range(23, 30),
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
}


def test_free_slots_lead_to_a_composer_with_day_time_and_account_filled_in(cast):
    slots.add_slot(cast.alice, weekday=1, clock="08:15", account_id=None, now=cast.clock())
    assert "08:15 is free" in row_of(show(cast, "?on=2026-11-24"), DAYS[24])
    drafting(cast, "2026-11-24T08:15")
    row = row_of(show(cast, "?on=2026-11-24"), DAYS[24])
    head, feed, practice = re.split(r"<td", row)
    assert "is free" not in head + feed
    (link,) = re.findall(r'href="(/desk/drafts/new[^"]+)"', practice)
    page = html.unescape(cast.client(cast.alice).get(link).content.decode())
    assert 'value="2026-11-24"' in page
    assert 'value="08:15"' in page
    assert re.search(rf'name="accounts"[^>]+value="{cast.practice.pk}"[^>]* checked', page)


def test_a_new_post_can_be_begun_on_every_day_to_come_and_on_none_that_is_past(cast):
    page = show(cast, "?on=2026-11-20")
    assert "day=2026-11-20" in row_of(page, "Friday 20 November 2026")
    assert "day=" not in row_of(page, "Thursday 19 November 2026").replace("desk-day", "")
    assert "New post here" not in show(cast, "?on=2026-11-20", who=cast.bob)


@pytest.mark.parametrize("query", ["day=x", "day=2027-03-28&clock=01:30", "clock=9", "account=x"])
def test_a_link_that_fills_in_nonsense_opens_a_composer_all_the_same(cast, query):
    answer = cast.client(cast.alice).get(f"/desk/drafts/new?{query}")
    assert answer.status_code == 200
    if "03-28" in query:
        assert 'name="which"' in answer.content.decode()


def test_a_time_by_another_clock_is_told_with_all_three(cast):
    drafting(cast, "2026-11-24T22:55", zone="America/New_York")
    page = show(cast, "?on=2026-11-25")
    row = row_of(page, DAYS[25])
    assert "03:55" in row
    assert "Tuesday 24 November 2026 at 22:55 in America/New_York" in row
    assert "03:55 UTC" in row


def test_posts_of_another_body_are_not_on_it(cast):
    drafting(cast, "2026-11-24T09:00", "Ours alone.")
    assert "Ours alone." not in show(cast, "?on=2026-11-24", who=cast.mallory)


# Moving


def move(cast, draft, day, clock, *, who=None, revision=None, **more):
    revision = moves.again(cast, draft).revision if revision is None else revision
    form = {"day": day, "clock": clock, "revision": revision, **more}
    address = f"/desk/calendar/move/{draft.pk}?view=list&on=2026-11-23"
    answer = cast.client(who or cast.alice).post(address, form)
    return answer, html.unescape(answer.content.decode())


def test_a_post_being_written_is_moved_by_the_form_in_the_list(cast):
    draft = drafting(cast, "2026-11-24T09:00")
    assert f'action="/desk/calendar/move/{draft.pk}?view=list&' in show(
        cast, "?view=list&on=2026-11-23"
    )
    answer, _ = move(cast, draft, "2026-11-26", "17:30")
    assert answer.status_code == 302
    assert answer["Location"] == "/desk/calendar/?view=list&on=2026-11-23"
    version = get_version(moves.again(cast, draft))
    assert version.wall == "2026-11-26T17:30"
    assert version.text == "Words."


def test_a_post_that_waits_for_sign_off_is_sent_for_it_anew(cast):
    draft = moves.awaiting(cast, at(cast, "2026-11-24T09:00"))
    seen = moves.digest_of(draft)
    answer, page = move(cast, draft, "2026-11-26", "17:30")
    assert answer.status_code == 302, page
    draft = moves.again(cast, draft)
    assert draft.state == "awaiting_signoff"
    with pytest.raises(actions.DraftRefused, match="changed since you opened"):
        actions.sign(cast.bob, draft.pk, digest_seen=seen, accepted={}, now=cast.clock())
    answer, page = move(cast, draft, "2026-11-19", "09:00")
    assert answer.status_code == 422
    assert "The time you chose is in the past." in page
    assert moves.again(cast, draft).state == "awaiting_signoff"
    assert get_version(moves.again(cast, draft)).wall == "2026-11-26T17:30"


def test_a_signed_post_must_be_taken_back_first(cast):
    draft = moves.signed(cast, at(cast, "2026-11-24T09:00"))
    assert "Signed: to move it, take it back first." in show(cast, "?view=list&on=2026-11-23")
    answer, page = move(cast, draft, "2026-11-26", "17:30")
    assert answer.status_code == 422
    assert "Take it back first" in page
    assert moves.again(cast, draft).state == "signed"


@pytest.mark.parametrize(
    ("day", "clock", "sentence"),
    [
        ("2026-11-31", "09:00", "Enter the day as year, month, day"),
        ("", "", "Enter the day as year, month, day"),
        ("2027-03-28", "01:30", "does not exist"),
        ("2027-10-31", "01:30", "happens twice"),
    ],
)
def test_a_time_that_cannot_be_used_moves_nothing_and_is_said(cast, day, clock, sentence):
    draft = drafting(cast, "2026-11-24T09:00")
    answer, page = move(cast, draft, day, clock)
    assert answer.status_code == 422
    assert sentence in page
    assert f'value="{day}"' in page
    assert get_version(moves.again(cast, draft)).wall == "2026-11-24T09:00"
    if sentence == "happens twice":
        assert 'value="second"' in page
        answer, _ = move(cast, draft, day, clock, which="second", asked=f"{day}T{clock}")
        assert answer.status_code == 302
        assert f"{get_version(moves.again(cast, draft)).due_at:%H:%M}" == "01:30"


def test_a_list_open_since_before_somebody_saved_moves_nothing(cast):
    draft = drafting(cast, "2026-11-24T09:00")
    actions.save(cast.alice, draft.pk, cast.content("New."), revision=0, now=cast.clock())
    for revision in (0, "", "x", "9" * 30):
        answer, page = move(cast, draft, "2026-11-26", "17:30", revision=revision)
        assert answer.status_code == 422
        assert "Somebody else saved this post" in page
    assert get_version(moves.again(cast, draft)).wall == ""


def test_only_authors_move(cast):
    draft = drafting(cast, "2026-11-24T09:00")
    answer, _ = move(cast, draft, "2026-11-26", "17:30", who=cast.bob)
    assert answer.status_code == 422
    answer, _ = move(cast, draft, "2026-11-26", "17:30", who=cast.mallory)
    assert answer.status_code == 404


def test_posts_without_a_time_are_listed_and_can_be_given_one(cast):
    draft = actions.start(cast.alice, cast.content("No time."), now=cast.clock())
    assert "Posts without a time" in show(cast)
    answer, _ = move(cast, draft, "2026-11-26", "17:30")
    assert answer.status_code == 302
    assert "Posts without a time" not in show(cast)


def test_the_calendar_of_special_periods_has_moved_to_its_own_place(cast):
    answer = cast.client(cast.dan).get("/desk/calendar/periods")
    assert "Calendar of special periods" in answer.content.decode()
