"""Keeping, holding, disposing and erasing, by two people in browsers of their own, with axe."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from running_desk import wait_for

HOSTILE = "<script>document.title='owned'</script> Donaudampfschifffahrtselektrizitätenhauptwerk"


@pytest.fixture
def officer(somebody):
    """The records officer; the approver is one too."""
    return somebody().sign_in("records")


def fail(person, watch, name):
    """Look at a page that has refused."""
    watch.look(person, name)
    summary = person.page.locator(".govuk-error-summary")
    assert summary.count() == 1, name
    assert person.page.title().startswith("Error: "), person.page.title()
    for link in summary.locator("a").all():
        place = link.get_attribute("href")[1:]
        assert person.page.locator(f'[id="{place}"]').count() == 1, f"{name}: {place}"


def test_the_pages_of_an_empty_desk(author, officer, watch):
    for path in ("retention/", "retention/class/posts"):
        watch.visit(author, f"/desk/records/{path}")
    watch.visit(author, "/desk/records/holds/", status=403)
    for path in (
        "retention/",
        "retention/class/people",
        "retention/due",
        "retention/disposals/",
        "holds/",
        "holds/new",
        "holds/?state=released&scope=class",
        "erasure/",
        "erasure/?state=all",
        "erasure/new",
    ):
        watch.visit(officer, f"/desk/records/{path}")
    watch.visit(officer, "/desk/records/erasure/999", status=404)


def test_the_schedule_is_taken_on_by_two(officer, approver, watch):
    officer.page.goto("/desk/records/retention/")
    officer.click("Propose this program’s schedule")
    assert "Waiting for a second person" in officer.text()
    watch.look(officer, "schedule, proposed by me")
    watch.visit(approver, "/desk/records/retention/")
    approver.click("Confirm them")
    assert "The schedule is in force" in approver.text()
    officer.page.goto("/desk/records/retention/class/alarms")
    officer.page.get_by_label("Months").fill("")
    officer.click("Change it")
    fail(officer, watch, "rule, no months")
    officer.page.get_by_label("Months").fill("12")
    officer.page.get_by_label("Why this long").fill(HOSTILE)
    officer.click("Change it")
    assert "a second officer must confirm it" in officer.text()
    watch.visit(officer, "/desk/records/retention/class/alarms")


def test_a_hold_is_placed_by_one_and_released_by_two(officer, approver, watch):
    officer.page.goto("/desk/records/holds/new")
    officer.click("Place the hold")
    fail(officer, watch, "hold, nothing said")
    officer.page.get_by_label("A class of records", exact=True).check()
    officer.page.get_by_label("Or which class").select_option("people")
    officer.page.get_by_label("Why", exact=True).fill(HOSTILE)
    officer.click("Place the hold")
    hold = officer.page.url
    watch.look(officer, "a hold")
    officer.click("Propose to release it")
    fail(officer, watch, "hold, no reason to release")
    officer.page.get_by_label("Why may what it holds go?").fill("The claim was settled.")
    officer.click("Propose to release it")
    watch.look(officer, "a hold, release proposed")
    watch.visit(approver, "/desk/duty/?still=1")
    assert "is to be released, which waits for a second person" in approver.text()
    watch.visit(approver, "/desk/records/holds/")
    approver.page.goto(hold)
    approver.click("Release it")
    watch.look(approver, "a hold, released")
    assert approver.page.title() != "owned"


def test_a_person_is_found_chosen_and_erased(author, officer, approver, watch):
    year = datetime.now(UTC).year
    author.send_for_signoff("Thanks to Zelda Quagmire for the photograph.", "Our feed")
    officer.page.goto("/desk/records/erasure/new")
    officer.click("Search")
    fail(officer, watch, "erasure, nothing to search for")
    officer.page.get_by_label("Names, handles").fill("Zelda Quagmire\nz.quagmire@a.example")
    officer.page.get_by_label("The person objected").check()
    officer.page.get_by_label("Your reference").fill("Request 7")
    officer.click("Search")
    wait_for(lambda: officer.says("Found:"), seconds=10, what="it was searched", told=officer.text)
    assert "Quagmire" not in officer.page.url
    erasure = officer.page.url
    watch.look(officer, "an erasure, to be chosen")
    assert str(year) in officer.text()
    with officer.page.expect_navigation():
        officer.page.get_by_role("link", name="Look at each of them").click()
    assert "Thanks to Zelda Quagmire" in officer.text()
    watch.look(officer, "an erasure, each value")
    officer.click("Keep what is chosen on this page")
    officer.page.get_by_text("Refuse, and say why").click()
    officer.click("Refuse")
    fail(officer, watch, "erasure, refused without saying why")
    officer.page.goto(erasure)
    with officer.page.expect_navigation():
        officer.page.get_by_role("button", name=re.compile("^Propose to erase")).click()
    watch.look(officer, "an erasure, proposed by me")
    approver.page.goto(erasure)
    watch.look(approver, "an erasure, to be confirmed")
    with approver.page.expect_navigation():
        approver.page.get_by_role("button", name=re.compile("^Erase ")).click()
    wait_for(
        lambda: approver.says("cannot be read from this desk"),
        seconds=20,
        what="it is erased",
        told=approver.text,
    )
    watch.look(approver, "an erasure, done")
    assert "Quagmire" not in approver.page.content()
    author.page.goto("/desk/drafts/")
    assert "Quagmire" not in author.page.content()
    watch.visit(officer, "/desk/records/erasure/?state=all")
    watch.visit(officer, "/desk/settings/")
