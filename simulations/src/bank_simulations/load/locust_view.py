"""Locust's own statistics of a run: its web page, while it lasts, and its CSV files.

They are for watching. Locust rounds what it is told, so the verdict never comes from them.
"""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
from locust.stats import (
    CSV_STATS_INTERVAL_SEC,
    PERCENTILES_TO_REPORT,
    StatsCSVFileWriter,
    stats_history,
)

from bank_simulations.console import BadInputError, err

from .measurement import Observation
from .reads import ReadSeen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from locust.env import Environment

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class View:
    """Where to show Locust's statistics: a port on loopback, the beginning of CSV files' names."""

    web_port: int | None = None
    csv_prefix: Path | None = None

    def require(self) -> None:
        """Raise BadInputError when the port is taken or the files cannot be made."""
        if self.csv_prefix and not self.csv_prefix.parent.is_dir():
            raise BadInputError(f"no folder {self.csv_prefix.parent} for --csv: make it first")
        if self.web_port is not None:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((LOOPBACK, self.web_port))
                except OSError as error:
                    raise BadInputError(
                        f"port {self.web_port} is taken ({error.strerror}): give --web another"
                    ) from error


@contextmanager
def shown(environment: Environment, view: View) -> Iterator[None]:
    """Show the statistics of an environment that has its runner."""
    page = history = writer = None
    arguments = sys.argv
    if view.web_port is not None:
        sys.argv = arguments[:1]  # Locust's page takes the command line for Locust's own
        page = environment.create_web_ui(LOOPBACK, view.web_port)
        history = gevent.spawn(stats_history, environment.runner)
        err.print(f"Locust's page: http://{LOOPBACK}:{view.web_port}")
    if view.csv_prefix:
        files = StatsCSVFileWriter(
            environment, PERCENTILES_TO_REPORT, str(view.csv_prefix), full_history=True
        )
        writer = gevent.spawn(files.stats_writer)
    try:
        yield
    finally:
        if page and history:
            history.kill()
            page.stop()  # type: ignore[no-untyped-call]
            sys.argv = arguments
        if writer:
            gevent.sleep(CSV_STATS_INTERVAL_SEC * 1.5)  # the last rows
            writer.kill()
            files.close_files()


def teller(environment: Environment) -> Callable[[Observation | ReadSeen], None]:
    """Tell Locust of a transfer when it was answered and when it was visible, of a read once."""

    def fire(kind: str, name: str, seconds: float | None) -> None:
        environment.events.request.fire(  # type: ignore[no-untyped-call]
            request_type=kind,
            name=name,
            response_time=(seconds or 0.0) * 1e3,
            response_length=0,
            exception=None if seconds is not None else TimeoutError(f"never {name}"),
            context={},
        )

    def tell(seen: Observation | ReadSeen) -> None:
        if isinstance(seen, ReadSeen):
            fire("READ", seen.planned.kind, seen.answered_seconds)
        else:
            fire("TRANSFER", "answered", seen.answered_seconds)
            fire("TRANSFER", "visible", seen.ended.high if seen.ended else None)

    return tell
