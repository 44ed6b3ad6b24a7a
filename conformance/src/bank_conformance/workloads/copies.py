"""What the bank stores and logs is copied before and after an erasure, and searched for canaries.

Copies are searched where they are made and deleted at once: what is recorded is what was found.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import re
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bank_conformance.bank.shapes import Erasure, read
from bank_conformance.deciders.scanner import Needle, Scanner, Search, digests
from bank_conformance.history import History, Operation, now

from .parties import Party, look, party, share
from .stage import Stage

GUESSABLE = ("email", "phone", "birth_date", "national_id")
POLL_SECONDS = 0.1
HUGE_MINOR = 10**12


@dataclass(frozen=True, slots=True)
class Copied:
    """What was found in a copy of what the bank stores, or of what it logged."""

    what: str
    when: str
    search: Search


@dataclass(slots=True)
class Copies:
    """What was found in all copies."""

    history: History
    canaries: Mapping[str, str]
    """What was planted, of all parties."""
    marks: tuple[str, ...]
    """The names of the ids that stand in any copy which holds anything of the subject."""
    control: list[Operation]
    """What showed the canaries before the erasure."""
    erasure: Erasure
    copies: list[Copied] = field(default_factory=list)
    planted: frozenset[str] = frozenset()
    """The forms of a control canary, put into a copy of the dump."""
    found: frozenset[str] = frozenset()
    """Those of them that were found."""


async def copies(stage: Stage) -> Copies:
    """Plant canaries, copy, erase, copy again, and search the copies."""
    subject, other = await party(stage, "subject"), await party(stage, "other party")
    sent = await share(stage, subject, other, "shared narrative")
    await _provoke(stage, subject)
    control = await look(stage.staff, subject, sent) + await look(stage.staff, other)
    canaries, marks = _canaries(subject, other), _marks(subject)
    salts = (subject.customer_id, subject.account_id, stage.target.name)
    scanner = Scanner(canaries, [*marks, *digests(guessable(subject.personal), salts)])
    names = tuple({needle.canary: None for needle in marks})
    record = Copies(stage.history, canaries, names, control, Erasure(subject.customer_id, "NONE"))
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        await _copy(stage, record, scanner, Path(folder), "before the erasure")
        record.erasure = await erase_to_end(stage, subject.customer_id)
        await _copy(stage, record, scanner, Path(folder), "after the erasure")
    return record


def guessable(personal: Mapping[str, str]) -> dict[str, str]:
    """Return the personal data of which a digest can be guessed."""
    return {name: personal[name] for name in GUESSABLE}


async def erase_to_end(stage: Stage, customer_id: str) -> Erasure:
    """Erase, and wait until that is done or waits itself for something."""
    erasure = read(await stage.staff.erase(customer_id), Erasure)
    limits = stage.limits
    deadline = now() + limits.erasure_effective_seconds * limits.time_scale
    while erasure.state == "REQUESTED" and now() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        erasure = read(await stage.staff.erasure(customer_id), Erasure)
    return erasure


async def _provoke(stage: Stage, subject: Party) -> None:
    """Have the bank say no in every way that it could write down: these are not needed to work."""
    staff, account = stage.staff, subject.account_id
    words = subject.narratives["own narrative"]
    key = stage.client.fresh_key()
    await staff.register({**subject.personal, "email": ""})
    await staff.post(account, "CASH_WITHDRAWAL", HUGE_MINOR, words)
    await staff.post(f"acc_{secrets.token_hex(16)}", "CASH_DEPOSIT", 1, words)
    await staff.post(account, "CASH_DEPOSIT", 1, words, key=key)
    await staff.post(account, "CASH_DEPOSIT", 1, words, key=key)
    await staff.post(account, "CASH_DEPOSIT", 2, words, key=key)
    await staff.entry_page(account, text=words)


def _canaries(*parties: Party) -> dict[str, str]:
    """Return what is of no use to anybody else: a birth date may stand in a dump by chance."""
    return {
        f"{name} of the {one.name}": value
        for one in parties
        for name, value in one.canaries.items()
        if name != "birth_date"
    }


def _marks(subject: Party) -> list[Needle]:
    """Return the subject's ids as text and, where they are hexadecimal, as bytes."""
    found = []
    for one in (subject.customer_id, subject.account_id):
        digits = re.sub("[^0-9a-f]", "", one.rpartition("_")[2].lower())
        found.append(Needle(f"id {one[:3]}", "raw", one.encode()))
        if len(digits) == 32:  # noqa: PLR2004  128 bits
            found.append(Needle(f"id {one[:3]}", "bytes", bytes.fromhex(digits)))
            found.append(Needle(f"id {one[:3]}", "hex", digits.encode()))
    return found


async def _copy(stage: Stage, record: Copies, scanner: Scanner, folder: Path, when: str) -> None:
    for what in ("dump", "logs"):
        into = folder / what
        await stage.hooks.run(what, folder=str(into))
        search = await asyncio.to_thread(scanner.scan_folder, into)
        record.copies.append(Copied(what, when, search))
        if what == "dump" and not record.planted:
            control = await asyncio.to_thread(plant, into)
            record.planted, record.found = control
        await asyncio.to_thread(shutil.rmtree, into, ignore_errors=True)


def plant(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Put a canary of every kind into the midst of the largest file, and look for them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    if not files:
        return frozenset({"there is no file"}), frozenset()
    largest = max(files, key=lambda path: path.stat().st_size)
    canaries = {name: secrets.token_hex(16) for name in ("raw", "utf-16", "base64", "gzip")}
    raw = {name: value.encode() for name, value in canaries.items()}
    planted = [
        raw["raw"],
        canaries["utf-16"].encode("utf-16-le"),
        base64.b64encode(b"?" + raw["base64"]),
        gzip.compress(raw["gzip"]),
    ]
    with largest.open("r+b") as file:
        file.seek(largest.stat().st_size // 2)
        file.write(b"\0".join([b"", *planted, b""]))
    found = Scanner(canaries).scan_file(largest)
    return frozenset(canaries), frozenset(leak.canary for leak in found)
