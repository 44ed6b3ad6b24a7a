"""`./scripts/update BANK`: bring a generated bank up to this version of the template.

What the template once wrote stays on a branch of its own, `generated`. An update puts what it
writes today on that branch and merges it: git's three-way merge, with the renames and conflicts
that every developer knows, keeps what the team has changed since.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from .report import console
from .steps import PROGRAMS, ROOT

RECORD = ".bankwright.json"
BRANCH = "generated"
AUTHOR = ("-c", "user.name=Bankwright template", "-c", "user.email=template@bankwright.invalid")

Bank = Annotated[Path, typer.Argument(help="The bank's folder.", exists=True, file_okay=False)]
Template = Annotated[Path, typer.Option(help="Another template than this repository's.")]


class Refusal(Exception):  # noqa: N818 - a word of its own
    """The update cannot be done; the text says what to do about it."""


def update(bank: Bank, template: Template = ROOT / "template") -> None:
    """Merge this version of the template into a bank that an earlier one made.

    Exit code 0 when merged or already up to date, 1 when conflicts are left to you, 2 when the
    folder is no bank in a clean git repository.
    """
    try:
        conflicts = take_over(bank.resolve(), template.resolve())
    except Refusal as refusal:
        console.print(f"error: {refusal}", markup=False)
        raise typer.Exit(2) from refusal
    raise typer.Exit(bool(conflicts))


def take_over(bank: Path, template: Path) -> list[str]:
    """Merge what `template` writes today; the files whose conflicts only a person can settle."""
    before = _read_record(bank)
    _require_clean_repository(bank)
    if not _git(bank, "branch", "--list", BRANCH):
        _git(bank, "branch", BRANCH, _first_commit(bank))
    version = _regenerate(bank, template, before["answers"])
    conflicts = _merge(bank, f"Take over Bankwright {version}")
    _say_how_it_ended(before["template_version"], version, conflicts)
    return conflicts


def _read_record(bank: Path) -> dict[str, dict[str, str]]:
    try:
        record: dict[str, dict[str, str]] = json.loads((bank / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refusal(f"{bank / RECORD} cannot be read: name the folder of a bank") from error
    return record


def _require_clean_repository(bank: Path) -> None:
    if not (bank / ".git").exists():
        raise Refusal(f"{bank} is not the top of a git repository: git init, and commit it first")
    if _git(bank, "status", "--porcelain"):
        raise Refusal(f"{bank} has changes that are not committed: commit or stash them first")


def _first_commit(bank: Path) -> str:
    """The commit that brought the record: the bank as it was generated."""
    return _git(bank, "log", "--diff-filter=A", "--format=%H", "--", RECORD).splitlines()[-1]


def _regenerate(bank: Path, template: Path, answers: dict[str, str]) -> str:
    """Commit what the template writes today to the branch `generated`; the template's version."""
    with tempfile.TemporaryDirectory() as scratch:
        worktree = Path(scratch, BRANCH)
        fresh = _generate(template, answers, Path(scratch))
        _git(bank, "worktree", "add", "--quiet", str(worktree), BRANCH)
        try:
            _replace_content(worktree, fresh)
            _git(worktree, "add", "--all")
            version = str(json.loads((worktree / RECORD).read_text())["template_version"])
            if _git(worktree, "status", "--porcelain"):
                _git(worktree, *AUTHOR, "commit", "--quiet", "-m", f"Bankwright {version}")
        finally:
            _git(bank, "worktree", "remove", "--force", str(worktree))
    return version


def _generate(template: Path, answers: dict[str, str], folder: Path) -> Path:
    """The bank as the template writes it today; new questions take their defaults."""
    options = ["--no-input", "--default-config", "--output-dir", str(folder)]
    given = [f"{question}={answer}" for question, answer in answers.items()]
    _output([str(PROGRAMS / "cookiecutter"), *options, str(template), *given])
    return folder / answers["project_slug"]


def _replace_content(worktree: Path, fresh: Path) -> None:
    for path in worktree.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != ".git":
            path.unlink()
    shutil.copytree(fresh, worktree, dirs_exist_ok=True)


def _say_how_it_ended(before: object, after: str, conflicts: list[str]) -> None:
    if not conflicts:
        console.print(f"Up to date with Bankwright {after} (was {before}). Next: ./scripts/check")
        return
    console.print(f"Bankwright {after} is merged but for {len(conflicts)} conflicts:")
    console.print("\n".join(f"  {name}" for name in conflicts), markup=False)
    console.print("Settle them, git add, git commit, then ./scripts/check. Back: git merge --abort")


def _merge(bank: Path, message: str) -> list[str]:
    """Merge the branch; the files left in conflict."""
    try:
        _git(bank, "merge", "--no-edit", "-m", message, BRANCH)
    except Refusal:
        conflicts = _git(bank, "diff", "--name-only", "--diff-filter=U").splitlines()
        if not conflicts:
            raise
        return conflicts
    return []


def _git(folder: Path, *arguments: str) -> str:
    return _output(["git", "-C", str(folder), *arguments])


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refusal(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
