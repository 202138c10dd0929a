"""What people type and hand in: refused in words, on the page, with what they typed kept."""

from __future__ import annotations

import html
from datetime import timedelta

import desk_moves as moves
import pytest
from django.test import Client

from folkmoot.desk.accounts import actions as accounts
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts.models import Draft
from folkmoot.desk.drafts.queries import get_version
from folkmoot.desk.publishing.queries import list_deliveries
from folkmoot.desk.records import actions as records

FAMILY = "👨‍👩‍👧‍👦"
SCRIPT = "<script>alert('x')</script> & \"quoted\" {{ 7 * 7 }}"


def post(cast, content, *, who=None, url="/desk/drafts/new", **more):
    answer = cast.client(who or cast.alice).post(url, moves.form_of(content, **more))
    return answer, html.unescape(answer.content.decode())


def newest():
    return Draft.objects.latest("pk")


def test_a_text_over_a_channel_s_limit_is_counted_in_what_a_reader_calls_characters(cast):
    fits = FAMILY * 120  # 3,000 bytes of 25 each: the practice channel takes 300 and 3,000
    content = cast.content(fits[: len(FAMILY) * 119], accounts=[cast.practice])
    answer, page = post(cast, content, do="signoff")
    assert answer.status_code == 302, page
    long = cast.content("é" * 301, accounts=[cast.practice])
    answer, page = post(cast, long, do="signoff")
    assert answer.status_code == 422
    assert (
        "This is 301 characters; The practice channel takes 300. Shorten it by 1, or split it"
        in page
    )
    assert "é" * 301 in page
    assert newest().state == "drafting"
    assert get_version(newest()).text == "é" * 301


@pytest.mark.parametrize(
    ("text", "accounts", "sentence"),
    [
        ("", None, "Write the text of the post."),
        (" \n\t\u2003", None, "Write the text of the post."),
        ("Fine.", [], "Choose at least one channel to post to."),
        ("One.\n---\n\n---\nTwo.", None, "This part is empty. Write something, or take the part"),
        ("A bell\a.", None, "a code that nobody can see (U+0007)"),
    ],
)
def test_what_cannot_be_posted_is_said_when_sending_for_sign_off(cast, text, accounts, sentence):
    answer, page = post(cast, cast.content(text, accounts=accounts), do="signoff")
    assert answer.status_code == 422
    assert sentence in page
    assert get_version(newest()).text == text


def test_a_text_with_a_character_of_nothing_is_kept_with_a_mark_in_its_place(cast):
    answer, page = post(cast, cast.content("Before\0after."), do="signoff")
    assert answer.status_code == 422
    assert "Before\ufffdafter." in page
    assert "could not be read" in page
    assert get_version(newest()).text == "Before\ufffdafter."
    assert newest().state == "drafting"


