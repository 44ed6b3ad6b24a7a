"""What looks teach about a moment, against a brute force that knows it."""

from __future__ import annotations

from bank_conformance.deciders.stable_latency import Judgement, worst
from bank_simulations.client import Answer
from bank_simulations.load.watch import Watch
from geventhttpclient.header import Headers
from hypothesis import given
from hypothesis import strategies as st

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
