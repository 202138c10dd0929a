"""The composer: what it hands in, laid over what is kept, and its page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.people.queries import Member, Organisation, Role
from folkmoot.desk.stops import queries as stops

from . import actions, queries, walltime
from .assess import Assessment, assess
from .content import PICTURE_FACTS, Content, check_content, chosen_accounts, list_problems
from .forms import LANGUAGES, WINDOWS, ComposerForm, next_half_hour, shown_time, time_of
from .nearby import list_near
from .repeating import find_occurrence
from .slots import find_free, list_slots
from .unsaved import KEPT

Errors = list[dict[str, str]]
TIMES = ("day", "zone", "which", "when")
"""The fields of the form that decide the time."""
NO_SLOT = (
    "There is no free slot for these channels in the next eight weeks. Choose a time, or add slots "
    "to the calendar."
)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What the composer handed in. ``in_slot``: it is to have the next free slot; ``content`` has
    the time of the one that is free just now.
    """

    content: Content
    errors: Errors
    form: ComposerForm
    in_slot: bool


def read_composer(
    request: HttpRequest,
    member: Member,
    kept: Content,
    draft: queries.Draft | None,
    *,
    now: datetime,
    keep_picture: bool = True,
) -> HandedIn:
    """What the composer handed in, laid over what is kept. A value that cannot be used leaves the
    kept one in place and comes back as an error; nothing else is lost by it.
    """
    organisation = member.organisation
    form = ComposerForm(
        request.POST,
        request.FILES,
        organisation=organisation,
        account_ids=[a.pk for a in accounts.list_accounts(organisation)],
    )
    form.is_valid()
    data = form.cleaned_data
    errors = [
        {"text": str(sentence), "href": f"#{name}"}
        for name, found in form.errors.items()
        for sentence in found
    ]
    pictures = []
    for row in kept.pictures:
        mark = row["sha256"]
        if f"remove-{mark}" not in request.POST:
            alt = request.POST.get(f"alt-{mark}", str(row["alt"])).strip()
            pictures.append({**row, "alt": alt, **_picture_facts(request, mark)})
    pictures += _carried(request, member, kept)
    upload = data.get("picture")
    if upload is not None and keep_picture:
        try:
            row = actions.add_picture(
                member,
                upload,
                size_bytes=upload.size,
                name=upload.name,
                now=now,
                alt=data.get("picture_alt", ""),
            )
            pictures = [p for p in pictures if p["sha256"] != row["sha256"]] + [row]
        except (actions.PictureRefused, actions.DraftRefused) as refused:
            errors.append({"text": str(refused), "href": "#picture"})
    answers = {
        name.removeprefix("answer-"): value
        for name, value in request.POST.items()
        if name.startswith("answer-") and value in {"yes", "no"}
    }
    content = replace(
        kept,
        text=data.get("text", ""),
        accounts=tuple(data.get("accounts", kept.accounts)),
        pictures=tuple(pictures),
        language=data.get("language") or kept.language,
        window_minutes=data.get("window") or kept.window_minutes,
        answers=answers,
        facts=_facts(request, organisation, kept),
        urgent=data.get("urgent", False),
        topic=data.get("topic", kept.topic),
        through_stop=data.get("through_stop", False),
    )
    in_slot = data.get("when") == "slot"
    if in_slot:
        opening = find_free(
            organisation, content.accounts, now=now, but=draft.pk if draft else None
        )
        if opening is None:
            errors.append({"text": NO_SLOT, "href": "#when"})
            return HandedIn(content, errors, form, in_slot=False)
        content = replace(content, due_at=opening.at, wall=opening.wall, zone=opening.zone)
    elif not any(name in form.errors for name in TIMES):
        content = replace(content, due_at=data["due_at"], wall=data["wall"], zone=data["zone"])
    return HandedIn(content, errors, form, in_slot)


def _carried(request: HttpRequest, member: Member, kept: Content) -> list[dict[str, Any]]:
    """Pictures the page showed that no version holds yet: their save was refused."""
    known = {row["sha256"] for row in kept.pictures}
    carried = []
    for mark in request.POST.getlist("have")[:10]:
        found = queries.find_picture(member, mark)
        if found is None or mark in known or f"remove-{mark}" in request.POST:
            continue
        known.add(mark)
        row = queries.picture_row(found, alt=request.POST.get(f"alt-{mark}", "").strip())
        carried.append({**row, **_picture_facts(request, mark)})
    return carried


YES_NO = {"yes": True, "no": False}


def _picture_facts(request: HttpRequest, mark: str) -> dict[str, Any]:
    """What the author said of one picture; what they left open is left out."""
    told: dict[str, Any] = {}
    for name in PICTURE_FACTS:
        told[name] = YES_NO.get(request.POST.get(f"{name}-{mark}", ""))
    told["licence"] = request.POST.get(f"licence-{mark}", "").strip()[:200] or None
    return told


