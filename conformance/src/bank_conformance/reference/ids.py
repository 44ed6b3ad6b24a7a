"""Opaque, prefixed, time-ordered ids."""

from __future__ import annotations

import secrets
import time


def new_id(prefix: str) -> str:
    """Return an id of 128 bits: milliseconds, then randomness."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
