"""The template is the service: plain files that every tool can read where they lie."""

import ast
import json
import re
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from places import REPOSITORY, SERVICE, TEMPLATE

RENDERED = {
    *(".bankwright.json", ".env.example", "README.md"),
    *("compose.yaml", "conformance.toml", "pyproject.toml"),
}
CODE_SUFFIXES = {".css", ".html", ".js", ".py", ".sh", ".sql"}
# Doubled braces alone are Python too: an f-string writes a brace that way.
JINJA = re.compile(r"\{\{-?\s*cookiecutter|\{%-?\s*(if|for|set|raw|end|include|block|macro)")
PARSERS: dict[str, Callable[[str], object]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
}
PRIVATE = {".venv", "__pycache__", "var", ".hypothesis"}


def service_files() -> list[Path]:
    """Every file of the template but what tools left there."""
    found = (path.relative_to(SERVICE) for path in SERVICE.rglob("*") if path.is_file())
    return sorted(path for path in found if not any(map(is_private, path.parts)))


def is_private(part: str) -> bool:
    return part in PRIVATE or part.endswith("_cache")


def is_copied(path: Path) -> bool:
    """As cookiecutter decides it: the file, or a folder above it, matches a pattern."""
    patterns = json.loads((TEMPLATE / "cookiecutter.json").read_text())["_copy_without_render"]
    names = [str(path), *(str(parent) for parent in path.parents)]
    return any(fnmatch(name, pattern) for name in names for pattern in patterns)


def test_a_listed_handful_of_files_is_rendered() -> None:
    assert {str(path) for path in service_files() if not is_copied(path)} == RENDERED


@pytest.mark.parametrize("path", [p for p in service_files() if p.suffix in CODE_SUFFIXES], ids=str)
def test_no_code_has_jinja(path: Path) -> None:
    assert not JINJA.search((SERVICE / path).read_text())


@pytest.mark.parametrize("path", [p for p in service_files() if p.suffix == ".py"], ids=str)
def test_python_parses_before_it_is_rendered(path: Path) -> None:
    ast.parse((SERVICE / path).read_text())


@pytest.mark.parametrize("name", sorted(RENDERED))
def test_data_files_parse_before_they_are_rendered(name: str) -> None:
    PARSERS.get(Path(name).suffix, str)((SERVICE / name).read_text())


def test_at_most_eight_questions_each_with_a_prompt() -> None:
    context = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    questions = [name for name in context if not name.startswith("_")]
    assert len(questions) <= 8
    assert list(context["__prompts__"]) == questions


def test_the_record_holds_every_answer() -> None:
    context = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    record = json.loads((SERVICE / ".bankwright.json").read_text())
    assert list(record["answers"]) == [name for name in context if not name.startswith("_")]


def test_the_template_has_the_version_of_the_repository() -> None:
    context = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert context["_template_version"] == project["version"]


def test_the_repository_checks_the_service_with_the_packages_a_bank_gets() -> None:
    ours = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["dependency-groups"]
    bank = tomllib.loads((SERVICE / "pyproject.toml").read_text())
    assert ours["service"] == bank["project"]["dependencies"]
    assert ours["service-dev"] == bank["dependency-groups"]["dev"]


def test_both_locks_name_the_same_versions() -> None:
    ours, bank = (locked_versions(folder) for folder in (REPOSITORY, SERVICE))
    assert bank.items() <= {**ours, "ourbank": bank["ourbank"]}.items()


def locked_versions(folder: Path) -> dict[str, str]:
    packages = tomllib.loads((folder / "uv.lock").read_text())["package"]
    return {package["name"]: package["version"] for package in packages}


def test_both_bootstraps_are_one() -> None:
    ours, banks = (folder / "scripts" / "_bootstrap.py" for folder in (REPOSITORY, SERVICE))
    assert ours.read_bytes() == banks.read_bytes()
