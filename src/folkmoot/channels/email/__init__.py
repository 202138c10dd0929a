"""Posts by e-mail. :class:`Email` is the adapter, over an outbox of the desk's own; a
:class:`Transport` hands each e-mail over, to a mail server (:class:`Smtp`) or to GOV.UK Notify
(:class:`Notify`); :func:`make_transport` makes one of what an admin typed (:data:`WANTED`).
"""

from folkmoot.channels.email.adapter import CAPABILITIES, Email
from folkmoot.channels.email.address import NotAnAddress, read_address
from folkmoot.channels.email.connecting import KIND, WANTED, diagnose, make_transport
from folkmoot.channels.email.letter import (
    Letter,
    make_reference,
    write_confirmation,
    write_issue,
)
from folkmoot.channels.email.message import write_message
from folkmoot.channels.email.notify import Notify, NotifyService
from folkmoot.channels.email.smtp import Smtp, SmtpServer
from folkmoot.channels.email.transport import (
    CannotOpen,
    Handed,
    NotNow,
    NotTaken,
    NotThere,
    Transport,
    Unsure,
)

__all__ = [
    "CAPABILITIES",
    "KIND",
    "WANTED",
    "CannotOpen",
    "Email",
    "Handed",
    "Letter",
    "NotAnAddress",
    "NotNow",
    "NotTaken",
    "NotThere",
    "Notify",
    "NotifyService",
    "Smtp",
    "SmtpServer",
    "Transport",
    "Unsure",
    "diagnose",
    "make_reference",
    "make_transport",
    "read_address",
    "write_confirmation",
    "write_issue",
    "write_message",
]
