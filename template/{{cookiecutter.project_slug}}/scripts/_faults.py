"""The faults of `./scripts/hook fault`: how each begins, and how it is mended.

Only processes of this bank are touched, found as they run. What a fault needs to be there and is
not, is said in one line; to mend what is not broken does nothing.
"""

import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from _bootstrap import PYTHON, ROOT
from _processes import (
    DISTURBING,
    bank_pids,
    disturbance_pids,
    fail,
    roles,
    running_pids,
    send,
    server_pids,
    wait_for_end,
)
from _starting import CLOCK, LOG, start_missing

APART = "./scripts/hook stop, then ./scripts/hook start --workers 2"
AHEAD_SECONDS = 3600
FLUSH_DELAY_MICROSECONDS = 100_000
"""The most that PostgreSQL lets a commit wait before it flushes its log."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How to break something, and how to mend it."""

    begin: Callable[[], None]
    end: Callable[[], None]


def carry_out(name: str, *, end: bool) -> None:
    """Begin a fault, or end it; the script ends for a name that there is none of."""
    if name not in FAULTS:
        fail(f"there is no fault {name!r}: choose one of {', '.join(FAULTS)}")
    if end:
        FAULTS[name].end()
    else:
        running_pids()
        FAULTS[name].begin()


def _kill_worker() -> None:
    _strike(signal.SIGKILL, _workers()[:1])


def _kill_api() -> None:
    _strike(signal.SIGKILL, _apis())


def _kill_database() -> None:
    pids = server_pids(bank_pids())
    if not pids:
        fail("no embedded PostgreSQL of this bank runs: ./scripts/hook fault kill-database --end")
    _strike(signal.SIGKILL, pids)


def _start_database() -> None:
    from _storage import server  # noqa: PLC0415 - who kills wants it quick

    with server():  # it is the bank's to keep: every process of it has a claim
        pass


def _pause_worker() -> None:
    send(signal.SIGSTOP, _workers()[:1])


def _pause_api() -> None:
    send(signal.SIGSTOP, _apis())


def _zombie_worker() -> None:
    if len(_workers()) < 2:  # noqa: PLR2004 - one falls asleep, one takes over
        fail(f"one worker is not enough: {APART}")
    _disturb("zombie-worker")


def _wake() -> None:
    send(signal.SIGCONT, bank_pids())


def _wake_workers() -> None:
    _leave_alone("zombie-worker")
    _wake()


def _slow_disk() -> None:
    _let_the_database(
        f"alter system set commit_delay = {FLUSH_DELAY_MICROSECONDS}",
        "alter system set commit_siblings = 0",
        "select pg_reload_conf()",
    )


def _fast_disk() -> None:
    _let_the_database(
        "alter system reset commit_delay",
        "alter system reset commit_siblings",
        "select pg_reload_conf()",
    )


def _fast_connection() -> None:
    """The socket first: who is cut off when the one between goes, connects anew at once."""
    from _disturbances import moved_socket_path, socket_path  # noqa: PLC0415

    moved = moved_socket_path()
    with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(moved))  # else it is of a server that has gone since
        moved.replace(socket_path())
    _leave_alone("slow-connection")


def _clock_ahead() -> None:
    _start_apis_again(AHEAD_SECONDS)


def _clock_back() -> None:
    _start_apis_again(0)


def _start_apis_again(ahead_seconds: int) -> None:
    CLOCK.write_text(str(ahead_seconds))
    _strike(signal.SIGTERM, _apis())
    start_missing()


def _strike(number: signal.Signals, pids: list[int]) -> None:
    send(number, pids)
    wait_for_end(pids)


def _apis() -> list[int]:
    return _apart("api")


def _workers() -> list[int]:
    return _apart("worker")


def _apart(kind: str) -> list[int]:
    """The processes of a kind, where API and workers are not one process."""
    found = roles()
    pids = [pid for pid, role in found.items() if role[0] == kind]
    if not pids or any(role[0] == "serve" for role in found.values()):
        fail(f"no {kind} runs by itself: {APART}")
    return pids


def _let_the_database(*statements: str) -> None:
    from _storage import connected  # noqa: PLC0415

    with connected() as connection:
        for statement in statements:
            connection.execute(statement)


def _disturb(name: str) -> None:
    """Begin what goes on until it is ended; returns once it is in place."""
    if disturbance_pids(name):
        fail(f"{name} has begun already: ./scripts/hook fault {name} --end")
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            [PYTHON, DISTURBING, name],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    if not (process.stdout and process.stdout.readline()):
        fail(f"{name} does not begin: see {LOG}")


def _leave_alone(name: str) -> None:
    _strike(signal.SIGTERM, disturbance_pids(name))


def _lasting(name: str) -> Fault:
    return Fault(partial(_disturb, name), partial(_leave_alone, name))


FAULTS = {
    "kill-worker": Fault(_kill_worker, start_missing),
    "kill-api": Fault(_kill_api, start_missing),
    "kill-database": Fault(_kill_database, _start_database),
    "pause-worker": Fault(_pause_worker, _wake),
    "pause-api": Fault(_pause_api, _wake),
    "zombie-worker": Fault(_zombie_worker, _wake_workers),
    "stuck-transaction": _lasting("stuck-transaction"),
    "idle-transaction": _lasting("idle-transaction"),
    "slow-connection": Fault(partial(_disturb, "slow-connection"), _fast_connection),
    "slow-disk": Fault(_slow_disk, _fast_disk),
    "clock-back": Fault(_clock_ahead, _clock_back),
}
