"""Generating the load: in this process, or in several that share one schedule and one clock.

With several, this process is Locust's master: it runs the events and shows the statistics, while
Locust's workers, each a process of its own, keep the schedule. All of them are on one machine:
latencies need no common clock, since who starts a transfer also sees it end, but the common start,
the events and the order of the books do, and the monotonic clock is one machine's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from locust import User, task
from locust.env import Environment

from bank_simulations.console import BrokenRunError, Progress, err
from bank_simulations.tokens import TokenSource

from .clock import machine_seconds
from .dispatcher import dispatcher_class
from .locust_view import LOOPBACK, View, shown, teller
from .share import Share, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from locust.runners import MasterRunner

    from .clock import RunClock
    from .dispatcher import OpenLoop
    from .events import Happenings
    from .measurement import Observation
    from .reads import ReadSeen
    from .share import Work

READY, BEGIN, SHARE = "bank-ready", "bank-begin", "bank-share"
JOIN_SECONDS_MAX = 60.0
HAND_OVER_SECONDS_MAX = 120.0
COMMON_LEAD_SECONDS = 0.5
POLL_SECONDS = 0.1


def generate_here(loop: OpenLoop, view: View) -> list[Share]:
    """Let one Locust user in this process keep the schedule; then drain."""
    url = loop.transfers.bank.url
    environment = Environment(user_classes=[dispatcher_class(loop)], host=url)
    runner = environment.create_local_runner()
    tell_locust = teller(environment)
    with shown(environment, view), Progress("Load", loop.work.count) as progress:

        def tell(seen: Observation | ReadSeen) -> None:
            tell_locust(seen)
            progress.advance()

        loop.tell = tell
        runner.start(1, spawn_rate=1)
        loop.dispatched.wait()
        loop.drain()
    runner.quit()
    return [loop.share]


@dataclass(frozen=True, slots=True)
class Job:
    """All that a process needs to know to do its part; it travels over the process's input.

    Attributes:
        port: where Locust's master listens, on loopback.
        process: the number of the process, from 0, of `processes`.
        url: of the bank.
        token, token_command, token_folder: as they were given to this one.
        setting: the run that is about to begin, as plain values.
    """

    port: int
    process: int
    processes: int
    url: str
    token: str
    token_command: str | None
    token_folder: str | None
    setting: dict[str, Any]

    @classmethod
    def read(cls, line: str) -> Job:
        """What `written` wrote."""
        return cls(**json.loads(line))

    def tokens(self) -> TokenSource:
        """Where this process gets its tokens from."""
        folder = Path(self.token_folder) if self.token_folder else None
        return TokenSource(self.token, self.token_command, folder)

    def written(self) -> str:
        """The job as one line."""
        return json.dumps(asdict(self)) + "\n"


@dataclass
class Fleet:
    """The processes of a run, and what came back from them."""

    work: Work
    processes: list[subprocess.Popen[str]]
    ready: int = 0
    shares: dict[int, Share] = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        """Whether some have not handed over their share, and can still do so."""
        return len(self.shares) < len(self.processes)

    def notice_deaths(self) -> None:
        """A process that ended before it handed over its share is known by its number."""
        for number, process in enumerate(self.processes):
            if process.poll() is not None:
                self.lose(number, f"ended with code {process.returncode}")

    def lose(self, number: int, why: str) -> None:
        """Count a process's part as missing, unless it is there."""
        if number not in self.shares:
            err.print(f"generator process {number + 1} {why}: the run will be invalid")
            part = self.work.deal(number, len(self.processes))
            self.shares[number] = Share.lost(number, part, why)


def generate_in_processes(
    url: str,
    work: Work,
    job: Callable[[int, int], Job],
    processes: int,
    clock: RunClock,
    happenings: Happenings,
    view: View,
) -> list[Share]:
    """Let several processes keep the schedule together.

    A process that dies is not replaced: its arrivals are lost, and the run is invalid by that.

    Args:
        url: of the bank.
        work: what is due, of which each process does its part.
        job: the job of a process, from the master's port and the process's number.
        processes: how many there are.
        clock: the run's, which is started with theirs.
        happenings: what is done to the bank meanwhile, from this process.
        view: where Locust's statistics are shown.

    Raises:
        BrokenRunError: a process did not come up.
    """
    environment = Environment(user_classes=[_Dispatcher], host=url)
    runner = environment.create_master_runner(LOOPBACK, 0)
    with _started(job, runner.server.port, processes) as started:
        fleet = Fleet(work, started)
        _listen(runner, fleet)
        _wait_until(lambda: len(runner.clients.ready) == processes, fleet, "join the run")
        with shown(environment, view):
            gevent.spawn(runner.start, processes, processes)
            _wait_until(lambda: fleet.ready == processes, fleet, "get ready")
            epoch = machine_seconds() + COMMON_LEAD_SECONDS
            clock.start_at(epoch)
            runner.send_message(BEGIN, {"epoch": epoch})
            happenings.start()
            _gather(fleet, environment, clock)
        runner.quit()
    return [fleet.shares[number] for number in sorted(fleet.shares)]


class _Dispatcher(User):
    """What the master knows of the workers' dispatcher: its name."""

    @task
    def dispatch(self) -> None:
        """Only workers dispatch."""


_Dispatcher.__name__ = "Dispatcher"


def _listen(runner: MasterRunner, fleet: Fleet) -> None:
    def ready(**_: Any) -> None:
        fleet.ready += 1

    def share(msg: Any, **_: Any) -> None:
        handed_over = unpack(msg.data, fleet.work)
        fleet.shares.setdefault(handed_over.process, handed_over)

    runner.register_message(READY, ready)
    runner.register_message(SHARE, share)


def _gather(fleet: Fleet, environment: Environment, clock: RunClock) -> None:
    """Wait for every share, and show how far they have come."""
    over = fleet.work.last_due_seconds + HAND_OVER_SECONDS_MAX
    with Progress("Load", fleet.work.count) as progress:
        while fleet.missing and clock.now() < over:
            gevent.sleep(POLL_SECONDS)
            progress.advance(_done(environment) - progress.done)
            fleet.notice_deaths()
        progress.advance(progress.total - progress.done)
    for number in range(len(fleet.processes)):
        fleet.lose(number, "did not hand over what it saw")


def _done(environment: Environment) -> int:
    entries = environment.stats.entries
    return sum(
        entry.num_requests
        for (name, kind), entry in entries.items()
        if kind == "READ" or name == "visible"
    )


def _wait_until(happened: Callable[[], bool], fleet: Fleet, what: str) -> None:
    """Wait for something that takes a second or two; a process that dies meanwhile ends the run."""
    give_up_at = machine_seconds() + JOIN_SECONDS_MAX
    while not happened():
        gevent.sleep(POLL_SECONDS)
        dead = [process.returncode for process in fleet.processes if process.poll() is not None]
        if dead or machine_seconds() > give_up_at:
            why = f": one ended with code {dead[0]}" if dead else ""
            raise BrokenRunError(f"the generator's processes did not {what}{why}")


@contextmanager
def _started(
    job: Callable[[int, int], Job], port: int, processes: int
) -> Iterator[list[subprocess.Popen[str]]]:
    """The processes, each given its job; at the end they are ended, however it came."""
    command = [sys.executable, "-m", "bank_simulations.load.worker"]
    started = []
    try:
        for number in range(processes):
            process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.PIPE, text=True, start_new_session=True
            )
            started.append(process)
            if process.stdin:
                process.stdin.write(job(port, number).written())
                process.stdin.flush()
        yield started
    finally:
        for process in started:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """A process goes when its input ends; one that does not is killed."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
