"""Finding out what became of a post: which of its parts stand on the account's own timeline."""

from __future__ import annotations

from folkmoot.channels.mastodon.frozen import FrozenPost
from folkmoot.channels.mastodon.matching import Matcher
from folkmoot.channels.mastodon.server import Server
from folkmoot.channels.mastodon.statuses import Status
from folkmoot.channels.port import Absent, Different, Partly, Sent, Unconfirmed

Found = Sent | Partly | Absent | Different | Unconfirmed


def look_up(server: Server, frozen: FrozenPost, done: tuple[str, ...]) -> Found:
    """See :meth:`~folkmoot.channels.port.Adapter.look_up`; follows the thread as far as it goes.

    Raises :class:`~folkmoot.channels.api.SaidNo` and
    :class:`~folkmoot.channels.api.NoClearAnswer`.
    """
    # The count comes before the list, so that a post that comes in between is no contradiction.
    owner = server.get_owner()
    if owner.id != frozen.account_id:
        return Unconfirmed(
            "The access token is of another account than the one this post was prepared for."
            " Connect that account again, or look on Mastodon yourself."
        )
    since = server.list_since(owner.id, frozen.after_id)
    walked = _walk(server, frozen, done, since)
    if isinstance(walked, Different | Unconfirmed):
        return walked
    found, near = walked
    if near:
        return _explain_near(near[0])
    if len(found) == len(frozen.parts) or len(found) > len(done):
        return name_so_far(server, frozen, tuple(one.id for one in found), found[-1])
    if owner.count - frozen.count > len(since):
        return Unconfirmed(
            "Mastodon counts more posts of this account than it shows, so this one may be among"
            " them. It is looked up again by itself."
        )
    return Absent()


def _walk(
    server: Server, frozen: FrozenPost, done: tuple[str, ...], since: list[Status]
) -> tuple[list[Status], list[Status]] | Different | Unconfirmed:
    """The parts that stand there, from the first to the last without a gap, and what is nearly the
    part after them.
    """
    matcher = Matcher(server, frozen, since)
    there = {one.id: one for one in since}
    found: list[Status] = []
    for number in range(len(frozen.parts)):
        standing = []
        if number < len(done):
            known = there.get(done[number])
            if known is None:
                return _explain_missing(server, number, done[number])
            matcher.take(known)
            standing.append(known)
        match = matcher.find(number, found[-1].id if found else frozen.replying_to)
        standing += match.ours
        if len(standing) > 1:
            return _explain_twice(standing)
        if not standing:
            return found, match.near
        found += standing
        matcher.take(found[-1])
    return found, []


def name_so_far(
    server: Server, frozen: FrozenPost, ids: tuple[str, ...], last: Status
) -> Sent | Partly:
    """What is live, where ``ids`` are and ``last`` is the status with the last of them."""
    if len(ids) < len(frozen.parts):
        return Partly(ids)
    return Sent(ids[0], make_url(server, last, ids[0]), ids)


def make_url(server: Server, status: Status, status_id: str) -> str:
    """The address of the status with this id, by that of another of the same account."""
    if status.id in status.url and status.url.startswith(("https://", f"{server.url}/")):
        before, _, after = status.url.rpartition(status.id)
        return before + status_id + after
    return f"{server.url}/statuses/{status_id}"


def _explain_missing(server: Server, number: int, status_id: str) -> Different | Unconfirmed:
    if server.find_status(status_id) is not None:
        return Unconfirmed(
            f"Mastodon shows part {number + 1} of this thread, but does not list it. It is looked"
            " up again by itself."
        )
    return Different(
        f"Part {number + 1} of this thread is not on Mastodon any more. Look at what is left of it"
        " there before doing anything."
    )


def _explain_twice(standing: list[Status]) -> Different:
    places = " and ".join(one.url or one.id for one in standing)
    return Different(f"It stands there twice: {places}. Delete all but one on Mastodon.")


def _explain_near(status: Status) -> Different:
    return Different(
        f"A post like this one stands there ({status.url or status.id}), but not as it was signed:"
        " it was edited, or it lacks a picture, or it answers another post. Look at it on Mastodon"
        " before doing anything."
    )
