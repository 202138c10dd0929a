"""Who sits at a terminal: a member's address and password, as on the page that asks for them."""

from __future__ import annotations

import getpass
import sys

from django.contrib.auth import authenticate

from .models import Member

DO_NOT_BELONG = (
    "The address and the password do not belong together. Give the password at the prompt, or as "
    "the first line of standard input."
)


def find_signed_in(email: str) -> Member | None:
    """The member of this address, once they have given their password at the prompt, or as the
    first line of standard input; ``None`` where the two do not belong together.
    """
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password of {email}: ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    member = authenticate(email=email, password=password)
    return member if isinstance(member, Member) else None
