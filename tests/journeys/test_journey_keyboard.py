"""The composer and sign-off by keyboard alone, and the check that follows one's typing."""

import re

from playwright.sync_api import expect

FOCUS = """() => { const e = document.activeElement;
  return e === document.body ? null
    : [e.tagName, e.name || e.id || e.textContent.trim(), e.value || ''].join('|') }"""
# What the design system draws for focus: yellow behind a link, or a ring around a control, which
# for a radio button or a tick box is drawn by its label.
SEEN = """() => {
  const look = (x, p) => { const s = getComputedStyle(x, p);
    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)
      || s.boxShadow !== 'none' || s.backgroundColor === 'rgb(255, 221, 0)' };
  const e = document.activeElement, box = e.getBoundingClientRect();
  const label = e.labels && e.labels[0];
  return (look(e) || (label && look(label, '::before')) || look(e.querySelector('summary') || e))
    && box.width > 0 && box.height > 0 }"""
CONTROLS = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
  .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled
     && !(e.type === 'radio' && e !== (document.querySelector(`[name="${e.name}"]:checked`)
        || document.querySelector(`[name="${e.name}"]`))))
  .map(e => [e.tagName, e.name || e.id || e.textContent.trim(), e.value || ''].join('|'))"""
TEXT = "What do you want to say?"


def tab_through(page, at_most=200):
    """Every stop of the Tab key from the top of the page, in order; each shows its focus."""
    stops = []
    for _ in range(at_most):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None:
            return stops
        assert page.evaluate(SEEN), f"{stop} does not show that it has the focus"
        stops.append(stop)
    raise AssertionError(f"The Tab key does not come to the end of the page: {stops[-5:]}")


def test_the_first_stop_skips_to_the_words_of_the_page(author):
    page = author.page
    page.goto("/desk/drafts/new")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label(TEXT)).to_be_focused()


def test_the_tab_key_reaches_every_control_in_the_order_of_the_page(author, approver):
    number = author.send_for_signoff("The lock at Sunbury is shut until NOON.", "Our feed")
    for person, path in (
        (author, "/desk/drafts/new"),
        (author, f"/desk/drafts/{number}"),
        (approver, f"/desk/signoff/{number}"),
        (approver, "/desk/accounts/connect/bluesky"),
        (approver, "/desk/calendar/periods"),
    ):
        person.page.goto(path)
        wanted = person.page.evaluate(CONTROLS)
        assert len(wanted) > 10
        assert tab_through(person.page) == wanted, path


def test_a_post_can_be_written_and_signed_without_a_mouse(author, approver):
    page = author.page
    page.goto("/desk/drafts/new")
    page.get_by_label(TEXT).focus()
    page.keyboard.type("The lock at Shepperton opens again on Monday at 9am.")

    def walk_to(page, wanted, key="Tab"):
        for _ in range(120):
            page.keyboard.press(key)
            if re.search(wanted, page.evaluate(FOCUS) or ""):
                return
        raise AssertionError(f"The keyboard does not come to {wanted}.")

    walk_to(page, r"^INPUT\|accounts\|1")
    page.keyboard.press("Space")
    for question in range(6):
        walk_to(page, r"^INPUT\|answer-")
        legend = page.evaluate("document.activeElement.closest('fieldset').innerText")
        page.keyboard.press("Space")
        if "harm" in legend:
            page.keyboard.press("ArrowRight")
        assert question < 6
    walk_to(page, r"^BUTTON\|do\|signoff")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/desk/drafts/\d+$"))
    number = author.post_number()
    signing = approver.page
    signing.goto(f"/desk/signoff/{number}")
    walk_to(signing, r"^BUTTON\|decision\|sign$")
    signing.keyboard.press("Enter")
    signing.wait_for_url(f"**/desk/drafts/{number}")
    assert "Signed. It goes out at its time" in approver.text()


def test_the_check_follows_ones_typing_and_says_so_without_moving_the_focus(author):
    page = author.page
    page.goto("/desk/drafts/new")
    status = page.locator("[role=status]")
    expect(status).to_have_count(1)
    element = status.element_handle()
    box = page.get_by_label(TEXT)
    box.focus()
    with page.expect_response("**/desk/drafts/check") as answer:
        page.keyboard.type("CALL US NOW ABOUT THE CLOSED BARRIER on 07700 900123")
    assert answer.value.status == 200
    expect(status).to_contain_text(re.compile(r"\d findings?: "))
    expect(box).to_be_focused()
    assert box.evaluate("e => e.selectionStart") == len(box.input_value())
    # The same region throughout: one that is put in anew, words and all, is not read out.
    assert element.evaluate("e => e.isConnected"), "The status region was replaced."
    expect(page.locator("#check .desk-finding").first).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("The barrier opens on Monday.")
    expect(status).to_contain_text("Nothing found by")
    # A channel that is ticked shows its form of the post at once.
    page.get_by_label("Our feed").focus()
    page.keyboard.press("Space")
    expect(page.locator(".desk-preview__text")).to_have_text("The barrier opens on Monday.")
    expect(page.get_by_label("Our feed")).to_be_focused()
    # What was typed and not saved is not left behind unasked.
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.assign('/desk/'))")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert page.url.endswith("/desk/drafts/new")


def test_an_error_takes_the_focus_to_its_summary_and_from_there_to_its_place(author):
    page = author.page
    page.goto("/desk/drafts/new")
    author.click("Send for sign-off")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    link = page.locator(".govuk-error-summary a[href^='#answer-']").first
    place = link.get_attribute("href")
    link.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("'#' + document.activeElement.id") == place
