"""A customer is read at every address of the bank, is erased at one of them, and goes on being read
everywhere, so that what is kept at hand stays at hand; then another one, erased elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Erasure, Transfer, read
from bank_conformance.history import History, Operation, now

from .parties import Party, at_rest, glance, narrative, party
from .stage import Stage, gather

POLL_SECONDS, STEADY_SECONDS = 0.2, 0.5
"""How often is looked, and for how long once nothing may show any more."""


@dataclass(slots=True)
class Gone:
    """Somebody who was erased at one address."""

    party: Party
    transfer_id: str
    """Of theirs, under a narrative."""
    erasure: Erasure
    erased: float
    """When that was answered, on the clock of the histories."""
    effective: float
    """From when on nothing may show."""
    control: list[Operation]
    """What every address showed before."""
    views: list[Operation] = field(default_factory=list)
    """What they showed afterwards, from the erasure's answer on."""
    late: dict[str, str] = field(default_factory=dict)
    """The narratives of commands that came too late."""


@dataclass(slots=True)
class Replicas:
    """What each address showed."""

    history: History
    given: int
    """How many replicas the target file names."""
    addresses: list[str] = field(default_factory=list)
    """Those that serve, by the names of their sessions."""
    gone: list[Gone] = field(default_factory=list)


async def replicas(stage: Stage) -> Replicas:
    """Erase one customer at the bank's first address and one at the last, and look everywhere."""
    async with stage.replicas() as others:
        addresses = [stage.session("first address"), *others]
        names = [one.name for one in addresses]
        record = Replicas(stage.history, len(stage.target.replicas), names)
        for at in (addresses[0], addresses[-1]) if others else ():
            record.gone.append(await _erase_at(at, stage, addresses))
    return record


async def _erase_at(at: Session, stage: Stage, addresses: list[Session]) -> Gone:
    """Erase somebody at one address, and look at all of them past the published time.

    One after the other: an erasure may well make its own address forget whatever it keeps.
    """
    whose = await party(stage, f"customer erased at the {at.name}")
    words, payee = narrative(), await stage.account(await stage.customer())
    whose.narratives["transfer"] = words
    sent = read(await at.transfer(whose.account_id, payee, 1, words), Transfer).transfer_id
    await at_rest(stage, whose)
    control = await _everywhere(addresses, whose, sent)
    answer = await at.erase(whose.customer_id)
    allowed = stage.limits.erasure_effective_seconds * stage.limits.time_scale
    erased, effective = answer.completed, answer.completed + allowed
    gone = Gone(whose, sent, read(answer, Erasure), erased, effective, control)
    while now() < effective + STEADY_SECONDS:
        gone.views += await _everywhere(addresses, whose, sent)
        await stage.wait(POLL_SECONDS)
    await _come_too_late(addresses, gone)
    return gone


async def _come_too_late(addresses: list[Session], gone: Gone) -> None:
    for at in addresses:
        words = gone.late[f"deposit at the {at.name}"] = narrative()
        await at.post(gone.party.account_id, "CASH_DEPOSIT", 1, words)
    gone.views += await _everywhere(addresses, gone.party, gone.transfer_id)


async def _everywhere(addresses: list[Session], whose: Party, transfer_id: str) -> list[Operation]:
    found = await gather(glance(at, whose) for at in addresses)
    transfers = await gather(at.transfer_state(transfer_id) for at in addresses)
    return [*transfers, *(view for views in found for view in views)]
