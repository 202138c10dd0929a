"""Packs that change the rules they inherit: what they may, what they may not, who set what."""

from pathlib import Path

import pytest

from folkmoot.check import Capacity, Checker, Context, Effect, Post, RuleError, describe_rule
from folkmoot.guidance import Pack, load_pack

OFFICIAL = Context(capacity=Capacity.OFFICIAL)
CLAUSE = """+++
source = "code"
kind = "standard"
title = "Be plain"
group = "Words"
order = 1
checked_on = 2026-11-01
status = "in_force"
evidence = "seen_in_full"
+++

## overview

Be plain.

## snapshot

Be plain.

## full

Be plain.
"""
SOURCE = """[[source]]
id = "code-of-%s"
title = "The Code"
issuer = "The council"
checked_on = 2026-11-01
status = "in_force"
evidence = "seen_in_full"
url = "https://example.org/code"
"""
TERM = '[when]\ncapacity = ["official"]\n[match]\nterms = ["utilise", "leverage"]'


class Family:
    """Packs in a folder, each with its rules and its changes."""

    def __init__(self, folder: Path, rule) -> None:
        self.folder = folder
        self.rule = rule

    def pack(self, name, extends=(), changes=None, **rules):
        folder = self.folder / name
        (folder / "clauses").mkdir(parents=True)
        parents = ", ".join(f'{{ pack = "{each}", version = "2026.11" }}' for each in extends)
        (folder / "pack.toml").write_text(
            f'id = "{name}"\ntitle = "{name}"\nversion = "2026.11"\nissuer = "Us"\nnation = "UK"\n'
            f'summary = "A pack."\nextends = [{parents}]\n'
        )
        (folder / "sources.toml").write_text(SOURCE % name)
        clause = name.upper().replace("_", "-")
        (folder / "clauses" / f"{clause}.md").write_text(
            CLAUSE.replace('"code"', f'"code-of-{name}"')
        )
        for kind, files in (("rules", rules), ("changes", changes or {})):
            for number, (_, text) in enumerate(files.items()):
                (folder / kind).mkdir(exist_ok=True)
                (folder / kind / f"f{number}.toml").write_text(text)
        return folder

    def load(self, name) -> Pack:
        return load_pack(name, search=[self.folder])

    def only_rule(self, name):
        (rule,) = Checker(self.load(name)).rules
        return rule

    def refused(self, name) -> RuleError:
        with pytest.raises(RuleError) as caught:
            Checker(self.load(name))
        return caught.value


@pytest.fixture
def family(tmp_path, rule):
    return Family(tmp_path, rule)


def parent(family, head="", tail=TERM, **keys):
    text = family.rule(tail, clauses='["ROOT"]', **keys)
    return family.pack("root", r=f"{head}\n{text}")


def change(body):
    return {"c": f'rule = "words/plain"\n{body}\n'}


def test_a_child_changes_one_thing_and_follows_its_parent_in_the_rest(family):
    parent(family)
    body = 'effect = "hold"\nclear_by = "lawyer"\nterms_add = ["synergy"]\n'
    body += 'terms_remove = ["leverage"]\nclauses_add = ["CHILD"]\nadvice = "Say use."'
    family.pack("child", ["root"], change(body))
    rule = family.only_rule("child")
    assert (rule.effect, rule.clear_by, rule.advice) == (Effect.HOLD, "lawyer", "Say use.")
    assert rule.match.terms == ("utilise", "synergy")
    assert rule.clauses == ("ROOT", "CHILD")
    assert rule.message == "Found: {words}."
    checker = Checker(family.load("child"))
    found = [checker.check(Post(text), OFFICIAL).findings for text in ("synergy", "leverage")]
    assert [bool(each) for each in found] == [True, False]
    assert family.only_rule("root").effect is Effect.ADVISE


def test_every_key_tells_which_file_set_it(family):
    root = parent(family)
    child = family.pack("child", ["root"], change('effect = "hold"'))
    family.pack("grandchild", ["child"], change('confidence = 0.5\neffect = "stop"'))
    pack = family.load("grandchild")
    page = describe_rule(Checker(pack), pack, "words/plain")
    effects = [(layer.pack, layer.value) for layer in page.layers if layer.key == "effect"]
    assert effects == [("root", "advise"), ("child", "hold"), ("grandchild", "stop")]
    files = [layer.file for layer in page.layers if layer.key == "effect"]
    assert files[0].is_relative_to(root)
    assert files[1].is_relative_to(child)


def test_when_may_be_narrowed_and_never_widened(family):
    parent(family, tail=TERM.replace('["official"]', '["official", "professional"]'))
    family.pack("child", ["root"], change('when_capacity = ["official"]\nwhen_channel = ["fax"]'))
    assert family.only_rule("child").when.facts == {"capacity": {"official"}, "channel": {"fax"}}
    family.pack("wide", ["child"], change('when_capacity = ["official", "professional"]'))
    assert "narrow" in str(family.refused("wide"))


def test_a_rule_may_be_switched_off_and_is_then_read_but_not_run(family):
    parent(family)
    family.pack("child", ["root"], change('status = "off"'))
    checker = Checker(family.load("child"))
    assert checker.running == ()
    assert checker.check(Post("utilise"), OFFICIAL).looked_at == ()


@pytest.mark.parametrize(
    ("locked", "body"),
    [
        ("effect", 'effect = "hold"'),
        ("clauses", 'clauses_add = ["CHILD"]'),
        ("terms", 'terms_add = ["synergy"]'),
        ("when", 'when_channel = ["fax"]'),
        ("all", 'status = "off"'),
    ],
)
def test_what_a_parent_locks_no_child_changes_and_both_files_are_named(family, locked, body):
    root = parent(family, head=f'locked = ["{locked}"]')
    child = family.pack("child", ["root"], change(body))
    error = family.refused("child")
    assert str(root / "rules" / "f0.toml") in str(error)
    assert error.file == child / "changes" / "f0.toml"


