"""Mutants of SHR: erasures that do too little, too much, or are undone."""

# ruff: noqa: D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bank_conformance.reference.asks import ADDRESS
from bank_conformance.reference.bank import Parts
from bank_conformance.reference.erasures import Erasures
from bank_conformance.reference.histories import Histories, Row
from bank_conformance.reference.log import Event, Log
from bank_conformance.reference.transfers import Transfer, Transfers
from bank_conformance.reference.vault import Vault

from .mutant import Mutant, broke


class GetsOrCreatesKeys(Vault):
    """M32: whoever has no key is given one, be it that they were erased."""

    def knows(self, subject: str) -> bool:
        if not super().knows(subject):
            broke()
            self.enrol(subject)
        return True


class OneKeyPerEvent(Transfers):
    """M33: a narrative is sealed once for all parties, and goes with the first who is erased."""

    def narrative(self, transfer: Transfer, customer_id: str) -> str | None:
        if all(map(self.bank.vault.knows, transfer.narratives)):
            return super().narrative(transfer, customer_id)
        broke()
        return None


class PlaintextSnapshot(Histories):
    """M34: a rebuild begins with a snapshot of the read model, in which texts are in clear."""

    def project(self, account_id: str, event: Event) -> None:
        super().project(account_id, event)
        row, name = self.rows[account_id][-1], f"{account_id} {event.version}"
        row.narrative = self.snapshot.get(name, {}).get("narrative")
        shown = self.narrative(row, self.bank.accounts.find(account_id).customer_id)
        self.bank.disk.put("snapshot", name, lambda: {"narrative": shown})

    @cached_property
    def snapshot(self) -> dict[str, dict[str, Any]]:
        return self.bank.disk.things("snapshot")

    def narrative(self, row: Row, customer_id: str) -> str | None:
        if row.narrative is None:
            return super().narrative(row, customer_id)
        broke()
        return row.narrative


class RaisesOnTheErased(Histories):
    """M35: the projector expects that it can open every text that it comes across."""

    def project(self, account_id: str, event: Event) -> None:
        owner = self.bank.accounts.find(account_id).customer_id
        if event.data["narrative"] and not self.bank.vault.knows(owner):
            broke()
            raise LookupError("there is no key for a narrative")
        super().project(account_id, event)


class KeepsKeysAtHand(Vault):
    """M40: each replica keeps the keys that it has seen; only the one that erases drops them."""

    def versions(self, subject: str) -> dict[int, AESGCM]:
        at_hand = self.at_hand.setdefault(ADDRESS.get(), {})
        found = super().versions(subject)
        if found or subject not in at_hand:
            at_hand[subject] = found
        elif at_hand[subject]:
            broke()
        return at_hand[subject]

    def destroy(self, subject: str) -> None:
        super().destroy(subject)
        del self.at_hand[ADDRESS.get()][subject]

    @cached_property
    def at_hand(self) -> dict[str, dict[str, dict[int, AESGCM]]]:
        return {}


class HoldsTheFirstRequestOnly(Erasures):
    """M43: the hold is looked for where an erasure is asked for, not where it is carried on."""

    def resume(self) -> None:
        for customer in self.bank.customers.values():
            if customer.erasing and not customer.erased_at:
                broke()
                self.carry_out(customer)


class DeletesEvents(Log):
    """M45: with the subject's key go the events of the subject."""

    def read(self, after: list[int], limit: int) -> tuple[list[Event], list[int]]:
        found, reached = super().read(after, limit)
        events = [event for events in self.partitions for event in events]
        erased = {one.stream_id for one in events if one.type == "PersonalDataErased"}
        left = [event for event in found if event.stream_id not in erased]
        if left != found:
            broke()
        return left, reached


class LatestVersionOnly(Vault):
    """M46: only the latest version of a key counts, to open and to destroy."""

    def versions(self, subject: str) -> dict[int, AESGCM]:
        found = super().versions(subject)
        if len(found) > 1:
            broke()
        return dict(list(found.items())[-1:])


MUTANTS = (
    Mutant("M32", ("SHR-4",), "get_or_create_key", Parts(vault=GetsOrCreatesKeys)),
    Mutant("M33", ("SHR-5",), "one key per event", Parts(transfers=OneKeyPerEvent)),
    Mutant("M34", ("SHR-6",), "plaintext snapshot", Parts(histories=PlaintextSnapshot)),
    Mutant("M35", ("SHR-6",), "the projector raises", Parts(histories=RaisesOnTheErased)),
    Mutant("M40", ("SHR-9",), "unbounded key cache", Parts(vault=KeepsKeysAtHand)),
    Mutant("M43", ("SHR-12",), "hold on one path", Parts(erasures=HoldsTheFirstRequestOnly)),
    Mutant("M45", ("SHR-14",), "deletes events", Parts(log=DeletesEvents)),
    Mutant("M46", ("SHR-15",), "latest version only", Parts(vault=LatestVersionOnly)),
)
