"""Parties with canaries, and answers that show them, for records made by hand."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from bank_conformance.bank.shapes import Erasure
from bank_conformance.history import History, Operation
from bank_conformance.workloads.parties import Party
from builders import operation

HISTORY = History("by hand")
GONE = Erasure("cus_1", "ERASED", erased_at="2026-11-23T10:00:00Z")
HELD = Erasure("cus_1", "ON_LEGAL_HOLD", until="2027-01-01")
NOT_YET = Erasure("cus_1", "REQUESTED")


def somebody(name: str, **narratives: str) -> Party:
    """Return a party whose canaries are like nobody else's."""
    words = {one: sha256(f"{name} {one}".encode()).hexdigest() for one in ("name", "email", "own")}
    told = {"own narrative": words.pop("own")} | narratives
    session: Any = None  # who only looks at records calls nobody
    return Party(name, f"cus_{name}", f"acc_{name}", words, session, told)


def showing(*texts: str, status: int = 200, **call: Any) -> Operation:
    """Return an answer that shows these texts."""
    return operation(HISTORY, status=status, answer={"texts": texts}, **call)


def showing_all_of(whose: Party) -> list[Operation]:
    """Return answers that show everything that was planted on a party's side."""
    return [showing(text) for text in whose.canaries.values()]


def saying(answer: dict[str, Any], route: str, status: int = 200) -> Operation:
    """Return an answer with this body."""
    return operation(HISTORY, route=route, status=status, answer=answer)


def customer(state: str = "ERASED", **members: Any) -> Operation:
    """Return a customer as the bank shows them."""
    shown = {"customer_id": "cus_1", "state": state, "version": 1, "registered_at": "then"}
    return saying(shown | members, "getCustomer")


def erasure(state: str = "ERASED", **members: Any) -> Operation:
    """Return where an erasure stands."""
    return saying({"customer_id": "cus_1", "state": state} | members, "getErasure")
