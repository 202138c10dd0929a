"""A sign-in that ends while somebody writes."""

import html

from django.contrib.sessions.models import Session


def test_words_sent_after_the_sign_in_ended_are_shown_once_it_is_back(cast):
    client = cast.client()
    client.cookies["sessionid"] = "of-a-sign-in-that-ended"
    answer = client.post("/desk/drafts/new", {"text": "An hour\u2019s work <b>of mine</b>."})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")
    client.post(
        "/sign-in/?next=/desk/drafts/new",
        {"login": cast.alice.email, "password": "correct horse battery"},
    )
    page = client.get("/desk/drafts/new").content.decode()
    assert "were not saved" in page
    assert "<b>of mine" not in page
    assert "An hour\u2019s work <b>of mine</b>." in html.unescape(page)
    assert "were not saved" not in client.get("/desk/drafts/new").content.decode()


def test_a_stranger_s_words_are_not_kept_and_fill_no_table(cast):
    client = cast.client()
    for address in ("/desk/drafts/check", "/desk/drafts/new"):
        client.post(address, {"text": "Hello."})
    assert not Session.objects.exists()


def test_the_check_as_one_types_says_that_the_sign_in_has_ended(cast):
    client = cast.client()
    answer = client.post("/desk/drafts/check", {"text": "Hello."}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "Your sign-in has ended" in page
    assert "<html" not in page
