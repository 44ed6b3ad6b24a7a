"""The keys are rotated while two parties write; one of them is erased; they are rotated again."""

from __future__ import annotations

from dataclasses import dataclass, field

from bank_conformance.bank.shapes import Erasure, read
from bank_conformance.history import History, Operation

from .parties import Party, at_rest, look, party, write
from .power import until_served
from .stage import Stage


@dataclass(frozen=True, slots=True)
class Turn:
    """What was shown of both parties after a step, and what had been planted until then."""

    after: str
    planted: dict[str, str]
    """On the side of the party who is erased in the end."""
    views: list[Operation]
    other_planted: dict[str, str]
    other_views: list[Operation]


@dataclass(slots=True)
class Rotation:
    """The steps before the erasure and after it."""

    history: History
    kept: list[Turn] = field(default_factory=list)
    """While nobody is erased: everything planted is readable."""
    erasure: Erasure | None = None
    erased: list[Turn] = field(default_factory=list)
    """Once one is: nothing of theirs is."""


async def rotation(stage: Stage) -> Rotation:
    """Write and rotate, erase and rotate; look after each step."""
    record = Rotation(stage.history)
    subject, other = await party(stage, "subject"), await party(stage, "other party")
    record.kept.append(await _turn(stage, "the first entries", subject, other))
    for name in ("the first rotation", "the second rotation"):
        await _rotate(stage)
        record.kept.append(await _turn(stage, name, subject, other))
        for one in (subject, other):
            await write(stage.staff, one, f"written after {name}")
    record.kept.append(await _turn(stage, "the last entries", subject, other))
    record.erasure = read(await stage.staff.erase(subject.customer_id), Erasure)
    record.erased.append(await _turn(stage, "the erasure", subject, other))
    await _rotate(stage)
    record.erased.append(await _turn(stage, "a rotation after the erasure", subject, other))
    return record


async def _rotate(stage: Stage) -> None:
    await stage.hooks.run("rotate")
    await until_served(stage)


async def _turn(stage: Stage, after: str, subject: Party, other: Party) -> Turn:
    await at_rest(stage, subject, other)
    views, others = [await look(stage.staff, one) for one in (subject, other)]
    return Turn(after, dict(subject.canaries), views, dict(other.canaries), others)
