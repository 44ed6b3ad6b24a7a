"""A bank of the demo's own: generated, set up, served on a free port, and stopped again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from _tasks.steps import PROGRAMS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SLUG = "demo-bank"
START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 40
LOG_LINES_SHOWN = 20
# The staff of the demo: opens accounts, books cash, erases, and reads the feed.
STAFF_SCOPE = "bank:operate accounts:read customers:read transfers:write privacy:erase events:read"


class DemoError(Exception):
    """The demo cannot go on; the text says why, and what to do."""


@dataclass(slots=True)
class Bank:
    """A generated bank, and the process that serves it."""

    folder: Path
    url: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve it, and wait until it says that it is ready."""
        port = self.url.rpartition(":")[2]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.folder / "scripts" / "bank", "serve", "--port", port],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the bank
            )
        give_up_at = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready():
            if self.process.poll() is not None:
                raise DemoError(f"the bank did not start:\n{self.last_words()}")
            if time.monotonic() > give_up_at:
                raise DemoError(f"not ready after {START_SECONDS_MAX} s:\n{self.last_words()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to finish what it accepted, and end; end it where it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def token(self, subject: str, scope: str) -> str:
        """A token as `./scripts/bank token` prints it."""
        return run([*self.token_command(), "--subject", subject, "--scope", scope], self.folder)

    def token_command(self) -> list[str]:
        """The command for tokens, without its options."""
        return [str(self.folder / "scripts" / "bank"), "token"]

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES_SHOWN:])

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=2).is_success
        except httpx.TransportError:
            return False


def generate(into: Path) -> Path:
    """Generate a bank, as any user would."""
    if (into / SLUG).exists():
        raise DemoError(f"{into / SLUG} is there already: remove it, or name another --into")
    answers = ["project_name=Demo Bank", f"project_slug={SLUG}"]
    options = ["--no-input", "--default-config", "--output-dir", str(into)]
    run([str(PROGRAMS / "cookiecutter"), *options, str(ROOT), *answers], ROOT)
    return into / SLUG


def set_up(folder: Path) -> None:
    """Make its environment and its keys; its own progress shows."""
    done = subprocess.run([folder / "scripts" / "bank", "init"], cwd=folder, check=False)
    if done.returncode:
        raise DemoError("the bank could not be set up, see above")


def run(command: list[str], folder: Path) -> str:
    """What a short command prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def free_url() -> str:
    """An address on loopback whose port was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
