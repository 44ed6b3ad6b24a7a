"""ORD-5 and ORD-6: what is shown follows the log, while it is being written too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

from bank_conformance.bank.shapes import Entry, EntryPage, difference, read
from bank_conformance.deciders.gapless import breaks
from bank_conformance.deciders.live_tail import Late, late
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.contention import Contention, contention

from .check import Check, pick

IN_LOG_ORDER = "every page of a history shows entries in the order of the log, and leaves none out"
SAME_ENTRY = "a page shows each entry as the log has it"
FEED_ORDER = "the log has the entries of an account in the order of their sequence"
NEVER_BEHIND = "nothing appears in the feed at or below a position that was delivered"
MONEY_EVENTS = {"FundsCredited", "FundsDebited"}


def histories_follow_the_log(record: Contention) -> Decision:
    """ORD-5: every page that anybody read, against the entries and the feed at rest."""
    log = record.scans[-1].entries
    pages = [one for one in record.history if one.ok and one.call.route == "listEntries"]
    findings, compared = list[Finding](), 0
    for operation in pages:
        entries = read(operation, EntryPage).items
        compared += len(entries)
        findings += _disordered(operation, entries)
        findings += _unlike(operation, entries, log)
    findings += _log_disordered(record)
    during = [one for one in pages if one.session.startswith("client ")]
    return Decision(
        tuple(findings),
        (
            Coverage("pages read during the storm", len(during), 20),
            Coverage("entries compared", compared, 500),
            Coverage("feed events", len(record.scans[-1].events or ())),
        ),
    )


def _disordered(operation: Operation, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Compare the order of a page with its sequences: none may be missing in between."""
    query = parse_qs(urlsplit(operation.call.url).query)
    numbers = [entry.sequence for entry in entries]
    if not numbers:
        return
    if query.get("order") == ["desc"]:
        numbers.reverse()
    from_the_start = query.get("order") != ["desc"] and "cursor" not in query
    for _, expected, actual in breaks(numbers, 1 if from_the_start else numbers[0]):
        text = f"{operation}: sequence {actual} is shown where {expected} comes in the log"
        yield Finding(IN_LOG_ORDER, text, (operation,))


def _unlike(
    operation: Operation, entries: Sequence[Entry], log: dict[str, list[Entry]]
) -> Iterator[Finding]:
    for entry in entries:
        ours = log.get(entry.account_id, [])
        known = ours[entry.sequence - 1] if 0 < entry.sequence <= len(ours) else None
        if known != entry:
            text = f"{operation}: entry {entry.sequence}: {difference(entry, known)}"
            yield Finding(SAME_ENTRY, text, (operation,))


def _log_disordered(record: Contention) -> Iterator[Finding]:
    """Compare the order of positions with that of sequences, account by account."""
    fed: dict[str, list[int]] = {account_id: [] for account_id in record.accounts}
    for event in record.scans[-1].events or ():
        if event.type in MONEY_EVENTS and event.stream_id in fed:
            fed[event.stream_id].append(int(event.data.get("sequence", 0)))
    for account_id, numbers in fed.items():
        for _, expected, actual in breaks(numbers):
            text = f"account {account_id}: sequence {actual} comes in the feed, expected {expected}"
            yield Finding(FEED_ORDER, text)


def nothing_appears_behind(record: Contention) -> Decision:
    """ORD-6: what a live consumer was delivered, against the log at rest."""
    final = record.scans[-1].events or []
    delivered = [delivery.event for delivery in record.tail]
    reads = {delivery.operation for delivery in record.tail}
    return Decision(
        tuple(_behind(record, one) for one in late(delivered, final)),
        (
            Coverage("events delivered live", len(delivered), 200),
            Coverage("in so many deliveries", len(reads), 20),
            Coverage("events in the log", len(final), 200),
        ),
    )


def _behind(record: Contention, one: Late) -> Finding:
    event = one.event
    text = f"partition {event.partition}, position {event.position} ({event.type}) {one.how}"
    if one.delivery is not None:
        reads = [record.tail[one.delivery].operation]
    else:
        beyond = (
            delivery.operation
            for delivery in record.tail
            if delivery.event.partition == event.partition
            and delivery.event.position >= event.position
        )
        reads = [next(beyond)]
    return Finding(NEVER_BEHIND, text, pick(record.history, reads))


CHECKS = (
    Check("ORD-5", contention, histories_follow_the_log),
    Check("ORD-6", contention, nothing_appears_behind, needs=("feed",)),
)
