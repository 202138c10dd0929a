"""System calls fail, or the process dies in them, by strace; and then the log is audited."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from folkmoot.ledger import LedgerError, SqliteLog

from .appender import entry
from .outcome import Outcome

ROOT = Path(__file__).parents[2]
COUNT = 12
CALLS = ("pwrite64", "fdatasync", "ftruncate", "openat", "unlink")
BLOWS = ("error=EIO", "error=ENOSPC", "signal=KILL")
PLANTS = {
    "answers-early": ("lost",),
    "swallow": ("lost",),
    "no-once": ("doubled",),
}


def why_not() -> str:
    """Why it cannot be done here; empty where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed: no system call can be made to fail. (apt install strace)"
    tried = subprocess.run(
        ["strace", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"], capture_output=True
    )
    if tried.returncode:
        return f"strace may not trace here: {tried.stderr.decode().strip()[:200]}"
    return ""


def cases(*, long: bool) -> Iterator[tuple[str, str]]:
    """Which call, and which blow at which of its calls, as strace says it."""
    when: tuple[int, ...]
    for call in CALLS:
        if call == "pwrite64":
            when = (1, 2, 3, 7, 20, 33) if long else (2, 9)
        elif call == "fdatasync":
            when = (1, 2, 3, 5, 9) if long else (2, 4)
        else:
            when = (1, 2, 3) if long else (1,)
        for blow in BLOWS:
            for nth in when:
                yield call, f"{blow}:when={nth}"
            if call in ("pwrite64", "fdatasync") and "error" in blow:
                yield call, f"{blow}:when=3+4"  # and again and again


def run(path: Path, plant: str, call: str = "", blow: str = "") -> set[int]:
    """Run the appender, under this fault or none; which entries it said were acknowledged."""
    command = [sys.executable, "-m", "tests.record_faults.appender", str(path), str(COUNT), plant]
    if call:
        files = [f"{path}{end}" for end in ("", "-wal", "-shm")]
        only = [word for file in files for word in ("-P", file)]
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", *only, "-e", f"trace={call}"]
        command = [*strace, "-e", f"inject={call}:{blow}", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)
    return {int(line.split()[1]) for line in done.stdout.decode().splitlines()}


def judge(path: Path, acknowledged: set[int], outcome: Outcome, case: str) -> None:
    numbers = {entry(number): number for number in range(COUNT)}
    try:
        with SqliteLog(path) as log:
            answer = log.audit()
            if not answer:
                outcome.find("damaged", f"{answer.reason} ({case})")
            held = [numbers[log.get_entry(index)] for index in range(log.size)]
    except LedgerError as wrong:
        outcome.find("damaged", f"{wrong} ({case})")
        return
    if missing := acknowledged - set(held):
        outcome.find("lost", f"Entries {sorted(missing)} were acknowledged and are gone. ({case})")
    if len(held) != len(set(held)):
        outcome.find("doubled", f"An entry is there twice. ({case})")


def drill(plant: str, *, long: bool) -> Outcome:
    """Every fault at a log of its own. Then the work is taken up again without one."""
    outcome = Outcome(skipped=why_not())
    if outcome.skipped:
        return outcome
    with tempfile.TemporaryDirectory() as name:
        # One that exists, so that the faults meet appending and not only making.
        whole = Path(name) / "log"
        SqliteLog(whole).close()
        for number, (call, blow) in enumerate(cases(long=long)):
            folder = Path(name) / str(number)
            folder.mkdir()
            path = folder / "log"
            path.write_bytes(whole.read_bytes())
            acknowledged = run(path, plant, call, blow)
            judge(path, acknowledged, outcome, f"{call} {blow}")
            again = run(path, plant)
            judge(path, acknowledged | again, outcome, f"{call} {blow}, taken up again")
            if not plant and again != set(range(COUNT)):
                outcome.find("broken", f"It could not be taken up again. ({call} {blow})")
            outcome.cases += 1
            if (
                plant
                and not outcome.clean
                and set(PLANTS[plant]) & {finding.split(":")[0] for finding in outcome.findings}
            ):
                break
    return outcome
