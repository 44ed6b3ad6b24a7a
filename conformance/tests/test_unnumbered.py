"""ORD-3 without a claim: the search explains a good bank, and catches the mutant of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest
from bank_conformance.catalogue import catalogue
from bank_conformance.history import Answer
from bank_conformance.mapping import Adapter, Asked
from bank_conformance.reference.mutants import MUTANTS
from bank_conformance.runner import run
from bank_conformance.serving import serving
from bank_conformance.verdict import Result, Verdict
from builders import Silent

pytestmark = pytest.mark.slow


class Unnumbered(Adapter):
    """Takes every version and every account's sequence out of what the bank answers."""

    lacks = frozenset({"versions", "numbers"})

    def response(self, asked: Asked, answer: Answer) -> Answer:
        headers = {name: value for name, value in answer.headers.items() if name != "etag"}
        return replace(answer, headers=headers, body=self._without(asked, answer.body))

    def _without(self, asked: Asked, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        if asked.route.name in {"openAccount", "getAccount"} and "sequence" in body:
            return body | {"version": None, "sequence": None}
        return {
            name: value for name, value in body.items() if name != "version" or "type" not in body
        }


async def _decide(mutant_id: str | None) -> Result:
    mutant = MUTANTS[mutant_id] if mutant_id else None
    async with serving(mutant) as bank:
        target = replace(bank.target, adapter=Unnumbered())
        found = await run(target, [catalogue()["ORD-3"]], seed=1, reporter=Silent())
    assert not found.invalid
    return found.results[0]


def test_an_order_is_found_for_a_good_bank_with_holds_and_transfers_on_their_way() -> None:
    result = anyio.run(_decide, None)
    assert result.verdict is Verdict.PASS, result.decision.reason


def test_check_then_act_is_caught_although_nothing_is_numbered() -> None:
    result = anyio.run(_decide, "M04")
    assert result.verdict is Verdict.FAIL, result.decision.reason
    assert "no order of" in result.decision.reason
