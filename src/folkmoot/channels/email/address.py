"""E-mail addresses, read narrowly: what every server takes, and nothing that can be two things.

RFC 5321 and RFC 5322 allow comments, quoted names, addresses of networks and routes. People do not
have such addresses, and programs disagree about them, so they are not taken here.
"""

from __future__ import annotations

import re

# Dot-atom (RFC 5322, section 3.2.3), and the lengths of RFC 5321, section 4.5.3.1.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_LONGEST = 254
_LONGEST_LOCAL = 64


class NotAnAddress(ValueError):
    """The text is not an e-mail address that can be written to; the message is a sentence."""


def read_address(text: str) -> str:
    """The address in ``text``, its domain in lower-case ASCII (IDNA 2008); the part before the
    ``@`` as it was written. Raises :class:`NotAnAddress`.
    """
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain:
        raise NotAnAddress("Enter an e-mail address in the form name@example.com.")
    if not local.isascii():
        raise NotAnAddress(
            "The part before the @ has a letter that many mail servers cannot take. Enter an"
            " address in plain letters."
        )
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL:
        raise NotAnAddress("The part before the @ is not one that an e-mail address can have.")
    domain = _to_ascii(domain)
    if not _DOMAIN.fullmatch(domain) or len(local) + len(domain) + 1 > _LONGEST:
        raise NotAnAddress("The part after the @ is not a name like example.com.")
    return f"{local}@{domain}"


def _to_ascii(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    # The standard library knows IDNA 2003 alone, which makes one domain of two (ß and ss).
    import idna

    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as wrong:
        raise NotAnAddress("The part after the @ is not a name like example.com.") from wrong
