"""CON-4, CON-10 and DUR-4: read models against the fold of the log, on logs made at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from bank_conformance.bank.shapes import Account, Entry, FeedEvent, Transfer
from bank_conformance.deciders.folding import Folded
from bank_conformance.history import History, Operation
from bank_conformance.requirements.projection import (
    exactly_once,
    identical_when_rebuilt,
    read_models_are_folds,
)
from bank_conformance.workloads.power import Outage
from bank_conformance.workloads.projection import Projection
from bank_conformance.workloads.rebuild import Rebuild
from builders import ACCOUNT, operation
from hypothesis import given
from hypothesis import strategies as st

AMOUNTS = st.lists(st.tuples(st.booleans(), st.integers(-50, 50)), max_size=12)
"""What happens to an account: whether something is booked, and how much; else it is frozen."""


@dataclass
class Written:
    """A log of one account, and what an honest bank shows of it."""

    events: list[FeedEvent]
    entries: list[Entry]
    rows: list[Account]
    """The account's row after every event."""


def written(steps: list[tuple[bool, int]]) -> Written:
    found, balance, sequence = Written([], [], []), 0, 0
    for version, (books, amount) in enumerate(steps, start=1):
        kind, data = "AccountFrozen", dict[str, Any]()
        if books:
            balance, sequence = balance + amount, sequence + 1
            kind = "FundsCredited" if amount >= 0 else "FundsDebited"
            data = {
                "sequence": sequence,
                "amount_minor": abs(amount),
                "balance_after_minor": balance,
                "code": "CASH_DEPOSIT",
            }
            entry = Entry(
                "acc_1", sequence, version, "CRDT" if amount >= 0 else "DBIT", "CASH_DEPOSIT",
                abs(amount), "EUR", balance, "2026-11-23T00:00:00Z", "2026-11-23",
            )  # fmt: skip
            found.entries.append(entry)
        event = FeedEvent(0, version, "acc_1", version, kind, 1, "2026-11-23T00:00:00Z", data, [])
        found.events.append(event)
        row = msgspec.structs.replace(
            ACCOUNT, version=version, sequence=sequence, booked_minor=balance
        )
        found.rows.append(row)
    return found


@given(AMOUNTS)
def test_whatever_an_honest_bank_shows_is_a_fold(steps: list[tuple[bool, int]]) -> None:
    log = written(steps)
    folded = Folded.of(log.events)
    for end in range(len(log.entries) + 1):
        assert folded.entries_differ("acc_1", log.entries[:end]) == []
    assert [row for row in log.rows if folded.account_differs(row)] == []


@given(AMOUNTS, st.data())
def test_a_row_of_another_position_is_found(
    steps: list[tuple[bool, int]], data: st.DataObject
) -> None:
    """By brute force: a row is right exactly where the log up to its version adds up to it."""
    log = written(steps)
    if not log.rows:
        return
    row = data.draw(st.sampled_from(log.rows))
    claimed = data.draw(st.integers(1, len(log.rows)))
    shown = msgspec.structs.replace(row, version=claimed)
    booked = [amount for books, amount in steps[:claimed] if books]
    is_right = (shown.sequence, shown.booked_minor) == (len(booked), sum(booked))
    assert (Folded.of(log.events).account_differs(shown) == "") is is_right


@given(AMOUNTS, st.data())
def test_an_entry_twice_or_dropped_or_changed_is_found(
    steps: list[tuple[bool, int]], data: st.DataObject
) -> None:
    log = written(steps)
    if not log.entries:
        return
    place = data.draw(st.integers(0, len(log.entries) - 1))
    changed = msgspec.structs.replace(log.entries[place], balance_after_minor=9_999)
    wrong = {
        "twice": [*log.entries[: place + 1], *log.entries[place:]],
        "changed": [*log.entries[:place], changed, *log.entries[place + 1 :]],
        "invented": [*log.entries, msgspec.structs.replace(changed, sequence=99)],
    }
    if place < len(log.entries) - 1:
        wrong["dropped"] = [*log.entries[:place], *log.entries[place + 1 :]]
    for what, shown in wrong.items():
        assert Folded.of(log.events).entries_differ("acc_1", shown), what


def test_a_transfer_is_in_the_state_of_its_event() -> None:
    kinds = {1: "TransferRequested", 2: "TransferCompleted", 3: "TransferReversed"}
    folded = Folded.of(
        FeedEvent(0, at, "trf_1", at, kind, 1, "2026-11-23T00:00:00Z", {}, [])
        for at, kind in kinds.items()
    )

    def differs(state: str, version: int) -> bool:
        transfer = Transfer("trf_1", state, "acc_1", "acc_2", 5, version)
        return bool(folded.transfer_differs(transfer))

    assert not differs("COMPLETED", 2)
    assert differs("FAILED", 2)
    assert not differs("COMPLETED", 3)
    assert not differs("RESERVED", 1)


# The requirements


def _page(history: History, entries: list[Entry]) -> Operation:
    items = {"items": [msgspec.to_builtins(one) for one in entries], "next": None}
    return operation(history, url="/v1/accounts/acc_1/entries", route="listEntries", answer=items)


def _record(shown: list[Entry], at_rest: list[Entry]) -> Projection:
    log = written([(True, 5), (False, 0), (True, -3), (True, 4)])
    history = History("projection")
    record = Projection(history, ["acc_1"], [_page(history, shown)], outages=[Outage(0, 0, 0)] * 3)
    record.rest.entries["acc_1"], record.rest.events = at_rest, log.events
    return record


ENTRIES = written([(True, 5), (False, 0), (True, -3), (True, 4)]).entries


@pytest.mark.parametrize(
    ("shown", "at_rest", "fold", "once"),
    [
        (ENTRIES[:1], ENTRIES, [], []),
        ([*ENTRIES[:2], ENTRIES[1]], ENTRIES, ["place 3"], []),
        ([], ENTRIES[:2], ["1 of 3 entries are missing: [3]"], ["1 of 3 entries are missing"]),
        ([], [*ENTRIES, ENTRIES[2]], ["place 4"], ["place 4"]),
    ],
)
def test_what_lists_showed_and_what_is_there_at_rest_are_both_decided(
    shown: list[Entry], at_rest: list[Entry], fold: list[str], once: list[str]
) -> None:
    record = _record(shown, at_rest)
    for decision, expected in ((read_models_are_folds(record), fold), (exactly_once(record), once)):
        assert len(decision.findings) == len(expected), decision.findings
        for finding, text in zip(decision.findings, expected, strict=True):
            assert text in finding.evidence


def test_a_rebuild_may_change_nothing_but_the_time_of_the_reading() -> None:
    history = History("rebuild")

    def reading(**row: Any) -> Operation:
        items = {"items": [{"sequence": 1, "as_of": str(len(history)), **row}]}
        return operation(history, route="listEntries", answer=items)

    same = Rebuild(history, [reading(code="FEE")], [reading(code="FEE")])
    assert identical_when_rebuilt(same).findings == ()
    for after, text in (
        (reading(code="INTEREST"), "row 1 differs in code"),
        (operation(history, route="listEntries", answer={"items": []}), "row 1 is gone"),
        (operation(history, route="listEntries", status=503), "became (503, None)"),
    ):
        found = identical_when_rebuilt(Rebuild(history, [reading(code="FEE")], [after])).findings
        assert text in found[0].evidence
