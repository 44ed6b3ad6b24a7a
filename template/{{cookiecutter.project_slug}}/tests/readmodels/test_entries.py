"""The history has one row an entry, in the order of the log, as the entry was recorded."""

from hypothesis import given, settings

from ourbank.domain.account import Command
from ourbank.domain.entry import FundsCredited, FundsDebited
from ourbank.domain.ledger import TransactionCode
from ourbank.readmodels.entries import ENTRIES, EntryRow

from tests.domain.samples import ACCOUNT, EUR, NOW, TODAY, credited, debited, held, opened
from tests.domain.strategies import events_of, histories
from tests.readmodels.story import recorded, rows


def test_a_credit_is_a_row() -> None:
    entry = credited(
        30,
        1,
        30,
        code=TransactionCode.INCOMING_PAYMENT,
        counterparty="them",
        counterparty_bank="their bank",
        narrative="sealed",
        reference="ent_1",
    )
    assert rows(ENTRIES, recorded(ACCOUNT, [opened(), entry])) == {
        (ACCOUNT, 1): EntryRow(
            account_id=ACCOUNT,
            sequence=1,
            version=2,
            direction="CRDT",
            code="INCOMING_PAYMENT",
            amount_minor=30,
            currency=EUR,
            balance_after_minor=30,
            booking_time=NOW,
            value_date=TODAY,
            transfer_id=None,
            hold_id=None,
            counterparty="them",
            counterparty_bank="their bank",
            narrative="sealed",
            reference="ent_1",
        )
    }


def test_a_debit_is_a_row_that_names_its_transfer_and_its_hold() -> None:
    entry = debited(
        40, 7, 60, code=TransactionCode.TRANSFER_OUT, transfer_id="trf_1", hold_id="trf_1"
    )
    (row,) = rows(ENTRIES, recorded(ACCOUNT, [entry], after_version=11)).values()
    assert (row.direction, row.amount_minor, row.code) == ("DBIT", 40, "TRANSFER_OUT")
    assert (row.transfer_id, row.hold_id, row.version) == ("trf_1", "trf_1", 12)


def test_what_is_no_entry_is_no_row() -> None:
    assert rows(ENTRIES, recorded(ACCOUNT, [opened(), held("hld_1", 40)])) == {}


@settings(deadline=None)
@given(histories())
def test_the_rows_chain_from_zero_to_the_balance(history: list[Command]) -> None:
    events = events_of(history)
    found = list(rows(ENTRIES, recorded(ACCOUNT, events)).values())
    entries = [e for e in events if isinstance(e, FundsCredited | FundsDebited)]
    assert [row.sequence for row in found] == list(range(1, len(entries) + 1))
    balance_minor = 0
    for row in found:
        balance_minor += row.amount_minor if row.direction == "CRDT" else -row.amount_minor
        assert row.balance_after_minor == balance_minor
