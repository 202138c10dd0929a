"""Should I post this? Anyone may ask, on a phone, in five minutes. Nothing typed is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.core import ratelimit
from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from folkmoot.check import (
    Capacity,
    CheckError,
    Closeness,
    Context,
    Effect,
    Post,
    Report,
    Seniority,
    Verdict,
)
from folkmoot.desk.people.queries import find_public_organisation

from . import queries

LONGEST_TEXT = 10_000
CAPACITIES = {
    Capacity.OFFICIAL: "On my organisation’s own account",
    Capacity.PROFESSIONAL: "On my own account, as somebody who works for it",
    Capacity.PERSONAL: "On my own account, as a private person",
}
SENIORITIES = {
    Seniority.JUNIOR: "I am not senior",
    Seniority.MIDDLE: "I manage people or speak for a team",
    Seniority.SENIOR: "I am senior, or work closely with those who decide",
}
CLOSENESSES = {
    Closeness.FAR: "It has nothing to do with my organisation’s work",
    Closeness.NEAR: "It is about another part of my organisation’s work",
    Closeness.CLOSE: "It is about what I work on",
}


class ShouldForm(forms.Form):
    """What the page asks."""

    text = forms.CharField(
        max_length=LONGEST_TEXT,
        strip=False,
        error_messages={
            "required": "Write or paste what you would like to post.",
            "max_length": f"Use at most {LONGEST_TEXT} characters.",
        },
    )
    capacity = forms.ChoiceField(
        choices=list(CAPACITIES.items()),
        error_messages={"required": "Say where you would post it."},
    )
    seniority = forms.ChoiceField(choices=list(SENIORITIES.items()), required=False)
    closeness = forms.ChoiceField(choices=list(CLOSENESSES.items()), required=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page says: the report, and what the answers to its questions add to it."""

    report: Report
    verdict: Verdict
    reasons: tuple[str, ...]
    unanswered: bool


@login_not_required
def should_i_post(request: HttpRequest) -> HttpResponse:
    """Ask, and be answered with a verdict, its clauses, and the person to ask."""
    organisation = find_public_organisation(request.get_host())
    if organisation is None:
        raise Http404("This site has no organisation yet.")
    names = {pack.id: pack.title for pack in queries.list_packs()}
    chosen = request.POST.get("pack", "")
    pack = queries.get_pack(chosen if chosen in names else organisation.pack)
    form = ShouldForm(request.POST or None)
    answer, errors = None, []
    if request.method == "POST":
        if not ratelimit.consume(request, action="should_i_post"):
            errors = [{"text": "You have asked very often. Wait a minute and ask again."}]
        elif not form.is_valid():
            errors = [
                {"text": str(sentence), "href": f"#{name}"}
                for name, found in form.errors.items()
                for sentence in found
            ]
        else:
            now = datetime.now(UTC)
            data = form.cleaned_data
            context = Context(
                capacity=Capacity(data["capacity"]),
                nation=organisation.nation,
                publish_at=now,
                periods=queries.find_periods(organisation, now),
                seniority=Seniority(data["seniority"]) if data["seniority"] else None,
                closeness=Closeness(data["closeness"]) if data["closeness"] else None,
            )
            try:
                checker = queries.get_checker(pack.id)
                report = checker.check(Post(data["text"]), context)
                answer = weigh(report, request.POST.dict())
            except CheckError as broken:
                errors = [
                    {"text": f"The check could not be carried out, so this is no answer: {broken}"}
                ]
    return render(
        request,
        "guidance/should.html",
        {
            "errors": errors,
            "given": request.POST,
            "answer": answer,
            "pack": pack,
            "findings": [
                (finding, [c for one in finding.clauses if (c := pack.find_clause(one))])
                for finding in answer.report.findings
            ]
            if answer
            else [],
            "packs": names,
            "asked": queries.list_questions(pack.id),
            "capacities": CAPACITIES,
            "seniorities": SENIORITIES,
            "closenesses": CLOSENESSES,
            "stop": Effect.STOP,
        },
        status=422 if errors else 200,
    )


def weigh(report: Report, answers: Mapping[str, str]) -> Answer:
    """The verdict once the questions have been answered: an answer under which the post may not
    go on makes it *do not post*, whatever the rules found.
    """
    against, unanswered = [], False
    for question in report.questions:
        said = answers.get(f"answer-{question.id}")
        if said not in {"yes", "no"}:
            unanswered = True
        elif said != question.proceed:
            against.append(f"You answered “{said}” to “{question.text}”.")
    verdict = Verdict.DO_NOT_POST if against else report.verdict
    return Answer(report, verdict, (*against, *report.reasons), unanswered)
