"""One process's share of a run: what it saw of the arrivals that were dealt to it.

Arrivals are dealt like cards, the n-th to process n modulo the number of processes, so each is in
exactly one share and the schedule is the same for any number. A share travels as plain rows: no
observation is rounded on the way, and what is decided is decided from all of them together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_conformance.deciders.stable_latency import Latency

from .clock import CpuWindow
from .measurement import Histogram, Measurement, Observation
from .plan import Planned, PlannedRead
from .reads import ReadSeen
from .verdict import Generator

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from .arrivals import Stretch


@dataclass(frozen=True, slots=True)
class Work:
    """What is due: all of a run, or the part of it that one process is dealt.

    `last_due_seconds` is of the whole run, so that all processes wait for as long.
    """

    transfers: Sequence[Planned]
    reads: Sequence[PlannedRead]
    last_due_seconds: float

    @classmethod
    def whole(cls, transfers: Sequence[Planned], reads: Sequence[PlannedRead]) -> Work:
        """All of a run."""
        lasts = [part[-1].due_seconds for part in (transfers, reads) if part]
        return cls(transfers, reads, max(lasts, default=0.0))

    @property
    def count(self) -> int:
        """How much is due."""
        return len(self.transfers) + len(self.reads)

    def deal(self, process: int, processes: int) -> Work:
        """The part of the process of this number, from 0."""
        dealt = slice(process, None, processes)
        return Work(self.transfers[dealt], self.reads[dealt], self.last_due_seconds)


@dataclass(slots=True)
class Share:
    """What one process saw, what it had no room for, and how it fared.

    Attributes:
        process: its number, from 0.
        gave_up_at_seconds: when it stopped waiting for what had not ended.
        died: how it ended, where it did before it had handed this over.
    """

    process: int
    gave_up_at_seconds: float = 0.0
    observations: list[Observation] = field(default_factory=list)
    dropped: list[Planned] = field(default_factory=list)
    reads: list[ReadSeen] = field(default_factory=list)
    reads_dropped: list[PlannedRead] = field(default_factory=list)
    cpu: list[CpuWindow] = field(default_factory=list)
    died: str | None = None

    @classmethod
    def lost(cls, process: int, work: Work, died: str) -> Share:
        """The share of a process that died: nothing of it is known."""
        return cls(process, dropped=list(work.transfers), reads_dropped=list(work.reads), died=died)

    def in_doubt(self) -> list[Observation]:
        """What may have been asked by a process that cannot tell any more, for the books."""
        return [Observation(planned, 0.0) for planned in self.dropped] if self.died else []

    def measure(self, bound_seconds: float, steps: Container[str] | None = None) -> Measurement:
        """Count the transfers, or those of some steps."""
        measured = Measurement(bound_seconds)
        for seen in self.observations:
            if steps is None or seen.planned.step in steps:
                measured.take(seen, self.waited_seconds(seen))
        for planned in self.dropped:
            if steps is None or planned.step in steps:
                measured.drop(planned)
        return measured

    def waited_seconds(self, seen: Observation) -> float:
        """How long a transfer that never ended was waited for."""
        return self.gave_up_at_seconds - seen.planned.due_seconds

    def generator(self, drawn: Sequence[Stretch]) -> Generator:
        """How the process fared while these steps lasted."""
        steps = {stretch.step for stretch in drawn}
        started = [*_of(steps, self.observations), *_of(steps, self.reads)]
        dropped = sum(step in steps for step in self._steps_dropped())
        lag = Histogram()
        for seen in started:
            lag.record(seen.started_seconds)
        return Generator(
            lag_p99_seconds=lag.percentile_seconds(99),
            cpu_max=max((window.share for window in self._windows(drawn)), default=0.0),
            dropped_count=dropped,
            planned_count=dropped + len(started),
            process=self.process + 1,
            died=self.died,
        )

    def _steps_dropped(self) -> list[str]:
        return [*(each.step for each in self.dropped), *(each.step for each in self.reads_dropped)]

    def _windows(self, drawn: Sequence[Stretch]) -> list[CpuWindow]:
        """Those whose middle lies in one of the steps; where there is none, all that touch one."""
        spans = [(each.start_seconds, each.end_seconds) for each in drawn]
        inside = [
            window
            for window in self.cpu
            for start, end in spans
            if start <= (window.began_seconds + window.ended_seconds) / 2 <= end
        ]
        return inside or [
            window
            for window in self.cpu
            for start, end in spans
            if window.began_seconds <= end and window.ended_seconds >= start
        ]


def _of(steps: Container[str], seen: Iterable[Observation] | Iterable[ReadSeen]) -> list[Any]:
    return [each for each in seen if each.planned.step in steps]


def pack(share: Share) -> dict[str, Any]:
    """The share as plain lists and numbers, for a message."""
    return {
        "process": share.process,
        "gave_up_at_seconds": share.gave_up_at_seconds,
        "observations": [_packed(seen) for seen in share.observations],
        "dropped": [planned.number for planned in share.dropped],
        "reads": [
            [
                *(seen.planned.kind, seen.planned.number),
                *(seen.started_seconds, seen.answered_seconds, seen.refusal),
            ]
            for seen in share.reads
        ],
        "reads_dropped": [[planned.kind, planned.number] for planned in share.reads_dropped],
        "cpu": [[each.began_seconds, each.ended_seconds, each.share] for each in share.cpu],
    }


def unpack(message: dict[str, Any], work: Work) -> Share:
    """What `pack` made; `work` is the whole run, whose arrivals the message names by number."""
    transfers = work.transfers
    reads = {(planned.kind, planned.number): planned for planned in work.reads}
    return Share(
        process=message["process"],
        gave_up_at_seconds=message["gave_up_at_seconds"],
        observations=[_unpacked(row, transfers) for row in message["observations"]],
        dropped=[transfers[number] for number in message["dropped"]],
        reads=[ReadSeen(reads[kind, number], *rest) for kind, number, *rest in message["reads"]],
        reads_dropped=[reads[kind, number] for kind, number in message["reads_dropped"]],
        cpu=[CpuWindow(*window) for window in message["cpu"]],
    )


def _packed(seen: Observation) -> list[Any]:
    ends = {name: _pair(each) for name, each in seen.seen.items()}
    return [
        *(seen.planned.number, seen.started_seconds, seen.answered_seconds, seen.refusal, ends),
        *(_pair(seen.ended) if seen.ended else None, seen.vanished, seen.attempts, seen.looks),
        *(seen.asked_at, seen.decided_at, seen.transfer_id),
    ]


def _unpacked(row: Sequence[Any], transfers: Sequence[Planned]) -> Observation:
    number, started, answered, refusal, seen, ended, vanished, attempts, looks, *rest = row
    asked, decided, transfer_id = rest
    return Observation(
        planned=transfers[number],
        started_seconds=started,
        answered_seconds=answered,
        refusal=refusal,
        seen={name: Latency(*each) for name, each in seen.items()},
        ended=Latency(*ended) if ended else None,
        vanished=vanished,
        attempts=attempts,
        looks=looks,
        asked_at=asked,
        decided_at=decided,
        transfer_id=transfer_id,
    )


def _pair(latency: Latency) -> tuple[float, float]:
    return latency.low, latency.high
