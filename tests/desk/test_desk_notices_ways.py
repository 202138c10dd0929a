"""The ways out: chat services by an allow-list, and e-mail by a real mail server."""

from __future__ import annotations

import contextlib
import email
import email.policy
import http.server
import json
import subprocess
import sys
import threading
from dataclasses import replace

import desk_moves as moves
import pytest
from aiosmtpd.controller import Controller
from django.conf import settings

from folkmoot.desk.accounts.vault import seal
from folkmoot.desk.notices import actions, chats, letters, telling
from folkmoot.desk.notices import queries as notices
from folkmoot.desk.notices.chats import Chat, ChatFailed, ChatRefused, read_chat
from folkmoot.desk.notices.needs import Urgency
from folkmoot.desk.notices.queries import TargetKind
from folkmoot.desk.records.columns import update_sealed
from folkmoot.desk.site.config import Config, ConfigError

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS_PATH = "workflows/643e69f8/triggers/manual/paths/invoke"
TEAMS_QUERY = "api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=iXKH8b"
TEAMS = f"https://prod-12.uksouth.logic.azure.com:443/{TEAMS_PATH}?{TEAMS_QUERY}"

ALLOWED = {
    SLACK: "Slack",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#duty": "Slack",
    TEAMS: "Microsoft Teams",
    "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js": "Discord",
    "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=abc&token=def": "Google Chat",
    "https://webexapis.com/v1/webhooks/incoming/Y2lzY29zcGFyazovL3VzL1dFQg": "Webex",
    "tgram://123456789:abcdefg_hijklmnop/12315544": "Telegram",
    "https://chat.example.org/hooks/4dx7ymjw9ty9ckcs": chats.OWN,
    "https://chat.example.org/rocket/hooks/abc/def": chats.OWN,
}


@contextlib.contextmanager
def web_server(status=200, location=""):
    """A web server on loopback that keeps what it is told; yields its port and what came."""
    came = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            came.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        do_GET = do_POST  # noqa: N815 - the name http.server asks for

        def log_message(self, *_args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port, came
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("address", "service"), ALLOWED.items())
def test_an_address_as_the_service_gives_it_is_taken(address, service):
    chat = read_chat(f" {address} ")
    assert chat.service == service
    assert address.rpartition("/")[2] not in repr(chat)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "slack",
        "json://127.0.0.1/",
        "jsons://example.org/",
        "xml://example.org/",
        "form://example.org/",
        "mailto://user:password@example.org",
        "exec://id",
        "file:///etc/passwd",
        "apprise://127.0.0.1/token",
        "syslog://localhost",
        "dbus://",
        "http://127.0.0.1:8000/hooks/x",
        "mmosts://chat.example.org/abc",
        "workflow://127.0.0.1:80/a/b",
        "slack://nonsense",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=/etc/passwd",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?verify=no",
        f"{SLACK}?template=/etc/passwd",
        f"{SLACK}?redirect=yes",
        SLACK.replace("https:", "http:"),
        SLACK.replace(".com", ".com.evil.example"),
        SLACK.replace("https://", "https://user@"),
        SLACK.replace(".com", ".com:8443"),
        "https://hooks.slack.com/nothing",
        f"https://prod.logic.azure.com.evil.example/{TEAMS_PATH}?{TEAMS_QUERY}",
        f"https://x.powerplatform.evil.example/{TEAMS_PATH}?{TEAMS_QUERY}",
        f"{TEAMS}&template=/etc/passwd",
        f"{TEAMS}&cto=9999",
        "https://chat.example.org/api/v1/delete",
        "https://chat.example.org/hooks/../admin",
        "https://chat.example.org/hooks/x?y=1",
        "https://[",
        "https://chat.example.org:99999/hooks/x",
        "https://example.org/hooks/" + "x" * 2000,
        "slack://a b c",
    ],
)
def test_any_other_address_is_refused_in_a_sentence(address):
    with pytest.raises(ChatRefused) as refused:
        read_chat(address)
    assert str(refused.value).endswith(".")
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in str(refused.value)


