"""The same transfer on the `eventsourcing` library, as its documentation suggests to write it.

Five events on three aggregates, as the bank's: requested, held, credited, debited, completed. In
one piece, all three are saved together, all or nothing; step by step, the transfer goes through
the steps of the bank's saga, each saved by itself, so that accounts could live in different places.
Whatever met another thread is done again. To its advantage it has no idempotency, no sealing and
no read models: what is saved counts as visible.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError
from eventsourcing.utils import retry

from bank_simulations.bench.inside.lines import hear, say
from bank_simulations.bench.inside.workloads import Pairs
from bank_simulations.bench.stores.library_settings import environment, shown
from bank_simulations.bench.stores.threads import together

OPENING_MINOR = 1_000_000_000
AMOUNT_MINOR = 1
THREADS_MAX = 16
ATTEMPTS_MAX = 1_000
retried = retry(IntegrityError, max_attempts=ATTEMPTS_MAX, wait=0.002)


class InsufficientFundsError(Exception):
    """The balance does not cover the amount and what is held."""


class Account(Aggregate):
    """A balance, and what of it is held, in minor units."""

    @event("Opened")
    def __init__(self, currency: str, balance_minor: int) -> None:
        self.currency, self.balance_minor, self.held_minor = currency, balance_minor, 0

    def hold(self, transfer_id: UUID, amount_minor: int) -> None:
        """Set an amount aside; InsufficientFundsError where there is not enough."""
        if self.balance_minor - self.held_minor < amount_minor:
            raise InsufficientFundsError
        self._hold(transfer_id, amount_minor)

    @event("Held")
    def _hold(self, transfer_id: UUID, amount_minor: int) -> None:  # noqa: ARG002 - a member
        self.held_minor += amount_minor

    @event("Credited")
    def credit(self, transfer_id: UUID, amount_minor: int) -> None:  # noqa: ARG002 - a member
        """Money came."""
        self.balance_minor += amount_minor

    @event("Debited")
    def debit(self, transfer_id: UUID, amount_minor: int) -> None:  # noqa: ARG002 - a member
        """What was held went."""
        self.held_minor -= amount_minor
        self.balance_minor -= amount_minor


class Transfer(Aggregate):
    """One movement of money."""

    @event("Requested")
    def __init__(self, source_id: UUID, target_id: UUID, amount_minor: int) -> None:
        self.source_id, self.target_id, self.amount_minor = source_id, target_id, amount_minor
        self.is_complete = False

    @event("Completed")
    def complete(self) -> None:
        """It is done."""
        self.is_complete = True


class Bank(Application[UUID]):
    """Accounts, and transfers between them."""

    def open_account(self) -> UUID:
        """A new funded account."""
        account = Account("EUR", OPENING_MINOR)
        self.save(account)
        return account.id

    @retried
    def transfer(self, source_id: UUID, target_id: UUID, amount_minor: int) -> None:
        """Move money; all three aggregates are saved together, in one transaction."""
        source: Account = self.repository.get(source_id)
        target: Account = self.repository.get(target_id)
        transfer = Transfer(source_id, target_id, amount_minor)
        source.hold(transfer.id, amount_minor)
        target.credit(transfer.id, amount_minor)
        source.debit(transfer.id, amount_minor)
        transfer.complete()
        self.save(transfer, source, target)

    def transfer_by_steps(self, source_id: UUID, target_id: UUID, amount_minor: int) -> None:
        """Move money as a saga does: hold, credit, settle."""
        transfer_id = self._begin(source_id, target_id, amount_minor)
        self._credit(transfer_id, target_id, amount_minor)
        self._settle(transfer_id, source_id, amount_minor)

    @retried
    def _begin(self, source_id: UUID, target_id: UUID, amount_minor: int) -> UUID:
        source: Account = self.repository.get(source_id)
        transfer = Transfer(source_id, target_id, amount_minor)
        source.hold(transfer.id, amount_minor)
        self.save(transfer, source)
        return transfer.id

    @retried
    def _credit(self, transfer_id: UUID, target_id: UUID, amount_minor: int) -> None:
        target: Account = self.repository.get(target_id)
        target.credit(transfer_id, amount_minor)
        self.save(target)

    @retried
    def _settle(self, transfer_id: UUID, source_id: UUID, amount_minor: int) -> None:
        source: Account = self.repository.get(source_id)
        transfer: Transfer = self.repository.get(transfer_id)
        source.debit(transfer_id, amount_minor)
        transfer.complete()
        self.save(source, transfer)

    def balance_minor(self, account_id: UUID) -> int:
        """From its events, whatever is cached."""
        account: Account = self.repository.get(account_id)
        return account.balance_minor


def main(job: dict[str, Any]) -> None:
    """Open accounts, then move money as told."""
    settings = environment(job["uri"], THREADS_MAX)
    with Bank(env=settings) as bank:
        accounts = [str(bank.open_account()) for _ in range(job["accounts"])]
        say({"settings": shown(settings)})
        while (wanted := hear()) is not None:
            say(_run(bank, accounts, wanted))


def _run(bank: Bank, accounts: list[str], wanted: dict[str, Any]) -> dict[str, Any]:
    transfer = bank.transfer_by_steps if wanted["by_steps"] else bank.transfer

    def move(worker: int, until: float) -> int:
        pairs, count = Pairs(wanted["workload"], accounts, f"{wanted['seed']}-{worker}"), 0
        while time.perf_counter() < until:
            source, target = pairs.draw()
            transfer(UUID(source), UUID(target), AMOUNT_MINOR)
            count += 1
        return count

    transfers, took = together(wanted["connections"], wanted["seconds"], move)
    return {
        "transfers": transfers,
        "seconds": took,
        "balance_minor": sum(bank.balance_minor(UUID(each)) for each in accounts),
        "opened_minor": OPENING_MINOR * len(accounts),
    }


if __name__ == "__main__":
    first = hear()
    if first is not None:
        main(first)
