"""Equal and other texts are sealed; then sealed texts are exchanged while the bank is stopped.

Two customers have the same personal data, and some narratives are equal. Where each text lies is
known from the feed. Each exchange has accounts of its own: one that cannot be read any more must
not hide another. After it, everything is read, and all is undone from a back-up.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bank_conformance.bank.shapes import Customer, Entry, FeedEvent, read
from bank_conformance.history import History, Operation, now
from bank_conformance.hooks import HookError

from .erasure import make_personal
from .parties import FUNDS_MINOR, narrative
from .power import until_served
from .rest import FEED_SECONDS_MAX, scan
from .stage import Stage, gather

LOOK_SECONDS = 0.1


class Text(NamedTuple):
    """A text that was sealed: whose, and in which event of their streams."""

    stream_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Swap:
    """Two sealed texts that change places."""

    what: str
    one: Text
    other: Text


@dataclass(slots=True)
class Person:
    """A customer, their account, and the narratives of its entries by version."""

    customer_id: str
    account_id: str
    personal: Mapping[str, str]
    narratives: dict[int, str] = field(default_factory=dict)

    def texts(self) -> list[Text]:
        """Return where their narratives lie, in the order in which they were written."""
        return [Text(self.account_id, version) for version in self.narratives]

    @property
    def registration(self) -> Text:
        """Where their personal data lies."""
        return Text(self.customer_id, 1)


@dataclass(slots=True)
class Sealing:
    """What was sealed where, and what was read after sealed texts had changed places."""

    history: History
    twins: tuple[Person, Person]
    """Two with the same personal data. The first two narratives of the first and the one of the
    second are equal."""
    strangers: tuple[Person, Person, Person]
    """Others, with one narrative each."""
    events: dict[Text, FeedEvent] = field(default_factory=dict)
    swaps: list[Swap] = field(default_factory=list)
    refused: str = ""
    """Why the bank did not start on what was swapped; empty where it did."""
    control: list[Operation] = field(default_factory=list)
    """The reads before the exchange."""
    views: list[Operation] = field(default_factory=list)
    """The same after it."""

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody."""
        return (*self.twins, *self.strangers)


async def sealing(stage: Stage) -> Sealing:
    """Seal, find, exchange, read, and undo."""
    start = stage.feed_from
    if start is not None:
        _, start = await stage.staff.events(start, seconds=FEED_SECONDS_MAX)
    record = await _write(stage)
    events, _ = await stage.staff.events(start, seconds=FEED_SECONDS_MAX)
    record.events = {Text(event.stream_id, event.version): event for event in events}
    record.control = await _read(stage, record)
    *_, third, fourth = record.twins[0].texts()
    one, two, three = record.strangers
    record.swaps = [
        Swap("another event of the same subject", third, fourth),
        Swap("an event of another subject", one.texts()[0], two.texts()[0]),
        Swap("another field", three.registration, three.texts()[0]),
    ]
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        backup = str(Path(folder) / "backup")
        await stage.hooks.run("backup", folder=backup)
        await stage.hooks.run("stop")
        try:
            await _exchange(stage, record)
        finally:
            await _undo(stage, backup)
    return record


async def _write(stage: Stage) -> Sealing:
    """Register twins and strangers, and write narratives, some of them equal."""
    same, equal = make_personal(), narrative()
    twins = await _person(stage, same), await _person(stage, same)
    one, two, three = [await _person(stage, make_personal()) for _ in range(3)]
    texts = [
        *((twins[0], words) for words in (equal, equal, narrative(), narrative())),
        (twins[1], equal),
        *((person, narrative()) for person in (one, two, three)),
    ]
    for person, words in texts:
        posted = await stage.staff.post(person.account_id, "CASH_DEPOSIT", FUNDS_MINOR, words)
        person.narratives[read(posted, Entry).version] = words
    record = Sealing(stage.history, twins, (one, two, three))
    await scan(stage, [person.account_id for person in record.people])
    return record


async def _person(stage: Stage, personal: Mapping[str, str]) -> Person:
    customer = read(await stage.staff.register(personal), Customer).customer_id
    return Person(customer, await stage.account(customer), personal)


async def _exchange(stage: Stage, record: Sealing) -> None:
    """Exchange while it is stopped, start it, and read; a bank may refuse to start on this."""
    for swap in record.swaps:
        places = [record.events[text] for text in (swap.one, swap.other) if text in record.events]
        if len(places) == 2:  # noqa: PLR2004  both are there
            await stage.hooks.run("mutate", kind="swap", **_named(*places))
    try:
        await stage.hooks.run("start")
        await until_served(stage)
        if "rebuild" in stage.hooks.names:
            await stage.hooks.run("rebuild")
            await until_served(stage)
    except HookError as error:
        record.refused = str(error)
        return
    deadline = now() + stage.limits.settle_seconds * stage.limits.time_scale
    record.views = await _read(stage, record)
    while _entries(record.views) < _entries(record.control) and now() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        record.views = await _read(stage, record)


def _entries(views: Iterable[Operation]) -> int:
    """Count the entries that are shown: read models may follow the log a little later."""
    bodies = (view.answer.body for view in views if view.ok and view.answer)
    return sum(len(body["items"]) for body in bodies if "items" in body)


def _named(one: FeedEvent, other: FeedEvent) -> dict[str, str]:
    return {
        "partition": str(one.partition),
        "position": str(one.position),
        "other_partition": str(other.partition),
        "other_position": str(other.position),
    }


async def _undo(stage: Stage, backup: str) -> None:
    with suppress(HookError):  # it may have refused to start
        await stage.hooks.run("stop")
    await stage.hooks.run("restore", folder=backup)
    await stage.hooks.run("start")
    await until_served(stage)


async def _read(stage: Stage, record: Sealing) -> list[Operation]:
    """Read everybody and their histories."""
    asked = [stage.staff.customer(person.customer_id) for person in record.people]
    for person in record.people:
        asked += [
            stage.staff.entry_page(person.account_id, limit=1000),
            stage.staff.entry_page(person.account_id, limit=1000, order="desc"),
        ]
    return await gather(asked)
