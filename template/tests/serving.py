"""A bank's own process: started, waited for, and stopped again by its own id."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 40


def free_port() -> str:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def near_the_root() -> Iterator[Path]:
    """A folder near the root that any user may pass through: PostgreSQL's socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="bank-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def serving(
    command: Sequence[str], folder: Path, url: str, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run `command` in `folder` while it serves `url`; what it says goes to `var/test.log`."""
    log = folder / "var" / "test.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(environment or {})}, stdout=out, stderr=out
        )
    try:
        wait_until_ready(url, process, log)
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < give_up_at:
        assert process.poll() is None, log.read_text()
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/health/ready", timeout=2).is_success:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())
