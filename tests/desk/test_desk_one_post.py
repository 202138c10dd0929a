"""One post, the whole way, without a browser."""

import feedparser

from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts.queries import get_draft, get_version
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing.queries import list_deliveries
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import queries as record_queries
from folkmoot.ledger import verify_proof


def test_a_signed_post_goes_out_once_and_can_be_proved(cast):
    draft = drafts.start(cast.alice, cast.content(), now=cast.clock())
    drafts.send_for_signoff(cast.alice, draft.pk, now=cast.clock())
    digest = get_version(get_draft(cast.bob, draft.pk)).digest
    drafts.sign(cast.bob, draft.pk, digest_seen=digest, accepted={}, now=cast.clock())
    for _ in range(3):
        publishing.work(cast.clock)
    records.sequence(cast.clock())

    (told,) = list_deliveries(draft)
    assert (told.state, told.read_back) == ("sent", "matches")
    assert get_draft(cast.bob, draft.pk).state == "published"

    feed = feedparser.parse(cast.client().get("/feed.atom").content)
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == [
        "The library in Mill Road opens again on Monday at 9am."
    ]

    (entry,) = record_queries.list_public(cast.body.ref, "delivery.sent", most=2)
    proof = record_queries.get_proof(entry.entry_id)
    result = verify_proof(proof, keys=[record_queries.log_key()])
    assert result.ok, result.reason
    assert result.disclosed["text"].startswith("The library in Mill Road")
    assert result.disclosed["digest"] == digest
