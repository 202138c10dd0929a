"""What an admin types to connect an e-mail list, and the transport that is made of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from folkmoot.channels.email.address import NotAnAddress, read_address
from folkmoot.channels.email.notify import NOTIFY, Notify, NotifyService
from folkmoot.channels.email.smtp import Smtp, SmtpServer
from folkmoot.channels.email.transport import Transport
from folkmoot.channels.kinds import CannotConnect, Wanted
from folkmoot.channels.outbound import Outbound

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
    allow: Iterable[str],
    now: Callable[[], datetime],
) -> Transport:
    """The transport that ``settings`` and ``secrets``, the fields of :data:`WANTED` by name,
    describe. Asks no network.

    ``allow`` names internal servers as ``host:port``. Raises
    :class:`~folkmoot.channels.kinds.CannotConnect`.
    """
    found: SmtpServer | NotifyService = _read(settings, secrets)
    if isinstance(found, SmtpServer):
        return Smtp(found, allow=allow)
    try:
        return Notify(found, outbound, now=now)
    except ValueError as wrong:
        about = "notify_key" if "API key" in str(wrong) else "template_id"
        raise CannotConnect(str(wrong), about) from wrong


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
    port = typed.get("port") or "587"
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65_535:  # noqa: PLR2004
        raise CannotConnect("Enter the port as a number: 587 or 465.", "port")
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
    return SmtpServer(host, int(port), sender, user, password)
