"""The world of one run: its database, its people, what they signed, and what stands where."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .channel_host import Standing
from .ground import PDS, Cast, Ground, clear_pds, list_pds
from .lives import LONGEST_SECONDS, Life, Orders, begin_life
from .planted import plant_bug

OWN = ("atom", "practice")
MAIL = "email"
KEYED = (*OWN, "bluesky", "mastodon", "webhook", PDS)
"""Where the same key is the same post, so that sending it twice does no harm."""
IN_PARTS = ("mastodon", "mastodon-plain", "x", "threads")
NO_TIMELINE = ("webhook", "webhook-plain")
NEEDS_PICTURE = ("instagram",)
SETTLE = (0.5, 3, 31, 31, 62, 120, 300, 601, 601, 601, 1800, 1, 1)
# How many of the workers take accounts beside each other, as in the desk.
BESIDE = 0.4
FAR = timedelta(days=3650)
_SENTENCES = (
    "The library in Mill Road opens again on Monday at 9am.",
    "Everyone is welcome, and nobody needs a ticket.",
    "Mae croeso i bawb — dewch â ffrind ☕",
    "Tea & cake are there too, and it is <quiet> upstairs.",
    "See https://www.example.gov.uk/library?a=1&b=2 for the times. #MillRoad",
    "The lift works, and there is parking behind the building.",
)
_LETTERS = "bcdfghjklmnpqrstvwxz"


@dataclass
class Signed:
    """Words that were signed to go out, as each channel is to have them: a text and its pictures
    (SHA-256 and description) for each part.
    """

    parts: dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]]


@dataclass
class Post:
    """One post of a run. ``expected`` is what must become of it: ``sent``, ``person`` (sent, or in
    front of a person), ``never`` or ``any``; ``why_never`` is what it would be if it went all the
    same, ``unsigned`` or ``stale``.
    """

    draft_id: int
    accounts: tuple[str, ...]
    text: str
    due_at: datetime
    not_after: datetime
    signed: list[Signed] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    why_never: str = "unsigned"
    removes: Post | None = None
    left_to_people: bool = False
    """Whether an alarm tells of it, so that the desk and the channel may differ about it."""

    def expect(self, what: str, *names: str) -> None:
        """Expect this of it, everywhere or on these channels."""
        for name in names or self.accounts:
            self.expected[name] = what

    def never(self, why: str) -> None:
        """It must not go out any more."""
        self.why_never = why
        self.expect("never")


@dataclass
class Barrier:
    """From here on nothing new may stand on these channels, but for the posts that ``may``."""

    why: str
    seen: dict[str, set[str]]
    may: list[Post]


class World:
    """One run. ``rng`` is all that is left to chance."""

    def __init__(self, ground: Ground, url: str, database: str, rng: random.Random) -> None:
        self.ground = ground
        self.url = url
        self.database = database
        self.rng = rng
        self.clock = ground.clock
        self.host = ground.host
        self.cast: Cast = ground.casts[database]
        self.plant = ""
        self.posts: list[Post] = []
        self.barriers: list[Barrier] = []
        self.strangers: dict[str, list[str]] = {}
        self.spoiled: set[tuple[str, str]] = set()
        self.story: list[str] = []
        self.lives: list[Life] = []
        self.faults: list[str] = []
        self.mails = False
        self.patience_seconds = LONGEST_SECONDS
        self.left: dict[int, datetime] = {}
        self.log = Path(ground.home) / "run.log"
        self.log.write_text("")

    # -- who and what ---------------------------------------------------------------------------

    @property
    def all_names(self) -> tuple[str, ...]:
        """Every channel there is here."""
        return tuple(self.cast.accounts)

    def member(self, name: str) -> Any:
        """A member, read anew."""
        from folkmoot.desk.people.models import Member

        return Member.objects.select_related("organisation").get(pk=getattr(self.cast, name))

    @property
    def organisation(self) -> Any:
        return self.member("author").organisation

    def account(self, name: str) -> Any:
        """The account of a channel here, read anew."""
        from folkmoot.desk.accounts.models import Account

        return Account.objects.select_related("organisation").get(pk=self.cast.accounts[name])

    def tell(self, line: str) -> None:
        """Note what happens, for the story of a run that fails."""
        self.story.append(f"{self.clock():%Y-%m-%d %H:%M:%S} {line}")

    def pass_(self, seconds: float) -> datetime:
        """Let time go by."""
        self.tell(f"{seconds:g} s pass")
        return self.clock.pass_(seconds)

    def watch_only(self, names: Iterable[str]) -> None:
        """Let the other channels' timelines be looked at another year, to save time."""
        from folkmoot.desk.publishing.models import Watch

        kept = {self.cast.accounts[name] for name in names}
        now = self.clock()
        for pk in self.cast.accounts.values():
            later = {"since_at": now, "next_look_at": now if pk in kept else now + FAR}
            Watch.objects.update_or_create(account_id=pk, defaults=later)

    def but(self, names: Iterable[str], *groups: Iterable[str], otherwise: str) -> tuple[str, ...]:
        """Of these channels, those in none of the ``groups``; where none is left, another."""
        out = {name for group in groups for name in group}
        left = tuple(name for name in names if name not in out) or (otherwise,)
        self.watch_only(left)
        return left

    # -- writing and signing ----------------------------------------------------------------------

    def make_text(self, parts: int = 1, lead: str = "") -> str:
        """A text nobody else has, in this many parts."""
        marker = "".join(self.rng.choices(_LETTERS, k=7))
        written = []
        for number in range(parts):
            chosen = self.rng.sample(_SENTENCES, self.rng.randint(1, 3))
            written.append(f"{lead}Notice {marker} {'abcdefghij'[number]}. {' '.join(chosen)}")
        return "\n---\n".join(written)

    def content(self, text: str, names: Iterable[str], **more: Any) -> Any:
        """What an author hands in, with every question answered as it must be."""
        from folkmoot.desk.drafts.content import Content, check_content

        names = tuple(names)
        if more.pop("pictured", False) or any(name in NEEDS_PICTURE for name in names):
            more["pictures"] = (self._picture(),)
        accounts = tuple(self.cast.accounts[name] for name in names)
        content = Content(text, accounts, **more)
        report = check_content(content, self.organisation, role="author", now=self.clock())
        answers = {one["id"]: one["proceed"] for one in report.get("questions", ())}
        return replace(content, answers=answers)

    def write(self, names: Iterable[str], *, text: str = "", parts: int = 1, **more: Any) -> Post:
        """A post that waits for its sign-off."""
        from folkmoot.desk.drafts import actions as drafts

        names = tuple(names)
        text = text or self.make_text(parts)
        author = self.member(str(more.pop("author", "author")))
        more.setdefault("window_minutes", 60)
        content = self.content(text, names, **more)
        draft = drafts.start(author, content, now=self.clock())
        drafts.send_for_signoff(author, draft.pk, now=self.clock())
        due_at = content.due_at or self.clock()
        window = timedelta(minutes=content.window_minutes)
        post = Post(draft.pk, names, text, due_at, due_at + window)
        post.expect("sent")
        self.posts.append(post)
        self.tell(f"post {draft.pk} is written for {', '.join(names)}")
        return post

    def sign(self, post: Post, by: str = "approver") -> Post:
        """Sign what a post says now."""
        from folkmoot.desk.drafts import actions as drafts
        from folkmoot.desk.drafts.content import check_content, content_of, list_holds
        from folkmoot.desk.drafts.queries import get_draft, get_version

        signer = self.member(by)
        version = get_version(get_draft(signer, post.draft_id))
        content = content_of(version)
        report = check_content(content, self.organisation, role="author", now=self.clock())
        accepted = {hold.fingerprint: "Seen." for hold in list_holds(report, self.organisation)}
        drafts.sign(
            signer, post.draft_id, digest_seen=version.digest, accepted=accepted, now=self.clock()
        )
        post.due_at = content.due_at or self.clock()
        post.not_after = post.due_at + timedelta(minutes=content.window_minutes)
        if post.removes is None:
            post.signed.append(Signed(self._render(version, post.accounts)))
        self.tell(f"post {post.draft_id} is signed, due at {post.due_at:%H:%M:%S}")
        return post

    def publishable(self, names: Iterable[str], **more: Any) -> Post:
        """A post that is signed."""
        return self.sign(self.write(names, **more))

    def write_many(self, count: int, names: Iterable[str], **more: Any) -> None:
        """Very many signed posts: one by the desk's own doors, the others its copies in the
        database, each with words and a digest of its own.
        """
        from django.db import transaction

        from folkmoot.desk.drafts.content import content_digest, content_of
        from folkmoot.desk.drafts.models import Draft, Signoff, Version

        first = self.publishable(names, **more)
        draft = Draft.objects.select_related("organisation").get(pk=first.draft_id)
        version, signoff = draft.versions.get(), draft.signoffs.get()
        with transaction.atomic():
            for _ in range(count - 1):
                draft.pk = version.pk = signoff.pk = None
                draft._state.adding = version._state.adding = signoff._state.adding = True
                draft.save(force_insert=True)
                version.draft, version.text = draft, self.make_text()
                version.digest = content_digest(
                    content_of(version), version.report, draft, version.number
                )
                signoff.draft, signoff.digest = draft, version.digest
                Version.objects.bulk_create([version])
                Signoff.objects.bulk_create([signoff])
                post = replace(first, draft_id=draft.pk, text=version.text, expected={})
                post.signed = [Signed(self._render(version, post.accounts))]
                post.expect("sent")
                self.posts.append(post)
        self.tell(f"{count - 1} more are written")

    def take_back(self, post: Post) -> bool:
        """Take a post back; whether that was still possible."""
        from folkmoot.desk.drafts import actions as drafts

        try:
            drafts.take_back(self.member("author"), post.draft_id, now=self.clock())
        except drafts.DraftRefused as refused:
            self.tell(f"post {post.draft_id} cannot be taken back: {refused}")
            return False
        self.tell(f"post {post.draft_id} is taken back")
        return True

    def edit(self, post: Post, text: str) -> None:
        """Change the words of a post that is being drafted."""
        from folkmoot.desk.drafts import actions as drafts
        from folkmoot.desk.drafts.queries import get_draft

        author = self.member("author")
        content = self.content(text, post.accounts, window_minutes=60)
        draft = get_draft(author, post.draft_id)
        drafts.save(author, draft.pk, content, revision=draft.revision, now=self.clock())
        post.text = text
        self.tell(f"post {post.draft_id} is changed")

    def remove(self, about: Post, names: Iterable[str]) -> Post:
        """A signed removal of a post."""
        from folkmoot.desk.drafts import following

        names = tuple(names)
        draft = following.remove(
            self.member("author"),
            about.draft_id,
            accounts=[self.cast.accounts[name] for name in names],
            ground="wrong_fact",
            words="We took this down because it was not so.",
            now=self.clock(),
        )
        post = Post(draft.pk, names, "", self.clock(), self.clock(), removes=about)
        post.expect("sent")
        self.posts.append(post)
        self.tell(f"post {about.draft_id} is to be taken down from {', '.join(names)}")
        return self.sign(post)

    def correct(self, about: Post, names: Iterable[str]) -> Post:
        """A signed correction of a post."""
        from folkmoot.desk.drafts import actions as drafts
        from folkmoot.desk.drafts import following

        names, author = tuple(names), self.member("author")
        draft = following.start_correction(
            author,
            about.draft_id,
            accounts=[self.cast.accounts[name] for name in names],
            ground="wrong_fact",
            now=self.clock(),
        )
        text = self.make_text(lead="Correction: ")
        content = self.content(
            text, names, ground="wrong_fact", kind="correction", window_minutes=60
        )
        draft = drafts.save(author, draft.pk, content, revision=draft.revision, now=self.clock())
        drafts.send_for_signoff(author, draft.pk, now=self.clock())
        post = Post(draft.pk, names, text, self.clock(), self.clock())
        post.expect("sent")
        self.posts.append(post)
        self.tell(f"post {about.draft_id} is to be corrected")
        return self.sign(post)

    def _picture(self) -> dict[str, Any]:
        from folkmoot.desk.drafts.models import Picture
        from folkmoot.desk.drafts.queries import picture_row

        return picture_row(Picture.objects.get(), alt="The library from across the road.")

    def _render(
        self, version: Any, names: Iterable[str]
    ) -> dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]]:
        from folkmoot.desk.accounts import queries as accounts
        from folkmoot.desk.drafts.queries import make_rendition

        rendered = {}
        for name in names:
            rendition = make_rendition(
                version.text,
                version.pictures,
                version.language,
                accounts.capabilities_of(self.account(name)),
                organisation_id=self.account(name).organisation_id,
            )
            parts = [
                (part.text, tuple((one.sha256, one.alt) for one in part.pictures))
                for part in rendition.parts
            ]
            if name in NO_TIMELINE:  # a receiver of webhooks is given a thread as one document
                pictures = tuple(one for _, many in parts for one in many)
                parts = [("\n\n".join(text for text, _ in parts), pictures)]
            rendered[name] = parts
        return rendered

    # -- workers ----------------------------------------------------------------------------------

    def begin(self, **orders: Any) -> Life:
        """Begin a worker's life, and do not wait for it."""
        beside = self.rng.random() < BESIDE
        if (blow := orders.get("blow")) is not None and blow.stands_still:
            beside = False  # another thread would stand still with the database's lock in hand
        orders = {
            "mails": self.mails,
            "beside": beside,
            "longest_seconds": self.patience_seconds,
            **orders,
        }
        life = begin_life(self.clock, Orders(**orders), log=self.log, plant=self.plant)
        self.lives.append(life)
        return life

    def live(self, **orders: Any) -> Life:
        """One worker's life, until it ends or stands still."""
        life = self.begin(**orders)
        self.heed(life.wait(), life)
        return life

    def heed(self, end: str, life: Life) -> None:
        """Tell how a life went; one that failed or hangs is a fault of ours."""
        blow = f" ({life.orders.blow})" if life.orders.blow else ""
        self.tell(f"worker {life.pid} {end}{blow}")
        if end in ("failed", "hung"):
            self.faults.append(f"A worker {end}: see the log.")

    def go_on(self, life: Life) -> None:
        """Let a worker that stands still go on to its end."""
        if life.end == "still":
            self.heed(life.go_on(), life)

    def elsewhere(self, act: Callable[[], object]) -> None:
        """Do something in a process of its own, with the planted bug in it."""
        from django.db import connections

        connections.close_all()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                plant_bug(self.plant)
                act()
                status = 0
            except BaseException as fault:  # noqa: BLE001 - told, and then the process is gone
                with self.log.open("a") as file:
                    file.write(f"{type(fault).__name__}: {fault}\n")
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        if status:
            self.faults.append("What a person did failed: see the log.")

    def settle(self) -> None:
        """Let the channels recover and the worker go on until nothing is owed any more."""
        for life in self.lives:
            self.go_on(life)
        self.host.calm()
        life = self.live(waits=SETTLE, until=self.is_settled)
        if life.end != "ended":
            self.faults.append(f"The last worker {life.end}.")

    def is_settled(self) -> bool:
        """Whether nothing is under way any more but what only a person can decide."""
        from folkmoot.desk.drafts.models import Draft
        from folkmoot.desk.mailing.models import Mail
        from folkmoot.desk.publishing.models import Delivery

        if Draft.objects.filter(state="publishing").exists():
            return False
        if Draft.objects.filter(state="signed", due_at__lte=self.clock()).exists():
            return False
        if self.mails and Mail.objects.exclude(next_try_at=None, lease_until=None).exists():
            return False
        return not Delivery.objects.filter(state="sent", read_back="").exists()

    def end_all(self) -> None:
        """End what still lives."""
        for life in self.lives:
            if life.end in ("", "still"):
                life.kill()

    # -- what stands where ------------------------------------------------------------------------

    def list_standing(self, name: str) -> list[Standing]:
        """What ever stood on a channel, as the channel itself has it, oldest first."""
        if name in OWN:
            return self._list_shelf(name)
        if name == PDS:
            return list_pds(self.ground)
        if name == MAIL:
            return []  # what counts there is what each reader is sent
        return self.host.list_posts(name)

    def put_strange(self, name: str, text: str) -> None:
        """Post as somebody else does who has the account's password."""
        self.strangers.setdefault(name, []).append(self.host.put_strange(name, text))
        self.tell(f"somebody else posts on {name}")

    def bar(self, why: str, *may: Post) -> None:
        """Note what stands where: from now on nothing new may, but for the posts that ``may``."""
        seen = {name: {one.id for one in self.list_standing(name)} for name in self.all_names}
        self.barriers.append(Barrier(why, seen, list(may)))
        self.tell(f"from here on nothing may arrive: {why}")

    def _list_shelf(self, name: str) -> list[Standing]:
        from folkmoot.channels.entries import Entry, read_record
        from folkmoot.desk.accounts.models import ShelfItem

        rows = ShelfItem.objects.filter(account_id=self.cast.accounts[name]).order_by("pk")
        found = [read_record(bytes(row.record)) for row in rows]
        gone = {one.entry_key for one in found if not isinstance(one, Entry)}
        return [
            Standing(
                f"{entry.entry_id}#{number}" if number else entry.entry_id,
                entry.key,
                part.text,
                None,
                "",
                tuple((one.sha256, one.alt) for one in part.pictures),
                entry.key in gone,
                edited=False,
            )
            for entry in found
            if isinstance(entry, Entry)
            for number, part in enumerate(entry.parts)
        ]


def clear(ground: Ground, seed: int) -> None:
    """Take away what an earlier run left on the channels."""
    ground.host.start_afresh(seed)
    clear_pds(ground)
