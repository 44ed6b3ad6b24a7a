"""Receipts of erasures: one that names no one passes, and every other fails for what it is."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from bank_conformance.history import History
from bank_conformance.requirements import receipts as receipted
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.receipts import Erased as Gone
from bank_conformance.workloads.receipts import Receipts
from builders import operation
from signing import JWKS, RECEIPT, SIGNER, STRANGER

KNOWN = {"name": "Zoë Canary-4711", "customer id": "cus_" + "5" * 32}


def receipts(*told: dict[str, Any] | str | None, subjects: int = 4) -> Receipts:
    """Return a record of several erasures; the first one's receipt is `told`."""
    history = History("receipts")
    keys = operation(history, answer=json.loads(JWKS), route="getSigningKeys")
    record = Receipts(history, keys)
    for number in range(subjects):
        ours = RECEIPT | {"erasure_id": f"e{number}", "key_digest": f"{number:064d}"}
        said = told[0] if told and number == 0 else ours
        signed = SIGNER.sign("erasure-receipt", said) if isinstance(said, dict) else said
        answer = {"customer_id": "cus_1", "state": "ERASED", "receipt": signed}
        answers = tuple(operation(history, answer=answer, route="getErasure") for _ in range(2))
        record.erased.append(Gone(KNOWN, answers))
    return record


def test_receipts_that_name_no_one_pass() -> None:
    decision = receipted.receipts_verify(receipts())
    assert decision.verdict is Verdict.PASS, decision.reason


@pytest.mark.parametrize(
    ("state", "verdict"),
    [("ON_LEGAL_HOLD", Verdict.SKIP), ("REQUESTED", Verdict.INCONCLUSIVE)],
)
def test_an_erasure_that_did_not_end_needs_no_receipt(state: str, verdict: Verdict) -> None:
    record = receipts()
    waiting = {"customer_id": "cus_1", "state": state, "receipt": None}
    record.erased[2] = Gone(KNOWN, (operation(record.history, answer=waiting),))
    assert receipted.receipts_verify(record).verdict is verdict


def test_too_few_receipts_prove_nothing() -> None:
    assert receipted.receipts_verify(receipts(subjects=2)).verdict is Verdict.INCONCLUSIVE


def _digest(name: str, text: str) -> str:
    return hashlib.new(name, text.encode()).hexdigest()


UNSIGNED = SIGNER.sign("erasure-receipt", RECEIPT).rpartition(".")[0] + "."


@pytest.mark.parametrize(
    ("told", "expectation"),
    [
        (None, receipted.GIVEN),
        (UNSIGNED, receipted.VERIFIES),
        (STRANGER.sign("erasure-receipt", RECEIPT), receipted.VERIFIES),
        (RECEIPT | {"erasure_id": KNOWN["customer id"]}, receipted.NAMES_NO_ONE),
        (RECEIPT | {"purged": [KNOWN["name"]]}, receipted.NAMES_NO_ONE),
        (RECEIPT | {"key_digest": _digest("sha256", KNOWN["name"])}, receipted.NAMES_NO_ONE),
        (
            RECEIPT | {"key_digest": _digest("sha256", KNOWN["name"].casefold())},
            receipted.NAMES_NO_ONE,
        ),
        (RECEIPT | {"erasure_id": _digest("md5", KNOWN["customer id"])}, receipted.NAMES_NO_ONE),
        (RECEIPT | {"erasure_id": "e1"}, receipted.ONE_EACH),
    ],
    ids=["none", "unsigned", "stranger", "id", "name", "sha256", "lower", "md5", "shared"],
)
def test_a_receipt_that_is_none_or_names_somebody_fails(told: Any, expectation: str) -> None:
    findings = receipted.receipts_verify(receipts(told)).findings
    assert expectation in {finding.expectation for finding in findings}
