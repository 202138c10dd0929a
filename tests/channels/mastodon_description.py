"""Mastodon's API as its OpenAPI description has it, to hold requests and answers against."""

import json
import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from folkmoot.channels.simulator import Asked, Said

DATA = Path(os.environ.get("FOLKMOOT_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
_URI = "urn:mastodon"


def find_description():
    """The description, or ``None`` where it is missing."""
    file = DATA / "mastodon-openapi" / "schema.json"
    if not file.is_file():
        return None
    return Description(json.loads(file.read_text(encoding="utf-8")))


def load_description():
    """The description, or a skip that says what is missing."""
    found = find_description()
    if found is None:
        pytest.skip("the description of Mastodon's API is not in FOLKMOOT_DATA")
    return found


class Description:
    def __init__(self, value):
        self._paths = [
            (re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path)), path, methods)
            for path, methods in value["paths"].items()
        ]
        # A literal path before one with a place for an id.
        self._paths.sort(key=lambda one: "{" in one[1])
        self._registry = Registry().with_resource(_URI, Resource(value, DRAFT202012))

    def find_faults(self, asked: Asked, said: Said) -> list[str]:
        """What is wrong with a request and its answer; empty where nothing is."""
        where = f"{asked.method} {asked.path}"
        found = next(
            (
                (path, methods[asked.method.lower()])
                for pattern, path, methods in self._paths
                if pattern.fullmatch(asked.path) and asked.method.lower() in methods
            ),
            None,
        )
        if found is None:
            return [f"{where}: there is no such method"]
        path, operation = found
        pointer = f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{asked.method.lower()}"
        faults = [*self._query(asked, operation), *self._body(asked, operation, pointer)]
        if operation.get("security") and not asked.token:
            faults.append("no token")
        faults += self._answer(said, operation, pointer)
        return [f"{where}: {fault}" for fault in faults]

    def _query(self, asked, operation):
        known = {
            one["name"]: one["schema"]
            for one in operation.get("parameters", [])
            if one["in"] == "query"
        }
        for name, value in asked.query.items():
            kind = known.get(name, {}).get("type")
            if name not in known:
                yield f"no parameter {name}"
            elif kind == "integer" and not value.isdigit():
                yield f"{name} is no number: {value}"
            elif kind == "boolean" and value not in ("true", "false"):
                yield f"{name} is neither true nor false: {value}"

    def _body(self, asked, operation, pointer):
        content = operation.get("requestBody", {}).get("content", {})
        kind = asked.headers.get("content-type", "").partition(";")[0]
        if not asked.body:
            if operation.get("requestBody", {}).get("required"):
                yield "no body"
            return
        if kind not in content:
            yield f"a body of {kind or 'no type'}"
            return
        schema = f"{pointer}/requestBody/content/{kind.replace('/', '~1')}/schema"
        if kind == "multipart/form-data":
            form = {**asked.form(), **({"file": "…"} if asked.file("file") else {})}
            yield from set(form) - set(content[kind]["schema"]["properties"])
            yield from self._faults(schema, form)
        elif "oneOf" in content[kind]["schema"]:
            # The kinds of status overlap (text with pictures is both), so one of them must fit
            # rather than exactly one.
            kinds = range(len(content[kind]["schema"]["oneOf"]))
            if all(list(self._faults(f"{schema}/oneOf/{one}", asked.json())) for one in kinds):
                yield f"no kind of body: {asked.json()}"
        else:
            yield from self._faults(schema, asked.json())

    def _answer(self, said, operation, pointer):
        answers = operation["responses"]
        if said.status >= 500:
            return
        if str(said.status) not in answers:
            yield f"no answer is {said.status}"
            return
        if "application/json" in answers[str(said.status)].get("content", {}):
            schema = f"{pointer}/responses/{said.status}/content/application~1json/schema"
            yield from self._faults(schema, json.loads(said.body))

    def _faults(self, pointer, value):
        reference = {"$ref": f"{_URI}#{quote(pointer, safe='/~')}"}
        for error in Draft202012Validator(reference, registry=self._registry).iter_errors(value):
            yield f"{error.json_path}: {error.message[:300]}"


class Watched:
    """A simulated server that holds each request and answer against the description."""

    def __init__(self, simulated, description):
        self.simulated, self.description = simulated, description
        self.faults: list[str] = []
        self.seen: set[str] = set()

    def __getattr__(self, name):
        return getattr(self.simulated, name)

    def answer(self, asked, store, strike):
        said = self.simulated.answer(asked, store, strike)
        if self.description is not None:
            self.faults += self.description.find_faults(asked, said)
        path = re.sub(r"/[0-9]+", "/ID", asked.path)
        self.seen.add(f"{asked.method} {path} {said.status}")
        return said
