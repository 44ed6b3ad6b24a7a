"""Every pair of options, and odd names, bake a bank that is whole."""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from places import PROGRAMS, TEMPLATE, Bake

pytestmark = pytest.mark.slow

DOCKER_FILES = {"Dockerfile", "compose.yaml", ".dockerignore"}
CI_FOLDERS = {".github"}
LONGEST = "x" * 40
PARSERS: dict[str, Callable[[str], object]] = {
    ".py": ast.parse,
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yml": yaml.safe_load,
    ".yaml": yaml.safe_load,
}
ODD_NAMES = {
    "my-bank": ("my-bank", "my_bank"),
    "Zed Ledger": ("zed-ledger", "zed_ledger"),
    "Ökobank Zürich": ("okobank-zurich", "okobank_zurich"),
    "A" * 40: ("a" * 40, "a" * 40),
    "Ourbank": ("ourbank", "ourbank"),
    "Ourbank EU": ("ourbank-eu", "ourbank_eu"),
}


@pytest.mark.parametrize("ci", ["github", "none"])
@pytest.mark.parametrize("docker", ["yes", "no"])
def test_every_pair_of_options_leaves_what_was_chosen(bake: Bake, docker: str, ci: str) -> None:
    bank = bake(docker=docker, ci=ci)
    names = {path.name for path in bank.iterdir()}
    assert names & DOCKER_FILES == (DOCKER_FILES if docker == "yes" else set())
    assert names & CI_FOLDERS == (CI_FOLDERS if ci == "github" else set())
    assert_whole(bank, "our_bank")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_bake(bake: Bake, name: str) -> None:
    folder, package = ODD_NAMES[name]
    bank = bake(project_name=name)
    assert bank.name == folder
    assert_whole(bank, package)
    assert name in (bank / "README.md").read_text()


def test_the_subfolder_is_a_template_too(bake: Bake) -> None:
    assert_whole(bake(TEMPLATE), "our_bank")


def assert_whole(bank: Path, package: str) -> None:
    """Renamed everywhere, and every file parses."""
    assert (bank / "src" / package / "__init__.py").exists()
    files = [path for path in bank.rglob("*") if path.is_file()]
    texts = {path: path.read_text() for path in files}
    assert [path for path in files if "cookiecutter" in texts[path]] == []
    if not package.startswith("ourbank"):
        assert [path for path in files if "ourbank" in texts[path] or "ourbank" in path.name] == []
    for path in files:
        PARSERS.get(path.suffix, str)(texts[path])


def test_caches_of_the_template_stay_behind(bake: Bake) -> None:
    left = {"__pycache__", ".ruff_cache", ".mypy_cache", ".venv", "var"}
    assert [path for path in bake().rglob("*") if path.name in left] == []


def test_scripts_can_be_executed(bake: Bake) -> None:
    bank = bake()
    assert all((bank / "scripts" / name).stat().st_mode & 0o111 for name in ("bank", "check"))


def test_answers_and_version_are_recorded(bake: Bake) -> None:
    record = json.loads((bake(currency="CZK") / ".bankwright.json").read_text())
    assert record["answers"]["currency"] == "CZK"
    assert record["template_version"]


@pytest.mark.parametrize("package", ["b", LONGEST])
@pytest.mark.parametrize("command", ["format --check", "check --select E501,I"])
def test_any_package_name_leaves_lines_as_they_should_be(
    bake: Bake, package: str, command: str
) -> None:
    bank = bake(package_name=package)
    ruff = [str(PROGRAMS / "ruff"), *command.split(), "--no-cache", "--quiet", str(bank)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\nmended by: ./scripts/check --fix"


def test_the_lock_is_the_bank_s_own_and_up_to_date(bake: Bake) -> None:
    bank = bake(project_name="Zed Ledger")
    uv = [str(PROGRAMS / "uv"), "lock", "--check", "--offline"]
    done = subprocess.run(uv, cwd=bank, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '\nname = "zed-ledger"\n' in (bank / "uv.lock").read_text()


def test_the_hook_changes_nothing_when_it_runs_again(bake: Bake) -> None:
    bank = bake(package_name="ourbank_eu")
    before = contents(bank)
    hook = TEMPLATE / "hooks" / "post_gen_project.py"
    subprocess.run([sys.executable, "-I", str(hook)], cwd=bank, check=True, capture_output=True)
    assert contents(bank) == before


def contents(bank: Path) -> dict[str, bytes]:
    files = (path for path in bank.rglob("*") if path.is_file())
    return {str(path.relative_to(bank)): path.read_bytes() for path in files}
