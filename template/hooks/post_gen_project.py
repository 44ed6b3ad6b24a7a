"""Make the copy the team's own: its package name, without what was not chosen.

Runs in the new project's folder. Idempotent: on a project that was made before, nothing changes.
"""

import json
import re
import shutil
from pathlib import Path

PLACEHOLDER = "ourbank"
# Neither preceded nor followed by a letter: `ourbank_keys` is renamed too, `yourbanker` is not.
PLACEHOLDER_WORD = re.compile(rf"(?<![A-Za-z]){PLACEHOLDER}(?![A-Za-z])")
TEXT_SUFFIXES = {
    *(".py", ".toml", ".cfg", ".ini", ".md", ".yml", ".yaml", ".json", ".sql", ".service", ".lock"),
}
TEXT_NAMES = {
    *(".env.example", ".importlinter", ".gitignore", ".dockerignore", "Dockerfile"),
    *("bank", "check", "hook", "simulate"),
}
# Answer -> value -> what goes when the answer is another one.
CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "docker": {"yes": ("Dockerfile", "compose.yaml", ".dockerignore")},
    "ci": {"github": (".github",)},
}
# What running the template in place leaves behind; no part of a bank.
LEFTOVERS = ("__pycache__", ".venv", "var", ".hypothesis", ".*_cache", "*.egg-info")


def main() -> None:
    """Clean, choose, rename, and tell what comes next."""
    project = Path.cwd()
    answers = json.loads((project / ".bankwright.json").read_text(encoding="utf-8"))["answers"]
    remove_leftovers(project)
    remove_what_was_not_chosen(project, answers)
    rename_package(project, answers["package_name"])
    print(next_commands(answers))


def remove_leftovers(project: Path) -> None:
    """Remove caches and environments that were copied along."""
    for pattern in LEFTOVERS:
        for path in list(project.rglob(pattern)):
            shutil.rmtree(path, ignore_errors=True)


def remove_what_was_not_chosen(project: Path, answers: dict[str, str]) -> None:
    """Remove the files and folders of every option that was answered otherwise."""
    for question, options in CHOICES.items():
        for option, names in options.items():
            if answers[question] != option:
                for name in names:
                    _remove(project / name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def rename_package(project: Path, package: str) -> None:
    """Put `package` in the place of the placeholder: in texts first, then the folder.

    The folder goes last, so that a run that was broken off is taken up by the next.
    """
    folder = project / "src" / PLACEHOLDER
    if package == PLACEHOLDER or not folder.is_dir():
        return
    for path in filter(_is_text, list(project.rglob("*"))):
        # A lock names distributions, and their names have hyphens.
        name = package.replace("_", "-") if path.name == "uv.lock" else package
        text = path.read_text(encoding="utf-8")
        renamed = PLACEHOLDER_WORD.sub(name, text)
        if renamed != text:
            path.write_text(renamed, encoding="utf-8")
    for path in list(project.rglob(f"{PLACEHOLDER}.*")):
        path.rename(path.with_name(package + path.suffix))
    folder.rename(folder.with_name(package))


def _is_text(path: Path) -> bool:
    return path.is_file() and (path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES)


def next_commands(answers: dict[str, str]) -> str:
    """What to type now; the first commit stays as generated, for later updates start from it."""
    return f"""
{answers["project_name"]} is ready. Next:

  cd {answers["project_slug"]}
  git init --quiet && git add --all && git commit --quiet --message "As generated"
  ./scripts/bank init      # makes keys and .env; nothing has a default secret
  ./scripts/bank serve     # http://127.0.0.1:{answers["http_port"]}/docs
"""


if __name__ == "__main__":
    main()
