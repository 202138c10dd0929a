"""A webhook: each post as a signed JSON document, sent to an address of the body's choosing.

:class:`Webhook` is the adapter, ``KIND`` how a receiver is connected.
"""

from folkmoot.channels.webhook.adapter import Webhook
from folkmoot.channels.webhook.kind import KIND

__all__ = ["KIND", "Webhook"]
