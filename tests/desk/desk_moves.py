"""The moves of a post, made short, and a channel that does as it is told."""

from __future__ import annotations

import io
from datetime import timedelta

from PIL import Image

from folkmoot.channels import (
    Absent,
    Live,
    NotPrepared,
    NotReady,
    Partly,
    Prepared,
    Refused,
    Sent,
    Unconfirmed,
    Unreadable,
)
from folkmoot.channels.practice import Practice
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts.content import Content
from folkmoot.desk.drafts.queries import get_draft, get_version
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing.queries import list_deliveries
from folkmoot.desk.records import actions as records
from folkmoot.desk.records.models import FieldValue
from folkmoot.desk.records.queries import list_history
from folkmoot.desk.records.values import open_values

HELD = "Vote Labour on Thursday."
STOPPED = "The card is 4111 1111 1111 1111."

__all__ = [
    "HELD",
    "STOPPED",
    "Absent",
    "Content",
    "Live",
    "NotPrepared",
    "NotReady",
    "Partly",
    "Prepared",
    "Refused",
    "Sent",
    "StandIn",
    "Unconfirmed",
    "Unreadable",
    "timedelta",
]


def awaiting(cast, content=None, author=None):
    """A post that waits for its sign-off."""
    author = author or cast.alice
    draft = drafts.start(author, content or cast.content(), now=cast.clock())
    return drafts.send_for_signoff(author, draft.pk, now=cast.clock())


def digest_of(draft):
    return get_version(draft).digest


def sign(cast, draft, approver=None, accepted=None):
    return drafts.sign(
        approver or cast.bob,
        draft.pk,
        digest_seen=digest_of(draft),
        accepted=accepted or {},
        now=cast.clock(),
    )


def signed(cast, content=None, **more):
    """A post that is signed and due."""
    return sign(cast, awaiting(cast, content), **more)


def again(cast, draft):
    return get_draft(cast.alice, draft.pk)


def work(cast, times=4, **step):
    """Let the worker go round, time passing between rounds."""
    for _ in range(times):
        publishing.work(cast.clock)
        cast.clock.pass_(**(step or {"seconds": 61}))


def told(draft):
    (one,) = list_deliveries(draft)
    return one


def picture_file(form="PNG", size=(40, 30), colour="teal", name=None, **options):
    """A picture as a browser hands it in."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form, **options)
    out.seek(0)
    out.name = name or f"picture.{form.lower()}"
    return out


def form_of(content, revision=0, **more):
    """``content`` as the composer hands it in."""
    return {
        "text": content.text,
        "accounts": [str(pk) for pk in content.accounts],
        "language": content.language,
        "window": str(content.window_minutes),
        "when": "signed",
        "revision": str(revision),
        "do": "save",
        **{f"answer-{key}": value for key, value in content.answers.items()},
        **more,
    }


class StandIn:
    """An adapter on a shelf of its own that answers as it is told to, then as it should.

    ``script`` maps a method's name to a list: a value is answered, an exception is raised, a
    callable is called with the real method and its arguments. When a list is used up the method
    does as it should. ``calls`` counts what was asked.
    """

    def __init__(self, **script):
        self.shelf, self.times = {}, {}
        self.script = {name: list(steps) for name, steps in script.items()}
        self.calls = []
        self._real = Practice(
            self,
            post_url="https://posts.example/{}".format,
            picture_url=lambda s, _: f"https://p/{s}",
        )

    # the shelf
    def put_if_absent(self, key, record, *, published_at):
        if key in self.shelf:
            return False
        self.shelf[key] = record
        self.times[key] = published_at
        return True

    def find(self, key):
        from folkmoot.channels import Shelved

        return Shelved(key, self.shelf[key], self.times[key]) if key in self.shelf else None

    def list_newest(self, limit):
        newest = sorted(self.shelf, key=lambda key: self.times[key], reverse=True)
        return tuple(self.find(key) for key in newest[:limit])

    def __getattr__(self, name):
        real = getattr(self._real, name)

        def ask(*args, **kwargs):
            self.calls.append(name)
            waiting = self.script.get(name)
            if not waiting:
                return real(*args, **kwargs)
            answer = waiting.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            if callable(answer):
                return answer(real, *args, **kwargs)
            return answer

        return ask

    def install(self, monkeypatch):
        monkeypatch.setattr(accounts, "open_adapter", lambda _account, **_more: self)
        return self


def entries(draft, kind):
    """The entries of this kind about a post, with all their fields."""
    return [entry for entry in list_history(draft.subject) if entry.kind == kind]


def recorded_texts():
    """The text of every field on the record, opened."""
    return [field.value for field in open_values(FieldValue.objects.order_by("pk")) if field]


def leave(cast, **more):
    """Leave an entry, as an action does."""
    more = {"kind": "draft.tried", "fields": {"text": "Words."}, **more}
    return records.record(
        more.pop("kind"),
        at=cast.clock(),
        organisation=cast.body.ref,
        actor=cast.alice.ref,
        role="author",
        subject="post/1",
        **more,
    )


def publish(cast, **more):
    """A post that is live, read back and on the record."""
    draft = signed(cast, cast.content(**more))
    work(cast)
    records.sequence(cast.clock())
    return draft


def state_of_everything():
    """Every draft, decision and account as the database has it."""
    from folkmoot.desk.accounts.models import Account
    from folkmoot.desk.drafts.models import Draft, Signoff, Version

    return [
        list(table.objects.order_by("pk").values_list())
        for table in (Draft, Version, Signoff, Account)
    ]
