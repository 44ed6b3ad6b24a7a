"""ORD-2, ORD-4, ORD-7 and CON-2 on records made by hand: what passes and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from bank_conformance.history import Answer, Call, History
from bank_conformance.requirements.limits import never_below_limit
from bank_conformance.requirements.precedence import order_of_each_client, real_time_order
from bank_conformance.requirements.rivalry import one_winner
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.contention import Contention
from bank_conformance.workloads.rest import Scan
from bank_conformance.workloads.rivals import Race, Rival, Rivals
from builders import ACCOUNT, ORDER, TRANSFER, entry, operation
from msgspec.structs import asdict
from msgspec.structs import replace as with_

DEPOSIT = {"code": "CASH_DEPOSIT", "amount_minor": 10}
Told = tuple[str, float, float, int]
"""A session, when it sent and was answered, and the sequence it was told; negative for a read."""


def _record(*told: Told, legs: tuple[Any, ...] = ()) -> Contention:
    history = History("contention")
    for session, invoked, completed, sequence in told:
        _append(history, session, invoked, completed, sequence)
    return Contention(history, ["acc_1"], [Scan({"acc_1": list(legs)}, {"acc_1": ACCOUNT})])


def _append(
    history: History, session: str, invoked: float, completed: float, sequence: int
) -> None:
    if sequence > 0:
        call = Call("postEntry", "POST", "/v1/accounts/acc_1/entries", "staff", "k", DEPOSIT)
        body = asdict(entry(sequence + 1, sequence, "CRDT", 10))
    else:
        call = Call("getAccount", "GET", "/v1/accounts/acc_1", "staff")
        body = asdict(with_(ACCOUNT, sequence=-sequence))
    made = history.append(session, call, invoked, Answer(200, {}, "", body))
    object.__setattr__(made, "completed", completed)


@pytest.mark.parametrize(
    ("told", "real_time", "own"),
    [
        ([("a", 0, 1, 1), ("a", 2, 3, 2)], "", ""),
        ([("a", 0, 1, 2), ("b", 2, 3, 1)], "has sequence 1, although", ""),
        ([("a", 0, 3, 2), ("b", 2, 3, 1)], "", ""),
        ([("a", 0, 1, 2), ("a", 2, 3, 1)], "has sequence 1, although", "is at sequence 1"),
        ([("a", 0, 1, 2), ("a", 2, 3, 2)], "has sequence 2, although", "is at sequence 2"),
        ([("a", 0, 1, 2), ("a", 2, 3, -2)], "", ""),
        ([("a", 0, 1, 2), ("a", 2, 3, -1)], "", "a read is at sequence 1"),
        ([("a", 0, 1, 2), ("b", 2, 3, -1)], "", ""),
    ],
)
def test_what_was_acknowledged_first_comes_first(
    told: list[Told], real_time: str, own: str
) -> None:
    record = _record(*told)
    for decide, said in ((real_time_order, real_time), (order_of_each_client, own)):
        found = " ".join(finding.evidence for finding in decide(record).findings)
        assert said in found
        assert bool(said) == bool(found)


def test_a_transfer_takes_effect_between_its_request_and_the_sight_of_its_end() -> None:
    leg = entry(9, 1, "DBIT", 4, transfer_id="trf_1")
    record = _record(("a", 5, 6, 2), legs=(leg,))
    call = Call("requestTransfer", "POST", "/v1/transfers", "staff", "k", ORDER)
    sent = record.history.append("b", call, 7, Answer(201, {}, "", TRANSFER))
    object.__setattr__(sent, "completed", 8)
    assert "a transfer has sequence 1" in real_time_order(record).reason


def test_too_few_commands_are_no_pass() -> None:
    for decide in (real_time_order, order_of_each_client):
        assert decide(_record(("a", 0, 1, 1))).verdict is Verdict.INCONCLUSIVE


# ORD-7


def _rivals(*statuses: int, booked: list[int], version: int = 2) -> Rivals:
    history = History("rivals")
    told = [
        Rival(
            amount,
            operation(
                history,
                "POST",
                "/v1/accounts/acc_1/entries",
                route="postEntry",
                status=status,
                answer=asdict(entry(version, 1, "CRDT", amount)) if status == 201 else {},
            ),
        )
        for amount, status in enumerate(statuses, 1)
    ]
    return Rivals(history, [Race(1, tuple(told[:-1]), told[-1])], booked)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_rivals(201, 412, 412, booked=[1]), ""),
        (_rivals(201, 201, 412, booked=[1, 2]), "2 of 3 commands on version 1 were done"),
        (_rivals(201, 412, 201, booked=[1, 3]), "2 of 3 commands"),
        (_rivals(412, 412, 412, booked=[]), "0 of 3 commands"),
        (_rivals(0, 412, 412, booked=[1]), ""),
        (_rivals(0, 412, 412, booked=[]), ""),
        (_rivals(201, 412, 412, booked=[1, 2]), "amount 2: 1 effects"),
        (_rivals(201, 412, 412, booked=[]), "amount 1: 0 effects"),
        (_rivals(201, 412, 412, booked=[1], version=3), "was done at version 3"),
        (_rivals(201, 422, 412, booked=[1]), "1 refusals were answered 422"),
    ],
)
def test_of_the_rivals_on_one_version_exactly_one_wins(record: Rivals, said: str) -> None:
    found = " ".join(finding.evidence for finding in one_winner(record).findings)
    assert said in found
    assert bool(said) == bool(found)


def test_a_race_in_which_nobody_met_anyone_is_no_pass() -> None:
    assert one_winner(_rivals(201, 412, 412, booked=[1])).verdict is Verdict.INCONCLUSIVE


# CON-2


def _spending(*signed: int, line: int = 0, raised: int | None = None, available: int = 0) -> Any:
    """An account opened with a limit, which is raised before the last of its entries."""
    history = History("contention")
    opened = asdict(ACCOUNT) | {"version": 1}
    call = {"credit_line_minor": line}
    operation(history, "POST", "/v1/accounts", route="openAccount", body=call, answer=opened)
    entries = [
        entry(place + 2, place + 1, "CRDT" if amount > 0 else "DBIT", abs(amount))
        for place, amount in enumerate(signed)
    ]
    entries[-1] = with_(entries[-1], version=len(signed) + 2)
    if raised is not None:
        operation(
            history,
            "PUT",
            "/v1/accounts/acc_1/credit-line",
            route="setCreditLine",
            status=204,
            body={"credit_line_minor": raised},
            headers={"etag": f'"{len(signed) + 1}"'},
        )
    operation(history, answer=asdict(with_(ACCOUNT, available_minor=available, version=90)))
    return Contention(history, ["acc_1"], [Scan({"acc_1": entries}, {"acc_1": ACCOUNT})])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_spending(10, -10), ""),
        (_spending(10, -11), "-1 minor units after entry 2, its limit is 0"),
        (_spending(10, -11, 5, -5), "-1 minor units after entry 2"),
        (_spending(10, -15, line=5), ""),
        (_spending(10, -16, line=5), "-6 minor units after entry 2, its limit is -5"),
        (_spending(10, -10, -6, line=5, raised=6), ""),
        (_spending(10, -16, -1, line=5, raised=7), "-6 minor units after entry 2"),
        (_spending(10, available=-1), "-1 minor units available"),
    ],
)
def test_an_account_is_never_below_the_limit_that_held_at_the_time(
    record: Contention, said: str
) -> None:
    found = " ".join(finding.evidence for finding in never_below_limit(record).findings)
    assert said in found
    assert bool(said) == bool(found)
