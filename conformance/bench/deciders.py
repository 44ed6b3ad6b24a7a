#!/usr/bin/env python3
"""How many operations a second the deciders decide on one core, and in how much memory.

    python conformance/bench/deciders.py [--operations 1000000] [--accounts 1000] [--json FILE]

Plays a healthy bank in memory: deposits, withdrawals, holds, refusals and strong reads of many
accounts by forty clients that overlap. What it records goes to the deciders as from a real bank:
claimed order (ORD-3), numbers (ORD-1), real time (ORD-2) and prefix sums (CON-1). Nothing may be
found. A second, smaller history tells how time and memory grow: by n log n at most.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bank_conformance.bank.shapes import Entry, FeedEvent, Posting
from bank_conformance.deciders.claimed_order import replay
from bank_conformance.deciders.gapless import breaks
from bank_conformance.deciders.prefix_sums import imbalances
from bank_conformance.deciders.realtime import inversions
from bank_conformance.history import Outcome
from bank_conformance.model import INSUFFICIENT, Kind, Observation, Reading

CLIENTS, SEED = 40, 7
AMOUNT_MAX = 100
SMALL_PART = 10
"""The smaller history has so many times fewer operations."""


@dataclass(slots=True)
class Account:
    """An account of the healthy bank, and all that was seen of it."""

    name: str
    version: int = 1
    booked: int = 0
    held: int = 0
    holds: list[tuple[str, int]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)


@dataclass(slots=True)
class Recorded:
    """What a run of so many operations leaves behind."""

    accounts: list[Account]
    operations: int


def record(operations: int, count: int) -> Recorded:
    """Let clients call the bank; each call takes effect somewhere between its two ends."""
    die = Random(SEED)  # noqa: S311  to be repeated, not to be secret
    accounts = [Account(f"acc_{number}") for number in range(count)]
    for account in accounts:
        opening = Observation(0, Kind.OPEN, 0.0, 0.5, Outcome.OK, version=1)
        account.seen.append(opening)
    for number in range(operations):
        at = 1.0 + number
        began, ended = at - die.random() * CLIENTS, at + die.random() * CLIENTS
        _play(die, die.choice(accounts), number, max(0.6, began), ended)
    return Recorded(accounts, operations)


def _play(die: Random, account: Account, number: int, began: float, ended: float) -> None:
    amount, available = die.randint(1, AMOUNT_MAX), account.booked - account.held
    match die.randrange(8):
        case 0 | 1 | 2:
            _book(account, Kind.CREDIT, amount, number, began, ended)
        case 3 | 4 if amount <= available:
            _book(account, Kind.DEBIT, amount, number, began, ended)
        case 5 if amount <= available:
            _hold(account, amount, number, began, ended)
        case 6 if account.holds:
            _release(account, number, began, ended)
        case 3 | 4 | 5:
            told: dict[str, Any] = {"version": account.version, "amount": amount}
            told |= {"outcome": Outcome.FAIL, "code": INSUFFICIENT}
            _see(account, Kind.DEBIT, number, began, ended, **told)
        case _:
            reading = Reading(
                account.booked, account.held, available, 0, None, len(account.entries)
            )
            _see(account, Kind.READ, number, began, ended, version=account.version, reading=reading)


def _book(
    account: Account, kind: Kind, amount: int, number: int, began: float, ended: float
) -> None:
    account.booked += amount if kind is Kind.CREDIT else -amount
    account.version += 1
    account.entries.append(
        Entry(
            account.name,
            len(account.entries) + 1,
            account.version,
            "CRDT" if kind is Kind.CREDIT else "DBIT",
            "CASH_DEPOSIT" if kind is Kind.CREDIT else "CASH_WITHDRAWAL",
            amount,
            "EUR",
            account.booked,
            "2026-11-23T00:00:00Z",
            "2026-11-23",
        )
    )
    _see(account, kind, number, began, ended, version=account.version, amount=amount)


def _hold(account: Account, amount: int, number: int, began: float, ended: float) -> None:
    hold = f"hld_{number}"
    account.held += amount
    account.version += 1
    account.holds.append((hold, amount))
    told: dict[str, Any] = {"version": account.version, "amount": amount, "subject": hold}
    _see(account, Kind.HOLD, number, began, ended, **told)


def _release(account: Account, number: int, began: float, ended: float) -> None:
    hold, amount = account.holds.pop()
    account.held -= amount
    account.version += 1
    _see(account, Kind.RELEASE, number, began, ended, version=account.version, subject=hold)


def _see(
    account: Account,
    kind: Kind,
    number: int,
    began: float,
    ended: float,
    outcome: Outcome = Outcome.OK,
    **told: Any,
) -> None:
    account.seen.append(Observation(number, kind, began, ended, outcome, **told))


def feed(recorded: Recorded) -> Iterator[FeedEvent]:
    """The log of the bank, one event at a time, as a consumer of the feed gets it."""
    position = 0
    for account in recorded.accounts:
        for entry in account.entries:
            position += 1
            amount = entry.signed_minor
            postings = [
                Posting(account.name, amount, "EUR"),
                Posting("cash", -amount, "EUR"),
            ]
            yield FeedEvent(0, position, account.name, entry.version, "E", 1, "", {}, postings)


def decide(recorded: Recorded) -> dict[str, dict[str, float]]:
    """Run every decider, one after the other, and time it."""
    per_account = recorded.accounts
    steps: dict[str, Callable[[], int]] = {
        "claimed order": lambda: sum(len(replay(a.entries, a.seen)) for a in per_account),
        "real time": lambda: sum(len(inversions(a.seen)) for a in per_account),
        "gapless": lambda: sum(len(breaks(e.sequence for e in a.entries)) for a in per_account),
        "prefix sums": lambda: len(imbalances(feed(recorded))),
    }
    found = {}
    for name, step in steps.items():
        began = time.process_time()
        if wrong := step():
            sys.exit(f"{name}: {wrong} contradictions in a healthy history")
        seconds = max(time.process_time() - began, 1e-6)
        found[name] = {"seconds": seconds, "per_second": recorded.operations / seconds}
    return found


def measure(operations: int, count: int) -> dict[str, Any]:
    """Record a history and decide it; memory is what the deciders took on top of the history."""
    gc.collect()
    recorded = record(operations, count)
    gc.collect()
    before = _peak_mib()
    steps = decide(recorded)
    after = _peak_mib()
    return {
        "operations": operations,
        "history_mib": round(before),
        "deciders_mib": round(after - before),
        "seconds": sum(step["seconds"] for step in steps.values()),
        "steps": steps,
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    small = measure(max(1, options.operations // SMALL_PART), options.accounts)
    large = measure(options.operations, options.accounts)
    for name, step in large["steps"].items():
        _say(
            f"{name:<14} {step['seconds']:6.1f} s  {step['per_second']:>11,.0f} operations a second"
        )
    ratio = large["seconds"] / small["seconds"]
    _say(f"together       {large['seconds']:6.1f} s  for {large['operations']:,} operations")
    history, deciders = large["history_mib"], large["deciders_mib"]
    _say(f"the history takes {history} MiB, the deciders {deciders} MiB more")
    _say(f"{SMALL_PART} times the operations take {ratio:.1f} times the seconds")
    if options.json:
        figures = {"small": small, "large": large, "ratio": round(ratio, 2)}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
