"""The main job: one post from its first words to a proof anyone can check, by two people."""

import re
import subprocess
import sys
import time
from pathlib import Path

import feedparser
import pytest
from running_desk import wait_for

SRC = Path(__file__).parents[2] / "src"
NAMES = ("Alex", "Bryn", "author@practice.example", "approver@practice.example")
ALT = "A closed steel barrier across a wide river, with brown water close to its top."
FIRST = (
    "The Teddington barrier is CLOSED UNTIL FURTHER NOTICE because the river is high. "
    "Boats can use the lock again from 9am on Saturday. #floodwarning"
)
SECOND = (
    "The Teddington barrier is closed today because the river is high. "
    "Boats can use the lock again from 9am on Saturday. #FloodWarning"
)
REASON = "Say it without shouting, and until when."


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_post_goes_from_first_words_to_a_checked_proof(
    somebody, script, photograph, plain_python
):
    author = somebody(java_script_enabled=script).sign_in("author")
    approver = somebody(java_script_enabled=script).sign_in("approver")
    anyone = somebody(java_script_enabled=script, accept_downloads=True)
    mark = "Alpha." if script else "Bravo."

    number = write_and_check(author, f"{FIRST} {mark}", photograph)
    ask_for_signoff(author, number)
    send_back(approver, number, f"{FIRST} {mark}")
    change_and_ask_again(author, number, f"{SECOND} {mark}")
    digest, link = sign_and_see_it_live(approver, number, f"{SECOND} {mark}")
    proof = read_on_the_register(anyone, link, f"{SECOND} {mark}", digest)
    must_hold_without_us(plain_python, proof, anyone.read_key(), f"{SECOND} {mark}")


def write_and_check(author, text, photograph):
    """Written, with a picture; each finding cites a clause, and one citation is followed."""
    page = author.page
    page.get_by_role("link", name="New post").click()
    author.compose(text, "Our feed", "Practice channel", picture=photograph, alt=ALT)
    author.click("Save and check")
    page.wait_for_url(re.compile(r"/desk/drafts/\d+/edit$"))
    findings = page.locator("#check .desk-finding")
    assert findings.count() >= 1
    for finding in findings.all():
        assert finding.locator('a[href^="/guidance/"]').count() >= 1
    cited = findings.first.locator("a").first
    title = cited.inner_text()
    cited.click()
    assert page.locator("h1").inner_text() == title
    assert "Where it comes from" in author.text()
    page.go_back()
    return author.post_number()


def ask_for_signoff(author, number):
    """Without answers every question is asked for by name; with them, the post is handed on."""
    author.click("Send for sign-off")
    assert len(author.problems()) >= 6
    assert author.page.title().startswith("Error: ")
    author.answer_questions()
    author.click("Send for sign-off")
    author.page.wait_for_url(re.compile(rf"/desk/drafts/{number}$"))
    assert "Awaiting sign-off" in author.text()


def send_back(approver, number, text):
    """The approver sees exactly what will go out, findings and answers, and gives a reason."""
    page = approver.page
    page.goto("/desk/")
    page.get_by_role("link", name=re.compile("Teddington")).first.click()
    assert page.url.endswith(f"/desk/signoff/{number}")
    seen = approver.text()
    assert text in seen
    assert f"Description: {ALT}" in seen
    assert page.get_by_role("img", name=ALT).count() == 2
    assert page.locator(".desk-finding a[href^='/guidance/']").count() >= 1
    assert re.search(r"come to harm by it\?\s+No", seen)
    approver.click("Send back")
    assert approver.problems(), "A post cannot be sent back without a reason."
    page.get_by_label("Or send it back").fill(REASON)
    approver.click("Send back")
    page.wait_for_url(f"**/desk/drafts/{number}")


def change_and_ask_again(author, number, text):
    """The author reads the reason, and changes the words."""
    author.page.goto("/desk/")
    author.page.get_by_role("link", name=re.compile("Teddington")).first.click()
    assert REASON in author.text()
    author.page.get_by_label("What do you want to say?").fill(text)
    author.answer_questions()
    author.click("Send for sign-off")
    author.page.wait_for_url(re.compile(rf"/desk/drafts/{number}$"))


