"""The processes of this bank and of its embedded PostgreSQL: found as they run, by what they are.

Nothing is remembered in a file: it would outlive a `kill -9`, and a process number may be
another's by now. Only the standard library, and little of it: who kills must not be slow.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from _bootstrap import PYTHON, ROOT

SECONDS_MAX = 60
LOOK_SECONDS = 0.02
PROCESSES = Path("/proc")
MODULE = ["-m", "ourbank"]
ROLES = ("serve", "api", "worker")
DISTURBING = str(ROOT / "scripts" / "_disturbances.py")
LOCK = "users.lock"
"""What every process of the bank holds open beside the cluster, and PostgreSQL never."""

Role = tuple[str, ...]
"""What a process of the bank was started as: `serve`, `api` or `worker`, and its options."""


def roles() -> dict[int, Role]:
    """The processes that serve or work for this bank, however they were started."""
    found = {int(each.name): _command(each) for each in _processes()}
    return {
        pid: tuple(command[3:])
        for pid, command in found.items()
        if command[1:3] == MODULE and "".join(command[3:4]) in ROLES
    }


def bank_pids() -> list[int]:
    """The same, without what they were started as."""
    return list(roles())


def workers() -> list[int]:
    """The processes that work and do not serve."""
    return [pid for pid, role in roles().items() if role[0] == "worker"]


def disturbance_pids(name: str = "") -> list[int]:
    """The programs that disturb this bank, or the one of this name."""
    found = {int(each.name): _command(each) for each in _processes()}
    return [
        pid
        for pid, command in found.items()
        if command[1:2] == [DISTURBING] and name in ("", *command[2:3])
    ]


def running_pids() -> list[int]:
    """The same; the script ends when there are none."""
    pids = bank_pids()
    if not pids:
        fail("the bank does not run: ./scripts/hook start")
    return pids


def require_stopped() -> None:
    """The script ends unless the bank is stopped."""
    if bank_pids():
        fail("the bank runs: ./scripts/hook stop")


def run_bank(*arguments: str) -> None:
    """Run a command of the bank to its end."""
    if subprocess.run([PYTHON, *MODULE, *arguments], check=False).returncode:
        fail(f"`bank {' '.join(arguments)}` failed")


def server_pids(bank: Iterable[int]) -> list[int]:
    """The processes of the PostgreSQL that these use, the first one of them before its children."""
    for cluster in {found for pid in bank if (found := _cluster(pid))}:
        with suppress(OSError):
            first = int((cluster / "postmaster.pid").read_text().split()[0])
            if (PROCESSES / str(first) / "cwd").readlink() == cluster:
                children = [each for each in _processes() if _parent(each) == first]
                return [first, *(int(each.name) for each in children)]
    return []


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to all of them at once."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_for_end(pids: Iterable[int]) -> None:
    """Until none of them is left."""
    deadline = time.monotonic() + SECONDS_MAX
    while left := [pid for pid in pids if _state(pid) not in ("", "Z")]:
        if time.monotonic() > deadline:
            fail(f"processes do not end: {left}")
        time.sleep(LOOK_SECONDS)


def fail(reason: str) -> NoReturn:
    """End with one line."""
    print(f"error: {reason}", file=sys.stderr)
    raise SystemExit(2)


def _processes() -> Iterator[Path]:
    return PROCESSES.glob("[0-9]*")


def _command(process: Path) -> list[str]:
    """What it was started with; nothing unless it runs, and from this folder."""
    with suppress(OSError):
        command = (process / "cmdline").read_text(errors="replace").rstrip("\0").split("\0")
        is_ours = _state(int(process.name)) != "Z" and (process / "cwd").readlink() == ROOT
        return command if is_ours else []
    return []


def _cluster(pid: int) -> Path | None:
    """The cluster that a process of the bank has a claim on."""
    for descriptor in (PROCESSES / str(pid) / "fd").glob("*"):
        with suppress(OSError):
            if (file := descriptor.readlink()).name == LOCK:
                return file.with_name("cluster")
    return None


def _parent(process: Path) -> int | None:
    """The parent of a process, None when it is gone."""
    with suppress(OSError):
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return None


def _state(pid: int) -> str:
    """Its state as one letter, Z for one just unburied; empty when it is gone."""
    with suppress(OSError):
        return (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    return ""
