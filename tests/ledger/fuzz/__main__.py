"""``python -m tests.ledger.fuzz [NAME [SECONDS]]``: hold a parser to its promise for so long."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SECONDS = 10


def fuzz(name: str, seconds: int) -> None:
    """Does not return: libFuzzer ends the process, with a status but 0 where it found something.

    What it leaves is in the folder for temporary files; give it one of its own by ``TMPDIR``.
    """
    import atheris

    sys.path.insert(0, str(HERE.parent))
    with atheris.instrument_imports(include=["folkmoot.ledger"]):
        from fuzz.targets import PLANTED, TARGETS

    target = PLANTED if name == "planted" else TARGETS[name]
    corpus = Path(tempfile.mkdtemp(prefix="folkmoot-corpus-"))
    for number, seed in enumerate(target.seeds()):
        target(seed)  # what is to be taken is taken
        (corpus / str(number)).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={target.longest}", "-timeout=10"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={corpus}/found-", str(corpus)], target)
    atheris.Fuzz()


def main(words: list[str]) -> int:
    seconds = int(words[1]) if len(words) > 1 else SECONDS
    if words:
        fuzz(words[0], seconds)
    sys.path.insert(0, str(HERE.parent))
    from fuzz.targets import TARGETS

    failed = []
    for name in TARGETS:
        command = [sys.executable, "-m", "tests.ledger.fuzz", name, str(seconds)]
        left = tempfile.mkdtemp(prefix=f"folkmoot-fuzz-{name}-")
        env = {**os.environ, "TMPDIR": left}
        if subprocess.run(command, cwd=HERE.parents[2], env=env, check=False).returncode:
            failed.append(name)
        else:
            shutil.rmtree(left)
    if failed:
        print(f"Broken promises: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
