"""The composer's time, zone, topic and urgency; what it asks; and what it warns of."""

from __future__ import annotations

import html
import time
from datetime import UTC, datetime, timedelta

import desk_moves as moves
import pytest

from folkmoot.desk.accounts.models import Account
from folkmoot.desk.drafts import actions, walltime
from folkmoot.desk.drafts.likeness import take_print
from folkmoot.desk.drafts.models import Draft, Version
from folkmoot.desk.drafts.nearby import list_near
from folkmoot.desk.drafts.queries import get_version
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.records.columns import update_sealed
from folkmoot.desk.stops import queries as stops

LONDON = "Europe/London"
MISSING, DOUBLED = ("2027-03-28", "01:30"), ("2027-10-31", "01:30")


def compose(cast, *, url="/desk/drafts/new", content=None, **more):
    form = moves.form_of(content or cast.content(), **{"when": "at", **more})
    answer = cast.client(cast.alice).post(url, form)
    return answer, html.unescape(answer.content.decode())


def kept():
    return get_version(Draft.objects.latest("pk"))


def at(cast, wall, zone=LONDON, text="Words.", **more):
    found = walltime.resolve(wall, zone)
    return cast.content(text, due_at=found.at, wall=found.wall, zone=found.zone, **more)


# The time


def test_the_wall_time_its_zone_and_the_instant_are_kept_together(cast):
    answer, page = compose(cast, day="2026-12-01", clock="9:05", zone="america/new york")
    assert answer.status_code == 302, page
    version = kept()
    assert (version.wall, version.zone) == ("2026-12-01T09:05", "America/New_York")
    assert version.due_at == datetime(2026, 12, 1, 14, 5, tzinfo=UTC)
    compose(cast, day="2026-12-01", clock="09:05", zone="")
    assert (kept().zone, kept().due_at) == (LONDON, datetime(2026, 12, 1, 9, 5, tzinfo=UTC))
    compose(cast, when="signed", day="2026-12-01", clock="09:05", zone=LONDON)
    assert (kept().wall, kept().zone, kept().due_at) == ("", "", None)


@pytest.mark.parametrize(
    ("when", "which", "wall", "instant"),
    [
        (MISSING, "before", "2027-03-28T00:59", (2027, 3, 28, 0, 59)),
        (MISSING, "after", "2027-03-28T02:00", (2027, 3, 28, 1, 0)),
        (DOUBLED, "first", "2027-10-31T01:30", (2027, 10, 31, 0, 30)),
        (DOUBLED, "second", "2027-10-31T01:30", (2027, 10, 31, 1, 30)),
    ],
)
def test_a_missing_or_doubled_hour_is_asked_about_and_the_answer_is_kept(
    cast, when, which, wall, instant
):
    day, clock = when
    answer, page = compose(cast, day=day, clock=clock, zone=LONDON)
    assert answer.status_code == 422
    assert 'type="radio" value="first"' in page or 'value="before"' in page
    assert 'href="#which"' in page
    draft = Draft.objects.get()
    assert get_version(draft).due_at is None
    answer, page = compose(
        cast,
        url=f"/desk/drafts/{draft.pk}/edit",
        day=day,
        clock=clock,
        zone=LONDON,
        which=which,
        asked=f"{day}T{clock} {LONDON}",
    )
    assert answer.status_code == 302, page
    assert kept().wall == wall
    assert kept().due_at == datetime(*instant, tzinfo=UTC)
    page = cast.client(cast.alice).get(f"/desk/drafts/{draft.pk}/edit").content.decode()
    if when == DOUBLED:  # saved again as it is shown, it stays the one that was chosen
        assert f'value="{which}" checked' in " ".join(page.split())


def test_an_answer_holds_for_the_time_it_was_asked_of_alone(cast):
    day, clock = DOUBLED
    answer, page = compose(
        cast, day=day, clock=clock, zone=LONDON, which="first", asked=f"2026-10-25T01:30 {LONDON}"
    )
    assert answer.status_code == 422
    assert "happens twice" in page


