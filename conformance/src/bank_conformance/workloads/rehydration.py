"""The read models are built anew, before an erasure and after it."""

from __future__ import annotations

from dataclasses import dataclass

from bank_conformance.bank.shapes import Entry, Erasure, read
from bank_conformance.history import History, Operation
from bank_conformance.hooks import HookError

from .parties import Party, at_rest, look, party, share, write
from .power import until_served
from .rest import scan
from .stage import Stage


@dataclass(slots=True)
class Shown:
    """What was shown of both parties at one time."""

    entries: dict[str, list[Entry]]
    subject_views: list[Operation]
    other_views: list[Operation]


@dataclass(slots=True)
class Rehydration:
    """What was shown before the erasure and after it, each time also after a rebuild."""

    history: History
    subject: Party
    other: Party
    control: Shown
    """After a rebuild with nobody erased."""
    erasure: Erasure | None = None
    before: Shown | None = None
    after: Shown | None = None
    failure: str = ""
    """What became of the rebuild after the erasure; empty where it ended well."""
    written: str = "written afterwards"
    """The name of a narrative that the other party's side got after that rebuild."""


async def rehydration(stage: Stage) -> Rehydration:
    """Build the read models anew; erase somebody; build them anew again, and write on."""
    subject, other = await party(stage, "subject"), await party(stage, "other party")
    sent = await share(stage, subject, other, "shared")
    await stage.hooks.run("rebuild")
    await until_served(stage)
    record = Rehydration(stage.history, subject, other, await _shown(stage, subject, other, sent))
    record.erasure = read(await stage.staff.erase(subject.customer_id), Erasure)
    record.before = await _shown(stage, subject, other, sent)
    try:
        await stage.hooks.run("rebuild")
        await until_served(stage)
    except HookError as error:
        record.failure = str(error)
        return record
    await write(stage.staff, other, record.written)
    record.after = await _shown(stage, subject, other, sent)
    return record


async def _shown(stage: Stage, subject: Party, other: Party, sent: list[str]) -> Shown:
    await at_rest(stage, subject, other)
    found = await scan(stage, [subject.account_id, other.account_id])
    views = [await look(stage.staff, one, sent) for one in (subject, other)]
    return Shown(found.entries, *views)
