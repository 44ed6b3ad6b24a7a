"""Evidence of a customer's events, asked for before and after their personal data is erased.

The checkpoints are those held from before: what was signed then must be provable for ever. Every
personal field is a canary, so that a leaf that holds plaintext is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bank_conformance.bank.shapes import Customer, Erasure, demand, read
from bank_conformance.history import History, Operation

from .erasure import make_personal
from .evidence import (
    Feed,
    Growth,
    Proof,
    covering,
    growths,
    heads,
    jws_of,
    prove,
    signing_keys,
    verify,
)
from .rest import settle
from .stage import Stage, gather

FUNDS_MINOR, TRANSFERS = 10_000, 4


@dataclass(slots=True)
class Erased:
    """What the bank proved before an erasure, and what it proves after it."""

    history: History
    keys: Operation
    canaries: Mapping[str, str]
    streams: tuple[str, ...]
    """The subject's: their own and their account's."""
    erasure: Erasure
    before: list[Proof]
    after: list[Proof] = field(default_factory=list)
    """The same events again, under the checkpoints held from before."""
    fresh: list[Proof] = field(default_factory=list)
    """The same events under the checkpoints of now."""
    growths: list[Growth] = field(default_factory=list)
    verification: Operation | None = None


async def sealed_proofs(stage: Stage) -> Erased:
    """Collect evidence, erase, and collect it again."""
    keys, feed = await signing_keys(stage), await Feed.at_its_end(stage)
    personal = make_personal()
    canaries = {**personal, "narrative": f"rent {personal['national_id']}"}
    subject = read(await stage.staff.register(personal), Customer).customer_id
    account, other = await stage.account(subject), await stage.account(await stage.customer())
    demand(await stage.staff.post(account, "CASH_DEPOSIT", FUNDS_MINOR, canaries["narrative"]))
    await gather(
        stage.staff.transfer(account, other, 10 + number, canaries["narrative"])
        for number in range(TRANSFERS)
    )
    await settle(stage)
    events = await feed.read()
    held = await covering(stage, heads(events))
    before = await prove(stage, events, held)
    erased = read(await stage.staff.erase(subject), Erasure)
    record = Erased(stage.history, keys, canaries, (subject, account), erased, before)
    demand(await stage.staff.post(other, "CASH_DEPOSIT", 1))
    latest = await covering(stage, heads(events) | heads(await feed.read()))
    record.after = await prove(stage, events, held)
    record.fresh = await prove(stage, events, latest)
    record.growths = await growths(stage.staff, [held, latest])
    record.verification = await verify(stage, jws_of(held.values()))
    return record