def test_a_zone_that_does_not_exist_is_said_and_nothing_is_lost(cast):
    answer, page = compose(cast, day="2026-12-01", clock="09:00", zone="Europe/Lundon")
    assert answer.status_code == 422
    assert "There is no time zone “Europe/Lundon”. Did you mean Europe/London?" in page
    assert 'value="Europe/Lundon"' in page
    assert kept().text == cast.content().text


def test_all_three_are_shown_at_sign_off_and_on_the_page_of_the_post(cast):
    draft = moves.awaiting(cast, at(cast, "2026-11-20T22:55", "America/New_York", "Words."))
    told = (
        "Friday 20 November 2026 at 22:55 in America/New_York (Saturday 21 November 2026 at 03:55 "
        "in Europe/London; Saturday 21 November 2026 at 03:55 UTC)"
    )
    for page in (f"/desk/signoff/{draft.pk}", f"/desk/drafts/{draft.pk}"):
        assert told in cast.client(cast.bob).get(page).content.decode(), page


def test_a_post_lapses_whose_zone_has_other_rules_than_when_it_was_signed(cast, monkeypatch):
    draft = moves.signed(cast, at(cast, "2026-11-20T17:55", text="Words."))
    real = walltime.get_rules
    cast.clock.now = get_version(draft).due_at
    monkeypatch.setattr(walltime, "get_rules", lambda _name: real("Europe/Paris"))
    publishing.work(cast.clock)
    assert moves.again(cast, draft).state == "unsent"
    (entry,) = moves.entries(draft, "draft.lapsed")
    assert "The clocks of Europe/London have been changed" in entry.fields["reason"]
    assert "17:55 on 20 November 2026 there is now another moment" in entry.fields["reason"]


def test_nobody_signs_a_time_that_is_now_another_moment(cast, monkeypatch):
    draft = moves.awaiting(cast, at(cast, "2026-11-20T17:55", text="Words."))
    real = walltime.get_rules
    monkeypatch.setattr(walltime, "get_rules", lambda _name: real("Europe/Paris"))
    with pytest.raises(actions.DraftRefused, match="is now another moment"):
        moves.sign(cast, draft)


def test_a_form_of_the_composer_before_zones_still_means_the_organisation_s(cast):
    draft = actions.start(
        cast.alice,
        cast.content("Old.", due_at=datetime(2027, 7, 1, 9, 0, tzinfo=UTC)),  # without a wall
        now=cast.clock(),
    )
    page = cast.client(cast.alice).get(f"/desk/drafts/{draft.pk}/edit").content.decode()
    for value in ("2027-07-01", "10:00", LONDON):
        assert f'value="{value}"' in page


# Urgency, topic, stops


def test_urgency_and_topic_are_kept_shown_and_signed(cast):
    before = actions.start(cast.alice, cast.content(), now=cast.clock())
    compose(cast, when="signed", urgent="on", topic="  Floods   in the north ")
    version = kept()
    assert (version.urgent, version.topic) == (True, "Floods in the north")
    assert version.digest != get_version(before).digest
    page = cast.client(cast.alice).get("/desk/drafts/new").content.decode()
    assert '<option value="Floods in the north">' in page
    draft = actions.send_for_signoff(cast.alice, version.draft_id, now=cast.clock())
    page = cast.client(cast.bob).get(f"/desk/signoff/{draft.pk}").content.decode()
    assert "Floods in the north" in page
    assert "may use the reserve kept for urgent posts" in page
    answer, page = compose(cast, when="signed", topic="x" * 61)
    assert answer.status_code == 422
    assert "Make the topic shorter" in page


