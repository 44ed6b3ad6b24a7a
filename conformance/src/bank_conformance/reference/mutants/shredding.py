"""Mutants of SHR: personal data that no key protects."""

# ruff: noqa: ARG002, D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

from typing import Any

from bank_conformance.reference.bank import Customer, Parts
from bank_conformance.reference.histories import Histories, Row
from bank_conformance.reference.log import Event
from bank_conformance.reference.receipts import Receipts

from .mutant import Mutant, broke


class PlaintextReadModel(Histories):
    """M29: the read model keeps the narrative in clear, where no key reaches it."""

    def project(self, account_id: str, event: Event) -> None:
        super().project(account_id, event)
        owner = self.bank.accounts.find(account_id).customer_id
        row = self.rows[account_id][-1]
        row.narrative = super().narrative(row, owner)

    def narrative(self, row: Row, customer_id: str) -> str | None:
        if row.narrative is not None:
            broke()
        return row.narrative


class NamesTheSubject(Receipts):
    """M42: one receipt in two says whose it is, the other is not signed."""

    issued = 0

    def states(self, customer: Customer) -> dict[str, Any]:
        broke()
        self.issued += 1
        named = {"erasure_id": customer.customer_id} if self.issued % 2 else {}
        return super().states(customer) | named

    def sign(self, said: dict[str, Any]) -> str:
        signed = super().sign(said)
        return signed if self.issued % 2 else signed.rpartition(".")[0] + "."


MUTANTS = (
    Mutant("M29", ("SHR-1",), "plaintext read model", Parts(histories=PlaintextReadModel)),
    Mutant("M42", ("SHR-11",), "names the subject, or unsigned", Parts(receipts=NamesTheSubject)),
)
