"""``folkmoot check lsp``: a language server, so that drafts are checked where people write them.

It speaks the Language Server Protocol over standard input and output (pygls; the extra ``editor``).
Front matter gives the circumstances. What stands in a draft is looked at as one types.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from folkmoot.guidance import load_pack
from folkmoot.guidance.model import Level, Pack

from .cli import DEFAULT_PACK, FAILED, USAGE, add_circumstances, read_options
from .engine import Checker
from .formats.places import Lines
from .inputs import BadRow, Item, Raw, read_item
from .model import CheckError, Context, Effect, Finding, Overridden, Report, Span
from .overrides import Override, OverrideError, apply_overrides, read_overrides, write_overrides

ACCEPT = "folkmoot.accept"
"""The command that answers for a finding. Its argument is an object with ``uri``, ``rule``,
``fingerprint`` and ``reason``, and perhaps ``who`` and ``expires_on``."""
REASONS = (
    "It is a matter of fact that the post needs.",
    "It is a quotation, and it is marked as one.",
    "The checker is wrong here.",
)
"""The reasons offered, since the protocol has no way to ask for words. An editor that can ask sends
its own."""
_DAYS = 30
_SOURCE = "folkmoot"


@dataclass(frozen=True, slots=True)
class Marked:
    """A finding at a place of the draft, in lines from 0 and in the client's units."""

    start: tuple[int, int]
    end: tuple[int, int]
    finding: Finding
    overridden: Overridden | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a draft came to: its places, or the sentence why it could not be checked."""

    marked: tuple[Marked, ...] = ()
    report: Report | None = None
    failed: str = ""

    def get_finding(self, rule: object, fingerprint: object) -> Finding:
        """The finding of this rule and fingerprint. Raises :class:`OverrideError`."""
        for marked in self.marked:
            if (marked.finding.rule, marked.finding.fingerprint) == (rule, fingerprint):
                return marked.finding
        raise OverrideError("The draft no longer has this finding.")


@dataclass(slots=True)
class Drafts:
    """Checks drafts as text; knows nothing of the protocol.

    ``units`` counts text as the client does. ``now`` is the clock, passed in.
    """

    pack: Pack
    checker: Checker
    known: Context
    who: str
    role: str
    overrides_file: Path | None
    now: Callable[[], datetime]
    units: Callable[[str], int] = field(
        default=lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2
    )

    def look(self, name: str, text: str) -> Looked:
        """What the rules say of ``text``, with the overrides of the file applied."""
        raw = Raw(name, 0, text.encode("utf-8", "surrogatepass"))
        try:
            item = read_item(raw, self.checker.vocabulary, self.known)
            report = self.checker.check(item.post, item.context)
            overrides = self._overrides()
            report = apply_overrides(
                report,
                overrides,
                on=self._today(item),
                roles=self.checker.vocabulary.roles,
            ).report
        except (BadRow, CheckError) as wrong:
            return Looked(failed=f"{wrong} It has not been checked.")
        lines = Lines(item.whole)
        marked = [self._mark(item, lines, finding, None) for finding in report.findings]
        marked += [self._mark(item, lines, each.finding, each) for each in report.overridden]
        return Looked(tuple(marked), report)

    def _today(self, item: Item) -> date:
        return (item.context.publish_at or self.now()).date()

    def _overrides(self) -> tuple[Override, ...]:
        file = self.overrides_file
        return read_overrides(file) if file is not None and file.exists() else ()

    def _mark(
        self, item: Item, lines: Lines, finding: Finding, overridden: Overridden | None
    ) -> Marked:
        first = next((span for span in finding.spans if span.place == "text"), None)
        first = first or Span(0, 0, 0, 0)
        start, end = item.begins + first.start, item.begins + first.end
        return Marked(
            self._position(item.whole, lines, start),
            self._position(item.whole, lines, end),
            finding,
            overridden,
        )

    def _position(self, whole: str, lines: Lines, offset: int) -> tuple[int, int]:
        line = lines.at(offset).line - 1
        return line, self.units(whole[lines.starts[line] : offset])

    def why_not_accept(self, finding: Finding) -> str:
        """Why whoever writes here may not answer for ``finding``; empty where they may."""
        if finding.clear_by == "nobody":
            return "This has to be put right."
        if finding.clear_by not in ("author", self.role):
            who = self.checker.vocabulary.roles.get(finding.clear_by, finding.clear_by)
            return f"Only {who} may answer for this."
        return "" if self.overrides_file else "The server was started without --overrides FILE."

    def accept(self, finding: Finding, reason: str, who: str, expires_on: date | None) -> Override:
        """Write an override of ``finding`` into the file.

        Raises:
            OverrideError: It may not be answered for here, or a part of the override is wrong.
        """
        wrong = self.why_not_accept(finding)
        if wrong or self.overrides_file is None:
            raise OverrideError(wrong)
        made_at = self.now()
        override = Override(
            finding.fingerprint,
            finding.rule,
            reason,
            who or self.who,
            made_at,
            expires_on or (made_at + timedelta(days=_DAYS)).date(),
        )
        try:
            write_overrides(self.overrides_file, (*self._overrides(), override))
        except OSError as failed:
            raise OverrideError(
                f"The override could not be kept: {self.overrides_file} cannot be written "
                f"({failed.strerror})."
            ) from failed
        return override

    def tell(self, marked: Marked) -> str:
        """A finding with its clauses as Markdown, for a hover."""
        finding = marked.finding
        lines = [f"**{_plain(finding.title)}** ({finding.effect.word})", ""]
        lines += [_plain(finding.message), "", _plain(finding.advice)]
        if marked.overridden is not None:
            answer = marked.overridden
            lines += ["", f"Answered for by {_plain(answer.who)}: {_plain(answer.reason)}"]
        for each in finding.clauses:
            clause = self.pack.find_clause(each)
            if clause is not None:
                mark = clause.evidence.value.replace("_", " ")
                lines += ["", f"[{each}]({clause.url}) ({mark}): {clause.levels[Level.OVERVIEW]}"]
        return "\n".join(lines)


def _plain(text: str) -> str:
    """``text`` as Markdown that shows it as it stands: it may hold words of the post."""
    return "".join(f"\\{each}" if each in "\\`*_{}[]<>()#+-.!|~&" else each for each in text)


_SEVERITY = {Effect.NOTE: 3, Effect.ADVISE: 2, Effect.HOLD: 1, Effect.STOP: 1}
_HINT = 4


# One function within for each feature of the protocol.
def make_server(  # noqa: C901, PLR0915
    drafts: Drafts, page_address: str = ""
) -> Any:
    """The language server of ``drafts``, ready to be started.

    ``page_address`` is where rules have their pages, with ``{rule}`` for the id; without it a
    diagnostic leads to the address of the first clause.

    Raises:
        ModuleNotFoundError: pygls is not installed.
    """
    from lsprotocol import types as lsp
    from pygls.lsp.server import LanguageServer

    from folkmoot import __version__

    server = LanguageServer("folkmoot", __version__)
    looked: dict[str, Looked] = {}

    def span(marked: Marked) -> lsp.Range:
        return lsp.Range(lsp.Position(*marked.start), lsp.Position(*marked.end))

    def diagnostic(marked: Marked) -> lsp.Diagnostic:
        finding = marked.finding
        clause = next((drafts.pack.find_clause(each) for each in finding.clauses), None)
        address = page_address.replace("{rule}", finding.rule) or (clause.url if clause else "")
        severity = _SEVERITY[finding.effect]
        text = f"{finding.message} {finding.advice}"
        if marked.overridden is not None:
            severity = _HINT
            text = f"{text} (Answered for by {marked.overridden.who}.)"
        return lsp.Diagnostic(
            range=span(marked),
            message=text,
            severity=lsp.DiagnosticSeverity(severity),
            code=finding.rule,
            code_description=lsp.CodeDescription(address) if address else None,
            source=_SOURCE,
            data={"fingerprint": finding.fingerprint, "effect": finding.effect.word},
        )

    def look(uri: str) -> None:
        document = server.workspace.get_text_document(uri)
        encoding = str(getattr(server.workspace, "position_encoding", "utf-16"))
        drafts.units = _UNITS.get(encoding.rpartition(".")[2].lower(), drafts.units)
        result = looked[uri] = drafts.look(uri, document.source)
        shown = [diagnostic(marked) for marked in result.marked]
        if result.failed:
            nowhere = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
            shown.append(
                lsp.Diagnostic(nowhere, result.failed, lsp.DiagnosticSeverity.Error, source=_SOURCE)
            )
        for each in result.report.not_evaluated if result.report else ():
            if each.counts:
                nowhere = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
                severity = lsp.DiagnosticSeverity(_SEVERITY[each.effect])
                message = f"{each.title}. {each.message}"
                shown.append(
                    lsp.Diagnostic(nowhere, message, severity, code=each.rule, source=_SOURCE)
                )
        server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri, shown, document.version)
        )

    def at(uri: str, line: int, character: int) -> list[Marked]:
        here = (line, character)
        return [each for each in looked.get(uri, Looked()).marked if each.start <= here <= each.end]

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def _opened(params: lsp.DidOpenTextDocumentParams) -> None:
        look(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def _changed(params: lsp.DidChangeTextDocumentParams) -> None:
        look(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def _closed(params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        looked.pop(uri, None)
        server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def _hover(params: lsp.HoverParams) -> lsp.Hover | None:
        place = params.position
        found = at(params.text_document.uri, place.line, place.character)
        if not found:
            return None
        told = "\n\n---\n\n".join(drafts.tell(marked) for marked in found)
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, told), span(found[0]))

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
    )
    def _actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        first = (params.range.start.line, params.range.start.character)
        last = (params.range.end.line, params.range.end.character)
        actions: list[lsp.CodeAction] = []
        for marked in looked.get(uri, Looked()).marked:
            if marked.overridden is not None or marked.end < first or marked.start > last:
                continue
            finding = marked.finding
            wrong = drafts.why_not_accept(finding)
            for reason in REASONS[:1] if wrong else REASONS:
                argument = {
                    "uri": uri,
                    "rule": finding.rule,
                    "fingerprint": finding.fingerprint,
                    "reason": reason,
                }
                actions.append(
                    lsp.CodeAction(
                        f"Accept “{finding.title}”: {reason}",
                        kind=lsp.CodeActionKind.QuickFix,
                        diagnostics=[diagnostic(marked)],
                        disabled=lsp.CodeActionDisabled(wrong) if wrong else None,
                        command=lsp.Command("Accept with reason", ACCEPT, arguments=[argument]),
                    )
                )
        return actions

    @server.command(ACCEPT)
    def _accept(argument: Any) -> bool:
        said = dict(argument) if isinstance(argument, dict) else vars(argument)
        try:
            finding = looked.get(str(said.get("uri")), Looked()).get_finding(
                said.get("rule"), said.get("fingerprint")
            )
            until = said.get("expires_on")
            drafts.accept(
                finding,
                str(said.get("reason") or ""),
                str(said.get("who") or ""),
                None if until is None else date.fromisoformat(str(until)),
            )
        except (OverrideError, ValueError) as wrong:
            server.window_show_message(
                lsp.ShowMessageParams(lsp.MessageType.Error, f"Not accepted: {wrong}")
            )
            return False
        look(str(said["uri"]))
        return True

    return server


_UNITS: dict[str, Callable[[str], int]] = {
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "utf-32": len,
}


def serve(arguments: list[str]) -> int:
    """``folkmoot check lsp``: serve on standard input and output until the editor leaves."""
    parser = argparse.ArgumentParser(
        prog="folkmoot check lsp",
        description="A language server over standard input and output, for editors.",
    )
    add_circumstances(parser)
    parser.add_argument("--overrides", metavar="FILE", help="where accepted findings are kept")
    parser.add_argument("--who", default="", help="who accepts findings (you, if left out)")
    parser.add_argument(
        "--rule-pages", default="", metavar="URL", help="where rules have pages: .../{rule}"
    )
    options = parser.parse_args(arguments)
    pack = load_pack(options.pack or DEFAULT_PACK)
    checker = Checker(pack)
    try:
        known = read_options(options, checker)
        drafts = Drafts(
            pack=pack,
            checker=checker,
            known=known,
            who=options.who or getpass.getuser(),
            role=options.role or "author",
            overrides_file=Path(options.overrides) if options.overrides else None,
            now=lambda: datetime.now(UTC),
        )
        server = make_server(drafts, options.rule_pages)
    except CheckError as wrong:
        sys.stderr.write(f"folkmoot check lsp: {wrong}\n")
        return USAGE
    except ModuleNotFoundError as missing:
        sys.stderr.write(
            f"folkmoot check lsp needs the package {missing.name}. Install it with: "
            "pip install 'folkmoot[editor]'\n"
        )
        return FAILED
    server.start_io()
    return 0
