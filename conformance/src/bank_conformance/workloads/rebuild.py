"""Everything that read models show is read, they are built anew, and it is read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bank_conformance.bank.shapes import Transfer, demand, read
from bank_conformance.history import History, Operation, now

from .power import until_served
from .rest import deadline, scan, settle
from .stage import Stage, gather

FUNDS_MINOR, TRANSFERS, ENTRIES = 100_000, 16, 24
LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Rebuild:
    """The same reads before and after."""

    history: History
    before: list[Operation] = field(default_factory=list)
    after: list[Operation] = field(default_factory=list)


async def rebuild(stage: Stage) -> Rebuild:
    """Give some accounts a history with everything in it, and build the read models anew."""
    record = Rebuild(stage.history)
    customer = await stage.customer()
    accounts = await stage.accounts(customer, 3, funds=FUNDS_MINOR)
    await _write(stage, accounts)
    await settle(stage)
    await scan(stage, accounts)
    record.before = await _until_still(stage, customer, accounts)
    await stage.hooks.run("rebuild")
    await until_served(stage)
    record.after = await _until_alike(stage, customer, accounts, record.before)
    return record


async def _write(stage: Stage, accounts: list[str]) -> None:
    """Entries of every kind, and transfers that complete, fail and are reversed."""
    staff, (first, second, blocked) = stage.staff, accounts
    codes = ("CASH_DEPOSIT", "FEE", "INTEREST", "CASH_WITHDRAWAL")
    for number in range(ENTRIES):
        code = codes[number % len(codes)]
        demand(await staff.post(first, code, 10 + number, f"Zoë {number}"))
    if stage.capabilities.freezes:
        demand(await staff.freeze(blocked, "CREDIT"))
    sent = [
        await staff.transfer(first, (second, blocked)[number % 2], 5 + number, "gift", wait=2)
        for number in range(TRANSFERS)
    ]
    done = next((one for one in sent if one.ok and read(one, Transfer).state == "COMPLETED"), None)
    if done is not None:
        transfer_id = read(done, Transfer).transfer_id
        await staff.call("reverseTransfer", {"transfer_id": transfer_id})


async def _until_still(stage: Stage, customer: str, accounts: list[str]) -> list[Operation]:
    """Read everything until two readings are alike, at most as long as the bank may take."""
    until = deadline(stage)
    reading = await _read(stage, customer, accounts)
    while now() < until:
        await stage.wait(LOOK_SECONDS)
        earlier, reading = reading, await _read(stage, customer, accounts)
        if alike(earlier, reading):
            break
    return reading


async def _until_alike(
    stage: Stage, customer: str, accounts: list[str], before: list[Operation]
) -> list[Operation]:
    """Read everything until it is as before, at most as long as the bank may take: what was built
    anew may come into sight little by little, and stand still in between.
    """
    until = deadline(stage)
    while True:
        reading = await _read(stage, customer, accounts)
        if alike(before, reading) or now() > until:
            return reading
        await stage.wait(LOOK_SECONDS)


def alike(one: list[Operation], other: list[Operation]) -> bool:
    """Say whether two readings show the same."""
    return [*map(shown, one)] == [*map(shown, other)]


async def _read(stage: Stage, customer: str, accounts: list[str]) -> list[Operation]:
    staff = stage.staff
    asked = [staff.call("listAccounts", query={"customer_id": customer, "limit": 1000})]
    for one in accounts:
        asked += [
            staff.entry_page(one, limit=1000),
            staff.entry_page(one, limit=1000, order="desc", direction="CRDT"),
            staff.entry_page(one, limit=1000, text="zoë"),
            staff.call("listTransfers", query={"account_id": one, "limit": 1000}),
        ]
    return await gather(asked)


def shown(operation: Operation) -> Any:
    """Return what an answer shows, but for when it was given."""
    body = operation.answer.body if operation.answer else None
    if not isinstance(body, dict) or "items" not in body:
        return (operation.status, body)
    return [{k: v for k, v in item.items() if k != "as_of"} for item in body["items"]]
