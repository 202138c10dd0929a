"""Handing an e-mail over: what was taken, what was not, and what nobody knows."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest
from test_channels_email_message import AT, LEAVE, entry_of, letter_of

from folkmoot.channels.contract import HOSTILE_TEXTS
from folkmoot.channels.email import (
    Handed,
    Notify,
    NotifyService,
    NotNow,
    NotTaken,
    NotThere,
    Smtp,
    SmtpServer,
    Unsure,
    make_transport,
)
from folkmoot.channels.email.simulated import SIMULATED
from folkmoot.channels.email.simulated_smtp import SimulatedSmtp
from folkmoot.channels.kinds import CannotConnect
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import Part
from folkmoot.channels.simulator import Fault, Occasion, Simulator, Strike

SENDER = "posts@council.example.uk"


@pytest.fixture
def letter():
    return letter_of(entry_of(Part("Good morning.\n.hidden dot\n..two\nFrom me to you.")))


@pytest.fixture
def server():
    with SimulatedSmtp() as server:
        yield server


@pytest.fixture
def smtp(server):
    transport = make_smtp(server)
    yield transport
    transport.close()


def make_smtp(server, *, port=None, **more):
    more.setdefault("allow", [server.allow])
    known = {name: more.pop(name) for name in ("user", "password") if name in more}
    return Smtp(SmtpServer("127.0.0.1", port or server.port, SENDER, **known), **more)


def count(server):
    return len(server.store.list_all())


# -- a mail server -------------------------------------------------------------------------------


def test_what_is_handed_over_arrives_letter_for_letter(server, smtp, letter):
    outcome = smtp.hand_over(letter)
    assert isinstance(outcome, Handed)
    assert outcome.remote_id.isdigit()
    (raw,) = server.list_to("ann@example.org")
    from folkmoot.channels.email import write_message

    assert raw == write_message(letter, sender=SENDER)
    assert server.store.list_all()[0].key == letter.message_id


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_text_travels(server, smtp, text):
    assert isinstance(smtp.hand_over(letter_of(entry_of(Part(text)))), Handed)
    assert count(server) == 1


def test_one_connection_serves_many_letters(server, smtp, letter):
    for _ in range(5):
        assert isinstance(smtp.hand_over(letter), Handed)
    assert server.connections == 1
    smtp.close()
    assert isinstance(smtp.hand_over(letter), Handed)
    assert server.connections == 2


@pytest.mark.parametrize(
    ("occasion", "fault", "outcome", "kept"),
    [
        (Occasion.PUBLISH, Fault.LOSE_ANSWER, Unsure, 1),
        (Occasion.PUBLISH, Fault.DROP, Unsure, 0),
        (Occasion.PUBLISH, Fault.RUBBISH, Unsure, 1),
        (Occasion.PUBLISH, Fault.REFUSE, NotTaken, 0),
        (Occasion.PUBLISH, Fault.TOO_MANY, NotNow, 0),
        (Occasion.UPLOAD, Fault.REFUSE, NotTaken, 0),
        (Occasion.UPLOAD, Fault.BROKEN_BEFORE, NotNow, 0),
    ],
)
def test_each_answer_means_what_it_says(  # noqa: PLR0917
    server, smtp, letter, occasion, fault, outcome, kept
):
    server.faults.add(occasion, Strike(fault))
    got = smtp.hand_over(letter)
    assert isinstance(got, outcome)
    assert count(server) == kept
    assert "ann@" not in got.reason
    assert got.reason.endswith(".")
    # The next letter goes its way.
    assert isinstance(smtp.hand_over(letter), Handed)
    assert count(server) == kept + 1


def test_only_what_is_said_of_an_address_is_held_against_it(server, smtp, letter):
    server.faults.add(Occasion.UPLOAD, Strike(Fault.REFUSE))
    assert smtp.hand_over(letter).about_address
    server.faults.add(Occasion.PUBLISH, Strike(Fault.REFUSE))
    assert not smtp.hand_over(letter).about_address


def test_a_server_that_is_slow_to_answer_leaves_us_unsure(server, letter):
    smtp = make_smtp(server, answer_seconds=0.2)
    server.faults.add(Occasion.PUBLISH, Strike(Fault.SLOW, 1.0))
    assert isinstance(smtp.hand_over(letter), Unsure)
    assert count(server) == 1
    smtp.close()


def test_a_mail_server_cannot_be_asked(smtp):
    assert not smtp.can_find
    assert isinstance(smtp.find("0" * 32), Unsure)


def test_signing_in_and_what_is_wrong_with_it(letter):
    with SimulatedSmtp(user="council", password="s3cret words") as server:
        for user, password, well in (
            ("council", "s3cret words", True),
            ("council", "wrong", False),
            ("", "", False),
        ):
            smtp = make_smtp(server, user=user, password=password)
            trouble, outcome = smtp.diagnose(), smtp.hand_over(letter)
            smtp.close()
            assert (trouble is None) is well
            assert isinstance(outcome, Handed if well else NotNow)
            if not well:
                assert outcome.for_all
            assert "s3cret" not in repr((smtp, vars(smtp), trouble, outcome))


def test_nobody_there_is_not_now(letter):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    smtp = Smtp(SmtpServer("127.0.0.1", port, SENDER), allow=[f"127.0.0.1:{port}"])
    outcome = smtp.hand_over(letter)
    assert isinstance(outcome, NotNow)
    assert outcome.for_all
    assert smtp.diagnose() == outcome.reason


@pytest.mark.parametrize("port", [587, 465, 6379])
def test_a_private_address_is_asked_only_where_it_is_named(letter, port):
    smtp = Smtp(SmtpServer("mail.example.org", port, SENDER), resolve=lambda *_: ["10.0.0.5"])
    outcome = smtp.hand_over(letter)
    assert isinstance(outcome, NotNow)
    assert "allowed internal servers" in outcome.reason


# -- encryption ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, and a context that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(file)
    return served, lambda: ssl.create_default_context(cafile=str(file))


def test_encryption_is_used_where_it_is_offered_and_certificates_are_checked(certificate, letter):
    served, trusting = certificate
    with SimulatedSmtp(tls=served, user="u", password="p") as server:
        smtp = make_smtp(server, user="u", password="p", tls=trusting)
        assert isinstance(smtp.hand_over(letter), Handed)
        smtp.close()
        wary = make_smtp(server, user="u", password="p")
        outcome = wary.hand_over(letter)
        wary.close()
        assert isinstance(outcome, NotNow)
        assert "certificate" in outcome.reason
        assert count(server) == 1


def test_a_server_that_is_not_ones_own_must_encrypt(server, letter, monkeypatch):
    # As if it stood on a public address: neither the port nor the address is in its way.
    monkeypatch.setattr("folkmoot.channels.email.smtp.PORTS", (server.port,))
    monkeypatch.setattr("folkmoot.channels.email.smtp.find_refusal", lambda _: None)
    smtp = make_smtp(server, allow=[])
    outcome = smtp.hand_over(letter)
    assert isinstance(outcome, NotNow)
    assert "does not encrypt" in outcome.reason
    assert count(server) == 0


def test_encryption_from_the_start(certificate, letter, monkeypatch):
    served, trusting = certificate
    with scripted(TALK, tls=served) as (port, heard):
        monkeypatch.setattr("folkmoot.channels.email.smtp._TLS_FROM_THE_START", port)
        smtp = Smtp(
            SmtpServer("127.0.0.1", port, SENDER), allow=[f"127.0.0.1:{port}"], tls=trusting
        )
        assert isinstance(smtp.hand_over(letter), Handed)
        smtp.close()
        smtp = Smtp(SmtpServer("127.0.0.1", port, SENDER), allow=[f"127.0.0.1:{port}"])
        assert "certificate" in smtp.hand_over(letter).reason
    assert b"Good morning." in b"".join(heard)


# -- servers that misbehave ------------------------------------------------------------------------

TALK = {
    b"": b"220 hello\r\n",
    b"EHLO": b"250 hello\r\n",
    b"MAIL": b"250 OK\r\n",
    b"RCPT": b"250 OK\r\n",
    b"DATA": b"354 go on\r\n",
    b".": b"250 OK\r\n",
    b"RSET": b"250 OK\r\n",
    b"QUIT": b"221 bye\r\n",
}
BREAK = None


@contextlib.contextmanager
def scripted(answers, *, tls=None, drip=0.0):  # noqa: C901
    """A server that says what it is told to for each verb, ``BREAK`` to hang up at once."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    heard, gone = [], threading.Event()

    def say(connected, text):
        if not drip:
            connected.sendall(text)
            return
        for letter in text:
            connected.sendall(bytes([letter]))
            if gone.wait(drip):
                return

    def serve(connected):
        with connected:
            in_data = False
            verb = b""
            file = connected.makefile("rb")
            with file:
                while True:
                    answer = answers[verb]
                    if answer is BREAK:
                        connected.shutdown(socket.SHUT_RDWR)
                        return
                    say(connected, answer)
                    if verb == b"DATA":
                        in_data = answer.startswith(b"354")
                    while line := file.readline():
                        heard.append(line)
                        if not in_data or line == b".\r\n":
                            break
                    if not line:
                        return
                    verb = b"." if in_data else line[:4].strip().upper()
                    in_data = False

    def accept():
        while not gone.is_set():
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, ssl.SSLError):
                serve(tls.wrap_socket(connected, server_side=True) if tls else connected)
            connected.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        gone.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def hand_over(answers, letter, **more):
    drip = more.pop("drip", 0.0)
    with scripted(TALK | answers, drip=drip) as (port, heard):
        smtp = Smtp(SmtpServer("127.0.0.1", port, SENDER), allow=[f"127.0.0.1:{port}"], **more)
        outcome = smtp.hand_over(letter)
        smtp.close()
    return outcome, heard


