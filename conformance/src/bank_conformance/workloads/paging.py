"""Histories read page by page, with every filter, while entries are being written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Entry, EntryPage, read
from bank_conformance.history import History, Operation

from .rest import scan, settle
from .stage import Stage, gather

READERS, PAGE, PAGES_MAX = 3, 5, 200
BEFORE, AMOUNT_MINOR_MAX, FUNDS_MINOR = 45, 60, 1_000_000
WORDS = ("quagga", "Okapi", "tapir")
"""Narratives that no report uses: they are redacted from it, as everyone's are."""

TRAVERSAL_SECONDS_MAX = 10.0

Query = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Traversal:
    """One list read from its first page to its last."""

    query: Query
    pages: tuple[Operation, ...]
    ended: bool
    """Whether the last page said that it was."""


@dataclass(slots=True)
class Paging:
    """Every traversal, what showed before the first, and what showed after the last."""

    history: History
    account_id: str
    before: list[Entry]
    after: list[Entry] = field(default_factory=list)
    traversals: list[Traversal] = field(default_factory=list)


@dataclass(slots=True)
class _Desk:
    stage: Stage
    account: str
    other: str
    over: bool = False


async def paging(stage: Stage) -> Paging:
    """Write a history, and read it in all ways while it is written on."""
    customer = await stage.customer()
    account, other = await stage.accounts(customer, 2, funds=FUNDS_MINOR)
    desk = _Desk(stage, account, other)
    for _ in range(BEFORE // 3):
        await _write(desk, stage.session("writer"), stage.random)
    await settle(stage)
    seen = await scan(stage, [account])
    record = Paging(stage.history, account, seen.entries[account])
    queries = list(_queries(record.before, other, stage.random))
    await gather([_write_on(desk), _read_all(desk, record, queries)])
    await settle(stage)
    record.after = (await scan(stage, [account])).entries[account]
    return record


async def _write(desk: _Desk, session: Session, random: Random) -> None:
    """Book a deposit, a withdrawal and a transfer."""
    amounts = [random.randint(1, AMOUNT_MINOR_MAX) for _ in range(3)]
    word = random.choice(WORDS)
    await session.post(desk.account, "CASH_DEPOSIT", amounts[0], f"{word} {amounts[0]}")
    await session.post(desk.account, random.choice(("FEE", "CASH_WITHDRAWAL")), amounts[1])
    pair = (desk.account, desk.other) if random.random() < 1 / 2 else (desk.other, desk.account)
    await session.transfer(*pair, amounts[2], word)


async def _write_on(desk: _Desk) -> None:
    session, random = desk.stage.session("writer"), Random(desk.stage.random.random())  # noqa: S311
    while not desk.over:
        await _write(desk, session, random)


async def _read_all(desk: _Desk, record: Paging, queries: list[Query]) -> None:
    """Read every query in both directions, a few readers at a time."""
    waiting = [dict(query, order=order) for query in queries for order in ("desc", "asc")]
    total = len(waiting)

    async def reader(name: str) -> None:
        while waiting:
            desk.stage.progress(total - len(waiting), total)
            record.traversals.append(await _traverse(desk, name, waiting.pop(0)))

    try:
        await gather(reader(f"reader {number}") for number in range(READERS))
    finally:
        desk.over = True


async def _traverse(desk: _Desk, name: str, query: Query) -> Traversal:
    session, pages = desk.stage.session(name), list[Operation]()
    cursor: str | None = None
    try:
        async with asyncio.timeout(TRAVERSAL_SECONDS_MAX):
            for _ in range(PAGES_MAX):
                page = await session.entry_page(desk.account, limit=PAGE, cursor=cursor, **query)
                pages.append(page)
                cursor = read(page, EntryPage).next
                if cursor is None:
                    return Traversal(query, tuple(pages), ended=True)
    except TimeoutError:
        pass
    return Traversal(query, tuple(pages), ended=False)


def _queries(before: list[Entry], other: str, random: Random) -> Iterator[Query]:
    """Return every filter of the contract by itself, and some together."""
    some = random.choice([entry for entry in before if entry.transfer_id])
    middle = before[len(before) // 2].booking_time
    today = datetime.now(UTC).date()
    yield {}
    yield {"direction": "DBIT"}
    yield {"code": "CASH_DEPOSIT"}
    yield {"min_amount_minor": 20}
    yield {"max_amount_minor": 40}
    yield {"booked_from": middle}
    yield {"booked_to": middle}
    yield {"value_from": str(today - timedelta(days=1))}
    yield {"value_to": str(today + timedelta(days=2))}
    yield {"counterparty": other}
    yield {"transfer_id": some.transfer_id}
    yield {"text": "OKAPI"}
    yield {"direction": "CRDT", "min_amount_minor": 10, "max_amount_minor": 50}
    yield {"code": "TRANSFER_IN", "booked_from": middle}