def test_bytes_that_are_no_text_are_kept_with_a_mark_in_their_place(cast):
    body = b"text=Half%ED%A0%80a+pair&do=signoff&window=15&when=signed&language=en"
    client = cast.client(cast.alice)
    answer = client.post("/desk/drafts/new", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert "\ufffd" in get_version(newest()).text
    assert "could not be read" in html.unescape(answer.content.decode())


def test_a_mark_turned_round_is_a_stop(cast):
    answer, page = post(cast, cast.content("Send \u202emoney\u202c now."), do="signoff")
    assert answer.status_code == 422
    assert newest().state == "drafting"
    assert "Send \u202emoney\u202c now." in page


def test_a_hundred_thousand_characters_are_taken_in_good_time(cast):
    text = "All welcome. " * 8000
    answer, page = post(cast, cast.content(text.strip()))
    assert answer.status_code == 302
    page = cast.client(cast.alice).get(f"/desk/drafts/{newest().pk}/edit").content.decode()
    assert text.strip() in page


def test_more_than_the_form_takes_is_refused_on_a_page_of_ours(cast):
    answer = cast.client(cast.alice).post("/desk/drafts/new", {"text": "x" * 2_200_000})
    assert answer.status_code in {400, 413}
    assert "govuk" in answer.content.decode()


def test_an_account_of_another_body_is_no_choice(cast):
    theirs = accounts.open_own_channel(
        cast.other, channel="atom", name="Their feed", handle="their.example", now=cast.clock()
    )
    answer, page = post(cast, cast.content("My words."), accounts=[str(theirs.pk)])
    assert answer.status_code == 422
    assert "My words." in page
    assert "Their feed" not in page
    assert theirs.pk not in get_version(newest()).accounts


@pytest.mark.parametrize("revision", ["-1", "99999999999999999999999", "seven", "", "0"])
def test_a_form_of_another_time_saves_nothing_and_keeps_the_words(cast, revision):
    draft = drafts.start(cast.alice, cast.content("First."), now=cast.clock())
    drafts.save(cast.alice, draft.pk, cast.content("Second."), revision=0, now=cast.clock())
    answer, page = post(
        cast,
        cast.content("Third, typed on an old page."),
        url=f"/desk/drafts/{draft.pk}/edit",
        revision=revision,
    )
    assert answer.status_code == 422
    assert "Somebody else saved this post while you were writing." in page
    assert "Third, typed on an old page." in page
    assert get_version(moves.again(cast, draft)).text == "Second."


def test_a_page_open_while_the_post_was_sent_for_sign_off_keeps_its_words(cast):
    draft = moves.awaiting(cast)
    answer, page = post(
        cast, cast.content("Late words."), url=f"/desk/drafts/{draft.pk}/edit", revision=1
    )
    assert answer.status_code == 422
    assert "This post is waiting for sign-off, so it was not changed." in page
    assert "Late words." in page


def test_correcting_a_new_post_that_was_refused_changes_it_and_makes_no_second(cast):
    answer, page = post(cast, cast.content("No channel.", accounts=[]), do="signoff")
    assert answer.status_code == 422
    action = f'action="/desk/drafts/{newest().pk}/edit"'
    assert action in page
    answer, page = post(
        cast, cast.content("Now with one."), url=f"/desk/drafts/{newest().pk}/edit", do="signoff"
    )
    assert Draft.objects.count() == 1
    assert newest().state == "awaiting_signoff"


def test_a_form_without_its_token_is_refused_in_words(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    answer = client.post(
        "/desk/drafts/new", {**moves.form_of(cast.content()), "csrfmiddlewaretoken": "x" * 64}
    )
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "govuk" in page
    assert "Go back" in page
    assert not Draft.objects.exists()


def test_a_question_not_answered_or_answered_the_wrong_way_is_named(cast):
    content = cast.content()
    first, *_ = content.answers
    without = {key: value for key, value in content.answers.items() if key != first}
    for answers, begin in (
        (without, "Answer the question “"),
        ({**content.answers, first: "no"}, "You answered “no” to “"),
    ):
        answer, page = post(cast, cast.content("Words.", answers=answers), do="signoff")
        assert answer.status_code == 422
        assert begin in page
        assert f'href="#answer-{first}"' in page
        assert newest().state == "drafting"


@pytest.mark.parametrize(
    ("day", "clock", "sentence"),
    [
        ("2026-11-20", "08:00", "The time you chose is in the past."),
        ("2027-03-28", "01:30", "01:30 on 28 March 2027 does not exist in Europe/London"),
        ("2026-10-25", "01:30", "01:30 on 25 October 2026 happens twice in Europe/London"),
        ("2027-02-30", "10:00", "Enter the day as year, month, day"),
        ("tomorrow", "noon", "Enter the day as year, month, day"),
        ("", "", "Enter the day as year, month, day"),
        ("0001-01-01", "00:00", "Enter the day with a year near our own"),
        ("9999-12-31", "23:59", "Enter the day with a year near our own"),
        ("2026-12-01", "10:00:00", "Enter the day as year, month, day"),
    ],
)
def test_a_time_that_cannot_be_used_is_said_and_left_in_its_fields(cast, day, clock, sentence):
    answer, page = post(cast, cast.content("Timed."), when="at", day=day, clock=clock, do="signoff")
    assert answer.status_code == 422
    assert sentence in page
    assert f'value="{day}"' in page or not day
    assert f'value="{clock}"' in page or not clock
    assert get_version(newest()).text == "Timed."


def test_a_wall_clock_time_in_summer_is_kept_as_the_instant_it_names(cast):
    post(cast, cast.content("Summer."), when="at", day="2027-07-01", clock="10:00")
    assert f"{get_version(newest()).due_at:%Y-%m-%d %H:%M %Z}" == "2027-07-01 09:00 UTC"


def test_a_late_approval_signs_nothing(cast):
    draft = moves.awaiting(cast, cast.content(due_at=cast.clock() + timedelta(hours=1)))
    cast.clock.pass_(minutes=75)
    assert moves.again(cast, draft).state == "awaiting_signoff"
    cast.clock.pass_(seconds=1)
    answer = cast.client(cast.bob).post(
        f"/desk/signoff/{draft.pk}", {"decision": "sign", "digest": moves.digest_of(draft)}
    )
    assert "The time for this post has passed. Nothing is sent late" in answer.content.decode()


def test_script_is_shown_as_text_wherever_the_post_is_shown(cast):
    draft = moves.signed(cast, cast.content(SCRIPT, accounts=[cast.feed, cast.practice]))
    twin = moves.awaiting(cast, cast.content(SCRIPT))
    drafting = drafts.start(cast.alice, cast.content(SCRIPT), now=cast.clock())
    moves.work(cast)
    records.sequence(cast.clock())
    feed, practice = list_deliveries(draft)
    assert feed.state == practice.state == "sent", feed.trouble
    (entry,) = [e for e in moves.entries(draft, "delivery.sent") if e.public]
    pages = [
        f"/desk/drafts/{drafting.pk}/edit",
        f"/desk/signoff/{twin.pk}",
        f"/desk/drafts/{draft.pk}",
        "/desk/",
        "/desk/drafts/",
        "/desk/practice/",
        "/register/",
        f"/register/{entry.entry_id}/",
        "/",
        feed.url.removeprefix("http://testserver"),
        "/feed.atom",
    ]
    client = cast.client(cast.bob)
    for address in pages:
        page = client.get(address).content.decode()
        assert "<script>alert" not in page, address
        assert "alert(" in html.unescape(html.unescape(page)), address
        assert "{{ 7 * 7 }}" in html.unescape(html.unescape(page)) or "49" not in page, address


def test_the_check_beside_the_words_shows_script_as_text_and_keeps_nothing(cast):
    form = moves.form_of(cast.content(SCRIPT + " Vote Labour."), draft="")
    answer = cast.client(cast.alice).post("/desk/drafts/check", form)
    assert "<script>alert" not in answer.content.decode()
    assert not Draft.objects.exists()


@pytest.mark.parametrize("number", ["²", "9" * 5000, "-1", "x", "1\0"])
def test_the_check_of_a_post_with_an_impossible_number_is_no_crash(cast, number):
    form = moves.form_of(cast.content(), draft=number)
    assert cast.client(cast.alice).post("/desk/drafts/check", form).status_code in {200, 404}
