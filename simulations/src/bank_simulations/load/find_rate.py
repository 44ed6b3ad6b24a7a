"""`bank-simulations search`: open-loop runs at one rate after the other, and one to confirm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_simulations.console import err

from .measurement import Fate
from .scenario import Step
from .search import RATE_MIN, Search, probe_seconds
from .summary import duration
from .verdict import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .result import Run
    from .scenario import Scenario

INVALID_RUNS_MAX = 3
CONFIRMATIONS_MAX = 3
FIRST_SHARE = 0.5
"""Of the capacity that a closed loop finds: a rate that most banks hold."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of a search, and the run it rests on.

    Attributes:
        rate: the highest rate that held and was confirmed, in transfers per second.
        stopped: the lowest rate above it at which the claim did not hold.
        limited_by_generator: whether that run was invalid, so that the bank may do more.
        last: the run that confirmed it; the last one where none did.
        probes: every run, in order.
    """

    rate: float | None
    stopped: float | None
    limited_by_generator: bool
    resolution: float
    last: Run
    probes: Sequence[dict[str, Any]]

    @property
    def exit_code(self) -> int:
        """0 found; 3 the claim held nowhere; 4 the generator, not the bank, was measured."""
        if self.rate is not None:
            return Decision.MET.exit_code
        limited = self.limited_by_generator
        return (Decision.INVALID if limited else Decision.INCONCLUSIVE).exit_code

    def document(self) -> dict[str, Any]:
        """The last run as JSON, with the search beside it."""
        search = {
            "rate": self.rate,
            "stopped": self.stopped,
            "limited_by_generator": self.limited_by_generator,
            "resolution": self.resolution,
            "probes": list(self.probes),
        }
        return {**self.last.document(), "search": search}


class Probing:
    """Runs at given rates against one bank, and what each showed."""

    def __init__(self, scenario: Scenario, load: Callable[[Scenario], Run]) -> None:
        self._scenario, self._load = scenario, load
        self.probes: list[dict[str, Any]] = []

    def warm_up(self) -> Run:
        """Measure the capacity by a closed loop, with a run that is hardly more."""
        return self._run(Step(name="warm-up", rate_of_capacity=FIRST_SHARE, transfers=20))

    def run(self, rate: float, resolution: float, what: str) -> Run:
        """A run at this rate; an invalid one is repeated."""
        seconds = probe_seconds(rate, self._scenario.claim, resolution)
        step = Step(name=what, rate=rate, seconds=seconds)
        for _ in range(INVALID_RUNS_MAX):
            run = self._run(step)
            self._tell(what, rate, run)
            if run.verdict.decision is not Decision.INVALID:
                break
        return run

    def _run(self, step: Step) -> Run:
        """Each run has a seed of its own: a rate must hold for more than one schedule."""
        scenario = self._scenario.model_copy(
            update={
                "steps": (step,),
                "seed": self._scenario.seed + len(self.probes),
                "claim": self._scenario.claim.model_copy(update={"steps": ()}),
            }
        )
        return self._load(scenario)

    def _tell(self, what: str, rate: float, run: Run) -> None:
        total, reasons = run.measured.total(), run.verdict.reasons
        p99, in_time = total.ended.percentile_seconds(99), total.fates[Fate.IN_TIME]
        probe = {
            "what": what,
            "rate": rate,
            "transfers": run.verdict.transfers,
            "p50": total.ended.percentile_seconds(50),
            "p99": p99,
            "worst": total.ended.worst_seconds,
            "against": run.verdict.transfers - in_time,
            "decision": run.verdict.decision.value,
            "reasons": list(reasons),
        }
        self.probes.append(probe)
        said = f"{what} at {rate:,.1f}/s: {probe['decision']}, p99 {duration(p99)}"
        err.print("; ".join([said, *reasons]), markup=False)


def find_rate(scenario: Scenario, load: Callable[[Scenario], Run], resolution: float) -> Found:
    """Search for the highest rate at which the scenario's claim holds, and confirm it.

    `load` runs a scenario against the bank, and raises what makes it impossible.
    """
    probing = Probing(scenario, load)
    last = probing.warm_up()
    capacity = last.capacity.per_second if last.capacity else 0.0
    search = Search(max(RATE_MIN, capacity * FIRST_SHARE), resolution)
    for _ in range(CONFIRMATIONS_MAX):
        while (rate := search.next_rate()) is not None:
            last = probing.run(rate, resolution, "probe")
            search.learn(rate, last.verdict.decision)
        if search.held is None:
            break
        rate, last = search.held, probing.run(search.held, resolution, "confirmation")
        search.learn(rate, last.verdict.decision)
        if search.held == rate:
            return _found(search, probing, last, rate)
    return _found(search, probing, last, None)


def _found(search: Search, probing: Probing, last: Run, rate: float | None) -> Found:
    invalid = {each for each, made in search.decisions if made is Decision.INVALID}
    return Found(
        rate=rate,
        stopped=search.stopped,
        limited_by_generator=search.stopped in invalid,
        resolution=search.resolution,
        last=last,
        probes=probing.probes,
    )
