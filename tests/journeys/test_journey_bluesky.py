"""Posting to a real Bluesky server: connecting, what arrives there, outages, and power cuts."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from gate_server import running_gate, running_rubbish
from running_desk import RunningDesk, free_port, wait_for

sys.path.insert(0, str(Path(__file__).parents[1] / "pds"))
from bluesky_server import find_missing, running_pds

MATCHES = "What is live is what was signed."
MAIN = "main-password-of-the-account"
ALT = "A closed steel barrier across a wide river."
TEXT = (
    "The Teddington barrier is closed today because the river is high. "
    "Read more at https://www.gov.uk/check-flooding #FloodWarning"
)
# A killed worker's claim is taken over when its lease of 30 seconds has run out.
LEASE_SECONDS = 30


class Bluesky:
    """The server, and the accounts of the body: one reached directly, one through a gate."""

    def __init__(self, pds, gate, rubbish):
        self.pds, self.gate, self.rubbish = pds, gate, rubbish
        self.dids = {}
        self.secrets = {}
        for handle in ("direct.test", "gated.test"):
            self.dids[handle] = pds.create_account(handle, MAIN)
            token = pds.sign_in(handle, MAIN)
            made = pds.call("com.atproto.server.createAppPassword", {"name": "desk"}, token=token)
            self.secrets[handle] = made["password"]

    def posts(self, handle):
        return self.pds.list_posts(self.dids[handle])

    def having(self, handle, words):
        return [post for post in self.posts(handle) if words in post["value"]["text"]]


@pytest.fixture(scope="module")
def bluesky(tmp_path_factory):
    if missing := find_missing():
        pytest.skip(missing)
    with (
        running_pds(tmp_path_factory.mktemp("pds")) as pds,
        running_gate(free_port(), pds.port) as gate,
        running_rubbish(free_port()) as rubbish,
    ):
        yield Bluesky(pds, gate, rubbish)


@pytest.fixture(scope="module")
def desk(bluesky, tmp_path_factory):
    """A desk that may reach these servers, which stand on no public address."""
    hosts = (bluesky.pds.url, bluesky.gate.url, bluesky.rubbish)
    desk = RunningDesk(
        tmp_path_factory.mktemp("desk"),
        internal_hosts=tuple(url.removeprefix("http://") for url in hosts),
    )
    try:
        desk.start()
        yield desk
    finally:
        desk.stop()
    assert "Traceback" not in desk.log.read_text(), desk.log.read_text()


def fill_in(admin, server, handle, secret, name):
    page = admin.page
    page.goto("/desk/accounts/connect/bluesky")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("App password", exact=True).fill(secret)
    page.get_by_label("Server").fill(server)
    page.get_by_label("What staff call this account").fill(name)
    admin.click("Connect")


def connect(admin, second, server, handle, *, secret, name):
    """Connect an account as it must be done: one proposes it, another confirms it."""
    fill_in(admin, server, handle, secret, name)
    admin.page.wait_for_url("**/desk/accounts/")
    assert f"Bluesky lets {name} in." in admin.text()
    assert admin.page.get_by_role("button", name=f"Confirm {name}").count() == 0
    second.page.goto("/desk/accounts/")
    second.click(f"Confirm {name}")
    assert "The account is connected" in second.text()


def must_be_refused(admin, server, secret, sentence):
    fill_in(admin, server, "direct.test", secret, "Refused")
    (said,) = admin.problems()
    assert re.search(sentence, said), said
    assert secret not in admin.page.content()
    assert secret not in said
    admin.page.goto("/desk/accounts/")
    assert "Refused" not in admin.text()
    assert "direct.test" not in admin.text()


def must_be_live(person, number, *, deliveries):
    person.page.goto(f"/desk/drafts/{number}")
    wait_for(
        lambda: person.page.reload() and person.text().count(MATCHES) >= deliveries,
        seconds=15,
        what="all is live",
        told=person.text,
    )


def test_an_account_is_kept_only_when_its_server_lets_it_in(bluesky, desk, approver, duty, author):
    pds, right = bluesky.pds, bluesky.secrets["direct.test"]
    must_be_refused(approver, pds.url, "wrong-pass-word", r"does not accept the handle or the app")
    must_be_refused(approver, bluesky.rubbish, right, r"does not speak as a Bluesky server does")
    pds.stop()
    try:
        must_be_refused(approver, pds.url, right, r"could not be used\. .+ check the server")
    finally:
        pds.start()
    must_be_refused(approver, "http://169.254.169.254", right, r"address")
    connect(approver, duty, pds.url, "direct.test", secret=right, name="Bluesky")
    fill_in(approver, pds.url, "direct.test", right, "Twice")
    (said,) = approver.problems()
    assert said.startswith("direct.test on Bluesky is connected already.")
    gated = bluesky.secrets["gated.test"]
    connect(approver, duty, bluesky.gate.url, "gated.test", secret=gated, name="Gated")
    approver.page.goto("/desk/accounts/")
    approver.click("Diagnose Bluesky")
    assert "the worker asks the channel now" in approver.text()
    # The page is fetched anew by itself until the worker has answered.
    approver.page.get_by_text(re.compile("answered on")).wait_for()
    assert "Needs a person" not in approver.text()
    # The author may not, and nothing on disk or in the log holds a password in the clear.
    author.page.goto("/desk/accounts/connect/bluesky")
    assert "Only an admin" in author.text()
    kept = b"".join(file.read_bytes() for file in desk.home.rglob("*") if file.is_file())
    for secret in (right, bluesky.secrets["gated.test"], "wrong-pass-word"):
        assert secret.encode() not in kept
        assert secret not in desk.log.read_text()


def test_a_post_with_a_picture_stands_on_bluesky_as_it_was_signed(
    bluesky, author, approver, anyone, photograph
):
    number = author.send_for_signoff(
        TEXT, "Bluesky", "Our feed", "Practice channel", picture=photograph, alt=ALT
    )
    approver.sign(number)
    must_be_live(author, number, deliveries=3)
    (found,) = bluesky.having("direct.test", "Teddington")
    did = bluesky.dids["direct.test"]
    rkey = found["uri"].rpartition("/")[2]
    record = bluesky.pds.call(
        f"com.atproto.repo.getRecord?repo={did}&collection=app.bsky.feed.post&rkey={rkey}"
    )["value"]
    assert record["text"] == TEXT
    assert record["langs"] == ["en"]
    (image,) = record["embed"]["images"]
    assert image["alt"] == ALT
    blob = bluesky.pds.read_blob(did, image["image"]["ref"]["$link"])
    assert blob[:3] == b"\xff\xd8\xff"
    raw = TEXT.encode()
    spans = {
        facet["features"][0]["$type"].rpartition("#")[2]: raw[
            facet["index"]["byteStart"] : facet["index"]["byteEnd"]
        ].decode()
        for facet in record["facets"]
    }
    assert spans == {"link": "https://www.gov.uk/check-flooding", "tag": "#FloodWarning"}
    assert author.desk.read("/feed.atom").count(b"Teddington") >= 1
    anyone.page.goto("/register/")
    anyone.page.get_by_role("link", name=re.compile("on Bluesky")).click()
    assert rkey in anyone.page.get_by_role("link", name="See the post").get_attribute("href")
    assert f"Bluesky: {MATCHES}" in anyone.text()
    proof = anyone.download_proof()
    key = anyone.read_key()
    answer = subprocess.run(
        [sys.executable, "-m", "folkmoot", "ledger", "verify", proof, "--key", key],
        capture_output=True,
        text=True,
    )
    assert answer.stdout.startswith("true\n"), answer.stdout + answer.stderr
    assert "says channel: bluesky" in answer.stdout
    assert rkey in answer.stdout


def test_a_thread_of_two_stands_as_a_thread(bluesky, author, approver):
    first, second = "The lock at Molesey is shut this week.", "It opens again on Monday at 9am."
    number = author.send_for_signoff(f"{first}\n---\n{second}", "Bluesky")
    approver.page.goto(f"/desk/signoff/{number}")
    parts = approver.page.locator(".desk-preview__text").all_inner_texts()
    assert parts == [first, second]
    approver.sign(number)
    must_be_live(author, number, deliveries=1)
    (root,) = bluesky.having("direct.test", first)
    (reply,) = bluesky.having("direct.test", second)
    place = {"uri": root["uri"], "cid": root["cid"]}
    assert reply["value"]["reply"] == {"root": place, "parent": place}


def test_a_post_waits_out_an_outage_within_its_window(bluesky, author, approver):
    text = "Bell Weir lock closes at noon tomorrow for repairs."
    number = author.send_for_signoff(text, "Bluesky")
    bluesky.pds.stop()
    try:
        approver.sign(number)
        wait_for(
            lambda: (
                author.page.goto(f"/desk/drafts/{number}")
                and f"{bluesky.pds.url} could not be used." in author.text()
            ),
            seconds=10,
            what="the page says what is in the way",
        )
        assert "Waiting" in author.text()
        assert MATCHES not in author.text()
        author.page.goto("/desk/")
        assert "Needs a person" in author.text()
        assert f"Post {number} on Bluesky" in author.text()
    finally:
        bluesky.pds.start()
    author.page.goto(f"/desk/drafts/{number}")
    must_be_live(author, number, deliveries=1)
    assert len(bluesky.having("direct.test", text)) == 1
    author.page.goto("/desk/")
    assert f"Post {number} on Bluesky" not in author.text()


def test_kill_9_at_the_worst_moment_never_posts_twice_nor_loses_a_post(
    bluesky, desk, author, approver
):
    gate = bluesky.gate
    before = len(bluesky.posts("gated.test"))
    texts = {
        "answer": "Boulters lock: the answer was lost.",
        "request": "Marlow lock: the request was lost.",
        "power": "Hurley lock: the power went.",
    }
    numbers = {key: author.send_for_signoff(text, "Gated") for key, text in texts.items()}

    # The server has done it, and the worker dies before it hears so.
    hold = gate.hold("answer")
    approver.sign(numbers["answer"])
    hold.wait()
    killed = desk.kill_worker()
    hold.let_go()
    wait_for(lambda: desk.workers() not in ([], [killed]), seconds=15, what="the worker is back")
    # The worker dies before its request leaves this house.
    hold = gate.hold("request")
    approver.sign(numbers["request"])
    hold.wait()
    desk.kill_worker()
    hold.let_go(forward=False)
    assert bluesky.having("gated.test", texts["request"]) == []
    wait_for(lambda: len(desk.workers()) == 1, seconds=15, what="the worker is back")
    # Everything dies at once, and is started again.
    hold = gate.hold("answer")
    approver.sign(numbers["power"])
    hold.wait()
    desk.kill()
    hold.let_go()
    assert desk.workers() == []
    desk.start()
    author.page.goto(f"/desk/drafts/{numbers['power']}")
    assert "Sending" in author.text()
    assert MATCHES not in author.text()

    for key, number in numbers.items():
        author.page.goto(f"/desk/drafts/{number}")
        wait_for(
            lambda: author.says(MATCHES),
            seconds=LEASE_SECONDS + 15,
            what=f"{key} is settled",
            told=author.text,
        )
        assert len(bluesky.having("gated.test", texts[key])) == 1, key
        assert "The program stopped while it was sending." in author.text()
    assert len(bluesky.posts("gated.test")) == before + len(texts)
    # Two were done at once and only looked up; one was sent again, under the same key.
    assert len(gate.passed) == len(texts)


def test_nothing_is_left_running_when_up_is_killed(desk):
    (old,) = desk.workers()
    desk.kill_up()
    wait_for(lambda: old not in desk.workers(), seconds=10, what="the worker ends with `up`")
    desk.start()
    wait_for(lambda: len(desk.workers()) == 1, seconds=10, what="one worker works")
