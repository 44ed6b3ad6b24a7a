"""Small pieces, and nothing of the machine they were written on."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from _tasks.steps import ROOT

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
TEXTS = {".md", ".py", ".toml", ".yml", ".yaml", ".sql", ".html", ".j2", ".json", ".css", ""}
HOME = re.compile(r"(?<![\w.~-])/(?:home|root|Users|work)/\w")


def sources(*suffixes: str) -> list[Path]:
    """Every file git knows, or would take, with one of the suffixes."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = (ROOT / name for name in names.split("\0") if name)
    return [path for path in found if path.suffix in suffixes and path.is_file()]


PYTHON = sources(".py")


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES_MAX
    functions = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES_MAX} == {}


def test_no_file_names_a_folder_of_somebody_s_machine() -> None:
    files = [path for path in sources(*TEXTS) if path != Path(__file__)]
    named = [str(path) for path in files if HOME.search(path.read_text(errors="replace"))]
    assert len(files) > 50
    assert named == []


def test_the_search_for_such_folders_finds_one() -> None:
    assert HOME.search("see /home/somebody/project")
    assert not HOME.search("GET /v1/home/page, ~/code/x")
