"""CON-8: the bank check on snapshots made by hand."""

from __future__ import annotations

import pytest
from bank_conformance.history import History
from bank_conformance.requirements.snapshots import both_legs_or_neither
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.rest import Scan
from bank_conformance.workloads.snapshots import Snapshots
from builders import ACCOUNT, operation
from msgspec.structs import replace as with_


def _record(*told: dict[str, int] | None) -> Snapshots:
    history = History("snapshots")
    items = [
        {"items": [{"account_id": name, "booked_minor": booked} for name, booked in one.items()]}
        if one is not None
        else {"code": "not-yet-consistent"}
        for one in told
    ]
    looks = [
        operation(history, route="listBalances", answer=one, status=409 if "code" in one else 200)
        for one in items
    ]
    rest = {name: with_(ACCOUNT, account_id=name, booked_minor=10) for name in ("acc_1", "acc_2")}
    return Snapshots(history, ["acc_1", "acc_2"], 20, looks[:-1], looks[-1], Scan({}, rest))


REST = {"acc_1": 10, "acc_2": 10}


@pytest.mark.parametrize(
    ("record", "verdict", "said"),
    [
        (_record({"acc_1": 7, "acc_2": 13}, REST), Verdict.INCONCLUSIVE, "2 snapshots"),
        (_record({"acc_1": 7, "acc_2": 10}, REST), Verdict.FAIL, "add up to 17, the group owns 20"),
        (_record({"acc_1": 20}, REST), Verdict.FAIL, "1 balances for 2 ids"),
        (_record(REST, {"acc_1": 9, "acc_2": 11}), Verdict.FAIL, "acc_1: 9, booked is 10"),
        (_record(None, REST), Verdict.INCONCLUSIVE, "1 snapshots"),
    ],
)
def test_a_snapshot_shows_both_legs_or_neither(
    record: Snapshots, verdict: Verdict, said: str
) -> None:
    found = both_legs_or_neither(record)
    assert found.verdict is verdict
    assert said in found.reason
