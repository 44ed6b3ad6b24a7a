"""`./scripts/demo`: a bank from nothing; what it promises, and what of it is true."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer
from _tasks.report import console
from _tasks.steps import ROOT

from . import harness, page
from .bank import STAFF_SCOPE, Bank, DemoError, free_url, generate, set_up
from .checks import Check, table
from .walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = ROOT / "var" / "demo"

Into = Annotated[
    Path | None,
    typer.Option(help="Generate into this folder and keep the bank.", file_okay=False),
]
Serve = Annotated[bool, typer.Option("--serve", help="Leave the bank up afterwards.")]
Data = Annotated[
    Path | None,
    typer.Option(help="Replay these books instead of checking and measuring.", exists=True),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the results here, as JSON.", dir_okay=False)
]


@dataclass
class Run:
    """What has been found so far, and how long each stage took."""

    checks: list[Check] = field(default_factory=list)
    load: dict[str, Any] | None = None
    stage_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stretch of the demo: told when it begins, timed when it ends."""
        console.rule(f"{len(self.stage_seconds) + 1} {name}", align="left")
        started = time.monotonic()
        yield
        self.stage_seconds[name] = round(time.monotonic() - started, 1)


def demo(
    into: Into = None, serve: Serve = False, data: Data = None, json_file: JsonFile = None
) -> None:
    """Generate a bank, run it, check it from outside, measure it, and leave a report.

    Exit code 0 when every promise holds, 1 when one is broken, 2 when the demo could not be run.
    """
    started, run = time.monotonic(), Run()
    RESULTS.mkdir(parents=True, exist_ok=True)
    try:
        with folder_for(into, serve) as folder, serving(run, folder, serve) as bank:
            look(run, bank, data)
            conclude(run, time.monotonic() - started, json_file)
            if serve:
                say_how_to_go_on(bank, folder)
    except (DemoError, httpx.HTTPError) as error:
        console.print(f"error: {error}", markup=False)
        raise typer.Exit(2) from error
    raise typer.Exit(not all(check.passed for check in run.checks))


@contextmanager
def folder_for(into: Path | None, keep: bool) -> Iterator[Path]:
    """The folder asked for, or one of our own that goes again."""
    if into:
        into.mkdir(parents=True, exist_ok=True)
        yield into.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="bankwright-"))
    folder.chmod(0o755)  # started by root, the database's own user has to pass through
    try:
        yield folder
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(run: Run, folder: Path, keep: bool) -> Iterator[Bank]:
    """A bank that was generated, set up and started; stopped afterwards unless it is to stay."""
    with run.stage("Generate a bank from the template"):
        project = generate(folder)
        console.print(str(project), markup=False)
    with run.stage("Set it up: its environment, its keys"):
        set_up(project)
    bank = Bank(project, free_url(), RESULTS / "bank.log")
    try:
        with run.stage("Start it on an embedded PostgreSQL"):
            bank.start()
            console.print(f"It serves at {bank.url}")
        yield bank
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            bank.stop()


def look(run: Run, bank: Bank, data: Path | None) -> None:
    """Use it as clients do; then either the two harnesses, or the replay of a real bank's books."""
    with run.stage("Open accounts and move money, over HTTP"):
        for check in Walk(bank).checks():
            console.print(f"  {check.promise}: {check.measured}", markup=False)
            run.checks.append(check)
    if data:
        with run.stage("Replay a real bank's books"):
            run.checks.append(harness.replay_check(harness.replay(bank, RESULTS, data)))
        return
    with run.stage("Decide the core requirements"):
        run.checks += harness.requirement_checks(harness.conformance(bank, RESULTS))
    with run.stage("Measure how long transfers take under load"):
        run.load = harness.load(bank, RESULTS)
        run.checks.append(harness.bound_check(run.load))


def conclude(run: Run, seconds: float, json_file: Path | None) -> None:
    """The table, the report, the JSON file."""
    report = RESULTS / "report.html"
    report.write_text(page.render(run.checks, run.load, facts(run, seconds)), encoding="utf-8")
    console.rule("What was promised, and what was measured", align="left")
    console.print(table(run.checks))
    held = sum(check.passed for check in run.checks)
    console.print(f"\n{held} of {len(run.checks)} promises hold. {seconds:.0f} s.")
    console.print(f"Report: {report}", markup=False)
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        checks = [asdict(check) for check in run.checks]
        document = {"checks": checks, "stage_seconds": run.stage_seconds, "seconds": seconds}
        json_file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def facts(run: Run, seconds: float) -> dict[str, str]:
    """What a reader of the report wants to know about the run."""
    stages = {name: f"{spent:.1f} s" for name, spent in run.stage_seconds.items()}
    return {
        "started": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        **stages,
        "altogether": f"{seconds:.0f} s",
    }


def say_how_to_go_on(bank: Bank, folder: Path) -> None:
    """Where it serves, a token, and how to stop it."""
    assert bank.process is not None  # noqa: S101 - it was started, or we were not here
    console.rule("The bank stays up", align="left")
    lines = [
        f"URL    {bank.url}/docs",
        f"Token  {bank.token('demo-staff', STAFF_SCOPE)}",
        f"Stop   kill {bank.process.pid}",
        f"Folder {bank.folder}   (remove {folder} when you are done)",
    ]
    console.print("\n".join(lines), markup=False)
