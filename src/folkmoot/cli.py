"""One command, ``folkmoot``. Imports only what the sub-command asked for needs."""

from __future__ import annotations

import sys
from importlib import import_module

# Sub-command: (module with run(argv) -> exit status, what it is for).
COMMANDS = {
    "check": ("folkmoot.check.cli", "should I post this? findings, verdict and exit status"),
    "guidance": ("folkmoot.guidance.cli", "list and show packs and their clauses"),
    "ledger": ("folkmoot.ledger.cli", "verify a proof offline"),
    "up": ("folkmoot.desk.site.cli", "start the desk: web and worker together"),
    "found": ("folkmoot.desk.site.cli", "found an organisation and its first members"),
    "stop": ("folkmoot.desk.site.cli", "stop publishing now, and wait until nothing leaves"),
    "channels": ("folkmoot.desk.site.cli", "list accounts and ask a channel how one of them is"),
    "simulate": ("folkmoot.channels.simulator.cli", "a stand-in of a channel, to practise on"),
    "work": ("folkmoot.desk.site.cli", "the worker loop alone"),
    "manage": ("folkmoot.desk.site.cli", "Django's own commands (migrate, createcachetable ...)"),
}


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
        module = import_module(COMMANDS[args[0]][0])
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
    return status


def usage() -> str:
    """The list of commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: folkmoot COMMAND [OPTIONS]",
            "",
            *lines,
            "",
            "folkmoot COMMAND --help tells more of one command.",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