@pytest.mark.parametrize("verb", [b"", b"EHLO", b"MAIL", b"RCPT", b"DATA"])
def test_a_connection_lost_before_the_end_of_the_letter_has_taken_nothing(letter, verb):
    outcome, _ = hand_over({verb: BREAK}, letter)
    assert isinstance(outcome, NotNow), outcome


def test_a_connection_lost_after_the_end_of_the_letter_leaves_us_unsure(letter):
    outcome, _ = hand_over({b".": BREAK}, letter)
    assert isinstance(outcome, Unsure), outcome


@pytest.mark.parametrize(
    ("verb", "answer", "outcome", "for_all", "about_address"),
    [
        (b"", b"554 no\r\n", NotNow, True, None),
        (b"EHLO", b"550 no\r\n", NotNow, True, None),
        (b"MAIL", b"550 5.7.1 not your domain\r\n", NotNow, True, None),
        (b"MAIL", b"421 4.3.2 shutting down\r\n", NotNow, True, None),
        (b"RCPT", b"550 5.1.1 no such user\r\n", NotTaken, None, True),
        (b"RCPT", b"552 5.2.2 mailbox full\r\n", NotTaken, None, True),
        (b"RCPT", b"550 no such user\r\n", NotTaken, None, True),
        (b"RCPT", b"550 5.7.1 you are on a block list\r\n", NotTaken, None, False),
        (b"RCPT", b"450 4.2.0 greylisted\r\n", NotNow, False, None),
        (b"RCPT", b"421 too many\r\n", NotNow, True, None),
        (b"DATA", b"554 no valid recipients\r\n", NotTaken, None, False),
        (b"DATA", b"451 later\r\n", NotNow, False, None),
        (b".", b"554 5.7.1 spam\r\n", NotTaken, None, False),
        (b".", b"452 4.3.1 full\r\n", NotNow, False, None),
        (b".", b"250-two\r\n250 lines\r\n", Handed, None, None),
        (b".", b"354 what\r\n", Unsure, None, None),
        (b".", b"hello\r\n", Unsure, None, None),
        (b".", b"2" * 9000 + b"\r\n", Unsure, None, None),
        (b".", b"\r\n", Unsure, None, None),
    ],
)
def test_codes(  # noqa: PLR0917
    letter, verb, answer, outcome, for_all, about_address
):
    got, _ = hand_over({verb: answer}, letter)
    assert isinstance(got, outcome), got
    if for_all is not None:
        assert got.for_all is for_all
    if about_address is not None:
        assert got.about_address is about_address


