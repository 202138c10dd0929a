"""``POST /api/check``: the checker over HTTP, for anyone. Keeps nothing, and needs no sign-in.

One JSON object in, one out; or JSONL in (``Content-Type: application/x-ndjson``), JSONL out. The
rows are those of ``folkmoot check --format jsonl``: ``docs/check-format.md`` describes them.
"""

from __future__ import annotations

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from folkmoot.check import CheckError, Context
from folkmoot.check.formats.rows import JsonLinesWriter
from folkmoot.check.inputs import BadRow, Problem, Raw, read_item
from folkmoot.desk.people.queries import find_public_organisation
from folkmoot.guidance import GuidanceError

from . import queries

LONGEST_BODY = 200_000
MOST_ROWS = 100
JSON_LINES = frozenset(
    f"application/{name}"
    for name in ("x-ndjson", "jsonl", "x-jsonlines", "jsonlines", "json-lines")
)


@csrf_exempt
@login_not_required
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Check the post, or each post of a JSONL body. ``?pack=`` names the pack; by default it is
    that of the organisation whose address was asked.

    Answers 200 with a report per row; a row that could not be checked has ``error`` in place of a
    verdict, and the answer is then 422, never a pass. 404 for an unknown pack, 413 and 429 where
    too much was asked, 415 for a form, 503 where the checker itself failed.
    """
    if not ratelimit.consume(request, action="api_check"):
        return _refuse(429, "Too many checks from your address. Wait a minute and try again.")
    if request.content_type == "multipart/form-data":  # read as a form already; no JSON is left
        return _refuse(415, "Send one JSON object, or JSONL as application/x-ndjson.")
    if int(request.headers.get("Content-Length") or 0) > LONGEST_BODY:
        return _refuse(413, f"Send at most {LONGEST_BODY} bytes at once.")
    organisation = find_public_organisation(request.get_host())
    name = request.GET.get("pack") or (organisation.pack if organisation else "uk-civil-service")
    many = request.content_type in JSON_LINES
    lines = request.body.splitlines() if many else [request.body]
    if len(lines) > MOST_ROWS:
        return _refuse(413, f"Send at most {MOST_ROWS} rows at once.")
    try:
        checker = queries.get_checker(name)
    except (GuidanceError, CheckError) as unusable:
        return _refuse(404 if isinstance(unusable, GuidanceError) else 503, str(unusable))
    writer, failed, pieces = JsonLinesWriter(), False, []
    for number, line in enumerate(lines, start=1):
        try:
            item = read_item(Raw("body", number, line), checker.vocabulary, Context())
            pieces.append(writer.report(item, checker.check(item.post, item.context)))
        except BadRow as bad:
            failed = True
            pieces.append(writer.problem(bad.problem))
        except CheckError as broken:
            failed = True
            pieces.append(writer.problem(Problem("body", number, None, str(broken))))
    kind = "application/x-ndjson" if many else "application/json"
    return HttpResponse("".join(pieces), content_type=kind, status=422 if failed else 200)


def _refuse(status: int, error: str) -> HttpResponse:
    return JsonResponse({"error": error}, status=status)
