"""What a post is near: others that say nearly the same, and others at nearly the same time.

Warnings only. A body may well say a thing twice; it should not do so without knowing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.people.queries import Organisation
from folkmoot.desk.records import columns

from .content import Content
from .lifecycle import DraftKind, DraftState
from .likeness import find_alike, find_alike_pairs
from .models import Draft, Occurrence
from .planned import Planned, list_planned, list_untimed

NEAR = timedelta(days=14)
CLASH = timedelta(minutes=10)
MOST = 5


@dataclass(frozen=True, slots=True)
class Near:
    """A post that another is near, and a sentence about it; ``clash`` where it is their time."""

    draft_id: int
    sentence: str
    clash: bool = False


def list_near(
    organisation: Organisation, content: Content, draft: Draft | None, *, now: datetime
) -> list[Near]:
    """What the post ``content`` is near, at most five of each kind; ``draft`` is its own.

    Looked at are posts to one of its accounts within 14 days of its time, or of now where it has
    none. Posts of one series, and a correction and what it corrects, are not held side by side.
    """
    if not content.accounts:
        return []
    moment = content.due_at or now
    others = list_planned(organisation, moment - NEAR, moment + NEAR)
    others += list_untimed(organisation, now - NEAR)
    mine = Planned(
        draft.pk if draft else 0,
        0,
        DraftState.DRAFTING,
        DraftKind(draft.kind) if draft else DraftKind.POST,
        draft.about_id if draft else None,
        _series_of(draft),
        content.text,
        frozenset(content.accounts),
        content.due_at,
        content.wall,
        content.zone,
    )
    near = {one.draft_id: one for one in others if _are_apart(mine, one)}
    names = _names(organisation)
    alike = [] if columns.is_erased(content.text) else find_alike(content.text, _texts(near))
    found = [_says_the_same(mine, near[key], names, organisation) for key in alike[:MOST]]
    clashing = [one for one in near.values() if _clash(mine, one)]
    return found + [_is_too_near(mine, one, names, organisation) for one in clashing[:MOST]]


def find_all_near(
    organisation: Organisation, planned: Iterable[Planned]
) -> Mapping[int, list[Near]]:
    """For each of these posts, by its number, what of the others it is near."""
    posts = {one.draft_id: one for one in planned}
    names = _names(organisation)
    found: dict[int, list[Near]] = defaultdict(list)
    pairs = find_alike_pairs(_texts(posts))
    for key, others in pairs.items():
        mine = posts[key]
        for one in (posts[other] for other in others):
            if _are_apart(mine, one) and _are_near(mine, one) and len(found[key]) < MOST:
                found[key].append(_says_the_same(mine, one, names, organisation))
    timed = sorted((one for one in posts.values() if one.at), key=lambda one: str(one.at))
    for account in names:
        for mine, one in pairwise(one for one in timed if account in one.accounts):
            if _are_apart(mine, one) and _clash(mine, one):
                for here, there in ((mine, one), (one, mine)):
                    said = _is_too_near(here, there, names, organisation)
                    if said not in found[here.draft_id]:
                        found[here.draft_id].append(said)
    return {key: near for key, near in found.items() if near}


def _texts(posts: Mapping[int, Planned]) -> dict[int, str]:
    """What each of these posts says, but for those of which it was erased."""
    return {key: one.text for key, one in posts.items() if not columns.is_erased(one.text)}


def _series_of(draft: Draft | None) -> int | None:
    if draft is None:
        return None
    return Occurrence.objects.filter(draft=draft).values_list("series_id", flat=True).first()


def _are_apart(mine: Planned, other: Planned) -> bool:
    """Whether the two are held side by side at all."""
    return (
        mine.draft_id != other.draft_id
        and not mine.accounts.isdisjoint(other.accounts)
        and DraftKind.REMOVAL not in {mine.kind, other.kind}
        and mine.about != other.draft_id
        and other.about != mine.draft_id
        and (mine.series is None or mine.series != other.series)
    )


def _are_near(mine: Planned, other: Planned) -> bool:
    return mine.at is None or other.at is None or abs(mine.at - other.at) <= NEAR


def _clash(mine: Planned, other: Planned) -> bool:
    return mine.at is not None and other.at is not None and abs(mine.at - other.at) <= CLASH


def _says_the_same(
    mine: Planned, other: Planned, names: Mapping[int, str], organisation: Organisation
) -> Near:
    when = "which has no time yet"
    if other.at is not None:
        verb = "published" if other.state is DraftState.PUBLISHED else "due"
        when = f"{verb} {_moment(other.at, organisation)}"
    shared = _shared(mine, other, names)
    return Near(other.draft_id, f"Post {other.draft_id}, {when}, says nearly the same on {shared}.")


def _is_too_near(
    mine: Planned, other: Planned, names: Mapping[int, str], organisation: Organisation
) -> Near:
    assert other.at is not None
    return Near(
        other.draft_id,
        f"Post {other.draft_id} has {_moment(other.at, organisation)}, within ten minutes of this "
        f"one, on {_shared(mine, other, names)}.",
        clash=True,
    )


def _moment(at: datetime, organisation: Organisation) -> str:
    local = at.astimezone(organisation.timezone)
    return f"{local:%A} {local.day} {local:%B %Y} at {local:%H:%M}"


def _shared(mine: Planned, other: Planned, names: Mapping[int, str]) -> str:
    return " and ".join(
        names.get(account, "an account that is no longer connected")
        for account in sorted(mine.accounts & other.accounts)
    )


def _names(organisation: Organisation) -> dict[int, str]:
    return {account.pk: account.name for account in accounts.list_accounts(organisation)}
