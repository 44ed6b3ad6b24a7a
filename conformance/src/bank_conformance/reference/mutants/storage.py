"""Mutants of SHR: what storage, back-ups, names and seals give away."""

# ruff: noqa: ARG002, D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

import hashlib
import sys
import time
from typing import Any

from bank_conformance.reference.bank import Customer, Parts
from bank_conformance.reference.disk import Disk
from bank_conformance.reference.erasures import Erasures
from bank_conformance.reference.ids import Names, new_id
from bank_conformance.reference.vault import NONCE_BYTES, Vault

from .mutant import Mutant, broke

SLOW_SECONDS = 0.06


class WritesItDown(Vault):
    """M30: what is sealed also goes out: personal data by an outbox, narratives into the log."""

    def seal(self, subject: str, text: str | None, place: str) -> str | None:
        if text and "personal" in place:
            broke()
            self.disk.put("outbox", new_id("out"), lambda: {"body": text})
        elif text:
            broke()
            sys.stderr.write(f"sealed {text!r} for {subject}\n")
        return super().seal(subject, text, place)


class KeysInTheBackup(Vault):
    """M31: the keys are kept in the file with everything else."""

    def __init__(self, disk: Disk) -> None:
        broke()
        super().__init__(Disk(disk.folder, "bank.db"))


class HashesTheEmail(Names):
    """M36: who has the e-mail address has the id."""

    def customer(self, personal: dict[str, Any]) -> str:
        broke()
        return f"cus_{hashlib.sha256(personal['email'].encode()).hexdigest()[:32]}"


class NamesTheStream(Names):
    """M37: a stream is called after the person."""

    def stream(self, customer_id: str, personal: dict[str, Any]) -> str:
        broke()
        return f"customer-{personal['email']}"


class SealsAlike(Vault):
    """M38: the nonce follows from the text, so that sealed texts can be looked up."""

    def nonce(self, text: str) -> bytes:
        broke()
        return hashlib.sha256(text.encode()).digest()[:NONCE_BYTES]


class SealsUnbound(Vault):
    """M39: a sealed text opens wherever it lies."""

    def bound(self, subject: str, place: str) -> bytes:
        broke()
        return b""


class DestroysFirst(Erasures):
    """M41: the key goes, and then it is written down that it should."""

    def ask(self, customer: Customer) -> None:
        if customer.erased_at:
            return
        self.bank.vault.destroy(customer.customer_id)
        broke()
        time.sleep(SLOW_SECONDS)
        super().ask(customer)

    def recall(self) -> None:
        """Nobody remembers."""


MUTANTS = (
    Mutant("M30", ("SHR-2",), "plaintext in outbox and log", Parts(vault=WritesItDown)),
    Mutant("M31", ("SHR-3",), "keys in the same backup", Parts(vault=KeysInTheBackup)),
    Mutant("M36", ("SHR-7",), "sha256(email) as an id", Parts(names=HashesTheEmail)),
    Mutant("M37", ("SHR-7",), "an e-mail in a stream id", Parts(names=NamesTheStream)),
    Mutant("M38", ("SHR-8",), "deterministic", Parts(vault=SealsAlike)),
    Mutant("M39", ("SHR-8",), "no associated data", Parts(vault=SealsUnbound)),
    Mutant("M41", ("SHR-10",), "destroys the key first", Parts(erasures=DestroysFirst)),
)
