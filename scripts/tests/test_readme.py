"""What the README promises about commands and size is so."""

import os
import re

from _tasks.steps import ROOT

README = (ROOT / "README.md").read_text()
FIRST_BLOCK = re.search(r"```sh\n(.*?)```", README, re.DOTALL)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150


def test_the_first_block_has_the_two_commands() -> None:
    assert FIRST_BLOCK
    commands = [line.split()[0] for line in FIRST_BLOCK[1].strip().splitlines()]
    assert commands == ["./scripts/demo", "./scripts/test"]
    assert all(os.access(ROOT / command, os.X_OK) for command in commands)


def test_continuous_integration_runs_the_readme_s_test_command() -> None:
    assert "./scripts/test\n" in (ROOT / ".ci" / "run").read_text()
    assert "bash .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


def test_every_file_the_readme_points_at_is_there() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