def sign_and_see_it_live(approver, number, text):
    """Within two seconds it is in the feed, and then on the practice channel."""
    page = approver.page
    page.goto(f"/desk/signoff/{number}")
    assert text in approver.text()
    digest = page.locator(".desk-key").inner_text()
    start = time.monotonic()
    approver.click("Sign")
    page.wait_for_url(f"**/desk/drafts/{number}")
    (entry,) = wait_for(
        lambda: find_in_feed(approver.desk, text), seconds=10, what="the post is in the feed"
    )
    took = time.monotonic() - start
    assert took < 2, f"It took {took:.1f} seconds from the press of the button to the feed."
    assert ALT in str(entry)
    assert not find_in_feed(approver.desk, "CLOSED UNTIL")
    wait_for(lambda: approver.says("What is live is what was signed."), seconds=5, what="read back")
    page.goto("/desk/practice/")
    article = page.locator("article").filter(has_text=text)
    assert article.get_by_role("img", name=ALT).count() == 1
    return digest, entry.link


def find_in_feed(desk, words):
    feed = feedparser.parse(desk.read("/feed.atom"))
    assert not feed.bozo, feed.get("bozo_exception")
    return [entry for entry in feed.entries if words in str(entry)]


def read_on_the_register(anyone, link, text, digest):
    """Roles, guidance and proof, without signing in, and nobody's name; the proof as a file."""
    page = anyone.page
    page.goto(link)
    assert text in anyone.text()
    page.goto("/register/")
    item = page.locator("main li").filter(has_text=text)
    assert item.count() == 1, "A rehearsal stands on the register, or the post does not."
    shown = page.content()
    item.get_by_role("link").click()
    told = anyone.text()
    shown += page.content()
    assert re.search(r"Guidance it was checked against\s+[\w-]+@[\d.]+#[0-9a-f]+", told)
    assert re.search(r"Written and checked by\s+an author", told)
    assert re.search(r"Signed by\s+an approver", told)
    assert digest in told
    assert page.get_by_role("img", name=ALT).evaluate("image => image.naturalWidth") > 0
    proof = anyone.download_proof()
    shown += proof.read_text()
    assert not [name for name in NAMES if name in shown]
    return proof


def must_hold_without_us(python, proof, key, text):
    """True on a machine with neither Django nor this site; false, and why, if a byte differs."""
    verify = [python, "-I", "-m", "folkmoot", "ledger", "verify", str(proof), "--key", key]
    answer = subprocess.run(verify, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.startswith("true\n")
    assert text in answer.stdout
    for place in range(40, proof.stat().st_size, 397):
        flip_byte(proof, place)
        answer = subprocess.run(verify, capture_output=True, text=True)
        assert answer.returncode == 1, f"Byte {place} was changed. {answer.stdout}{answer.stderr}"
        false, why = answer.stdout.splitlines()[:2]
        assert false == "false"
        assert re.fullmatch(r"[A-Z].{20,}\.", why), why
        flip_byte(proof, place)
    assert subprocess.run(verify, capture_output=True).returncode == 0


def flip_byte(file, place):
    changed = bytearray(file.read_bytes())
    changed[place] ^= 1
    file.write_bytes(changed)


@pytest.fixture(scope="module")
def plain_python(tmp_path_factory):
    """A Python with the library and its one need, ``cryptography``, and without Django."""
    import cffi
    import cryptography

    venv = tmp_path_factory.mktemp("venv") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "folkmoot.pth").write_text(f"{SRC}\n")
    for module in (cryptography, cffi):
        folder = Path(module.__file__).parent
        (packages / folder.name).symlink_to(folder)
    for extension in folder.parent.glob("_cffi_backend*.so"):
        (packages / extension.name).symlink_to(extension)
    asked = subprocess.run(
        [python, "-I", "-c", "import folkmoot.ledger, django"], capture_output=True, text=True
    )
    assert "No module named 'django'" in asked.stderr, asked.stderr
    return str(python)
