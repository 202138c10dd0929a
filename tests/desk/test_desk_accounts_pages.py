"""The pages of the accounts room, and pictures that a channel fetches before a post is live."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import desk_moves as moves
import pytest
import standin_kind as standin
from django.core import signing

from folkmoot.channels.kinds import CHANNELS, get_kind
from folkmoot.desk.accounts import actions, views
from folkmoot.desk.accounts.adapters import EARLY_SECONDS, _early_picture_url
from folkmoot.desk.accounts.models import Account

door = standin.door


@pytest.fixture(autouse=True)
def wound_clock(cast, monkeypatch):
    monkeypatch.setattr(views, "_now", cast.clock)


def page_of(answer):
    return " ".join(html.unescape(answer.content.decode()).split())


def see(cast, who, path="/desk/accounts/"):
    return page_of(cast.client(who).get(path))


def test_an_account_goes_from_its_form_to_a_second_person_and_is_connected(cast, door):
    client = cast.client(cast.dan)
    assert "/desk/accounts/connect/standin" in see(cast, cast.dan, "/desk/accounts/connect")
    answer = client.post("/desk/accounts/connect/standin", {**standin.TYPED, "name": "Our news"})
    assert answer["Location"] == "/desk/accounts/"
    page = page_of(client.get("/desk/accounts/"))
    assert "Standin lets Our news in. Now somebody else must confirm it" in page
    assert "You proposed this, so somebody else must confirm it" in page
    assert "By Dan on Friday 20 November 2026 at 09:00" in page
    account = Account.objects.get(name="Our news")
    assert f"{account.pk}/confirm" not in page
    page = see(cast, cast.bob)
    assert f"/desk/accounts/{account.pk}/confirm" in page
    assert f"{account.pk}/confirm" not in see(cast, cast.alice)
    client = cast.client(cast.bob)
    page = page_of(client.post(f"/desk/accounts/{account.pk}/confirm", follow=True))
    assert "The account is connected, and can be posted to." in page
    assert "By Dan, confirmed by Bob on Friday 20 November 2026 at 09:00" in page
    assert "It does not, as far as the channel says." in page


WRONG = {
    "no name": ({"handle": ""}, "handle"),
    "half a name": ({"handle": "moot"}, "handle"),
    "no password": ({"password": ""}, "password"),
    "a long name": ({"name": "x" * 400}, "name"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_error_leads_to_its_field_and_gives_no_password_back(cast, door, case):
    change, field = WRONG[case]
    answer = cast.client(cast.dan).post(
        "/desk/accounts/connect/standin", {**standin.TYPED, **change}
    )
    page = page_of(answer)
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert f'href="#{field}"' in page
    assert f'id="{field}-error"' in page
    assert standin.SECRET not in page
    assert 'value="calm"' in page
    assert Account.objects.count() == 2


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_kind_has_a_form_whose_fields_have_names_of_their_own(cast, channel):
    kind = get_kind(channel)
    names = [wanted.name for wanted in kind.wanted]
    assert "name" not in names
    assert len(set(names)) == len(names)
    page = see(cast, cast.dan, f"/desk/accounts/connect/{channel}")
    for wanted in kind.wanted:
        assert f'name="{wanted.name}"' in page
        assert wanted.label in page
    assert "Only an admin" in see(cast, cast.bob, f"/desk/accounts/connect/{channel}")


def test_a_channel_or_an_account_that_is_not_there_has_no_form(cast, door):
    account = standin.connect(cast)
    client = cast.client(cast.dan)
    for path in (
        "fax",
        "atom",
        "standin?again=999",
        "standin?again=x",
        "standin?again=" + "9" * 40,
        f"bluesky?again={account.pk}",
    ):
        assert client.get(f"/desk/accounts/connect/{path}").status_code == 404, path
    mallory = cast.client(cast.mallory)
    again = f"/desk/accounts/connect/standin?again={account.pk}"
    assert mallory.get(again).status_code == 404
    assert client.get(again).status_code == 200


def test_connecting_again_shows_what_is_known_and_nothing_secret(cast, door):
    account = standin.connect(cast, name="Our news")
    path = f"/desk/accounts/connect/standin?again={account.pk}"
    page = see(cast, cast.dan, path)
    for known in ("moot.example", "https://standin.example", "calm", "Our news"):
        assert f'value="{known}"' in page
    assert standin.SECRET not in page
    cast.client(cast.dan).post(path, {**standin.TYPED, "name": "Our news"})
    assert "Our news, to be connected again" in see(cast, cast.bob)


def test_a_diagnosis_is_asked_for_and_the_page_comes_again_until_it_is_there(cast, door):
    account = standin.connect(cast)
    cast.clock.pass_(seconds=5)
    client = cast.client(cast.dan)
    assert "Refresh" not in client.get("/desk/accounts/").headers
    answer = client.post(f"/desk/accounts/{account.pk}/diagnose", follow=True)
    assert "the worker asks the channel now" in page_of(answer)
    assert answer["Refresh"] == "3"
    cast.clock.pass_(minutes=3)
    answer = client.get("/desk/accounts/")
    assert "Refresh" not in answer.headers
    assert "The worker has not answered for two minutes." in page_of(answer)
    actions.work(cast.clock)
    page = page_of(client.get("/desk/accounts/"))
    assert "answered on Friday 20 November 2026 at 09:03." in page
    assert "The worker has not answered" not in page


def test_the_end_of_a_sign_in_stands_on_the_page(cast, door):
    door.ends_at = cast.clock() + timedelta(days=10)
    standin.connect(cast)
    page = see(cast, cast.dan)
    assert "The sign-in ends on Monday 30 November; connect it again before then." in page
    assert "Soon" in page


def test_the_first_page_tells_of_a_sign_in_that_is_about_to_end(cast, door):
    door.ends_at = datetime.now(UTC) + timedelta(days=2)
    standin.connect(cast, name="Our news")
    page = see(cast, cast.alice, "/desk/")
    assert "Needs a person" in page
    assert "Our news" in page
    assert "Connect it again now: nothing goes out after that." in page


def test_every_token_is_forgotten_from_a_page_that_asks_why(cast, door):
    account = standin.connect(cast)
    client = cast.client(cast.dan)
    answer = client.post("/desk/accounts/forget", {"reason": " "})
    assert answer.status_code == 422
    assert 'href="#reason"' in page_of(answer)
    assert standin.again(account).secret
    page = page_of(client.post("/desk/accounts/forget", {"reason": "A theft"}, follow=True))
    assert "1 account has forgotten every token." in page
    assert "Its tokens were forgotten: A theft. Connect it again." in page
    answer = cast.client(cast.bob).post("/desk/accounts/forget", {"reason": "Mine"})
    assert "Only an admin" in page_of(answer)


# Signing in on the channel's own page

APP = {"client_id": "an-app", "client_secret": "app-secret"}


def begin(client):
    form = {**standin.TYPED, **APP, "name": "Our page"}
    answer = client.post("/desk/accounts/connect/pagein", form)
    assert answer["Location"] == "/desk/accounts/sign-in"
    page = html.unescape(client.get("/desk/accounts/sign-in").content.decode())
    (address,) = re.findall(r'href="(https://standin\.example/allow[^"]+)"', page)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_somebody_goes_to_the_channels_own_page_and_comes_back(cast, door):
    client = cast.client(cast.dan)
    asked = begin(client)
    assert asked["to"] == "http://testserver/desk/accounts/callback"
    given = {"state": asked["state"], "code": "a-code"}
    answer = client.get("/desk/accounts/callback", given, follow=True)
    page = page_of(answer)
    assert "Our page is being checked." in page
    assert "Being checked: the worker asks the channel." in page
    assert answer["Refresh"] == "3"
    assert "/confirm" not in see(cast, cast.bob)
    actions.work(cast.clock)
    assert "/confirm" in see(cast, cast.bob)
    assert client.get("/desk/accounts/sign-in")["Location"] == "/desk/accounts/connect"
    # What the session held was good once.
    assert "not begun here" in page_of(client.get("/desk/accounts/callback", given, follow=True))


def test_an_answer_with_another_state_uses_the_sign_in_up(cast, door):
    client = cast.client(cast.dan)
    asked = begin(client)
    for state in ("guessed", asked["state"]):
        page = page_of(
            client.get("/desk/accounts/callback", {"state": state, "code": "c"}, follow=True)
        )
        assert "not begun here" in page
    assert Account.objects.count() == 2


def test_the_form_tells_the_address_that_the_channel_sends_people_back_to(cast, door):
    page = see(cast, cast.dan, "/desk/accounts/connect/pagein")
    assert "http://testserver/desk/accounts/callback" in page
    assert "callback" not in see(cast, cast.dan, "/desk/accounts/connect/standin")


# Early pictures


@pytest.fixture
def early(cast):
    """The address of a picture that is in no published post."""
    from folkmoot.desk.drafts import actions as drafts

    row = drafts.add_picture(
        cast.alice, moves.picture_file(), size_bytes=1, name="p.png", alt="Teal.", now=cast.clock()
    )
    address = _early_picture_url(cast.body.pk, row["sha256"], row["media_type"])
    return row, address.removeprefix("http://testserver")


def test_a_channel_can_fetch_a_picture_before_it_is_published(cast, early):
    row, path = early
    answer = cast.client().get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "private, no-store"
    assert len(answer.content) == row["size_bytes"]


def test_nobody_can_guess_the_address_of_an_early_picture_and_it_does_not_last(
    cast, early, monkeypatch
):
    row, path = early
    stranger = cast.client()
    body = cast.body.pk
    head, _, name = path.rpartition("/")
    for wrong in (
        f"{row['sha256']}.png",
        name[:-1] + ("a" if name[-1] != "a" else "b"),
        signing.dumps([body, row["sha256"], "image/png"], salt="another"),
        signing.dumps("x", salt="folkmoot.early-picture"),
        signing.dumps([body, "0" * 64, "image/png"], salt="folkmoot.early-picture"),
        signing.dumps([cast.other.pk, row["sha256"], "image/png"], salt="folkmoot.early-picture"),
        signing.dumps([row["sha256"], "image/png"], salt="folkmoot.early-picture"),
    ):
        assert stranger.get(f"{head}/{wrong}").status_code == 404, wrong
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + EARLY_SECONDS + 1)
    assert stranger.get(path).status_code == 404
