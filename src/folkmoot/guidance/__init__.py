"""What we hold ourselves to: published guidance as data.

>>> from folkmoot.guidance import load_pack
>>> pack = load_pack("uk-civil-service")
>>> pack.get_clause("HON-M1").levels["overview"]

A *pack* is a folder of TOML and Markdown; ``docs/packs.md`` describes it. Clauses are paraphrases
in our own words, each citing source, version, address and how well it is evidenced.
"""

from .loader import available_packs, load_pack
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
)

__all__ = [
    "Audience",
    "Clause",
    "ClauseKind",
    "Evidence",
    "GuidanceError",
    "Level",
    "Pack",
    "PackError",
    "Source",
    "Status",
    "UnknownClause",
    "UnknownPack",
    "UnknownSource",
    "available_packs",
    "load_pack",
]
