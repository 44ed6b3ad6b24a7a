"""An answer that would make a bank that does not run is refused with its cure in one line."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from places import PROGRAMS, REPOSITORY, SERVICE, TEMPLATE

sys.path.append(str(TEMPLATE))
from answers import TAKEN, problems

GOOD = {
    "project_name": "Our Bank",
    "project_slug": "our-bank",
    "package_name": "our_bank",
    "author": "The team",
    "currency": "EUR",
    "http_port": "8000",
}


def test_good_answers_pass() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("question", "answer", "cure"),
    [
        ("project_name", "", "give a line of text"),
        ("project_name", 'The "Bank"', "without quotes"),
        ("project_name", "A\nB", "give a line of text"),
        ("project_name", "{{ 1 }}", "braces"),
        ("author", "C:\\me", "backslashes"),
        ("project_slug", "Zed Ledger", "as in our-bank"),
        ("project_slug", "../up", "as in our-bank"),
        ("project_slug", "a" * 41, "at most 40"),
        ("package_name", "our-bank", "as in our_bank"),
        ("package_name", "1bank", "letter first"),
        ("package_name", "class", "use class_bank"),
        ("package_name", "json", "use json_bank"),
        ("package_name", "fastapi", "use fastapi_bank"),
        ("package_name", "tests", "use tests_bank"),
        ("currency", "euro", "three capital letters"),
        ("http_port", "80", "from 1024 to 65534"),
        ("http_port", "65535", "from 1024 to 65534"),
        ("http_port", "eight", "as in 8000"),
        ("http_port", "٨٠٠٠", "as in 8000"),
    ],
)
def test_each_bad_answer_names_itself_and_its_cure(question: str, answer: str, cure: str) -> None:
    (problem,) = problems({**GOOD, question: answer})
    assert problem.startswith(f"{question} {answer!r}:")
    assert cure in problem
    assert "\n" not in problem


def test_every_bad_answer_is_told_at_once() -> None:
    assert len(problems({**GOOD, "currency": "x", "http_port": "x"})) == 2


def test_no_package_may_take_the_name_of_a_dependency() -> None:
    project = tomllib.loads((SERVICE / "pyproject.toml").read_text())
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    imported = {name.partition(">=")[0].partition("[")[0].replace("-", "_") for name in named}
    distributed_otherwise = {"pyjwt", "import_linter", "pytest_asyncio"}
    assert imported - distributed_otherwise <= TAKEN


def test_the_command_line_ends_in_one_line_without_a_traceback(tmp_path: Path) -> None:
    command = [str(PROGRAMS / "cookiecutter"), str(REPOSITORY), "--no-input"]
    options = ["--default-config", "--output-dir", str(tmp_path), "http_port=80"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [
        "Error: http_port '80': use a number from 1024 to 65534, as in 8000"
    ]
    assert list(tmp_path.iterdir()) == []
