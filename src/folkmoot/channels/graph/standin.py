"""What the simulated Facebook, Instagram and Threads have in common: tokens, errors, lists,
containers. They fetch nothing: an address of a picture is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from folkmoot.channels.simulator import (
    Asked,
    Fault,
    Medium,
    Occasion,
    Said,
    Store,
    Stored,
    Strike,
    say,
)

_DAY = timedelta(days=1)
_LIFE_SECONDS = 60 * 24 * 3600

Errors = Mapping[Fault, tuple[int, dict[str, Any]]]


def fail(code: int, message: str, *, subcode: int = 0, status: int = 400, **more: Any) -> Said:
    """An error in Meta's form."""
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A", **more}
    if subcode:
        error["error_subcode"] = subcode
    return say({"error": error}, status)


def missing(what: str) -> Said:
    """What is answered about an object that is not there, or not to be seen."""
    return fail(
        100,
        f"Unsupported get request. Object with ID '{what}' does not exist, cannot be loaded due to"
        " missing permissions, or does not support this operation",
        subcode=33,
    )


def page_of(asked: Asked, items: Sequence[dict[str, Any]], url: str) -> Said:
    """One page of a list, by ``limit`` and the cursor ``after``."""
    start = int(asked.query.get("after", "0"))
    stop = start + int(asked.query.get("limit", "25"))
    paging = {"cursors": {"before": str(start), "after": str(stop)}}
    if stop < len(items):
        paging["next"] = f"{url}?after={stop}"  # type: ignore[assignment]  # text beside cursors
    return say({"data": list(items[start:stop]), "paging": paging})


def pick(value: Mapping[str, Any], fields: str) -> dict[str, Any]:
    """``value`` with ``id`` and the fields that were asked for, where it has them."""
    wanted, depth = {"id"}, 0
    for piece in fields.replace("{", ",{,").replace("}", ",},").split(","):
        if piece in "{}" and piece:
            depth += 1 if piece == "{" else -1
        elif not depth:
            wanted.add(piece)
    return {name: one for name, one in value.items() if name in wanted and one is not None}


