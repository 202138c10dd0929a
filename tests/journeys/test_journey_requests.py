"""A request for information, answered by two officers in their browsers, every page looked at."""

import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from running_desk import wait_for

import folkmoot
from folkmoot.ledger.bags import check_bag

URLS = Path(folkmoot.__file__).parent / "desk" / "releases" / "urls.py"
HOSTILE = "<script>document.title='owned'</script> {{ 7*7 }} <b onmouseover=x>bold</b> \u202eabc"
# A file, and steps that lead to a page of another.
NO_PAGE = {"records_proof", "records_request_take", "records_download", "records_bag_take"}


def read_routes():
    """Every address of the room that gives a page: its name, and what it looks like."""
    rows = re.findall(r'path\(\s*"([^"]*)",\s*[^"]+name="([^"]+)"', URLS.read_text())
    return {
        name: re.compile("/desk/records/" + re.sub(r"<str:\w+>", "[^/]+", route))
        for route, name in rows
        if name not in NO_PAGE
    }


class Looked:
    """Looks at whatever page is open, and remembers which kind it was."""

    def __init__(self, watch):
        self._watch, self.seen, self.routes = watch, set(), read_routes()

    def __call__(self, person):
        path = person.page.url.split("://", 1)[1].partition("/")[2]
        path = "/" + path.partition("?")[0].partition("#")[0]
        fits = [name for name, route in self.routes.items() if route.fullmatch(path)]
        # Where a plain address fits too, it is that one: "new" is no request's name.
        self.seen.add(min(fits, key=lambda name: "[" in self.routes[name].pattern))
        self._watch.look(person, path)
        assert person.page.title() != "owned"
        assert person.page.locator("main b[onmouseover], main script").count() == 0


def decide(officer, look):
    """Decide every field of the release: what is public is shown, all else is withheld."""
    page = officer.page
    officer.click("Decide field by field")
    look(officer)
    officer.click("Decide the marked fields")
    look(officer)
    assert officer.problems()
    page.get_by_role("button", name=re.compile("public already")).click()
    page.wait_for_url("**/fields")
    look(officer)
    page.locator(".desk-finding h3 a").first.click()
    look(officer)
    officer.click("Decide")
    look(officer)
    assert officer.problems()
    page.goto(page.url.rpartition("/")[0])
    for box in page.locator("input[name=labels]").all():
        box.check()
    page.get_by_label("Withheld", exact=True).check()
    page.get_by_label("What is withheld, is withheld under").select_option("FOIA s.40(2)")
    officer.click("Decide the marked fields")
    look(officer)
    assert "0 not decided" in officer.text()


def publish(author, approver):
    """A post that is live; its number."""
    number = author.send_for_signoff(
        "The barrier is closed today. Everyone is safe.", "Our feed", "Practice channel"
    )
    approver.sign(number)
    wait_for(
        lambda: approver.says("What is live is what was signed."),
        seconds=10,
        what="the post is live",
        told=approver.text,
    )
    return number


def find(officer, look):
    """Search for words, and look at an entry that has them."""
    officer.page.goto("/desk/records/")
    look(officer)
    officer.page.get_by_label("Words").fill("barrier")
    officer.click("Find")
    look(officer)
    officer.page.locator("table a[href*='/entries/']").first.click()
    look(officer)


def register(officer, look, number):
    """Register a request for all about a post, with nothing filled in at first; its address."""
    page = officer.page
    page.goto("/desk/records/requests/")
    look(officer)
    officer.click("Register a request")
    look(officer)
    officer.click("Register the request")
    look(officer)
    assert len(officer.problems()) >= 2
    page.get_by_label("Freedom of Information Act 2000", exact=True).check()
    page.get_by_label("Received on").fill(f"{datetime.now(UTC):%Y-%m-%d}")
    page.get_by_label("What was asked for").fill(f"All about the barrier. {HOSTILE}")
    page.get_by_label("Who asked").fill(HOSTILE)
    page.get_by_label("Post number").fill(str(number))
    officer.click("Register the request")
    page.wait_for_url(re.compile("/requests/[0-9a-f]+$"))
    look(officer)
    return page.url


def choose(officer, look, request):
    """Choose all that fit, and look at it."""
    officer.click("Begin to search")
    look(officer)
    officer.click("Choose all that fit")
    look(officer)
    officer.page.get_by_role("link", name=re.compile("entries$")).click()
    look(officer)
    officer.page.goto(request)
    officer.click("Go on to decide what is shown")
    look(officer)


def read_and_agree(approver, look, request):
    """Read all of it, to the last page, and agree."""
    approver.page.goto(request)
    look(approver)
    approver.click("Read it through")
    look(approver)
    while (further := approver.page.get_by_role("link", name="Go on reading")).count():
        further.click()
        look(approver)
    approver.click("Agree")


def fetch(officer, look, folder):
    """Download the bag that is open, and unpack it."""
    officer.click("Open the bag")
    look(officer)
    with officer.page.expect_download() as download:
        officer.page.get_by_role("button", name="Download the bag").click()
    download.value.save_as(folder / "bag.zip")
    with zipfile.ZipFile(folder / "bag.zip") as archive:
        archive.extractall(folder / "bag")
    (inner,) = (folder / "bag").iterdir()
    return inner


def propose(officer, approver, look):
    """Propose a bag of everything, with nothing filled in at first."""
    page = officer.page
    page.goto("/desk/records/bags/new")
    look(officer)
    officer.click("Make a bag")
    look(officer)
    assert officer.problems()
    page.get_by_label("Every field").check()
    page.get_by_label("Title").fill(f"For the archive {HOSTILE}")
    page.get_by_label("What it is for").fill(HOSTILE)
    officer.click("Make a bag")
    page.wait_for_url(re.compile("/bags/[0-9a-f]+$"))
    look(officer)
    approver.page.goto(page.url)
    look(approver)
    page.goto("/desk/records/bags/")
    look(officer)


def test_a_request_goes_from_receipt_to_a_bag_by_two_officers(
    author, approver, officer, watch, tmp_path
):
    look, page = Looked(watch), officer.page
    number = publish(author, approver)
    find(officer, look)
    request = register(officer, look, number)
    choose(officer, look, request)
    decide(officer, look)
    page.goto(request)
    officer.click("Hand it to a second reader")
    look(officer)
    officer.click("See what the reader sees")
    look(officer)
    assert "another records officer must read it" in officer.text()
    read_and_agree(approver, look, request)
    page.goto(request)
    wait_for(
        lambda: page.reload() and page.get_by_role("button", name="Open the bag").count(),
        seconds=20,
        what="the bag is made",
        told=officer.text,
    )
    look(officer)
    folder = fetch(officer, look, tmp_path)
    checked = check_bag(folder)
    assert checked.ok, checked.problems
    assert checked.withheld > 0
    assert checked.vkey in officer.desk.read("/ledger/key").decode().replace("&#43;", "+")
    page.goto(request)
    officer.click("It was sent")
    look(officer)
    assert "in time" in officer.text()
    propose(officer, approver, look)
    page.goto("/desk/records/?kind=delivery.sent")
    look(officer)
    assert look.seen == set(look.routes)


def test_whoever_is_no_officer_is_told_whom_to_ask(author, watch):
    watch.visit(author, "/desk/records/", status=403)
    assert "Robin Records" in author.text()
