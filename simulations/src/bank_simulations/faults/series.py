"""All faults that were asked for, one after the other, and what they came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_simulations.console import err, out
from bank_simulations.files import write_json
from bank_simulations.load.run import Target
from bank_simulations.report.faults_page import render
from bank_simulations.tokens import TokenSource

from .command import SECONDS, SHARE_OF_CAPACITY
from .run import capacity_of, try_fault
from .summary import COLOURS, complaints, document_of, headline, table
from .trial import ACCOUNTS, EXIT_CODES, Plan, worst

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .catalogue import Fault, TargetFile
    from .command import Wanted


def run_series(
    file: TargetFile,
    chosen: Sequence[Fault],
    wanted: Wanted,
    json_file: Path | None,
    html: Path | None,
) -> int:
    """Try the chosen faults, tell what they did, write the files; the exit code of the worst."""
    tokens = TokenSource(command=file.token_command, folder=file.folder)
    target = Target(file.url, tokens)
    plan, trials = _plan(wanted, target), []
    for number, fault in enumerate(chosen, start=1):
        err.print(f"Fault {number} of {len(chosen)}, {fault.name}: {fault.about}", markup=False)
        trials.append(try_fault(fault, plan, target))
    document = document_of(file, trials)
    write_json(json_file, document)
    if html:
        html.write_text(render(document), encoding="utf-8")
    out.print(table(document))
    for line in complaints(document):
        out.print(line, markup=False)
    out.print(headline(document), style=COLOURS[document["ending"]])
    return EXIT_CODES[worst(trials)]


def _plan(wanted: Wanted, target: Target) -> Plan:
    """The plan; the capacity is measured first where the rate is a share of it."""
    rate = wanted.rate
    if rate is None:
        rate = capacity_of(target, ACCOUNTS) * (wanted.of_capacity or SHARE_OF_CAPACITY)
    seconds = wanted.transfers / rate if wanted.transfers else wanted.seconds or SECONDS
    return Plan(rate, seconds, wanted.broken, wanted.claim, seed=wanted.seed)
