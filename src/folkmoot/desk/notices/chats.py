"""Chat services that may be told: which, how their addresses are read, and handing a message over.

Hosted services are spoken to by apprise, which makes connections of its own and knows well over a
hundred services, some of which reach any address, read files or run programs. So none of it is
loaded but what :data:`SERVICES` names, whose hosts are fixed by whoever runs the service; no
redirect is followed, and an address has nothing in its query but what the service itself puts
there. A Mattermost or Rocket.Chat of one's own may stand anywhere, so its webhook is asked by our
one outbound client, which asks no address that is not public.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from folkmoot.channels import Outbound, OutboundError

if TYPE_CHECKING:
    from apprise import NotifyBase

TIMEOUT_SECONDS = 20.0
LONGEST_ADDRESS = 1_000


class ChatRefused(Exception):
    """This is not a chat address that is used here; the message is a sentence that says why."""


class ChatFailed(Exception):
    """The message was not taken, or nobody knows. The message says why, without the address."""


@dataclass(frozen=True, slots=True)
class Service:
    """A chat service that apprise may speak with.

    ``plugin`` is the module and class of apprise's that does; ``schemas`` are apprise's own names
    for it. ``hosts`` are those of the addresses that the service itself gives out (a name that
    begins with a dot stands for every host below it), and ``query`` what such an address may have
    after its question mark. One without ``schemas`` is taken by the service's own address alone.
    """

    name: str
    plugin: tuple[str, str]
    schemas: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    query: frozenset[str] = frozenset()


SERVICES = (
    Service("Slack", ("slack", "NotifySlack"), ("slack",), ("hooks.slack.com",)),
    Service(
        "Microsoft Teams",
        ("workflows", "NotifyWorkflows"),
        hosts=(".logic.azure.com", ".api.powerplatform.com"),
        query=frozenset({"api-version", "sp", "sv", "sig"}),
    ),
    Service(
        "Discord",
        ("discord", "NotifyDiscord"),
        ("discord",),
        ("discord.com", "discordapp.com"),
    ),
    Service(
        "Google Chat",
        ("google_chat", "NotifyGoogleChat"),
        ("gchat",),
        ("chat.googleapis.com",),
        frozenset({"key", "token"}),
    ),
    Service(
        "Webex",
        ("webexteams", "NotifyWebexTeams"),
        ("webex", "wxteams"),
        ("webexapis.com", "api.ciscospark.com"),
    ),
    Service("Telegram", ("telegram", "NotifyTelegram"), ("tgram",)),
)
OWN = "Mattermost or Rocket.Chat"
"""A server of one's own; its webhooks have ``/hooks/`` in their path."""
_HOOK = re.compile(r"/(?:[A-Za-z0-9_-]+/)*hooks/[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*/?")
TELL_WHICH = (
    f"Notices go to {', '.join(one.name for one in SERVICES)}, or to a webhook of a {OWN} server."
)


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat address that may be used. The address is a secret: who has it can post there."""

    service: str
    url: str = field(repr=False)


def read_chat(text: str) -> Chat:
    """The chat address in ``text``: the webhook's address as the service gives it, or apprise's
    form of it. Raises :class:`ChatRefused`.
    """
    url = text.strip()
    if not url:
        raise ChatRefused("Enter the address of the webhook, as the chat service gives it.")
    if len(url) > LONGEST_ADDRESS or not re.fullmatch(r"[!-~]+", url):
        raise ChatRefused("This is not the address of a webhook: it has a space, or is too long.")
    schema = url.partition("://")[0].lower()
    if schema == "https":
        return _read_webhook(url)
    service = next((one for one in SERVICES if schema in one.schemas), None)
    if service is None:
        what = f"{schema}:// is not used here." if "://" in url else "This is no address."
        raise ChatRefused(f"{what} {TELL_WHICH}")
    if "?" in url:
        raise ChatRefused("Leave out the question mark and what follows it.")
    _open(service, url)
    return Chat(service.name, url)


def tell(chat: Chat, title: str, text: str) -> None:
    """Hand a message over, once; ends within about 20 seconds. Raises :class:`ChatFailed`, also
    where the answer was lost and it may have been taken, and :class:`ChatRefused`.
    """
    if chat.service == OWN:
        _tell_own(chat, title, text)
        return
    service = next(one for one in SERVICES if one.name == chat.service)
    plugin = _open(service, chat.url)
    if not _notify(plugin, title, text):
        raise ChatFailed(
            f"{chat.service} did not take the message, or could not be reached. If it stays so, "
            "make a new webhook there, and add it here in place of this one."
        )


def _notify(plugin: NotifyBase, title: str, text: str) -> bool:
    """Give it to apprise, as plain text, which it puts into the form the service has."""
    import apprise

    sender = apprise.Apprise(asset=_asset())
    sender.add(plugin)
    return bool(sender.notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT))


def _read_webhook(url: str) -> Chat:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as wrong:
        raise ChatRefused(f"This is no address. {TELL_WHICH}") from wrong
    if "@" in parts.netloc or parts.fragment:
        raise ChatRefused("This is not the address of a webhook: leave out the @ or the #.")
    for service in SERVICES:
        if any(host == one or (one[:1] == "." and host.endswith(one)) for one in service.hosts):
            asked = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
            if asked - service.query or port not in {None, 443}:
                raise ChatRefused(
                    f"This address of {service.name} has something in it that does not belong "
                    "there. Copy it again as the service shows it."
                )
            _open(service, url)
            return Chat(service.name, url)
    if parts.query or not _HOOK.fullmatch(parts.path):
        raise ChatRefused(
            f"{host or 'This'} is not a chat service that is known here. {TELL_WHICH}"
        )
    return Chat(OWN, url)


def _open(service: Service, url: str) -> NotifyBase:
    """Apprise's way to the service. Raises :class:`ChatRefused` where it makes nothing of it."""
    from apprise.exception import AppriseException

    module, name = service.plugin
    plugin = getattr(import_module(f"apprise.plugins.{module}"), name)
    native = url.lower().startswith("https:")
    read = plugin.parse_native_url(url) if native else plugin.parse_url(url)
    try:
        found: NotifyBase = plugin(**(read or {}), asset=_asset())
    except (TypeError, AppriseException) as wrong:
        raise ChatRefused(
            f"This is not an address of {service.name}. Copy it again as the service shows it."
        ) from wrong
    return found


@lru_cache(maxsize=1)
def _asset() -> Any:
    """How apprise is to behave: nothing kept on disk, no redirect followed, nothing told of itself
    but what went wrong, and of that nothing on the log, where an address might show.
    """
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.WARNING)  # below that it logs whole addresses
    return apprise.AppriseAsset(
        app_id="Folkmoot",
        app_desc="Folkmoot",
        app_url="",
        async_mode=False,
        http_redirects=False,
        storage_mode="memory",
        service_timeout=TIMEOUT_SECONDS,
        allow_templates=False,
        image_url_mask=False,
        image_url_logo=False,
    )


def _tell_own(chat: Chat, title: str, text: str) -> None:
    host = urlsplit(chat.url).hostname
    outbound = Outbound(allow=settings.INTERNAL_HOSTS, timeout_seconds=TIMEOUT_SECONDS)
    body = json.dumps({"text": f"{title}\n\n{text}"}).encode()
    try:
        answer = outbound.request("POST", chat.url, {"Content-Type": "application/json"}, body)
    except OutboundError as fault:
        raise ChatFailed(fault.reason) from fault
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own
        raise ChatFailed(
            f"{host} did not take the message ({answer.status}). If it stays so, make a new "
            "webhook there, and add it here in place of this one."
        )
