"""ORD-7: of several commands on one expected version exactly one wins."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bank_conformance.bank.shapes import Entry, read
from bank_conformance.deciders.multiplicity import Intent, miscounts
from bank_conformance.history import Outcome
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.rivals import Race, Rival, Rivals, rivals

from .check import Check, pick

ONE_WINS = "of several commands on one expected version exactly one is done, the others are refused"
ITS_EFFECT = "who won has its effect once, who was refused has none"
SAID_SO = "a command on a version that moved is refused with 412"
MOVED = 412


def one_winner(record: Rivals) -> Decision:
    """ORD-7: the winners of every race, and the effects of all who took part."""
    findings: list[Finding] = []
    for race in record.races:
        findings += _winners(race)
        findings += _silent(race)
    findings += _effects(record)
    raced = [race for race in record.races if _overlap(race.rivals)]
    return Decision(
        tuple(findings),
        (
            Coverage("races with at least two in flight", len(raced), 10),
            Coverage("rivals refused", sum(len(_refused(race)) for race in raced), 30),
            Coverage("effects counted", len(record.booked), 10),
        ),
    )


def _winners(race: Race) -> Iterator[Finding]:
    everyone = (*race.rivals, race.latecomer)
    won = [one for one in everyone if one.operation.ok]
    unclear = [one for one in everyone if one.operation.outcome is Outcome.INFO]
    if len(won) > 1 or (not won and not unclear):
        text = f"{len(won)} of {len(everyone)} commands on version {race.version} were done"
        yield Finding(ONE_WINS, text, tuple(one.operation for one in won or everyone))
    for one in won:
        made = read(one.operation, Entry).version
        if made != race.version + 1:
            text = f"a command on version {race.version} was done at version {made}"
            yield Finding(ONE_WINS, text, (one.operation,))


def _silent(race: Race) -> Iterator[Finding]:
    """Warn of refusals that do not say why; a busy bank may give up a race with 409."""
    odd = [one for one in _refused(race) if one.operation.status not in {MOVED, 409}]
    if odd:
        text = f"{len(odd)} refusals were answered {odd[0].operation.status}, expected {MOVED}"
        yield Finding(SAID_SO, text, tuple(one.operation for one in odd), warning=True)


def _effects(record: Rivals) -> Iterator[Finding]:
    everyone = [one for race in record.races for one in (*race.rivals, race.latecomer)]
    intents = [
        Intent(one.amount, (one.operation.outcome,), (one.operation.index,)) for one in everyone
    ]
    for wrong in miscounts(intents, record.booked):
        calls = pick(record.history, wrong.intent.operations) if wrong.intent else ()
        yield Finding(ITS_EFFECT, f"amount {wrong.mark}: {wrong}", calls)


def _refused(race: Race) -> list[Rival]:
    everyone = (*race.rivals, race.latecomer)
    return [one for one in everyone if one.operation.outcome is Outcome.FAIL]


def _overlap(rivals: tuple[Rival, ...]) -> bool:
    sent = sorted((one.operation for one in rivals), key=lambda operation: operation.invoked)
    return any(later.invoked < earlier.completed for earlier, later in pairwise(sent))


CHECKS = (Check("ORD-7", rivals, one_winner, needs=("versions",)),)
