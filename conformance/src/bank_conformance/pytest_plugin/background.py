"""A run beside pytest: it goes on in a thread of its own, and each test waits for its verdict.

So no workload is held up between two tests, which would look like a slow bank.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from bank_conformance import runner
from bank_conformance.catalogue import Level, Requirement
from bank_conformance.report import decided
from bank_conformance.verdict import Result


class UndecidedError(Exception):
    """The run ended before a requirement was decided; the text says why."""


@dataclass(slots=True)
class Background:
    """A run, started by the first who asks for a verdict. It is its own reporter."""

    outcome: runner.Run
    level: Level
    chosen: Sequence[Requirement] = ()
    verdicts: dict[str, Future[dict[str, Any]]] = field(default_factory=dict)
    thread: Thread | None = None
    loop: asyncio.AbstractEventLoop | None = None
    task: asyncio.Task[Any] | None = None

    def choose(self, chosen: Sequence[Requirement]) -> None:
        """Say what is to be decided, before the first asks."""
        self.chosen = chosen
        self.verdicts = {one.id: Future() for one in chosen}

    def verdict(self, requirement_id: str) -> dict[str, Any]:
        """Wait until a requirement is decided, and return its part of the redacted document.

        Raises:
            UndecidedError: the run ended without it.
        """
        if self.thread is None:
            self.thread = Thread(target=self._work, name="bank-conformance", daemon=True)
            self.thread.start()
        return self.verdicts[requirement_id].result()

    def stop(self) -> None:
        """End the run, whatever it is doing, and wait for that."""
        if self.thread is None:
            return
        if self.loop and self.task and self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join()

    def started(self, requirement_id: str) -> None:
        """Nothing: pytest shows which test runs."""

    def progress(self, requirement_id: str, done: int, total: int) -> None:
        """Nothing: pytest has no place for it."""

    def finished(self, result: Result) -> None:
        """Hand a verdict to the test that waits for it."""
        self.verdicts[result.requirement_id].set_result(decided(self.outcome, result))

    def _work(self) -> None:
        why = "the run was stopped"
        try:
            asyncio.run(self._run())
            why = f"invalid run: {self.outcome.invalid}"
        except (asyncio.CancelledError, CancelledError):
            pass
        except Exception as error:  # noqa: BLE001  every test that waits is told
            why = f"the suite itself failed: {error!r}; please report it"
        for verdict in self.verdicts.values():
            if not verdict.done():
                verdict.set_exception(UndecidedError(why))

    async def _run(self) -> None:
        self.loop, self.task = asyncio.get_running_loop(), asyncio.current_task()
        await runner.run(
            self.outcome.target,
            self.chosen,
            seed=self.outcome.seed,
            reporter=self,
            level=self.level,
            into=self.outcome,
        )
