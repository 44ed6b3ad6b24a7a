"""The smallest bank a saga can run in: streams, the outcomes of keyed commands, nothing else.

A world is a value: executing a command gives a new one. So a test can go on from the same moment
in every possible way, which is what `explore` does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from ourbank.application.saga import (
    Step,
    TransferSaga,
    first_step,
    request,
)
from ourbank.domain import account as accounts
from ourbank.domain import transfer as transfers
from ourbank.domain.account import Account
from ourbank.domain.rejection import Rejection
from ourbank.domain.transfer import RequestTransfer, Transfer
from ourbank.eventsourcing.command import Result
from ourbank.eventsourcing.saga import Process, StepCommand

from tests.bdd import Decider
from tests.domain.samples import EUR, NOW, TODAY

SAGA = TransferSaga()
DECIDERS: dict[str, Decider[Any, Any, Any]] = {
    "acc": Decider(accounts.decide, accounts.evolve),
    "trf": Decider(transfers.decide, transfers.evolve),
}


@dataclass(frozen=True)
class World:
    """Everything that was ever recorded."""

    streams: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    outcomes: Mapping[str, Rejection | None] = field(default_factory=dict)

    @cached_property
    def _hash(self) -> int:
        return hash((frozenset(self.streams.items()), frozenset(self.outcomes.items())))

    def __hash__(self) -> int:
        return self._hash

    def state(self, stream: str) -> Any:
        """What a stream's events amount to."""
        return DECIDERS[stream[:3]].fold(self.streams.get(stream, ()))

    def account(self, stream: str) -> Account:
        """An account that is there."""
        found: Account = self.state(stream)
        return found

    def transfer(self, stream: str) -> Transfer:
        """A transfer that is there."""
        found: Transfer = self.state(stream)
        return found

    def recorded(self, *happened: tuple[str, Any]) -> "World":
        """The world after these events."""
        streams = dict(self.streams)
        for stream, event in happened:
            streams[stream] = (*streams.get(stream, ()), event)
        return World(streams, self.outcomes)

    def asked(self, stream: str, command: Any) -> "World":
        """The world after a command from outside; a refusal changes nothing."""
        decision = DECIDERS[stream[:3]].decide(command, self.state(stream))
        events = [] if isinstance(decision, Rejection) else decision
        return self.recorded(*((stream, event) for event in events))

    def execute(self, asked: StepCommand) -> tuple["World", Result]:
        """One atomic append. A key that was used before answers what came of it then."""
        if asked.key in self.outcomes:
            return self, Result(0, 0, rejection=self.outcomes[asked.key], replayed=True)
        decision = asked.decide(*(self.state(stream) for stream in asked.streams))
        refusal = decision if isinstance(decision, Rejection) else None
        after = self if isinstance(decision, Rejection) else self.recorded(*decision)
        if asked.key is not None:
            after = World(after.streams, {**after.outcomes, asked.key: refusal})
        return after, Result(0, 0, rejection=refusal)


def order(
    transfer_id: str, source: str, target: str, amount_minor: int, **rest: Any
) -> RequestTransfer:
    """A payment order."""
    return RequestTransfer(transfer_id, source, target, amount_minor, EUR, TODAY, NOW, **rest)


def requested(world: World, command: RequestTransfer) -> World:
    """The world once a transfer was asked for: held and accepted, or rejected."""
    states = world.state(command.transfer_id), world.state(command.source_account_id)
    decision = request(command, *states)
    assert not isinstance(decision, Rejection), decision
    return world.recorded(*decision)


@dataclass(frozen=True)
class Driver:
    """A worker's idea of where a transfer stands."""

    transfer_id: str
    step: Step | None

    def send(self, world: World) -> tuple[World, Result]:
        """Send the current step's command."""
        return world.execute(SAGA.command(self._process(world), self._current, NOW))

    def go_on(self, world: World) -> tuple[World, "Driver"]:
        """Send the current step, and take the answer."""
        after, result = self.send(world)
        following = SAGA.following(self._process(world), self._current, result)
        return after, Driver(self.transfer_id, following)

    def turn_back(self, world: World) -> "Driver":
        """The deadline has passed."""
        return Driver(self.transfer_id, SAGA.overdue(self._process(world), self._current))

    @property
    def _current(self) -> Step:
        assert self.step is not None, "nothing is left to do"
        return self.step

    def _process(self, world: World) -> Process:
        return Process(self.transfer_id, world.transfer(self.transfer_id), self.step, 0, 0)


def found(world: World, transfer_id: str) -> Driver:
    """A worker who finds a transfer as it stands."""
    return Driver(transfer_id, first_step(world.transfer(transfer_id)))


STEPS_MAX = 12


def driven(world: World, driver: Driver) -> World:
    """Drive a transfer alone until nothing is left to do."""
    for _ in range(STEPS_MAX):
        if driver.step is None:
            return world
        world, driver = driver.go_on(world)
    raise AssertionError(f"{driver} never ends")


MOMENTS_MAX = 50_000
Moment = tuple[World, tuple[Driver, ...], tuple[tuple[str, Any], ...]]
"""A world, the workers in it, and what may still come from outside."""


def explore(
    world: World, drivers: Iterable[Driver], outside: Iterable[tuple[str, Any]] = ()
) -> Iterator[Moment]:
    """Every moment that can come about when each worker, at any time, may go on, lose an answer,
    run out of time, or crash and be replaced, while commands arrive from outside.
    """
    start: Moment = world, tuple(drivers), tuple(outside)
    seen, ahead = {start}, [start]
    while ahead:
        moment = ahead.pop()
        yield moment
        assert len(seen) < MOMENTS_MAX, "there is no end to what can come about: a step repeats"
        fresh = set(_next(moment)) - seen
        seen |= fresh
        ahead += fresh


def _next(moment: Moment) -> Iterator[Moment]:
    world, drivers, outside = moment
    for n, driver in enumerate(drivers):
        for after, moved in _moves(world, driver):
            others = (*drivers[:n], *drivers[n + 1 :])
            yield after, tuple(sorted((moved, *others), key=repr)), outside
    for n, (stream, command) in enumerate(outside):
        yield world.asked(stream, command), drivers, outside[:n] + outside[n + 1 :]


@cache
def _moves(world: World, driver: Driver) -> Sequence[tuple[World, Driver]]:
    """Crash and be replaced; or go on, lose the answer, run out of time."""
    replaced = (world, found(world, driver.transfer_id))
    if driver.step is None:
        return [replaced]
    lost = (driver.send(world)[0], driver)
    return [replaced, driver.go_on(world), lost, (world, driver.turn_back(world))]
