"""The fold of the log, on logs made at random and by hand: what it explains and what not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from bank_conformance.bank.observe import Trace
from bank_conformance.bank.shapes import TERMINAL, Account, Entry, FeedEvent, ShapeError, Transfer
from bank_conformance.deciders.folding import SAME, STATES, Folded
from builders import ACCOUNT
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


def _event(stream_id: str, version: int, kind: str, **data: Any) -> FeedEvent:
    at = "2026-11-23T00:00:00Z"
    return FeedEvent(0, version, stream_id, version, kind, 1, at, data, [])


def written(steps: list[tuple[bool, int]]) -> Written:
    found, balance, sequence = Written([], [], []), 0, 0
    for version, (books, amount) in enumerate(steps, start=1):
        kind, data = "AccountFrozen", dict[str, Any]()
        if books:
            balance, sequence = balance + amount, sequence + 1
            kind = "FundsCredited" if amount >= 0 else "FundsDebited"
            entry = Entry(
                "acc_1", sequence, version, "CRDT" if amount >= 0 else "DBIT", "CASH_DEPOSIT",
                abs(amount), "EUR", balance, "2026-11-23T00:00:00Z", "2026-11-23",
            )  # fmt: skip
            found.entries.append(entry)
            data = {name: getattr(entry, name) for name in SAME}
        found.events.append(_event("acc_1", version, kind, **data))
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


LOG = written([(True, 5), (False, 0), (True, -3), (True, 4)])
CHANGED = {
    "sequence": 9,
    "amount_minor": 999,
    "currency": "USD",
    "balance_after_minor": 999,
    "transfer_id": "trf_9",
    "booking_time": "2026-11-23T00:00:01Z",
    "value_date": "2026-11-24",
    "code": "FEE",
}


@pytest.mark.parametrize("name", SAME)
def test_an_entry_must_be_its_event_in_every_member(name: str) -> None:
    entry = msgspec.structs.replace(LOG.entries[0], **{name: CHANGED[name]})
    event = msgspec.structs.replace(LOG.events[0], data=LOG.events[0].data | {name: CHANGED[name]})
    assert Folded.of(LOG.events).entries_differ("acc_1", [entry])
    if name != "sequence":
        assert name in Folded.of([event]).entries_differ("acc_1", LOG.entries[:1])[0]
        assert not Folded.of([event]).entries_differ("acc_1", [entry])


def test_an_entry_must_go_in_the_direction_of_its_event() -> None:
    entry = msgspec.structs.replace(LOG.entries[0], direction="DBIT")
    assert Folded.of(LOG.events).entries_differ("acc_1", [entry]) == [
        "entry 1 of acc_1: it is DBIT, the log says FundsCredited"
    ]


@pytest.mark.parametrize(
    ("shown", "is_same"),
    [
        ("2026-11-23T00:00:00Z", True),
        ("2026-11-23T00:00:00.000000+00:00", True),
        ("2026-11-23T01:00:00+01:00", True),
        ("2026-11-23T00:00:00.000001Z", False),
    ],
)
def test_a_booking_time_is_an_instant_however_it_is_written(shown: str, is_same: bool) -> None:
    entry = msgspec.structs.replace(LOG.entries[0], booking_time=shown)
    assert (Folded.of(LOG.events).entries_differ("acc_1", [entry]) == []) is is_same


@pytest.mark.parametrize("name", ["sequence", "balance_after_minor"])
def test_a_booking_without_what_the_contract_gives_it_is_no_event_of_the_contract(
    name: str,
) -> None:
    data = {one: value for one, value in LOG.events[0].data.items() if one != name}
    with pytest.raises(ShapeError, match="version 1 of acc_1"):
        Folded.of([_event("acc_1", 1, "FundsCredited", **data)])


def test_a_sequence_that_is_booked_again_is_kept_apart() -> None:
    first, other = LOG.events[0], _event("acc_1", 9, "FundsCredited", **LOG.events[2].data)
    folded = Folded.of([*LOG.events, first, other])
    assert folded.again == {"acc_1": [other]}
    assert folded.entries_differ("acc_1", LOG.entries) == []


@pytest.mark.parametrize(
    ("version", "sequence", "booked", "is_right"),
    [
        (1, 1, 5, True),
        (2, 1, 5, True),
        (4, 3, 6, True),
        (1, 1, 6, False),  # the balance alone is wrong
        (1, 2, 5, False),  # the sequence alone is wrong
        (5, 3, 6, False),  # a version that the log does not have
        (0, 0, 0, False),
        (None, 2, 2, True),
        (None, 2, 5, False),
        (None, 0, 0, True),
        (3, None, 2, True),
        (3, None, 5, False),
        (None, None, 777, True),  # nothing says where it has folded to
    ],
)
def test_a_row_of_an_account_is_the_log_at_its_version_or_else_at_its_sequence(
    version: int | None, sequence: int | None, booked: int, *, is_right: bool
) -> None:
    row = msgspec.structs.replace(ACCOUNT, version=version, sequence=sequence, booked_minor=booked)
    assert (Folded.of(LOG.events).account_differs(row) == "") is is_right


def test_before_anything_is_booked_an_account_is_empty() -> None:
    folded = Folded.of([_event("acc_1", 1, "AccountOpened")])
    row = msgspec.structs.replace(ACCOUNT, version=1, sequence=0, booked_minor=0)
    assert folded.account_differs(row) == ""
    assert folded.account_differs(msgspec.structs.replace(row, booked_minor=1))
    assert folded.account_differs(msgspec.structs.replace(row, sequence=1))


def _transfer(state: str, version: int, **changes: Any) -> Transfer:
    transfer = Transfer("trf_1", state, "acc_1", "acc_2", 5, version)
    return msgspec.structs.replace(transfer, **changes)


def _life(*kinds: str, **data: Any) -> Folded:
    return Folded.of(
        _event("trf_1", at, kind, **(data if at == 1 else {})) for at, kind in enumerate(kinds, 1)
    )


@pytest.mark.parametrize(("kind", "state"), STATES.items())
def test_a_transfer_is_in_the_state_of_its_event(kind: str, state: str) -> None:
    folded = _life("TransferRequested", kind)
    for shown in {*STATES.values(), "ACCEPTED", "SETTLING"}:
        assert (folded.transfer_differs(_transfer(shown, 2)) == "") is (shown == state), shown


def test_a_transfer_has_not_ended_when_it_is_requested_and_stays_as_it_ended() -> None:
    folded = _life("TransferRequested", "TransferSettling", "TransferFailed", "TransferNoted")
    open_states = {"ACCEPTED", "UNDER_REVIEW", "RESERVED", "SETTLING", "COMPENSATING"}
    for shown in open_states | TERMINAL:
        is_open = shown in open_states
        assert (folded.transfer_differs(_transfer(shown, 1)) == "") is is_open, shown
        assert folded.transfer_differs(_transfer(shown, 2)) == ""  # the bank's own word
        assert (folded.transfer_differs(_transfer(shown, 4)) == "") is (shown == "FAILED"), shown


def test_a_transfer_that_the_log_does_not_know_is_found() -> None:
    folded = _life("TransferRequested")
    assert "no such version" in folded.transfer_differs(_transfer("RESERVED", 2))
    invented = _transfer("RESERVED", 1, transfer_id="trf_9")
    assert "no such version" in folded.transfer_differs(invented)


@pytest.mark.parametrize("name", ["source_account_id", "target_account_id", "amount_minor"])
def test_a_transfer_is_about_what_was_requested(name: str) -> None:
    order = {"source_account_id": "acc_1", "target_account_id": "acc_2", "amount_minor": 5}
    folded = _life("TransferRequested", **order)
    assert folded.transfer_differs(_transfer("RESERVED", 1)) == ""
    other = _transfer("RESERVED", 1, **{name: 6 if name == "amount_minor" else "acc_3"})
    assert name in folded.transfer_differs(other)


def test_transfers_are_due_where_the_log_or_a_client_says_that_they_belong() -> None:
    order = {"source_account_id": "acc_1", "target_account_id": "acc_2"}
    data = LOG.events[0].data | {"transfer_id": "trf_2"}
    folded = Folded.of(
        [
            _event("trf_1", 1, "TransferRequested", **order),
            _event("acc_1", 1, "FundsCredited", **data),
            _event("trf_3", 1, "TransferRequested"),
        ],
        [Trace("trf_3", "acc_3", "acc_1"), Trace("trf_4", "acc_1", "acc_2")],
    )
    assert folded.due("acc_1") == {"trf_1", "trf_2", "trf_3"}
    assert folded.due("acc_2") == {"trf_1"}
    assert folded.due("acc_3") == {"trf_3"}
