"""Mutants in the simulation: how many seeds one lives, and what counts as found."""

import re
from pathlib import Path

import msgspec
import pytest
from _demo.bank import DemoError
from _mutants import command, figures, simulated
from _mutants.command import try_mutants
from _mutants.simulated import Hunt, Stream, clear, hunt
from _mutants.table import FOLDER, Mutant, mutants
from _tasks.steps import SERVICE
from typer import Exit

MUTANT = Mutant("it", "it breaks", "src/ourbank/it.py", "False", "broke()", simulation=True)
PLAY = """
from types import SimpleNamespace

from ourbank.it import is_broken


def play(seed):
    fails = seed in {own} or seed in {broken} and is_broken()
    return SimpleNamespace(core_seconds=0.5, violations=["books"] if fails else [])
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bank of three lines, with a simulation of as many."""
    parts = {
        "src/ourbank/__init__.py": "",
        "src/ourbank/it.py": '"""It."""\n\n\ndef is_broken():\n    return False\n',
        "simulation/__init__.py": "",
        "simulation/plan.py": "def draw(seed, weights):\n    return seed\n",
        "simulation/shrink.py": "def kind_of(found):\n    return ''.join(found)\n",
        "simulation/workloads.py": "WEIGHTS = {}\n",
    }
    for name, text in parts.items():
        path = tmp_path / "service" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(simulated, "SERVICE", tmp_path / "service")
    return tmp_path


def plays(service: Path, *, broken: set[int], own: set[int] | str = "()") -> None:
    """Which seeds fail, of the broken bank and of the whole one."""
    text = PLAY.format(broken=broken, own=own)
    (service / "service" / "simulation" / "run.py").write_text(text)


def test_a_stream_ends_at_its_first_failure_and_the_next_begins_behind_its_limit(
    service: Path,
) -> None:
    plays(service, broken={3, 4, 12, 25})
    hunted = hunt(service, 3, 10, MUTANT)
    assert [(one.first, one.seeds, one.found) for one in hunted.streams] == [
        (1, 3, "books"),
        (11, 2, "books"),
        (21, 5, "books"),
    ]
    assert (hunted.median, hunted.worst, hunted.executions) == (3, 5, 3)
    assert hunted.passed
    assert hunted.outcome == "median 3 seeds, worst 5: books"


def test_the_first_stream_that_finds_nothing_ends_the_hunt(service: Path) -> None:
    plays(service, broken={3, 25})
    hunted = hunt(service, 3, 10, MUTANT)
    assert [one.seeds for one in hunted.streams] == [3, 10]
    assert (hunted.passed, hunted.outcome) == (False, "survived 10 seeds from 11 on")


def test_a_mutant_whose_broken_line_never_ran_is_not_found(service: Path) -> None:
    plays(service, broken={99}, own={2})
    hunted = hunt(service, 1, 10, MUTANT)
    assert (hunted.passed, hunted.outcome) == (False, "its broken line never ran")


def test_a_seed_that_fails_without_the_mutant_proves_nothing(service: Path) -> None:
    plays(service, broken={1, 5}, own={5})
    first, second = hunt(service, 1, 10, MUTANT), hunt(service, 1, 10, MUTANT)
    second.streams = [Stream(5, 1, "books", 0.1)]
    clear(service, [first, second])
    assert (first.passed, second.passed) == (True, False)
    assert second.outcome == "the bank itself fails the same seeds"


def test_a_simulation_that_does_not_run_is_told_and_is_no_find(service: Path) -> None:
    (service / "service" / "simulation" / "run.py").write_text("raise RuntimeError('no world')\n")
    with pytest.raises(DemoError, match=r"(?s)it cannot be simulated: .*no world"):
        hunt(service, 1, 10, MUTANT)


@pytest.mark.parametrize(
    ("broken", "own", "code", "said"),
    [
        ({3, 15}, "()", 0, "1 of 1 mutants found in each of 2 streams of at most 10 seeds."),
        ({3}, "()", 1, "0 of 1 mutants found"),
        ({3, 15}, {15}, 1, "the bank itself fails the same seeds"),
    ],
)
def test_the_run_fails_when_one_survives_or_nothing_is_proved(
    service: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    broken: set[int],
    own: set[int] | str,
    code: int,
    said: str,
) -> None:
    plays(service, broken=broken, own=own)
    monkeypatch.setattr(command, "mutants", lambda: {"it": MUTANT})
    written = service / "var" / "it.json"
    with pytest.raises(Exit) as ended:
        try_mutants(simulation=True, samples=2, seeds_max=10, json_file=written)
    assert ended.value.exit_code == code
    assert said in " ".join(capsys.readouterr().out.split())
    assert [one.passed for one in figures.read(written).mutants] == [code == 0]


def test_a_mutant_of_the_bank_is_found_in_its_own_simulation(tmp_path: Path) -> None:
    hunted = hunt(tmp_path, 1, 20, mutants()["duplicates-taken-for-new"])
    clear(tmp_path, [hunted])
    assert hunted.passed, hunted.outcome
    assert hunted.executions > 0
    assert not list(SERVICE.rglob("broken.py")), "it was put into the template itself"


@pytest.mark.parametrize(
    ("seeds", "median", "worst"), [([7], 7, 7), ([9, 1, 5], 5, 9), ([4, 2, 8, 6], 4, 8)]
)
def test_the_median_is_a_number_of_seeds_that_was_seen(
    seeds: list[int], median: int, worst: int
) -> None:
    hunted = Hunt(MUTANT, [Stream(1, one, "books", 0.1) for one in seeds], 1)
    assert (hunted.median, hunted.worst) == (median, worst)


def test_the_table_on_the_site_has_the_mutants_that_the_simulation_finds() -> None:
    table = (FOLDER / "simulated.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted(one.id for one in mutants().values() if one.simulation)
    assert "not found" not in table


def test_the_figures_are_a_table_with_the_hardest_first(tmp_path: Path) -> None:
    hard = Mutant("hard", "much", "a", "b", "c", simulation=True)
    lost = Mutant("lost", "all", "a", "b", "c", simulation=True)
    hunts = [
        Hunt(MUTANT, [Stream(1, 2, "books", 0.1)], 1),
        Hunt(hard, [Stream(1, 1_400, "books", 0.1)], 1),
        Hunt(lost, [Stream(1, 2_000, "", 0.1)], 1),
    ]
    path = tmp_path / "figures.json"
    path.write_bytes(msgspec.json.encode(figures.document(hunts, 2_000)))
    assert figures.markdown(figures.read(path)).splitlines()[2:] == [
        "| `lost` | all | not found |  |",
        "| `hard` | much | 1,400 | 1,400 |",
        "| `it` | it breaks | 2 | 2 |",
        "",
        "Seeds until it is found, in 1 streams of at most 2,000.",
    ]


def test_figures_of_something_else_are_a_mistake_of_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "trials.json"
    path.write_text('{"trials": []}')
    with pytest.raises(Exit) as ended:
        try_mutants(markdown=path)
    assert ended.value.exit_code == 2


@pytest.mark.parametrize(
    ("mutant", "simulation", "said"),
    [
        ("scope-not-asked", True, "out of reach of the simulation"),
        ("credit-without-key", False, "out of reach of the suite: try --simulation"),
    ],
)
def test_a_mutant_that_cannot_be_reached_is_told_before_anything_is_tried(
    mutant: str, simulation: bool, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as ended:
        try_mutants(only=[mutant], simulation=simulation)
    assert ended.value.exit_code == 2
    assert said in " ".join(capsys.readouterr().out.split())
