"""The scripts make their own environment, and say what to do where they cannot."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from _bootstrap import ROOT

SCRIPT = """#!/usr/bin/env python3
from _bootstrap import ensure
ensure()
import sys
print("inside", sys.prefix, *sys.argv[1:])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own: nothing but uv is locked in it."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "_bootstrap.py", tmp_path / "scripts")
    (tmp_path / "scripts" / "hello").write_text(SCRIPT)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "small"\nversion = "0"\nrequires-python = ">=3.11"\n'
        "[tool.uv]\npackage = false\n"
        '[dependency-groups]\ndev = ["uv"]\n'
    )
    return tmp_path


@pytest.fixture
def bootstrap(project: Path) -> ModuleType:
    """The module as that project has it."""
    path = project / "scripts" / "_bootstrap.py"
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refusal(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        bootstrap.ensure()
    assert ended.value.code == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    return last


def test_an_old_python_is_refused_with_the_cure(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 1))
    assert "Python 3.11 or newer is needed, this is 3.9" in refusal(bootstrap, capsys)


def test_a_missing_lock_is_refused_with_the_cure(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "git checkout uv.lock" in refusal(bootstrap, capsys)


def test_a_python_without_venv_is_refused_with_the_cure(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (bootstrap.ROOT / "uv.lock").write_text("")
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _name: None)
    assert "apt-get install python3" in refusal(bootstrap, capsys)


def test_a_failing_installer_names_the_network(
    bootstrap: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bootstrap._run(["false"], bootstrap.NETWORK_CURE)
    assert "is the network up?" in capfd.readouterr().err


@pytest.mark.slow
def test_a_script_sets_itself_up_once_and_again_when_the_project_changes(project: Path) -> None:
    subprocess.run([Path(sys.executable).parent / "uv", "lock"], cwd=project, check=True)
    inside = f"inside {project / '.venv'} a b\n"
    first, second = hello(project), hello(project)
    assert (first.stdout, second.stdout) == (inside, inside)
    assert "Setting up .venv" in first.stderr
    assert second.stderr == ""
    with (project / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert "Setting up .venv" in hello(project).stderr


def hello(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(project / "scripts" / "hello"), "a", "b"]
    return subprocess.run(command, capture_output=True, text=True, check=True)
