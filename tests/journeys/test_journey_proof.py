"""A reader's own browser checks a proof, remembers the head, and finds a rewritten record."""

import base64
import json
import re

import pytest
from running_desk import wait_for

from folkmoot.ledger import Checkpoint, Signer

HOSTILE = "<script>document.title='owned'</script> <b>bold</b> &lt; Nobody can be harmed by this."
BUTTON = "Check it in this browser"


def publish(author, approver, text):
    """Say something in public; the address of its entry."""
    number = author.send_for_signoff(text, "Our feed")
    approver.page.goto(f"/desk/signoff/{number}")
    for box in approver.page.get_by_role("checkbox").all():
        box.check()
    approver.click("Sign")
    approver.page.wait_for_url(f"**/desk/drafts/{number}")
    wait_for(
        lambda: approver.says("What is live is what was signed."),
        seconds=12,
        what="the post is live",
        told=approver.text,
    )


def newest_entry(person):
    person.page.goto("/register/")
    link = person.page.get_by_role("link", name="read the entry and its proof").first
    return link.get_attribute("href")


def check(person, *, by_key=False):
    """Press the button; what the browser then says."""
    button = person.page.get_by_role("button", name=BUTTON)
    if by_key:
        button.focus()
        person.page.keyboard.press("Enter")
    else:
        button.click()
    result = person.page.locator("[data-result]")
    result.get_by_role("heading").wait_for()
    return result.inner_text()


ENTRIES = {}


@pytest.fixture
def entry(desk, somebody):
    """The address of an entry with hostile words; one for the whole module."""
    if desk.address not in ENTRIES:
        publish(somebody().sign_in("author"), somebody().sign_in("approver"), HOSTILE)
        ENTRIES[desk.address] = newest_entry(somebody())
    return ENTRIES[desk.address]


def test_a_true_proof_is_true_and_the_page_stays_accessible(entry, anyone, watch, author, approver):
    anyone.page.goto(entry)
    said = check(anyone, by_key=True)
    assert said.startswith("True\n"), said
    assert "The text that this page shows is what the entry was sealed with." in said
    assert "signed with the key that this site publishes" in said
    assert "has not seen this record before" in said
    watch.look(anyone, "entry, checked")
    assert anyone.page.locator('[role="status"][data-result]').count() == 1
    assert anyone.page.title() != "owned"
    assert anyone.page.locator("main b").count() == 0
    # It has grown since; and the older proof is still true.
    publish(author, approver, "The barrier is open again. Nobody can be harmed by this.")
    anyone.page.goto(entry)
    assert "still begins with all that this browser saw" in check(anyone)
    anyone.page.goto(newest_entry(anyone))
    assert check(anyone).startswith("True\n")


def test_without_script_there_is_no_button_and_the_proof_can_be_had(entry, somebody):
    reader = somebody(java_script_enabled=False)
    reader.page.goto(entry)
    assert reader.page.get_by_role("button", name=BUTTON).count() == 0
    assert reader.page.get_by_role("button", name="Download the proof").is_visible()
    assert "folkmoot ledger verify" in reader.text()


