"""Sign-off: a second person signs exactly what goes out, or nothing goes out."""

from __future__ import annotations

from datetime import timedelta

import desk_moves as moves
import pytest
from django.db import IntegrityError, connection, transaction

from folkmoot.desk.accounts.models import Account
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts.models import Draft, Signoff, Version
from folkmoot.desk.drafts.pictures import picture_path
from folkmoot.desk.drafts.queries import get_version
from folkmoot.desk.people.models import Member
from folkmoot.desk.people.queries import Role
from folkmoot.desk.publishing.queries import list_deliveries
from folkmoot.desk.records.columns import update_sealed

OWN = "You wrote some of this post, so somebody else must sign it."


def refuse(act, *args, **kwargs):
    with pytest.raises(drafts.DraftRefused) as refused:
        act(*args, **kwargs)
    return str(refused.value)


def test_nobody_signs_a_post_they_wrote_even_who_is_both(cast):
    draft = moves.awaiting(cast, author=cast.carol)
    assert OWN in refuse(moves.sign, cast, draft, cast.carol)
    assert moves.again(cast, draft).state == "awaiting_signoff"
    assert moves.sign(cast, draft, cast.bob).state == "signed"


def test_nobody_signs_a_post_of_which_they_wrote_an_earlier_version(cast):
    draft = drafts.start(cast.carol, cast.content("Carol's words."), now=cast.clock())
    drafts.save(cast.alice, draft.pk, cast.content(), revision=0, now=cast.clock())
    drafts.send_for_signoff(cast.alice, draft.pk, now=cast.clock())
    assert OWN in refuse(moves.sign, cast, draft, cast.carol)


def test_the_sign_off_page_gives_no_sign_button_to_the_author_and_refuses_their_form(cast):
    draft = moves.awaiting(cast, author=cast.carol)
    client = cast.client(cast.carol)
    page = client.get(f"/desk/signoff/{draft.pk}").content.decode()
    assert OWN.rstrip(".") in page
    assert 'value="sign"' not in page
    answer = client.post(
        f"/desk/signoff/{draft.pk}", {"decision": "sign", "digest": moves.digest_of(draft)}
    )
    assert answer.status_code == 422
    assert OWN in answer.content.decode()
    assert moves.again(cast, draft).state == "awaiting_signoff"


