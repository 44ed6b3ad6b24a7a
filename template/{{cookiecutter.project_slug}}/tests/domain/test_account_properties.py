"""What holds on an account whatever is asked of it, in whatever order and at whatever time.

Each test plays random commands, most of them refused; what they record must keep the invariant
after every single one.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy

from hypothesis import event as note
from hypothesis import given, settings

from ourbank.domain import account as domain
from ourbank.domain.account import Account, Command, Status
from ourbank.domain.entry import FundsCredited, FundsDebited
from ourbank.domain.hold import (
    HoldExpired,
    HoldPlaced,
    HoldReleased,
)
from ourbank.domain.ledger import postings
from ourbank.domain.rejection import Rejection

from tests.domain.strategies import events_of, histories, moves

History = list[Command]


def whatever_is_asked(test: Callable[[History], None]) -> Callable[[], None]:
    return settings(deadline=None, max_examples=80)(given(histories())(test))


def accounts_in(history: History) -> Sequence[Account]:
    return [move.after for move in moves(history) if move.after is not None]


@whatever_is_asked
def test_whatever_is_decided_can_be_folded_and_what_is_refused_has_a_code(history: History) -> None:
    for move in moves(history):
        kind = move.decision.code if isinstance(move.decision, Rejection) else "accepted"
        note(f"{type(move.command).__name__}: {kind}")
        assert kind


@whatever_is_asked
def test_available_never_falls_below_zero(history: History) -> None:
    assert all(account.available_minor >= 0 for account in accounts_in(history))


@whatever_is_asked
def test_the_sequence_has_no_gaps(history: History) -> None:
    entries = [e for e in events_of(history) if isinstance(e, FundsCredited | FundsDebited)]
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))


@whatever_is_asked
def test_every_entry_carries_the_balance_after_it(history: History) -> None:
    balance_minor = 0
    for event in events_of(history):
        if isinstance(event, FundsCredited | FundsDebited):
            balance_minor += signed(event)
            assert event.balance_after_minor == balance_minor


@whatever_is_asked
def test_the_booked_balance_is_the_sum_of_the_entries(history: History) -> None:
    events = events_of(history)
    last = accounts_in(history)[-1]
    entries = [e for e in events if isinstance(e, FundsCredited | FundsDebited)]
    assert last.booked_minor == sum(signed(entry) for entry in entries)
    assert last.sequence == len(entries)


@whatever_is_asked
def test_what_is_held_is_what_is_left_of_the_holds(history: History) -> None:
    for account in accounts_in(history):
        remaining = [hold.remaining_minor for hold in account.holds.values()]
        assert account.held_minor == sum(remaining)
        assert all(minor > 0 for minor in remaining)


@whatever_is_asked
def test_a_hold_gives_out_exactly_what_was_put_into_it_and_ends_once(history: History) -> None:
    left: dict[str, int] = {}
    for event in events_of(history):
        match event:
            case HoldPlaced():
                assert event.hold_id not in left
                left[event.hold_id] = event.amount_minor
            case FundsDebited(hold_id=str(hold_id)):
                left[hold_id] -= event.amount_minor
            case HoldReleased() | HoldExpired():
                assert left.pop(event.hold_id) == event.amount_minor
        left = {hold_id: minor for hold_id, minor in left.items() if minor}
        assert all(minor > 0 for minor in left.values())
    held = {
        hold_id: hold.remaining_minor for hold_id, hold in accounts_in(history)[-1].holds.items()
    }
    assert held == left


@whatever_is_asked
def test_booking_times_never_run_back(history: History) -> None:
    entries = [e for e in events_of(history) if isinstance(e, FundsCredited | FundsDebited)]
    times = [entry.booking_time for entry in entries]
    assert times == sorted(times)


@whatever_is_asked
def test_both_sides_of_every_entry_add_up_to_zero(history: History) -> None:
    for event in events_of(history):
        if isinstance(event, FundsCredited | FundsDebited):
            own, contra = postings(event.account_id, event.code, event.amount_minor, event.currency)
            assert own.amount_minor + contra.amount_minor == 0
            assert own.amount_minor == signed(event)


@whatever_is_asked
def test_a_refused_or_repeated_command_changes_nothing(history: History) -> None:
    account = domain.initial
    for move in moves(history):
        untouched = deepcopy(account)
        again = domain.decide(move.command, account)
        assert again == move.decision
        assert account == untouched  # also the mapping of holds inside
        if not move.events:
            assert move.after == move.before
        account = move.after


@whatever_is_asked
def test_a_closed_account_is_empty_and_stays_closed(history: History) -> None:
    closed = [a for a in accounts_in(history) if a.status is Status.CLOSED]
    assert all((a.booked_minor, a.held_minor) == (0, 0) for a in closed)
    statuses = [account.status for account in accounts_in(history)]
    assert Status.CLOSED not in statuses or statuses[-1] is Status.CLOSED
    assert all(account == closed[0] for account in closed)


def signed(entry: FundsCredited | FundsDebited) -> int:
    return entry.amount_minor if isinstance(entry, FundsCredited) else -entry.amount_minor
