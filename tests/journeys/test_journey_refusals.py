"""What people see when something is in the way: words and a way on, and what they typed kept."""

import pytest
from running_desk import RunningDesk

WORDS = "Words somebody would hate to lose."


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk that is broken on purpose at the end, so its log may speak of faults."""
    desk = RunningDesk(tmp_path_factory.mktemp("desk"))
    try:
        desk.start()
        yield desk
    finally:
        desk.stop()


def test_a_form_from_before_the_last_sign_in_keeps_its_words(author, watch):
    page = author.page
    page.goto("/desk/drafts/new")
    author.compose(WORDS)
    author.context.clear_cookies(name="csrftoken")
    author.click("Save and check")
    assert page.locator("h1").inner_text() == "This form could not be taken"
    watch.look(author, "stale form")
    page.go_back()
    assert page.get_by_label("What do you want to say?").input_value() == WORDS


def test_a_button_pressed_after_the_sign_in_ended_does_nothing_and_says_so(author, watch, desk):
    number = author.send_for_signoff("The lock at Teddington opens at 9am.", "Our feed")
    page = author.page
    author.context.clear_cookies(name="sessionid")
    author.click("Withdraw it for good")
    assert page.locator("h1").inner_text() == "Sign in"
    page.get_by_label("E-mail address").fill("author@practice.example")
    page.get_by_label("Password", exact=True).fill(desk.password("author"))
    author.click("Sign in")
    assert page.locator("h1").inner_text() == "Nothing was done"
    watch.look(author, "button only")
    page.goto(f"/desk/drafts/{number}")
    assert "Awaiting sign-off" in author.text()


def test_guessing_a_password_is_soon_refused_in_words(somebody, watch):
    guesser, said = somebody(), []
    for _ in range(6):
        guesser.page.goto("/sign-in/")
        guesser.page.get_by_label("E-mail address").fill("approver@practice.example")
        guesser.page.get_by_label("Password", exact=True).fill("guess")
        guesser.click("Sign in")
        said.append(guesser.text())
    assert "not correct" in said[0]
    assert "Too many" in said[-1]
    watch.look(guesser, "too many guesses")


def test_a_fault_of_ours_is_told_in_words(somebody, watch, desk):
    (desk.home / "keys" / "ledger.pub").write_bytes(b"\xff")
    person = somebody()
    watch.visit(person, "/ledger/key", status=500)
    assert "Sorry, there is a problem" in person.text()
    assert "Traceback" not in person.page.content()
    watch.visit(person, "/guidance/")
