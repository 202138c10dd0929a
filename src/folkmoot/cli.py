"""One command, ``folkmoot``. Imports only what the sub-command asked for needs."""

from __future__ import annotations

import sys
from importlib import import_module

# Sub-command: (module with run(argv) -> exit status, what it is for).
COMMANDS = {
    "check": ("folkmoot.check.cli", "should I post this? findings, verdict and exit status"),
    "guidance": ("folkmoot.guidance.cli", "list and show packs and their clauses"),
    "ledger": ("folkmoot.ledger.cli", "the record: verify, check, export, hold, erase"),
    "up": ("folkmoot.desk.site.cli", "start the desk: web and worker together"),
    "found": ("folkmoot.desk.site.cli", "found an organisation and its first members"),
    "stop": ("folkmoot.desk.site.cli", "stop publishing now, and wait until nothing leaves"),
    "channels": ("folkmoot.desk.site.cli", "list accounts and ask a channel how one of them is"),
    "simulate": ("folkmoot.channels.simulator.cli", "a stand-in of a channel, to practise on"),
    "work": ("folkmoot.desk.site.cli", "the worker loop alone"),
    "manage": ("folkmoot.desk.site.cli", "Django's own commands (migrate, createcachetable ...)"),
}
# Verbs of `folkmoot ledger` that need the desk: (module with run([verb, ...]) -> exit status, what
# it is for). All others are the library's, which needs no desk.
LEDGER_DESK = {
    "fsck": ("folkmoot.desk.records.cli", "without FOLDER: check this desk's own record"),
    "checkpoint": ("folkmoot.desk.records.cli", "without FILE: this desk's newest signed head"),
    "sign": ("folkmoot.desk.records.cli", "sign this desk's record, as a process of its own"),
    "recover": ("folkmoot.desk.records.cli", "bring entries that were lost back from a mirror"),
    "key": ("folkmoot.desk.records.cli", "the record's key: show it, or begin to use a new one"),
    "hold": ("folkmoot.desk.retention.cli", "keep records from destruction, and let them go"),
    "dispose": ("folkmoot.desk.retention.cli", "records whose time is over, and their disposal"),
    "erase": ("folkmoot.desk.retention.cli", "find what is kept of a person, and have it erased"),
    "export": ("folkmoot.desk.releases.cli", "a bag of everything asked for, with its proofs"),
}
# Of these the library has one of the same name: it is meant where a file or folder is named.
_BOTH = {"fsck", "checkpoint"}


def main(argv: list[str] | None = None) -> int:
    """Run ``folkmoot`` with ``argv`` (the process's own arguments by default); the exit status."""
    args = sys.argv[1:] if argv is None else argv
    if args[:1] in (["--version"], ["-V"]):
        from folkmoot import __version__

        print(f"folkmoot {__version__}")
        return 0
    if not args or args[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0 if args else 2
    if args[0] not in COMMANDS:
        print(f"folkmoot: there is no command {args[0]!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        module = import_module(_find_module(args))
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("folkmoot"):
            raise
        print(
            f"folkmoot {args[0]} needs the package {missing.name}, which the plain install leaves "
            f"out. Install it with: pip install 'folkmoot[desk]'",
            file=sys.stderr,
        )
        return 2
    status: int = module.run(args)
    if args[0] == "ledger" and args[1:2] in ([], ["-h"], ["--help"]):
        print("\n" + _list(LEDGER_DESK, "with the desk (folkmoot[desk]):"))
    return status


def _find_module(args: list[str]) -> str:
    """The module that runs this command."""
    verb = args[1] if len(args) > 1 else ""
    if args[0] != "ledger" or verb not in LEDGER_DESK:
        return COMMANDS[args[0]][0]
    names_file = any(word == "-" or not word.startswith("-") for word in args[2:])
    if verb in _BOTH and (names_file or {"-h", "--help"} & set(args)):
        return COMMANDS["ledger"][0]
    return "folkmoot.desk.site.cli"


def usage() -> str:
    """The list of commands."""
    return "\n".join(
        [
            _list(COMMANDS, "usage: folkmoot COMMAND [OPTIONS]\n"),
            "",
            "folkmoot COMMAND --help tells more of one command.",
        ]
    )


def _list(commands: dict[str, tuple[str, str]], title: str) -> str:
    width = max(map(len, commands))
    lines = [f"  {name:<{width}}  {purpose}" for name, (_, purpose) in commands.items()]
    return "\n".join([title, *lines])


if __name__ == "__main__":
    raise SystemExit(main())
