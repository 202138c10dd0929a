"""Guidance that lives: on one page, by audience, by version, rule by rule; and house rules."""

import html
import shutil
from pathlib import Path

import pytest

import folkmoot.guidance
from folkmoot.desk.guidance import actions, queries
from folkmoot.desk.people.queries import Role
from folkmoot.guidance import load_pack

PACKS = Path(folkmoot.guidance.__file__).parent / "packs"


def page(cast, address, status=200, member=None):
    answer = cast.client(member).get(address)
    assert answer.status_code == status, address
    return html.unescape(answer.content.decode())


def test_every_rule_has_a_page_that_leads_to_its_clauses(cast):
    checker = queries.get_checker("uk-civil-service")
    listing = page(cast, "/guidance/uk-civil-service/rules/")
    for rule in checker.running:
        address = f"/guidance/uk-civil-service/rules/{rule.id}/"
        assert address in listing
        told = page(cast, address)
        assert all(f"/guidance/uk-civil-service/{one}/" in told for one in rule.clauses)
        assert "When it is wrong" in told
    page(cast, "/guidance/uk-civil-service/rules/no/such/", status=404)


def test_every_pack_has_its_pages(cast):
    for pack in queries.list_packs():
        for end in ("", "overview/", "rules/", "changes/", "?level=full"):
            page(cast, f"/guidance/{pack.id}/{end}")


def test_an_audience_is_shown_what_concerns_it(cast):
    everyone = page(cast, "/guidance/uk-civil-service/")
    leads = page(cast, "/guidance/uk-civil-service/?for=it_lead")
    assert len(leads) < len(everyone)
    assert "IT leads" in leads


@pytest.fixture
def older(tmp_path, monkeypatch):
    """A family of packs with an earlier version of one, in which a clause is put otherwise."""
    family = tmp_path / "packs"
    shutil.copytree(PACKS, family)
    old = family / "uk-civil-service@2026.10"
    shutil.copytree(family / "uk-civil-service", old)
    file = old / "pack.toml"
    file.write_text(file.read_text("utf-8").replace('"2026.11"', '"2026.10"', 1), "utf-8")
    clause = old / "clauses" / "HON-M1.md"
    text = clause.read_text("utf-8")
    clause.write_text(text.replace("as soon as you can", "within the week", 1), "utf-8")
    monkeypatch.setattr(queries, "get_pack", lambda name: load_pack(name, search=(family,)))
    monkeypatch.setattr(
        queries,
        "list_pack_versions",
        lambda name: folkmoot.guidance.list_versions(name, search=(family,)),
    )


def test_what_changed_is_told_word_by_word_and_each_version_has_its_address(cast, older):
    told = page(cast, "/guidance/uk-civil-service/changes/?since=2026.10")
    assert "<del>within the week</del>" in told
    assert "<ins>as soon as you can</ins>" in told
    assert "within the week" in page(cast, "/guidance/uk-civil-service@2026.10/")
    assert "within the week" not in page(cast, "/guidance/uk-civil-service@2026.11/")
    page(cast, "/guidance/uk-civil-service@1999/", status=404)
    page(cast, "/guidance/uk-civil-service/changes/?since=1999", status=404)


PROFILE = {
    "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    "hours": "09:00-17:00",
    "response_promise": "within two working days",
    "appeal_route": "appeals@moot.example",
    "emergency_route": "call 999",
    "block_review_months": 12,
}


def test_house_rules_are_printed_from_the_pack_and_the_profile(cast):
    assert "has not yet said" in page(cast, "/house-rules/")
    answer = cast.client(cast.dan).post("/desk/settings/house-rules", PROFILE)
    assert answer.status_code == 302
    told = page(cast, "/house-rules/")
    assert "within two working days" in told
    assert "appeals@moot.example" in told
    assert "/guidance/uk-civil-service/MODERATION-FAIR/" in told
    assert "For a pinned post" in page(cast, "/desk/settings/house-rules", member=cast.dan)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"days": []}, "Choose the days"),
        ({"hours": "nine to five"}, "Enter the hours as 09:00-17:00."),
        ({"hours": "17:00-09:00"}, "end before they begin"),
        ({"hours": "99:00-99:30"}, "The profile’s hours"),
        ({"response_promise": ""}, "Say how soon you answer"),
        ({"block_review_months": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_in_words(cast, change, sentence):
    answer = cast.client(cast.dan).post("/desk/settings/house-rules", {**PROFILE, **change})
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.content.decode())
    assert queries.find_house_profile(cast.body) is None


def test_only_an_admin_states_the_house_rules(cast):
    for who in (cast.alice, cast.bob):
        assert Role.ADMIN not in who.held
        answer = cast.client(who).post("/desk/settings/house-rules", PROFILE)
        assert answer.status_code == 422
        assert "Only an admin" in html.unescape(answer.content.decode())
    with pytest.raises(actions.GuidanceRefused):
        actions.state_house_profile(cast.body, actor=cast.alice, now=cast.clock(), **PROFILE)