def test_sending_through_a_stop_is_offered_only_while_one_stands(cast, monkeypatch):
    words = "Send although publishing is stopped"
    assert words not in cast.client(cast.alice).get("/desk/drafts/new").content.decode()
    monkeypatch.setattr(stops, "list_standing", lambda _organisation: ["a stop"])
    assert words in cast.client(cast.alice).get("/desk/drafts/new").content.decode()
    compose(cast, when="signed", through_stop="on")
    monkeypatch.undo()
    version = kept()
    assert version.through_stop
    page = cast.client(cast.alice).get(f"/desk/drafts/{version.draft_id}/edit").content.decode()
    assert words in page  # still there to be taken back


# Warnings


def near(cast, content, draft=None):
    return [one.sentence for one in list_near(cast.body, content, draft, now=cast.clock())]


SAID = "The library in Mill Road opens again on Monday at 9am. Everyone is welcome."
AGAIN = "The library in Mill Road opens again on Monday at 10am. Everyone is welcome!"


def test_a_post_that_says_nearly_the_same_on_the_same_channel_is_warned_of_and_not_forbidden(cast):
    first = moves.signed(cast, at(cast, "2026-11-24T09:00", text=SAID))
    content = at(cast, "2026-11-25T09:00", text=AGAIN)
    sentence = (
        f"Post {first.pk}, due Tuesday 24 November 2026 at 09:00, says nearly the same on Our feed."
    )
    assert near(cast, content) == [sentence]
    form = moves.form_of(content, when="at", day="2026-11-25", clock="09:00", draft="")
    check = cast.client(cast.alice).post("/desk/drafts/check", form).content.decode()
    assert sentence in check
    second = moves.awaiting(cast, content)
    for who, page in (
        (cast.bob, f"/desk/signoff/{second.pk}"),
        (cast.alice, "/desk/calendar/?on=2026-11-25"),
    ):
        assert sentence in cast.client(who).get(page).content.decode(), page
    assert moves.sign(cast, second).state == "signed"


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ({"wall": "2026-12-08T09:00"}, True),
        ({"wall": "2026-12-08T09:01"}, False),  # more than fourteen days
        ({"text": "Swimming lessons for the over-60s start in January. Book at the pool."}, False),
        ({"accounts": "practice"}, False),
    ],
)
def test_only_what_is_near_in_words_in_time_and_in_channel_is_warned_of(cast, more, warned):
    moves.signed(cast, at(cast, "2026-11-24T09:00", text=SAID))
    chosen = [cast.practice] if more.pop("accounts", "") else [cast.feed]
    wall, text = more.get("wall", "2026-11-26T09:00"), more.get("text", AGAIN)
    assert bool(near(cast, at(cast, wall, text=text, accounts=chosen))) is warned


def test_a_post_is_not_near_itself_nor_one_that_was_withdrawn(cast):
    draft = moves.awaiting(cast, cast.content(SAID))
    assert near(cast, cast.content(SAID), draft) == []
    assert near(cast, cast.content(SAID)) == [
        f"Post {draft.pk}, which has no time yet, says nearly the same on Our feed."
    ]
    actions.withdraw(cast.alice, draft.pk, now=cast.clock())
    assert near(cast, cast.content(SAID)) == []


def test_two_posts_to_one_account_within_ten_minutes_clash(cast):
    first = moves.signed(cast, at(cast, "2026-11-24T09:00", text="Snow tonight."))
    (told,) = near(cast, at(cast, "2026-11-24T09:10", text="Bins tomorrow."))
    assert told.startswith(f"Post {first.pk} has Tuesday 24 November 2026 at 09:00, within ten")
    assert near(cast, at(cast, "2026-11-24T09:11", text="Bins tomorrow.")) == []


