"""The checks and the test suites of this repository: one row each.

The service template is checked and tested where it lies, because it is plain Python there too; that
a *generated* bank passes its own checks is one of the template's tests.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SERVICE = ROOT / "template" / "{{cookiecutter.project_slug}}"
CACHE = ROOT / ".cache"
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Step:
    """A program of the environment, and the folder it runs in.

    `counts_tests` marks a pytest run, whose tests are counted one by one; any other step counts as
    one test.
    """

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT
    counts_tests: bool = False


def _types(name: str, folder: Path, *more: str) -> Step:
    return Step(f"types of {name}", ("mypy", "src", "tests", *more), folder)


def _tests(name: str, folder: Path, *options: str) -> Step:
    """Without schemathesis' plugin, which takes a second to load: its test runs the program."""
    common = ("-q", "-p", "no:schemathesis", "-o", f"cache_dir={CACHE / 'pytest'}")
    return Step(name, ("pytest", *common, *options), folder, counts_tests=True)


def _at_a_time(count: int) -> tuple[str, ...]:
    """So many tests at once; those of a file that share a fixture stay together."""
    return ("-n", str(count), "-p", "_tasks.together")


SCRIPTS = ("_demo", "_mutants", "_tasks", "tests")
SHELL = ("answers.py", "hooks", "tests")

FORMAT = Step("format", ("ruff", "format", "--check", "."))
LINT = Step("lint", ("ruff", "check", "."))
LAYERS = Step("layers", ("lint-imports", "--no-cache"), SERVICE)
TYPES = (
    _types("service", SERVICE, "simulation"),
    _types("conformance", ROOT / "conformance"),
    _types("simulations", ROOT / "simulations"),
    Step("types of scripts", ("mypy", "docs/_build", *(f"scripts/{name}" for name in SCRIPTS))),
    Step("types of template", ("mypy", *(f"template/{name}" for name in SHELL))),
)
DOCS = Step("docs", ("mkdocs", "build", "--strict", "--quiet"))
CHECKS = (FORMAT, LINT, *TYPES, LAYERS)

FAST = ("-m", "not slow")
FAST_TESTS = (
    _tests("fast tests of service", SERVICE, "-m", "not slow and not postgres"),
    _tests("fast tests of conformance", ROOT / "conformance", *FAST),
    _tests("fast tests of simulations", ROOT / "simulations", *FAST),
    _tests("fast tests of template", ROOT, *FAST, "template/tests"),
    _tests("fast tests of scripts", ROOT, *FAST, "scripts/tests"),
)

# One of each part of the bank, those that are tried quickly; `./scripts/mutants` tries all.
_MUTANTS = (
    *("--only", "fingerprint-not-compared", "--only", "hold-not-released"),
    *("--only", "keys-remembered", "--only", "owner-not-compared"),
    *("--only", "token-ignored", "--only", "version-not-compared"),
)

SUITES = (
    *CHECKS,
    _tests("service", SERVICE, *_at_a_time(2)),
    _tests("conformance", ROOT / "conformance", *_at_a_time(3)),  # they wait half of their time
    _tests("simulations", ROOT / "simulations", *_at_a_time(2)),
    _tests("template", ROOT, *_at_a_time(2), "template/tests"),
    _tests("scripts", ROOT, *_at_a_time(2), "scripts/tests"),
    DOCS,
    Step("demo", ("python", "scripts/demo")),
    Step("mutants", ("python", "scripts/mutants", "--at-once", "2", *_MUTANTS)),
)
