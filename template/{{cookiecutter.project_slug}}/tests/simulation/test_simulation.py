"""The simulation replays, finds what is broken, makes it small, and keeps it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ourbank.application import saga
from ourbank.eventsourcing import memory
from ourbank.eventsourcing.follower import Follower
from ourbank.eventsourcing.projection import Projector

from simulation import corpus
from simulation.campaign import campaign
from simulation.faults import Kind
from simulation.plan import Plan, draw
from simulation.run import Run, play
from simulation.shrink import kind_of, shrunk
from simulation.workloads import WEIGHTS

ROOT = Path(__file__).parents[2]
SEEDS = range(1, 41)
SEEDS_UNTIL_FOUND_MAX = 150
TRACES = """
from simulation.plan import draw
from simulation.run import play
from simulation.workloads import WEIGHTS
print(*(play(draw(seed, WEIGHTS)).trace for seed in range(1, 13)))
"""


def first_failure() -> Run:
    summary = campaign(range(1, SEEDS_UNTIL_FOUND_MAX), jobs=1)
    assert summary.failures, "nothing was found"
    return summary.failures[0]


def test_nothing_is_found_in_the_bank_as_it_is() -> None:
    summary = campaign(SEEDS, jobs=1)
    assert not [(run.plan.seed, run.violations) for run in summary.failures]
    assert summary.seeds == len(SEEDS)
    assert summary.operations["transfer: ok"] > 5 * len(SEEDS)


@pytest.mark.parametrize("path", sorted(corpus.FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_what_failed_once_does_not_fail_again(path: Path) -> None:
    assert not play(corpus.read(path).plan).violations


def test_a_seed_replays_whatever_the_order_of_hashes_is() -> None:
    def traces(hash_seed: str) -> str:
        environment = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": f"{ROOT}:{ROOT}/src",
        }
        command = [sys.executable, "-c", TRACES]
        done = subprocess.run(  # noqa: S603 (a fixed command)
            command, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert traces("1") == traces("2")


def test_every_kind_of_fault_happens() -> None:
    drawn = {fault.kind for seed in range(200) for fault in draw(seed, WEIGHTS).faults}
    assert drawn == set(Kind)


def test_a_transfer_that_nobody_takes_up_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(self: Follower, partition: object) -> None:
        del self, partition

    monkeypatch.setattr(Follower, "_pick_up_old", nobody)
    assert "limbo" in " ".join(first_failure().violations)


def test_money_paid_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(appends: object, fresh: object) -> set[int]:
        del appends, fresh
        return set()

    monkeypatch.setattr(memory, "_duplicates", unknown)
    assert first_failure().violations


def test_a_compensation_that_keeps_the_hold_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saga, "_both", lambda transfer, own, _: saga._on(transfer.transfer_id, own))  # noqa: SLF001
    assert first_failure().violations


def test_a_failure_is_made_small_and_fails_alike(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def blind(self: Projector) -> bool:
        del self
        return False

    monkeypatch.setattr(Projector, "_advance_all", blind)
    failed = first_failure()
    small = shrunk(failed.plan)
    assert len(small.acts) <= len(failed.plan.acts)
    assert not small.faults
    assert kind_of(play(small).violations) == kind_of(failed.violations)
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    path = corpus.keep("small", corpus.Case(kind_of(failed.violations), small))
    assert corpus.read(path).plan == small
    assert [*corpus.cases()] == ["small"]


def test_a_broken_case_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"found": 1}')
    with pytest.raises(ValueError, match=r"broken\.json is no case of the corpus"):
        corpus.read(path)


def test_a_plan_without_anything_passes() -> None:
    run = play(Plan(seed=1))
    assert not run.violations
    assert run.simulated_seconds >= 20
