"""CON-8: a snapshot of several accounts shows both legs of a transfer or neither."""

from __future__ import annotations

from collections.abc import Iterator

from bank_conformance.bank.past import Snapshot
from bank_conformance.bank.shapes import read
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.snapshots import Snapshots, snapshots

from .check import Check

CONSTANT = "in every snapshot of a closed group the balances add up to the same total"
WHOLE = "a snapshot shows each account that was asked for, once"
AT_REST = "a snapshot at rest shows the balances that the accounts have"
ANSWERED = "a snapshot is answered"


def both_legs_or_neither(record: Snapshots) -> Decision:
    """CON-8: the bank check on every snapshot, and the last one against the accounts at rest."""
    looks = [*record.taken, *([record.last] if record.last else [])]
    answered = [look for look in looks if look.ok]
    findings = [finding for look in looks for finding in _judge(record, look)]
    findings += _at_rest(record)
    sent = [one for one in record.history if one.call.route == "requestTransfer" and one.ok]
    views = {tuple(sorted(_balances(look).items())) for look in answered}
    return Decision(
        tuple(findings),
        (
            Coverage("snapshots", len(answered), 60),
            Coverage("transfers", len(sent), 60),
            Coverage("different snapshots", len(views), 20),
        ),
    )


def _balances(look: Operation) -> dict[str, int]:
    return {one.account_id: one.booked_minor for one in read(look, Snapshot).items}


def _judge(record: Snapshots, look: Operation) -> Iterator[Finding]:
    if not look.ok:
        yield Finding(ANSWERED, str(look), (look,), warning=True)
        return
    shown = read(look, Snapshot).items
    total = sum(one.booked_minor for one in shown)
    if sorted(one.account_id for one in shown) != sorted(record.accounts):
        yield Finding(WHOLE, f"{len(shown)} balances for {len(record.accounts)} ids", (look,))
    elif total != record.total_minor:
        text = f"the balances add up to {total}, the group owns {record.total_minor}"
        yield Finding(CONSTANT, text, (look,))


def _at_rest(record: Snapshots) -> Iterator[Finding]:
    if record.last is None or not record.last.ok:
        return
    shown = _balances(record.last)
    for account_id, account in record.rest.accounts.items():
        if account_id in shown and shown[account_id] != account.booked_minor:
            text = f"account {account_id}: {shown[account_id]}, booked is {account.booked_minor}"
            yield Finding(AT_REST, text, (record.last,))


CHECKS = (Check("CON-8", snapshots, both_legs_or_neither, needs=("snapshots",)),)
