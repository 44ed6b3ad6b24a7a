"""CON: money is conserved, transfers end one way, and both sides see them in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bank_conformance.bank.observe import Trace, traces
from bank_conformance.bank.shapes import Entry, Hold, Transfer, read
from bank_conformance.deciders.prefix_sums import balances, imbalances
from bank_conformance.deciders.stable_latency import (
    Judgement,
    Latency,
    Share,
    decisive,
    latency,
    share,
    worst,
)
from bank_conformance.deciders.state_machine import Sighting, illegal_moves
from bank_conformance.history import History, Outcome
from bank_conformance.verdict import Coverage, Decision, Finding, Samples
from bank_conformance.workloads.contention import Contention, contention
from bank_conformance.workloads.observer import LOOK_SECONDS, Watched
from bank_conformance.workloads.rest import Scan
from bank_conformance.workloads.visibility import GIVE_UP_SECONDS, Visibility, visibility

from .check import Check, pick

BOUND_SECONDS = 2.0
"""The normative bound: no time scale touches it."""

CONFIDENCE, VIOLATING_SHARE_MAX = 0.95, 0.005
LAG_SECONDS_MAX = 0.1
"""Who sends a transfer later than this cannot blame the bank for it."""

ZERO = "the postings of every event add up to zero, so the log does at every position"
CONSTANT = "transfers move money between accounts and never change its total"
ONE_END = "an accepted transfer ends in exactly one terminal state, both legs booked or none"
NOTHING_HELD = "a transfer that ended holds no money"
VISIBLE = "a transfer shows in both accounts' histories within 2 s of its intended start, for good"


def conserved(record: Contention) -> Decision:
    """CON-1: prefix sums of the feed, and the total of all accounts at rest."""
    findings: list[Finding] = []
    for scan in record.scans:
        findings += _transfers_that_moved_the_total(record.history, scan)
    last = record.scans[-1]
    if last.events is not None:
        findings += _unbalanced(last)
    moved = [entry for entries in last.entries.values() for entry in entries if entry.transfer_id]
    return Decision(
        tuple(findings),
        (
            Coverage("times at rest", len(record.scans), 2),
            Coverage("entries of transfers", len(moved), 60),
            Coverage("feed positions", len(last.events or ())),
        ),
    )


def _transfers_that_moved_the_total(history: History, scan: Scan) -> Iterator[Finding]:
    net: Counter[str] = Counter()
    for entry in (entry for entries in scan.entries.values() for entry in entries):
        if entry.transfer_id:
            net[entry.transfer_id] += entry.signed_minor
    known = traces(history)
    for transfer_id, amount in net.items():
        if amount:
            calls = known[transfer_id].telling() if transfer_id in known else ()
            text = f"transfer {transfer_id} changed the total by {amount} minor units, at rest"
            yield Finding(CONSTANT, text, calls)
    booked = sum(account.booked_minor for account in scan.accounts.values())
    posted = sum(entry.signed_minor for entries in scan.entries.values() for entry in entries)
    if booked != posted:
        text = f"the balances add up to {booked} minor units, the histories to {posted}"
        yield Finding("balances are the sum of the history", text)


def _unbalanced(scan: Scan) -> Iterator[Finding]:
    events = scan.events or []
    for wrong in imbalances(events):
        place = f"partition {wrong.partition}, position {wrong.position} ({wrong.event.type})"
        text = f"after {place} all postings add up to {wrong.total_minor} {wrong.currency}"
        yield Finding(ZERO, text)
    sums = balances(events)
    for account_id, account in scan.accounts.items():
        posted = sums[account_id, account.currency]
        if posted != account.booked_minor:
            text = (
                f"account {account_id}: the feed posts {posted}, booked is {account.booked_minor}"
            )
            yield Finding("the feed carries every posting of an account", text)


def one_end(record: Contention) -> Decision:
    """CON-3: the life of every transfer, its legs in both histories, and no hold left behind."""
    last = record.scans[-1]
    known = traces(record.history)
    legs = _legs(last)
    findings: list[Finding] = []
    for trace in known.values():
        findings += _life(trace)
        findings += _leg_findings(trace, legs.get(trace.transfer_id, []))
    findings += _unknown_legs(record.history, legs.keys() - known.keys())
    findings += _held(record.history, last)
    ends = Counter(trace.state for trace in known.values())
    refused = sum(
        operation.call.route == "requestTransfer" and operation.outcome is Outcome.FAIL
        for operation in record.history
    )
    return Decision(
        tuple(findings),
        (
            Coverage("completed", ends["COMPLETED"], 30),
            Coverage("failed after acceptance", ends["FAILED"]),
            Coverage("cancelled", ends["CANCELLED"]),
            Coverage("refused", refused, 5),
        ),
    )


def _legs(scan: Scan) -> dict[str, list[Entry]]:
    legs: dict[str, list[Entry]] = {}
    for entry in (entry for entries in scan.entries.values() for entry in entries):
        if entry.transfer_id:
            legs.setdefault(entry.transfer_id, []).append(entry)
    return legs


def _life(trace: Trace) -> Iterator[Finding]:
    calls = trace.telling()
    seen = [(operation, read(operation, Transfer)) for operation in trace.operations]
    sightings = [
        Sighting(
            operation.invoked, operation.completed, state.state, state.version, operation.index
        )
        for operation, state in seen
    ]
    for earlier, later in illegal_moves(sightings):
        text = f"transfer {trace.transfer_id} was {earlier.state} and then {later.state}"
        yield Finding(ONE_END, f"{text} (version {earlier.version}, then {later.version})", calls)
    if trace.ended is None:
        text = f"transfer {trace.transfer_id} is still {trace.state} when all should be at rest"
        yield Finding(ONE_END, text, calls)


def _leg_findings(trace: Trace, legs: Sequence[Entry]) -> Iterator[Finding]:
    due = sorted([(trace.source, "DBIT"), (trace.target, "CRDT")])
    booked = sorted((leg.account_id, leg.direction) for leg in legs)
    if trace.state == "COMPLETED" and booked != due:
        what = f"completed with {len(legs)} legs, expected one on each side"
    elif trace.state != "COMPLETED" and booked:
        what = f"is {trace.state} with {len(legs)} legs, expected none"
    elif any(leg.amount_minor != trace.amount_minor for leg in legs):
        what = f"has a leg of another amount than {trace.amount_minor}"
    else:
        return
    yield Finding(ONE_END, f"transfer {trace.transfer_id} {what}", trace.telling())


def _unknown_legs(history: History, unknown: set[str]) -> Iterator[Finding]:
    unclear = sum(
        operation.call.route == "requestTransfer" and operation.outcome is Outcome.INFO
        for operation in history
    )
    if len(unknown) > unclear:
        example = min(unknown)
        text = f"{len(unknown)} transfers were booked that nobody asked for, such as {example}"
        yield Finding(ONE_END, text)


def _held(history: History, scan: Scan) -> Iterator[Finding]:
    """Compare what is held at rest with the holds that clients placed and did not end."""
    if any(op.outcome is Outcome.INFO and "hold" in op.call.route.lower() for op in history):
        return
    open_holds: dict[str, tuple[str, int]] = {}
    for operation in (operation for operation in history if operation.ok):
        if operation.call.route == "placeHold":
            hold = read(operation, Hold)
            open_holds[hold.hold_id] = (hold.account_id, hold.amount_minor)
    for operation in (operation for operation in history if operation.ok):
        if operation.call.route in {"captureHold", "releaseHold"}:
            open_holds.pop(operation.call.url.split("/")[-2], None)
    due: Counter[str] = Counter()
    for account_id, amount in open_holds.values():
        due[account_id] += amount
    for account_id, account in scan.accounts.items():
        if account.held_minor != due[account_id]:
            text = f"account {account_id} holds {account.held_minor} minor units at rest"
            yield Finding(NOTHING_HELD, f"{text}, clients' own holds are {due[account_id]}")


def visible_in_time(record: Visibility) -> Decision:
    """CON-5: interval-censored latencies from the intended start, and an exact bound on the
    share.
    """
    sent = [(watched, _latency(watched)) for watched in record.watched if watched.looks]
    judged = share([late for _, late in sent], BOUND_SECONDS)
    broken = [pair for pair in sent if _breaks(pair[1])]
    blamed = [pair for pair in broken if pair[0].lag_seconds <= LAG_SECONDS_MAX]
    unclear = judged.judged[Judgement.AMBIGUOUS] + len(broken) - len(blamed)
    supported = 1 - judged.violating_share_max(CONFIDENCE)
    slowest = max((late.high for _, late in sent), default=0.0)
    return Decision(
        tuple(_too_late(record.history, watched, late) for watched, late in blamed),
        (
            Coverage("transfers watched to the end", len(sent), _sample(record)),
            Coverage("ms until the slowest showed", round(1000 * min(slowest, GIVE_UP_SECONDS))),
        ),
        note=f"slowest {slowest * 1000:.0f} ms; {_claim(judged, supported)} at 95 % confidence",
        doubt=_doubt(unclear, supported),
        samples=_samples([late for _, late in sent]),
    )


def _latency(watched: Watched) -> Latency:
    return worst([latency(watched.intended, looks) for looks in watched.looks.values()])


def _claim(judged: Share, supported: float) -> str:
    """Say what the sample supports: a share that is met, or one that certainly is not."""
    if missed := judged.violating_share_min(CONFIDENCE):
        return f"more than {missed:.2%} not within 2 s"
    return f"within 2 s for at least {supported:.2%}"


def _samples(latencies: Sequence[Latency]) -> Samples:
    capped = tuple(round(1000 * min(late.high, GIVE_UP_SECONDS), 1) for late in latencies)
    what = f"from intended start to seen in both accounts (looked for every {LOOK_SECONDS} s)"
    return Samples(what, capped, 1000 * BOUND_SECONDS)


def _breaks(late: Latency) -> bool:
    return late.judge(BOUND_SECONDS) in {Judgement.VIOLATED, Judgement.VANISHED}


def _sample(record: Visibility) -> int:
    """Return how many must have been watched: all but one in a hundred."""
    return len(record.watched) * 99 // 100


def _too_late(history: History, watched: Watched, late: Latency) -> Finding:
    if not late.stable:
        text = f"transfer {watched.transfer_id} was visible, and then was not"
    else:
        text = f"transfer {watched.transfer_id} was not visible {late.low:.3f} s after its start"
    seen = [look.operation for looks in watched.looks.values() for look in decisive(looks)]
    looks = pick(history, sorted(index for index in seen if index >= 0))
    return Finding(VISIBLE, text, (*watched.tries, *looks))


def _doubt(unclear: int, supported: float) -> str:
    if unclear:
        text = f"{unclear} transfers can be counted neither as met nor as violated"
        return (
            f"{text}: they showed at about 2 s, or this machine was too busy to send them in time"
        )
    if supported < 1 - VIOLATING_SHARE_MAX:
        return (
            f"too few transfers: they support {supported:.2%}, wanted {1 - VIOLATING_SHARE_MAX:.2%}"
        )
    return ""


CHECKS = (
    Check("CON-1", contention, conserved),
    Check("CON-3", contention, one_end),
    Check("CON-5", visibility, visible_in_time),
)
