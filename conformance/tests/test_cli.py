"""The command line: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest
from bank_conformance.catalogue import catalogue
from bank_conformance.cli import app
from bank_conformance.hooks import PLACEHOLDERS
from bank_conformance.reference.__main__ import SECRET_VARIABLE
from bank_conformance.requirements import CHECKS
from bank_conformance.target import load_target
from reference_process import reference
from typer.testing import CliRunner, Result


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize("command", ["run", "list", "explain", "self-test", "init"])
def test_every_command_has_help(command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert command in result.output


def test_the_list_shows_the_whole_catalogue_and_what_is_only_planned(tmp_path: Path) -> None:
    result = invoke("list", "--json", str(tmp_path / "list.json"))
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.output.splitlines() if line.strip()}
    assert set(catalogue()) <= set(lines)
    assert " built " in lines["ORD-1"]
    assert "by self-test" in lines["META-0"]
    assert all(
        f" {one.status} " in lines[one.id] for one in catalogue().values() if one.id in CHECKS
    )
    assert "hooks kill, start" in lines["DUR-1"]
    assert len(json.loads((tmp_path / "list.json").read_text())["requirements"]) == 60


@pytest.mark.parametrize("name", ["CON-5", "con-5"])
def test_a_requirement_is_explained(name: str) -> None:
    result = invoke("explain", name)
    assert result.exit_code == 0
    for said in ("within 2 s", "exact binomial", "M15", "--only CON-5"):
        assert said in result.output


def test_what_is_not_built_is_explained_and_cannot_be_run(tmp_path: Path) -> None:
    for one in (one for one in catalogue().values() if one.id not in CHECKS):
        assert "--only" not in invoke("explain", one.id).output
        result = invoke("run", "--target", str(tmp_path / "t.toml"), "--only", f"ORD-1,{one.id}")
        assert result.exit_code == 2
        assert f"{one.id} is {one.status}" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explain", "ORD1"), "did you mean ORD-1"),
        (("run", "--target", "none.toml"), "bank-conformance init"),
        (("run", "--target", "none.toml", "--only", "X-1"), "no requirement 'X-1'"),
        (("run", "--target", "none.toml", "--level", "L9"), "must be one of L0"),
        (("self-test", "--only", "M99"), "no bank 'M99'"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_cure(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_init_writes_a_target_file_that_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "bank.toml"
    odd = 'my "old" bank\\'
    given = ("--url", "http://127.0.0.1:9", "--name", odd, "--token-command", "t {subject} {scope}")
    assert invoke("init", str(file), *given).exit_code == 0
    written = tomllib.loads(file.read_text())
    assert written["target"] == {"name": odd, "base_url": "http://127.0.0.1:9", "currency": "EUR"}
    again = invoke("init", str(file), "--yes")
    assert again.exit_code == 2
    assert "--force" in again.output
    assert invoke("init", str(file), "--yes", "--force").exit_code == 0


def test_init_asks_for_what_it_was_not_given(tmp_path: Path) -> None:
    file = tmp_path / "bank.toml"
    answers = "http://127.0.0.1:9\nour bank\n\n"
    result = CliRunner().invoke(app, ["init", str(file)], input=answers)
    assert result.exit_code == 0
    assert tomllib.loads(file.read_text())["target"]["name"] == "our bank"


@pytest.mark.slow
def test_init_asks_the_bank_what_it_offers_and_changes_nothing_unasked(tmp_path: Path) -> None:
    command = f"{sys.executable} -m bank_conformance.reference token --subject {{subject}}"
    with reference() as (url, secret, _), pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_VARIABLE, secret)
        token = f"{command} --scope {{scope}} --seconds {{seconds}}"
        given = ("--url", url, "--token-command", token, "--name", "ours")
        asked = CliRunner().invoke(app, ["init", str(tmp_path / "a.toml"), *given], input="y\n")
        unasked = invoke("init", str(tmp_path / "b.toml"), *given, "--yes")
        refused = invoke(
            "init", str(tmp_path / "c.toml"), *given[:3], "t {subject} {scope}", "--yes", "--probe"
        )
    assert f"{url} answers" in asked.output
    assert "it offers feed, holds, freezes, batches, erasure" in asked.output
    assert "it offers" not in unasked.output
    assert "not asked: " in refused.output
    assert {one.exit_code for one in (asked, unasked, refused)} == {0}


def test_a_written_target_file_lists_every_hook(tmp_path: Path) -> None:
    file = tmp_path / "bank.toml"
    assert "not asked: " in invoke("init", str(file), "--yes", "--url", "http://127.0.0.1:9").output
    text = file.read_text().replace("# [hooks]", "[hooks]")
    for name, marks in PLACEHOLDERS.items():
        told = " ".join(f"{{{mark}}}" for mark in sorted(marks))
        text = text.replace(f'# {name} = "…"', f'{name} = "hook {name} {told}"')
    file.write_text(text)
    assert load_target(file).hooks.names == set(PLACEHOLDERS)


def test_init_leaves_nothing_behind_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "bank.toml"
    result = invoke("init", str(file), "--yes", "--url", "bank.example")
    assert result.exit_code == 2
    assert not file.exists()