def _facts(request: HttpRequest, organisation: Organisation, kept: Content) -> dict[str, Any]:
    """The facts the composer handed in, over those kept; one that is not a value is left out."""
    known = guidance.find_facts(organisation)
    told = dict(kept.facts)
    for name, fact in known.items():
        said = request.POST.get(f"fact-{name}")
        if said is None:
            continue
        told.pop(name, None)
        if fact.values and said in fact.values:
            told[name] = said
        elif not fact.values and said in YES_NO:
            told[name] = YES_NO[said]
    return told


def show_composer(
    request: HttpRequest,
    member: Member,
    content: Content,
    draft: queries.Draft | None,
    *,
    now: datetime,
    errors: Errors | None = None,
    form: ComposerForm | None = None,
    kept_time: bool = False,
) -> HttpResponse:
    """The composer; with ``form``, as it was handed in, and with what is against it. ``kept_time``
    shows the time as ``content`` has it all the same.
    """
    organisation = member.organisation
    report = check_content(content, organisation, role=Role.AUTHOR, now=now)
    # A picture that was taken in has its description beside it; the field is for the next one.
    kept_picture = "picture" in request.FILES and not any(
        error["href"] == "#picture" for error in errors or []
    )
    context: dict[str, Any] = {
        "draft": draft,
        "content": content,
        "errors": errors or [],
        "accounts": accounts.list_accounts(organisation),
        "seen": assess(content, report, organisation),
        "near": list_near(organisation, content, draft, now=now),
        "troubles": list_troubles(content, organisation, now=now),
        "pack": organisation.pack,
        "organisation": organisation,
        "languages": LANGUAGES,
        "windows": WINDOWS,
        "zones": walltime.COMMON_ZONES,
        "topics": queries.list_topics(organisation),
        "stopped": bool(stops.list_standing(organisation)),
        "occurrence": find_occurrence(draft) if draft else None,
        "example": shown_time(next_half_hour(now), "", "", organisation),
        "problems": list_problems(content, organisation) if draft else [],
        "sent_back": _last_sent_back(draft),
        "unsaved": request.session.pop(KEPT, "") if request.method == "GET" else "",
        "picture_alt": "" if form is None or kept_picture else form.data.get("picture_alt", ""),
        **_time(content, organisation, None if kept_time else form, draft, now),
    }
    return render(request, "drafts/compose.html", context, status=422 if errors else 200)


def list_troubles(content: Content, organisation: Organisation, *, now: datetime) -> list[str]:
    """What is known to be wrong with the chosen accounts by the time the post is due."""
    moment = content.due_at or now
    chosen = chosen_accounts(content, organisation)
    told = (one.trouble or accounts.find_trouble_at(one, moment) for one in chosen)
    return [sentence for sentence in told if sentence]


def _time(
    content: Content,
    organisation: Organisation,
    form: ComposerForm | None,
    draft: queries.Draft | None,
    now: datetime,
) -> dict[str, Any]:
    """The time as the page shows it, with the question about it where there is one."""
    day, clock, zone = shown_time(content.due_at, content.wall, content.zone, organisation)
    when = "at" if day else "signed"
    which = walltime.which_of(content.wall, content.zone, content.due_at)
    if form is not None:
        day, clock, zone = (
            form.data.get(name, shown)
            for name, shown in (("day", day), ("clock", clock), ("zone", zone))
        )
        when = form.data.get("when", when)
        which = form.data.get("which", which)
    wall, named = time_of({"day": day, "clock": clock, "zone": zone}, organisation)
    question = walltime.resolve(wall, named)
    slots = list_slots(organisation)
    free = None
    if slots and content.accounts:
        free = find_free(organisation, content.accounts, now=now, but=draft.pk if draft else None)
    return {
        "when": when,
        "day": day,
        "clock": clock,
        "zone": zone,
        "which": which,
        "question": question if isinstance(question, walltime.Asked) else None,
        "asked": f"{wall} {named}",
        "slots": slots,
        "free": walltime.tell(free.wall, free.zone, free.at, organisation.zone) if free else "",
    }


def _last_sent_back(draft: queries.Draft | None) -> queries.Signoff | None:
    """The reason the post was last sent back for, while nobody has signed it since."""
    decisions = queries.list_signoffs(draft) if draft else []
    return decisions[-1] if decisions and decisions[-1].decision == "sent_back" else None


def list_errors(refused: actions.DraftRefused, seen: Assessment | None = None) -> Errors:
    """Refusals for the error summary, each leading to the part of the page it is about."""
    places = (
        {question.text: f"#answer-{question.id}" for question, _, _ in seen.questions}
        if seen
        else {}
    )
    return [
        {
            "text": reason,
            "href": next(
                (place for text, place in places.items() if text in reason),
                "#text" if seen else "#main-content",
            ),
        }
        for reason in refused.reasons
    ]
