"""Reading back: what is live is held against what was signed, and a difference is shown."""

from __future__ import annotations

import desk_moves as moves
import pytest
from desk_moves import Absent, Live, StandIn, Unreadable

from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.publishing.readback import MOST_TRIES
from folkmoot.desk.records import actions as records

SAME = ("The library in Mill Road opens again on Monday at 9am. Everyone is welcome.",)


@pytest.mark.parametrize(
    ("seen", "result", "sentence"),
    [
        (Live(("Other words.",), ((),), ((),)), "differs", "not what was signed: the text."),
        (
            Live(SAME, (("A picture",),), (("0" * 64,),)),
            "differs",
            "the descriptions of the pictures, the pictures.",
        ),
        (Live((), (), ()), "differs", "not what was signed"),
        (Live((*SAME, "And more."), ((), ()), ((), ())), "differs", "not what was signed"),
        (Absent(), "gone", "somebody removed it on the channel."),
    ],
    ids=["other words", "a picture more", "nothing", "a part more", "gone"],
)
def test_what_is_live_but_not_as_signed_stands_on_today(cast, monkeypatch, seen, result, sentence):
    StandIn(read_back=[seen]).install(monkeypatch)
    draft = moves.signed(cast)
    moves.work(cast)
    told = moves.told(draft)
    assert (told.state, told.read_back) == ("sent", result)
    assert sentence in told.read_back_note
    assert sentence in cast.client(cast.bob).get("/desk/").content.decode()
    records.sequence(cast.clock())
    (entry,) = moves.entries(draft, "delivery.read_back")
    assert entry.fields["result"] == result


@pytest.mark.parametrize("how", [Unreadable("No answer came."), RuntimeError("bug")], ids=str)
def test_what_cannot_be_read_is_tried_again_and_at_last_said_to_be_unreadable(
    cast, monkeypatch, how
):
    channel = StandIn(read_back=[how] * 99).install(monkeypatch)
    draft = moves.signed(cast)
    moves.work(cast, times=MOST_TRIES + 6, minutes=6)
    told = moves.told(draft)
    assert (told.state, told.read_back) == ("sent", "unreadable")
    assert channel.calls.count("read_back") == MOST_TRIES
    assert "It could not be read back" in cast.client(cast.bob).get("/desk/").content.decode()


def test_what_can_be_read_at_the_second_try_matches(cast, monkeypatch):
    StandIn(read_back=[Unreadable("Not yet.")]).install(monkeypatch)
    draft = moves.signed(cast)
    moves.work(cast)
    assert moves.told(draft).read_back == "matches"
    assert "Needs a person" not in cast.client(cast.bob).get("/desk/").content.decode()


def test_a_thread_with_pictures_is_read_back_part_by_part(cast):
    row = drafts.add_picture(
        cast.alice, moves.picture_file(), size_bytes=1, name="p.png", alt="Teal.", now=cast.clock()
    )
    draft = moves.signed(cast, cast.content("One.\n---\nTwo.", pictures=(row,)))
    moves.work(cast)
    assert (moves.told(draft).state, moves.told(draft).read_back) == ("sent", "matches")
