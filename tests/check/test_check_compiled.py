"""What is kept of a shipped pack is only ever used for the very files it was made from."""

import json
from dataclasses import replace

import pytest

from folkmoot.check import Capacity, Checker, Context, Post
from folkmoot.check import compiled as module
from folkmoot.check.batch import open_pack
from folkmoot.guidance import load_pack

TEXTS = ["Vote Labour", "NHS number 943 476 5919", "Hello 👏👏 #stayathome", "x\u202ey", "12% rise"]
CONTEXTS = [
    Context(),
    Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="en"),
    Context(capacity=Capacity.PERSONAL),
]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "check-uk-civil-service.json"


def test_what_was_kept_answers_as_the_pack_itself_does(cache):
    whole = Checker(load_pack("uk-civil-service"))
    module.load_compiled("uk-civil-service")
    assert cache.exists()
    kept = Checker.of(module.load_compiled("uk-civil-service"))
    for text in TEXTS:
        for context in CONTEXTS:
            assert kept.check(Post(text), context) == whole.check(Post(text), context)


@pytest.mark.parametrize("harm", ["body", "key", "cut", "empty", "rubbish", "other folder"])
def test_a_kept_file_that_does_not_fit_is_not_believed(cache, harm):
    right = module.load_compiled("uk-civil-service")
    head, body = cache.read_bytes().split(b"\n", 1)
    told = json.loads(head)
    if harm == "body":
        cache.write_bytes(head + b"\n" + body.replace(b'"effect":4', b'"effect":1'))
    elif harm == "key":
        cache.write_bytes(json.dumps({**told, "key": "0" * 64}).encode() + b"\n" + body)
    elif harm == "cut":
        cache.write_bytes(head + b"\n" + body[: len(body) // 2])
    elif harm == "empty":
        cache.write_bytes(b"")
    elif harm == "rubbish":
        cache.write_bytes(b"\xff\xfe[]\n{}")
    else:
        told["folders"] = ["../../somewhere"]
        cache.write_bytes(json.dumps(told).encode() + b"\n" + body)
    again = module.load_compiled("uk-civil-service")
    assert [rule.effect for rule in again.rules] == [rule.effect for rule in right.rules]
    assert again.rules[0].examples, "it was not read anew"


def test_a_changed_byte_in_a_pack_or_in_the_program_makes_it_anew(cache, monkeypatch):
    module.load_compiled("uk-civil-service")
    assert not module.load_compiled("uk-civil-service").rules[0].examples
    key = module._key
    monkeypatch.setattr(module, "_key", lambda folders: key(folders)[::-1])
    assert module.load_compiled("uk-civil-service").rules[0].examples


def test_the_key_is_of_every_file_of_the_packs(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.toml").write_text("a = 1")
    before = module._key([tmp_path])
    assert module._key([tmp_path]) == before
    (tmp_path / "rules" / "a.toml").write_text("a = 2")
    changed = module._key([tmp_path])
    (tmp_path / "rules" / "b.toml").write_text("")
    assert len({before, changed, module._key([tmp_path])}) == 3


def test_where_nothing_can_be_kept_the_pack_is_read_each_time(cache, monkeypatch):
    cache.parent.write_text("a file where the folder should be")
    assert module.load_compiled("uk-civil-service").rules
    assert module.load_compiled("uk-civil-service").rules[0].examples


def test_a_pack_from_elsewhere_is_never_kept(cache, tmp_path):
    folder = tmp_path / "mine"
    (folder / "rules").mkdir(parents=True)
    compiled = module.compile_pack(load_pack("uk-civil-service"))
    module._keep(cache, replace(compiled, reference="x"), [folder])
    assert not cache.exists()


def test_a_name_that_leads_out_of_the_packs_is_not_a_shipped_pack():
    assert module.shipped_folder("uk-civil-service") is not None
    for name in ("..", "../packs", "uk-civil-service/rules", "nobody", ""):
        assert module.shipped_folder(name) is None
    assert open_pack("uk-civil-service", whole=True).pack is not None