def test_two_thousand_posts_around_cost_little(cast):
    now = cast.clock()
    rows = Draft.objects.bulk_create(
        Draft(
            organisation=cast.body,
            author=cast.alice.ref,
            version_number=1,
            made_at=now,
            changed_at=now,
        )
        for _ in range(2000)
    )
    words = [f"word{n}" for n in range(500)]
    Version.objects.bulk_create(
        Version(
            draft=row,
            number=1,
            by=row.author,
            at=now,
            text=" ".join(words[(n * 7 + k * (n % 13 + 1)) % 500] for k in range(48)),
            language="en",
            capacity="official",
            accounts=[cast.feed.pk],
            pictures=[],
            due_at=now + timedelta(minutes=15 * (n % 1200) + 60),
            window_minutes=15,
            pack="",
            report={},
            answers={},
            digest="",
        )
        for n, row in enumerate(rows)
    )
    take_print.cache_clear()
    began = time.thread_time()
    list_near(cast.body, cast.content(SAID), None, now=now)
    assert time.thread_time() - began < 0.5  # reading the rows is most of it


def test_an_account_whose_sign_in_will_have_ended_is_warned_of(cast):
    account = Account.objects.create(
        organisation=cast.body,
        channel="bluesky",
        name="Bluesky",
        handle="moot.example",
        server="https://bsky.example",
        secret="sealed",
        sign_in_ends_at=cast.clock() + timedelta(days=3),
        state="connected",
        connected_by=cast.dan.ref,
        connected_at=cast.clock(),
        confirmed_by=cast.bob.ref,
        confirmed_at=cast.clock(),
    )
    form = {"accounts": [str(account.pk)], "when": "at", "clock": "09:00", "draft": ""}
    client = cast.client(cast.alice)
    for day, warned in (("2026-11-22", False), ("2026-11-24", True)):
        page = client.post("/desk/drafts/check", moves.form_of(cast.content(), **form, day=day))
        assert ("The sign-in of Bluesky ends on" in page.content.decode()) is warned
    update_sealed(account, {"trouble": "The password was changed."})
    page = client.post("/desk/drafts/check", moves.form_of(cast.content(), **form, day=day))
    assert "The password was changed." in page.content.decode()


# Bad input


def test_letters_that_only_look_latin_are_named(cast):
    content = cast.content("The Раypal office opens. Приходите в субботу. α-synuclein, 5 µg.")
    answer, page = compose(cast, content=content, when="signed", do="signoff")
    assert answer.status_code == 422
    assert "In “Раypal” the letter “Р” is Cyrillic and only looks like the Latin “P”." in page
    assert page.count("only looks like") == 1
    assert kept().text == content.text


def test_a_thread_of_five_thousand_characters_is_refused_in_words(cast):
    for text in ("All welcome. " * 385, "\n---\n".join(["All welcome. " * 20] * 30)):
        content = cast.content(text.strip(), accounts=[cast.practice])
        answer, page = compose(cast, content=content, when="signed", do="signoff")
        assert answer.status_code == 422
        assert "The practice channel takes" in page
        assert kept().text == content.text


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("clip.mp4", b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00"),
        ("clip.mov", b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00"),
        ("old.mov", b"\x00\x00\x10\x00moov\x00\x00\x00\x6cmvhd"),
        ("clip.webm", b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81"),
        ("clip.mkv", b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81"),
        ("clip.avi", b"RIFF\x24\x10\x00\x00AVI LIST"),
    ],
)
def test_a_video_where_a_picture_is_wanted_gets_its_own_sentence(cast, name, head):
    from django.core.files.uploadedfile import SimpleUploadedFile

    film = SimpleUploadedFile(name, head + bytes(2000))
    answer, page = compose(
        cast, content=cast.content("My words."), when="signed", picture=film, picture_alt="A film."
    )
    assert answer.status_code == 422
    assert f"“{name}” is a video; only still pictures can be posted from here." in page
    assert "A film." in page
    assert kept().text == "My words."
    assert kept().pictures == []


def test_a_heif_picture_is_no_video(cast):
    from django.core.files.uploadedfile import SimpleUploadedFile

    picture = SimpleUploadedFile("p.heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00" + bytes(99))
    _, page = compose(cast, when="signed", picture=picture)
    assert "is not a picture we can read" in page
