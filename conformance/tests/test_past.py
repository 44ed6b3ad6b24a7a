"""QRY-1, QRY-3, QRY-4: folds of a history against folds made otherwise, and spoilt records."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise

import pytest
from bank_conformance.bank.past import (
    CodeTotal,
    CurrencyReport,
    DailyReport,
    Statement,
    StatementBalance,
    StatementEntry,
    TrialLine,
)
from bank_conformance.bank.shapes import Entry
from bank_conformance.deciders.daily import Total, grown, totals
from bank_conformance.deciders.statements import broken_link, wrong
from bank_conformance.deciders.two_clocks import balance
from bank_conformance.history import History
from bank_conformance.requirements.past import both_clocks
from bank_conformance.requirements.reports import ties_out
from bank_conformance.requirements.statements import chained_and_final
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.reports import Reading, Reports
from bank_conformance.workloads.rest import Scan
from bank_conformance.workloads.statements import Asked, Statements
from bank_conformance.workloads.temporal import Question, Temporal
from builders import entry, operation
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace as with_

DAY_ONE, FIRST = date(2026, 11, 1), datetime(2026, 11, 20, tzinfo=UTC)

Booked = tuple[int, int, int]
"""An entry in numbers: amount, day of its value date, seconds until it was booked."""

histories = st.lists(
    st.tuples(st.integers(-9, 9).filter(bool), st.integers(0, 6), st.integers(0, 4)), max_size=12
)


def _day(number: int) -> str:
    return str(DAY_ONE + timedelta(number))


def _time(seconds: float) -> str:
    return (FIRST + timedelta(seconds=seconds)).isoformat()


def _entries(booked: list[Booked]) -> list[Entry]:
    """The history: booked in the order given, each some seconds after the one before."""
    times = list(accumulate(gap for _, _, gap in booked))
    sums = list(accumulate(amount for amount, _, _ in booked))
    return [
        with_(
            entry(n + 2, n + 1, "CRDT" if amount > 0 else "DBIT", abs(amount)),
            value_date=_day(day),
            booking_time=_time(times[n]),
            balance_after_minor=sums[n],
        )
        for n, (amount, day, _) in enumerate(booked)
    ]


@given(histories, st.none() | st.integers(-1, 7), st.none() | st.integers(-1, 30))
def test_a_balance_is_what_is_left_when_the_rest_is_taken_out(
    booked: list[Booked], as_of: int | None, known_at: int | None
) -> None:
    left = sum(amount for amount, _, _ in booked)
    seconds = 0
    for amount, day, gap in booked:
        seconds += gap
        too_late = as_of is not None and day > as_of
        unknown = known_at is not None and seconds > known_at
        left -= amount if too_late or unknown else 0
    asked = None if as_of is None else _day(as_of), None if known_at is None else _time(known_at)
    assert balance(_entries(booked), *asked) == left


def _statement(booked: list[Booked], start: float, end: float) -> Statement:
    """What a bank should say: counted in numbers, without a look at any `Entry`."""
    times = list(accumulate(gap for _, _, gap in booked))
    before = sum(1 for at in times if at < start)
    until = sum(1 for at in times if at < end)
    opening, closing = (sum(one[0] for one in booked[:n]) for n in (before, until))
    shown = [
        StatementEntry(
            n + 1,
            "CRDT" if booked[n][0] > 0 else "DBIT",
            "CASH_DEPOSIT" if booked[n][0] > 0 else "CASH_WITHDRAWAL",
            abs(booked[n][0]),
            sum(one[0] for one in booked[: n + 1]),
            _time(times[n]),
            _day(booked[n][1]),
        )
        for n in range(before, until)
    ]
    last = StatementBalance("CLBD", "DBIT" if closing < 0 else "CRDT", abs(closing))
    first = StatementBalance("OPBD", "DBIT" if opening < 0 else "CRDT", abs(opening))
    return Statement("acc_1", _time(start), _time(end), first, shown, last, until)


@given(histories, st.lists(st.integers(0, 40), min_size=2, max_size=5, unique=True))
def test_statements_that_are_right_are_found_right_and_to_chain(
    booked: list[Booked], cuts: list[int]
) -> None:
    told = [_statement(booked, *period) for period in pairwise(sorted(cuts))]
    for one in told:
        assert wrong(one, _entries(booked), (one.start, one.end)) == ""
    assert [broken_link(*pair) for pair in pairwise(told)] == [""] * (len(told) - 1)


BOOKED: list[Booked] = [(5, 3, 1), (-2, 0, 1), (7, 1, 1), (-4, 6, 1)]
RIGHT = _statement(BOOKED, 2, 4)

SPOILT = {
    "not in order": with_(RIGHT, entries=RIGHT.entries[::-1]),
    "entry 2 is missing": with_(RIGHT, entries=RIGHT.entries[1:]),
    "are not closing": with_(RIGHT, opening=with_(RIGHT.opening, amount_minor=6)),
    "the history says 10": with_(
        RIGHT,
        opening=with_(RIGHT.opening, amount_minor=6),
        closing=with_(RIGHT.closing, amount_minor=11),
    ),
    "closing sequence is 4": with_(RIGHT, closing_sequence=4),
    "of the types CLBD": with_(RIGHT, opening=with_(RIGHT.opening, type="CLBD")),
    "otherwise than in the history": with_(
        RIGHT, entries=[with_(RIGHT.entries[0], value_date="2026-11-09"), *RIGHT.entries[1:]]
    ),
    "is not of this period": _statement(BOOKED, 1, 4),
}


@pytest.mark.parametrize("said", SPOILT)
def test_what_is_wrong_with_a_statement_is_said(said: str) -> None:
    assert said in wrong(SPOILT[said], _entries(BOOKED), (_time(2), _time(4)))


def test_statements_that_leave_out_or_repeat_an_entry_do_not_chain() -> None:
    one, gap, twice = (_statement(BOOKED, *cut) for cut in ((0, 2), (3, 5), (1, 5)))
    assert "opens with 3" in broken_link(one, gap)
    assert "opens with 0" in broken_link(one, twice)
    hidden = with_(gap, opening=with_(gap.opening, amount_minor=5))
    assert "entries [2, 3, 4] are due" in broken_link(one, hidden)


@given(histories, st.integers(0, 6))
def test_the_totals_of_a_day_are_the_sums_of_its_entries(booked: list[Booked], day: int) -> None:
    found = totals(_entries(booked), _day(day), "VALUE")
    credits_ = [amount for amount, on, _ in booked if on == day and amount > 0]
    debits = [-amount for amount, on, _ in booked if on == day and amount < 0]
    due = {
        "CASH_DEPOSIT": Total(len(credits_), sum(credits_), 0),
        "CASH_WITHDRAWAL": Total(len(debits), 0, sum(debits)),
    }
    assert found == {code: total for code, total in due.items() if total.entries}
    assert grown({}, found) == found
    assert grown(found, found) == {}
    assert grown(found, {}) == {code: Total().minus(one) for code, one in found.items()}


def test_the_booking_day_is_the_day_in_utc() -> None:
    late = with_(_entries(BOOKED)[0], booking_time="2026-11-23T23:30:00-02:00")
    assert totals([late], "2026-11-24", "BOOKING")


def _asked(as_of: str | None, known_at: str | None, told: int) -> Temporal:
    history = History("temporal")
    answer = {"account_id": "acc_1", "as_of": as_of, "known_at": known_at, "booked_minor": told}
    question = Question("acc_1", as_of, known_at, operation(history, answer=answer))
    return Temporal(history, [question], Scan({"acc_1": _entries(BOOKED)}))


def test_a_balance_that_is_not_the_fold_fails() -> None:
    assert not both_clocks(_asked(_day(3), _time(3), 10)).findings
    found = both_clocks(_asked(_day(3), _time(3), 3))
    assert found.verdict is Verdict.FAIL
    assert "3, expected 10" in found.reason


def _record(*told: tuple[str, Statement, str]) -> Statements:
    history = History("statements")
    asked = [
        Asked(
            (one.start, one.end), when, operation(history, answer={**to_builtins(one), "v": more})
        )
        for when, one, more in told
    ]
    periods = [one.period for one in asked if one.when == "at rest"]
    refused = operation(history, status=422, answer={"code": "period-open"})
    return Statements(history, "acc_1", asked, periods, _entries(BOOKED), refused)


def test_a_closed_period_that_is_answered_otherwise_later_fails() -> None:
    assert not chained_and_final(_record(("at rest", RIGHT, ""), ("later", RIGHT, ""))).findings
    found = chained_and_final(_record(("at rest", RIGHT, ""), ("later", RIGHT, " ")))
    assert "was asked for later and answered otherwise" in found.reason


def test_a_statement_of_a_period_that_is_open_fails() -> None:
    record = _record()
    record.open_period = operation(record.history, answer=to_builtins(RIGHT))
    assert chained_and_final(record).verdict is Verdict.FAIL
    record.open_period = operation(record.history, status=400, answer={"code": "no"})
    assert [one.warning for one in chained_and_final(record).findings] == [True]


EVE, DAY = ("2026-11-19", "VALUE"), ("2026-11-20", "VALUE")


def _reading(
    total: CodeTotal | None, *lines: int, eve: int = 0, second: CodeTotal | None = None
) -> Reading:
    def reports(shown: CodeTotal | None) -> dict[tuple[str, str], DailyReport]:
        names = ("customers", "control:cash")
        trial = [TrialLine(*line) for line in zip(names, lines, strict=False)]
        before = [TrialLine("customers", eve), TrialLine("control:cash", -eve)]
        sums = [shown] if shown else []
        return {
            EVE: DailyReport(*EVE, [CurrencyReport("EUR", [], before)]),  # type: ignore[arg-type]
            DAY: DailyReport(*DAY, [CurrencyReport("EUR", sums, trial)]),  # type: ignore[arg-type]
        }

    calls = {day: operation(History("reports")) for day in (EVE, DAY)}
    return Reading(reports(total), reports(second or total), calls)


def _ties(after: Reading) -> str:
    booked = [with_(entry(2, 1, "CRDT", 5), value_date=DAY[0])]
    record = Reports(History("reports"), "EUR", _reading(None, 0, 0), after, booked)
    found = ties_out(record)
    assert found.verdict is (Verdict.FAIL if found.findings else Verdict.INCONCLUSIVE)
    return " ".join([*(one.evidence for one in found.findings), found.doubt])


FIVE = CodeTotal("CASH_DEPOSIT", 1, 5, 0)


def test_reports_that_do_not_tie_out_fail() -> None:
    assert _ties(_reading(FIVE, 5, -5)) == ""
    assert "0 entries (+0 -0) more, expected 1 entries (+5 -0)" in _ties(_reading(None, 0, 0))
    assert "adds up to 1 EUR" in _ties(_reading(FIVE, 5, -4))
    assert "moved by 4, the totals say 5" in _ties(_reading(FIVE, 5, -5, eve=1))


def test_reports_that_move_at_rest_say_nothing_of_what_was_booked() -> None:
    other = CodeTotal("CASH_DEPOSIT", 2, 5, 0)
    assert _ties(_reading(FIVE, 5, -5, second=other)).startswith("the reports move")
