"""What must hold before any test runs: form, lint, types, import order, true documents."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
CHECKS = {
    "form": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "lint": [BIN / "ruff", "check", "--quiet", "."],
    "types": [BIN / "mypy"],
    "imports": [BIN / "lint-imports", "--no-logo"],
    "tables": [BIN / "folkmoot", "manage", "makemigrations", "--check", "--dry-run"],
    "documents": [sys.executable, "tools/build_docs.py", "--check"],
}


def main() -> int:
    failed = []
    for name, command in CHECKS.items():
        with tempfile.TemporaryDirectory() as home:  # never the desk that may be running here
            env = {**os.environ, "FOLKMOOT_HOME": home}
            done = subprocess.run(
                command, cwd=ROOT, check=False, capture_output=True, text=True, env=env
            )
        print(f"{name}: {'good' if done.returncode == 0 else 'NOT GOOD'}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout, done.stderr, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
