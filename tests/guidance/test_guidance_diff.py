"""What changed between two versions, clause by clause and word by word, and for whom."""

from __future__ import annotations

import json
import random
import time
from itertools import pairwise
from pathlib import Path

import pytest
from guidance_small_pack import Writer, clause_text

from folkmoot.guidance import (
    Audience,
    Level,
    Pack,
    PackDiff,
    UnrelatedPacks,
    diff_lines,
    diff_packs,
    diff_to_dict,
    for_role,
    load_pack,
)
from folkmoot.guidance.diff_rendering import KEY_WORDS, spans_text
from folkmoot.guidance.spans import Mark, Span, compare_texts


def body(full: str = "Three.", overview: str = "One.") -> str:
    return f"## overview\n\n{overview}\n\n## snapshot\n\nTwo.\n\n## full\n\n{full}\n"


@pytest.fixture
def versions(write_pack: Writer, tmp_path: Path) -> tuple[Pack, Pack]:
    """The same pack twice: four clauses before; one gone, one new and three changed after."""
    before = {
        "GONE": clause_text(title='"Gone"', order="1"),
        "SAME": clause_text(title='"The same"', order="2"),
        "STALE": clause_text(title='"Going stale"', order="3"),
        "TEXT": clause_text(
            title='"Told anew"', order="4", body=body("Answer within two working days.")
        ),
        "MOVED": clause_text(title='"For whom"', order="5", audiences='["line_manager"]'),
    }
    after = {
        **before,
        "NEW": clause_text(title='"New"', order="6", audiences='["it_lead"]'),
        "STALE": clause_text(
            title='"Going stale"',
            order="3",
            status='"historic"',
            evidence='"unverified"',
            url='"https://new.example/paper"',
            version_on="2026-01-02",
        ),
        "TEXT": clause_text(
            title='"Told anew"', order="4", body=body("Answer within one working day.")
        ),
        "MOVED": clause_text(title='"For whom"', order="5", audiences='["communicator"]'),
    }
    del after["GONE"]
    old = write_pack("small", clauses=before, under=tmp_path / "old")
    new = write_pack("small", clauses=after, under=tmp_path / "new")
    file = new / "pack.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("2026.11", "2026.12"), "utf-8")
    return load_pack(old), load_pack(new)


def ids(diff: PackDiff) -> tuple[list[str], list[str], list[str]]:
    return (
        [clause.id for clause in diff.added],
        [clause.id for clause in diff.removed],
        [change.id for change in diff.changed],
    )


def test_clauses_are_added_removed_or_changed(versions: tuple[Pack, Pack]):
    diff = diff_packs(*versions)
    assert ids(diff) == (["NEW"], ["GONE"], ["STALE", "TEXT", "MOVED"])
    assert (diff.old, diff.new) == tuple(pack.reference for pack in versions)
    assert [(key.key, key.old, key.new) for key in diff.keys] == [("version", "2026.11", "2026.12")]
    assert not diff.is_empty


def test_status_evidence_address_and_edition_are_told_key_by_key(versions: tuple[Pack, Pack]):
    stale = diff_packs(*versions).changed[0]
    assert {key.key: (key.old, key.new) for key in stale.keys} == {
        "status": ("in_force", "historic"),
        "evidence": ("reported", "unverified"),
        "url": ("https://office.example/paper", "https://new.example/paper"),
        "url_history": ("https://office.example/old-paper", ""),
        "version_on": ("2020-02-03", "2026-01-02"),
    }
    assert not stale.levels


def test_only_the_level_that_changed_is_told_word_by_word(versions: tuple[Pack, Pack]):
    text = diff_packs(*versions).changed[1]
    assert list(text.levels) == [Level.FULL]
    assert spans_text(text.levels[Level.FULL]) == (
        "Answer within [-two-]{+one+} working [-days-]{+day+}."
    )


def test_a_pack_does_not_differ_from_itself(versions: tuple[Pack, Pack]):
    diff = diff_packs(versions[0], versions[0])
    assert diff.is_empty
    assert list(diff_lines(diff))[-1] == "Nothing changed."


def test_what_changed_for_you_is_what_concerns_you(versions: tuple[Pack, Pack]):
    diff = diff_packs(*versions)
    # What is for everyone concerns each audience.
    assert ids(for_role(diff, Audience.EVERYONE)) == ([], ["GONE"], ["STALE", "TEXT"])
    assert ids(for_role(diff, Audience.IT_LEAD)) == (["NEW"], ["GONE"], ["STALE", "TEXT"])
    # A clause can come to concern somebody, and cease to, without having changed a word.
    assert ids(for_role(diff, Audience.COMMUNICATOR)) == (["MOVED"], ["GONE"], ["STALE", "TEXT"])
    assert ids(for_role(diff, Audience.LINE_MANAGER)) == ([], ["GONE", "MOVED"], ["STALE", "TEXT"])


def test_a_clause_that_only_moved_to_another_pack_is_no_news_for_anybody(
    write_pack: Writer, tmp_path: Path
):
    whole = write_pack(
        "whole", clauses={"A": clause_text(pack="whole"), "B": clause_text(pack="whole")}
    )
    part = write_pack("part", clauses={"B": clause_text(pack="part")}, under=tmp_path / "later")
    text = (whole / "sources.toml").read_text(encoding="utf-8")
    (part / "sources.toml").write_text(text, encoding="utf-8")
    (part / "clauses" / "B.md").write_text(clause_text(pack="whole"), encoding="utf-8")
    later = write_pack(
        "whole",
        pack='extends = [{ pack = "part", version = "2026.11" }]\n',
        clauses={"A": clause_text(pack="whole")},
        sources="",
        under=tmp_path / "later",
    )
    diff = diff_packs(load_pack(whole), load_pack(later))
    assert [(key.key, key.old, key.new) for key in diff.changed[0].keys] == [
        ("pack", "whole", "part")
    ]
    assert for_role(diff, Audience.EVERYONE).is_empty


