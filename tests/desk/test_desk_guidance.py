"""The guidance on pages and the calendar of special periods."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta

import desk_moves as moves
import pytest

from folkmoot.desk.guidance import actions, queries
from folkmoot.desk.guidance.models import Calendar, Period
from folkmoot.guidance import Level

PERIOD = {
    "kind": "pre_election",
    "name": "May elections",
    "starts_on": "2027-03-25",
    "ends_on": "2027-05-06",
    "source": "Notice of 1 March",
}


def hand_in(cast, form, who=None):
    answer = cast.client(who or cast.dan).post("/desk/calendar/periods", form)
    return answer, html.unescape(answer.content.decode())


def test_an_admin_adds_a_period_of_whole_days_in_the_body_s_own_zone(cast):
    answer, _ = hand_in(cast, PERIOD)
    assert answer.status_code == 302
    period = Period.objects.get()
    assert period.starts_at == datetime(2027, 3, 25, 0, 0, tzinfo=UTC)
    assert period.ends_at == datetime(
        2027, 5, 6, 22, 59, 59, 999_999, tzinfo=UTC
    )  # summer time by then
    page = cast.client(cast.alice).get("/desk/calendar/periods").content.decode()
    assert "May elections" in page
    assert "Notice of 1 March" in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ends_on": "2027-03-24"}, "The period must end after it starts."),
        ({"starts_on": "soon"}, "Enter the first day as year, month, day: 2027-03-25."),
        ({"ends_on": ""}, "Enter the last day, such as 2027-05-06."),
        ({"kind": "carnival"}, "carnival is not one of the available choices."),
        ({"kind": ""}, "Choose what kind of period this is."),
        ({"source": "  "}, "Say which notice or guidance sets this period."),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"starts_on": "2027-02-30"}, "Enter the first day as year, month, day"),
    ],
)
def test_a_period_that_cannot_be_is_refused_in_words_and_kept_in_its_fields(cast, change, sentence):
    answer, page = hand_in(cast, {**PERIOD, **change})
    assert answer.status_code == 422
    assert sentence in page
    assert "Notice of 1 March" in page or "source" in change
    assert not Period.objects.exists()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Auckland", "America/New_York"])
def test_a_day_at_the_end_of_time_breaks_nothing(cast, day, zone):
    cast.body.zone = zone
    cast.body.save()
    answer, page = hand_in(cast, {**PERIOD, "starts_on": "2027-01-01", "ends_on": day})
    assert answer.status_code == 422
    assert "the year 2" in page
    hand_in(cast, {**PERIOD, "starts_on": day, "ends_on": "9999-12-31"})
    hand_in(cast, {"known_until": day})
    for who in (cast.alice, cast.dan):
        for address in ("/desk/calendar/periods", "/desk/settings/"):
            assert cast.client(who).get(address).status_code == 200


@pytest.mark.parametrize("who", ["alice", "bob", "carol"])
@pytest.mark.parametrize("form", [PERIOD, {"known_until": "2030-01-01"}], ids=["add", "state"])
def test_only_an_admin_changes_the_calendar(cast, who, form):
    before = Calendar.objects.get(organisation=cast.body).known_until
    answer, page = hand_in(cast, form, getattr(cast, who))
    assert answer.status_code == 422
    assert "Only an admin can change the calendar of periods." in page
    assert not Period.objects.exists()
    assert Calendar.objects.get(organisation=cast.body).known_until == before


def test_a_period_of_one_body_is_none_of_another_s(cast):
    hand_in(cast, PERIOD, cast.mallory)
    within = datetime(2027, 4, 1, tzinfo=UTC)
    assert queries.find_periods(cast.other, within) == {"pre_election"}
    assert queries.find_periods(cast.body, within) == frozenset()
    page = cast.client(cast.dan).get("/desk/calendar/periods").content.decode()
    assert "May elections" not in page


def test_where_nobody_has_said_it_is_not_known_and_the_post_is_held(cast):
    later = cast.clock() + timedelta(days=401)
    assert queries.find_periods(cast.body, later) is None
    assert queries.find_periods(cast.other, cast.clock()) is None
    draft = moves.awaiting(cast, cast.content(due_at=later))
    answer = cast.client(cast.bob).post(
        f"/desk/signoff/{draft.pk}", {"decision": "sign", "digest": moves.digest_of(draft)}
    )
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Tick each finding that holds this post" in page
    assert "Not evaluated:" in page


def test_a_period_begins_and_ends_to_the_second(cast):
    start, end = cast.clock() + timedelta(days=1), cast.clock() + timedelta(days=2)
    actions.add_period(
        cast.body,
        kind="mourning",
        name="",
        starts_at=start,
        ends_at=end,
        source="Notice",
        actor=cast.dan,
        now=cast.clock(),
    )
    moment = timedelta(microseconds=1)
    assert queries.find_periods(cast.body, start - moment) == frozenset()
    assert queries.find_periods(cast.body, start) == {"mourning"}
    assert queries.find_periods(cast.body, end) == {"mourning"}
    assert queries.find_periods(cast.body, end + moment) == frozenset()


def test_every_clause_has_a_page_at_its_permanent_address(cast):
    client = cast.client()
    pack = queries.get_pack("uk-civil-service")
    for one in pack.clauses[::6]:
        page = client.get(f"/guidance/{pack.id}/{one.id}/").content.decode()
        assert html.escape(one.title, quote=False) in page.replace("&#39;", "'")
    assert client.get(f"/guidance/{pack.id}/nothing/").status_code == 404


@pytest.mark.parametrize("level", [*Level, "king", ""])
def test_a_pack_is_shown_at_each_level_and_at_the_first_for_one_nobody_knows(cast, level):
    answer = cast.client().get(f"/guidance/uk-civil-service/?level={level}")
    assert answer.status_code == 200
    shown = level if level in set(Level) else Level.OVERVIEW
    assert f'href="?level={shown}"' not in answer.content.decode()


def test_markdown_from_another_body_s_pack_brings_no_script():
    for hostile in (
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](javascript:alert(1))",
        '<img src=x onerror="alert(1)">',
        "[x](data:text/html;base64,AAAA)",
        "<a href='javascript:alert(1)'>x</a>",
    ):
        shown = str(queries.render_markdown(hostile))
        assert "<script" not in shown
        assert "<img" not in shown
        assert 'href="javascript' not in shown
        assert 'href="data' not in shown
