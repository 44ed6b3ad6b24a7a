"""A hold in the list tells how it stands, and how it ended."""

import pytest
from hypothesis import given, settings

from ourbank.domain.account import Command, Event
from ourbank.domain.hold import HoldExpired, HoldReleased
from ourbank.readmodels.holds import HOLDS, HoldRow

from tests.domain.samples import ACCOUNT, EUR, NOW, at, debited, funded, held
from tests.domain.strategies import events_of, histories, moves
from tests.readmodels.story import recorded, rows

PLACED = held("hld_1", 40, expires_at=at(90))
FINAL = {"CAPTURED", "PARTIALLY_CAPTURED", "RELEASED", "EXPIRED"}


def captured(amount_minor: int, sequence: int = 2) -> Event:
    return debited(amount_minor, sequence, 0, hold_id="hld_1")


def released(amount_minor: int) -> Event:
    return HoldReleased("hld_1", amount_minor, NOW)


def expired(amount_minor: int) -> Event:
    return HoldExpired("hld_1", amount_minor, NOW)


def row(*events: Event) -> HoldRow:
    found: HoldRow = rows(HOLDS, recorded(ACCOUNT, [*funded(100), PLACED, *events]))["hld_1",]
    return found


def test_a_placed_hold_is_active() -> None:
    assert row() == HoldRow(
        hold_id="hld_1",
        account_id=ACCOUNT,
        status="ACTIVE",
        amount_minor=40,
        captured_minor=0,
        currency=EUR,
        expires_at=at(90),
        version=3,
    )


@pytest.mark.parametrize(
    ("events", "status", "captured_minor"),
    [
        ([captured(25)], "ACTIVE", 25),
        ([captured(40)], "CAPTURED", 40),
        ([captured(25), captured(15, 3)], "CAPTURED", 40),
        ([captured(25), released(15)], "PARTIALLY_CAPTURED", 25),
        ([captured(25), expired(15)], "PARTIALLY_CAPTURED", 25),
        ([released(40)], "RELEASED", 0),
        ([expired(40)], "EXPIRED", 0),
    ],
)
def test_how_it_stands(events: list[Event], status: str, captured_minor: int) -> None:
    found = row(*events)
    assert (found.status, found.captured_minor) == (status, captured_minor)
    assert found.version == 3 + len(events)


def test_a_transfers_own_hold_and_a_plain_debit_are_no_rows() -> None:
    history = [*funded(100), held("trf_1", 40), debited(40, 2, 60, hold_id="trf_1")]
    assert rows(HOLDS, recorded(ACCOUNT, [*history, debited(1, 3, 59)])) == {}


def test_an_end_before_the_beginning_is_an_error_that_parks_the_hold() -> None:
    with pytest.raises(ValueError, match="HoldReleased before HoldPlaced"):
        rows(HOLDS, recorded(ACCOUNT, [released(40)]))


@settings(deadline=None)
@given(histories())
def test_the_active_rows_are_the_holds_of_the_account(history: list[Command]) -> None:
    events = events_of(history)
    found = rows(HOLDS, recorded(ACCOUNT, events))
    account = list(moves(history))[-1].after
    assert account is not None
    active = [row for row in found.values() if row.status == "ACTIVE"]
    assert {row.hold_id: row.amount_minor - row.captured_minor for row in active} == {
        hold_id: hold.remaining_minor
        for hold_id, hold in account.holds.items()
        if hold_id.startswith("hld_")
    }
    assert all(r.captured_minor <= r.amount_minor for r in found.values())
    assert {r.status for r in found.values()} <= {"ACTIVE", *FINAL}
