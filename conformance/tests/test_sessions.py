"""CON-6 and CON-7 on records made by hand: what passes, what warns, and what fails."""

from __future__ import annotations

from typing import Any

import pytest
from bank_conformance.history import Answer, Call, History
from bank_conformance.requirements.sessions import (
    never_less_than_before,
    never_older_than_the_token,
)
from bank_conformance.verdict import Decision, Verdict
from bank_conformance.workloads.own_writes import OwnWrites, TokenRead
from bank_conformance.workloads.visibility import Visibility
from builders import entry, operation
from msgspec.structs import asdict


def _verdict(found: Decision) -> Verdict | None:
    """Return the verdict that the findings lead to, None where there are none."""
    return Decision(found.findings).verdict if found.findings else None


# CON-7


def _own(status: int, answer: dict[str, Any], transfer_id: str = "") -> OwnWrites:
    history = History("own writes")
    told = operation(history, "POST", route="postEntry", status=201)
    page = operation(history, route="listEntries", status=status, answer=answer)
    return OwnWrites(history, [TokenRead(told, page, 3, transfer_id)])


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (_own(200, {"items": [{"sequence": 3}]}), None),
        (_own(200, {"items": [{"sequence": 4}, {"sequence": 3}]}), None),
        (_own(200, {"items": [{"sequence": 2}]}), Verdict.FAIL),
        (_own(200, {"items": []}), Verdict.FAIL),
        (_own(409, {"code": "not-yet-consistent"}), None),
        (_own(409, {"code": "conflict"}), Verdict.WARN),
        (_own(200, {"items": [{"transfer_id": "trf_1"}]}, "trf_1"), None),
        (_own(200, {"items": [{"transfer_id": "trf_2"}]}, "trf_1"), Verdict.FAIL),
    ],
)
def test_a_read_with_a_token_is_no_older_or_is_refused(
    record: OwnWrites, verdict: Verdict | None
) -> None:
    assert _verdict(never_older_than_the_token(record)) is verdict


def test_a_bank_without_tokens_is_skipped_and_a_few_reads_are_no_pass() -> None:
    assert never_older_than_the_token(OwnWrites(History("x"))).verdict is Verdict.SKIP
    few = _own(200, {"items": [{"sequence": 3}]})
    assert never_older_than_the_token(few).verdict is Verdict.INCONCLUSIVE


# CON-6


def _looks(*newest: int, sessions: str = "", cursor: str = "") -> Visibility:
    history = History("visibility")
    for place, sequence in enumerate(newest):
        session = sessions[place] if sessions else "a"
        url = f"/v1/accounts/acc_1/entries?order=desc{cursor}"
        shown = [asdict(entry(sequence + 1, sequence, "CRDT", 1))] if sequence else []
        call = Call("listEntries", "GET", url, "staff")
        answer = Answer(200, {}, "", {"items": shown, "next": None})
        made = history.append(session, call, 2.0 * place, answer)
        object.__setattr__(made, "completed", 2.0 * place + 1)
    return Visibility(history, [])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_looks(0, 1, 1, 3), ""),
        (_looks(1, 3, 2), "sequence 2 was the newest, after 3 was shown"),
        (_looks(1, 0), "sequence 0 was the newest"),
        (_looks(3, 2, sessions="ab"), ""),
        (_looks(3, 2, cursor="&cursor=x"), ""),
    ],
)
def test_a_client_is_never_shown_less_than_before(record: Visibility, said: str) -> None:
    found = " ".join(finding.evidence for finding in never_less_than_before(record).findings)
    assert said in found
    assert bool(said) == bool(found)
    assert never_less_than_before(record).verdict is not Verdict.PASS
