"""Ids: prefixed, time-ordered, and telling their partition.

An id is `prefix_` and 32 hex digits laid out as a UUIDv7 (RFC 9562): 48 bits of milliseconds, then
randomness. Its last 16 bits are the *slot*: `partition = slot % P`. A stream may therefore be
placed beside another one by giving it the same slot, and both can be appended to in one
transaction.
"""

from collections.abc import Callable

SLOT_COUNT = 1 << 16


def new_id(prefix: str, now_ms: int, random_bits: int, slot: int | None = None) -> str:
    """A new id from 74 random bits; the slot is taken from them unless given (0 … 65535)."""
    rand_a = random_bits & 0xFFF
    rand_b = 1 << 63 | (random_bits >> 12 & (1 << 62) - 1)  # variant 10
    if slot is not None:
        rand_b = rand_b & ~0xFFFF | slot
    return f"{prefix}_{now_ms:012x}7{rand_a:03x}{rand_b:016x}"


def slot_of(stream_id: str) -> int:
    """The slot of a stream."""
    return int(stream_id[-4:], 16)


def partition_of(stream_id: str, partition_count: int) -> int:
    """The partition a stream lives in."""
    return int(stream_id[-4:], 16) % partition_count


class Ids:
    """The port through which the application gets new ids: time and randomness are arguments."""

    def __init__(
        self,
        now_ms: Callable[[], int],
        random_bits: Callable[[int], int],
    ) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits

    def new(self, prefix: str, beside: str | None = None) -> str:
        """A new id; `beside` names a stream whose partition it shall share."""
        slot = None if beside is None else slot_of(beside)
        return new_id(prefix, self._now_ms(), self._random_bits(74), slot)
