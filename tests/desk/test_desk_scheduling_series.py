"""Posts that repeat: by the clock on the wall, each signed by itself, never made twice."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice

import desk_moves as moves
import pytest
from django.db import IntegrityError, transaction

from folkmoot.desk.drafts import actions, recurring, repeating, walltime
from folkmoot.desk.drafts.models import Draft, Occurrence, Series
from folkmoot.desk.drafts.queries import get_version
from folkmoot.desk.drafts.recurring import LAST, Every, Rule
from folkmoot.desk.people.models import Member
from folkmoot.desk.records.queries import list_history

LONDON = "Europe/London"


def days(rule, most=5):
    return [f"{day:%a %d %b %y}" for day in islice(recurring.list_days(rule), most)]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (
            Rule(Every.DAY, date(2026, 12, 30), "09:00", count=3),
            ["Wed 30 Dec 26", "Thu 31 Dec 26", "Fri 01 Jan 27"],
        ),
        (
            Rule(Every.WEEK, date(2026, 11, 25), "09:00", 1, (0, 4)),  # from a Wednesday
            ["Fri 27 Nov 26", "Mon 30 Nov 26", "Fri 04 Dec 26", "Mon 07 Dec 26", "Fri 11 Dec 26"],
        ),
        (
            Rule(Every.WEEK, date(2026, 11, 25), "09:00", 2, (0, 4), until_on=date(2026, 12, 11)),
            ["Fri 27 Nov 26", "Mon 07 Dec 26", "Fri 11 Dec 26"],
        ),
        (
            Rule(Every.MONTH_DAY, date(2027, 1, 1), "09:00", nth=31),  # short months are left out
            ["Sun 31 Jan 27", "Wed 31 Mar 27", "Mon 31 May 27", "Sat 31 Jul 27", "Tue 31 Aug 27"],
        ),
        (
            Rule(Every.MONTH_DAY, date(2028, 1, 31), "09:00", nth=LAST, count=3),
            ["Mon 31 Jan 28", "Tue 29 Feb 28", "Fri 31 Mar 28"],
        ),
        (
            Rule(Every.MONTH_WEEKDAY, date(2026, 12, 1), "09:00", 1, (0,), nth=1, count=3),
            ["Mon 07 Dec 26", "Mon 04 Jan 27", "Mon 01 Feb 27"],
        ),
        (
            Rule(Every.MONTH_WEEKDAY, date(2026, 12, 1), "09:00", 1, (3,), nth=LAST, count=2),
            ["Thu 31 Dec 26", "Thu 28 Jan 27"],
        ),
    ],
)
def test_a_rule_names_the_days_that_a_person_would_count_out(rule, wanted):
    assert recurring.list_problems(rule) == []
    assert days(rule) == wanted


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Rule(Every.WEEK, date(2027, 1, 1), "09:00"), "Choose a day of the week."),
        (Rule(Every.WEEK, date(2027, 1, 1), "09:00", 0, (1,)), "every how many weeks"),
        (Rule(Every.MONTH_DAY, date(2027, 1, 1), "09:00", nth=32), "a day of the month"),
        (Rule(Every.DAY, date(2027, 1, 2), "09:00", until_on=date(2027, 1, 1)), "before the first"),
        (Rule(Every.DAY, date(2027, 1, 2), "09:00", count=0), "how many times"),
        (
            Rule(Every.WEEK, date(2027, 1, 1), "09:00", 1, (0,), until_on=date(2027, 1, 2)),
            "There is no such day between",
        ),
        (Rule(Every.MONTH_WEEKDAY, date(2027, 1, 1), "09:00", 1, (0,), nth=9), "Choose which"),
    ],
)
def test_a_rule_that_names_no_day_is_refused_in_words(rule, sentence):
    assert any(sentence in problem for problem in recurring.list_problems(rule))


def test_a_rule_is_told_as_people_say_it():
    rule = Rule(Every.WEEK, date(2027, 1, 1), "09:00", 2, (0, 2, 4), until_on=date(2027, 6, 30))
    assert recurring.describe(rule) == (
        "every 2 weeks on Monday, Wednesday and Friday at 09:00, until Wednesday 30 June 2027"
    )
    assert recurring.describe(Rule(Every.MONTH_WEEKDAY, date(2027, 1, 1), "17:55", 1, (0,))) == (
        "every month on the first Monday at 17:55"
    )


@pytest.fixture
def repeat(cast):
    """Start a series of a fine post; by default daily at 07:30 from tomorrow, made a day ahead."""

    def start(rule=None, *, content=None, zone=LONDON, lead_days=1, author=None):
        author = author or cast.alice
        draft = actions.start(author, content or cast.content(), now=cast.clock())
        rule = rule or Rule(Every.DAY, date(2026, 11, 21), "07:30")
        return repeating.start_series(
            author, draft.pk, rule, zone=zone, lead_days=lead_days, now=cast.clock()
        )

    return start


def made(series):
    return list(series.occurrences.select_related("draft").order_by("wall"))


def test_each_day_s_post_is_a_draft_of_its_own_that_waits_for_its_own_sign_off(cast, repeat):
    series = repeat()
    cast.clock.pass_(days=2)
    while actions.make_occurrences(cast.clock):
        pass
    first, second, third = made(series)
    assert [one.wall for one in (second, third)] == ["2026-11-22T07:30", "2026-11-23T07:30"]
    assert first.draft is None
    assert first.note == repeating.TOO_LATE
    assert second.note == repeating.TOO_LATE
    assert third.draft.state == "awaiting_signoff"
    assert third.draft.author == cast.alice.ref
    version = get_version(third.draft)
    assert (version.wall, version.zone) == ("2026-11-23T07:30", LONDON)
    assert version.text == cast.content().text
    (entry,) = moves.entries(third.draft, "draft.sent_for_signoff")
    assert f"series {series.pk}" in entry.fields["note"]


def test_a_signature_covers_one_post_of_a_series_and_no_other(cast, repeat):
    series = repeat(lead_days=3)
    while actions.make_occurrences(cast.clock):
        pass
    one, other, *_ = (each.draft for each in made(series))
    moves.sign(cast, one)
    assert moves.again(cast, one).state == "signed"
    assert moves.again(cast, other).state == "awaiting_signoff"
    assert moves.digest_of(one) != moves.digest_of(other)
    with pytest.raises(actions.DraftRefused):
        actions.sign(
            cast.bob, other.pk, digest_seen=moves.digest_of(one), accepted={}, now=cast.clock()
        )


def test_the_author_of_a_series_cannot_sign_its_posts(cast, repeat):
    series = repeat(author=cast.carol)
    actions.make_occurrences(cast.clock)
    (only,) = made(series)
    with pytest.raises(actions.DraftRefused, match="somebody else must sign"):
        moves.sign(cast, only.draft, cast.carol)


def test_the_clock_on_the_wall_stays_the_same_through_a_change_of_the_clocks(cast, repeat):
    series = repeat(Rule(Every.DAY, date(2027, 3, 27), "09:00", count=3), lead_days=28)
    cast.clock.now = cast.clock.now.replace(year=2027, month=3, day=10)
    while actions.make_occurrences(cast.clock):
        pass
    instants = [f"{get_version(one.draft).due_at:%d %H:%M}" for one in made(series)]
    assert instants == ["27 09:00", "28 08:00", "29 08:00"]
    assert Series.objects.get().make_at is None


@pytest.mark.parametrize(
    ("on", "says"),
    [(date(2027, 3, 28), "does not exist"), (date(2027, 10, 31), "happens twice")],
)
def test_a_post_in_a_missing_or_doubled_hour_stays_open_with_the_question(cast, repeat, on, says):
    series = repeat(Rule(Every.DAY, on, "01:30", count=1), lead_days=3)
    cast.clock.now = cast.clock.now.replace(year=on.year, month=on.month, day=on.day - 2)
    actions.make_occurrences(cast.clock)
    (only,) = made(series)
    assert only.draft.state == "drafting"
    assert says in only.note
    page = html.unescape(
        cast.client(cast.alice).get(f"/desk/drafts/{only.draft.pk}/edit").content.decode()
    )
    assert says in page
    assert 'name="which"' in page
    assert f'value="{on}"' in page
    which = "second" if says == "happens twice" else "after"
    cast.client(cast.alice).post(
        f"/desk/drafts/{only.draft.pk}/edit",
        moves.form_of(
            cast.content(),
            when="at",
            day=str(on),
            clock="01:30",
            zone=LONDON,
            which=which,
            asked=f"{on}T01:30 {LONDON}",
            do="signoff",
        ),
    )
    assert moves.again(cast, only.draft).state == "awaiting_signoff"
    found = walltime.resolve(f"{on}T01:30", LONDON, which)
    assert get_version(moves.again(cast, only.draft)).due_at == found.at


def test_what_is_against_a_post_is_said_and_it_stays_with_its_author(cast, repeat):
    series = repeat(content=cast.content(moves.STOPPED))
    actions.make_occurrences(cast.clock)
    (only,) = made(series)
    assert only.draft.state == "drafting"
    assert "card" in only.note
    page = html.unescape(cast.client(cast.alice).get("/desk/calendar/").content.decode())
    assert only.note in page


def test_an_author_who_has_left_sends_nothing_for_sign_off(cast, repeat):
    series = repeat()
    Member.objects.filter(pk=cast.alice.pk).update(roles=["approver"])
    actions.make_occurrences(cast.clock)
    (only,) = made(series)
    assert only.draft.state == "drafting"
    assert "no longer writes posts here" in only.note


def test_there_is_never_a_second_post_for_a_day(cast, repeat, monkeypatch):
    series = repeat()
    stale = Series.objects.select_related("organisation", "source").get()

    def killed(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as at_the_end:
        at_the_end.setattr(repeating, "ask_for_signoff", killed)
        with pytest.raises(KeyboardInterrupt):
            actions.make_occurrences(cast.clock)
    assert made(series) == []  # nothing half done
    assert Draft.objects.count() == 1
    assert actions.make_occurrences(cast.clock) == 1
    assert repeating._make_next(stale, cast.clock()) == 0  # another worker, with the row of before
    assert len(made(series)) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Occurrence.objects.create(series=series, wall=made(series)[0].wall)


def test_a_series_our_own_code_fails_on_keeps_no_other_back(cast, repeat, monkeypatch):
    broken, fine = repeat(), repeat()
    real = repeating._start

    def start(series, *rest):
        if series.pk == broken.pk:
            raise RuntimeError("a fault")
        return real(series, *rest)

    monkeypatch.setattr(repeating, "_start", start)
    assert actions.make_occurrences(cast.clock) == 1
    assert len(made(fine)) == 1
    assert made(broken) == []
    broken.refresh_from_db()
    assert broken.make_at == cast.clock() + repeating.WAIT_AFTER_FAULT


def test_a_day_can_be_left_out_once_and_a_series_ended(cast, repeat):
    series = repeat()
    page = f"/desk/calendar/series/{series.pk}"
    client = cast.client(cast.alice)
    client.post(f"{page}/skip", {"on": "2026-11-21"})
    again = client.post(f"{page}/skip", {"on": "2026-11-21"})
    assert again.status_code == 422
    assert "dealt with in the meantime" in again.content.decode()
    cast.clock.pass_(days=1)
    while actions.make_occurrences(cast.clock):
        pass
    left_out, made_one = made(series)
    assert left_out.draft is None
    assert left_out.note == "Left out by Alice."
    assert made_one.wall == "2026-11-22T07:30"
    client.post(f"{page}/end")
    cast.clock.pass_(days=3)
    assert actions.make_occurrences(cast.clock) == 0
    assert moves.again(cast, made_one.draft).state == "awaiting_signoff"


def test_a_series_leaves_its_entries_in_the_record(cast, repeat):
    series = repeat()
    repeating.skip(cast.alice, series.pk, date(2026, 11, 21), now=cast.clock())
    repeating.end_series(cast.alice, series.pk, now=cast.clock())
    kinds = [entry.kind for entry in list_history(f"series/{series.pk}")]
    assert kinds == ["series.started", "series.skipped", "series.ended"]


def test_only_authors_of_the_body_touch_its_series(cast, repeat):
    series = repeat()
    for who in (cast.bob, cast.dan, cast.mallory):
        for verb in ("skip", "end"):
            answer = cast.client(who).post(
                f"/desk/calendar/series/{series.pk}/{verb}", {"on": "2026-11-21"}
            )
            assert answer.status_code == 422
    series.refresh_from_db()
    assert series.next_on == date(2026, 11, 21)
    assert series.ended_at is None


def test_a_series_is_set_up_on_its_page_from_a_post(cast):
    draft = actions.start(cast.alice, cast.content(), now=cast.clock())
    client, page = cast.client(cast.alice), f"/desk/drafts/{draft.pk}/repeat"
    empty = client.post(page, {})
    assert empty.status_code == 422
    assert "Enter the first day" in empty.content.decode()
    form = {
        "every": "month_day",
        "month_day": "last",
        "clock": "9:00",
        "zone": "america/new york",
        "from_on": "2026-11-21",
        "lead_days": "5",
    }
    wrong = client.post(page, {**form, "month_day": "40", "zone": "Atlantis/Poseidonis"})
    said = html.unescape(wrong.content.decode())
    assert "Enter a day of the month from 1 to 31." in said
    assert "There is no time zone “Atlantis/Poseidonis”" in said
    assert client.post(page, form).status_code == 302
    series = Series.objects.get()
    assert (series.clock, series.zone, series.nth) == ("09:00", "America/New_York", LAST)
    assert series.next_on == date(2026, 11, 30)
    assert series.make_at - cast.clock() == timedelta(days=5, hours=5)
    shown = html.unescape(client.get("/desk/calendar/").content.decode())
    assert "every month on its last day at 09:00 in America/New_York" in shown


@pytest.mark.parametrize("year", ["0001", "1066", "9999"])
def test_a_series_of_another_age_is_refused_in_words(cast, year):
    draft = actions.start(cast.alice, cast.content(), now=cast.clock())
    answer = cast.client(cast.alice).post(
        f"/desk/drafts/{draft.pk}/repeat",
        {"every": "day", "clock": "09:00", "from_on": f"{year}-01-01", "lead_days": "3"},
    )
    assert answer.status_code == 422
    assert "a year near our own" in answer.content.decode()


def test_a_series_keeps_the_words_it_was_set_up_with(cast, repeat):
    series = repeat()
    actions.save(
        cast.alice,
        series.source_id,
        replace(cast.content(), text="Other words."),
        revision=series.source.revision,
        now=cast.clock(),
    )
    actions.make_occurrences(cast.clock)
    assert get_version(made(series)[0].draft).text == cast.content().text
