"""What an admin types to connect an e-mail list, and what is made of it.

A body has one list, whatever hands its e-mails over: changing the mail server is connecting the
same account again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime

from folkmoot.channels.email.adapter import Email
from folkmoot.channels.email.address import NotAnAddress, read_address
from folkmoot.channels.email.notify import NOTIFY, Notify, NotifyService
from folkmoot.channels.email.smtp import Smtp, SmtpServer
from folkmoot.channels.email.transport import Transport
from folkmoot.channels.kinds import CannotConnect, Connected, Kind, Wanted
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.shelf import ShelfError, Shelved

ABOUT = (
    "E-mails are handed to a mail server of your own, or to GOV.UK Notify. Fill in the one or the"
    " other. Your mail server must sign what it sends for your domain (SPF, DKIM and DMARC), or"
    " others will take it for spam. On GOV.UK Notify, make an e-mail template with ((subject)) as"
    " its subject and ((body)) as its body, and an API key of the kind “live”."
)
WANTED = (
    Wanted(
        "sender",
        "Address the e-mails come from",
        "With a mail server: one that it may send for, such as posts@council.example.uk",
        optional=True,
    ),
    Wanted("host", "Mail server", "Such as smtp.council.example.uk", optional=True),
    Wanted("port", "Port", "587 or 465", default="587", optional=True),
    Wanted("user", "User on the mail server", optional=True),
    Wanted("password", "Password on the mail server", secret=True, optional=True),
    Wanted("template_id", "Template on GOV.UK Notify", "Its id", optional=True),
    Wanted("notify_key", "API key of GOV.UK Notify", secret=True, optional=True),
    Wanted("per_minute", "E-mails a minute, at most", default="600", optional=True),
    Wanted(
        "notify_server",
        "Address of GOV.UK Notify",
        "Leave this as it is unless you practise with a simulated one.",
        default=NOTIFY,
        optional=True,
    ),
)
"""The fields of the form that connects an e-mail list."""

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_PRINTABLE = re.compile(r"[ -~]*")


def make_transport(
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    *,
    outbound: Outbound,
    now: Callable[[], datetime],
) -> Transport:
    """The transport that ``settings`` and ``secrets``, the fields of :data:`WANTED` by name,
    describe. Asks no network. A mail server may stand on a private address, and be plain, where
    ``outbound`` allows it.

    Raises :class:`~folkmoot.channels.kinds.CannotConnect`.
    """
    found: SmtpServer | NotifyService = _read(settings, secrets)
    per_minute = _read_number(settings.get("per_minute", ""), "per_minute", 600, most=3000)
    if isinstance(found, SmtpServer):
        own = outbound.allows(found.host, found.port)
        allow = [f"{found.host}:{found.port}"] if own else []
        return Smtp(found, allow=allow, per_minute=per_minute)
    try:
        return Notify(found, outbound, now=now, per_minute=per_minute)
    except ValueError as wrong:
        about = "notify_key" if "API key" in str(wrong) else "template_id"
        raise CannotConnect(str(wrong), about) from wrong


def name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    """No handle and no server. Raises :class:`~folkmoot.channels.kinds.CannotConnect` where what
    was typed makes no transport.
    """
    make_transport(typed, typed, outbound=Outbound(), now=lambda: datetime.now(UTC))
    return "", ""


def build(account: Connected) -> Email:
    """An adapter that can be asked what it takes and whether e-mails can be handed over. The desk
    makes the one that publishes, with the outbox of the account's list.
    """
    return Email(
        _NoOutbox(),
        issue_url=lambda key: f"https://localhost/mail/{key}/",
        picture_url=account.picture_url,
        diagnose=lambda: diagnose(account),
    )


def diagnose(account: Connected) -> str | None:
    """Whether e-mails can be handed over as ``account`` says: ``None`` if so, else a sentence."""
    try:
        transport = make_transport(
            account.settings, account.secrets, outbound=account.outbound, now=account.now
        )
    except CannotConnect as wrong:
        return wrong.reason
    with closing(transport):
        return transport.diagnose()


class _NoOutbox:
    """Nowhere to put an issue."""

    def put_if_absent(self, key: str, record: bytes, *, published_at: datetime) -> bool:  # noqa: ARG002
        raise ShelfError("This account's list has not been opened yet.")

    def find(self, key: str) -> Shelved | None:  # noqa: ARG002
        raise ShelfError("This account's list has not been opened yet.")

    def list_newest(self, limit: int) -> tuple[Shelved, ...]:  # noqa: ARG002
        raise ShelfError("This account's list has not been opened yet.")


def _read(settings: Mapping[str, str], secrets: Mapping[str, str]) -> SmtpServer | NotifyService:
    typed = {name: value.strip() for name, value in settings.items()}
    host, template_id = typed.get("host", "").lower(), typed.get("template_id", "").lower()
    if host and template_id:
        raise CannotConnect("Fill in a mail server or GOV.UK Notify, not both.", "host")
    if template_id:
        server = typed.get("notify_server") or NOTIFY
        return NotifyService(secrets.get("notify_key", "").strip(), template_id, server.rstrip("/"))
    if not _HOST.fullmatch(host):
        raise CannotConnect(
            "Enter the name of your mail server, such as smtp.council.example.uk, or the template"
            " on GOV.UK Notify.",
            "host",
        )
    port = _read_number(typed.get("port", ""), "port", 587, most=65_535)
    try:
        sender = read_address(typed.get("sender", ""))
    except NotAnAddress as wrong:
        raise CannotConnect(str(wrong), "sender") from wrong
    user, password = typed.get("user", ""), secrets.get("password", "")
    if bool(user) != bool(password):
        raise CannotConnect("Enter both the user and the password, or neither.", "user")
    if not _PRINTABLE.fullmatch(user + password):
        raise CannotConnect(
            "A user and a password for a mail server are in plain letters, digits and signs.",
            "password",
        )
    return SmtpServer(host, port, sender, user, password)


def _read_number(text: str, field: str, default: int, *, most: int) -> int:
    shown = text.strip() or str(default)
    if not re.fullmatch("[0-9]{1,5}", shown) or not 1 <= int(shown) <= most:
        raise CannotConnect(f"Enter a whole number from 1 to {most:,}, such as {default}.", field)
    return int(shown)


KIND = Kind(
    channel="email",
    title="E-mail",
    about=ABOUT,
    wanted=WANTED,
    name_of=name_of,
    build=build,
)
