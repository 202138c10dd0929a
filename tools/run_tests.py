"""Every test, in the order in which a fault is cheapest to find.

``run_tests.py [WORD ...]`` runs only the parts whose name begins with a word.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Two at a time: what a small machine has; a file stays together, with what it started.
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"]
# The library first, with Django out of reach; then the desk on each database; then browsers.
PARTS: dict[str, list[str]] = {
    "library": [*PYTEST, "--ignore=tests/desk", "--ignore=tests/journeys", "tests"],
    "desk-sqlite": [*PYTEST, "tests/desk"],
    "desk-postgresql": [sys.executable, "tests/postgres_server.py", "--", *PYTEST, "tests/desk"],
    # The short form, and that it finds the classic bugs; all of them: --prove without a name.
    "faults": [
        *[sys.executable, "-m", "tests.faults", "--prove"],
        *["retry-any", "random-key", "no-lease"],
    ],
    # The short form for the stores that keep the record; the long one: make faults.
    "record-faults": [sys.executable, "-m", "tests.record_faults"],
    "journeys": [*PYTEST, "tests/journeys"],
}
SKIPPED = 77


def main(words: list[str]) -> int:
    failed = []
    for name, command in PARTS.items():
        if words and not any(name.startswith(word) for word in words):
            continue
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
        if status not in (0, SKIPPED):
            failed.append(name)
    if failed:
        print(f"\nNot passed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
