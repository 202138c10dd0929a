"""Findings that somebody answers for: by name, with a reason, until a day, and counted apart."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from folkmoot.check import (
    Capacity,
    CheckError,
    Context,
    Override,
    OverrideError,
    Post,
    Verdict,
    apply_overrides,
    list_unused,
    read_overrides,
    report_from_dict,
    report_to_dict,
    write_overrides,
)
from folkmoot.check.cli import run
from folkmoot.check.overrides import overrides_from_dict, overrides_to_dict

OFFICIAL = Context(capacity=Capacity.OFFICIAL)
HOLD = '[when]\ncapacity = ["official"]\n[match]\nterms = ["utilise"]'
MADE = datetime(2026, 5, 1, 9, tzinfo=UTC)
DAY = date(2026, 5, 10)


def held(make_checker, rule, **keys):
    checker = make_checker(rule(HOLD, **({"effect": '"hold"'} | keys)))
    return checker.check(Post("We utilise it"), OFFICIAL)


def answer_for(finding, **keys):
    values = {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule,
        "reason": "It is the name of the Act.",
        "who": "Ada",
        "made_at": MADE,
        "expires_on": date(2026, 5, 31),
    }
    return Override(**(values | keys))


def test_a_finding_answered_for_moves_aside_and_the_verdict_is_made_anew(make_checker, rule):
    report = held(make_checker, rule)
    override = answer_for(report.findings[0])
    applied = apply_overrides(report, [override], on=DAY)
    assert applied.report.verdict is Verdict.POST
    assert applied.report.findings == ()
    (kept,) = applied.report.overridden
    assert (kept.finding, kept.who) == (report.findings[0], "Ada")
    assert any("Ada answered for" in reason for reason in applied.report.reasons)
    assert applied.used == (override,)
    assert report_from_dict(json.loads(json.dumps(report_to_dict(applied.report)))) == (
        applied.report
    )


def test_an_override_holds_to_the_end_of_its_last_day_and_is_named_after(make_checker, rule):
    report = held(make_checker, rule)
    override = answer_for(report.findings[0], expires_on=DAY)
    assert apply_overrides(report, [override], on=DAY).used == (override,)
    after = apply_overrides(report, [override], on=date(2026, 5, 11))
    assert after.expired == (override,)
    assert after.report.verdict is Verdict.GET_SIGNOFF
    assert after.report.findings == report.findings
    assert "The override of words/plain by Ada expired on 2026-05-10." in after.report.reasons


def test_of_two_overrides_the_one_that_holds_longest_counts(make_checker, rule):
    report = held(make_checker, rule)
    short = answer_for(report.findings[0], expires_on=date(2026, 5, 2))
    long = answer_for(report.findings[0], who="Bo")
    assert apply_overrides(report, [short, long], on=DAY).used == (long,)


def test_other_words_another_rule_or_one_more_mention_are_not_covered(make_checker, rule):
    report = held(make_checker, rule)
    for override in (
        answer_for(report.findings[0], fingerprint="0" * 16),
        answer_for(report.findings[0], rule="words/other"),
    ):
        assert apply_overrides(report, [override], on=DAY).report == report
        assert list_unused([override], ()) == (override,)


def test_what_has_to_be_put_right_cannot_be_answered_for(make_checker, rule):
    report = held(make_checker, rule, effect='"stop"', clear_by='"nobody"')
    applied = apply_overrides(report, [answer_for(report.findings[0])], on=DAY)
    assert applied.report.verdict is Verdict.DO_NOT_POST
    assert len(applied.refused) == 1
    assert any("does not count" in reason for reason in applied.report.reasons)


def test_what_could_not_be_evaluated_cannot_be_answered_for(make_checker, rule):
    checker = make_checker(rule(f'needs = ["publish_at"]\n{HOLD}', effect='"hold"'))
    report = checker.check(Post("utilise"), OFFICIAL)
    override = Override("0" * 16, "words/plain", "x", "Ada", MADE, DAY)
    assert apply_overrides(report, [override], on=DAY).report.verdict is Verdict.GET_SIGNOFF


@pytest.mark.parametrize(
    "keys",
    [
        {"reason": " "},
        {"who": ""},
        {"made_at": datetime(2026, 5, 1, 9)},  # noqa: DTZ001 - that is what is wrong with it
        {"expires_on": date(2026, 4, 30)},
    ],
)
def test_an_override_without_reason_name_zone_or_sense_is_refused(make_checker, rule, keys):
    with pytest.raises(OverrideError):
        answer_for(held(make_checker, rule).findings[0], **keys)


def test_a_file_of_overrides_is_written_and_read_the_same(make_checker, rule, tmp_path):
    first = answer_for(held(make_checker, rule).findings[0])
    both = (first, replace(first, who="Bó ‘the pen’"))
    write_overrides(tmp_path / "o.json", both)
    assert read_overrides(tmp_path / "o.json") == both
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["o.json"]


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"schema": 2, "overrides": []},
        {"schema": 1},
        {"schema": 1, "overrides": [{}]},
        {"schema": 1, "overrides": ["x"]},
    ],
)
def test_a_file_that_is_no_file_of_overrides_is_refused_in_words(tmp_path, data):
    (tmp_path / "o.json").write_text(json.dumps(data))
    with pytest.raises(OverrideError, match=r"o\.json"):
        read_overrides(tmp_path / "o.json")
    assert issubclass(OverrideError, CheckError)


def test_a_key_that_is_not_known_in_an_override_is_refused(make_checker, rule):
    data = overrides_to_dict([answer_for(held(make_checker, rule).findings[0])])
    data["overrides"][0]["expiry"] = "never"
    with pytest.raises(OverrideError, match="expiry"):
        overrides_from_dict(data)


@pytest.fixture
def party(tmp_path, checker):
    """A post the shipped rules hold, and an override of it in a file."""
    post = tmp_path / "post.txt"
    post.write_text("Vote Labour\n", encoding="utf-8")
    report = checker.check(
        Post("Vote Labour"), Context(capacity=Capacity.OFFICIAL, periods=frozenset())
    )
    overrides = tuple(answer_for(each) for each in report.findings if each.clear_by != "nobody")
    file = tmp_path / "overrides.json"
    write_overrides(file, overrides)
    return str(post), file, overrides


QUIET = ["--capacity", "official", "--no-period"]


def test_the_command_applies_overrides_and_names_those_that_expired(party, capsys):
    post, file, _ = party
    arguments = ["check", *QUIET, "--overrides", str(file), "--format", "jsonl", post]
    assert run([*arguments, "--at", "2026-05-10T12:00:00Z"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["findings"] == []
    assert row["overridden"][0]["who"] == "Ada"
    assert run([*arguments, "--at", "2026-06-10T12:00:00Z"]) == 1
    assert "has expired" in capsys.readouterr().err


def test_overrides_are_listed_with_what_became_of_them(party, capsys):
    post, file, overrides = party
    at = ["--at", "2026-05-10T12:00:00Z"]
    assert run(["check", "overrides", str(file), post, *QUIET, *at]) == 0
    assert "holds; Ada" in capsys.readouterr().out
    write_overrides(file, (*overrides, replace(overrides[0], fingerprint="f" * 16)))
    assert run(["check", "overrides", str(file), post, *QUIET, *at]) == 1
    assert "unused; Ada" in capsys.readouterr().out
    assert run(["check", "overrides", str(file), "--at", "2027-01-01T00:00:00Z"]) == 1
    assert "expired; Ada" in capsys.readouterr().out


def test_a_broken_file_of_overrides_fails_closed(party, capsys):
    post, file, _ = party
    file.write_text("{")
    assert run(["check", *QUIET, "--overrides", str(file), post]) == 3
    assert capsys.readouterr().out == ""
