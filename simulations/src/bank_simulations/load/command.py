"""`bank-simulations load`: run a scenario, print what it decided, write the files.

What is wrong with the arguments is told before Locust is imported, which takes a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_simulations.console import out
from bank_simulations.files import check_writable, write_json

from .events import Event, parse_event
from .scenario import Scenario, read_scenario, scenario_names
from .summary import headline, summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bank_simulations.tokens import TokenSource

__all__ = ["load", "parse_event", "read", "scenario_names", "self_test"]

COLOURS = {"met": "green", "violated": "red", "inconclusive": "yellow", "invalid": "magenta"}


def read(name: str, seed: int | None) -> Scenario:
    """The scenario, with another seed where one is given."""
    scenario = read_scenario(name)
    return scenario if seed is None else scenario.model_copy(update={"seed": seed})


def load(
    name: str,
    scenario: Scenario,
    url: str,
    tokens: TokenSource,
    events: Sequence[Event],
    *,
    json_file: Path | None,
    html: Path | None,
) -> int:
    """Run it; the exit code says what was decided."""
    check_writable(json_file, html)
    from bank_simulations.report.load_page import render  # noqa: PLC0415 - see above

    from .run import Target, run_load  # noqa: PLC0415 - see above

    run = run_load(name, scenario, Target(url, tokens), events)
    document = run.document()
    write_json(json_file, document)
    if html:
        html.write_text(render(document), encoding="utf-8")
    out.print(summary(document))
    out.print(headline(document), style=COLOURS[run.verdict.decision.value])
    return run.verdict.decision.exit_code


def self_test(json_file: Path | None) -> int:
    """Prove the harness; 0 when it reports what is known, 1 when it does not."""
    check_writable(json_file)
    from .selftest import prove  # noqa: PLC0415 - see above

    proof = prove()
    out.print(proof.words(), markup=False)
    write_json(json_file, proof.document())
    return 0 if proof.holds else 1
