"""Pages of the schedule, of what is due, and of disposals."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from folkmoot.desk.guidance.queries import EVIDENCE_WORDS
from folkmoot.desk.people.queries import names_by_ref, signed_in
from folkmoot.desk.records.classes import RecordClass
from folkmoot.guidance import Evidence

from . import actions, queries
from .actions import RetentionRefused
from .forms import RuleForm, errors_of
from .pages import attempt, error_of, now, number_of, only_for, page_of, take_refusals
from .scheduling import line_of, line_of_rule
from .triggers import ACTION_WORDS, CLASS_WORDS, EVENTS, fitting, tell_months

NO_BATCH = "There is no such disposal."


def schedule(request: HttpRequest) -> HttpResponse:
    """How long each class of records is kept, and why. Every member may read it."""
    member = signed_in(request)
    rows = queries.list_schedule(member.organisation)
    if request.method == "POST":
        return attempt(
            request,
            partial(actions.adopt_schedule, member, now=now()),
            "The schedule is proposed. A second records officer must confirm it.",
            "retention_schedule",
        )
    proposed = [row.proposed for row in rows if row.proposed is not None]
    return render(
        request,
        "retention/schedule.html",
        {
            "rows": rows,
            "class_words": CLASS_WORDS,
            "tell": queries.tell_rule,
            "tell_seed": _tell_seed,
            "proposed": proposed,
            "mine": [rule for rule in proposed if rule.proposed_by == member.ref],
            "names": names_by_ref(rule.proposed_by for rule in proposed),
            "missing": any(row.in_force is None and row.proposed is None for row in rows),
            "may_change": queries.may_see(member),
            "may_hold": queries.may_hold(member),
            "refusals_list": take_refusals(request),
        },
    )


def _tell_seed(row: queries.Row) -> str:
    seed = row.seed
    words = EVENTS[seed.trigger].words
    return f"{ACTION_WORDS[seed.action]}, {tell_months(seed.months)} after {words}."


@require_POST
def decide_schedule(request: HttpRequest) -> HttpResponse:
    """Confirm proposed lines, or turn them down."""
    member = signed_in(request)
    numbers = [one for text in request.POST.getlist("rule") if (one := number_of(text)) is not None]
    if request.POST.get("do") == "confirm":
        act = partial(actions.confirm_schedule, member, numbers, now=now())
        done = "Confirmed. The schedule is in force."
    else:
        act = partial(actions.turn_down_schedule, member, numbers, now=now())
        done = "Turned down. What was in force stays."
    return attempt(request, act, done, "retention_schedule")


def rule(request: HttpRequest, record_class: str) -> HttpResponse:
    """The line of one class: its versions, and a change of it."""
    member = signed_in(request)
    if record_class not in set(RecordClass):
        raise Http404("There is no such class of records.")
    which = RecordClass(record_class)
    (row,) = [
        one for one in queries.list_schedule(member.organisation) if one.record_class is which
    ]
    form = RuleForm(request.POST if request.method == "POST" else None)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        errors = errors_of(form)
        if not errors:
            try:
                changed = actions.change_schedule(member, which, form.line, now=now())
                said = (
                    "It is in force."
                    if changed.state == "in_force"
                    else ("By it something may go sooner, so a second officer must confirm it.")
                )
                messages.success(request, f"The change is kept. {said}")
                return redirect("retention_schedule")
            except RetentionRefused as refused:
                errors = [error_of(refused)]
    line = line_of_rule(row.in_force) if row.in_force else line_of(row.seed)
    given = (
        request.POST
        if errors
        else {
            "trigger": line.trigger,
            "months": str(line.months),
            "action": line.action,
            "mandate": line.mandate,
            "address": line.address,
            "evidence": line.evidence,
            "law": "" if line.ours else "on",
            "why": line.why,
        }
    )
    versions = queries.list_versions(member.organisation, which)
    return render(
        request,
        "retention/rule.html",
        {
            "row": row,
            "title": CLASS_WORDS[which],
            "given": given,
            "errors": errors,
            "triggers": [(one, EVENTS[one].words) for one in fitting(which)],
            "actions": ACTION_WORDS,
            "evidences": {one: EVIDENCE_WORDS[one] for one in Evidence},
            "versions": versions,
            "tell": queries.tell_rule,
            "tell_seed": _tell_seed,
            "names": names_by_ref(
                ref for one in versions for ref in (one.proposed_by, one.confirmed_by)
            ),
            "may_change": queries.may_see(member),
        },
        status=422 if errors else 200,
    )


@only_for(queries.may_see)
def due(request: HttpRequest) -> HttpResponse:
    """What is due, class by class; and drawing up a disposal of it."""
    member = signed_in(request)
    if request.method == "POST":
        named = request.POST.get("record_class", "")
        if named not in set(RecordClass):
            raise Http404("There is no such class of records.")
        try:
            made = actions.draw_up(member, RecordClass(named), now=now())
            return redirect("retention_batch", batch_id=made.pk)
        except RetentionRefused as refused:
            request.session["refusals"] = [str(refused)]
            return redirect("retention_due")
    batches, _ = queries.list_batches(member.organisation)
    return render(
        request,
        "retention/due.html",
        {
            "due": queries.list_due(member.organisation, now()),
            "most": queries.MOST,
            "class_words": CLASS_WORDS,
            "tell": queries.tell_rule,
            "batches": [(one, queries.count_items(one)) for one in batches[:5]],
            "refusals_list": take_refusals(request),
        },
    )


@only_for(queries.may_see)
def batches(request: HttpRequest) -> HttpResponse:
    """Every disposal, the newest first."""
    member = signed_in(request)
    number = page_of(request)
    found, more = queries.list_batches(member.organisation, page=number)
    return render(
        request,
        "retention/batches.html",
        {
            "batches": [(one, queries.count_items(one)) for one in found],
            "class_words": CLASS_WORDS,
            "more": more,
            "number": number,
        },
    )


@only_for(queries.may_see)
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """One disposal: what is in it, and the next steps of it."""
    member = signed_in(request)
    found = queries.find_batch(member.organisation, batch_id)
    if found is None:
        raise Http404(NO_BATCH)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            messages.success(request, _take_batch(request, batch_id))
            return redirect(request.get_full_path())
        except RetentionRefused as refused:
            errors = [error_of(refused)]
            found = queries.find_batch(member.organisation, batch_id) or found
    number = page_of(request)
    things, more = queries.list_things(found, page=number)
    return render(
        request,
        "retention/batch.html",
        {
            "batch": found,
            "title": CLASS_WORDS[RecordClass(found.rule.record_class)],
            "tell": queries.tell_rule,
            "counts": queries.count_items(found),
            "digest": queries.digest_of(found),
            "things": things,
            "more": more,
            "number": number,
            "mine": found.proposed_by == member.ref,
            "names": names_by_ref([found.drawn_up_by, found.proposed_by, found.confirmed_by]),
            "errors": errors,
            "given": request.POST if errors else {},
        },
        status=422 if errors else 200,
    )


def _take_batch(request: HttpRequest, batch_id: int) -> str:
    """Take the step that the button pressed is for; what is to be said once it is done."""
    member = signed_in(request)
    data = request.POST
    match data.get("do"):
        case "leave_out":
            shown, kept = set(data.getlist("shown")), set(data.getlist("subject"))
            actions.leave_out(member, batch_id, shown - kept)
            actions.leave_out(member, batch_id, shown & kept, out=False)
            return "What is chosen on this page is kept."
        case "leave_held":
            left = actions.leave_out_held(member, batch_id)
            return f"What is held is left out: {left} entries."
        case "propose":
            actions.propose_disposal(
                member,
                batch_id,
                reason=data.get("reason", ""),
                manifest=data.get("manifest", ""),
                now=now(),
            )
            return "Proposed. A second records officer must confirm it."
        case "keep":
            actions.keep_longer(
                member,
                batch_id,
                months=number_of(data.get("months", "")) or 0,
                reason=data.get("reason", ""),
                now=now(),
            )
            return "Kept for longer."
        case "confirm":
            actions.confirm_disposal(member, batch_id, seen=data.get("seen", ""), now=now())
            return "Confirmed. It is being destroyed now."
        case "drop":
            actions.drop_disposal(member, batch_id, now=now())
            return "Given up. What was in it is due as before."
        case _:
            raise Http404("There is no such step.")