def test_nothing_of_apprise_is_loaded_but_what_is_allowed():
    code = (
        "import os, sys, tempfile\n"
        "os.environ['FOLKMOOT_HOME'] = tempfile.mkdtemp()\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'folkmoot.desk.site.settings'\n"
        "import django; django.setup()\n"
        "assert 'apprise' not in sys.modules\n"
        "from folkmoot.desk.notices import chats\n"
        f"chats.read_chat({SLACK!r})\n"
        "print(*sorted(n for n in sys.modules if n.startswith('apprise.plugins.')))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[2] for name in said.stdout.split()}
    assert "slack" in loaded
    assert not loaded & {"custom_json", "custom_xml", "custom_form", "email", "syslog", "dbus"}
    assert len(loaded) < 10


def test_a_message_goes_through_the_real_apprise(monkeypatch):
    from apprise.plugins.slack import NotifySlack

    chat = read_chat(SLACK)
    with web_server() as (port, came):
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{port}/services")
        chats.tell(chat, "Mootshire: 2 things need a person", "Now: A & B\nhttp://desk.example/")
    ((path, body),) = came
    assert path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    (told,) = json.loads(body)["attachments"]
    assert told["title"] == "Mootshire: 2 things need a person"
    assert told["text"] == "Now: A &amp; B\nhttp://desk.example/"
    assert "apprise" not in body.decode().lower()  # no picture fetched from elsewhere


@pytest.mark.parametrize("status", [302, 403, 500])
def test_a_chat_that_does_not_take_it_is_said_and_no_redirect_is_followed(monkeypatch, status):
    from apprise.plugins.slack import NotifySlack

    with (
        web_server() as (elsewhere, went),
        web_server(status, f"http://127.0.0.1:{elsewhere}/" if status == 302 else "") as (
            port,
            came,
        ),
    ):
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{port}/services")
        with pytest.raises(ChatFailed, match="Slack did not take the message"):
            chats.tell(read_chat(SLACK), "x", "y")
    assert len(came) == 1
    assert went == []


def test_a_server_of_ones_own_is_asked_by_the_outbound_client_alone(monkeypatch):
    with web_server() as (port, came):
        chat = Chat(chats.OWN, f"http://127.0.0.1:{port}/hooks/abc")
        with pytest.raises(ChatFailed, match="over https or not at all"):
            chats.tell(chat, "x", "y")
        inner = Chat(chats.OWN, "https://127.0.0.1/hooks/abc")
        with pytest.raises(ChatFailed, match="not a public address"):
            chats.tell(inner, "x", "y")
        assert came == []
        monkeypatch.setattr(settings, "INTERNAL_HOSTS", (f"127.0.0.1:{port}",))
        chats.tell(chat, "A title", "Now: it stands.")
    ((path, body),) = came
    assert path == "/hooks/abc"
    assert json.loads(body) == {"text": "A title\n\nNow: it stands."}
    with web_server(410) as (port, _):
        monkeypatch.setattr(settings, "INTERNAL_HOSTS", (f"127.0.0.1:{port}",))
        with pytest.raises(ChatFailed, match=r"did not take the message \(410\)"):
            chats.tell(Chat(chats.OWN, f"http://127.0.0.1:{port}/hooks/abc"), "x", "y")


def add_chat(cast, address=SLACK):
    return actions.add_target(
        cast.dan,
        kind=TargetKind.CHAT,
        name="Duty channel",
        address=address,
        urgencies=[Urgency.NOW],
        quiet=None,
        now=cast.clock(),
    )


def test_a_chat_address_is_sealed_told_by_the_worker_and_nowhere_in_the_open(cast, monkeypatch):
    told = []
    monkeypatch.setattr(chats, "_notify", lambda _plugin, *said: told.append(said) or True)
    target = add_chat(cast)
    assert "hooks.slack.com" not in target.address
    assert not any("TIiajkdn" in text for text in moves.recorded_texts())
    actions.ask_test(cast.dan, target.pk, now=cast.clock())
    telling.work(cast.clock)
    assert notices.find_test(target).state == "told"
    ((title, text),) = told
    assert title == "Mootshire Council: a test"
    assert "http://testserver/desk/duty/" in text


def test_a_chat_address_copied_to_another_row_does_not_open(cast):
    one = add_chat(cast)
    other = actions.add_target(
        cast.dan,
        kind=TargetKind.CHAT,
        name="Another",
        address=SLACK,
        urgencies=[Urgency.NOW],
        quiet=None,
        now=cast.clock(),
    )
    update_sealed(other, {"address": one.address})
    actions.ask_test(cast.dan, other.pk, now=cast.clock())
    telling.work(cast.clock)
    test = notices.find_test(other)
    assert test.state == "failed"
    assert "does not open" in test.trouble


def test_a_sealed_address_that_is_no_longer_allowed_is_not_asked(cast):
    target = add_chat(cast)
    sealed = seal(telling.place_of(target), "json://127.0.0.1/")
    update_sealed(target, {"address": sealed})
    actions.ask_test(cast.dan, target.pk, now=cast.clock())
    telling.work(cast.clock)
    assert "json:// is not used here" in notices.find_test(target).trouble


def test_a_chat_that_fails_keeps_its_address_off_the_log_and_off_the_page(
    cast, monkeypatch, caplog
):
    from apprise.plugins.slack import NotifySlack

    with web_server(500) as (port, _):
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{port}/services")
        target = add_chat(cast)
        actions.ask_test(cast.dan, target.pk, now=cast.clock())
        caplog.set_level("DEBUG")
        telling.work(cast.clock)
    page = cast.client(cast.dan).get("/desk/notices/").content.decode()
    assert "Slack did not take the message" in page
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in caplog.text + page


# E-mail


class Kept:
    """What a real mail server took."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        self.letters.append(envelope)
        return "250 OK"


@pytest.fixture
def mail_server(monkeypatch):
    kept = Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=0)
    # A port of 0 is only known once it is bound.
    controller.port = free_port()
    controller.start()
    config = Config.from_env(
        {
            "FOLKMOOT_HOME": str(settings.CONFIG.home),
            "FOLKMOOT_ADDRESS": settings.CONFIG.address,
            "FOLKMOOT_LISTEN": "127.0.0.1:8000",
            "FOLKMOOT_SMTP": f"smtp://127.0.0.1:{controller.port}",
            "FOLKMOOT_MAIL_FROM": "folkmoot@moot.example",
        }
    )
    monkeypatch.setattr(settings, "CONFIG", config)
    monkeypatch.setattr(settings, "INTERNAL_HOSTS", (f"127.0.0.1:{controller.port}",))
    yield kept
    controller.stop()


def free_port():
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_notice_goes_through_a_real_mail_server(cast, mail_server):
    target = actions.add_target(
        cast.dan,
        kind=TargetKind.EMAIL,
        name="",
        address="duty@moot.example",
        urgencies=[Urgency.NOW],
        quiet=None,
        now=cast.clock(),
    )
    actions.ask_test(cast.dan, target.pk, now=cast.clock())
    assert telling.work(cast.clock) == 1
    (taken,) = mail_server.letters
    assert taken.rcpt_tos == ["duty@moot.example"]
    assert taken.mail_from == "folkmoot@moot.example"
    message = email.message_from_bytes(taken.content, policy=email.policy.default)
    assert message["Subject"] == "Mootshire Council: a test"
    assert message["From"].addresses[0].display_name == "Mootshire Council"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "http://testserver/desk/duty/" in message.get_body(("plain",)).get_content()
    assert 'href="http://testserver/desk/duty/"' in message.get_body(("html",)).get_content()


def test_a_mail_server_that_is_away_is_said_in_words(cast, mail_server, monkeypatch):
    away = replace(settings.CONFIG, smtp=replace(settings.CONFIG.smtp, port=free_port()))
    monkeypatch.setattr(settings, "CONFIG", away)
    monkeypatch.setattr(settings, "INTERNAL_HOSTS", (f"127.0.0.1:{away.smtp.port}",))
    target = actions.add_target(
        cast.dan,
        kind=TargetKind.EMAIL,
        name="",
        address="duty@moot.example",
        urgencies=[Urgency.NOW],
        quiet=None,
        now=cast.clock(),
    )
    actions.ask_test(cast.dan, target.pk, now=cast.clock())
    telling.work(cast.clock)
    assert "No connection to 127.0.0.1 could be made" in notices.find_test(target).trouble
    assert letters.find_obstacle() == ""


# The settings


def from_env(**given):
    return Config.from_env({f"FOLKMOOT_{name}": value for name, value in given.items()})


def test_the_mail_server_is_read_with_its_password_out_of_sight():
    config = from_env(
        SMTP="smtp://us%40er:p%3Ass@mail.example.uk:2525?tls=starttls", MAIL_FROM="a@b.example"
    )
    assert (config.smtp.host, config.smtp.port) == ("mail.example.uk", 2525)
    assert (config.smtp.user, config.smtp.password) == ("us@er", "p:ss")
    assert "p:ss" not in repr(config)
    assert from_env(SMTP="smtp://mail.example.uk", MAIL_FROM="a@b.example").smtp.port == 587
    assert from_env().smtp is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SMTP": "mail.example.uk", "MAIL_FROM": "a@b.example"}, "must be like smtp://"),
        ({"SMTP": "smtp://:25", "MAIL_FROM": "a@b.example"}, "must be like smtp://"),
        ({"SMTP": "smtp://u:pw@h:99999", "MAIL_FROM": "a@b.example"}, "must be like smtp://"),
        ({"SMTP": "smtp://u:pw@h.uk?tls=no", "MAIL_FROM": "a@b.example"}, "tls=starttls"),
        ({"SMTP": "smtp://u:pw@h.uk"}, "FOLKMOOT_MAIL_FROM"),
        ({"SMTP": "smtp://u:pw@h.uk", "MAIL_FROM": "Folkmoot <a@b.example>"}, "MAIL_FROM"),
    ],
)
def test_settings_of_the_mail_server_that_cannot_be_used_are_named(given, words):
    with pytest.raises(ConfigError, match=words) as refused:
        from_env(**given)
    assert "pw" not in str(refused.value)