def test_a_pack_can_be_compared_with_one_it_rests_on(write_pack: Writer):
    parent = load_pack(write_pack("parent"))
    child = load_pack(
        write_pack("child", pack='extends = [{ pack = "parent", version = "2026.11" }]\n')
    )
    assert ids(diff_packs(parent, child)) == (["CHILD-1"], [], [])
    assert ids(diff_packs(child, parent)) == ([], ["CHILD-1"], [])


def test_packs_that_have_nothing_to_do_with_each_other_are_not_compared(write_pack: Writer):
    with pytest.raises(UnrelatedPacks, match="a and b are different packs, and neither rests on"):
        diff_packs(load_pack(write_pack("a")), load_pack(write_pack("b")))


def test_the_text_says_what_is_new_gone_and_changed(versions: tuple[Pack, Pack]):
    text = "\n".join(diff_lines(diff_packs(*versions)))
    assert "New (1)\n  NEW  New\n      One." in text
    assert "No longer there (1)\n  GONE  Gone" in text
    assert "Changed (3)\n  STALE  Going stale\n      Status: in_force -> historic" in text
    assert "Earlier addresses: https://office.example/old-paper -> nothing" in text
    assert "      full:\n        Answer within [-two-]{+one+} working" in text


def test_the_text_for_a_role_says_for_whom(versions: tuple[Pack, Pack]):
    lines = list(diff_lines(for_role(diff_packs(*versions), Audience.POLICY_OFFICIAL)))
    assert "What changed for policy officials" in lines
    assert "What the pack says of itself" not in lines


def test_every_key_that_can_change_has_words(versions: tuple[Pack, Pack]):
    from folkmoot.guidance.diffing import _clause_words, _pack_words

    told = {**_clause_words(versions[0].clauses[0]), **_pack_words(versions[0])}
    assert set(told) == set(KEY_WORDS)


def test_the_json_holds_spans_that_make_both_texts(versions: tuple[Pack, Pack]):
    diff = diff_packs(*versions)
    told = json.loads(json.dumps(diff_to_dict(diff)))
    assert (told["schema"], told["audience"]) == (1, None)
    assert [clause["id"] for clause in told["added"]] == ["NEW"]
    assert told["added"][0]["audiences"] == ["it_lead"]
    spans = told["changed"][1]["levels"]["full"]
    for not_in, pack in (("added", versions[0]), ("removed", versions[1])):
        text = "".join(span["text"] for span in spans if span["mark"] != not_in)
        assert text == pack.get_clause("TEXT").levels[Level.FULL]
    assert diff_to_dict(for_role(diff, Audience.IT_LEAD))["audience"] == "it_lead"


# Word by word


def joined(spans: tuple[Span, ...], leave_out: Mark) -> str:
    return "".join(span.text for span in spans if span.mark is not leave_out)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", ""),
        ("", "New.", "{+New.+}"),
        ("Old.", "", "[-Old.-]"),
        ("Same.", "Same.", "Same."),
        ("Be kind.", "Be very kind.", "Be{+ very+} kind."),
        ("the department’s own", "the council’s own", "the [-department’s-]{+council’s+} own"),
        # A blank between two changed words does not stand alone.
        ("at once please", "on Monday please", "[-at once-]{+on Monday+} please"),
        # The space between two paragraphs does.
        ("alpha\n\nbeta", "gamma\n\ndelta", "[-alpha-]{+gamma+}\n\n[-beta-]{+delta+}"),
        ("One.\n\nTwo.", "One.\n\nTwo.\n\nThree.", "One.\n\nTwo.{+\n\nThree.+}"),
    ],
)
def test_whole_words_are_marked(old: str, new: str, told: str):
    assert spans_text(compare_texts(old, new)) == told


def test_the_spans_always_make_both_texts():
    chance = random.Random(7)
    words = ["a", "b", "go", "post", " ", "  ", "\n", "\n\n", ",", ".", "don’t", "£5", "é", "👍🏽"]
    for _ in range(300):
        old = "".join(chance.choices(words, k=chance.randrange(60)))
        new = "".join(chance.choices(words, k=chance.randrange(60)))
        spans = compare_texts(old, new)
        assert joined(spans, Mark.ADDED) == old
        assert joined(spans, Mark.REMOVED) == new
        assert all(span.text for span in spans)
        assert all(one.mark is not two.mark for one, two in pairwise(spans))


@pytest.mark.parametrize("between", [" ", "\n", "\n\n"])
@pytest.mark.parametrize("words", [399, 799, 100_000])
def test_texts_made_to_hurt_are_compared_in_bounded_time(between: str, words: int):
    chance = random.Random(1)
    old, new = ("".join(chance.choice("ab") + between for _ in range(words)) for _ in range(2))
    before = time.process_time()
    spans = compare_texts(old, new)
    assert time.process_time() - before < 3
    assert joined(spans, Mark.ADDED) == old
    assert joined(spans, Mark.REMOVED) == new
