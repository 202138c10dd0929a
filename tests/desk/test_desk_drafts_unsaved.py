"""A sign-in that ends while somebody writes."""

import html


def test_words_sent_after_the_sign_in_ended_are_shown_once_it_is_back(cast):
    client = cast.client()
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


def test_a_stranger_s_words_elsewhere_are_not_kept(cast):
    client = cast.client()
    client.post("/desk/drafts/check", {"text": "Hello."})
    assert "unsaved_words" not in client.session
