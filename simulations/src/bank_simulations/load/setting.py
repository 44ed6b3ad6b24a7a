"""What all processes of a run agree on, and the loop that each of them makes of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from bank_simulations.client import BankClient

from .arrivals import Stretch, stretches
from .plan import plan, plan_reads
from .population import Population
from .reads import Reads
from .scenario import Scenario
from .share import Share, Work
from .transfers import Transfers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_simulations.tokens import TokenSource

    from .clock import RunClock
    from .dispatcher import OpenLoop
    from .scenario import Limits

SPARE_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Setting:
    """A run that is about to begin.

    Attributes:
        run: begins every idempotency key.
        capacity: what shares of the capacity mean, in transfers per second; None where unneeded.
        reads: the kinds of reads that the bank offers, of those the scenario wants.
        day: the period of which statements are asked for.
    """

    scenario: Scenario
    run: str
    population: Population
    capacity: float | None
    reads: Sequence[str]
    day: tuple[str, str]

    def stretches(self) -> list[Stretch]:
        """The steps as they were drawn."""
        return stretches(self.scenario, self.capacity)

    def work(self) -> Work:
        """All that is due, the same in every process."""
        drawn, scenario = self.stretches(), self.scenario
        arrivals = [due for stretch in drawn for due in stretch.due]
        transfers = plan(arrivals, scenario.accounts, scenario.seed)
        return Work.whole(transfers, plan_reads(drawn, scenario, self.reads))

    def document(self) -> dict[str, Any]:
        """The setting as plain values, for another process."""
        scenario = self.scenario.model_dump(mode="json")
        population = asdict(self.population)
        return {
            "scenario": scenario,
            "run": self.run,
            "population": population,
            "capacity": self.capacity,
            "reads": list(self.reads),
            "day": list(self.day),
        }

    @classmethod
    def read(cls, document: dict[str, Any]) -> Setting:
        """What `document` wrote."""
        scenario = Scenario.model_validate(document["scenario"], strict=False)
        population = Population(**document["population"])
        return cls(**{**document, "scenario": scenario, "population": population})

    def loop(
        self,
        bank: BankClient,
        clock: RunClock,
        begin: Callable[[], None],
        process: int = 0,
        processes: int = 1,
    ) -> OpenLoop:
        """The loop of one of several processes; limits of the whole run are shared out."""
        from .dispatcher import OpenLoop  # noqa: PLC0415 - it imports Locust

        limits = shared_out(self.scenario.limits, processes)
        return OpenLoop(
            work=self.work().deal(process, processes),
            transfers=self.transfers(bank, clock, limits),
            reads=Reads(bank, self.population.accounts, clock, self.day),
            limits=limits,
            share=Share(process),
            begin=begin,
        )

    def transfers(self, bank: BankClient, clock: RunClock, limits: Limits) -> Transfers:
        """How one transfer is made and watched."""
        return Transfers(
            bank=bank,
            population=self.population,
            clock=clock,
            run=self.run,
            bound_seconds=self.scenario.claim.bound_seconds,
            looks_per_second_max=limits.looks_per_second_max,
            wait_seconds=self.scenario.wait_seconds,
        )


def connect(url: str, tokens: TokenSource, limits: Limits) -> BankClient:
    """A client with room for all that may be under way."""
    return BankClient(
        url,
        tokens,
        connections=limits.in_flight_max + SPARE_CONNECTIONS,
        timeout_seconds=limits.request_timeout_seconds,
    )


def shared_out(limits: Limits, processes: int) -> Limits:
    """What each of several processes may do of what the run may do."""
    return limits.model_copy(
        update={
            "in_flight_max": ceil(limits.in_flight_max / processes),
            "looks_per_second_max": limits.looks_per_second_max / processes,
        }
    )
