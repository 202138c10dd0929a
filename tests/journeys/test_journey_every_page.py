"""Every page, for everyone who can open it, empty and filled, as it should be and with errors."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from running_desk import wait_for

import folkmoot

URLS = Path(folkmoot.__file__).parent / "desk" / "site" / "urls.py"
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    " </textarea></p><h1>Big</h1> {{ 7*7 }} {% raw %} ]]> &lt;b&gt; "
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
)
BIDI = "Safe \u202etxt.exe\u202c \u2066hidden\u2069 \u200f and back"
# Addresses without a page of their own: files, and steps that lead to one.
NO_PAGE = {
    "feed", "public_picture", "register_proof", "ledger_checkpoint", "healthy", "check_words",
    "take", "picture", "account_take", "move_draft", "series_take", "duty_list", "notice_test",
    "account_sign_in", "account_callback", "early_picture", "rss", "lift_stop", "lift_fence",
    "mailing_decide", "mailing_remove", "ledger_old_checkpoint", "ledger_tile",
    "ledger_consistency", "ledger_stamp",
}  # fmt: skip
# Where nothing here leads: the e-mail list, which a journey of its own goes through, and what only
# a fault or a stranger brings about.
ELSEWHERE = {
    "subscribe", "subscribe_sent", "confirm_subscription", "unsubscribe", "mail_issue",
    "decide", "alarm",
}  # fmt: skip


def read_routes():
    """Every address that gives a page: its name, and what it looks like, from the table itself."""
    rows = re.findall(r'path\(\s*"([^"]*)",\s*[^"]+name="([^"]+)"', URLS.read_text())
    assert len(rows) > 25
    return {
        name: "/" + re.sub(r"<path:\w+>", ".+", re.sub(r"<(?:str|int):\w+>", "[^/]+", route))
        for route, name in rows
        if name not in NO_PAGE and not route.startswith("api/")
    }


ROUTES = read_routes()
# Addresses without a part that varies; the others are found by following links.
PLAIN = [r for name, r in ROUTES.items() if "+" not in r and name not in ELSEWHERE]
STAFF = [path for path in PLAIN if path.startswith("/desk/")]
STAFF += ["/desk/drafts/?state=published", "/sign-out/"]
STAFF += ["/desk/calendar/?view=month", "/desk/calendar/?view=list&on=2027-03-20"]
# Those that show an admin and approver more than they show an author.
ADMINS = ["/desk/", "/desk/accounts/", "/desk/accounts/connect", "/desk/calendar/periods"]
ADMINS += ["/desk/accounts/connect/bluesky", "/desk/accounts/connect/x", "/desk/accounts/forget"]
ADMINS += ["/desk/notices/"]
PUBLIC = [path for path in PLAIN if path not in STAFF]
PUBLIC += ["/register/?words=nothing", "/register/?from=31/2/2026&became=removed"]
PUBLIC += ["/guidance/uk-civil-service/?level=full"]


def find_route(path):
    """The name of the address's row in the table, or ``None``. A plain row goes before others."""
    found = [n for n, route in ROUTES.items() if re.fullmatch(route, path.partition("?")[0])]
    return min(found, key=lambda name: "+" in ROUTES[name], default=None)


def walk(person, watch, starts):
    """Look at each of ``starts``, and at one page of each other kind that they lead to."""
    left, known = list(starts), {find_route(path) for path in starts}
    while left:
        path = left.pop(0)
        watch.visit(person, path)
        must_be_words(person, path)
        links = person.page.locator('a[href^="/"]').evaluate_all(
            "links => links.map(link => link.getAttribute('href'))"
        )
        for link in links:
            if (route := find_route(link)) and route not in known:
                known.add(route)
                left.append(link)
    return known


def test_every_page_of_an_empty_desk_is_accessible(anyone, author, approver, watch):
    for path in ("/", "/register/", "/register/?words=nothing", "/ledger/key"):
        watch.visit(anyone, path)
    watch.visit(anyone, "/register/0123456789abcdef0123456789abcdef/", status=404)
    for path in STAFF:
        watch.visit(author, path)
    watch.visit(author, "/desk/drafts/999", status=404)
    for path in ADMINS:
        watch.visit(approver, path)


def fill_in_no_account(admin, faulty):
    """Press the button of each of some forms about accounts with nothing in it."""
    for channel in ("bluesky", "x", "webhook"):
        admin.page.goto(f"/desk/accounts/connect/{channel}")
        with admin.page.expect_navigation():
            admin.page.get_by_role("main").get_by_role("button").last.click()
        faulty(admin, f"connect {channel}, empty")
    admin.page.goto("/desk/accounts/forget")
    admin.click("Forget every token")
    faulty(admin, "forget, no reason")


