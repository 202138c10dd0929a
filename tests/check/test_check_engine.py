"""How rules are read, applied and put together, whatever the rules are."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.check import (
    Attachment,
    Capacity,
    CheckError,
    Context,
    Effect,
    Post,
    RuleError,
    Span,
    Verdict,
    report_from_dict,
    report_to_dict,
)
from folkmoot.check.detectors import OF_PASSAGES
from folkmoot.check.folding import fold, stands_alone, utf16_offsets

OFFICIAL = Context(capacity=Capacity.OFFICIAL)
TERM = '[match]\nterms = ["utilise"]'


def spans(report):
    return [(span.start, span.end) for finding in report.findings for span in finding.spans]


def test_words_are_found_whole_whatever_their_case(make_checker, rule):
    checker = make_checker(rule(TERM))
    assert spans(checker.check(Post("Utilise? utilised, reutilise; UTILISE's"), OFFICIAL)) == [
        (0, 7),
        (30, 37),
    ]


@pytest.mark.parametrize("before", ["é", "\u0301", "_", "9", "字"])
def test_a_word_is_not_found_within_a_longer_one_of_any_script(make_checker, rule, before):
    checker = make_checker(rule(TERM))
    assert not checker.check(Post(f"x{before}utilise"), OFFICIAL).findings
    assert not checker.check(Post(f"utilise{before}"), OFFICIAL).findings


def test_a_phrase_is_found_over_a_line_break_and_with_a_typographic_apostrophe(make_checker, rule):
    checker = make_checker(rule('[match]\nterms = ["don\'t utilise"]'))
    assert spans(checker.check(Post("Don’t\nutilise"), OFFICIAL)) == [(0, 13)]


@pytest.mark.parametrize("trap", ["İ", "İ̇ẞ", "ΑΣ", "ŉ", "\U00010400", "ﬁ", "ǅ", "\ud83d", "\u212a"])
def test_offsets_hold_behind_letters_that_change_length_when_lowered(make_checker, rule, trap):
    report = make_checker(rule(TERM)).check(Post(f"{trap} Utilise"), OFFICIAL)
    start = len(trap) + 1
    assert spans(report) == [(start, start + 7)]
    span = report.findings[0].spans[0]
    units = len(f"{trap} ".encode("utf-16-le", "surrogatepass")) // 2
    assert (span.start_utf16, span.end_utf16) == (units, units + 7)


def test_folding_keeps_the_length_of_every_code_point_there_is():
    for point in range(sys.maxunicode + 1):
        assert len(fold(chr(point))) == 1, hex(point)


@given(st.text(st.characters(codec=None), max_size=60))
def test_folding_keeps_the_place_of_each_code_point(text):
    folded = fold(text)
    assert folded == "".join(fold(character) for character in text)
    assert fold(folded) == folded


@given(st.text(st.characters(codec=None), max_size=30), st.data())
def test_utf16_offsets_count_what_a_browser_counts(text, data):
    offsets = data.draw(st.lists(st.integers(0, len(text))))
    for offset, units in utf16_offsets(text, offsets).items():
        assert units == sum(1 + (ord(character) > 0xFFFF) for character in text[:offset])


def test_a_term_whose_edge_is_no_letter_needs_no_boundary_there():
    assert stands_alone("a#tag", 1, 5)
    assert not stands_alone("atag", 1, 4)


def test_finds_of_one_rule_become_one_finding_that_names_three_words(make_checker, rule):
    checker = make_checker(rule('[match]\nterms = ["ab", "ab cd", "ef", "gh", "ij"]'))
    report = checker.check(Post("ab cd, ef, EF, gh, ij"), OFFICIAL)
    assert spans(report) == [(0, 5), (7, 9), (11, 13), (15, 17), (19, 21)]
    assert report.findings[0].message == "Found: “ab cd”, “ef”, “gh” and 1 more."


def test_words_within_a_longer_exception_or_a_kind_to_skip_do_not_count(make_checker, rule):
    tail = (
        '[match]\nterms = ["labour"]\nnot_within = ["labour market"]\n'
        'skip = ["url", "mention", "hashtag", "quote", "email"]'
    )
    checker = make_checker(rule(tail))
    for text in (
        "The Labour market",
        "See https://labour.org.uk/labour",
        "See labour.org.uk",
        "Ask @labour",
        "Join #labour",
        "They said “labour on”",
        "Write to labour@example.org",
    ):
        assert not checker.check(Post(text), OFFICIAL).findings, text
    assert spans(checker.check(Post("labour markets, Labour market, labour"), OFFICIAL)) == [
        (0, 6),
        (31, 37),
    ]


def test_a_case_sensitive_term_is_found_only_as_written(make_checker, rule):
    checker = make_checker(rule('[match]\nterms = ["SNP"]\ncase_sensitive = true'))
    assert spans(checker.check(Post("snp SNP Snp"), OFFICIAL)) == [(4, 7)]


def test_a_pattern_runs_only_where_one_of_its_literals_stands(make_checker, rule):
    tail = "[match]\npatterns = ['v[0-9]+']\nliterals = [\"draft\"]"
    checker = make_checker(rule(tail))
    assert spans(checker.check(Post("😀 Draft V12"), OFFICIAL)) == [(8, 11)]
    assert not checker.check(Post("V12"), OFFICIAL).findings


def test_a_pattern_marked_always_runs_on_every_post(make_checker, rule):
    checker = make_checker(rule("[match]\npatterns = ['v[0-9]+']\nalways = true"))
    assert spans(checker.check(Post("V12"), OFFICIAL)) == [(0, 3)]


def test_a_fact_that_is_missing_is_said_and_what_might_hold_needs_sign_off(make_checker, rule):
    checker = make_checker(
        rule(
            'needs = ["publish_at"]\n'
            f'[when]\ncapacity = ["official"]\nperiod = ["mourning"]\n{TERM}',
            effect='"hold"',
        )
    )
    report = checker.check(Post("We utilise"), OFFICIAL)
    assert report.verdict is Verdict.GET_SIGNOFF
    assert report.looked_at == ()
    (unanswered,) = report.not_evaluated
    assert unanswered.missing == ("periods", "publish_at")
    assert "special period" in unanswered.message
    assert unanswered.counts
    assert unanswered.message in report.reasons[0]

    # Without the words the facts make no difference: it is listed, and nobody need sign.
    report = checker.check(Post("Hello"), OFFICIAL)
    assert report.verdict is Verdict.POST
    assert [(each.rule, each.counts) for each in report.not_evaluated] == [("words/plain", False)]

    known = replace(OFFICIAL, periods=frozenset({"mourning"}), publish_at=datetime.now(UTC))
    report = checker.check(Post("We utilise"), known)
    assert report.findings[0].because == ("capacity=official", "period=mourning")
    assert report.looked_at == ("words/plain",)

    # A fact known to be otherwise settles it, whatever else is missing.
    for otherwise in (
        replace(OFFICIAL, periods=frozenset()),
        Context(capacity=Capacity.PERSONAL),
    ):
        report = checker.check(Post("We utilise"), otherwise)
        assert (report.verdict, report.not_evaluated) == (Verdict.POST, ())
        assert report.looked_at == ()


def test_what_could_only_have_advised_does_not_need_sign_off(make_checker, rule):
    checker = make_checker(rule(f'[when]\nlanguage = ["en"]\n{TERM}'))
    assert checker.check(Post("Hello"), OFFICIAL).verdict is Verdict.POST
    british = replace(OFFICIAL, language="en-GB")
    assert checker.check(Post("utilise"), british).verdict is Verdict.POST_WITH_CARE
    assert not checker.check(Post("utilise"), replace(OFFICIAL, language="cy")).findings


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        ("note", Verdict.POST),
        ("advise", Verdict.POST_WITH_CARE),
        ("hold", Verdict.GET_SIGNOFF),
        ("stop", Verdict.DO_NOT_POST),
    ],
)
def test_the_strongest_finding_gives_the_verdict(make_checker, rule, effect, verdict):
    other = rule('[match]\nterms = ["leverage"]', id='"words/other"', effect='"note"')
    checker = make_checker(rule(TERM, effect=f'"{effect}"', protects='"others"'), other)
    report = checker.check(Post("leverage and utilise"), OFFICIAL)
    assert report.verdict is verdict
    assert [each.effect for each in report.findings] == sorted(
        (each.effect for each in report.findings), reverse=True
    )
    assert report.at_least(Effect.HOLD) == tuple(
        each for each in report.findings if each.effect >= Effect.HOLD
    )


def test_a_fingerprint_stays_while_the_words_do_and_goes_when_one_more_is_said(make_checker, rule):
    checker = make_checker(rule(TERM))

    def fingerprint(text):
        return checker.check(Post(text), OFFICIAL).findings[0].fingerprint

    assert fingerprint("We utilise it.") == fingerprint("Today we UTILISE it again.")
    assert fingerprint("We utilise it.") != fingerprint("We utilise, utilise it.")
    assert len(fingerprint("utilise")) == 16


def test_a_rule_about_the_whole_post_has_another_fingerprint_for_other_words(make_checker, rule):
    checker = make_checker(rule('[match]\ndetector = "any-post"'))
    one, two = (checker.check(Post(text), OFFICIAL).findings[0] for text in ("One", "Two"))
    assert one.spans == ()
    assert one.fingerprint != two.fingerprint


def test_a_rule_that_crashes_is_an_error_that_names_it_and_never_a_pass(
    make_checker, rule, monkeypatch
):
    def fails(_passage):
        raise ZeroDivisionError("nought")

    monkeypatch.setitem(OF_PASSAGES, "fails", (lambda _options: fails, None))
    checker = make_checker(rule('[match]\ndetector = "fails"'))
    with pytest.raises(CheckError, match=r"words/plain failed.*has not been checked") as caught:
        checker.check(Post("Hello"), OFFICIAL)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_deprecated_rule_is_read_but_not_run(make_checker, rule):
    checker = make_checker(rule(TERM, status='"deprecated"'))
    assert len(checker.rules) == 1
    assert checker.check(Post("utilise"), OFFICIAL).looked_at == ()


def test_two_attachments_may_not_share_an_id(make_checker, rule):
    twins = (Attachment("a", "image/png", "one"), Attachment("a", "image/png", "two"))
    with pytest.raises(CheckError, match="same id"):
        make_checker(rule(TERM)).check(Post("Hello", twins), OFFICIAL)


@pytest.mark.parametrize(
    "case",
    [
        ({"clauses": '["B-9"]'}, TERM, "clauses", "no clause 'B-9'"),
        ({"clauses": "[]"}, TERM, "clauses", "at least one"),
        ({"id": '"Plain"'}, TERM, "id", "form of an id"),
        ({"effect": '"block"'}, TERM, "effect", "not one of note, advise, hold, stop"),
        ({"effect": '"hold"', "clear_by": '"nobody"'}, TERM, "clear_by", "only a stop"),
        ({"confidence": "2"}, TERM, "confidence", "not between"),
        ({"why": None}, TERM, "why", "missing"),
        ({"advise": '"x"'}, TERM, "advise", "not known"),
        ({}, "[match]\nterm = ['x']", "match.term", "not known"),
        ({}, "[match]\npatterns = ['x']", "match.patterns", "give literals"),
        ({}, "[match]\npatterns = ['(x']\nalways = true", "match.patterns", "cannot be used"),
        ({}, "[match]\npatterns = ['x*']\nalways = true", "match.patterns", "nothing"),
        ({}, "[match]\nterms = ['x', 'x']", "match.terms", "twice"),
        ({}, "[match]\ndetector = 'magic'", "match.detector", "no detector 'magic'"),
        ({}, "[match]\ndetector = 'link-number'", "options.at_most", "missing"),
        (
            {},
            "[match]\ndetector = 'link-number'\n[options]\nat_most = 1\nmost = 2",
            "options.most",
            "not known",
        ),
        ({}, "[match]", "match", "either terms and patterns, or a detector"),
        ({}, f"[when]\ncapacity = ['offical']\n{TERM}", "when.capacity", "'offical'"),
        ({}, f"[when]\nperiod = ['pre-election']\n{TERM}", "when.period", "cannot be"),
        ({}, f"[when]\nweather = ['wet']\n{TERM}", "when.weather", "not a fact"),
        ({}, f"needs = ['weather']\n{TERM}", "needs", "'weather'"),
        ({}, f"{TERM}\n[[example]]\ntext = 'x'", "example[1].fires", "missing"),
        (
            {},
            f"{TERM}\n[[example]]\ntext = 'x'\nfires = true\npublish_at = '2026-01-01T00:00'",
            "example[1].publish_at",
            "offset",
        ),
    ],
)
def test_a_rule_that_cannot_be_used_is_an_error_with_file_and_key(make_checker, rule, case):
    keys, tail, key, wrong = case
    with pytest.raises(RuleError) as caught:
        make_checker(rule(tail, **keys))
    assert caught.value.file.name == "r0.toml"
    assert caught.value.key == key
    assert wrong in str(caught.value)


def test_two_rules_may_not_have_one_id(make_checker, rule):
    with pytest.raises(RuleError, match="already the id of"):
        make_checker(rule(TERM), rule(TERM))


def test_a_file_that_is_not_toml_is_an_error(make_checker):
    with pytest.raises(RuleError, match="cannot be read as TOML"):
        make_checker("id = [")


def test_settings_for_the_checker_in_a_pack_are_refused_rather_than_passed_over(
    make_checker, rule, tmp_path
):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "pack.toml").write_text("[check]\nskip = ['words/plain']\n")
    with pytest.raises(RuleError, match="takes no settings"):
        make_checker(rule(TERM))


QUESTION = (
    '[[question]]\nid = "ask/true"\ntext = "Is it true?"\nhint = "Look."\n'
    'clauses = ["A-1"]\nproceed = "yes"\n'
)


def test_a_question_must_cite_a_clause_that_is_there_and_be_there_once(make_checker):
    assert make_checker(questions=QUESTION).questions[0].proceed == "yes"
    with pytest.raises(RuleError, match="no clause 'B-9'"):
        make_checker(questions=QUESTION.replace("A-1", "B-9"))
    with pytest.raises(RuleError, match="twice"):
        make_checker(questions=QUESTION + QUESTION)


def test_a_report_turns_into_plain_json_and_back(checker):
    post = Post("Vote Labour 👏👏 #stayathome", (Attachment("p", "image/png", None),))
    for context in (OFFICIAL, Context(), replace(OFFICIAL, periods=frozenset({"pre_election"}))):
        report = checker.check(post, context)
        assert report.findings
        plain = json.loads(json.dumps(report_to_dict(report)))
        assert plain["schema"] == 2
        assert report_from_dict(plain) == report


def test_a_report_of_another_schema_or_with_a_part_missing_is_refused(checker):
    plain = report_to_dict(checker.check(Post("Vote Labour"), OFFICIAL))
    with pytest.raises(CheckError, match="schema 3"):
        report_from_dict({**plain, "schema": 3})
    del plain["findings"][0]["effect"]
    with pytest.raises(CheckError, match="cannot be read"):
        report_from_dict(plain)


def test_spans_of_missing_alt_text_point_at_the_picture(checker):
    report = checker.check(Post("Hi", (Attachment("p", "image/png", None),)), OFFICIAL)
    assert report.findings[0].spans == (Span(0, 0, 0, 0, "attachment:p:alt"),)
