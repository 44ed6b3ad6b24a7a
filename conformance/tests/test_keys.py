"""IDEM-3 and IDEM-6 on records made by hand: what passes, what warns, and what fails."""

from __future__ import annotations

from typing import Any

import pytest
from bank_conformance.history import History, Operation
from bank_conformance.requirements.keys import keys_are_ones_own, other_request_refused
from bank_conformance.verdict import Decision, Verdict
from bank_conformance.workloads.bench import Repeat
from bank_conformance.workloads.keys import Reuse, Reuses, Shared, Sharing
from builders import TRANSFER, operation

Told = tuple[str, int, dict[str, Any]]
ENTRY, BATCH, MOVE = "postEntry", "requestTransfers", "requestTransfer"
DONE: Told = (ENTRY, 201, {"sequence": 1})
OTHER: Told = (ENTRY, 422, {"code": "idempotency-key-reused"})
BATCHED: Told = (BATCH, 200, {"outcomes": [{"status": 202, "transfer": TRANSFER}]})
REFUSED_BATCH: Told = (BATCH, 200, {"outcomes": [{"status": 422}]})


def _told(history: History, told: Told) -> Operation:
    route, status, answer = told
    return operation(history, "POST", "/v1/x", route=route, status=status, answer=answer)


def _verdict(found: Decision) -> Verdict | None:
    """Return the verdict that the findings lead to, None where there are none."""
    return Decision(found.findings).verdict if found.findings else None


def _reuse(first: Told, other: Told, again: Told, effects: int = 0) -> Reuses:
    history, mark = History("reuse"), ("acc_1", "CRDT", 7)
    made = [_told(history, told) for told in (first, other, again)]
    record = Reuses(history, [Repeat("another request", (mark,), (made[1],))], [mark] * effects)
    record.reuses.append(Reuse("deposit", made[0], (made[1],), made[2]))
    return record


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (_reuse(DONE, OTHER, DONE), None),
        (_reuse(DONE, OTHER, DONE, effects=1), Verdict.FAIL),
        (_reuse(DONE, DONE, DONE, effects=1), Verdict.FAIL),
        (_reuse(DONE, DONE, DONE, effects=0), Verdict.FAIL),
        (_reuse(DONE, (ENTRY, 422, {"code": "insufficient-funds"}), DONE), Verdict.WARN),
        (_reuse(DONE, OTHER, (ENTRY, 201, {"sequence": 2})), Verdict.FAIL),
        (_reuse(BATCHED, REFUSED_BATCH, BATCHED), None),
        (_reuse(BATCHED, BATCHED, BATCHED, effects=1), Verdict.FAIL),
        (_reuse(BATCHED, DONE, BATCHED, effects=1), Verdict.WARN),
    ],
)
def test_another_request_under_a_used_key_is_refused(
    record: Reuses, verdict: Verdict | None
) -> None:
    assert _verdict(other_request_refused(record)) is verdict


def test_of_different_requests_at_once_under_one_key_one_may_be_done() -> None:
    record = _reuse(DONE, OTHER, DONE)
    record.races = [(_told(record.history, DONE), _told(record.history, OTHER))]
    assert _verdict(other_request_refused(record)) is None
    record.races = [(_told(record.history, DONE), _told(record.history, DONE))]
    assert "2 of 2 different requests at once" in other_request_refused(record).reason


def _sharing(second: Told, copied: Told) -> Sharing:
    history = History("sharing")
    own = (_told(history, (MOVE, 202, TRANSFER)), _told(history, second))
    return Sharing(history, shared=[Shared(own, _told(history, copied))])


MINE: Told = (MOVE, 202, TRANSFER | {"transfer_id": "trf_2"})
NOT_YOURS: Told = (MOVE, 422, {"code": "account-not-found"})


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (_sharing(MINE, NOT_YOURS), None),
        (_sharing(OTHER, NOT_YOURS), Verdict.FAIL),
        (_sharing((MOVE, 409, {"code": "in-flight"}), NOT_YOURS), None),
        (_sharing((MOVE, 202, TRANSFER), NOT_YOURS), Verdict.FAIL),
        (_sharing(MINE, (MOVE, 202, TRANSFER)), Verdict.FAIL),
        (_sharing(MINE, (MOVE, 422, {"code": "x", "transfer_id": "trf_1"})), Verdict.FAIL),
        (_sharing(MINE, OTHER), None),
    ],
)
def test_a_key_belongs_to_who_chose_it(record: Sharing, verdict: Verdict | None) -> None:
    assert _verdict(keys_are_ones_own(record)) is verdict
