"""What happens to the bank under load: commands at given times, marked in the report.

An event begins, and may have an end: a command that takes it back. Whatever was begun is ended,
also when the run breaks off: a bank must not be left as a fault made it.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, TypeVar

import gevent
from gevent.event import Event as Signal
from gevent.pool import Group

from bank_simulations.console import BadInputError, err

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from .clock import RunClock
    from .scenario import Happening

Thing = TypeVar("Thing")

COMMAND_SECONDS_MAX = 60
HOOK_SECONDS_MAX = 3_600
"""A rebuild takes as long as it takes."""


@dataclass(frozen=True, slots=True)
class Event:
    """Run `command` in a shell `at_seconds` after the start of the run.

    Attributes:
        at_seconds: when.
        command: what begins it.
        name: what the report calls it; the command itself where it has no name.
        end: what ends it, `lasts_seconds` after it began; None where it ends by itself.
        lasts_seconds: from the begin to the end.
        folder: where the commands run.
        seconds_max: how long each may take.
    """

    at_seconds: float
    command: str
    name: str = ""
    end: str | None = None
    lasts_seconds: float = 0.0
    folder: Path | None = None
    seconds_max: float = COMMAND_SECONDS_MAX

    @property
    def label(self) -> str:
        """How people know it."""
        return self.name or self.command

    @property
    def over_at_seconds(self) -> float:
        """When its end is due; when it begins, where it has none."""
        return self.at_seconds + (self.lasts_seconds if self.end else 0.0)


@dataclass(frozen=True, slots=True)
class Mark:
    """What happened when, for the report.

    `until_seconds` is when the command that ended it had returned, or the only one it has. Where
    `failed`, a command failed: what was to happen to the bank did not, or not as it should.
    """

    at_seconds: float
    label: str
    until_seconds: float
    failed: bool = False


class Happenings:
    """Carries the events of a run out at their times, and notes when that was."""

    def __init__(self, events: Iterable[Event], clock: RunClock) -> None:
        self._events, self._clock = tuple(events), clock
        self._under_way, self._over = Group(), Signal()
        self._marks: list[Mark] = []

    def start(self) -> None:
        """Wait for each event's time, in the background; the clock must have been started."""
        for event in self._events:
            self._under_way.spawn(self._happen, event)

    def finish(self) -> Sequence[Mark]:
        """End what still lasts, begin nothing more, and say what happened when."""
        self._over.set()
        self._under_way.join()
        return sorted(self._marks, key=lambda mark: mark.at_seconds)

    def _happen(self, event: Event) -> None:
        if self._over_by(event.at_seconds):
            return
        at_seconds = self._clock.now()
        failure = carry_out(event.command, event)
        if event.end:
            self._over_by(event.over_at_seconds)
            failure = carry_out(event.end, event) or failure
        label = f"{event.label} ({failure})" if failure else event.label
        self._marks.append(Mark(at_seconds, label, self._clock.now(), bool(failure)))

    def _over_by(self, moment: float) -> bool:
        """Wait for a moment of the run; true where the run was over before."""
        return bool(self._over.wait(max(0.0, moment - self._clock.now())))


@contextmanager
def interrupted_here() -> Iterator[None]:
    """Let Ctrl-C interrupt this greenlet, and not the one that happens to run: if that is in the
    middle of a command, what the command began would not be ended.
    """
    here, loop = gevent.getcurrent(), gevent.get_hub().loop

    def interrupt(*_: object) -> None:
        loop.run_callback_threadsafe(here.throw, KeyboardInterrupt)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def carry_out(command: str, event: Event) -> str | None:
    """Run a command of the event; how it failed, None where it did not."""
    err.print(f"{event.label}: {command}", markup=False)
    # A file, not a pipe: what a command leaves in the background may keep its output open.
    with TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S602 - the user's own command line
            command,
            shell=True,
            cwd=event.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(event.seconds_max)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"ended after {event.seconds_max:g} s"
        if code == 0:
            return None
        output.seek(0)
        said = output.read().decode(errors="replace").strip().splitlines()
    err.print(f"{event.label}: exit code {code}{': ' + said[-1] if said else ''}", markup=False)
    return f"exit code {code}"


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


def resolve(happenings: Iterable[Happening], target_file: Path | None) -> list[Event]:
    """The events of a scenario, with the commands of the target file for its faults and hooks.

    Raises:
        BadInputError: the file is missing, or does not offer what the scenario wants.
    """
    return [_event(each, target_file) for each in happenings]


def require_in_time(events: Iterable[Event], seconds: float) -> None:
    """Raise BadInputError for an event that is not over when the last transfer is due."""
    for event in events:
        if event.over_at_seconds > seconds:
            raise BadInputError(
                f"{event.label} is over at {event.over_at_seconds:g} s, but the last transfer is "
                f"due at {seconds:.1f} s: lengthen the steps, or let it happen earlier"
            )


def _event(happening: Happening, target_file: Path | None) -> Event:
    at_seconds, lasts = happening.at_seconds, happening.lasts_seconds
    if happening.command:
        return Event(at_seconds, happening.command, "", happening.end, lasts or 0.0)
    name = happening.fault or happening.hook or ""
    if target_file is None:
        raise BadInputError(
            f"the scenario wants {name!r} done to the bank: give the target file that says how, "
            "with --target (a generated bank has one, conformance.toml)"
        )
    if happening.hook:
        return _hook(name, at_seconds, target_file)
    return _fault(name, at_seconds, lasts, target_file)


def _fault(name: str, at_seconds: float, lasts: float | None, target_file: Path) -> Event:
    from bank_simulations.faults.catalogue import read_faults  # noqa: PLC0415 - few runs need it

    fault = _offered("fault", name, read_faults(target_file), target_file)
    if fault.end and lasts is None:
        raise BadInputError(f"the fault {name!r} has an end: say lasts_seconds in the scenario")
    if lasts is not None and not fault.end:
        raise BadInputError(f"the fault {name!r} is over at once: leave lasts_seconds out")
    return Event(at_seconds, fault.begin, name, fault.end, lasts or 0.0, fault.folder)


def _hook(name: str, at_seconds: float, target_file: Path) -> Event:
    from bank_conformance.hooks import PLACEHOLDERS, CommandHooks  # noqa: PLC0415 - see above
    from bank_conformance.target import TargetError, load_target  # noqa: PLC0415 - see above

    try:
        hooks = load_target(target_file).hooks
    except TargetError as error:
        raise BadInputError(str(error)) from error
    commands = hooks.commands if isinstance(hooks, CommandHooks) else {}
    plain = {each: command for each, command in commands.items() if not PLACEHOLDERS[each]}
    command = _offered("hook", name, plain, target_file)
    return Event(
        at_seconds,
        shlex.join(command.arguments),
        name,
        folder=command.directory,
        seconds_max=HOOK_SECONDS_MAX,
    )


def _offered(what: str, name: str, offered: Mapping[str, Thing], target_file: Path) -> Thing:
    if name not in offered:
        known = ", ".join(offered) or "none"
        raise BadInputError(f"{target_file} offers no {what} {name!r}: it offers {known}")
    return offered[name]
