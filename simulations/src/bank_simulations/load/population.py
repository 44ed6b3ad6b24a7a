"""Set-up through the public API: customers, accounts, and money on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gevent.pool import Pool

from bank_simulations.console import BrokenRunError, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_simulations.client import BankClient

    from .scenario import Accounts

SETUP_CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class Population:
    """The accounts of a run, in the order the plan counts them."""

    accounts: tuple[str, ...]
    currency: str
    opening_minor: int


def populate(bank: BankClient, wanted: Accounts, run: str) -> Population:
    """Register, open and fund; every key carries `run`, so that runs do not collide.

    Raises:
        BrokenRunError: the bank refused, or did not answer.
    """
    pool = Pool(SETUP_CONCURRENCY)
    customers = min(wanted.customers, wanted.count)
    total = customers + 2 * wanted.count
    with Progress("Setting up customers and accounts", total) as progress:

        def each(step: Callable[[int], str], count: int) -> list[str]:
            def one(number: int) -> str | BrokenRunError:
                try:
                    return step(number)
                except BrokenRunError as error:
                    return error  # raised in a greenlet, it would be printed with its traceback

            ids = []
            for done in pool.imap(one, range(count)):
                if isinstance(done, BrokenRunError):
                    pool.kill()
                    raise done
                progress.advance()
                ids.append(done)
            return ids

        def register(number: int) -> str:
            return _register(bank, f"{run}-customer-{number}")

        def open_account(number: int) -> str:
            owner = owners[number % customers]
            return _open(bank, owner, wanted.currency, f"{run}-account-{number}")

        def fund(number: int) -> str:
            return _fund(bank, accounts[number], wanted, f"{run}-funding-{number}")

        owners = each(register, customers)
        accounts = each(open_account, wanted.count)
        if wanted.opening_minor:
            each(fund, wanted.count)
    return Population(tuple(accounts), wanted.currency, wanted.opening_minor)


def _register(bank: BankClient, key: str) -> str:
    personal = {"name": f"Load {key}", "email": f"{key}@load.example"}
    return bank.create("/v1/customers", {"personal": personal}, key, "customer_id")


def _open(bank: BankClient, owner: str, currency: str, key: str) -> str:
    body = {"customer_id": owner, "currency": currency}
    return bank.create("/v1/accounts", body, key, "account_id")


def _fund(bank: BankClient, account: str, wanted: Accounts, key: str) -> str:
    body = {
        "code": "CASH_DEPOSIT",
        "amount_minor": wanted.opening_minor,
        "currency": wanted.currency,
    }
    return bank.create(f"/v1/accounts/{account}/entries", body, key, "account_id")
