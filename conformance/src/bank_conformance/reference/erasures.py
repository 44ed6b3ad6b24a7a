"""Erasures: asked for, held back while a legal hold stands, carried out, and never undone."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from .problems import RefusalError

if TYPE_CHECKING:
    from .bank import Bank, Customer

LOOK_SECONDS = 0.25


class Erasures:
    """What becomes of a wish to be erased. The steps that a mutant breaks are methods of their own.

    Whoever asks, and however, everything goes through `carry_on`, which looks for a hold each time.
    """

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.ahead = timedelta(0)
        """How far the clock that legal holds end by is ahead."""

    def today(self) -> date:
        """Return the present day in UTC."""
        return (datetime.now(UTC) + self.ahead).date()

    def hold(self, customer: Customer, until: date | None) -> None:
        """Forbid an erasure until a day, or lift what forbids it."""
        if customer.erased_at and until:
            raise RefusalError(409, "customer-erased")
        if until and until <= self.today():
            raise RefusalError(422, "legal-hold-over")
        customer.held_until = until.isoformat() if until else None
        self.keep(customer)

    def held_until(self, customer: Customer) -> str | None:
        """Return until when the customer must not be erased; None if they may be."""
        until = customer.held_until
        return until if until and date.fromisoformat(until) > self.today() else None

    def ask(self, customer: Customer) -> None:
        """Note that an erasure is wished, which is kept first of all, and carry it out if it may
        be.
        """
        customer.erasing = True
        self.keep(customer)
        self.bank.disk.commit()
        self.carry_on(customer)

    def carry_on(self, customer: Customer) -> None:
        """Carry out an erasure that was asked for and need not wait."""
        if customer.erasing and not customer.erased_at and not self.held_until(customer):
            self.carry_out(customer)

    def carry_out(self, customer: Customer) -> None:
        """Destroy the customer's key; what was sealed with it is gone for good."""
        self.bank.vault.destroy(customer.customer_id)
        event = self.bank.log.append(customer.customer_id, "PersonalDataErased")
        customer.sealed, customer.erased_at = None, event.recorded_at
        customer.version = event.version
        self.keep(customer)
        self.bank.disk.commit()

    def keep(self, customer: Customer) -> None:
        """Keep what is known of a customer with the next commit."""
        self.bank.disk.put("customer", customer.customer_id, customer.doc)

    def recall(self) -> None:
        """Erase again whom a back-up has brought back: that their key was destroyed is kept apart
        from everything that a back-up holds.
        """
        for customer in self.bank.customers.values():
            if not customer.erased_at and not self.bank.vault.knows(customer.customer_id):
                self.carry_out(customer)

    def resume(self) -> None:
        """Carry on what was cut short, or waited for a hold that is over."""
        for customer in self.bank.customers.values():
            self.carry_on(customer)

    async def watch(self) -> None:
        """Carry on again and again."""
        while True:
            self.resume()
            await asyncio.sleep(LOOK_SECONDS)
