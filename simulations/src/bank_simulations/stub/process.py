"""The stub in a process of its own, so that its work does not disturb the load generator."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.error import URLError

from bank_simulations.console import BrokenRunError

from .faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 5.0


@contextmanager
def serve(faults: Faults | None = None) -> Iterator[str]:
    """Serve a stub with these faults for as long as the context lasts; gives its URL."""
    port = free_port()
    options = [
        f"--{name.replace('_', '-')}={float(value)}"
        for name, value in asdict(faults or Faults()).items()
    ]
    command = [sys.executable, "-m", "bank_simulations.stub", "--port", str(port), *options]
    process = subprocess.Popen(command)  # noqa: S603 - our own program
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, START_SECONDS_MAX)
        yield url
    finally:
        stop(process)


def free_port() -> int:
    """A port that was free on loopback a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, seconds_max: float) -> None:
    """Wait for GET /health/ready to answer 200; BrokenRunError when it does not in time."""
    give_up_at = time.monotonic() + seconds_max
    while time.monotonic() < give_up_at:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2):  # noqa: S310
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise BrokenRunError(f"nothing serves at {url} after {seconds_max:.0f} s: is the bank up?")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process we started: asked first, then killed."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
