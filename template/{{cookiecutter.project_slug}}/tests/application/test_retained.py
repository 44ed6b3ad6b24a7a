"""Narratives in the read models are purged page by page, each of them and no other's."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.application.retained import SqlRetained
from ourbank.readmodels.accounts import accounts
from ourbank.readmodels.entries import entries
from ourbank.readmodels.transfers import transfers

NOW = datetime(2026, 1, 5, tzinfo=UTC)
OWNERS = {"acc_1": "cus_a", "acc_2": "cus_a", "acc_3": "cus_b"}

pytestmark = pytest.mark.postgres


def _account(account_id: str, customer_id: str) -> dict[str, Any]:
    amounts = dict.fromkeys(("booked_minor", "held_minor", "credit_line_minor"), 0)
    numbers = {"version": 1, "sequence": 0, "as_of": NOW}
    ids = {"account_id": account_id, "customer_id": customer_id}
    return {**ids, "currency": "EUR", "status": "ACTIVE", **amounts, **numbers}


def _entry(account_id: str, sequence: int) -> dict[str, Any]:
    amounts = {"amount_minor": 1, "currency": "EUR", "balance_after_minor": 1}
    when = {"booking_time": NOW, "value_date": date(2026, 1, 5)}
    place = {"account_id": account_id, "sequence": sequence, "version": sequence}
    kind = {"direction": "CRDT", "code": "CASH_DEPOSIT"}
    return {**place, **kind, **amounts, **when, "narrative": "sealed" if sequence % 3 else None}


def _transfer(number: int, source: str, target: str) -> dict[str, Any]:
    ids = {"transfer_id": f"trf_{number}", "source_account_id": source, "target_account_id": target}
    what = {"amount_minor": 1, "currency": "EUR", "status": "COMPLETED", "version": 2}
    when = {"value_date": date(2026, 1, 5), "requested_at": NOW}
    return {**ids, **what, **when, "payer_narrative": "sealed", "payee_narrative": "sealed"}


@pytest.fixture
async def filled(database: AsyncEngine) -> AsyncEngine:
    """Seven entries on each account, seven transfers each way."""
    ways = [("acc_1", "acc_3"), ("acc_3", "acc_2")] * 7
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (accounts, [_account(*pair) for pair in OWNERS.items()]),
        (entries, [_entry(account, n) for account in OWNERS for n in range(1, 8)]),
        (transfers, [_transfer(n, *way) for n, way in enumerate(ways)]),
    ]
    async with database.begin() as connection:
        for table, values in rows:
            await connection.execute(insert(table), values)
    return database


async def _left(database: AsyncEngine, narrative: Any, account: Any) -> dict[str, int]:
    """How many narratives are left, by account."""
    query = select(account, func.count(narrative)).group_by(account).order_by(account)
    async with database.connect() as connection:
        return {str(name): int(count) for name, count in await connection.execute(query)}


@pytest.mark.parametrize("page_rows", [1, 3, 7, 100])
async def test_a_purge_takes_all_of_a_customers_narratives_and_none_of_others(
    filled: AsyncEngine, page_rows: int
) -> None:
    retained = SqlRetained(filled, 0, page_rows)
    for _ in range(2):  # again, as an erasure that was cut short does
        await retained.purge_entries("cus_a")
        await retained.purge_transfers("cus_a")
        e, t = entries.c, transfers.c
        assert await _left(filled, e.narrative, e.account_id) == {
            "acc_1": 0,
            "acc_2": 0,
            "acc_3": 5,
        }
        payers = await _left(filled, t.payer_narrative, t.source_account_id)
        payees = await _left(filled, t.payee_narrative, t.target_account_id)
        assert payers == {"acc_1": 0, "acc_3": 7}
        assert payees == {"acc_2": 0, "acc_3": 7}
