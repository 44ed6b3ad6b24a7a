"""The receipt of an erasure: signed, and naming no one."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bank import Customer
    from .signing import Signer

TYPE = "erasure-receipt"
PURGED = ("customers",)


class Receipts:
    """Issues receipts. The steps that a mutant breaks are methods of their own."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def issue(self, customer: Customer) -> str | None:
        """Return the receipt of a customer's erasure, the same every time; None before it."""
        return self.sign(self.states(customer)) if customer.erased_at else None

    def states(self, customer: Customer) -> dict[str, Any]:
        """Return what a receipt says; both ids are random, and one is only there as a digest."""
        return {
            "erasure_id": customer.erasure_id,
            "erased_at": customer.erased_at,
            "key_digest": sha256(customer.key_id.encode()).hexdigest(),
            "purged": PURGED,
        }

    def sign(self, said: dict[str, Any]) -> str:
        """Return it signed."""
        return self.signer.sign(TYPE, said)
