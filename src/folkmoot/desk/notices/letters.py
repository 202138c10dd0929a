"""The mail server that notices go through, as ``FOLKMOOT_SMTP`` names it."""

from __future__ import annotations

from django.conf import settings

from folkmoot.channels.email import CannotOpen, Smtp, SmtpServer, Transport

NOT_SET = (
    "E-mails cannot be sent: no mail server has been named. Whoever looks after this system can "
    "name one by setting FOLKMOOT_SMTP and FOLKMOOT_MAIL_FROM, and starting Folkmoot again."
)


def find_obstacle() -> str:
    """Why no e-mail can be sent at all, as a sentence; empty where nothing is known against it."""
    return "" if settings.CONFIG.smtp else NOT_SET


def open_transport() -> Transport:
    """What hands e-mails over, to be closed again; one message ends within 50 seconds.

    Raises :class:`CannotOpen` where no mail server has been named.
    """
    server = settings.CONFIG.smtp
    if server is None:
        raise CannotOpen(NOT_SET)
    return Smtp(
        SmtpServer(
            server.host, server.port, settings.CONFIG.mail_from, server.user, server.password
        ),
        allow=settings.INTERNAL_HOSTS,
        connect_seconds=10.0,
        letter_seconds=10.0,
        answer_seconds=30.0,
    )
