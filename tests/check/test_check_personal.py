"""Speaking for the body and speaking as oneself: same words, other answer, and never a block."""

from dataclasses import replace
from itertools import product

import pytest

from folkmoot.check import (
    Capacity,
    Care,
    Checker,
    CheckError,
    Closeness,
    Context,
    Effect,
    Post,
    RuleError,
    Seniority,
    Strength,
    Verdict,
    judge_personal,
)
from folkmoot.guidance import available_packs, load_pack

PERSONAL = Context(
    capacity=Capacity.PERSONAL, seniority=Seniority.SENIOR, closeness=Closeness.CLOSE
)
TERM = '[match]\nterms = ["utilise"]'
LINE = (
    'needs = ["seniority", "closeness"]\n[when]\ncapacity = ["personal"]\n[match]\n'
    'detector = "personal-line"\n[options]\ncare = "talk"\nwords = ["disgrace"]'
)


def test_all_three_factors_together_ask_for_a_word_with_somebody_and_no_one_of_them_does():
    asked = {
        (who, near, how): judge_personal(who, near, how).care
        for who, near, how in product(Seniority, Closeness, Strength)
    }
    assert asked[Seniority.SENIOR, Closeness.CLOSE, Strength.STRONG] is Care.TALK
    assert asked[Seniority.JUNIOR, Closeness.FAR, Strength.STRONG] is Care.FREE
    assert asked[Seniority.SENIOR, Closeness.FAR, Strength.PLAIN] is Care.FREE
    assert asked[Seniority.JUNIOR, Closeness.CLOSE, Strength.MILD] is Care.FREE
    assert asked[Seniority.SENIOR, Closeness.CLOSE, Strength.MILD] is Care.FREE
    assert asked[Seniority.SENIOR, Closeness.CLOSE, Strength.PLAIN] is Care.THINK
    order = {kind: list(kind) for kind in (Seniority, Closeness, Strength)}
    for (who, near, how), care in asked.items():
        for stronger in order[Strength][order[Strength].index(how) :]:
            assert asked[who, near, stronger] >= care


def test_the_advice_is_never_without_what_is_fine_and_cites_its_clause():
    for who, near, how in product(Seniority, Closeness, Strength):
        advice = judge_personal(who, near, how)
        assert advice.fine
        assert advice.clause == "PERSONAL-CAPACITY"


def test_the_text_says_how_strongly_it_is_put(make_checker, rule):
    checker = make_checker(rule(LINE))
    for text, fires in (
        ("This scheme is a disgrace.", True),
        ("What have they DONE NOW!!", True),
        ("I think the scheme could be better.", False),
        ("The scheme opens on Monday.", False),
    ):
        assert bool(checker.check(Post(text), PERSONAL).findings) is fires
    calm = replace(PERSONAL, seniority=Seniority.JUNIOR)
    assert not checker.check(Post("This scheme is a disgrace."), calm).findings
    official = replace(PERSONAL, capacity=Capacity.OFFICIAL)
    assert not checker.check(Post("This scheme is a disgrace."), official).findings


def test_a_factor_that_is_not_known_is_asked_for_and_holds_nobody_up(make_checker, rule):
    report = make_checker(rule(LINE)).check(
        Post("This is a disgrace."), replace(PERSONAL, seniority=None)
    )
    assert report.verdict is Verdict.POST
    assert [each.missing for each in report.not_evaluated] == [("seniority",)]


@pytest.mark.parametrize("effect", ["hold", "stop"])
@pytest.mark.parametrize("when", ["", '[when]\ncapacity = ["personal", "official"]\n'])
def test_a_rule_may_not_hold_private_people_unless_it_protects_others(
    make_checker, rule, effect, when
):
    with pytest.raises(RuleError) as caught:
        make_checker(rule(when + TERM, effect=f'"{effect}"'))
    assert caught.value.key == "protects"
    checker = make_checker(rule(when + TERM, effect=f'"{effect}"', protects='"others"'))
    assert checker.check(Post("utilise"), PERSONAL).at_least(Effect.HOLD)


def test_no_shipped_rule_holds_a_private_person_except_to_protect_others():
    for name in available_packs():
        for each in Checker(load_pack(name)).rules:
            capacities = each.when.facts.get("capacity", {"personal"})
            if each.effect >= Effect.HOLD and "personal" in capacities:
                assert each.protects == "others", f"{name}: {each.id}"


