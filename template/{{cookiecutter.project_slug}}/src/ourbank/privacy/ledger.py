"""The erasure ledger outside the database: what a restored backup must forget again.

A backup of the key database holds keys of subjects that were erased after it was made. So the
ledger is exported, as lines of JSON, to where those backups are not, and `Eraser.reapply` runs over
it after a restore, before the bank serves again. A tombstone holds ids, a time and the receipt.
"""

from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec

from .vault import KeyVault, Tombstone

PAGE = 1_000


class LedgerError(Exception):
    """A line is no tombstone; the text says which."""


async def exported(vault: KeyVault, after: int = 0) -> AsyncIterator[bytes]:
    """One line for each tombstone above a number, in order."""
    while page := await vault.ledger(after, PAGE):
        for stone in page:
            yield msgspec.json.encode(stone) + b"\n"
        after = page[-1].number


def imported(lines: Iterable[bytes]) -> Iterator[Tombstone]:
    """The tombstones in such lines; LedgerError for the first that is none."""
    for number, line in enumerate(lines, start=1):
        try:
            yield msgspec.json.decode(line, type=Tombstone)
        except msgspec.MsgspecError:
            raise LedgerError(f"line {number} of the erasure ledger is no tombstone") from None
