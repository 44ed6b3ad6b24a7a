"""What a target offers is read from its file; what is wrong with it is one line with the cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bank_simulations.console import BadInputError
from bank_simulations.faults.catalogue import Fault, read_faults, read_target
from bank_simulations.faults.trial import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCommand

BANK = """
[target]
base_url = "http://127.0.0.1:1/"
[token]
command = ["mint", "--scope", "{scope}"]
[hooks]
kill = "./kill"
[limits]
request_seconds = 3.0
"""
FAULTS = """
[faults.melt]
about = "it gets hot"
begin = "./melt --on"
end = ["./melt", "--off now"]
[faults.crash]
begin = "./crash"
"""


def test_faults_are_read_with_the_folder_their_commands_run_in(tmp_path: Path) -> None:
    (tmp_path / "bank.toml").write_text(BANK + FAULTS)
    assert list(read_faults(tmp_path / "bank.toml").values()) == [
        Fault("melt", "./melt --on", "./melt '--off now'", tmp_path, "it gets hot"),
        Fault("crash", "./crash", None, tmp_path),
    ]
    file = read_target(tmp_path / "bank.toml")
    assert (file.name, file.url, file.token_command) == (
        *("http://127.0.0.1:1", "http://127.0.0.1:1"),
        "mint --scope '{scope}'",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "target: Field required"),
        ("[target", "cannot read"),
        (BANK + "[faults.melt]\n", "faults.melt.begin: Field required"),
        (BANK + '[faults.melt]\nbegin = ""\n', "faults.melt.begin"),
        (BANK + '[faults.melt]\nbegin = "a"\nstop = "b"\n', "faults.melt.stop"),
        (BANK + '[faults."Melt down"]\nbegin = "a"\n', "faults.Melt down"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(
    text: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "bank.toml").write_text(text)
    with pytest.raises(BadInputError) as caught:
        read_faults(tmp_path / "bank.toml")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "freeze"], "offers no fault 'freeze': it offers melt, crash"),
        (["--rate", "5", "--of-capacity", "0.5"], "give --rate or --of-capacity, not both"),
        (["--seconds", "5", "--transfers", "50"], "give --seconds or --transfers, not both"),
        (["--json", "/nowhere/x.json"], "cannot write /nowhere"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    run_command: RunCommand, arguments: list[str], told: str, tmp_path: Path
) -> None:
    (tmp_path / "bank.toml").write_text(BANK + FAULTS)
    ended = run_command("faults", "--target", "bank.toml", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_a_fault_lasts_for_a_quarter_of_the_load_or_less() -> None:
    assert Plan(rate=5, seconds=20).lasts_seconds == 5
    assert Plan(rate=5, seconds=20, broken_seconds=2).lasts_seconds == 2
    with pytest.raises(BadInputError, match="--broken 6 is more than a quarter of the load's 20 s"):
        Plan(rate=5, seconds=20, broken_seconds=6)


def test_the_faults_of_a_target_are_listed(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "bank.toml").write_text(BANK + FAULTS)
    ended = run_command("faults", "--target", "bank.toml", "--list")
    assert (ended.code, ended.out) == (0, "melt: it gets hot\ncrash: \n")


def test_a_target_without_faults_or_a_file_says_what_to_do(
    run_command: RunCommand, tmp_path: Path
) -> None:
    (tmp_path / "bank.toml").write_text(BANK)
    none = run_command("faults", "--target", "bank.toml")
    assert (none.code, "give it a table [faults.NAME]" in none.err) == (2, True)
    missing = run_command("faults", "--target", "nowhere.toml")
    assert (missing.code, "a generated bank has one" in missing.err) == (2, True)
