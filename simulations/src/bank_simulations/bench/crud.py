"""The transfer service a competent team writes without event sourcing: FastAPI and SQLAlchemy.

One row per account with its balance, one row per transfer. A transfer locks both accounts in the
order of their ids, checks the balance, updates both and inserts the transfer, in one transaction.
It speaks as much of the contract as the driver uses. To its advantage it has no authentication, no
idempotency and no history of balances, and it uses SQLAlchemy Core, which is faster than the ORM.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    MetaData,
    String,
    Table,
    Uuid,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CREATED, NOT_FOUND, UNPROCESSABLE = 201, 404, 422

metadata = MetaData()
accounts = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("currency", String(3), nullable=False),
    Column("balance", BigInteger, CheckConstraint("balance >= 0"), nullable=False),
)
transfers = Table(
    "transfer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source_id", Uuid, ForeignKey("account.id"), nullable=False, index=True),
    Column("target_id", Uuid, ForeignKey("account.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

engine = create_async_engine(
    os.environ.get("CRUD_DATABASE_URL", "postgresql+asyncpg://localhost/crud"),
    pool_size=int(os.environ.get("CRUD_POOL_SIZE", "20")),
    max_overflow=0,
)


class TransferOrder(BaseModel):
    """A transfer as it is asked for."""

    model_config = ConfigDict(extra="forbid")

    source_account_id: str
    target_account_id: str
    amount_minor: int = Field(gt=0)
    currency: str = Field(pattern="^[A-Z]{3}$")


class Transfer(BaseModel):
    """A transfer as it was done."""

    transfer_id: str
    state: str
    source_account_id: str
    target_account_id: str
    amount_minor: int
    currency: str
    requested_at: datetime


class AccountOpening(BaseModel):
    """An account as it is asked for."""

    customer_id: str
    currency: str


class Deposit(BaseModel):
    """Money paid in."""

    code: str
    amount_minor: int = Field(gt=0)
    currency: str


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make the tables where there are none."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield
    await engine.dispose()


async def transaction() -> AsyncIterator[AsyncConnection]:
    """One transaction for each request."""
    async with engine.begin() as connection:
        yield connection


Transaction = Annotated[AsyncConnection, Depends(transaction, scope="function")]
app = FastAPI(lifespan=lifespan)


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    """It serves."""
    return {"status": "ok"}


@app.post("/v1/customers", status_code=CREATED)
async def register(_: dict[str, Any]) -> dict[str, str]:
    """This service keeps no customers."""
    return {"customer_id": f"cus_{uuid4().hex}"}


@app.post("/v1/accounts", status_code=CREATED)
async def open_account(opening: AccountOpening, connection: Transaction) -> dict[str, str]:
    """A new account with nothing on it."""
    account_id = uuid4()
    values = {"id": account_id, "currency": opening.currency, "balance": 0}
    await connection.execute(insert(accounts).values(values))
    return {"account_id": f"acc_{account_id.hex}"}


@app.post("/v1/accounts/{account_id}/entries", status_code=CREATED)
async def pay_in(account_id: str, deposit: Deposit, connection: Transaction) -> dict[str, str]:
    """Add to a balance."""
    await connection.execute(
        update(accounts)
        .where(accounts.c.id == _uuid(account_id))
        .values(balance=accounts.c.balance + deposit.amount_minor)
    )
    return {"account_id": account_id}


@app.post("/v1/transfers", status_code=CREATED)
async def transfer(order: TransferOrder, connection: Transaction) -> Transfer:
    """Move money: lock both accounts in the order of their ids, check, update twice, insert."""
    source, target = _uuid(order.source_account_id), _uuid(order.target_account_id)
    locked = await connection.execute(
        select(accounts.c.id, accounts.c.balance)
        .where(accounts.c.id.in_((source, target)))
        .order_by(accounts.c.id)
        .with_for_update()
    )
    balances = {row.id: row.balance for row in locked}
    if source not in balances or target not in balances or source == target:
        raise HTTPException(UNPROCESSABLE, "account-not-found")
    if balances[source] < order.amount_minor:
        raise HTTPException(UNPROCESSABLE, "insufficient-funds")
    for account_id, change in ((source, -order.amount_minor), (target, order.amount_minor)):
        await connection.execute(
            update(accounts)
            .where(accounts.c.id == account_id)
            .values(balance=accounts.c.balance + change)
        )
    transfer_id, now = uuid4(), datetime.now(UTC)
    await connection.execute(
        insert(transfers).values(
            id=transfer_id,
            source_id=source,
            target_id=target,
            amount=order.amount_minor,
            created_at=now,
        )
    )
    return Transfer(
        transfer_id=f"trf_{transfer_id.hex}",
        state="COMPLETED",
        requested_at=now,
        **order.model_dump(),
    )


@app.get("/v1/accounts/{account_id}/entries")
async def history(
    account_id: str,
    connection: Transaction,
    transfer_id: str | None = None,
    limit: Annotated[int, Query(le=1000)] = 100,
) -> dict[str, Any]:
    """The account's transfers, newest first."""
    account = _uuid(account_id)
    query = select(transfers).where(
        or_(transfers.c.source_id == account, transfers.c.target_id == account)
    )
    if transfer_id:
        query = query.where(transfers.c.id == _uuid(transfer_id))
    rows = await connection.execute(query.order_by(transfers.c.created_at.desc()).limit(limit))
    return {"items": [_entry(row, account) for row in rows], "next": None}


def _entry(row: Any, account: UUID) -> dict[str, Any]:
    return {
        "transfer_id": f"trf_{row.id.hex}",
        "direction": "DBIT" if row.source_id == account else "CRDT",
        "amount_minor": row.amount,
        "booking_time": row.created_at,
    }


def _uuid(identifier: str) -> UUID:
    try:
        return UUID(identifier[4:])
    except ValueError:
        raise HTTPException(NOT_FOUND, "account-not-found") from None
