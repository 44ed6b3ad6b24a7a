"""A program of the benchmark in a process of its own, asked with lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, Any, Self

from bank_simulations.console import BrokenRunError
from bank_simulations.stub.process import stop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

ANSWER_SECONDS_MAX = 120.0
LEAVE_SECONDS_MAX = 20.0


class Child:
    """The parent's side: `tell` and `hear`, or both as `ask`. Raises BrokenRunError."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._name = " ".join(command[1:3])
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._process = subprocess.Popen(  # noqa: S603 - a program of ours
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def ask(self, job: Mapping[str, Any], seconds_max: float = ANSWER_SECONDS_MAX) -> Any:
        """Tell it what to do, and wait for the answer."""
        self.tell(job)
        return self.hear(seconds_max)

    def tell(self, job: Mapping[str, Any]) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None  # noqa: S101 - see Popen above
        with suppress(BrokenPipeError):  # its end is told by who listens
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()

    def hear(self, seconds_max: float = ANSWER_SECONDS_MAX) -> Any:
        """The next answer; a child that gives none in time is killed."""
        assert self._process.stdout is not None  # noqa: S101 - see Popen above
        patience = Timer(seconds_max, self._process.kill)
        patience.start()
        try:
            line = self._process.stdout.readline()
        finally:
            patience.cancel()
        if not line:
            raise BrokenRunError(f"{self._name} gave no answer: {self._last_words()}")
        return json.loads(line)

    def _last_words(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAVE_SECONDS_MAX)
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        return words[-1] if words else f"it ended with code {self._process.returncode}"

    def close(self) -> None:
        """Let it leave, and make it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAVE_SECONDS_MAX)
        stop(self._process)
        self._errors.close()

    def end(self) -> None:
        """End it at once: a server listens to nothing here."""
        stop(self._process)
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
