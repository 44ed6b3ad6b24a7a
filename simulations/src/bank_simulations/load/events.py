"""What happens to the bank under load: commands at given times, marked in the report."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from bank_simulations.console import BadInputError, err

COMMAND_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Event:
    """Run `command` in a shell `at_seconds` after the start of the run."""

    at_seconds: float
    command: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What happened when, for the report."""

    at_seconds: float
    label: str


def parse_event(text: str) -> Event:
    """`12.5=kill -9 4711`: the seconds, an equals sign, the command."""
    seconds, separator, command = text.partition("=")
    try:
        event = Event(float(seconds), command.strip())
    except ValueError:
        event = Event(-1.0, "")
    if not separator or not event.command or not 0 <= event.at_seconds < float("inf"):
        raise BadInputError(f"{text!r} is no event: it looks like '12.5=kill -9 4711'")
    return event


def carry_out(event: Event) -> str:
    """Run the command; a label that says what was done and how it ended."""
    try:
        done = subprocess.run(  # noqa: S602 - the user's own command line
            event.command, shell=True, timeout=COMMAND_SECONDS_MAX, check=False
        )
        ending = "" if done.returncode == 0 else f" (exit code {done.returncode})"
    except subprocess.TimeoutExpired:
        ending = f" (ended after {COMMAND_SECONDS_MAX} s)"
    err.print(f"{event.at_seconds:.1f} s: {event.command}{ending}", markup=False)
    return event.command + ending
