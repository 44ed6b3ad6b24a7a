"""Start this bank in the background, and start again what is missing of it."""

import http.client
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from _bootstrap import PYTHON, ROOT
from _processes import LOOK_SECONDS, MODULE, SECONDS_MAX, Role, bank_pids, fail, roles, send

from ourbank import config

if TYPE_CHECKING:
    import psycopg

STATE = ROOT / "var" / "hook"
LOG = STATE / "bank.log"
CLOCK = STATE / "clock"
WORKERS = STATE / "workers"
"""How many workers were asked for: what dies is replaced by as many."""


def start(workers: int) -> None:
    """Serve at two addresses; with `workers`, that many work beside, and the APIs do nothing else.

    Returns when the bank is ready.
    """
    if bank_pids():
        fail("the bank runs already: ./scripts/hook stop")
    if taken := [port for port in _ports() if is_ready(port)]:
        fail(f"another bank serves on port {taken[0]}: stop it, or choose another BANK_HTTP_PORT")
    STATE.mkdir(parents=True, exist_ok=True)
    WORKERS.write_text(str(workers))
    start_missing()


def start_missing() -> None:
    """Start what there should be and is not; returns when all of it is ready."""
    missing = Counter(_wanted()) - Counter(roles().values())
    processes = [_serve(role) for role in missing.elements()]
    _wait(lambda: all(map(is_ready, _ports())), processes)
    if wanted := workers_wanted():
        from _storage import connected  # noqa: PLC0415 - takes a while

        with connected() as connection:
            _wait(lambda: _working(connection) >= wanted, processes)


def workers_wanted() -> int:
    """How many workers were asked for; 0: the first API does their work."""
    return int(WORKERS.read_text()) if WORKERS.exists() else 0


def is_ready(port: int) -> bool:
    """Whether the bank says so at this address."""
    connection = http.client.HTTPConnection(config.load().http_host, port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (http.client.HTTPException, OSError):
        return False
    finally:
        connection.close()


def _ports() -> tuple[int, int]:
    first = config.load().http_port
    return first, first + 1


def _wanted() -> list[Role]:
    workers = workers_wanted()
    first: Role = ("api",) if workers else ("serve",)
    return [first, ("api", "--port", str(_ports()[1])), *[("worker",)] * workers]


def _wait(is_done: Callable[[], bool], processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Until it is done; the script ends, and what was begun with it, when it never will be."""
    deadline = time.monotonic() + SECONDS_MAX
    while not is_done():
        if any(each.poll() is not None for each in processes) or time.monotonic() > deadline:
            send(signal.SIGTERM, [each.pid for each in processes if each.poll() is None])
            first, second = _ports()
            fail(f"the bank does not start on the ports {first} and {second}: see {LOG}")
        time.sleep(LOOK_SECONDS)


def _working(connection: "psycopg.Connection") -> int:
    """How many workers share the partitions."""
    query = "select count(*) from workers where expires_at > clock_timestamp()"
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _serve(role: Role) -> subprocess.Popen[bytes]:
    """Begin a process of the bank in the background; what it says is added to the log."""
    ahead = CLOCK.read_text() if CLOCK.exists() else "0"
    clocked = {} if ahead == "0" else {"BANK_CLOCK_AHEAD_SECONDS": ahead}
    with os.fdopen(os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
        return subprocess.Popen(
            [PYTHON, *MODULE, *role],
            env={**os.environ, **clocked},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