def test_a_server_that_leaves_after_its_no_has_said_no(letter):
    outcome, _ = hand_over({b"RCPT": b"550 5.1.1 no\r\n", b"RSET": BREAK}, letter)
    assert isinstance(outcome, NotTaken)


@pytest.mark.parametrize("verb", [b"", b"EHLO", b"MAIL", b"."])
def test_a_server_that_drips_is_left_in_time(letter, verb):
    started = datetime.now(UTC)
    answers = {verb: b"250-" + b"x" * 500 + b"\r\n250 OK\r\n"}
    if verb == b"":
        answers = {verb: b"220-" + b"x" * 500 + b"\r\n220 OK\r\n"}
    outcome, _ = hand_over(
        answers, letter, drip=0.02, connect_seconds=1.0, letter_seconds=1.5, answer_seconds=0.5
    )
    assert isinstance(outcome, Unsure if verb == b"." else NotNow), outcome
    assert (datetime.now(UTC) - started).total_seconds() < 10


def test_a_connection_that_went_stale_is_made_anew_and_the_letter_goes_once(letter):
    with scripted(TALK) as (port, heard):
        smtp = Smtp(SmtpServer("127.0.0.1", port, SENDER), allow=[f"127.0.0.1:{port}"])
        assert isinstance(smtp.hand_over(letter), Handed)
        smtp._line._handle.shutdown(socket.SHUT_RDWR)  # as the server's idle time-out does
        assert isinstance(smtp.hand_over(letter), Handed)
        smtp.close()
    assert heard.count(b".\r\n") == 2
    assert heard.count(b"DATA\r\n") == 2


