"""Members and signing in: words in every case, and no way in for those who have none."""

from __future__ import annotations

import html

import pytest
from django.conf import settings

from folkmoot.desk.people import actions as people
from folkmoot.desk.people.models import Member
from folkmoot.desk.people.queries import Role

PASSWORD = "correct horse battery"


def sign_in(client, email="alice@moot.example", password=PASSWORD, **more):
    answer = client.post("/sign-in/", {"login": email, "password": password, **more})
    return answer, html.unescape(answer.content.decode())


def test_a_member_signs_in_and_comes_to_today(cast):
    client = cast.client()
    answer, _ = sign_in(client)
    assert (answer.status_code, answer["Location"]) == (302, "/desk/")
    assert "Alice" in client.get("/desk/settings/").content.decode()


@pytest.mark.parametrize("email", ["alice@moot.example", "nobody@moot.example"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_one_sentence(cast, email):
    answer, page = sign_in(cast.client(), email, "wrong horse battery")
    assert answer.status_code == 200
    assert page.count("The email address and/or password you specified are not correct.") == 1
    assert email in page
    assert "wrong horse battery" not in page


def test_after_too_many_tries_the_page_says_so_in_words_and_keeps_even_the_right_one_out(cast):
    client = cast.client()
    for _ in range(5):
        sign_in(client, password="wrong horse battery")
    answer, page = sign_in(client)
    assert answer.status_code in {200, 429}
    assert "Too many failed login attempts. Try again later." in page
    assert "govuk" in page
    assert client.get("/desk/").status_code == 302


def test_a_storm_of_tries_ends_on_a_page_of_ours(cast):
    client = cast.client()
    for number in range(40):
        answer, page = sign_in(client, f"nobody{number}@moot.example", "wrong")
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert "Too many tries" in page
    assert "Wait five minutes" in page
    assert "govuk-template" in page


def test_an_inactive_member_is_told_their_sign_in_is_closed_and_kept_out(cast):
    inside = cast.client(cast.alice)
    Member.objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert inside.get("/desk/").status_code == 302
    client = cast.client()
    answer = client.post(
        "/sign-in/", {"login": "alice@moot.example", "password": PASSWORD}, follow=True
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Your sign-in has been closed" in page
    assert client.get("/desk/").status_code == 302


def test_signing_in_leads_back_to_a_page_of_ours_and_to_no_other_site(cast):
    for there, expected in (
        ("/desk/accounts/", "/desk/accounts/"),
        ("https://evil.example/", "/desk/"),
        ("//evil.example/", "/desk/"),
        ("javascript:alert(1)", "/desk/"),
    ):
        answer, _ = sign_in(cast.client(), next=there)
        assert answer["Location"] == expected


def test_signing_out_needs_a_press_of_the_button(cast):
    client = cast.client(cast.alice)
    assert client.get("/sign-out/").status_code == 200
    assert client.get("/desk/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/desk/").status_code == 302


@pytest.mark.parametrize("address", ["/sign-in/help/", "/sign-in/password/"])
def test_nobody_joins_by_a_form(cast, address):
    before = Member.objects.count()
    form = {"email": "eve@evil.example", "password1": PASSWORD, "password2": PASSWORD}
    page = cast.client().post(address, form).content.decode()
    assert "There is no form to join." in page
    assert Member.objects.count() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"roles": ["king"]}, "There is no role king."),
        ({"email": "ALICE@moot.example"}, "already exists"),
        ({"email": "not an address"}, "valid email address"),
        ({"name": ""}, "This field cannot be blank."),
    ],
    ids=["unknown role", "taken address", "no address", "no name"],
)
def test_a_member_that_cannot_be_added_is_refused_in_words(cast, change, words):
    given = {"email": "eve@moot.example", "name": "Eve", "roles": [Role.AUTHOR], **change}
    before = Member.objects.count()
    with pytest.raises(people.PeopleRefused, match=words):
        people.add_member(cast.body, password=PASSWORD, now=cast.clock(), **given)
    assert Member.objects.count() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"zone": "Europe/Mootshire"}, "There is no time zone 'Europe/Mootshire'"),
        ({"slug": "moot"}, "already exists"),
        ({"name": ""}, "cannot be blank"),
        ({"pack": "no-such-pack"}, "no-such-pack"),
    ],
    ids=["zone", "taken slug", "no name", "no pack"],
)
def test_an_organisation_that_cannot_be_founded_is_refused_in_words(cast, change, words):
    given = {
        "slug": "third",
        "name": "Third",
        "introduction": "",
        "zone": "Europe/London",
        "nation": "UK",
        "pack": "uk-civil-service",
        **change,
    }
    with pytest.raises(people.PeopleRefused, match=words):
        people.found_organisation(now=cast.clock(), **given)


@pytest.mark.parametrize("roles", [["king"], ["author", "king"], []])
def test_a_role_nobody_knows_gives_nothing_and_breaks_no_page(cast, roles):
    Member.objects.filter(pk=cast.alice.pk).update(roles=roles)
    client = cast.client(cast.alice)
    known = frozenset(roles) & {"author"}
    assert Member.objects.get(pk=cast.alice.pk).held == known
    for address in ("/desk/", "/desk/drafts/new", "/desk/settings/", "/desk/accounts/"):
        assert client.get(address).status_code == 200, address
    answer = client.post("/desk/drafts/new", {"text": "Mine.", "do": "save"})
    assert answer.status_code == (302 if known else 422)


def test_members_sign_in_again_after_the_key_of_their_marks_was_lost(cast):
    file = settings.CONFIG.key_file("people.key")
    kept = file.read_bytes()
    try:
        file.unlink()
        assert sign_in(cast.client())[0].status_code == 200, "nobody is found by a new key"
        assert people.keep_marks() == Member.objects.count()
        assert sign_in(cast.client())[0].status_code == 302
        assert people.keep_marks() == 0
    finally:
        file.write_bytes(kept)
