"""ORD and CON on records made by hand: what passes, what fails, and what is no verdict."""

from __future__ import annotations

from typing import Any

import pytest
from bank_conformance.bank.shapes import FeedEvent, Posting
from bank_conformance.deciders.stable_latency import Look
from bank_conformance.history import History
from bank_conformance.requirements.consistency import conserved, one_end, visible_in_time
from bank_conformance.requirements.ordering import gapless_and_immutable
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.contention import Contention
from bank_conformance.workloads.observer import Watched
from bank_conformance.workloads.rest import Scan
from bank_conformance.workloads.visibility import Visibility
from builders import ACCOUNT, ORDER, TRANSFER, entry, operation
from msgspec.structs import replace as with_

# ORD-1


def _contention(*scans: Scan, history: History | None = None) -> Contention:
    return Contention(history or History("contention"), ["acc_1"], list(scans))


def _scan(*entries: Any, events: list[FeedEvent] | None = None, **changed: Any) -> Scan:
    return Scan({"acc_1": list(entries)}, {"acc_1": with_(ACCOUNT, **changed)}, events)


ONE = entry(2, 1, "CRDT", 10)


def test_an_entry_that_was_read_otherwise_before_fails_ord_1() -> None:
    other = with_(ONE, value_date="2020-01-01")
    found = gapless_and_immutable(_contention(_scan(other), _scan(ONE)))
    assert found.verdict is Verdict.FAIL
    assert "value_date 2020-01-01 → 2026-11-23" in found.reason


@pytest.mark.parametrize(
    ("entries", "sequence", "said"),
    [
        ([entry(2, 2, "CRDT", 10)], 2, "has sequence 2, expected 1"),
        ([ONE], 2, "1 entries in the history, sequence 2"),
        ([ONE, entry(2, 2, "CRDT", 0)], 2, "has version 2, the one before it 2"),
    ],
)
def test_numbers_that_do_not_run_fail_ord_1(entries: list[Any], sequence: int, said: str) -> None:
    found = gapless_and_immutable(_contention(_scan(*entries, sequence=sequence)))
    assert said in " ".join(finding.evidence for finding in found.findings)


def test_too_few_entries_are_no_pass() -> None:
    assert gapless_and_immutable(_contention(_scan(ONE))).verdict is Verdict.INCONCLUSIVE


# CON-1 and CON-3


def _event(*postings: tuple[str, int]) -> FeedEvent:
    made = [Posting(account, amount, "EUR") for account, amount in postings]
    data = {"sequence": 1, "amount_minor": 10}
    return FeedEvent(0, 1, "acc_1", 2, "FundsCredited", 1, "", data, made)


@pytest.mark.parametrize(
    ("postings", "said"),
    [
        ([("acc_1", 10)], "all postings add up to 10 EUR"),
        ([("acc_1", 9), ("control:cash", -9)], "the feed posts 9, booked is 10"),
        ([("acc_1", 10), ("control:cash", -10)], ""),
    ],
)
def test_a_feed_that_does_not_balance_fails_con_1(
    postings: list[tuple[str, int]], said: str
) -> None:
    found = conserved(_contention(_scan(ONE, events=[_event(*postings)])))
    evidence = " ".join(finding.evidence for finding in found.findings)
    assert said in evidence
    assert bool(said) == bool(evidence)


def _transfer(state: str, *legs: Any, held: int = 0) -> Contention:
    history = History("contention")
    answer = TRANSFER | {"state": state}
    operation(
        history,
        "POST",
        "/v1/transfers",
        route="requestTransfer",
        status=202,
        body=ORDER,
        answer=answer,
    )
    found = _scan(*[leg for leg in legs if leg.account_id == "acc_1"], held_minor=held)
    found.entries["acc_2"] = [leg for leg in legs if leg.account_id == "acc_2"]
    return _contention(found, history=history)


def _leg(account_id: str, direction: str, amount: int = 4) -> Any:
    return with_(entry(5, 2, direction, amount, transfer_id="trf_1"), account_id=account_id)


OUT, IN = _leg("acc_1", "DBIT"), _leg("acc_2", "CRDT")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_transfer("COMPLETED", OUT, IN), ""),
        (_transfer("COMPLETED", OUT), "completed with 1 legs"),
        (_transfer("COMPLETED", OUT, IN, IN), "completed with 3 legs"),
        (_transfer("COMPLETED", OUT, _leg("acc_2", "CRDT", 3)), "a leg of another amount than 4"),
        (_transfer("FAILED"), ""),
        (_transfer("FAILED", OUT), "is FAILED with 1 legs"),
        (_transfer("FAILED", held=4), "holds 4 minor units at rest, clients' own holds are 0"),
        (_transfer("SETTLING"), "still SETTLING"),
    ],
)
def test_a_transfer_that_does_not_end_one_way_fails_con_3(record: Contention, said: str) -> None:
    found = " ".join(finding.evidence for finding in one_end(record).findings)
    assert said in found
    assert bool(said) == bool(found)


# CON-5


def _visibility(*looks: Look, lag: float = 0.0, others: int = 700) -> Visibility:
    history = History("visibility")
    quick = {"acc_1": [Look(0.1, 0.2, hit=True)], "acc_2": [Look(0.1, 0.2, hit=True)]}
    watched = [Watched(0.0, 0.0, "trf_0", looks=quick) for _ in range(others)]
    odd = Watched(0.0, lag, "trf_1", looks={"acc_1": quick["acc_1"], "acc_2": list(looks)})
    return Visibility(history, [*watched, odd])


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (_visibility(Look(1.0, 1.9, hit=True)), Verdict.PASS),
        (_visibility(Look(2.1, 2.2, hit=False), Look(2.3, 2.4, hit=True)), Verdict.FAIL),
        (
            _visibility(Look(2.1, 2.2, hit=False), Look(2.3, 2.4, hit=True), lag=0.5),
            Verdict.INCONCLUSIVE,
        ),
        (_visibility(Look(1.8, 1.9, hit=False), Look(2.0, 2.1, hit=True)), Verdict.INCONCLUSIVE),
        (_visibility(Look(0.1, 0.2, hit=True), Look(0.3, 0.4, hit=False)), Verdict.FAIL),
        (_visibility(Look(1.0, 1.9, hit=True), others=100), Verdict.INCONCLUSIVE),
    ],
)
def test_con_5_blames_the_bank_only_for_what_is_beyond_doubt(
    record: Visibility, verdict: Verdict
) -> None:
    assert visible_in_time(record).verdict is verdict
