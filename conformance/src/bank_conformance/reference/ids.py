"""Opaque, prefixed, time-ordered ids."""

from __future__ import annotations

import secrets
import time
from typing import Any


def new_id(prefix: str) -> str:
    """Return an id of 128 bits: milliseconds, then randomness."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


class Names:
    """What customers and their streams are called. Nothing of it is made of personal data."""

    def customer(self, _personal: dict[str, Any]) -> str:
        """Return the id of a new customer."""
        return new_id("cus")

    def stream(self, customer_id: str, _personal: dict[str, Any]) -> str:
        """Return the stream of a new customer."""
        return customer_id
