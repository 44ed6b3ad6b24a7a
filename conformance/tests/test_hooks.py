"""Hooks: commands of the target file, and what is said of those that are missing or fail."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from bank_conformance.hooks import DOES, NO_HOOKS, PLACEHOLDERS, HookError
from bank_conformance.requirements.check import RESTORING, Check
from bank_conformance.target import Capabilities, Target, TargetError, load_target

BANK = """
[target]
base_url = "http://127.0.0.1:1"
[token]
command = "token {subject} {scope}"
[hooks]
"""


def _target(folder: Path, hooks: str) -> Target:
    (folder / "t.toml").write_text(BANK + hooks)
    return load_target(folder / "t.toml")


def test_a_hook_runs_in_the_folder_of_the_target_with_its_placeholders_filled(
    tmp_path: Path,
) -> None:
    code = "import sys; open('seen', 'w').write(sys.argv[1])"
    hooks = _target(
        tmp_path, f"""dump = ["{sys.executable}", "-c", "{code}", "{{folder}}"]"""
    ).hooks
    assert hooks.names == {"dump"}

    async def run() -> None:
        await hooks.run("dump", folder="/a b")

    anyio.run(run)
    assert (tmp_path / "seen").read_text() == "/a b"


def test_what_is_not_given_of_a_mutation_is_empty(tmp_path: Path) -> None:
    code = "import sys; open('seen', 'w').write('|'.join(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "{kind}", "{partition}", "{other_position}"]
    hooks = _target(tmp_path, f"mutate = {words!r}").hooks

    async def run() -> None:
        await hooks.run("mutate", kind="alter", partition="3")

    anyio.run(run)
    assert (tmp_path / "seen").read_text() == "alter|3|"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("raise SystemExit('the bank does not run')", r"\[hooks\] kill.*: the bank does not run$"),
        ("import time; time.sleep(9)", "did not end within 1 s"),
    ],
)
def test_a_hook_that_fails_says_which_and_why(tmp_path: Path, command: str, said: str) -> None:
    text = f'kill = ["{sys.executable}", "-c", "{command}"]\n[limits]\nhook_seconds = 1.0'
    hooks = _target(tmp_path, text).hooks
    with pytest.raises(HookError, match=said):
        anyio.run(hooks.run, "kill")


def test_what_a_hook_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    hooks = _target(tmp_path, """start = ["sh", "-c", "sleep 5 & echo started"]""").hooks
    began = time.monotonic()
    anyio.run(hooks.run, "start")
    assert time.monotonic() - began < 4


def test_what_a_hook_has_started_ends_with_it_when_its_time_is_over(tmp_path: Path) -> None:
    script = "echo $$ > pid; sleep 30; true"
    text = f'kill = ["sh", "-c", {json.dumps(script)}]\n[limits]\nhook_seconds = 2.0'
    with pytest.raises(HookError, match="did not end within"):
        anyio.run(_target(tmp_path, text).hooks.run, "kill")
    group, deadline = (tmp_path / "pid").read_text().strip(), time.monotonic() + 5
    while _alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(group)


def _alive(group: str) -> list[str]:
    """Return the processes of a group that still run; one that nobody has buried does not."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, its_group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            if its_group == group and state != "Z":
                found.append(process.name)
    return found


@pytest.mark.parametrize(
    ("hooks", "cure"),
    [
        ('explode = "x"', "[hooks] explode is not known: there are start, stop"),
        ('dump = "./copy"', "[hooks] dump must contain {folder}"),
        ('mutate = "./forge"', "[hooks] mutate must contain {kind}"),
        ('kill = ""', "[hooks] kill is empty"),
        ('kill = "a \'b"', "[hooks] kill cannot be split into words"),
    ],
)
def test_a_wrong_hook_is_refused_with_its_cure(tmp_path: Path, hooks: str, cure: str) -> None:
    with pytest.raises(TargetError) as caught:
        _target(tmp_path, hooks)
    assert cure in str(caught.value)


def test_every_hook_says_what_it_has_to_do() -> None:
    assert DOES.keys() == PLACEHOLDERS.keys()
    for name, placeholders in PLACEHOLDERS.items():
        needed = placeholders & {"folder", "seconds", "kind"}
        assert all(f"{{{one}}}" in DOES[name] for one in needed), name


async def _nothing(_stage: object) -> None: ...


def test_what_lacks_a_hook_is_skipped_with_the_reason() -> None:
    check = Check("DUR-1", _nothing, lambda _: None, hooks=("kill", "start"))  # type: ignore[arg-type,return-value]
    assert check.missing(Capabilities(), NO_HOOKS) == "the target file gives no hook: kill, start"


def test_what_disturbs_comes_after_what_does_not_and_what_restores_comes_last() -> None:
    turns = [
        Check("A", _nothing, lambda _: None, hooks=hooks).turn  # type: ignore[arg-type,return-value]
        for hooks in ((), ("kill", "start"), ("backup", "restore"))
    ]
    assert turns == [0, 1, RESTORING]