class SimulatedGraph:
    """Tokens and errors. ``token`` is the one to type in; ``tokens`` those that are good now."""

    channel: str
    token: ClassVar[str]
    renewable: ClassVar[bool] = False

    def __init__(self) -> None:
        self.tokens = {self.token}
        self._over: set[str] = set()
        self._renewals = 0

    def answer(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        fault = strike.fault if strike is not None else None
        with store.lock:
            token = asked.token or asked.query.get("access_token", "")
            if fault is Fault.EXPIRED and self.renewable:
                self.tokens.discard(token)
                self._over.add(token)
            if fault is Fault.REVOKED:
                self.tokens.clear()
                self._over.clear()
            if fault in (Fault.EXPIRED, Fault.REVOKED, Fault.REFUSE):
                return self.error(fault)
            if asked.path == "/refresh_access_token" and self.renewable:
                return self._renew(token)
            if token in self._over:
                return self.error(Fault.EXPIRED)
            if token not in self.tokens:
                return self.error(Fault.REVOKED)
            return self.route(asked, store, strike)

    def route(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """Answer one who was let in."""
        raise NotImplementedError

    def error(self, fault: Fault) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        if fault is Fault.TOO_MANY:
            return fail(4, "Application request limit reached", status=403)
        if fault is Fault.BROKEN_BEFORE:
            return fail(2, "Service temporarily unavailable", status=500, is_transient=True)
        if fault is Fault.EXPIRED:
            return fail(190, "Session has expired", subcode=463, status=401)
        if fault is Fault.REVOKED:
            return fail(190, "The session is invalid", subcode=467, status=401)
        return fail(368, "The action attempted has been deemed abusive or is otherwise disallowed")

    def _renew(self, token: str) -> Said:
        # More patient than Meta, who renews no token that is over or younger than a day.
        if token not in self.tokens | self._over:
            return self.error(Fault.REVOKED)
        self._renewals += 1
        fresh = f"{self.token}-renewed-{self._renewals}"
        self.tokens.add(fresh)
        return say({"access_token": fresh, "token_type": "bearer", "expires_in": _LIFE_SECONDS})


class SimulatedContainers(SimulatedGraph):
    """Containers, and publishing each of them once."""

    renewable = True
    status_field: ClassVar[str]
    text_field: ClassVar[str]
    not_found: ClassVar[int]
    """The subcode for a container that is not there to be published."""

    def make_container(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """Take a container, to be ready at once or as ``strike`` has it."""
        form = asked.form()
        pictures = [form["image_url"]] if "image_url" in form else []
        if any(not url.startswith("https://") for url in pictures):
            return fail(9004, "The media could not be fetched from this uri", subcode=2207052)
        children = [one for one in form.get("children", "").split(",") if one]
        if any(store.find_medium(child) is None for child in children):
            return fail(100, "Invalid parameter: children")
        if wrong := self.find_wrong(form, store):
            return wrong
        slow = strike is not None and strike.fault is Fault.SLOW_MEDIA
        medium = store.add_medium(
            form.get("media_type", "IMAGE"),
            b"",
            alt=form.get("alt_text", ""),
            ready_in_seconds=strike.seconds if slow and strike is not None else 0.0,
        )
        extra = {"form": form, "children": children, "made_at": store.now(), "published": False}
        store.change_medium(medium.id, extra=extra)
        return say({"id": medium.id})

    def find_wrong(self, form: Mapping[str, str], store: Store) -> Said | None:
        """What is wrong with a container's fields, if anything."""
        raise NotImplementedError

    def show_container(self, asked: Asked, store: Store, strike: Strike | None) -> Said | None:
        """How far a container is; ``None`` where there is none of this id."""
        medium = store.find_medium(asked.path.rpartition("/")[2])
        if medium is None:
            return None
        if strike is not None and strike.fault is Fault.LIE:
            return missing(medium.id)
        return say({"id": medium.id, self.status_field: status_of(medium, store.now())})

    def publish(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """Publish a container, if it is ready and was not published yet."""
        container = asked.form().get("creation_id", "")
        medium = store.find_medium(container)
        status = status_of(medium, store.now()) if medium is not None else "MISSING"
        if medium is None or status != "FINISHED":
            if status == "IN_PROGRESS":
                return fail(9007, "Media ID is not available", subcode=2207027)
            return fail(
                24,
                "The requested resource does not exist",
                subcode=self.not_found,
                error_user_msg=f"The media with id {container} cannot be found.",
            )
        form = medium.extra["form"]
        media = tuple(medium.extra["children"]) or ((medium.id,) if "image_url" in form else ())
        older = store.list_newest(1)
        post = store.add_post(
            form.get(self.text_field, ""), media=media, reply_to=form.get("reply_to_id", "")
        )
        store.change_medium(medium.id, extra={**medium.extra, "published": True})
        wrong = strike is not None and strike.fault is Fault.WRONG_ID
        other = older[0].id if older else store.next_id()
        return say({"id": other if wrong else post.id})

    def remove(self, post_id: str, store: Store) -> Said:
        """Take a post down."""
        if not store.remove_post(post_id):
            return missing(post_id)
        return say({"success": True, "deleted_id": post_id})

    def alts_of(self, post: Stored, store: Store) -> list[str]:
        """The text alternatives of a post's pictures."""
        return [medium.alt for medium in map(store.find_medium, post.media) if medium is not None]


def status_of(medium: Medium, now: datetime) -> str:
    """How far a container is."""
    if medium.extra["published"]:
        return "PUBLISHED"
    if now - medium.extra["made_at"] > _DAY:
        return "EXPIRED"
    if medium.extra.get("error"):
        return "ERROR"
    return "FINISHED" if now >= medium.ready_at else "IN_PROGRESS"


def shown_at(at: datetime) -> str:
    """A time as Meta writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def list_posts(
    asked: Asked,
    store: Store,
    strike: Strike | None,
    show: Callable[[Stored], dict[str, Any]],
    keep: Callable[[Stored], bool] = lambda _: True,
) -> Said:
    """A timeline, newest first; one that lies has nothing on it."""
    lies = strike is not None and strike.fault is Fault.LIE
    posts: Iterable[Stored] = () if lies else store.list_newest(10_000)
    fields = asked.query.get("fields", "id")
    return page_of(asked, [pick(show(post), fields) for post in posts if keep(post)], asked.path)


def kind_of(asked: Asked, *, publish: str, upload: str) -> Occasion:
    """What kind of request one is, by the last piece of its path."""
    last = asked.path.rpartition("/")[2]
    if last == "refresh_access_token":
        return Occasion.SIGN_IN
    if asked.method == "DELETE":
        return Occasion.REMOVE
    if asked.method == "POST":
        return Occasion.PUBLISH if last == publish else Occasion.UPLOAD
    looks_at_container = "status" in asked.query.get("fields", "") and upload != "photos"
    return Occasion.UPLOAD if looks_at_container else Occasion.READ
