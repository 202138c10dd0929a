"""The language server as an editor meets it: over standard input and output."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the language server needs the extra editor")

URI = "file:///drafts/post.md"


class Editor:
    """A client of the protocol, small enough to see through."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "folkmoot", "check", "lsp", "--who", "Ada", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.number = 0
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self.notify("initialized", {})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the server has left"
        return json.loads(self.process.stdout.read(length))

    def until(self, fits):
        while not fits(message := self.receive()):
            pass
        return message

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def request(self, method, params):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        answer = self.until(lambda message: message.get("id") == self.number)
        assert "error" not in answer, answer
        return answer["result"]

    def diagnostics(self):
        message = self.until(lambda m: m.get("method") == "textDocument/publishDiagnostics")
        return message["params"]["diagnostics"]

    def open(self, text):
        document = {"uri": URI, "languageId": "markdown", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return self.diagnostics()

    def change(self, text):
        self.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": text}]},
        )
        return self.diagnostics()

    def close(self):
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()


@pytest.fixture
def edit():
    editors = []

    def start(*arguments):
        editors.append(Editor(*arguments))
        return editors[-1]

    yield start
    for editor in editors:
        if editor.process.poll() is None:
            editor.process.kill()
            editor.process.wait(10)
        editor.process.stdin.close()
        editor.process.stdout.close()


FRONT = "---\ncapacity: official\nperiods: none\n---\n"


def test_a_draft_is_checked_as_one_types_with_utf16_places_behind_its_front_matter(edit):
    editor = edit()
    found = editor.open(f"{FRONT}\U0001f44d Vote Labour\n")
    party = next(each for each in found if each["code"] == "political/party-named")
    assert party["range"] == {
        "start": {"line": 4, "character": 3},
        "end": {"line": 4, "character": 14},
    }
    assert party["severity"] == 1
    assert party["codeDescription"]["href"].startswith("https://")
    clean = editor.change(f"{FRONT}The library is open until eight.\n")
    assert [each["code"] for each in clean] == []
    editor.close()


def test_the_front_matter_decides_in_what_capacity_a_draft_is_read(edit):
    editor = edit()
    personal = editor.open("---\ncapacity: personal\nperiods: none\n---\nVote Labour\n")
    assert "political/party-named" not in [each.get("code") for each in personal]
    wrong = editor.change("---\ncapacity: offical\n---\nVote Labour\n")
    assert "'offical' is not one of" in wrong[0]["message"]
    assert "has not been checked" in wrong[0]["message"]
    editor.close()


def test_a_hover_tells_the_clause_and_nothing_of_the_post_becomes_markup(edit):
    editor = edit("--rule-pages", "https://desk.example/rules/{rule}")
    found = editor.open(f"{FRONT}Vote Labour\n")
    assert found[0]["codeDescription"]["href"] == "https://desk.example/rules/political/party-named"
    hover = editor.request(
        "textDocument/hover",
        {"textDocument": {"uri": URI}, "position": {"line": 4, "character": 2}},
    )
    assert "POL-N1" in hover["contents"]["value"]
    assert hover["contents"]["kind"] == "markdown"
    nothing = editor.request(
        "textDocument/hover",
        {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}},
    )
    assert nothing is None
    editor.close()


def test_a_finding_is_accepted_with_a_reason_and_kept_beside_the_draft(edit, tmp_path: Path):
    file = tmp_path / "overrides.json"
    editor = edit("--overrides", str(file), "--role", "approver")
    found = editor.open(f"{FRONT}Vote Labour\n")
    (party,) = [each for each in found if each["code"] == "political/party-named"]
    actions = editor.request(
        "textDocument/codeAction",
        {"textDocument": {"uri": URI}, "range": party["range"], "context": {"diagnostics": []}},
    )
    action = next(each for each in actions if "matter of fact" in each["title"])
    argument = {**action["command"]["arguments"][0], "reason": "It is the result of the poll."}
    editor.send(
        {
            "id": 99,
            "method": "workspace/executeCommand",
            "params": {"command": action["command"]["command"], "arguments": [argument]},
        }
    )
    after = editor.diagnostics()
    assert [each["severity"] for each in after if each["code"] == "political/party-named"] == [4]
    (kept,) = json.loads(file.read_text(encoding="utf-8"))["overrides"]
    assert (kept["rule"], kept["who"]) == ("political/party-named", "Ada")
    assert kept["reason"] == "It is the result of the poll."


def test_what_only_somebody_else_may_clear_cannot_be_accepted_here(edit, tmp_path: Path):
    editor = edit("--overrides", str(tmp_path / "overrides.json"))
    found = editor.open(f"{FRONT}Vote Labour\n")
    actions = editor.request(
        "textDocument/codeAction",
        {"textDocument": {"uri": URI}, "range": found[0]["range"], "context": {"diagnostics": []}},
    )
    assert "Only the approver" in actions[0]["disabled"]["reason"]
    editor.send(
        {
            "id": 99,
            "method": "workspace/executeCommand",
            "params": {
                "command": "folkmoot.accept",
                "arguments": actions[0]["command"]["arguments"],
            },
        }
    )
    told = editor.until(lambda message: message.get("method") == "window/showMessage")
    assert "Only the approver may answer for this" in told["params"]["message"]
    assert not (tmp_path / "overrides.json").exists()
