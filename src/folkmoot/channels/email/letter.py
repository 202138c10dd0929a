"""One e-mail to one person, before any transport has given it a form.

The same issue and the same recipient make the same letter for ever, its reference included, so that
it can be recognised wherever it turns up twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from urllib.parse import urlsplit

from folkmoot.channels.atom.shown import entry_html, entry_title
from folkmoot.channels.entries import Entry

_PAGE = (
    '<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title></head>\n'
    '<body style="font-family: sans-serif; font-size: 19px; line-height: 1.4; max-width: 38em">\n'
    "{main}\n</body></html>\n"
)


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail to ``to``.

    ``reference`` is 32 hexadecimal digits that name it for ever and say nothing of anybody;
    ``domain`` is what its Message-ID ends in. ``text`` and ``html`` say the same. ``at`` (aware) is
    its date. ``list_id`` and ``unsubscribe_url`` are empty for what goes to one person alone. The
    address and the link that leaves the list stay out of the ``repr``.
    """

    reference: str
    to: str = field(repr=False)
    sender_name: str
    domain: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    at: datetime
    list_id: str = ""
    unsubscribe_url: str = field(default="", repr=False)

    @property
    def message_id(self) -> str:
        """The Message-ID (RFC 5322, section 3.6.4), with its angle brackets."""
        return f"<{self.reference}@{self.domain}>"


def make_reference(key: str, recipient: str) -> str:
    """The reference of what goes out under ``key`` to ``recipient``, an opaque id. Pure, and the
    same for ever.
    """
    return hashlib.sha256(f"{key}\n{recipient}".encode()).hexdigest()[:32]


def write_issue(
    entry: Entry,
    *,
    reference: str,
    to: str,
    sender_name: str,
    list_id: str,
    unsubscribe_url: str,
) -> Letter:
    """The letter that brings ``entry`` to ``to``. Its subject is the entry's first sentence.

    Pictures are not attached: each is named by its text alternative and shown from its address.
    """
    subject = entry_title(entry) or sender_name
    pieces = []
    for part in entry.parts:
        if part.text.strip():
            pieces.append(part.text.strip("\r\n"))
        pieces += [f"Picture: {one.alt}\n{one.url}" for one in part.pictures]
    why = f"You get this because you asked {sender_name} for its posts by e-mail."
    text = "\n\n".join(
        [
            *pieces,
            "-- \n" + why + f"\nOn the web: {entry.url}\nTo stop: {unsubscribe_url}\n",
        ]
    )
    main = (
        f'<div lang="{escape(entry.language)}" dir="auto">\n{entry_html(entry)}\n</div>\n<hr>\n'
        f'<p lang="en">{escape(why)}<br>\n<a href="{escape(entry.url)}">Read this on the web</a>'
        f'<br>\n<a href="{escape(unsubscribe_url)}">Stop these e-mails</a></p>'
    )
    return Letter(
        reference=reference,
        to=to,
        sender_name=sender_name,
        domain=_domain_of(entry.url),
        subject=subject,
        text=text,
        html=_page(entry.language, subject, main),
        language=entry.language,
        at=entry.at,
        list_id=list_id,
        unsubscribe_url=unsubscribe_url,
    )


def write_confirmation(
    *, reference: str, to: str, sender_name: str, confirm_url: str, hours: int, at: datetime
) -> Letter:
    """The letter that asks whoever has ``to`` whether they want the posts of ``sender_name``.

    ``hours`` is how long the link works.
    """
    subject = f"Confirm that you want posts from {sender_name}"
    asked = (
        f"Somebody, we think you, asked for the posts of {sender_name} to be sent to this address."
    )
    how = f"To get them, open this page and press the button on it. It works for {hours} hours."
    else_ = "If it was not you, do nothing: you will get nothing more, and we forget the address."
    main = (
        f"<p>{escape(asked)}</p>\n<p>{escape(how)}</p>\n"
        f'<p><a href="{escape(confirm_url)}">{escape(confirm_url)}</a></p>\n<p>{escape(else_)}</p>'
    )
    return Letter(
        reference=reference,
        to=to,
        sender_name=sender_name,
        domain=_domain_of(confirm_url),
        subject=subject,
        text=f"{asked}\n\n{how}\n\n{confirm_url}\n\n{else_}\n",
        html=_page("en", subject, main),
        language="en",
        at=at,
    )


def _page(language: str, title: str, main: str) -> str:
    return _PAGE.format(language=escape(language), title=escape(title), main=main)


def _domain_of(url: str) -> str:
    return urlsplit(url).hostname or "localhost"
