"""``make bench [ONLY=prefix]``: one JSON object per line, for figures whose name has the prefix.

Each module of this folder named in ``ROOMS`` has ``FIGURES``: a mapping of a figure's name (or of
the common prefix of several) to a function that yields :class:`~bench.figure.Figure`.
"""

from __future__ import annotations

import sys
from importlib import import_module

ROOMS = ("check", "quality", "ledger", "bags", "publish")


def main(only: str) -> int:
    measured = 0
    for room in ROOMS:
        if not (room.startswith(only) or only.startswith(room)):
            continue  # a room not asked for need not even be importable
        for name, measure in import_module(f"bench.{room}").FIGURES.items():
            if name.startswith(only) or only.startswith(name):
                for figure in measure():
                    if figure.bench.startswith(only):
                        print(figure.to_json(), flush=True)
                        measured += 1
    if not measured:
        print(f"No figure begins with {only!r}.", file=sys.stderr)
    return 0 if measured else 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
