"""An e-mail says what was signed, and nothing that somebody wrote becomes a header or markup."""

import dataclasses
import email
import email.policy
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from folkmoot.channels import entries
from folkmoot.channels.contract import HOSTILE_TEXTS, ChannelContract, make_picture
from folkmoot.channels.email import (
    CAPABILITIES,
    Email,
    NotAnAddress,
    make_reference,
    read_address,
    write_confirmation,
    write_issue,
    write_message,
)
from folkmoot.channels.port import NotPrepared, Part, Prepared, Rendition
from folkmoot.channels.shelf import FolderShelf

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SENDER = "posts@council.example.uk"
LEAVE = "https://post.example.uk/unsubscribe/0123456789abcdef.ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
INJECTIONS = (
    "Hello\r\nBcc: everyone@example.com",
    "Hello\nX: y\n\nbody",
    "Hello\rBcc: x@y.example",
    "Hello\u2028Bcc: x@y.example\u2029\x85\x0b\x0c\x1c\x1dend",
    "=?utf-8?q?=0D=0ABcc:_x@y.example?=",
    'Quotes " and <angles@evil.example>, commas',
    "Ŵyl yr Eisteddfod, 'dyfyniad' \"a\" <b>: " + "hir " * 60,
    "\ud800 half a pair",
    "",
    "   ",
    "👨‍👩‍👧‍👦 " * 40,
    "e" + "\u0301" * 900,
)


def url_of_picture(sha256, media_type):
    return f"https://post.example.uk/pictures/{sha256}.png"


def make_adapter(shelf=None):
    return Email(
        shelf,
        issue_url=lambda key: f"https://post.example.uk/mail/{key}/",
        picture_url=url_of_picture,
    )


def entry_of(*parts, language="en"):
    adapter = make_adapter()
    prepared = adapter.prepare(
        Rendition(parts, language), key=adapter.make_key("d", AT), at=AT, memo=""
    )
    assert isinstance(prepared, Prepared), prepared
    return entries.read_entry(prepared.request)


def letter_of(entry, *, to="ann@example.org", name="Mootshire Council", leave=LEAVE):
    return write_issue(
        entry,
        reference=make_reference(entry.key, "recipient"),
        to=to,
        sender_name=name,
        list_id="posts.post.example.uk",
        unsubscribe_url=leave,
    )


def read(message):
    return email.message_from_bytes(message, policy=email.policy.default)


def body_of(message, kind):
    return read(message).get_body((kind,)).get_content().replace("\r\n", "\n")


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.shown = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.shown.append(data)


class TestEmail(ChannelContract):
    thread_counts_as_one = True

    @pytest.fixture
    def shelf(self, tmp_path):
        return FolderShelf(tmp_path / "outbox")

    @pytest.fixture
    def adapter(self, shelf):
        return make_adapter(shelf)

    @pytest.fixture
    def count_posts(self, shelf):
        return lambda: len(shelf.list_newest(1000))

    @pytest.fixture
    def secrets(self):
        return lambda: ["there is none"]


def test_an_email_cannot_be_taken_back_and_says_what_to_do_instead():
    adapter = make_adapter()
    outcome = adapter.prepare_removal(None, key="k", at=AT, reason="A slip.")
    assert isinstance(outcome, NotPrepared)
    assert "correction" in outcome.reason
    assert not CAPABILITIES.removes


def test_what_a_mail_program_needs_stands_in_the_headers():
    entry = entry_of(Part("The library opens on Monday. Everyone is welcome."))
    message = read(write_message(letter_of(entry), sender=SENDER))
    assert message["From"] == "Mootshire Council <posts@council.example.uk>"
    assert message["To"] == "ann@example.org"
    assert message["Subject"] == "The library opens on Monday."
    assert message["Date"].datetime == AT
    assert re.fullmatch(r"<[0-9a-f]{32}@post\.example\.uk>", message["Message-ID"])
    assert message["List-Id"] == "<posts.post.example.uk>"
    assert message["List-Unsubscribe"] == f"<{LEAVE}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] == "list"
    assert message["Content-Language"] == "en"
    assert message["MIME-Version"] == "1.0"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not list(message.iter_attachments())[1:], "nothing is attached"


def test_an_address_to_leave_by_is_never_folded_or_encoded():
    long = "https://" + "a" * 60 + "." + "b" * 60 + ".example.uk/unsubscribe/" + "x" * 60
    entry = entry_of(Part("Hello."))
    raw = write_message(letter_of(entry, leave=long), sender=SENDER)
    assert f"\r\nList-Unsubscribe: <{long}>\r\n".encode() in raw