def test_every_page_with_an_error_is_accessible_and_names_it(
    author, approver, anyone, watch, photograph
):
    stranger, page = anyone, author.page

    def faulty(person, name):
        watch.look(person, name)
        summary = person.page.locator(".govuk-error-summary")
        assert summary.count() == 1, f"{name}: no error summary"
        assert person.page.title().startswith("Error: "), f"{name}: {person.page.title()}"
        for link in summary.locator("a").all():
            place = link.get_attribute("href")
            assert person.page.locator(f'[id="{place[1:]}"]').count() == 1, f"{name}: {place}"

    stranger.page.goto("/sign-in/")
    stranger.click("Sign in")
    faulty(stranger, "sign-in, empty")
    stranger.page.get_by_label("E-mail address").fill("nobody@practice.example")
    stranger.page.get_by_label("Password", exact=True).fill("wrong")
    stranger.click("Sign in")
    faulty(stranger, "sign-in, wrong")

    page.goto("/desk/drafts/new")
    author.click("Send for sign-off")
    faulty(author, "compose, nothing in it")
    author.compose("Call me on 07700 900123 NOW NOW NOW! http://bit.ly/x", "Our feed")
    page.get_by_label("At a time").check()
    page.get_by_label("Day", exact=True).fill("31 June")
    page.get_by_label("Add a picture").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    )
    author.click("Send for sign-off")
    faulty(author, "compose, with much against it")
    # A picture that was taken in is kept with its description, and not asked for again.
    author.compose("The barrier is closed.", "Our feed", picture=photograph, alt="A barrier.")
    author.click("Send for sign-off")
    faulty(author, "compose, wrong day, with a picture")
    assert page.get_by_label("Describe picture 1").input_value() == "A barrier."
    assert page.get_by_label("Describe it for those").input_value() == ""
    assert page.locator("#day-error").count() == 1

    number = author.send_for_signoff("The barrier is closed today.", "Our feed")
    approver.page.goto(f"/desk/signoff/{number}")
    approver.click("Send back")
    faulty(approver, "sign-off, without a reason")
    page.goto("/desk/calendar/slots")
    author.click("Add the slot")
    faulty(author, "slots, no time")
    page.goto(f"/desk/drafts/{number}/repeat")
    author.click("Set up the series")
    faulty(author, "series, nothing said")
    fill_in_no_account(approver, faulty)
    for kind in ("email", "chat"):
        approver.page.goto(f"/desk/notices/add/{kind}")
        approver.click("Add")
        faulty(approver, f"notices, no {kind}")
    approver.page.goto("/desk/calendar/periods")
    approver.click("Say so")
    faulty(approver, "calendar, no day")
    approver.click("Add the period")
    faulty(approver, "calendar, no period")


def test_hostile_words_are_only_ever_words_on_every_page(
    author, approver, anyone, watch, photograph
):
    ask = "Nobody can be harmed by these words."
    text = f"{HOSTILE} {ask}"
    live = author.send_for_signoff(
        text, "Our feed", "Practice channel", picture=photograph, alt=f"An alt {HOSTILE[:90]}"
    )
    approver.page.goto(f"/desk/signoff/{live}")
    for box in approver.page.get_by_role("checkbox").all():
        box.check()
    approver.click("Sign")
    approver.page.wait_for_url(f"**/desk/drafts/{live}")
    wait_for(
        lambda: approver.says("What is live is what was signed."),
        seconds=8,
        what="the post is live",
        told=approver.text,
    )
    asked = author.send_for_signoff(f"Asked {ask} {HOSTILE[:60]}", "Our feed", "Practice channel")
    back = author.send_for_signoff(f"Back {ask} {HOSTILE[:60]}", "Our feed")
    approver.page.goto(f"/desk/signoff/{back}")
    approver.page.get_by_label("Or send it back").fill(f"Not {HOSTILE}")
    approver.click("Send back")
    author.page.goto("/desk/drafts/new")
    author.compose(f"{BIDI} {HOSTILE}", "Practice channel", picture=photograph, alt=f"{BIDI} alt")
    later = datetime.now(UTC) + timedelta(days=2)
    author.page.get_by_label("At a time").check()
    author.page.get_by_label("Day", exact=True).fill(f"{later:%Y-%m-%d}")
    author.page.get_by_label("Time", exact=True).fill("09:00")
    author.click("Save and check")
    author.page.wait_for_url("**/edit")
    kept = author.post_number()
    approver.page.goto("/desk/calendar/periods")
    approver.page.get_by_label("First day").fill(f"{later + timedelta(days=30):%Y-%m-%d}")
    approver.page.get_by_label("Last day").fill(f"{later + timedelta(days=40):%Y-%m-%d}")
    approver.page.get_by_label("Which notice").fill(HOSTILE[:200])
    approver.click("Add the period")

    approver.page.goto("/desk/notices/add/email")
    approver.page.get_by_label("E-mail address").fill("duty@practice.example")
    approver.click("Add")
    approver.page.wait_for_url("**/desk/notices/")

    (feed_post,) = set(re.findall(r"/posts/[^\"/<]+/", anyone.desk.read("/feed.atom").decode()))
    drafts = [f"/desk/drafts/{number}" for number in (live, asked, back, kept)]
    edits = [f"/desk/drafts/{number}/edit" for number in (back, kept)]
    known = walk(anyone, watch, [*PUBLIC, feed_post])
    known |= walk(author, watch, [*STAFF, *drafts, *edits])
    known |= walk(approver, watch, [*ADMINS, drafts[0], f"/desk/signoff/{asked}"])
    left = set(ROUTES) - ELSEWHERE - known
    assert not left, f"Nobody came to {left}."
    for person, paths in (
        (anyone, [feed_post, "/register/", "/"]),
        (author, [*drafts, *edits, "/desk/practice/"]),
        (approver, [f"/desk/signoff/{asked}"]),
    ):
        for path in paths:
            person.page.goto(path)
            assert "<script>" in person.text(), f"{path} does not show the post."


def must_be_words(person, path):
    assert person.page.title() != "owned", path
    assert person.page.locator("script:not([src]), [onerror], main h1 ~ h1").count() == 0, path
    assert person.page.locator("h1").filter(has_text=re.compile(r"^Big$")).count() == 0, path
