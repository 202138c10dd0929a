"""Public pages of the guidance room: packs, clauses, rules, versions and what changed.

A pack's address holds its id, or its id and version (``uk-civil-service@2026.11``): the latter is
permanent.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from folkmoot.check.page import UnknownRule, describe_rule
from folkmoot.desk.people.queries import find_public_organisation, signed_in
from folkmoot.guidance import (
    Audience,
    Level,
    Pack,
    UnknownClause,
    UnknownPack,
    UnknownVersion,
    UnrelatedPacks,
    clauses_for,
    diff_packs,
    for_role,
    overview_page,
)

from . import queries


@login_not_required
def packs(request: HttpRequest) -> HttpResponse:
    """The packs installed here."""
    return render(request, "guidance/packs.html", {"packs": queries.list_packs()})


@login_not_required
def pack(request: HttpRequest, pack: str) -> HttpResponse:
    """One pack at one of its three levels, whole or for one audience."""
    found = _get_pack(pack)
    audience = _audience(request)
    return render(
        request,
        "guidance/pack.html",
        {
            "pack": found,
            "address": pack,
            "level": _level(request),
            "levels": list(Level),
            "audience": audience,
            "audiences": list(Audience),
            "groups": queries.clauses_by_group(
                clauses_for(found, audience) if audience else found.clauses
            ),
            "versions": queries.list_pack_versions(found.id),
        },
    )


@login_not_required
def overview(request: HttpRequest, pack: str) -> HttpResponse:
    """The overview one can hold in one's head: prints on one side of A4."""
    found = _get_pack(pack)
    audience = _audience(request)
    return render(
        request,
        "guidance/overview.html",
        {
            "pack": found,
            "address": pack,
            "audience": audience,
            "audiences": list(Audience),
            "groups": overview_page(found, audience),
        },
    )


@login_not_required
def clause(request: HttpRequest, pack: str, clause: str) -> HttpResponse:
    """One clause at its permanent address, with all three levels and where it comes from."""
    found = _get_pack(pack)
    try:
        one = found.get_clause(clause)
    except UnknownClause as unknown:
        raise Http404(str(unknown)) from unknown
    rules = [rule for rule in queries.get_checker(pack).rules if one.id in rule.clauses]
    return render(
        request,
        "guidance/clause.html",
        {
            "pack": found,
            "address": pack,
            "clause": one,
            "source": found.get_source(one.source),
            "layer": found.provenance.find_layer(one.pack),
            "amendments": found.provenance.amendments_of(one.id),
            "rules": rules,
            "levels": list(Level),
        },
    )


@login_not_required
def rules(request: HttpRequest, pack: str) -> HttpResponse:
    """What the checker looks for under this pack."""
    found = _get_pack(pack)
    return render(
        request,
        "guidance/rules.html",
        {"pack": found, "address": pack, "rules": queries.get_checker(pack).running},
    )


@login_not_required
def rule(request: HttpRequest, pack: str, rule: str) -> HttpResponse:
    """One rule: what it looks for, why, how to put it right, and when it is wrong."""
    found = _get_pack(pack)
    try:
        described = describe_rule(queries.get_checker(pack), found, rule)
    except UnknownRule as unknown:
        raise Http404(str(unknown)) from unknown
    return render(
        request, "guidance/rule.html", {"pack": found, "address": pack, "rule": described}
    )


@login_not_required
def changes(request: HttpRequest, pack: str) -> HttpResponse:
    """What changed since another version, clause by clause, for everyone or for one audience."""
    found = _get_pack(pack)
    audience = _audience(request)
    since = request.GET.get("since", "")
    diff = None
    if since:
        try:
            diff = diff_packs(_get_pack(f"{found.id}@{since}"), found)
        except UnrelatedPacks as unrelated:
            raise Http404(str(unrelated)) from unrelated
        if audience:
            diff = for_role(diff, audience)
    return render(
        request,
        "guidance/changes.html",
        {
            "pack": found,
            "address": pack,
            "since": since,
            "diff": diff,
            "audience": audience,
            "audiences": list(Audience),
            "versions": [
                version
                for version in queries.list_pack_versions(found.id)
                if version.version != found.version
            ],
        },
    )


@login_not_required
def go_to_clause(request: HttpRequest) -> HttpResponse:
    """From the chooser at the foot of every page to the clause itself."""
    organisation = find_public_organisation(request.get_host())
    if request.user.is_authenticated:
        organisation = signed_in(request).organisation
    if organisation is None:
        raise Http404("This site has no organisation yet.")
    wanted = request.GET.get("clause", "")
    if queries.get_pack(organisation.pack).find_clause(wanted) is None:
        return redirect("pack", pack=organisation.pack)
    return redirect("clause", pack=organisation.pack, clause=wanted)


def _get_pack(name: str) -> Pack:
    try:
        return queries.get_pack(name)
    except (UnknownPack, UnknownVersion) as unknown:
        raise Http404(str(unknown)) from unknown


def _level(request: HttpRequest) -> Level:
    wanted = request.GET.get("level", "")
    return Level(wanted) if wanted in set(Level) else Level.OVERVIEW


def _audience(request: HttpRequest) -> Audience | None:
    """The audience asked for; ``None`` for the whole pack."""
    wanted = request.GET.get("for", "")
    return Audience(wanted) if wanted in set(Audience) else None
