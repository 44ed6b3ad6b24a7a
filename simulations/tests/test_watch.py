"""What looks teach about a moment, against a brute force that knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import gevent
from bank_conformance.deciders.stable_latency import Judgement, worst
from bank_simulations.client import Answer
from bank_simulations.load import transfers
from bank_simulations.load.clock import RunClock
from bank_simulations.load.measurement import Observation
from bank_simulations.load.plan import Planned
from bank_simulations.load.population import Population
from bank_simulations.load.watch import Watch
from gevent.event import Event
from geventhttpclient.header import Headers
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    import pytest
    from bank_simulations.client import BankClient

BOUND = 2.0
moments = st.floats(min_value=0.001, max_value=5.0)
looks = st.lists(st.tuples(st.floats(0.001, 0.5), st.floats(0.0, 0.5)), min_size=1, max_size=40)


def observe(visible_at: float, gaps: list[tuple[float, float]]) -> Watch:
    """Look until it shows; the bank answers a look as of its middle."""
    watch, now = Watch("", bool), 0.0
    for gap, length in gaps:
        began = now + gap
        now = began + length
        watch.learn(Answer(200, began + length / 2 >= visible_at, Headers()), began, now)
        if watch.seen:
            break
    return watch


@given(visible_at=moments, gaps=looks)
def test_the_truth_lies_in_the_interval(visible_at: float, gaps: list[tuple[float, float]]) -> None:
    seen = observe(visible_at, gaps).seen
    if seen:
        assert seen.low < visible_at <= seen.high


@given(visible_at=moments, gaps=looks)
def test_a_decided_verdict_is_never_wrong(
    visible_at: float, gaps: list[tuple[float, float]]
) -> None:
    seen = observe(visible_at, gaps).seen
    if seen and seen.judge(BOUND) is not Judgement.AMBIGUOUS:
        assert (seen.judge(BOUND) is Judgement.MET) == (visible_at <= BOUND)


@given(times=st.lists(st.tuples(moments, looks), min_size=1, max_size=4))
def test_the_last_of_several_lies_in_the_interval_of_all(
    times: list[tuple[float, list[tuple[float, float]]]],
) -> None:
    watches = [observe(visible_at, gaps) for visible_at, gaps in times]
    if all(watch.seen for watch in watches):
        whole = worst([watch.seen for watch in watches if watch.seen])
        last = max(visible_at for visible_at, _ in times)
        assert whole.low < last <= whole.high


def test_an_error_teaches_nothing() -> None:
    watch = Watch("", lambda _: False)
    watch.learn(Answer(503, None, Headers()), 1.0, 1.1)
    assert (watch.lower_seconds, watch.misses, watch.seen) == (0.0, 0, None)


class SlowBank:
    """Answers transfers with an even number at once and the others late; shows each at the third
    look.
    """

    def __init__(self) -> None:
        self.late = Event()
        self._looks: dict[str, int] = {}

    def post(self, _path: str, body: dict[str, Any], key: str, _wait: int | None) -> Answer:
        number = int(key.rpartition("-")[2])
        if number % 2:
            self.late.wait()
        return Answer(201, {"transfer_id": str(body["amount_minor"])}, Headers())

    def get(self, path: str) -> Answer:
        looks = self._looks[path] = self._looks.get(path, 0) + 1
        account, number = path.split("/")[3], path.partition("=")[2]
        direction = "DBIT" if account == "0" else "CRDT"
        entry = {"transfer_id": number, "direction": direction, "amount_minor": int(number)}
        return Answer(200, {"items": [entry] if looks > 2 else []}, Headers())


def test_only_what_is_looked_for_counts_against_the_limit_of_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted: list[int] = []

    def pause(_looks: int, _overdue: bool, watching: int, _most: float) -> float:
        counted.append(watching)
        return 0.001

    monkeypatch.setattr(transfers, "pause_seconds", pause)
    bank, clock = SlowBank(), RunClock()
    clock.start()
    population = Population(("0", "1"), "EUR", 0)
    load = transfers.Transfers(cast("BankClient", bank), population, clock, "run", 2.0, 500.0)
    seen = [Observation(Planned(n, 0.0, "", "", 0, 1, n + 1), 0.0) for n in range(20)]
    running = [gevent.spawn(load.perform, each) for each in seen]
    gevent.joinall(running[::2])
    assert (max(counted), load.in_flight, load.watching) == (10, 10, 0)
    bank.late.set()
    gevent.joinall(running)
    assert all(each.ended for each in seen)
    assert load.watching == 0
