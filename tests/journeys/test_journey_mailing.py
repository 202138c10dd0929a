"""Posts by e-mail, from connecting a mail server to a mailbox and out again, in a browser."""

import email
import email.policy
import re
import urllib.request

import pytest
from page_watch import PageWatch
from running_desk import RunningDesk, wait_for

from folkmoot.channels.email.simulated_smtp import SimulatedSmtp
from folkmoot.channels.simulator import Fault, Occasion, Strike

FIRST = "The Teddington barrier opens again on Saturday at 9am. Boats can use the lock."
SECOND = "The Richmond footbridge is closed on Sunday from 10am for painting."


@pytest.fixture(scope="module")
def server():
    with SimulatedSmtp(user="council", password="secret words") as server:
        yield server


@pytest.fixture(scope="module")
def desk(tmp_path_factory, server):
    desk = RunningDesk(tmp_path_factory.mktemp("desk"), internal_hosts=(server.allow,))
    try:
        desk.start()
        yield desk
    finally:
        desk.stop()
    said = desk.said()
    assert "Traceback" not in said, said
    assert "@mail.example" not in desk.log.read_text(errors="replace"), "an address in the log"


def body_of(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return message, message.get_body(("plain",)).get_content()


def wait_for_mail(server, address, count):
    wait_for(
        lambda: len(server.list_to(address)) >= count,
        seconds=20,
        what=f"{address} has {count} e-mails",
    )
    return body_of(server.list_to(address)[-1])


def test_a_list_is_opened_joined_posted_to_decided_about_and_left(somebody, desk, server, axe):
    watch = PageWatch(axe)
    admin, second = somebody().sign_in("approver"), somebody().sign_in("duty")
    anyone, author = somebody(), somebody().sign_in("author")

    connect(admin, second, server)
    watch.visit(admin, "/desk/mailing/")
    for name in ("ann", "bo"):
        join(anyone, desk, server, f"{name}@mail.example", watch)

    number = author.send_for_signoff(FIRST, "E-mail")
    second.sign(number)
    message, said = wait_for_mail(server, "ann@mail.example", 2)
    wait_for_mail(server, "bo@mail.example", 2)
    assert message["Subject"] == "The Teddington barrier opens again on Saturday at 9am."
    assert FIRST in said
    (web,) = re.findall(r"On the web: http://[^/]+(\S+)", said)
    watch.visit(anyone, web)
    assert FIRST in anyone.text()

    server.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    number = author.send_for_signoff(SECOND, "E-mail")
    second.sign(number)
    wait_for_mail(server, "bo@mail.example", 3)
    admin.page.goto("/desk/mailing/")
    wait_for(lambda: admin.says("nobody knows"), seconds=20, what="a person is asked")
    watch.look(admin, "/desk/mailing/")
    admin.click("Leave it as it is")
    assert "1 e-mail stays as it is." in admin.text()
    assert len(server.list_to("ann@mail.example")) == 3, "it was taken, and is not sent twice"

    leave_by_mail_program(message)
    (stop,) = re.findall(
        r"To stop: http://[^/]+(\S+)", body_of(server.list_to("bo@mail.example")[-1])[1]
    )
    watch.visit(anyone, stop)
    anyone.click("Stop the e-mails")
    watch.look(anyone, "left")
    admin.page.goto("/desk/mailing/")
    assert re.search(r"Get the posts\s+0", admin.text())
    assert not watch.faults, "\n".join(watch.faults)


def connect(admin, second, server):
    """One person types it, another agrees."""
    page = admin.page
    page.goto("/desk/accounts/connect/email")
    for label, value in (
        ("Address the e-mails come from (optional)", "posts@council.example"),
        ("Mail server (optional)", "127.0.0.1"),
        ("Port", str(server.port)),
        ("User on the mail server (optional)", "council"),
        ("Password on the mail server (optional)", "secret words"),
    ):
        page.get_by_label(label, exact=True).fill(value)
    admin.click("Connect")
    assert not admin.problems(), admin.problems()
    second.page.goto("/desk/accounts/")
    second.page.get_by_role("button", name=re.compile("^Confirm")).first.click()
    second.page.wait_for_load_state()


def join(anyone, desk, server, address, watch):
    """Ask, be asked back, say yes."""
    watch.visit(anyone, "/subscribe/")
    anyone.page.get_by_label("Your e-mail address").fill(address)
    anyone.click("Ask for the posts")
    watch.look(anyone, "sent")
    _, asking = wait_for_mail(server, address, 1)
    (link,) = re.findall(re.escape(desk.address) + r"(/subscribe/confirm/\S+)", asking)
    watch.visit(anyone, link)
    anyone.click("Yes, send me the posts")
    watch.look(anyone, "confirmed")
    assert "You get our posts by e-mail" in anyone.text()


def leave_by_mail_program(message):
    """What a mail program does when its own button is pressed (RFC 8058)."""
    (url,) = re.findall(r"<(.+)>", message["List-Unsubscribe"])
    request = urllib.request.Request(url, message["List-Unsubscribe-Post"].encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        assert answer.status == 200
