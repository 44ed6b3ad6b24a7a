"""Start, stop or kill the bank: `python hook.py start`, for the [hooks] of conformance.toml."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

HERE = Path(__file__).parent
SECONDS_MAX = 20.0


def main(name: str, port: int, folder: Path) -> None:
    """Do what a hook is named for; the database, the log and the process id are in `folder`."""
    pid = folder / "pid"
    if name == "start":
        if _serves(port):
            sys.exit(f"something serves port {port} already: stop it first")
        folder.mkdir(parents=True, exist_ok=True)
        pid.write_text(str(_start(port, folder)))
        _wait(port, serves=True)
    else:
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL if name == "kill" else signal.SIGTERM)
        _wait(port, serves=False)


def _start(port: int, folder: Path) -> int:
    database = folder / "plain-bank.sqlite"
    command = ["plain_bank", "serve", "--port", str(port), "--database", str(database)]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(  # noqa: S603  the bank itself
            [sys.executable, "-m", *command],
            cwd=HERE,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    return process.pid


def _wait(port: int, *, serves: bool) -> None:
    deadline = monotonic() + SECONDS_MAX
    while monotonic() < deadline:
        if _serves(port) is serves:
            return
        sleep(0.05)
    sys.exit(f"the bank {'does not serve' if serves else 'still serves'} after {SECONDS_MAX:.0f} s")


def _serves(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"start", "stop", "kill"}:  # noqa: PLR2004
        sys.exit("usage: python hook.py start|stop|kill")
    folder = Path(os.environ.get("PLAIN_BANK_FOLDER", HERE / "var"))
    main(sys.argv[1], int(os.environ.get("PLAIN_BANK_PORT", "8100")), folder)
