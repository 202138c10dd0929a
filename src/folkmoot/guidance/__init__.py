"""What we hold ourselves to: published guidance as data.

>>> from folkmoot.guidance import load_pack
>>> pack = load_pack("uk-civil-service")
>>> pack.get_clause("HON-M1").levels["overview"]

A *pack* is a folder of TOML and Markdown; ``docs/packs.md`` describes it. Clauses are paraphrases
in our own words, each citing source, version, address and how well it is evidenced.

Comparing, explaining, printing and house rules are read in when first used, so that a check
need not wait for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from .coverage import Coverage, RuleCitation, cover
    from .diff_rendering import diff_lines, diff_to_dict
    from .diffing import ClauseChange, KeyChange, PackDiff, UnrelatedPacks, diff_packs, for_role
    from .explaining import ClauseExplanation, KeyOrigin, Origin, explain_clause
    from .house_profile import Day, Profile, ProfileError, read_profile
    from .house_rules import HouseRules, house_rules_lines, make_house_rules
    from .house_rules_file import (
        HouseRulesError,
        ListName,
        PackHouseRules,
        Statement,
        load_house_rules,
    )
    from .spans import Mark, Span
    from .versions import Version, list_versions
    from .views import OverviewGroup, clauses_for, overview_lines, overview_page

_READ_WHEN_USED = {
    "coverage": ("Coverage", "RuleCitation", "cover"),
    "diff_rendering": ("diff_lines", "diff_to_dict"),
    "diffing": (
        "ClauseChange",
        "KeyChange",
        "PackDiff",
        "UnrelatedPacks",
        "diff_packs",
        "for_role",
    ),
    "explaining": ("ClauseExplanation", "KeyOrigin", "Origin", "explain_clause"),
    "house_profile": ("Day", "Profile", "ProfileError", "read_profile"),
    "house_rules": ("HouseRules", "house_rules_lines", "make_house_rules"),
    "house_rules_file": (
        "HouseRulesError",
        "ListName",
        "PackHouseRules",
        "Statement",
        "load_house_rules",
    ),
    "spans": ("Mark", "Span"),
    "versions": ("Version", "list_versions"),
    "views": ("OverviewGroup", "clauses_for", "overview_lines", "overview_page"),
}
_MODULE_OF = {name: module for module, names in _READ_WHEN_USED.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


__all__ = [
    "Amendment",
    "Audience",
    "Clause",
    "ClauseChange",
    "ClauseExplanation",
    "ClauseKind",
    "Coverage",
    "Day",
    "Evidence",
    "GuidanceError",
    "HouseRules",
    "HouseRulesError",
    "KeyChange",
    "KeyOrigin",
    "Layer",
    "Level",
    "ListName",
    "Mark",
    "Origin",
    "OverviewGroup",
    "Pack",
    "PackDiff",
    "PackError",
    "PackHouseRules",
    "Profile",
    "ProfileError",
    "Provenance",
    "RuleCitation",
    "Source",
    "Span",
    "Statement",
    "Status",
    "UnknownClause",
    "UnknownPack",
    "UnknownSource",
    "UnknownVersion",
    "UnrelatedPacks",
    "Version",
    "available_packs",
    "clauses_for",
    "cover",
    "diff_lines",
    "diff_packs",
    "diff_to_dict",
    "explain_clause",
    "for_role",
    "house_rules_lines",
    "list_versions",
    "load_house_rules",
    "load_pack",
    "make_house_rules",
    "overview_lines",
    "overview_page",
    "read_profile",
]