def test_the_server_hears_no_name_of_the_machine(letter):
    _, heard = hand_over({}, letter)
    assert next(line for line in heard if line.startswith((b"EHLO", b"ehlo"))).endswith(
        b"[127.0.0.1]\r\n"
    )


# -- GOV.UK Notify ---------------------------------------------------------------------------------


@pytest.fixture
def simulator():
    with Simulator(SIMULATED()) as simulator:
        yield simulator


def make_notify(simulator, *, key=None, template_id=None, now=lambda: datetime.now(UTC)):
    typed = simulator.simulated
    service = NotifyService(
        key or typed.api_key, template_id or typed.template_id, server=simulator.url
    )
    outbound = Outbound(allow=[simulator.allow], timeout_seconds=2)
    return Notify(service, outbound, now=now)


def test_notify_is_given_the_subject_the_body_and_the_way_to_leave(simulator, letter):
    notify = make_notify(simulator)
    outcome = notify.hand_over(letter)
    assert isinstance(outcome, Handed)
    (stored,) = simulator.store.list_all()
    assert stored.text == letter.subject
    assert stored.key == letter.reference
    assert stored.extra["to"] == "ann@example.org"
    assert stored.extra["body"] == letter.text
    assert stored.extra["unsubscribe_url"] == LEAVE
    assert notify.find(letter.reference) == outcome
    assert notify.find("0" * 32) == NotThere()
    assert notify.diagnose() is None


@pytest.mark.parametrize(
    ("fault", "outcome", "kept"),
    [
        (Fault.LOSE_ANSWER, Unsure, 1),
        (Fault.DROP, Unsure, 0),
        (Fault.BROKEN_BEFORE, Unsure, 0),
        (Fault.BROKEN_AFTER, Unsure, 1),
        (Fault.RUBBISH, Unsure, 1),
        (Fault.WRONG_ID, Unsure, 1),
        (Fault.TOO_MANY, NotNow, 0),
        (Fault.EXPIRED, NotNow, 0),
        (Fault.REFUSE, NotTaken, 0),
    ],
)
def test_notify_faults_are_decided_by_asking(simulator, letter, fault, outcome, kept):
    notify = make_notify(simulator)
    simulator.faults.add(Occasion.PUBLISH, Strike(fault))
    got = notify.hand_over(letter)
    assert isinstance(got, outcome), got
    assert "ann@" not in got.reason
    if isinstance(got, NotNow):
        assert got.for_all
    if isinstance(got, NotTaken):
        assert got.about_address
    assert len(simulator.store.list_all()) == kept
    assert isinstance(notify.find(letter.reference), Handed if kept else NotThere)


def test_what_notify_does_not_say_clearly_proves_nothing(simulator, letter):
    notify = make_notify(simulator)
    for fault in (Fault.RUBBISH, Fault.BROKEN_BEFORE, Fault.DROP, Fault.TOO_MANY):
        simulator.faults.add(Occasion.READ, Strike(fault))
        assert isinstance(notify.find(letter.reference), Unsure)


