"""`bank-simulations load`: run a scenario, print what it decided, write the files.

What is wrong with the arguments is told before Locust is imported, which takes a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_simulations.console import BadInputError, out
from bank_simulations.files import check_writable, write_json
from bank_simulations.tokens import TokenSource

from .events import parse_event, resolve
from .find_rate import find_rate
from .scenario import Scenario, read_scenario, scenario_names
from .summary import asides, headline, tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .result import Run

COLOURS = {"met": "green", "violated": "red", "inconclusive": "yellow", "invalid": "magenta"}
DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Bank:
    """Which bank is meant: by its target file, or by a URL and where tokens come from.

    What is given beside the file outranks it.
    """

    target_file: Path | None = None
    url: str | None = None
    token: str | None = None
    token_command: str | None = None

    def find(self) -> tuple[str, TokenSource]:
        """Where it serves, and its tokens; BadInputError when either is missing."""
        if self.target_file is None:
            return self.url or DEFAULT_URL, TokenSource(self.token, self.token_command)
        from bank_simulations.faults.catalogue import read_target  # noqa: PLC0415 - where needed

        file = read_target(self.target_file)
        given = self.token or self.token_command
        command = self.token_command if given else file.token_command
        folder = None if given else file.folder
        return self.url or file.url, TokenSource(self.token, command, folder)


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is carried out and where its results go."""

    processes: int = 1
    web_port: int | None = None
    csv_prefix: Path | None = None
    json_file: Path | None = None
    html: Path | None = None


def load(
    name: str | None,
    bank: Bank,
    options: Options,
    seed: int | None,
    at: Sequence[str],
    fault: str | None = None,
) -> int:
    """Run a scenario, with another fault if one is named; the exit code says what was decided."""
    check_writable(options.json_file, options.html)
    scenario = _read(name, seed)
    scenario = with_fault(scenario, fault) if fault else scenario
    events = [*resolve(scenario.events, bank.target_file), *map(parse_event, at)]
    url, tokens = bank.find()
    from .locust_view import View  # noqa: PLC0415 - see above
    from .run import Target, run_load  # noqa: PLC0415 - see above

    view = View(options.web_port, options.csv_prefix)
    view.require()
    run = run_load(
        name or "", scenario, Target(url, tokens), events, processes=options.processes, view=view
    )
    _write(run.document(), options)
    return run.verdict.decision.exit_code


def search(
    name: str | None, bank: Bank, options: Options, seed: int | None, resolution: float
) -> int:
    """Search for the highest rate at which a scenario's claim holds."""
    check_writable(options.json_file, options.html)
    scenario = _read(name, seed)
    if scenario.events:
        raise BadInputError("a search needs a scenario without events: take steady, or mixed")
    url, tokens = bank.find()
    from .run import Target, run_load  # noqa: PLC0415 - see above

    def run(probe: Scenario) -> Run:
        return run_load(name or "", probe, Target(url, tokens), processes=options.processes)

    found = find_rate(scenario, run, resolution)
    _write(found.document(), options)
    return found.exit_code


def self_test(json_file: Path | None) -> int:
    """Prove the harness; 0 when it reports what is known, 1 when it does not."""
    check_writable(json_file)
    from .selftest import prove  # noqa: PLC0415 - see above

    proof = prove()
    out.print(proof.words(), markup=False)
    write_json(json_file, proof.document())
    return 0 if proof.holds else 1


def with_fault(scenario: Scenario, fault: str) -> Scenario:
    """The scenario with another fault; BadInputError when it has none to replace."""
    if not any(event.fault for event in scenario.events):
        raise BadInputError("--fault names another fault for a scenario that has one: take fault")
    events = [
        event.model_copy(update={"fault": fault}) if event.fault else event
        for event in scenario.events
    ]
    title = f"{scenario.title}: {fault}"
    return scenario.model_copy(update={"events": tuple(events), "title": title})


def _read(name: str | None, seed: int | None) -> Scenario:
    """The scenario, with another seed where one is given."""
    if name is None:
        raise BadInputError(f"give a scenario: {', '.join(scenario_names())}")
    scenario = read_scenario(name)
    return scenario if seed is None else scenario.model_copy(update={"seed": seed})


def _write(document: dict[str, Any], options: Options) -> None:
    from bank_simulations.report.load_page import render  # noqa: PLC0415 - see above

    write_json(options.json_file, document)
    if options.html:
        options.html.write_text(render(document), encoding="utf-8")
    for table in tables(document):
        out.print(table)
    for aside in asides(document):
        out.print(aside, markup=False)
    out.print(headline(document), style=COLOURS[document["verdict"]["decision"]])
