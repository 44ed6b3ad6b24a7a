"""What a client that waits is told of its transfer, whoever drove it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from ourbank.application.accounts import EntryOrder
from ourbank.application.bank import Bank
from ourbank.application.customers import PersonalData
from ourbank.application.request import Request
from ourbank.application.transfers import TransferOrder
from ourbank.bootstrap import Addresses, running
from ourbank.config import Settings
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.transfer import TransferStatus
from ourbank.eventsourcing.command import Command

STAFF = Request("staff")
DEPOSIT = EntryOrder(TransactionCode.CASH_DEPOSIT, 1000, "EUR")

pytestmark = pytest.mark.postgres


@pytest.fixture
async def banks(settings: Settings, addresses: Addresses) -> AsyncIterator[tuple[Bank, Bank]]:
    """Two processes of one bank; neither picks up anything by itself."""
    async with AsyncExitStack() as stack:
        here, there = [
            await stack.enter_async_context(running(settings, addresses, with_worker=False))
            for _ in range(2)
        ]
        yield here.bank, there.bank


async def _order(bank: Bank) -> TransferOrder:
    registered = await bank.customers.register(PersonalData("Anna", "a@example.com"), STAFF)
    customer_id = registered.events[0].stream_id
    source, target = [
        (await bank.accounts.open(customer_id, "EUR", 0, STAFF)).events[0].stream_id
        for _ in range(2)
    ]
    await bank.accounts.post(source, DEPOSIT, STAFF)
    return TransferOrder(source, target, 300, "EUR")


class _Overtaken:
    """Stands between a driver and its engine: another process drives the transfer to its end before
    the first step is sent on to `submit`.
    """

    def __init__(self, here: Bank, there: Bank, submit: Callable[[Command], None]) -> None:
        self._here, self._there, self._submit = here, there, submit
        self._driving: asyncio.Task[None] | None = None

    def __call__(self, command: Command) -> None:
        if self._driving is None:
            self._driving = asyncio.create_task(self._drive(command))
        else:
            self._submit(command)

    async def _drive(self, command: Command) -> None:
        (transfer_id,) = self._here.driver._processes  # noqa: SLF001 (nobody else knows it yet)
        await self._there.transfers.pick_up(transfer_id)
        if (process := self._there.driver.find(transfer_id)) is not None:
            assert await self._there.driver.ended(process, 10)
        self._submit(command)


async def test_who_waits_for_a_transfer_that_others_drove_is_told_how_it_ended(
    banks: tuple[Bank, Bank], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = banks
    order = await _order(here)
    monkeypatch.setattr(here.driver, "_submit", _Overtaken(here, there, here.engine.submit))
    view = await here.transfers.request(order, STAFF, wait_seconds=10)
    assert view.transfer.status is TransferStatus.COMPLETED
    heads = dict(enumerate(await here.log.heads()))
    assert view.positions == heads  # a list read with this token shows it as well
