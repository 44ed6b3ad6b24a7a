"""Who pays whom, and the rows of an append."""

from __future__ import annotations

from collections import Counter

import pytest
from bank_simulations.bench.groups.growth import sizes
from bank_simulations.bench.inside.rows import Rows
from bank_simulations.bench.inside.workloads import (
    HOT,
    RECEIVER,
    WORKLOADS,
    ZIPF,
    Pairs,
    account_count,
)

DRAWS = 20_000


def drawn(workload: str, wanted: int, seed: str = "1") -> list[tuple[str, str]]:
    accounts = [f"acc_{number}" for number in range(account_count(workload, wanted))]
    pairs = Pairs(workload, accounts, seed)
    return [pairs.draw() for _ in range(DRAWS)]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_nobody_pays_themselves(workload: str) -> None:
    assert all(source != target for source, target in drawn(workload, 10))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_seed_draws_the_same_pairs_and_another_seed_others(workload: str) -> None:
    assert drawn(workload, 10) == drawn(workload, 10)
    assert drawn(workload, 10) != drawn(workload, 10, seed="2")


def test_hot_money_moves_between_two_accounts() -> None:
    assert set(drawn(HOT, 1_000)) == {("acc_0", "acc_1"), ("acc_1", "acc_0")}


def test_one_receiver_is_paid_by_as_many_as_were_asked_for() -> None:
    pairs = drawn(RECEIVER, 1_000)
    assert {target for _, target in pairs} == {"acc_0"}
    assert len({source for source, _ in pairs}) == 1_000


def test_by_zipf_the_first_account_pays_twice_as_often_as_the_second() -> None:
    paid = Counter(source for source, _ in drawn(ZIPF, 1_000))
    assert paid["acc_0"] / paid["acc_1"] == pytest.approx(2, rel=0.15)
    assert paid["acc_0"] / paid["acc_9"] == pytest.approx(10, rel=0.3)


def test_rows_continue_their_streams_and_never_repeat_a_place() -> None:
    rows = Rows(seed=7, worker=1)
    found = [*rows.next(3), *rows.next(10)]
    assert [row.version for row in found] == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3]
    others = Rows(seed=7, worker=2).next(13)
    assert len({(row.stream_id, row.version) for row in [*found, *others]}) == 26
    assert all(len(row.stream_id) == len("trf_") + 32 for row in found)


def test_the_log_grows_in_steps_of_ten() -> None:
    assert sizes(10_000_000) == [10_000, 100_000, 1_000_000, 10_000_000]
    assert sizes(10_000) == [10_000]
