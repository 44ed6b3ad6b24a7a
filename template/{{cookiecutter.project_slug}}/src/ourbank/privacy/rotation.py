"""Rotation: a new key-encryption epoch for those who stay, and the end of the old ones.

What an erasure destroyed in the table is still in dead rows, write-ahead log and backups: wrapped,
and readable while its epoch lives. So rotate as often as erased data must become unrecoverable even
from those, and after every restore.
"""

from dataclasses import dataclass

from .kek import KeyEncryption
from .vault import KeyVault

PAGE = 500
"""Keys per transaction: creating keys waits for one page, some milliseconds."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done."""

    epoch: int
    rewrapped_count: int


async def rotate(vault: KeyVault, encryption: KeyEncryption, page: int = PAGE) -> Rotation:
    """Open an epoch, wrap every key under it, destroy the older ones.

    May be cut short anywhere and done again: the old epochs go last. EpochDestroyedError when the
    vault holds keys of an epoch that is gone already: an older backup was restored.
    """
    epoch = await encryption.open_epoch()
    rewrapped_count = 0
    while count := await vault.rewrap(epoch, page):
        rewrapped_count += count
    await encryption.destroy_epochs_before(epoch)
    return Rotation(epoch, rewrapped_count)
