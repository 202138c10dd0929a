"""Corrections and removals: posts about a post, signed like any, with a note for the public."""

from __future__ import annotations

import json

import desk_moves as moves
import pytest
from desk_moves import StandIn

from folkmoot.desk.accounts.models import ShelfItem
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts import following
from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.records import actions as records

WORDS = "We took this post down because it named somebody who had not agreed."


def remove(cast, about, *, ground="private", author=None, accounts=None):
    return following.remove(
        author or cast.alice,
        about.pk,
        accounts=accounts or [cast.feed.pk],
        ground=ground,
        words=WORDS,
        now=cast.clock(),
    )


def correct(cast, about, text="Correction: it opens at 10am."):
    draft = following.start_correction(
        cast.alice, about.pk, accounts=[cast.feed.pk], ground="wrong_fact", now=cast.clock()
    )
    content = cast.content(text, ground="wrong_fact", kind="correction")
    draft = drafts.save(cast.alice, draft.pk, content, revision=draft.revision, now=cast.clock())
    return moves.sign(cast, drafts.send_for_signoff(cast.alice, draft.pk, now=cast.clock()))


def test_a_removal_goes_the_way_of_a_post_and_leaves_a_tombstone(cast):
    about = moves.publish(cast)
    key = ShelfItem.objects.get().key
    draft = moves.sign(cast, remove(cast, about))
    moves.work(cast)
    records.sequence(cast.clock())
    told = moves.told(draft)
    assert (told.state, told.removes) == ("sent", True)
    assert (told.read_back, told.read_back_note) == ("matches", "It is gone, as was signed.")
    assert moves.told(about).removed_at is not None
    anyone = cast.client()
    feed = anyone.get("/feed.atom").content.decode()
    assert "Mill Road" not in feed
    assert "deleted-entry" in feed
    assert WORDS in feed
    page = anyone.get(f"/posts/{key}/")
    assert page.status_code == 410
    assert WORDS in page.content.decode()
    (entry,) = moves.entries(draft, "delivery.removed")
    assert entry.public
    assert entry.fields["ground"] == "private"
    (note,) = moves.entries(about, "post.removed")
    assert note.fields["text"] == WORDS
    register = anyone.get("/register/").content.decode()
    assert "Taken down" in register


def test_a_removal_is_signed_by_a_second_person_and_an_urgent_one_by_a_duty_officer_too(cast):
    about = moves.publish(cast)
    dora = people.add_member(
        cast.body,
        email="dora@moot.example",
        name="Dora",
        roles=(Role.DUTY,),
        password="correct horse battery",
        now=cast.clock(),
    )
    private, rights = remove(cast, about), remove(cast, about, ground="rights")
    with pytest.raises(drafts.DraftRefused, match="role approver can sign"):
        moves.sign(cast, rights, approver=dora)
    assert moves.sign(cast, private, approver=dora).state == "signed"
    own = remove(cast, about, author=dora)
    with pytest.raises(drafts.DraftRefused, match="somebody else must sign"):
        moves.sign(cast, own, approver=dora)
    ordinary = moves.awaiting(cast)
    with pytest.raises(drafts.DraftRefused, match="role approver can sign"):
        moves.sign(cast, ordinary, approver=dora)


def test_a_removal_lost_on_the_way_is_looked_up_like_any_post(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    about = moves.publish(cast)
    channel.script["send"] = [moves.Unconfirmed("Silence.")]
    draft = moves.sign(cast, remove(cast, about))
    moves.work(cast, times=6)
    assert moves.told(draft).state == "sent"
    assert channel.calls.count("send") == 3


def test_a_removal_says_why_and_where(cast):
    about = moves.publish(cast)
    with pytest.raises(drafts.DraftRefused, match="Choose why"):
        remove(cast, about, ground="because")
    with pytest.raises(drafts.DraftRefused, match="Say in a sentence, for the public"):
        following.remove(
            cast.alice,
            about.pk,
            accounts=[cast.feed.pk],
            ground="private",
            words=" ",
            now=cast.clock(),
        )
    with pytest.raises(drafts.DraftRefused, match="role author"):
        remove(cast, about, author=cast.dan)


def test_a_correction_answers_what_it_corrects_and_the_two_are_linked(cast):
    about = moves.publish(cast)
    draft = correct(cast, about)
    moves.work(cast)
    records.sequence(cast.clock())
    assert moves.told(draft).state == "sent"
    first, second = ShelfItem.objects.order_by("pk")
    assert (
        json.loads(bytes(second.record))["replying_to"]
        == json.loads(bytes(first.record))["entry_id"]
    )
    feed = cast.client().get("/feed.atom").content.decode()
    assert "in-reply-to" in feed
    (note,) = moves.entries(about, "post.corrected")
    assert note.fields["url"] == moves.told(draft).url
    page = cast.client(cast.bob).get(f"/desk/drafts/{about.pk}").content.decode()
    assert f"/desk/drafts/{draft.pk}" in page
    register = cast.client().get("/register/").content.decode()
    assert "Corrected" in register


def test_the_pages_lead_from_a_live_post_to_its_correction_and_removal(cast):
    about = moves.publish(cast)
    alice = cast.client(cast.alice)
    page = alice.get(f"/desk/drafts/{about.pk}").content.decode()
    assert f"/desk/drafts/{about.pk}/follow/removal" in page
    form = alice.get(f"/desk/drafts/{about.pk}/follow/removal").content.decode()
    assert "It tells something private of somebody" in form
    answer = alice.post(f"/desk/drafts/{about.pk}/follow/removal", {"words": WORDS})
    assert answer.status_code == 422
    assert WORDS in answer.content.decode()
    answer = alice.post(
        f"/desk/drafts/{about.pk}/follow/removal",
        {"words": WORDS, "ground": "private", "accounts": [str(cast.feed.pk)]},
    )
    assert answer.status_code == 302
    number = int(answer["Location"].rpartition("/")[2])
    page = cast.client(cast.bob).get(f"/desk/signoff/{number}").content.decode()
    assert "will be taken down" in page
    assert "Mill Road" in page
    assert WORDS in page
    answer = alice.post(
        f"/desk/drafts/{about.pk}/follow/correction",
        {"ground": "wrong_fact", "accounts": [str(cast.feed.pk)]},
    )
    assert answer.status_code == 302
    page = alice.get(answer["Location"]).content.decode()
    assert "Correction:" in page
    mallory = cast.client(cast.mallory)
    assert mallory.get(f"/desk/drafts/{about.pk}/follow/removal").status_code == 404
