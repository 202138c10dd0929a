"""What we hold ourselves to: published guidance as data.

>>> from folkmoot.guidance import load_pack
>>> pack = load_pack("uk-civil-service")
>>> pack.get_clause("HON-M1").levels["overview"]

A *pack* is a folder of TOML and Markdown; ``docs/packs.md`` describes it. Clauses are paraphrases
in our own words, each citing source, version, address and how well it is evidenced.
"""

from .finding import available_packs
from .loader import load_pack
from .model import (
    Audience,
    Clause,
    ClauseKind,
    Evidence,
    GuidanceError,
    Level,
    Pack,
    PackError,
    Source,
    Status,
    UnknownClause,
    UnknownPack,
    UnknownSource,
    UnknownVersion,
)
from .provenance import Amendment, Layer, Provenance
from .versions import Version, list_versions

__all__ = [
    "Amendment",
    "Audience",
    "Clause",
    "ClauseKind",
    "Evidence",
    "GuidanceError",
    "Layer",
    "Level",
    "Pack",
    "PackError",
    "Provenance",
    "Source",
    "Status",
    "UnknownClause",
    "UnknownPack",
    "UnknownSource",
    "UnknownVersion",
    "Version",
    "available_packs",
    "list_versions",
    "load_pack",
]
