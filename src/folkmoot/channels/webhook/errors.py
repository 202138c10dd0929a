"""What a receiver's HTTP status means: its only error codes.

Source: the Standard Webhooks specification 1.0, "Delivery success and failure". It counts all but
2xx as failed, to be sent again; we send nothing again that may have been taken, so what is no clear
no is unclear here.
"""

from __future__ import annotations

from collections.abc import Mapping

from folkmoot.channels.api import Meaning, Reason

_ADDRESS = "Ask whoever runs the receiver for its address, and connect it again."
_SIGNING = (
    "Compare the secret and the clocks of both sides with whoever runs it, and connect it again."
)

ERRORS: Mapping[str, Reason] = {
    "3xx": Reason(
        Meaning.UNCLEAR,
        "The receiver sent us on to another address, where we do not go with a post. Connect it"
        " again under the address where it takes posts.",
    ),
    "401": Reason(
        Meaning.SIGN_IN, f"The receiver does not take our signature ({{said}}). {_SIGNING}"
    ),
    "403": Reason(Meaning.SIGN_IN, f"The receiver does not let us in ({{said}}). {_SIGNING}"),
    "404": Reason(
        Meaning.MISSING, f"There is no receiver at the webhook's address ({{said}}). {_ADDRESS}"
    ),
    "405": Reason(
        Meaning.REFUSED, f"What is at the webhook's address takes no posts ({{said}}). {_ADDRESS}"
    ),
    "408": Reason(Meaning.UNCLEAR, "The receiver gave up waiting for the post."),
    "410": Reason(
        Meaning.REFUSED,
        "The receiver wants no more posts (410). Take this channel away, or ask whoever runs it.",
    ),
    "413": Reason(Meaning.REFUSED, "The post is larger than the receiver takes. Shorten it."),
    "425": Reason(Meaning.LATER, "The receiver asked us to come again later."),
    "429": Reason(
        Meaning.LATER, "The receiver takes no more posts for now. It is tried again by itself."
    ),
    "4xx": Reason(Meaning.REFUSED, "The receiver refused it ({said})."),
    "503": Reason(Meaning.LATER, "The receiver is closed for now. It is tried again by itself."),
    "5xx": Reason(
        Meaning.UNCLEAR, "The receiver had a fault of its own and did not say what became of it."
    ),
}


def get_reason(status: int) -> Reason:
    """What a status other than 2xx means. One that HTTP does not have is unclear."""
    kind = f"{status // 100}xx"
    return ERRORS.get(str(status)) or ERRORS.get(kind) or ERRORS["5xx"]
