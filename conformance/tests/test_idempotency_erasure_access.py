"""IDEM, SHR and SEC on records made by hand: what passes, what fails, and what is no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from bank_conformance.bank.shapes import Erasure
from bank_conformance.history import History, Operation
from bank_conformance.requirements.idempotency import (
    one_effect_after_a_timeout,
    one_effect_among_racers,
    one_effect_one_answer,
)
from bank_conformance.requirements.security import nobody_gets_in
from bank_conformance.requirements.shredding import no_canary_shown
from bank_conformance.tokens import ANONYMOUS, Principal
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.access import Access, Attempt
from bank_conformance.workloads.bench import Repeat, Repeats
from bank_conformance.workloads.erasure import Shredding
from bank_conformance.workloads.rest import Scan
from builders import ACCOUNT, TRANSFER, operation
from msgspec.structs import replace as with_

SCAN = Scan({}, {"acc_1": ACCOUNT})
MOVED = Scan({}, {"acc_1": with_(ACCOUNT, booked_minor=9)})


# IDEM-1 and IDEM-2


def _repeat(*answers: tuple[int, Mapping[str, Any]], route: str = "postEntry") -> Repeats:
    history = History("retries")
    tries = tuple(
        operation(
            history,
            "POST",
            "/v1/x",
            route=route,
            status=status,
            body={},
            answer=dict(answer),
            headers={"idempotency-replayed": "true"},
        )
        for status, answer in answers
    )
    return Repeats(history, [Repeat("command", (("acc_1", "CRDT", 5),), tries)])


DONE, REFUSED = (201, {"sequence": 1}), (422, {"code": "insufficient-funds"})


@pytest.mark.parametrize(
    ("record", "effects", "said"),
    [
        (_repeat(DONE, DONE), 1, ""),
        (_repeat(DONE, DONE), 2, "2 effects after the answers 2 ok: expected 1"),
        (_repeat(DONE, DONE), 0, "0 effects"),
        (_repeat(DONE, (201, {"sequence": 2})), 1, "2 different answers"),
        (_repeat(REFUSED, REFUSED), 0, ""),
        (_repeat(REFUSED, DONE), 1, "2 different answers"),
        (_repeat(REFUSED, REFUSED), 1, "expected 0"),
        (_repeat((409, {"code": "in-flight"}), DONE), 1, ""),
        (_repeat((503, {}), (503, {})), 1, "no try was ever answered"),
        (_repeat((503, {}), DONE), 1, ""),
        (
            _repeat((202, TRANSFER), (201, TRANSFER | {"state": "X"}), route="requestTransfer"),
            1,
            "",
        ),
        (
            _repeat(
                (202, TRANSFER), (202, TRANSFER | {"transfer_id": "trf_2"}), route="requestTransfer"
            ),
            1,
            "2 different answers",
        ),
    ],
)
def test_repetitions_have_one_effect_and_one_answer(
    record: Repeats, effects: int, said: str
) -> None:
    record = replace(record, effects=[("acc_1", "CRDT", 5)] * effects)
    for decide in (one_effect_one_answer, one_effect_among_racers):
        found = " ".join(finding.evidence for finding in decide(record).findings)
        assert said in found
        assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("record", "effects", "verdict"),
    [
        (_repeat((0, {}), DONE), 1, None),
        (_repeat((0, {}), DONE), 2, Verdict.FAIL),
        (_repeat((0, {}), DONE), 0, Verdict.FAIL),
        (_repeat((0, {}), (0, {})), 1, None),
        (_repeat((0, {}), (0, {})), 0, None),
        (_repeat((0, {}), (0, {})), 2, Verdict.FAIL),
        (_repeat((0, {}), REFUSED), 1, None),
    ],
)
def test_a_command_that_was_given_up_has_at_most_one_effect(
    record: Repeats, effects: int, verdict: Verdict | None
) -> None:
    record = replace(record, effects=[("acc_1", "CRDT", 5)] * effects)
    expected = verdict or Verdict.INCONCLUSIVE
    assert one_effect_after_a_timeout(record).verdict is expected


def test_a_command_given_up_and_then_found_done_is_counted_as_such() -> None:
    coverage = one_effect_after_a_timeout(_repeat((0, {}), DONE)).coverage
    assert [item.count for item in coverage] == [1, 1, 0]


def test_a_try_that_met_another_in_flight_is_no_refusal() -> None:
    coverage = one_effect_one_answer(_repeat((409, {"code": "in-flight"}), DONE)).coverage
    assert {item.what: item.count for item in coverage}["repeated that were refused"] == 0


def test_a_repetition_that_does_not_say_so_is_a_warning() -> None:
    record = _repeat(DONE, DONE)
    silent = tuple(
        replace(one, answer=replace(one.answer, headers={}))
        for one in record.repeats[0].tries
        if one.answer
    )
    record.repeats[0] = replace(record.repeats[0], tries=silent)
    record.effects = [("acc_1", "CRDT", 5)]
    findings = one_effect_one_answer(record).findings
    assert [finding.warning for finding in findings] == [True]


# SHR-1

PERSONAL = {"email": "4f7a99c1d2@example.com"}


def _shredding(**changed: Any) -> Shredding:
    history = History("erasure")

    def view(**answer: str) -> Operation:
        return operation(history, answer=answer)

    readable = [view(email=PERSONAL["email"], a="rent 77aa88bb99", b="gift 11cc22dd33")]
    made = Shredding(
        history,
        PERSONAL,
        "rent 77aa88bb99",
        "gift 11cc22dd33",
        Erasure("cus_1", "ERASED"),
        control=readable,
        views=[view(email="") for _ in range(25)],
        shared_views=[view(b="gift 11cc22dd33")],
    )
    for name, value in changed.items():
        setattr(made, name, [view(**one) for one in value] if isinstance(value, list) else value)
    return made


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Verdict.PASS),
        ({"views": [{"email": "4F7A99C1D2@EXAMPLE.COM"}] * 25}, Verdict.FAIL),
        ({"views": [{"b": "gift 11cc22dd33"}] * 25}, Verdict.FAIL),
        ({"shared_views": [{"a": "rent 77aa88bb99", "b": "gift 11cc22dd33"}]}, Verdict.FAIL),
        ({"shared_views": [{"b": ""}]}, Verdict.FAIL),
        ({"control": [{"a": "nothing readable"}]}, Verdict.INCONCLUSIVE),
        ({"erasure": Erasure("cus_1", "ON_LEGAL_HOLD", "2031-01-01")}, Verdict.SKIP),
        ({"erasure": Erasure("cus_1", "REQUESTED")}, Verdict.INCONCLUSIVE),
    ],
)
def test_shr_1_wants_the_subject_gone_and_the_other_party_kept(
    changed: dict[str, Any], verdict: Verdict
) -> None:
    assert no_canary_shown(_shredding(**changed)).verdict is verdict


# SEC-1

INTRUDER = Principal("intruder", "cus_2", "accounts:read")


@pytest.mark.parametrize(
    ("who", "status", "answer", "route", "verdict"),
    [
        (ANONYMOUS, 401, {}, "getAccount", None),
        (ANONYMOUS, 200, {}, "getAccount", Verdict.FAIL),
        (ANONYMOUS, 200, {"items": []}, "listEntries", Verdict.FAIL),
        (ANONYMOUS, 422, {"code": "account-not-found"}, "requestTransfer", Verdict.FAIL),
        (ANONYMOUS, 500, {}, "getAccount", Verdict.WARN),
        (INTRUDER, 404, {}, "getAccount", None),
        (INTRUDER, 404, {"detail": "of " + PERSONAL["email"]}, "getAccount", Verdict.FAIL),
        (INTRUDER, 200, {"items": []}, "listEntries", None),
        (INTRUDER, 200, {"items": [{"id": "acc_1"}]}, "listAccounts", Verdict.FAIL),
        (INTRUDER, 200, {"items": [{"id": "acc_9"}]}, "listAccounts", None),
        (INTRUDER, 422, {"code": "account-not-found"}, "requestTransfer", None),
        (INTRUDER, 422, {"code": "insufficient-funds"}, "requestTransfer", Verdict.FAIL),
        (INTRUDER, 409, {"code": "transfer-settled"}, "cancelTransfer", Verdict.FAIL),
        (INTRUDER, 200, {"outcomes": [{"status": 422}]}, "requestTransfers", None),
        (INTRUDER, 200, {"outcomes": [{"status": 202}]}, "requestTransfers", Verdict.FAIL),
    ],
)
def test_sec_1_wants_everyone_refused_in_silence(
    who: Principal, status: int, answer: dict[str, Any], route: str, verdict: Verdict | None
) -> None:
    history = History("access")
    tried = operation(history, "POST", status=status, answer=answer, route=route)
    attempt = Attempt(who, tried, authenticated=who is INTRUDER)
    record = Access(history, PERSONAL, ("acc_1",), SCAN, SCAN, [attempt])
    findings = nobody_gets_in(record).findings
    expected = [] if verdict is None else [verdict is Verdict.WARN]
    assert [finding.warning for finding in findings[:1]] == expected


def test_an_account_that_moved_while_everyone_was_refused_fails_sec_1() -> None:
    record = Access(History("access"), PERSONAL, ("acc_1",), SCAN, MOVED)
    found = nobody_gets_in(record)
    assert found.verdict is Verdict.FAIL
    assert "booked_minor 10 → 9" in found.reason