def test_the_same_issue_and_recipient_make_the_same_bytes_and_another_recipient_does_not():
    entry = entry_of(Part("Hello.", (make_picture("A square."),)))
    first = write_message(letter_of(entry), sender=SENDER)
    assert first == write_message(letter_of(entry), sender=SENDER)
    assert make_reference("k", "a") == make_reference("k", "a") != make_reference("k", "b")
    assert make_reference("k", "a") != make_reference("l", "a")


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_text_is_shown_letter_for_letter_and_never_obeyed(text):
    raw = write_message(letter_of(entry_of(Part(text))), sender=SENDER)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert body_of(raw, "plain").startswith(text)
    html = Tags(body_of(raw, "html"))
    assert not {"script", "img", "b"} & set(html.tags)
    assert all(link.startswith("https://") for link in html.links)


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_subject_name_or_text_can_make_a_header(text):
    entry = entry_of(Part("Hello."))
    letter = letter_of(entry, name=text)
    letter = dataclasses.replace(letter, subject=text, text=text, html=text)
    raw = write_message(letter, sender=SENDER)
    head = raw.partition(b"\r\n\r\n")[0]
    assert raw.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 998
    message = read(raw)
    assert set(message.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted",
        "List-Id", "Precedence", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version",
        "Content-Type",
    }  # fmt: skip
    assert [one.addr_spec for one in message["From"].addresses] == [SENDER]
    assert [one.addr_spec for one in message["To"].addresses] == ["ann@example.org"]
    shown = " ".join(text.replace("\ud800", "\ufffd").split())
    if shown.isascii() or not re.search(r"[\x00-\x1f\x7f-\x9f]", shown):
        assert str(message["Subject"]) == (shown or "-")


def test_a_name_in_other_letters_reads_as_it_was_written():
    name = "Cyngor Sir Ŵyl, y “Fro” <fawr>"
    raw = write_message(letter_of(entry_of(Part("Hello.")), name=name), sender=SENDER)
    (person,) = read(raw)["From"].addresses
    assert (person.display_name, person.addr_spec) == (name, SENDER)


@pytest.mark.parametrize(
    "leave", ["https://x.example/a\r\nBcc: x@y.example", "https://x.example/ä", ""]
)
def test_a_link_that_cannot_stand_in_a_header_is_no_message(leave):
    letter = letter_of(entry_of(Part("Hello.")), leave=leave)
    if not leave:
        assert b"List-Unsubscribe" not in write_message(letter, sender=SENDER)
        return
    with pytest.raises(ValueError, match="List-Unsubscribe"):
        write_message(letter, sender=SENDER)


def test_pictures_are_named_and_linked_and_not_attached():
    entry = entry_of(Part("Look:", (make_picture('A "square" & more.'),)))
    raw = write_message(letter_of(entry), sender=SENDER)
    (picture,) = entry.parts[0].pictures
    assert f'Picture: A "square" & more.\n{picture.url}' in body_of(raw, "plain")
    assert f'<img src="{picture.url}" alt="A &quot;square&quot; &amp; more."' in body_of(
        raw, "html"
    )


def test_both_forms_say_where_it_stands_and_how_to_stop():
    entry = entry_of(Part("Un."), Part("Dau."), language="cy")
    raw = write_message(letter_of(entry), sender=SENDER)
    for kind in ("plain", "html"):
        said = body_of(raw, kind)
        assert LEAVE in said
        assert entry.url in said
        assert said.index("Un.") < said.index("Dau.")
    assert '<div lang="cy" dir="auto">' in body_of(raw, "html")
    assert read(raw)["Content-Language"] == "cy"


def test_a_confirmation_has_its_link_and_no_list():
    letter = write_confirmation(
        reference=make_reference("confirm", "r"),
        to="ann@example.org",
        sender_name="Mootshire Council",
        confirm_url="https://post.example.uk/subscribe/confirm/abc",
        hours=48,
        at=AT,
    )
    raw = write_message(letter, sender=SENDER)
    assert "https://post.example.uk/subscribe/confirm/abc" in body_of(raw, "plain")
    assert b"List-" not in raw
    assert "ann@example.org" not in repr(letter)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("  Ann.Smith+moot@Example.ORG ", "Ann.Smith+moot@example.org"),
        ("o'neil@sub.example.co.uk", "o'neil@sub.example.co.uk"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
    ],
)
def test_addresses_of_people_are_taken(typed, address):
    assert read_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "", "ann", "@example.org", "ann@", "ann@localhost", "ann@127.0.0.1", "ann@[127.0.0.1]",
        "ann@example.org\nBcc: x@y.example", "ann@example.org, bob@example.org",
        '"ann smith"@example.org', "ann..smith@example.org", ".ann@example.org", "a b@example.org",
        "ann@exa mple.org", "ann@-example.org", "ann@example..org", "ann@example.org.",
        "änn@example.org", "<ann@example.org>", "ann@example.org>", "ann(x)@example.org",
        "a" * 65 + "@example.org", "ann@" + "a" * 64 + ".org", "ann@" + "a." * 130 + "org",
        "ann@example.org\0", "ann@ex\u200bample.org\u202e", "ann@example.1", "a@b@example.org",
    ],
)  # fmt: skip
def test_nothing_else_is_an_address(typed):
    with pytest.raises(NotAnAddress) as wrong:
        read_address(typed)
    assert str(wrong.value).endswith(".")
