"""The moves of a request and a bag, made short."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import desk_moves as moves

from folkmoot.desk.records import actions as records
from folkmoot.desk.records.models import Entry
from folkmoot.desk.releases import actions, queries
from folkmoot.desk.releases.models import Decision
from folkmoot.desk.releases.regimes import Regime
from folkmoot.desk.releases.scope import Scope
from folkmoot.desk.releases.workdays import Nation

WORDS = "Everything you posted about the library, please. Jo Bloggs"


def received(cast, *, member=None, regime=Regime.FOI, scope=None, on=date(2026, 11, 18), **more):
    """A request that reached the body."""
    return actions.receive(
        member or cast.fay,
        regime=regime,
        nation=more.pop("nation", Nation.ENGLAND),
        channel="email",
        received_on=on,
        requester=more.pop("requester", "Jo Bloggs <jo@bloggs.example>"),
        words=more.pop("words", WORDS),
        scope=scope or Scope(classes=("posts",)),
        now=cast.clock(),
        **more,
    )


def chosen(cast, **more):
    """A request for the entries of a post that is live."""
    if more.pop("publish", True):
        moves.publish(cast)
    request = received(cast, **more)
    actions.choose(cast.fay, request.ref, now=cast.clock())
    return again(request)


def redacting(cast, **more):
    request = chosen(cast, **more)
    return actions.begin_redaction(cast.fay, request.ref, now=cast.clock())


def every_field(request):
    """All the fields of a release, as somebody names them one by one."""
    rows = request.decisions.order_by("pk").values_list("entry_id", "label")
    return actions.Which(fields=list(rows))


def decided(cast, withheld=(), **more):
    """A request with every field released but those of the labels ``withheld``."""
    request = redacting(cast, **more)
    actions.show(cast.fay, request.ref, every_field(request), now=cast.clock())
    pairs = [
        (kind, label)
        for kind, label in request.decisions.values_list("kind", "label").distinct()
        if label in withheld
    ]
    if pairs:
        actions.withhold(
            cast.fay,
            request.ref,
            actions.Which(labels=pairs),
            exemption="FOIA s.40(2)",
            now=cast.clock(),
        )
    return again(request)


def prepared(cast, **more):
    request = decided(cast, **more)
    return actions.prepare(cast.fay, request.ref, now=cast.clock())


def agreed(cast, **more):
    request = prepared(cast, **more)
    actions.agree(cast.gus, request.ref, seen=request.digest, now=cast.clock())
    return again(request)


def made(cast, **more):
    """A request with a bag that is ready."""
    request = agreed(cast, **more)
    work(cast)
    return again(request)


def released(cast, **more):
    request = made(cast, **more)
    return actions.release(cast.fay, request.ref, now=cast.clock())


def proposed(cast, *, purpose="transfer", scope=None, member=None, **more):
    """A bag that somebody proposed, of a record that has at least one entry."""
    if not Entry.objects.filter(retention="posts").exists():
        moves.leave(cast)
        records.sequence(cast.clock())
    return actions.propose(
        member or cast.fay,
        purpose=purpose,
        title=more.pop("title", "Posts of November"),
        about=more.pop("about", "For the county archive."),
        scope=scope or Scope(classes=("posts",)),
        now=cast.clock(),
    )


def ready(cast, **more):
    """A bag with everything, made."""
    bag = proposed(cast, **more)
    actions.agree_to_bag(cast.gus, bag.ref, now=cast.clock())
    work(cast)
    bag.refresh_from_db()
    return bag


def work(cast):
    """Let the record be signed, and the worker make what is owed."""
    records.sequence(cast.clock())
    return actions.work(cast.clock)


def again(row):
    return type(row).objects.select_related("organisation").get(pk=row.pk)


def fetch(cast, bag, member=None):
    """The zip file of a bag, as its reader gets it."""
    _bag, pieces = actions.fetch(member or cast.fay, bag.ref, now=cast.clock())
    return b"".join(pieces)


def unpack(data, folder):
    """The bag that a zip file holds, in a folder; its path."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    (inner,) = folder.iterdir()
    return inner


def bag_of(request):
    return queries.find_releasable(request)[0]


def undecided(request):
    return request.decisions.filter(verdict=Decision.UNDECIDED).count()