def test_what_is_wrong_with_notify_is_said_in_words(simulator, letter):
    typed = simulator.simulated
    other = typed.api_key[:-1] + "1"
    assert "API key" in make_notify(simulator, key=other).diagnose()
    late = make_notify(simulator, now=lambda: datetime.now(UTC) + dt.timedelta(minutes=2))
    assert "clock" in late.hand_over(letter).reason
    missing = make_notify(simulator, template_id=typed.service_id)
    assert "no template" in missing.diagnose()
    outcome = missing.hand_over(letter)
    assert isinstance(outcome, NotNow)
    assert outcome.for_all
    typed.template = {**typed.template, "body": "Hello"}
    assert "((body))" in make_notify(simulator).diagnose()
    typed.template = {**typed.template, "type": "sms"}
    assert "e-mails" in make_notify(simulator).diagnose()


def test_the_key_of_notify_is_in_nothing_that_is_shown(simulator, letter):
    notify = make_notify(simulator)
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.EXPIRED))
    shown = repr((notify, vars(notify), notify.hand_over(letter), notify.diagnose()))
    assert simulator.simulated.secret not in shown
    assert simulator.simulated.api_key not in shown


# -- what an admin types ---------------------------------------------------------------------------


def connect(secrets=None, **settings):
    return make_transport(
        settings,
        secrets or {},
        outbound=Outbound(),
        now=lambda: AT,
    )


def test_what_is_typed_makes_a_transport():
    smtp = connect(host="SMTP.example.org ", sender="posts@example.org", port="465")
    assert isinstance(smtp, Smtp)
    typed = SIMULATED().to_type("http://127.0.0.1:1")
    settings = {k: v for k, v in typed.items() if k != "notify_key"}
    assert isinstance(connect({"notify_key": typed["notify_key"]}, **settings), Notify)


@pytest.mark.parametrize(
    ("settings", "secrets", "field"),
    [
        ({}, {}, "host"),
        ({"host": "a b"}, {}, "host"),
        ({"host": "mail.example.org\r\nX"}, {}, "host"),
        ({"host": "mail.example.org", "template_id": "x"}, {}, "host"),
        ({"host": "mail.example.org"}, {}, "sender"),
        ({"host": "mail.example.org", "sender": "a@b.example", "port": "99999"}, {}, "port"),
        ({"host": "mail.example.org", "sender": "a@b.example", "port": "²"}, {}, "port"),
        ({"host": "mail.example.org", "sender": "a@b.example", "user": "u"}, {}, "user"),
        (
            {"host": "mail.example.org", "sender": "a@b.example", "user": "u"},
            {"password": "pässword"},
            "password",
        ),
        (
            {"host": "mail.example.org", "sender": "a@b.example", "per_minute": "0"},
            {},
            "per_minute",
        ),
        ({"template_id": "9d751e0e-f929-4891-82a1-a3e1c3c18ee3"}, {}, "notify_key"),
        ({"template_id": "x"}, {"notify_key": SIMULATED().api_key}, "template_id"),
    ],
)
def test_what_cannot_be_right_is_said_at_its_field(settings, secrets, field):
    with pytest.raises(CannotConnect) as wrong:
        connect(secrets, **settings)
    assert wrong.value.field == field
    assert wrong.value.reason.endswith(".")


# -- to practise with ------------------------------------------------------------------------------


def test_the_simulated_channel_has_a_mail_server_beside_it(letter):
    import json
    import re
    import signal
    import subprocess
    import sys
    import urllib.request

    running = subprocess.Popen(
        [sys.executable, "-m", "folkmoot", "simulate", "email"], stdout=subprocess.PIPE, text=True
    )
    try:
        said = ""
        while "Ctrl-C" not in said:
            said += running.stdout.readline()
        (page,) = re.findall(r"stands at (\S+)", said)
        (port,) = re.findall(r"port (\d+)", said)
        assert f"127.0.0.1:{port}" in said
        smtp = Smtp(SmtpServer("127.0.0.1", int(port), SENDER), allow=[f"127.0.0.1:{port}"])
        assert isinstance(smtp.hand_over(letter), Handed)
        smtp.close()
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{page}/_simulator/posts") as answer:
            (posted,) = json.loads(answer.read())
        assert posted["text"] == letter.subject
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
    assert running.returncode == 0
