"""Minimal pairs: the same words, one fact of the circumstances flipped, and the answer with it.

``pairs/*.toml`` holds them. Each names the rule, the clause it rests on, the text, the context in
which the rule speaks, and the one fact whose change silences it.
"""

import tomllib
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from folkmoot.check import (
    Attachment,
    Capacity,
    Captions,
    Checker,
    Closeness,
    Context,
    Post,
    Seniority,
)
from folkmoot.guidance import load_pack

PAIRS = [
    (file.stem, number, pair)
    for file in sorted((Path(__file__).parent / "pairs").glob("*.toml"))
    for number, pair in enumerate(tomllib.loads(file.read_text(encoding="utf-8"))["pair"], 1)
]
KINDS = {
    "capacity": Capacity,
    "seniority": Seniority,
    "closeness": Closeness,
    "captions": Captions,
    "publish_at": datetime.fromisoformat,
    "periods": frozenset,
}


@cache
def checker(pack):
    return Checker(load_pack(pack))


def typed(key, value):
    return KINDS[key](value) if key in KINDS else value


def read(pair):
    """The context and attachments of both sides: where it fires, and where it does not."""
    facts = pair["context"].get("facts", {})
    plain = {key: typed(key, value) for key, value in pair["context"].items() if key != "facts"}
    # A period that nobody named is a fact too: there is none.
    plain.setdefault("periods", frozenset())
    context = Context(**plain, facts=facts)
    attachment = (
        Attachment(
            **{"alt": None}
            | {key: typed(key, value) for key, value in pair.get("attachment", {}).items()}
        )
        if "attachment" in pair
        else None
    )
    kind, _, name = pair["flip"]["fact"].rpartition(".")
    value = typed(name, pair["flip"]["to"])
    if kind == "facts":
        return context, attachment, replace(context, facts={**facts, name: value}), attachment
    if kind == "attachment":
        return context, attachment, context, replace(attachment, **{name: value})
    return context, attachment, replace(context, **{name: value}), attachment


def fires(pair, context, attachment):
    post = Post(pair["text"], () if attachment is None else (attachment,))
    report = checker(pair.get("pack", "uk-civil-service")).check(post, context)
    return pair["rule"] in {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    "pair", [pytest.param(pair, id=f"{stem}-{number}") for stem, number, pair in PAIRS]
)
def test_one_fact_makes_the_difference(pair):
    context, attachment, other_context, other_attachment = read(pair)
    assert fires(pair, context, attachment)
    assert not fires(pair, other_context, other_attachment)


def test_each_pair_rests_on_a_clause_that_its_rule_cites():
    for _, _, pair in PAIRS:
        rules = {rule.id: rule for rule in checker(pair.get("pack", "uk-civil-service")).rules}
        assert pair["clause"] in rules[pair["rule"]].clauses, pair


def test_there_are_three_hundred_pairs_of_texts_of_their_own_on_thirty_five_rules():
    texts = [(pair["rule"], pair["text"]) for _, _, pair in PAIRS]
    assert len(texts) >= 300
    assert len({text for _, text in texts}) >= 300
    assert len({rule for rule, _ in texts}) >= 35