def test_a_child_may_lock_for_those_below_it_and_not_for_itself(family):
    parent(family)
    child = family.pack("child", ["root"], change('effect = "hold"\nlocked = ["effect"]'))
    assert family.only_rule("child").effect is Effect.HOLD
    family.pack("grandchild", ["child"], change('effect = "stop"'))
    assert str(child) in str(family.refused("grandchild"))


@pytest.mark.parametrize("body", ['effect = "advise"', 'status = "off"', 'when_channel = ["fax"]'])
def test_nobody_goes_below_a_floor(family, body):
    root = parent(family, head='floor = "hold"', effect='"hold"')
    family.pack("child", ["root"], change(body))
    error = family.refused("child")
    assert "below the floor" in str(error)
    assert str(root) in str(error)


def test_a_floor_may_be_risen_above_and_raised_but_not_lowered(family):
    parent(family, head='floor = "advise"')
    family.pack("child", ["root"], change('effect = "stop"\nfloor = "hold"'))
    rule = family.only_rule("child")
    assert (rule.effect, rule.floor) == (Effect.STOP, Effect.HOLD)
    family.pack("lower", ["child"], change('floor = "note"'))
    assert "below the floor" in str(family.refused("lower"))


def test_two_packs_that_contradict_each_other_are_refused_until_an_heir_decides(family):
    parent(family)
    one = family.pack("one", ["root"], change('effect = "hold"'))
    two = family.pack("two", ["root"], change('effect = "stop"'))
    family.pack("both", ["one", "two"])
    error = family.refused("both")
    assert str(one) in str(error)
    assert str(two) in str(error)
    family.pack("heir", ["one", "two"], change('effect = "note"'))
    assert family.only_rule("heir").effect is Effect.NOTE


def test_two_packs_that_say_the_same_do_not_contradict_each_other(family):
    parent(family)
    family.pack("one", ["root"], change('effect = "hold"\nterms_add = ["synergy"]'))
    family.pack("two", ["root"], change('effect = "hold"\nterms_add = ["holistic"]'))
    family.pack("both", ["one", "two"])
    assert family.only_rule("both").match.terms[2:] == ("synergy", "holistic")


def test_two_packs_that_lock_against_each_other_are_refused_even_if_an_heir_decides(family):
    parent(family)
    one = family.pack("one", ["root"], change('effect = "hold"\nlocked = ["effect"]'))
    two = family.pack("two", ["root"], change('effect = "stop"\nlocked = ["effect"]'))
    family.pack("heir", ["one", "two"], change('effect = "stop"'))
    error = family.refused("heir")
    assert str(one) in str(error)
    assert str(two) in str(error)


def test_what_one_adds_the_other_may_not_remove(family):
    parent(family)
    family.pack("one", ["root"], change('terms_add = ["synergy"]'))
    family.pack("two", ["root"], change('terms_remove = ["synergy"]'))
    family.pack("both", ["one", "two"])
    assert "synergy" in str(family.refused("both"))


@pytest.mark.parametrize(
    ("body", "key", "wrong"),
    [
        ('efect = "hold"', "efect", "a change cannot set this"),
        ('effect = "block"', "effect", "not one of"),
        ('clauses_add = ["B-9"]', "clauses_add", "no clause"),
        ('terms_remove = ["synergy"]', "terms_remove", "is no term"),
        ('terms_add = ["utilise"]', "terms_add", "already a term"),
        ('terms_remove = ["utilise", "leverage"]', "terms_remove", "nothing would be left"),
        ('when_weather = ["wet"]', "when_weather", "a change cannot set this"),
        ('when_capacity = ["offical"]', "when_capacity", "'offical'"),
        ('clear_by = "nobody"', "clear_by", "only a stop"),
        ("", "rule", "nothing is changed"),
    ],
)
def test_a_change_that_cannot_be_used_is_an_error_with_file_and_key(family, body, key, wrong):
    parent(family)
    child = family.pack("child", ["root"], change(body))
    error = family.refused("child")
    assert (error.file, error.key) == (child / "changes" / "f0.toml", key)
    assert wrong in str(error)


def test_a_change_must_name_a_rule_of_a_parent_and_only_once(family):
    parent(family)
    family.pack("child", ["root"], {"c": 'rule = "words/other"\neffect = "hold"\n'})
    assert "has a rule 'words/other'" in str(family.refused("child"))
    twice = dict.fromkeys(("c", "d"), 'rule = "words/plain"\neffect = "hold"\n')
    family.pack("twice", ["root"], twice)
    assert "put them together" in str(family.refused("twice"))
    own = family.rule(TERM, clauses='["OWN"]', id='"words/own"')
    family.pack("own", ["root"], {"c": 'rule = "words/own"\neffect = "hold"\n'}, r=own)
    assert "this very pack" in str(family.refused("own"))


def test_the_same_rule_stated_by_parent_and_child_is_still_an_error(family):
    parent(family)
    family.pack("child", ["root"], r=family.rule(TERM, clauses='["CHILD"]'))
    assert "already the id of" in str(family.refused("child"))


def test_a_raised_effect_may_not_hold_what_people_say_as_themselves(family):
    parent(family, tail='[match]\nterms = ["utilise"]')
    family.pack("child", ["root"], change('effect = "hold"'))
    assert "protects" in str(family.refused("child"))
