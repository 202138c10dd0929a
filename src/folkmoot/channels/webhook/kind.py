"""What is asked of whoever connects a webhook, and how its adapter is built."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from folkmoot.channels.kinds import CannotConnect, Connected, Kind, Wanted
from folkmoot.channels.port import Adapter
from folkmoot.channels.webhook.adapter import Webhook
from folkmoot.channels.webhook.signing import Secret

_NO_SECRET = Secret(b"", "")


def name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    """The receiver's host and its address. Raises :class:`CannotConnect`."""
    address = typed.get("address", "").strip()
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    # Plain http is for a server of one's own, which is named with its port and allowed by hand.
    if (
        not parts.hostname
        or "@" in parts.netloc
        or parts.fragment
        or not address.isascii()
        or any(letter.isspace() for letter in address)
        or not (parts.scheme == "https" or (parts.scheme == "http" and port is not None))
    ):
        raise CannotConnect(
            "Type the receiver's address, like https://example.org/posts, without a name or"
            " password in it.",
            "address",
        )
    if "secret" in typed:
        read_secret(typed["secret"])
    read_choice(typed.get("receiver_deduplicates", ""))
    return parts.netloc, address


def read_secret(typed: str) -> Secret:
    """The secret as it was typed. Raises :class:`CannotConnect`."""
    try:
        return Secret.read(typed)
    except ValueError as wrong:
        raise CannotConnect(
            "A signing secret is whsec_ and then 24 to 64 bytes in base64. Copy it whole from the"
            " receiver.",
            "secret",
        ) from wrong


def read_choice(typed: str) -> bool:
    """Yes or no, as it was typed; no where nothing was. Raises :class:`CannotConnect`."""
    known = {"yes": True, "no": False, "": False}
    choice = known.get(typed.strip().lower())
    if choice is None:
        raise CannotConnect("Type yes or no.", "receiver_deduplicates")
    return choice


def build(account: Connected) -> Adapter:
    """The adapter of one receiver."""
    typed = account.secrets.get("secret")
    return Webhook(
        address=account.server,
        secret=read_secret(typed) if typed else _NO_SECRET,
        outbound=account.outbound,
        picture_url=account.picture_url,
        now=account.now,
        deduplicates=read_choice(account.settings.get("receiver_deduplicates", "")),
    )


KIND = Kind(
    channel="webhook",
    title="Webhook",
    about=(
        "Every post goes as a JSON document to an address of your choosing, signed as the Standard"
        " Webhooks specification has it (standardwebhooks.com). Whoever runs the receiver gives you"
        " its address and its signing secret, and knows what it does with repeats."
    ),
    wanted=(
        Wanted("address", "Address", "Where the receiver takes posts, beginning with https://."),
        Wanted("secret", "Signing secret", "It begins with whsec_.", secret=True),
        Wanted(
            "receiver_deduplicates",
            "The receiver knows a repeat by its id",
            "Say yes only if whoever runs it says so: a post in doubt is then sent again by itself,"
            " under the same id. With no, a person decides.",
            default="no",
            optional=True,
        ),
    ),
    name_of=name_of,
    build=build,
)
