"""Only what was seen often enough, and contradicted by nothing, passes."""

from __future__ import annotations

import pytest
from bank_conformance.verdict import Coverage, Decision, Finding, Verdict, exit_code

BAD, ODD = Finding("a", "b"), Finding("a", "b", warning=True)
SEEN, UNSEEN = Coverage("reads", 3, 3), Coverage("reads", 2, 3)


@pytest.mark.parametrize(
    ("decision", "verdict"),
    [
        (Decision(), Verdict.PASS),
        (Decision(coverage=(SEEN,)), Verdict.PASS),
        (Decision(coverage=(SEEN, UNSEEN)), Verdict.INCONCLUSIVE),
        (Decision((BAD,), (UNSEEN,)), Verdict.FAIL),
        (Decision((ODD,), (SEEN,)), Verdict.WARN),
        (Decision((ODD,), (UNSEEN,)), Verdict.INCONCLUSIVE),
        (Decision((ODD, BAD)), Verdict.FAIL),
        (Decision(skip="no hook"), Verdict.SKIP),
        (Decision(doubt="too busy", coverage=(SEEN,)), Verdict.INCONCLUSIVE),
    ],
)
def test_a_contradiction_comes_first_and_a_pass_last(decision: Decision, verdict: Verdict) -> None:
    assert decision.verdict is verdict


def test_the_reason_names_what_was_missing() -> None:
    assert Decision(coverage=(SEEN, UNSEEN)).reason == "too little seen: 2 reads (of 3)"
    assert Decision((BAD, BAD)).reason == "b (and 1 more)"


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["PASS", "WARN", "SKIP"], 0),
        (["PASS", "FAIL", "INCONCLUSIVE"], 1),
        (["PASS", "INCONCLUSIVE"], 3),
        (["SKIP"], 3),
        ([], 3),
    ],
)
def test_a_run_is_conformant_only_if_something_passed_and_nothing_is_open(
    verdicts: list[str], code: int
) -> None:
    assert exit_code([Verdict(verdict) for verdict in verdicts]) == code
