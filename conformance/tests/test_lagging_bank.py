"""A bank that is slow to show what it did passes, and one that shows it wrong for ever does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from bank_conformance.catalogue import catalogue
from bank_conformance.history import Answer, now
from bank_conformance.hooks import Hooks
from bank_conformance.mapping import Adapter
from bank_conformance.mapping.adapter import Asked, Send
from bank_conformance.runner import Run, run
from bank_conformance.serving import serving
from bank_conformance.verdict import Verdict
from builders import Silent

pytestmark = pytest.mark.slow

LAG_SECONDS = 1.0
Body = dict[str, Any]


class Lens(Adapter):
    """Shows the bank otherwise than it is, in the contract's own shape."""

    translates = False


class LateFeed(Lens):
    """What was written last comes into the feed a while after somebody first looks for it."""

    due: float | None = None

    async def exchange(self, asked: Asked, send: Send) -> Answer | None:
        answer = await super().exchange(asked, send)
        if asked.route.method == "POST":
            self.due = None
        after = asked.query.get("after")
        if asked.route.name != "readEvents" or after is None:
            return answer
        self.due = self.due or now() + LAG_SECONDS
        return answer if now() > self.due else _answer({"items": [], "next": after})


class LateLists(Lens):
    """The lists of transfers and accounts show what they would have shown a while ago."""

    def __init__(self) -> None:
        self.earlier: dict[str, list[tuple[float, Answer]]] = {}

    def response(self, asked: Asked, answer: Answer) -> Answer:
        if asked.route.name not in {"listTransfers", "listAccounts"} or answer.status != 200:
            return answer
        seen = self.earlier.setdefault(asked.url, [])
        seen.append((now(), answer))
        due = [one for at, one in seen if at < now() - LAG_SECONDS]
        return due[-1] if due else _answer({"items": [], "next": None})


class WrongLists(Lens):
    """A list is whatever `spoil` makes of it."""

    def __init__(self, route: str, spoil: Callable[[list[Body]], list[Body]]) -> None:
        self.route, self.spoil = route, spoil

    def response(self, asked: Asked, answer: Answer) -> Answer:
        if asked.route.name != self.route or answer.status != 200:
            return answer
        return _answer(answer.body | {"items": self.spoil(answer.body["items"])})


class LittleByLittle(Lens):
    """After a rebuild the lists fill up by and by, and stand still in between."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks, self.names, self.rebuilt = hooks, hooks.names, -LAG_SECONDS

    async def run(self, name: str, **values: str) -> None:
        await self.hooks.run(name, **values)
        self.rebuilt = now() if name == "rebuild" else self.rebuilt

    def response(self, asked: Asked, answer: Answer) -> Answer:  # noqa: ARG002  all alike
        is_list = isinstance(answer.body, dict) and "items" in answer.body
        if not is_list or now() > self.rebuilt + LAG_SECONDS:
            return answer
        return _answer(answer.body | {"items": answer.body["items"][:2]})


def _answer(body: Body) -> Answer:
    return Answer(200, {}, json.dumps(body), body)


def _verdicts(*ids: str, adapter: Lens | None = None) -> dict[str, Verdict]:
    """Decide some requirements of the reference bank as it looks through an adapter."""

    async def go() -> Run:
        async with serving() as bank:
            through = adapter or LittleByLittle(bank.target.hooks)
            hooks = through if isinstance(through, LittleByLittle) else bank.target.hooks
            target = replace(bank.target, adapter=through, hooks=hooks)
            chosen = [catalogue()[one] for one in ids]
            return await run(target, chosen, seed=1, reporter=Silent())

    found = asyncio.run(go())
    assert not found.invalid
    for one in found.results:
        print(one.requirement_id, one.verdict, one.decision.reason)  # noqa: T201  for a failure
    return {one.requirement_id: one.verdict for one in found.results}


@pytest.mark.parametrize("adapter", [LateFeed(), LateLists()], ids=lambda one: type(one).__name__)
def test_a_bank_whose_feed_or_lists_come_late_passes(adapter: Lens) -> None:
    passed = dict.fromkeys(("CON-4", "DUR-4"), Verdict.PASS)
    assert _verdicts("CON-4", "DUR-4", adapter=adapter) == passed


def test_a_rebuild_that_comes_into_sight_little_by_little_passes() -> None:
    assert _verdicts("CON-10") == {"CON-10": Verdict.PASS}


def _two_thirds_and_inventions(rows: list[Body]) -> list[Body]:
    kept = [
        row | {"state": "RESERVED", "version": 1} for place, row in enumerate(rows) if place % 3
    ]
    return [*kept, *(row | {"transfer_id": f"trf_{n:032x}"} for n, row in enumerate(kept))]


def _never_folded(rows: list[Body]) -> list[Body]:
    still = {"version": 1, "sequence": 0, "booked_minor": 0, "available_minor": 0}
    return [row | still | {"held_minor": 777} for row in rows]


@pytest.mark.parametrize(
    "adapter",
    [
        WrongLists("listTransfers", _two_thirds_and_inventions),
        WrongLists("listAccounts", _never_folded),
    ],
    ids=lambda one: one.route,
)
def test_lists_that_are_wrong_for_ever_fail(adapter: WrongLists) -> None:
    failed = dict.fromkeys(("CON-4", "DUR-4"), Verdict.FAIL)
    assert _verdicts("CON-4", "DUR-4", adapter=adapter) == failed
