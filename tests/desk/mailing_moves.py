"""The moves of an e-mail list, made short, and a transport that does as it is told."""

from __future__ import annotations

import threading
import time

from folkmoot.channels import entries
from folkmoot.channels.email import Email, Handed, NotThere, Unsure
from folkmoot.channels.port import Part, Prepared, Rendition, Sent
from folkmoot.desk.mailing import actions, queries, tokens
from folkmoot.desk.mailing.letters import issue_url
from folkmoot.desk.mailing.models import Issue, Mail, Subscriber


class Killed(BaseException):
    """The process is gone."""


class Script:
    """A transport that answers as it is told, then takes all. ``letters`` are those handed over,
    ``taken`` those it took.
    """

    def __init__(self, *answers, can_find=False, per_minute=1000, slow=0.0):
        self.answers = list(answers)
        self.can_find = can_find
        self.per_minute = per_minute
        self.slow = slow
        self.letters = []
        self.taken = []
        self._lock = threading.Lock()

    def hand_over(self, letter):
        with self._lock:
            self.letters.append(letter)
            answer = self.answers.pop(0) if self.answers else Handed("given")
        time.sleep(self.slow)
        if answer in (Script.lose_answer, Script.lose_request):
            return answer(self, letter)
        if callable(answer):
            answer = answer(letter)
        if isinstance(answer, Handed):
            self.taken.append(letter)
        return answer

    def lose_answer(self, letter):
        self.taken.append(letter)
        return Unsure("No answer.")

    def lose_request(self, letter):
        return Unsure("No answer.")

    def find(self, reference):
        if not self.can_find:
            return Unsure("It cannot be asked.")
        found = any(one.reference == reference for one in self.taken)
        return Handed("found") if found else NotThere()

    def diagnose(self):
        return None

    def close(self):
        pass


def asked(cast, address):
    """Somebody who asked for the posts; their row."""
    mailing_list = queries.find_list(cast.body)
    actions.subscribe(mailing_list, address, now=cast.clock())
    mark = tokens.mark_of(mailing_list.pk, address.lower())
    return Subscriber.objects.exclude(state="left").get(mark=mark)


def confirm_token(subscriber):
    return tokens.make_token(tokens.confirming(subscriber), subscriber.ref)


def joined(cast, address):
    """Somebody who gets the posts; their row."""
    subscriber = asked(cast, address)
    Mail.objects.filter(subscriber=subscriber, issue=None).update(state="handed")
    return actions.confirm(confirm_token(subscriber), now=cast.clock())


def key_of(cast, text):
    """The key under which :func:`put_out` puts an issue out now."""
    return entries.make_key(f"{text}{cast.clock()}", cast.clock())


def put_out(cast, text, *, account=None):
    """Put an issue out as publishing does; its row."""
    account = account or cast.feed
    adapter = Email(
        queries.outbox_of(account.pk),
        issue_url=issue_url,
        picture_url=lambda sha256, _: f"http://testserver/pictures/{sha256}.png",
    )
    key = key_of(cast, text)
    prepared = adapter.prepare(Rendition((Part(text),)), key=key, at=cast.clock())
    assert isinstance(prepared, Prepared), prepared
    assert isinstance(adapter.send(prepared), Sent)
    return Issue.objects.get(key=key)


def work(cast, transport, times=1, **step):
    done = 0
    for _ in range(times):
        done += actions.work(cast.clock, lambda _: transport)
        cast.clock.pass_(**(step or {"seconds": 1}))
    return done


def states(**wanted):
    return [
        str(state)
        for state in Mail.objects.filter(**wanted).order_by("pk").values_list("state", flat=True)
    ]
