"""A back-up from before an erasure is put in place after it."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bank_conformance.bank.shapes import Erasure
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.history import History, Operation, now

from .copies import POLL_SECONDS, erase_to_end
from .erasure import shown
from .parties import Party, look, narrative, party, share
from .power import until_served
from .stage import Stage


@dataclass(slots=True)
class Restoring:
    """What the bank showed before, and what it shows once the old back-up is in place."""

    history: History
    subject: Party
    other: Party
    control: list[Operation]
    """What showed the canaries before the back-up."""
    erasure: Erasure
    views: list[Operation] = field(default_factory=list)
    """What shows the subject after the restore."""
    other_views: list[Operation] = field(default_factory=list)
    """What shows the other party after it."""
    commands: list[Operation] = field(default_factory=list)
    """Commands for the subject after it."""
    newer: list[Operation] = field(default_factory=list)
    """Reads of what is newer than the back-up: it must be gone, or nothing was restored."""


async def restoring(stage: Stage) -> Restoring:
    """Back up, erase, restore, and look."""
    subject, other = await party(stage, "subject"), await party(stage, "other party")
    sent = await share(stage, subject, other, "shared narrative")
    control = await look(stage.staff, subject, sent) + await look(stage.staff, other)
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        backup = str(Path(folder) / "backup")
        await stage.hooks.run("backup", folder=backup)
        newer = await stage.customer()
        erasure = await erase_to_end(stage, subject.customer_id)
        record = Restoring(stage.history, subject, other, control, erasure)
        await stage.hooks.run("stop")
        await stage.hooks.run("restore", folder=backup)
    await stage.hooks.run("start")
    await until_served(stage)
    record.newer = [await stage.staff.customer(newer)]
    await _look_until_clean(stage, record, sent)
    record.commands = [
        await stage.staff.open(subject.customer_id),
        await stage.staff.post(subject.account_id, "CASH_DEPOSIT", 1, narrative()),
    ]
    record.views += await look(stage.staff, subject, sent)
    return record


async def _look_until_clean(stage: Stage, record: Restoring, sent: list[str]) -> None:
    """Look again until all is as it must be, at most as long as an erasure may take."""
    subject, other = record.subject, record.other
    gone, kept = Scanner(subject.canaries), Scanner(other.canaries)
    seconds = stage.limits.erasure_effective_seconds * stage.limits.time_scale
    deadline = now() + seconds
    while True:
        record.views = await look(stage.staff, subject, sent)
        record.other_views = await look(stage.staff, other)
        dirty = any(gone.scan(shown(view)) for view in record.views)
        found = {leak.canary for view in record.other_views for leak in kept.scan(shown(view))}
        if (not dirty and len(found) == len(other.canaries)) or now() > deadline:
            return
        await asyncio.sleep(POLL_SECONDS)
