"""Customers are erased, and the receipts that the bank gives for it are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bank_conformance.bank.shapes import Customer, demand, read
from bank_conformance.history import History, Operation

from .erasure import make_personal
from .evidence import signing_keys
from .stage import Stage

SUBJECTS, FUNDS_MINOR = 4, 1_000


@dataclass(frozen=True, slots=True)
class Erased:
    """Somebody who was erased, with every answer that tells of it."""

    known: Mapping[str, str]
    """What would name them: personal data, ids, the key of the request."""
    answers: tuple[Operation, ...]


@dataclass(slots=True)
class Receipts:
    """The public keys, read before there was any receipt, and those who were erased."""

    history: History
    keys: Operation
    erased: list[Erased] = field(default_factory=list)


async def receipts(stage: Stage) -> Receipts:
    """Give each subject a history, erase them, and ask again."""
    record = Receipts(stage.history, await signing_keys(stage))
    for number in range(SUBJECTS):
        stage.progress(number, SUBJECTS)
        record.erased.append(await _erase(stage))
    return record


async def _erase(stage: Stage) -> Erased:
    personal, staff = make_personal(), stage.staff
    subject = read(await staff.register(personal), Customer).customer_id
    account, narrative = await stage.account(subject), f"rent {personal['national_id']}"
    demand(await staff.post(account, "CASH_DEPOSIT", FUNDS_MINOR, narrative))
    demand(await staff.post(account, "CASH_WITHDRAWAL", FUNDS_MINOR))
    answers = (demand(await staff.erase(subject)), await staff.erasure(subject))
    known = {**personal, "narrative": narrative, "customer id": subject, "account id": account}
    return Erased(known, answers)
