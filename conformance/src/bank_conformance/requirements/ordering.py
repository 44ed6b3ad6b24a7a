"""ORD: the order of the commands on one account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec.structs import replace

from bank_conformance.bank.observe import arrivals, observations
from bank_conformance.bank.shapes import Entry, FeedEvent, difference, read
from bank_conformance.deciders.claimed_order import replay
from bank_conformance.deciders.gapless import breaks, changes
from bank_conformance.deciders.linearizability import (
    NODES_MAX,
    Explanation,
    claims_no_order,
    search,
)
from bank_conformance.history import Operation
from bank_conformance.model import Kind, Observation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.contention import Contention, contention
from bank_conformance.workloads.rest import Scan

from .check import Check, pick

MONEY_EVENTS = {"FundsCredited", "FundsDebited"}

GAPLESS = "the entries of an account are numbered 1, 2, 3 …, without a gap and without a repeat"
IMMUTABLE = (
    "what was read once is read again, byte for byte, at the beginning of every later reading"
)
SEQUENTIAL = "one sequential execution of the account explains every answer"


def gapless_and_immutable(record: Contention) -> Decision:
    """ORD-1: scan the histories and the feed, and compare every earlier reading with the last."""
    last, findings = record.scans[-1], list[Finding]()
    for account_id, entries in last.entries.items():
        findings += _numbering(account_id, entries, last.accounts[account_id].sequence)
    answers = _booked(record)
    findings += _not_as_answered(answers, last)
    for scan in record.scans[:-1]:
        findings += _rewritten(scan, last)
    if last.events is not None:
        findings += _feed_numbering(last.events)
        findings += _feed_agrees(last)
    earlier = sum(len(entries) for entries in record.scans[0].entries.values())
    return Decision(
        tuple(findings),
        (
            Coverage("entries", sum(len(entries) for entries in last.entries.values()), 100),
            Coverage("of them read twice", earlier, 50),
            Coverage("compared with their acknowledgement", len(answers), 50),
            Coverage("refusals in between", _refusals(record), 10),
            Coverage("feed events", len(last.events or ())),
        ),
    )


def _refusals(record: Contention) -> int:
    return sum(operation.code == "insufficient-funds" for operation in record.history)


def _numbering(
    account_id: str, entries: Sequence[Entry], sequence: int | None
) -> Iterator[Finding]:
    for place, expected, actual in breaks(entry.sequence for entry in entries):
        text = f"account {account_id}: entry {place + 1} has sequence {actual}, expected {expected}"
        yield Finding(GAPLESS, text)
    if len(entries) != sequence:
        text = f"account {account_id}: {len(entries)} entries in the history, sequence {sequence}"
        yield Finding(GAPLESS, f"{text} in the strong read, at rest")
    for before, after in pairwise(entries):
        if after.version <= before.version:
            text = f"account {account_id}: entry {after.sequence} has version {after.version}"
            yield Finding(GAPLESS, f"{text}, the one before it {before.version}")
        if after.balance_after_minor != before.balance_after_minor + after.signed_minor:
            text = f"account {account_id}: the balance after entry {after.sequence} does not follow"
            yield Finding(GAPLESS, f"{text} from the one before it")


def _booked(record: Contention) -> list[tuple[Operation, Entry]]:
    """Return the acknowledgements that showed an entry: the first reading that anyone had of it."""
    return [
        (operation, read(operation, Entry))
        for operation in record.history
        if operation.ok and operation.call.route in {"postEntry", "captureHold"}
    ]


def _not_as_answered(answers: Sequence[tuple[Operation, Entry]], last: Scan) -> Iterator[Finding]:
    """Compare acknowledgements with the history; the narrative is left to SHR."""
    for operation, answered in answers:
        entries = last.entries.get(answered.account_id, [])
        found = next((one for one in entries if one.sequence == answered.sequence), None)
        told, shown = replace(answered, narrative=None), found and replace(found, narrative=None)
        if told != shown:
            text = f"account {answered.account_id}: entry {answered.sequence} changed since it was"
            yield Finding(
                IMMUTABLE, f"{text} acknowledged: {difference(told, shown)}", (operation,)
            )


def _rewritten(earlier: Scan, later: Scan) -> Iterator[Finding]:
    for account_id, entries in earlier.entries.items():
        for change in changes(entries, later.entries[account_id]):
            text = f"account {account_id}: entry {change.place + 1} changed between two readings"
            yield Finding(IMMUTABLE, f"{text}: {difference(change.before, change.after)}")
    before, after = _by_partition(earlier.events or ()), _by_partition(later.events or ())
    for partition, events in before.items():
        for moved in changes(events, after.get(partition, [])):
            text = f"feed, partition {partition}: position {moved.before.position} changed"
            yield Finding(IMMUTABLE, f"{text}: {difference(moved.before, moved.after)}")


def _by_partition(events: Iterable[FeedEvent]) -> dict[int, list[FeedEvent]]:
    found: dict[int, list[FeedEvent]] = {}
    for event in events:
        found.setdefault(event.partition, []).append(event)
    return found


def _feed_numbering(events: Sequence[FeedEvent]) -> Iterator[Finding]:
    for partition, ours in _by_partition(events).items():
        positions = [event.position for event in ours]
        for _, expected, actual in breaks(positions, positions[0]):
            text = f"feed, partition {partition}: position {actual} came, expected {expected}"
            yield Finding("the positions of a partition are gapless", text)
    streams: dict[str, list[int]] = {}
    for event in events:
        streams.setdefault(event.stream_id, []).append(event.version)
    for stream_id, versions in streams.items():
        for _, expected, actual in breaks(versions, versions[0]):
            text = f"feed, stream {stream_id}: version {actual} came, expected {expected}"
            yield Finding("the versions of a stream are gapless", text)


def _feed_agrees(scan: Scan) -> Iterator[Finding]:
    """Compare the money events of each account with its history."""
    fed: dict[str, list[tuple[object, object]]] = {account_id: [] for account_id in scan.entries}
    for event in scan.events or ():
        if event.type in MONEY_EVENTS and event.stream_id in fed:
            pair = (event.data.get("sequence"), event.data.get("amount_minor"))
            fed[event.stream_id].append(pair)
    for account_id, entries in scan.entries.items():
        shown = [(entry.sequence, entry.amount_minor) for entry in entries]
        if fed[account_id] != shown:
            text = f"account {account_id}: the feed tells {len(fed[account_id])} entries"
            yield Finding(GAPLESS, f"{text}, the history {len(shown)}, or they differ in amount")


def sequentially_explained(record: Contention) -> Decision:
    """ORD-3: replay every account in its claimed order, and hold that order against real time.

    For a bank that claims none, look for one.
    """
    findings: list[Finding] = []
    seen: list[Observation] = []
    undecided: list[str] = []
    for account_id in record.accounts:
        ours = observations(record.history, account_id)
        seen += ours
        found = _explained(record, account_id, ours)
        undecided += [account_id] * found.out_of_budget
        findings += [
            Finding(SEQUENTIAL, f"account {account_id}: {text}", pick(record.history, indexes))
            for text, indexes in found.contradictions
        ]
    doubt = f"no order was found in {NODES_MAX:,} tries for {', '.join(undecided)}"
    return Decision(
        tuple(findings), _sequential_coverage(record, seen), doubt=doubt if undecided else ""
    )


def _explained(record: Contention, account_id: str, ours: list[Observation]) -> Explanation:
    entries = record.scans[-1].entries[account_id]
    if not claims_no_order(ours):
        return Explanation(replay(entries, ours), 0)
    return search(entries, ours, arrivals(record.history, account_id))


def _sequential_coverage(record: Contention, seen: list[Observation]) -> tuple[Coverage, ...]:
    refused = [item for item in seen if item.code == "insufficient-funds"]
    return (
        Coverage("answers compared", len(seen), 300),
        Coverage("overlapping pairs on one account", _overlaps(record), 200),
        Coverage("strong reads", sum(item.kind is Kind.READ for item in seen), 40),
        Coverage("refusals for want of money", len(refused), 10),
    )


def _overlaps(record: Contention) -> int:
    return sum(
        _count_overlaps(observations(record.history, account_id)) for account_id in record.accounts
    )


def _count_overlaps(items: Sequence[Observation]) -> int:
    """Count the pairs whose intervals overlap: those begun before an end, less those ended."""
    starts = sorted(item.invoked for item in items)
    ends = sorted(item.completed for item in items)
    count, ended = 0, 0
    for begun, start in enumerate(starts):
        while ends[ended] < start:
            ended += 1
        count += begun - ended
    return count


CHECKS = (
    Check("ORD-1", contention, gapless_and_immutable, needs=("numbers",)),
    Check("ORD-3", contention, sequentially_explained),
)
