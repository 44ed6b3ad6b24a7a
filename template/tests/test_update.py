"""A generated bank takes the template's updates, and keeps what its team has changed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY, SERVICE, TEMPLATE, Bake

pytestmark = pytest.mark.slow


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The template as an earlier version might have been: other words, one file more, one less."""
    folder = tmp_path / "older"
    ignored = shutil.ignore_patterns(".venv", "var", "__pycache__", ".*_cache", "tests")
    shutil.copytree(TEMPLATE, folder, ignore=ignored)
    context = json.loads((folder / "cookiecutter.json").read_text())
    (folder / "cookiecutter.json").write_text(json.dumps({**context, "_template_version": "0.0.1"}))
    service = folder / SERVICE.name
    (service / ".gitignore").write_text("# An older text\nvar/\n")
    (service / "scripts" / "retired").write_text("no longer part of the template\n")
    (service / "scripts" / "check").unlink()
    return folder


@pytest.fixture
def bank(bake: Bake, older: Path) -> Path:
    """A bank made by the older template, committed as generated."""
    folder = bake(older, project_name="Zed Ledger", currency="CZK")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "Team")
    git(folder, "config", "user.email", "team@bank.invalid")
    commit(folder, "As generated")
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def update(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "scripts" / "update"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_update_brings_the_template_and_keeps_the_team_s_work(bank: Path) -> None:
    readme = bank / "README.md"
    readme.write_text(readme.read_text() + "\nOur own last line.\n")
    (bank / "src" / "zed_ledger" / "own.py").write_text('"""Our own file."""\n')
    commit(bank, "Our work")
    done = update(bank)
    assert done.returncode == 0, done.stdout
    assert (bank / ".gitignore").read_text() == (SERVICE / ".gitignore").read_text()
    assert (bank / "scripts" / "check").exists()
    assert not (bank / "scripts" / "retired").exists()
    assert readme.read_text().endswith("Our own last line.\n")
    assert (bank / "src" / "zed_ledger" / "own.py").exists()
    assert git(bank, "status", "--porcelain") == ""


def test_an_update_records_the_version_and_keeps_the_answers(bank: Path) -> None:
    assert update(bank).returncode == 0
    record = json.loads((bank / ".bankwright.json").read_text())
    context = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    assert record["template_version"] == context["_template_version"]
    assert record["answers"]["currency"] == "CZK"


def test_a_second_update_finds_nothing_to_do(bank: Path) -> None:
    update(bank)
    before = git(bank, "rev-parse", "HEAD")
    assert update(bank).returncode == 0
    assert git(bank, "rev-parse", "HEAD") == before


def test_what_both_sides_changed_is_named_and_left_to_the_team(bank: Path) -> None:
    (bank / ".gitignore").write_text("# The team's text\nvar/\n")
    commit(bank, "Our text")
    done = update(bank)
    assert done.returncode == 1
    assert "  .gitignore" in done.stdout.splitlines()
    assert "# The team's text" in (bank / ".gitignore").read_text()


def test_uncommitted_work_is_refused_with_the_cure(bank: Path) -> None:
    (bank / "README.md").write_text("half done\n")
    done = update(bank)
    assert done.returncode == 2
    assert done.stdout.endswith("commit or stash them first\n")


def test_a_folder_that_is_no_bank_is_refused_with_the_cure(tmp_path: Path) -> None:
    done = update(tmp_path)
    assert done.returncode == 2
    assert "name the folder of a bank" in done.stdout