def test_what_is_fine_is_said_where_another_capacity_would_have_been_held(make_checker, rule):
    checker = make_checker(
        rule(
            f'fine = ["You may say how you vote."]\n[when]\ncapacity = ["official"]\n{TERM}',
            effect='"hold"',
        )
    )
    personal = checker.check(Post("I utilise it"), PERSONAL)
    assert (personal.verdict, personal.fine) == (Verdict.POST, ("You may say how you vote.",))
    assert personal.findings == ()
    assert checker.check(Post("Hello"), PERSONAL).fine == ()
    official = checker.check(Post("I utilise it"), Context(capacity=Capacity.OFFICIAL))
    assert (official.verdict, official.fine) == (Verdict.GET_SIGNOFF, ())


def test_a_packs_own_words_facts_and_roles_can_be_used(make_checker, rule, tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "vocabulary.toml").write_text(
        '[[fact]]\nname = "mayor_named"\nask = "whether the mayor is named"\n'
        '[[role]]\nname = "returning_officer"\nwords = "the returning officer"\n'
        '[[fine]]\ntext = "You may speak as yourself."\ncapacity = ["personal"]\n'
    )
    checker = make_checker(
        rule(
            f'[when]\ncapacity = ["official"]\n[when.facts]\nmayor_named = true\n{TERM}',
            effect='"hold"',
            clear_by='"returning_officer"',
        )
    )
    official = Context(capacity=Capacity.OFFICIAL)
    unknown = checker.check(Post("utilise"), official)
    assert unknown.verdict is Verdict.GET_SIGNOFF
    assert unknown.not_evaluated[0].message.endswith("Say whether the mayor is named.")
    known = checker.check(Post("utilise"), replace(official, facts={"mayor_named": True}))
    assert known.reasons == ("This needs sign-off from the returning officer: Plain words.",)
    assert known.findings[0].because == ("capacity=official", "mayor_named=yes")
    otherwise = checker.check(Post("utilise"), replace(official, facts={"mayor_named": False}))
    assert otherwise.verdict is Verdict.POST
    assert checker.check(Post("Hi"), PERSONAL).fine == ("You may speak as yourself.",)


@pytest.mark.parametrize(
    ("tail", "key"),
    [
        ("[when.facts]\nwether_wet = true\n", "when.facts.wether_wet"),
        ('[when.facts]\nincident = "yes"\n', "when.facts.incident"),
        ('[when.facts]\nconsultation = "closed"\n', "when.facts.consultation"),
        ('[when]\nseniority = ["boss"]\n', "when.seniority"),
    ],
)
def test_a_misspelt_fact_or_value_in_a_rule_is_an_error(make_checker, rule, tail, key):
    with pytest.raises(RuleError) as caught:
        make_checker(rule(tail + TERM))
    assert caught.value.key == key


@pytest.mark.parametrize(
    "context",
    [
        Context(capacity="offical"),
        Context(seniority="boss"),
        Context(facts={"incident": "maybe"}),
        Context(facts={"consultation": "closed"}),
        Context(periods="mourning"),
    ],
)
def test_a_context_that_cannot_be_is_an_error_and_never_a_quiet_pass(make_checker, rule, context):
    with pytest.raises(CheckError):
        make_checker(rule(TERM)).check(Post("utilise"), context)


def test_the_outcome_of_a_rule_takes_a_conversation_offline(make_checker, rule):
    offline = rule(
        f'outcome = "take_it_offline"\n[when]\ncapacity = ["official"]\n{TERM}',
        effect='"hold"',
        advice='"Ask them to write to you privately."',
    )
    stop = rule(
        '[when]\ncapacity = ["official"]\n[match]\nterms = ["secret"]',
        id='"words/secret"',
        effect='"stop"',
        clear_by='"nobody"',
    )
    checker = make_checker(offline, stop)
    official = Context(capacity=Capacity.OFFICIAL)
    report = checker.check(Post("utilise"), official)
    assert report.verdict is Verdict.TAKE_IT_OFFLINE
    assert report.findings[0].outcome == "take_it_offline"
    assert report.reasons == ("Carry on in private, not here: Plain words.",)
    assert checker.check(Post("utilise secret"), official).verdict is Verdict.DO_NOT_POST
    with pytest.raises(RuleError, match="advise at least"):
        make_checker(rule(f'outcome = "take_it_offline"\n{TERM}', effect='"note"'))
