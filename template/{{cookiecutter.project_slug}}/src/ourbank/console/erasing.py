"""What a restore must not undo: the ledger of erasures, kept outside the back-ups, and rotation."""

import asyncio
import sys
from pathlib import Path

from ..bootstrap import Addresses, running
from ..config import ConfigError, Settings
from ..privacy.kek import LocalKeyEncryption
from ..privacy.ledger import exported, imported
from ..privacy.rotation import Rotation, rotate
from ..privacy.secret_file import replace_secret
from ..privacy.vault import Tombstone
from ..schema import renew_incarnation
from ..secrets_store import Secrets
from .operating import console


def exporting(settings: Settings, addresses: Addresses, to: Path | None) -> None:
    """Write the whole ledger, a tombstone a line: to a file, which is replaced when all is
    written, or to standard output. ConfigError rather than lose what the file has and the vault has
    not: a restored back-up knows nothing of the erasures since.
    """
    if to is not None and not to.parent.is_dir():
        raise ConfigError(f"there is no folder {to.parent}: make it, or choose another --to")
    known = {stone.subject for stone in _stones(to)} if to and to.exists() else set()
    lines = asyncio.run(_export(settings, addresses))
    if to is None:
        sys.stdout.write(lines.decode())
        return
    if lost := known - {stone.subject for stone in imported(lines.splitlines())}:
        raise ConfigError(
            f"{to} has {len(lost)} erasures that this bank does not know: it was restored, so run"
            f" `erasures reapply {to}` first"
        )
    replace_secret(to, lines)
    count = lines.count(b"\n")
    console.print(f"{count} erasures are in {to}")


def reapplying(settings: Settings, addresses: Addresses, file: Path) -> None:
    """What a restore needs before the bank serves: erase again whatever this ledger says was
    erased, and make positions from before the restore worthless. LedgerError before anything is
    done.
    """
    stones = _stones(file)
    count = asyncio.run(_reapply(settings, addresses, stones))
    renew_incarnation(addresses.events)
    console.print(f"{count} erasures were applied again")


def rotating(settings: Settings, addresses: Addresses) -> None:
    """Wrap all keys anew and destroy the older epochs."""
    done = asyncio.run(_rotate(settings, addresses))
    console.print(f"epoch {done.epoch} holds {done.rewrapped_count} keys; older ones are destroyed")


def _stones(file: Path) -> list[Tombstone]:
    try:
        return list(imported(file.read_bytes().splitlines()))
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None


async def _export(settings: Settings, addresses: Addresses) -> bytes:
    async with running(settings, addresses, with_worker=False, call_seconds_max=None) as process:
        return b"".join([line async for line in exported(process.bank.keyring.vault)])


async def _reapply(settings: Settings, addresses: Addresses, stones: list[Tombstone]) -> int:
    async with running(settings, addresses, with_worker=False, call_seconds_max=None) as process:
        return await process.bank.eraser.reapply(stones)


async def _rotate(settings: Settings, addresses: Addresses) -> Rotation:
    async with running(settings, addresses, with_worker=False, call_seconds_max=None) as process:
        encryption = LocalKeyEncryption(Secrets(settings.secrets_dir).epochs)
        return await rotate(process.bank.keyring.vault, encryption)
