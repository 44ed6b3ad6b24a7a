"""A domain of one aggregate, to see what the kernel does: jars, and how much is in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ourbank.domain.rejection import Rejection
from ourbank.eventsourcing.aggregate import Aggregate, Aggregates
from ourbank.eventsourcing.codec import Codec
from ourbank.eventsourcing.command import Decision
from ourbank.eventsourcing.event import EventData
from ourbank.eventsourcing.log import Append

from tests.conftest import PARTITIONS

META = '{"actor":"a test"}'
EMPTY = Rejection("jar-empty", "there is less in the jar")

# Events


@dataclass(frozen=True, slots=True)
class Filled:
    amount: int


@dataclass(frozen=True, slots=True)
class Poured:
    amount: int


@dataclass(frozen=True, slots=True)
class Broken:
    pass


# State


@dataclass(frozen=True, slots=True)
class Jar:
    level: int = 0
    is_broken: bool = False


def evolve(jar: Jar | None, event: Filled | Poured | Broken) -> Jar:
    jar = jar or Jar()
    match event:
        case Filled(amount):
            return replace(jar, level=jar.level + amount)
        case Poured(amount):
            return replace(jar, level=jar.level - amount)
        case Broken():
            return replace(jar, is_broken=True)


JARS = Aggregates(
    [
        Aggregate(
            "jar",
            Jar,
            evolve,
            (Filled, Poured, Broken),
            has_ended=lambda jar: jar.is_broken,
        )
    ]
)
CODEC = Codec(JARS.event_types)

# Decisions


def fill(stream: str, amount: int = 1) -> Callable[[Jar | None], Decision]:
    return lambda _jar: [(stream, Filled(amount))]


def pour(stream: str, amount: int = 1) -> Callable[[Jar | None], Decision]:
    def decide(jar: Jar | None) -> Decision:
        return [(stream, Poured(amount))] if jar and jar.level >= amount else EMPTY

    return decide


def smash(stream: str) -> Callable[[Jar | None], Decision]:
    return lambda _jar: [(stream, Broken())]


# What is given to a log


def jar(number: int, partition: int = 0) -> str:
    """The id of a jar in a partition."""
    assert 0 <= partition < PARTITIONS
    return f"jar_{number:028x}{partition:04x}"


def key(number: int) -> str:
    return f"{number:032x}"


def encoded(stream: str, version: int, event: object) -> EventData:
    event_type, schema_version, data = CODEC.encode(event)
    return EventData(stream, version, event_type, schema_version, META, data)


def filled(stream: str, version: int, amount: int = 1) -> EventData:
    return encoded(stream, version, Filled(amount))


def filling(
    stream: str,
    after: int = 0,
    *,
    times: int = 1,
    resting_on: Sequence[tuple[str, int]] = (),
    under: str | None = None,
) -> Append:
    """An append of `times` events to a stream that is at version `after`."""
    events = [filled(stream, after + n) for n in range(1, times + 1)]
    fingerprint = "" if under is None else "a request"
    return Append([(stream, after), *resting_on], events, under, fingerprint)


def refusing(stream: str, at: int, under: str) -> Append:
    """A stored rejection, decided on a stream at version `at`."""
    return Append([(stream, at)], (), under, "a request", '{"code":"jar-empty"}')