def test_the_database_itself_refuses_a_signature_by_the_author(cast):
    draft = moves.awaiting(cast)
    row = {
        "draft": draft,
        "version_number": draft.version_number,
        "digest": moves.digest_of(draft),
        "decision": "signed",
        "author": cast.alice.ref,
        "at": cast.clock(),
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Signoff.objects.create(by=cast.alice.ref, **row)
    Signoff.objects.create(by=cast.bob.ref, **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Signoff.objects.create(by=cast.carol.ref, **row)


@pytest.mark.parametrize("who", ["alice", "dan"])
def test_only_an_approver_signs(cast, who):
    draft = moves.awaiting(cast, author=cast.carol)
    assert "Only somebody with the role approver" in refuse(
        moves.sign, cast, draft, getattr(cast, who)
    )
    answer = cast.client(getattr(cast, who)).post(
        f"/desk/signoff/{draft.pk}", {"decision": "sign", "digest": moves.digest_of(draft)}
    )
    assert "Only somebody with the role approver" in answer.content.decode()


def test_an_approver_of_another_body_finds_no_such_post(cast):
    draft = moves.awaiting(cast)
    with pytest.raises(drafts.get_draft.__globals__["NoSuchDraft"]):
        moves.sign(cast, draft, cast.mallory)


def test_a_signed_post_is_not_changed_but_taken_back_and_signed_again(cast):
    draft = moves.signed(cast)
    said = refuse(
        drafts.save, cast.alice, draft.pk, cast.content("New."), revision=2, now=cast.clock()
    )
    assert said.startswith("This post has been signed, so it was not changed. Take it back first")
    drafts.take_back(cast.alice, draft.pk, now=cast.clock())
    moves.work(cast)
    assert list_deliveries(draft) == []
    now = moves.again(cast, draft)
    drafts.save(
        cast.alice, draft.pk, cast.content("New words."), revision=now.revision, now=cast.clock()
    )
    drafts.send_for_signoff(cast.alice, draft.pk, now=cast.clock())
    moves.sign(cast, moves.again(cast, draft))
    moves.work(cast)
    assert moves.told(draft).state == "sent"


def test_a_post_taken_back_unchanged_still_needs_a_new_signature(cast):
    draft = moves.signed(cast)
    old = moves.digest_of(draft)
    drafts.take_back(cast.alice, draft.pk, now=cast.clock())
    drafts.send_for_signoff(cast.alice, draft.pk, now=cast.clock())
    new = moves.again(cast, draft)
    assert moves.digest_of(new) != old
    said = refuse(drafts.sign, cast.bob, draft.pk, digest_seen=old, accepted={}, now=cast.clock())
    assert "The post has changed since you opened this page" in said
    moves.work(cast)
    assert list_deliveries(draft) == []


def test_a_digest_that_is_not_the_post_s_signs_nothing(cast):
    draft = moves.awaiting(cast)
    answer = cast.client(cast.bob).post(
        f"/desk/signoff/{draft.pk}", {"decision": "sign", "digest": "0" * 64}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The post has changed since you opened this page" in page
    assert moves.digest_of(draft) in page
    assert not Signoff.objects.exists()


def test_a_signature_for_one_post_does_not_fit_another_of_the_same_words(cast):
    one, two = moves.awaiting(cast), moves.awaiting(cast)
    said = refuse(
        drafts.sign,
        cast.bob,
        two.pk,
        digest_seen=moves.digest_of(one),
        accepted={},
        now=cast.clock(),
    )
    assert "The post has changed" in said


def test_the_second_of_two_approvers_is_told_who_was_first(cast):
    draft = moves.awaiting(cast)
    moves.sign(cast, draft, cast.bob)
    for act, more in ((drafts.sign, {"accepted": {}}), (drafts.send_back, {"reason": "No."})):
        said = refuse(
            act,
            cast.carol,
            draft.pk,
            digest_seen=moves.digest_of(draft),
            now=cast.clock(),
            **more,
        )
        assert said.startswith("Bob signed this post on Friday 20 November at 09:00, so your")


def test_who_opens_the_page_after_it_was_sent_back_is_told_by_whom(cast):
    draft = moves.awaiting(cast)
    seen = moves.digest_of(draft)
    drafts.send_back(cast.bob, draft.pk, digest_seen=seen, reason="Too long.", now=cast.clock())
    said = refuse(
        drafts.sign, cast.carol, draft.pk, digest_seen=seen, accepted={}, now=cast.clock()
    )
    assert said.startswith("Bob sent this post back on Friday 20 November")


def test_sending_back_needs_a_reason_and_shows_it_to_the_author(cast):
    draft = moves.awaiting(cast)
    client = cast.client(cast.bob)
    form = {"decision": "send_back", "digest": moves.digest_of(draft)}
    answer = client.post(f"/desk/signoff/{draft.pk}", {**form, "reason": "  \n "})
    assert "Say what should be changed" in answer.content.decode()
    client.post(f"/desk/signoff/{draft.pk}", {**form, "reason": "Name the <b>street</b>."})
    page = cast.client(cast.alice).get(f"/desk/drafts/{draft.pk}/edit").content.decode()
    assert "Name the &lt;b&gt;street&lt;/b&gt;." in page


def rewrite(draft, **columns):
    """As somebody would who has the keys as well as the database."""
    update_sealed(get_version(draft), columns)


def tamper_text(draft):
    rewrite(draft, text="Something else.")


def tamper_alt(draft):
    rewrite(draft, pictures=[{**get_version(draft).pictures[0], "alt": "Lies."}])


def tamper_handle(draft):
    Account.objects.filter(channel="atom").update(handle="elsewhere.example")


def tamper_version_time(draft):
    Version.objects.filter(draft=draft).update(due_at=draft.due_at + timedelta(minutes=1))


def tamper_due_earlier(draft):
    Draft.objects.filter(pk=draft.pk).update(due_at=draft.due_at - timedelta(minutes=30))


def tamper_due_later(draft):
    Draft.objects.filter(pk=draft.pk).update(due_at=draft.due_at + timedelta(minutes=30))


def tamper_window(draft):
    Version.objects.filter(draft=draft).update(window_minutes=6000)


def tamper_accounts(draft):
    other = Account.objects.filter(channel="practice").first()
    Version.objects.filter(draft=draft).update(accounts=[*get_version(draft).accounts, other.pk])


def tamper_answers(draft):
    Version.objects.filter(draft=draft).update(answers={})


def tamper_report(draft):
    rewrite(draft, report={**get_version(draft).report, "verdict": "get_signoff"})


def tamper_report_to_rubbish(draft):
    rewrite(draft, report={"schema": 99})


def tamper_language(draft):
    Version.objects.filter(draft=draft).update(language="cy")


def tamper_signature_away(draft):
    Signoff.objects.filter(draft=draft).delete()


TAMPERINGS = [value for name, value in list(globals().items()) if name.startswith("tamper_")]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda act: act.__name__)
def test_nothing_leaves_that_was_changed_behind_the_sign_off_and_the_post_says_so(cast, tamper):
    row = drafts.add_picture(
        cast.alice,
        moves.picture_file(),
        size_bytes=200,
        name="p.png",
        alt="Teal.",
        now=cast.clock(),
    )
    due = cast.clock() + timedelta(hours=1)
    draft = moves.signed(cast, cast.content(pictures=(row,), due_at=due))
    tamper(draft)
    cast.clock.pass_(minutes=31)
    moves.work(cast, times=9, minutes=20)
    assert [one.state for one in list_deliveries(draft) if one.state == "sent"] == []
    assert moves.again(cast, draft).state == "unsent"
    assert not cast.client().get("/feed.atom").content.count(b"<entry")
    page = cast.client(cast.alice).get(f"/desk/drafts/{draft.pk}").content.decode()
    assert "Not sent" in page
    assert "What would go out is not what was signed" in page or "A fault in this program" in page


@pytest.mark.parametrize("instead", ["'Something else.'", "pictures", "'f1.1.AAAA'", "'f1.x.'"])
def test_nothing_leaves_of_which_the_words_were_changed_by_somebody_without_the_keys(cast, instead):
    row = drafts.add_picture(
        cast.alice, moves.picture_file(), size_bytes=200, name="p", alt="A.", now=cast.clock()
    )
    draft = moves.signed(cast, cast.content(pictures=(row,)))
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE drafts_version SET text = {instead}")
    moves.work(cast, times=9, minutes=20)
    assert not [one for one in list_deliveries(draft) if one.state == "sent"]
    assert not cast.client().get("/feed.atom").content.count(b"<entry")


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_picture_changed_or_gone_after_sign_off_keeps_the_post_back(cast, how):
    row = drafts.add_picture(
        cast.alice,
        moves.picture_file(),
        size_bytes=200,
        name="p.png",
        alt="Teal.",
        now=cast.clock(),
    )
    draft = moves.signed(cast, cast.content(pictures=(row,)))
    file = picture_path(cast.body.pk, row["sha256"], row["media_type"])
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes() + b"\0")
    moves.work(cast, times=6, minutes=5)
    told = moves.told(draft)
    assert told.state in {"refused", "missed"}
    assert "A picture of this post" in told.trouble
    assert moves.again(cast, draft).state == "unsent"
    assert "A picture of this post" in cast.client(cast.bob).get("/desk/").content.decode()


def test_a_second_approver_may_not_sign_for_a_role_taken_away(cast):
    draft = moves.awaiting(cast)
    Member.objects.filter(pk=cast.bob.pk).update(roles=[Role.AUTHOR.value])
    client = cast.client(cast.bob)
    answer = client.post(
        f"/desk/signoff/{draft.pk}", {"decision": "sign", "digest": moves.digest_of(draft)}
    )
    assert "Only somebody with the role approver" in answer.content.decode()
