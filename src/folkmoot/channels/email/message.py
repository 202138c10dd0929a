"""A letter as an Internet message (RFC 5322), in ASCII alone, the same bytes every time.

Nothing that somebody wrote can make a header: line ends of every kind become spaces first, and what
stands in a header is checked once more before it is written. The headers that mail programs act on
(RFC 2369 and 8058, unsubscribing; RFC 2919, the list; RFC 3834, no automatic answers) are written
as they are, since folding and encoding would break their addresses.
"""

from __future__ import annotations

import re
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, formataddr
from typing import Self

from folkmoot.channels.email.address import read_address
from folkmoot.channels.email.letter import Letter
from folkmoot.channels.limits import UNSENDABLE

_POLICY = SMTP.clone(cte_type="7bit")
_FOLD = "\r\n "
_HEADER = re.compile(r"[ -~]+(?:\r\n [ -~]+)*")
_LONGEST_LINE = 998  # RFC 5322, section 2.1.1


def write_message(letter: Letter, *, sender: str) -> bytes:
    """``letter`` as it is handed to a mail server, from the address ``sender``.

    Raises :class:`~folkmoot.channels.email.address.NotAnAddress` where an address is none, and
    :class:`ValueError` where a link or the list's name cannot stand in a header.
    """
    message = EmailMessage(policy=_POLICY)
    headers = {
        "From": _person(letter.sender_name, read_address(sender)),
        "To": read_address(letter.to),
        "Subject": _words(letter.subject, "Subject"),
        "Date": format_datetime(letter.at),
        "Message-ID": letter.message_id,
        "Auto-Submitted": "auto-generated",
    }
    if letter.list_id:
        headers["List-Id"] = f"<{letter.list_id}>"
        headers["Precedence"] = "list"
    if letter.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    for name, value in headers.items():
        message[name] = _AsItIs(name, value)
    message.set_content(_clean(letter.text))
    message.add_alternative(_clean(letter.html), subtype="html")
    for part in message.walk():
        part["Content-Language"] = _AsItIs("Content-Language", letter.language)
    message.set_boundary(f"=_{letter.reference}")
    return bytes(message)


class _AsItIs(str):  # noqa: SLOT000 - it carries its name
    """A header's value that is written letter for letter. Raises :class:`ValueError` for one that
    would not stay a single header.
    """

    name: str

    def __new__(cls, name: str, value: str) -> Self:
        lines = f"{name}: {value}".split("\r\n")
        if not _HEADER.fullmatch(value) or max(map(len, lines)) > _LONGEST_LINE:
            raise ValueError(f"this cannot stand in the header {name}")
        made = super().__new__(cls, value)
        made.name = name
        return made

    def fold(self, *, policy: Policy) -> str:  # noqa: ARG002 - the email package asks for it so
        """The header, as the email package writes it."""
        return f"{self.name}: {self}\r\n"


def _person(name: str, address: str) -> str:
    shown = _one_line(name)
    if shown.isascii() and "=?" not in shown:
        return formataddr((shown, address))
    return f"{_words(shown, 'From')}{_FOLD}<{address}>"


def _words(text: str, header: str) -> str:
    """Words in a header, other letters than ASCII as encoded words (RFC 2047)."""
    shown = _one_line(text) or "-"
    # What looks like an encoded word is encoded, so that it is shown and not read as one.
    charset = "us-ascii" if shown.isascii() and "=?" not in shown else "utf-8"
    return Header(shown, charset, header_name=header).encode(linesep="\r\n")


def _one_line(text: str) -> str:
    return _clean(" ".join(text.split()))


def _clean(text: str) -> str:
    return UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text)