TOUCHES = {
    "said": ("The field text is not what the entry was sealed with", None),
    "cut": ("ends before", lambda text: text[: text.index("\n\n")]),
    "path": ("The proof", lambda text: re.sub(r"\n\n", "\n" + "A" * 43 + "=\n\n", text, count=1)),
    "index": ("another root", lambda text: text.replace("\nindex ", "\nindex 1")),
    "signature": ("The signature does not fit the head", None),
    "stranger": ("was not signed with the key", None),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_proof_that_was_touched_on_its_way_is_false_and_why_is_said(entry, somebody, desk, touch):
    reader = somebody()
    proof = desk.read(f"{entry.rstrip('/')}.tlog-proof").decode()
    reason, act = TOUCHES[touch]
    if touch == "said":
        line = proof.split("\n")[1]
        held = json.loads(base64.b64decode(line.removeprefix("extra ")))
        held["disclosed"]["text"]["value"] = "Never said."
        text = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        touched = proof.replace(line, "extra " + base64.b64encode(text.encode()).decode())
    elif touch == "signature":
        signature = proof.rstrip("\n").rpartition(" ")[2]
        raw = bytearray(base64.b64decode(signature))
        raw[-1] ^= 1
        touched = proof.replace(signature, base64.b64encode(bytes(raw)).decode())
    elif touch == "stranger":
        head, _, note = proof.partition("\n\n")
        text = note.partition("\n\n")[0] + "\n"
        stranger = Signer.generate(text.partition("\n")[0])
        touched = head + "\n\n" + stranger.sign(text)
    else:
        touched = act(proof)
    assert touched != proof
    reader.page.route("**/*.tlog-proof", lambda route: route.fulfill(body=touched))
    reader.page.goto(entry)
    said = check(reader)
    assert said.startswith("False\n"), said
    assert reason in said


def test_a_page_that_shows_other_words_than_were_sealed_is_false(entry, somebody):
    reader = somebody()

    def forge(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("Nobody can be", "Everybody is"))

    reader.page.route(f"**{entry}", forge)
    reader.page.goto(entry)
    said = check(reader)
    assert said.startswith("False\n"), said
    assert "What this page shows as text is not what the entry was sealed with." in said


def test_a_site_that_does_not_answer_is_not_called_a_liar(entry, somebody):
    reader = somebody()
    reader.page.route("**/ledger/checkpoint", lambda route: route.fulfill(status=503, body="no"))
    reader.page.goto(entry)
    said = check(reader)
    assert said.startswith("Not checked\n"), said
    assert "two histories" not in said


def test_a_record_that_went_back_is_told(entry, somebody, desk, watch):
    old_head = desk.read("/ledger/checkpoint").decode()
    old_proof = desk.read(f"{entry.rstrip('/')}.tlog-proof").decode()
    later = "Said later. Nobody can be harmed by this."
    publish(somebody().sign_in("author"), somebody().sign_in("approver"), later)
    reader = somebody()
    reader.page.goto(entry)
    assert check(reader).startswith("True\n")
    reader.page.route("**/ledger/checkpoint", lambda route: route.fulfill(body=old_head))
    reader.page.route("**/*.tlog-proof", lambda route: route.fulfill(body=old_proof))
    reader.page.goto(entry)
    said = check(reader)
    assert said.startswith("This record told two histories\n"), said
    assert re.search(
        r"It had \d+ entries and now shows \d+ entries: \d+ (entries|entry) gone", said
    )
    assert old_head.splitlines()[2] in said  # both heads are there to be kept
    watch.look(reader, "entry, two histories")
    # It does not forget what it saw because of it.
    reader.page.goto(entry)
    assert check(reader).startswith("This record told two histories\n")


@pytest.mark.parametrize("grown", [0, 3], ids=["of the same size", "that has grown"])
def test_another_record_under_the_same_key_is_told(entry, somebody, desk, grown):
    """As the keeper of the key could write one."""
    reader = somebody()
    reader.page.goto(entry)
    assert check(reader).startswith("True\n")
    signer = Signer.from_text((desk.home / "keys" / "ledger.key").read_text().strip())
    note = desk.read("/ledger/checkpoint").decode()
    head = Checkpoint.from_text(note.partition("\n\n")[0] + "\n")
    forged = signer.sign(Checkpoint(head.origin, head.size + grown, b"\7" * 32).to_text())
    reader.page.route("**/ledger/checkpoint", lambda route: route.fulfill(body=forged))
    reader.page.goto(entry)
    said = check(reader)
    assert said.startswith("This record told two histories\n"), said


def test_a_key_that_was_replaced_is_told(entry, somebody, desk):
    reader = somebody()
    reader.page.goto(entry)
    assert check(reader).startswith("True\n")
    origin = desk.read("/ledger/checkpoint").decode().partition("\n")[0]
    stranger = Signer.generate(origin)
    mine = Signer.from_text((desk.home / "keys" / "ledger.key").read_text().strip()).vkey
    proof = desk.read(f"{entry.rstrip('/')}.tlog-proof").decode()
    line = proof.split("\n")[1]
    held = base64.b64decode(line.removeprefix("extra ")).decode()
    extra = base64.b64encode(held.replace(mine, stranger.vkey).encode()).decode()
    text = proof.partition("\n\n")[2].partition("\n\n")[0] + "\n"
    touched = proof.partition("\n\n")[0].replace(line, f"extra {extra}") + "\n\n"
    touched += stranger.sign(text)

    def forge(route):
        answer = route.fetch()
        route.fulfill(
            response=answer,
            body=answer.text().replace(f'data-keys="{mine}"', f'data-keys="{stranger.vkey}"'),
        )

    reader.page.route(f"**{entry}", forge)
    reader.page.route("**/*.tlog-proof", lambda route: route.fulfill(body=touched))
    reader.page.route("**/ledger/checkpoint", lambda r: r.fulfill(body=stranger.sign(text)))
    reader.page.goto(entry)
    said = check(reader)
    assert said.startswith("This record told two histories\n"), said
    assert "a key that this site does not name any more" in said


def test_a_browser_without_ed25519_says_so(entry, somebody):
    reader = somebody()
    reader.page.add_init_script(
        """const real = crypto.subtle.importKey.bind(crypto.subtle);
        const unknown = new DOMException('no', 'NotSupportedError');
        crypto.subtle.importKey = (form, raw, how, ...more) =>
          how.name === 'Ed25519' ? Promise.reject(unknown) : real(form, raw, how, ...more);"""
    )
    reader.page.goto(entry)
    said = check(reader)
    assert said.startswith("True, as far as this browser can check\n"), said
    assert "Who signed could not be checked" in said


def test_growth_and_inclusion_are_judged_as_the_library_judges_them(entry, somebody):
    """Every pair of sizes up to 20 and every entry, by proofs of the library, and each proof that
    has one hash changed, left out or put in."""
    from folkmoot.ledger import MemoryStore, Tree, leaf_hash

    tree = Tree(MemoryStore())
    leaves = [leaf_hash(bytes([n])) for n in range(20)]
    tree.append(leaves)
    cases = []
    for new in range(1, 21):
        for old in range(1, new + 1):
            proof = [one.hex() for one in tree.consistency_proof(old, new)]
            cases.append(["isGrowth", old, new, tree.root(old).hex(), tree.root(new).hex(), proof])
        for index in range(new):
            path = [one.hex() for one in tree.inclusion_proof(index, new)]
            cases.append(
                ["isIncluded", leaves[index].hex(), index, new, path, tree.root(new).hex()]
            )
    reader = somebody()
    reader.page.goto(entry)
    wrong = reader.page.evaluate(
        """async cases => {
          const proof = await import('/static/records/proof.js');
          const hex = text => Uint8Array.from(text.match(/../g), pair => parseInt(pair, 16));
          const other = 'ab'.repeat(32);
          const wrong = [];
          for (const [name, ...given] of cases) {
            const at = given.findIndex(Array.isArray);
            const judge = async path => {
              const parts = given.map((one, n) => n === at ? path.map(hex)
                : typeof one === 'number' ? BigInt(one) : hex(one));
              return proof[name](...parts);
            };
            const path = given[at];
            if (!await judge(path)) wrong.push(['refused', name, ...given]);
            const spoilt = [[...path, other], [other, ...path]];
            path.forEach((_, n) => {
              spoilt.push(path.toSpliced(n, 1, other), path.toSpliced(n, 1));
            });
            for (const one of spoilt) {
              if (await judge(one)) wrong.push(['took', name, one, ...given]);
            }
          }
          return wrong;
        }""",
        cases,
    )
    assert wrong == []
