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


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def with_script(request):
    return request.param


def find_in_feed(desk, words):
    feed = feedparser.parse(desk.read("/feed.atom"))
    assert not feed.bozo, feed.get("bozo_exception")
    return [entry for entry in feed.entries if words in entry.summary or words in str(entry)]


def test_a_post_goes_from_first_words_to_a_checked_proof(
    desk, somebody, with_script, photograph, plain_python, tmp_path
):
    mark = "Alpha" if with_script else "Bravo"
    author = somebody(java_script_enabled=with_script).sign_in("author")
    approver = somebody(java_script_enabled=with_script).sign_in("approver")
    page, desk_of_approver = author.page, approver.page

    # Written, with a picture; the check cites clauses, and one can be followed.
    page.get_by_role("link", name="New post").click()
    author.compose(
        f"{FIRST} {mark}.", "Our feed", "Practice channel", picture=photograph, alt=ALT
    )
    author.click("Save and check")
    page.wait_for_url(re.compile(r"/desk/drafts/\d+/edit$"))
    number = author.post_number()
    findings = page.locator("#check .desk-finding")
    assert findings.count() >= 1
    for finding in findings.all():
        assert finding.locator('a[href^="/guidance/uk-civil-service/"]').count() >= 1
    cited = findings.first.locator("a").first
    title = cited.inner_text()
    cited.click()
    assert page.locator("h1").inner_text() == title
    assert "Where it comes from" in author.text()
    page.go_back()

    # Sent for sign-off without answers: every question is asked for by name.
    author.click("Send for sign-off")
    assert len(author.problems()) >= 6
    assert page.title().startswith("Error: ")
    author.answer_questions()
    author.click("Send for sign-off")
    page.wait_for_url(re.compile(rf"/desk/drafts/{number}$"))
    assert "Awaiting sign-off" in author.text()

    # The approver sees exactly what will go out, and sends it back with a reason.
    desk_of_approver.goto("/desk/")
    desk_of_approver.get_by_role("link", name=re.compile("Teddington")).first.click()
    seen = approver.text()
    assert f"{FIRST} {mark}." in seen
    assert ALT in seen
    assert desk_of_approver.locator(".desk-finding").count() >= 1
    assert "Could anybody come to harm by it?\tNo" in seen or re.search(
        r"come to harm by it\?\s+No", seen
    )
    approver.click("Send back")
    assert approver.problems(), "A post cannot be sent back without a reason."
    reason = "Say it without shouting, and until when."
    desk_of_approver.get_by_label("Or send it back").fill(reason)
    approver.click("Send back")
    desk_of_approver.wait_for_url(f"**/desk/drafts/{number}")

    # The author reads the reason, changes the words, and asks again.
    page.goto("/desk/")
    page.get_by_role("link", name=re.compile("Teddington")).first.click()
    assert reason in author.text()
    page.get_by_label("What do you want to say?").fill(f"{SECOND} {mark}.")
    author.answer_questions()
    author.click("Send for sign-off")
    page.wait_for_url(re.compile(rf"/desk/drafts/{number}$"))

    # Signed; within two seconds it is in the feed, the practice channel and the register.
    desk_of_approver.goto(f"/desk/signoff/{number}")
    assert f"{SECOND} {mark}." in approver.text()
    digest = desk_of_approver.locator(".desk-key").inner_text()
    before = time.monotonic()
    approver.click("Sign")
    desk_of_approver.wait_for_url(f"**/desk/drafts/{number}")
    (entry,) = wait_for(
        lambda: find_in_feed(desk, f"#FloodWarning {mark}."),
        seconds=10,
        what="the post is in the feed",
    )
    took = time.monotonic() - before
    assert took < 2, f"It took {took:.1f} seconds from the press of the button to the feed."
    assert ALT in str(entry)
    assert find_in_feed(desk, "SHOUT") == find_in_feed(desk, "CLOSED UNTIL") == []
    wait_for(
        lambda: approver.says("What is live is what was signed."), seconds=5, what="read back"
    )
    desk_of_approver.goto("/desk/practice/")
    assert f"{SECOND} {mark}." in approver.text()
    assert desk_of_approver.get_by_role("img", name=ALT).count() >= 1

    # Anyone reads it on the register: roles, guidance and proof, and nobody's name.
    anyone = somebody(java_script_enabled=with_script, accept_downloads=True)
    anyone.page.goto(entry.link)
    assert f"{SECOND} {mark}." in anyone.text()
    anyone.page.goto("/register/")
    item = anyone.page.locator("main li").filter(has_text=f"{mark}.")
    assert item.count() == 1, "A rehearsal stands on the register, or the post does not."
    shown = anyone.page.content()
    item.get_by_role("link").click()
    told = anyone.text()
    shown += anyone.page.content()
    assert re.search(r"Guidance it was checked against\s+uk-civil-service@[\d.]+#[0-9a-f]+", told)
    assert re.search(r"Written and checked by\s+an author", told)
    assert re.search(r"Signed by\s+an approver", told)
    assert digest in told
    assert anyone.page.get_by_role("img", name=ALT).evaluate("image => image.naturalWidth") > 0
    assert not [name for name in NAMES if name in shown]
    with anyone.page.expect_download() as coming:
        anyone.page.get_by_role("button", name="Download the proof").click()
    proof = tmp_path / coming.value.suggested_filename
    coming.value.save_as(proof)
    assert not [name for name in NAMES if name in proof.read_text()]

    # The proof holds on a machine that has neither Django nor this site; a changed byte does not.
    key = desk_key(anyone)
    verify = [plain_python, "-I", "-m", "folkmoot", "ledger", "verify", str(proof), "--key", key]
    answer = subprocess.run(verify, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.startswith("true\n")
    assert f"{SECOND} {mark}." in answer.stdout
    for place in range(40, proof.stat().st_size, 397):
        flip_byte(proof, place)
        answer = subprocess.run(verify, capture_output=True, text=True)
        assert answer.returncode == 1, f"Byte {place} was changed. {answer.stdout}{answer.stderr}"
        false, why = answer.stdout.splitlines()[:2]
        assert false == "false"
        assert why.endswith(".")
        assert len(why) > 20
        flip_byte(proof, place)
    assert subprocess.run(verify, capture_output=True).returncode == 0


def flip_byte(file, place):
    changed = bytearray(file.read_bytes())
    changed[place] ^= 1
    file.write_bytes(changed)


def desk_key(person):
    """The key the body publishes, as anyone reads it."""
    person.page.goto("/ledger/key")
    return person.page.locator("p.desk-key code").inner_text()


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
            if not (packages / extension.name).exists():
                (packages / extension.name).symlink_to(extension)
    asked = subprocess.run(
        [python, "-I", "-c", "import folkmoot.ledger, django"], capture_output=True, text=True
    )
    assert "No module named 'django'" in asked.stderr, asked.stderr
    return str(python)
