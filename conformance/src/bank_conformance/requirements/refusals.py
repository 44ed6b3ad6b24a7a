"""CON-9: what was refused was never there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bank_conformance.bank.observe import traces
from bank_conformance.bank.shapes import Account, EntryPage, EventPage, read
from bank_conformance.deciders.aborted import Sight, aborted
from bank_conformance.history import Operation, Outcome
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.refusals import Refusals, refusals

from .check import Check, pick

NEVER_VISIBLE = "nothing that anybody reads shows an effect of a command that was refused"
COMMANDS = {"postEntry", "placeHold", "requestTransfer"}
MONEY_EVENTS = {"FundsCredited", "FundsDebited"}


def refused_never_seen(record: Refusals) -> Decision:
    """CON-9: the amounts of refused commands in all that was read, and the balances meanwhile."""
    rejected = _rejected(record)
    sights = list(_sights(record))
    findings = [
        Finding(
            NEVER_VISIBLE,
            f"{amount} minor units, which were refused, are shown: {record.history[sight]}",
            pick(record.history, (rejected[amount].index, sight)),
        )
        for amount, sight in aborted(rejected, sights)
    ]
    findings += _impossible_balances(record)
    ways = {operation.call.route for operation in rejected.values()}
    return Decision(
        tuple(findings),
        (
            Coverage("commands refused", len(rejected), 60),
            Coverage("ways to ask for money", len(ways), 2),
            Coverage("reads while they were decided", _beside(record, rejected), 60),
        ),
    )


def _rejected(record: Refusals) -> dict[int, Operation]:
    """Return the refused commands by the amount that only they moved."""
    badly = {
        trace.transfer_id
        for trace in traces(record.history).values()
        if trace.ended is not None and trace.state != "COMPLETED"
    }
    found, others = dict[int, Operation](), set[int]()
    for operation in (one for one in record.history if one.call.route in COMMANDS):
        body = operation.answer.body if operation.answer else None
        transfer_id = body.get("transfer_id") if isinstance(body, dict) else None
        if operation.outcome is Outcome.FAIL or (operation.ok and transfer_id in badly):
            found[operation.call.body["amount_minor"]] = operation
        else:
            others.add(operation.call.body["amount_minor"])
    return {amount: operation for amount, operation in found.items() if amount not in others}


def _sights(record: Refusals) -> Iterator[Sight]:
    """Return the amounts that every page of a history and of the feed shows."""
    for operation in (operation for operation in record.history if operation.ok):
        if operation.call.route == "listEntries":
            for entry in read(operation, EntryPage).items:
                yield Sight(entry.amount_minor, operation.index)
        elif operation.call.route == "readEvents":
            for event in read(operation, EventPage).items:
                booked = event.type in MONEY_EVENTS
                amount = event.data.get("amount_minor") if booked else None
                amounts = {abs(posting.amount_minor) for posting in event.postings}
                for shown in amounts | ({amount} if isinstance(amount, int) else set()):
                    yield Sight(shown, operation.index)


@dataclass(frozen=True, slots=True)
class _Poor:
    """What the account of refused commands may show: its funds and deposits, nothing held."""

    funds: int
    deposits: int

    def explains(self, account: Account) -> bool:
        booked = self.funds <= account.booked_minor <= self.funds + self.deposits
        return booked and account.held_minor == 0


def _impossible_balances(record: Refusals) -> Iterator[Finding]:
    ours = [one for one in record.history if record.poor in one.call.url]
    unclear = [one for one in record.history if one.outcome is Outcome.INFO]
    poor = _Poor(record.funds_minor, sum(_is_deposit(one) for one in ours))
    for operation in ours:
        if operation.call.route != "getAccount" or not operation.ok or unclear:
            continue
        account = read(operation, Account)
        if not poor.explains(account):
            text = f"booked {account.booked_minor}, held {account.held_minor}, where only"
            text += f" {poor.funds} and deposits of 1 were ever accepted"
            yield Finding(NEVER_VISIBLE, text, _around(record, operation))


def _is_deposit(operation: Operation) -> bool:
    return operation.call.route == "postEntry" and operation.call.body["amount_minor"] == 1


def _around(record: Refusals, sight: Operation) -> tuple[Operation, ...]:
    """Return the refused commands that were being decided when something was seen."""
    beside = [
        one
        for one in record.history
        if one.call.route in COMMANDS and one.outcome is Outcome.FAIL and _overlap(one, sight)
    ]
    return (*beside, sight)


def _beside(record: Refusals, rejected: dict[int, Operation]) -> int:
    """Count the reads that overlap a refused command."""
    reads = [one for one in record.history if one.call.method == "GET"]
    return sum(any(_overlap(one, command) for command in rejected.values()) for one in reads)


def _overlap(one: Operation, other: Operation) -> bool:
    return one.invoked < other.completed and other.invoked < one.completed


CHECKS = (Check("CON-9", refusals, refused_never_seen),)
