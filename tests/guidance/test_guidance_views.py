"""Views of a pack: whom a clause concerns, and the one page to hold in one's head."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from guidance_small_pack import Writer, clause_text

from folkmoot.guidance import (
    Audience,
    Level,
    Pack,
    PackError,
    available_packs,
    clauses_for,
    load_pack,
    overview_lines,
    overview_page,
)
from folkmoot.guidance.views import PAGE_COLUMNS, PAGE_LINES


def fits(lines: Iterable[str]) -> bool:
    told = tuple(lines)
    return len(told) <= PAGE_LINES and max(map(len, told)) <= PAGE_COLUMNS


@pytest.fixture
def pack(write_pack: Writer) -> Pack:
    def clause(order: int, kind: str, group: str, **more: str) -> str:
        return clause_text(
            title=f'"Clause {order}"',
            order=str(order),
            kind=f'"{kind}"',
            group=f'"{group}"',
            **more,
        )

    return load_pack(
        write_pack(
            clauses={
                "A": clause(1, "standard", "Standards", audiences='["communicator"]'),
                "B": clause(2, "value", "Values"),
                "C": clause(3, "principle", "Old principles", status='"superseded"'),
                "D": clause(4, "principle", "Principles", audiences='["everyone", "it_lead"]'),
                "E": clause(5, "tip", "Tips", audiences='["line_manager"]'),
            }
        )
    )


@pytest.mark.parametrize(
    ("audience", "ids"),
    [
        (Audience.EVERYONE, "BCD"),
        (Audience.COMMUNICATOR, "ABCD"),
        (Audience.POLICY_OFFICIAL, "BCD"),
        (Audience.LINE_MANAGER, "BCDE"),
        (Audience.IT_LEAD, "BCD"),
    ],
)
def test_an_audience_sees_its_own_clauses_and_those_for_everyone(
    pack: Pack, audience: Audience, ids: str
):
    assert "".join(clause.id for clause in clauses_for(pack, audience)) == ids


def test_every_audience_has_words():
    assert [audience.word for audience in Audience] == [
        "everyone",
        "communicators",
        "policy officials",
        "line managers",
        "IT leads",
    ]


@pytest.mark.parametrize(
    ("word", "near"), [("comunicator", "communicator"), ("managers", "line_manager"), ("xyz", "")]
)
def test_an_unknown_audience_is_refused_with_the_nearest(write_pack: Writer, word: str, near: str):
    folder = write_pack(clauses={"A": clause_text(audiences=f'["everyone", "{word}"]')})
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    assert caught.value.key == "audiences"
    assert (f"Did you mean {near!r}?" in caught.value.wrong) == bool(near)
    assert "Allowed: everyone, communicator, policy_official" in caught.value.wrong


def test_the_plural_words_of_the_first_packs_are_still_read(write_pack: Writer):
    words = '["communicators", "policy_officials", "line_managers", "it_leads"]'
    clause = load_pack(write_pack(clauses={"A": clause_text(audiences=words)})).clauses[0]
    assert clause.audiences == set(Audience) - {Audience.EVERYONE}


def test_without_a_mark_the_overview_has_principles_and_values_that_still_hold(pack: Pack):
    page = overview_page(pack)
    assert [(group.heading, [each.id for each in group.clauses]) for group in page] == [
        ("Principles", ["D"]),
        ("Values", ["B"]),
    ]


def test_marked_clauses_stand_principles_first_then_values_then_the_rest(write_pack: Writer):
    def clause(order: int, kind: str, group: str, mark: str = "true") -> str:
        return clause_text(order=str(order), kind=f'"{kind}"', group=f'"{group}"', in_overview=mark)

    pack = load_pack(
        write_pack(
            clauses={
                "A": clause(1, "limit", "Limits"),
                "B": clause(2, "value", "Values"),
                "C": clause(3, "principle", "Later"),
                "D": clause(4, "principle", "Later"),
                "E": clause(5, "principle", "Left out", "false"),
                "F": clause(6, "limit", "Limits"),
            }
        )
    )
    page = overview_page(pack)
    assert [(group.heading, "".join(each.id for each in group.clauses)) for group in page] == [
        ("Principles", "CD"),
        ("Values", "B"),
        ("In practice", "AF"),
    ]


def test_the_overview_for_an_audience_has_only_what_concerns_it(pack: Pack, write_pack: Writer):
    marked = load_pack(
        write_pack(
            "marked",
            clauses={
                "A": clause_text(pack="marked", in_overview="true", audiences='["it_lead"]'),
                "B": clause_text(pack="marked", in_overview="true", audiences='["communicator"]'),
            },
        )
    )
    (group,) = overview_page(marked, Audience.IT_LEAD)
    assert [clause.id for clause in group.clauses] == ["A"]
    assert overview_page(marked, Audience.LINE_MANAGER) == ()


def test_the_lines_show_each_clause_with_its_id_and_how_well_it_is_known(pack: Pack):
    lines = overview_lines(pack, overview_page(pack))
    assert lines[0] == "A small pack"
    assert "- One. [D, reported]" in lines
    assert lines[-1].startswith(pack.reference)


def test_a_stale_clause_says_so_on_the_overview(write_pack: Writer):
    pack = load_pack(
        write_pack(clauses={"A": clause_text(in_overview="true", status='"superseded"')})
    )
    assert "- One. [A, reported, superseded]" in overview_lines(pack, overview_page(pack))


@pytest.mark.parametrize("audience", [None, *Audience])
def test_the_overview_of_the_civil_service_fits_one_side_of_a4(audience: Audience | None):
    pack = load_pack("uk-civil-service")
    page = overview_page(pack, audience)
    lines = overview_lines(pack, page)
    assert fits(lines), f"{len(lines)} lines of up to {max(map(len, lines))} characters"
    chosen = [clause for group in page for clause in group.clauses]
    assert len(chosen) >= 10
    text = " ".join(" ".join(lines).split())
    for clause in chosen:
        assert clause.levels[Level.OVERVIEW] in text
    kinds = [clause.kind.value for clause in chosen]
    ranks = [{"principle": 0, "value": 1}.get(kind, 2) for kind in kinds]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("name", available_packs())
def test_the_overview_of_every_shipped_pack_fits_one_side_of_a4(name: str):
    pack = load_pack(name)
    assert fits(overview_lines(pack, overview_page(pack)))
