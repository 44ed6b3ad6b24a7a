"""A baseline: the failures that are known, each with a reason.

    [known]
    CON-5 = "the histories lag three seconds while the reports run: ticket 412"

A listed requirement that fails is KNOWN and counts as held; one that is not listed fails the run as
ever. A listed one that holds is STALE and fails the run too, so that the list can only shrink. A
requirement that was skipped or left undecided says nothing about its line: the line stays, and the
verdict counts as it would without it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

import msgspec

from .catalogue import catalogue
from .toml import quoted
from .verdict import Result, Verdict

HOLDS = frozenset({Verdict.PASS, Verdict.WARN})

HEAD = """\
# Known failures of {name}, written on {day}. Say in each line why it is accepted, and until when.
# A line whose requirement holds again fails the run as STALE: delete it.
[known]
"""


class BaselineError(Exception):
    """The baseline cannot be used; the text names the cure."""


class Standing(StrEnum):
    """How a listed requirement stands after a run."""

    KNOWN = "KNOWN"
    STALE = "STALE"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known failures: the reason of each, by requirement id."""

    known: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None

    def standing(self, result: Result) -> Standing | None:
        """Say how a listed requirement stands; None for one that is not listed."""
        if result.requirement_id not in self.known:
            return None
        if result.verdict is Verdict.FAIL:
            return Standing.KNOWN
        return Standing.STALE if result.verdict in HOLDS else Standing.UNDECIDED

    def counted(self, result: Result) -> Verdict:
        """Return what a verdict counts as: a known failure as held, a stale line as a failure."""
        match self.standing(result):
            case Standing.KNOWN:
                return Verdict.PASS
            case Standing.STALE:
                return Verdict.FAIL
        return result.verdict

    def shown(self, result: Result) -> tuple[str, str]:
        """Return the word and the reason that a reader is shown."""
        said = result.decision.reason
        match self.standing(result):
            case Standing.KNOWN:
                accepted = self.known[result.requirement_id]
                return Standing.KNOWN, f"{said} (accepted: {accepted})"
            case Standing.STALE:
                return Standing.STALE, f"holds, and the baseline lists it: delete its line ({said})"
            case Standing.UNDECIDED:
                return result.verdict, f"{said} (listed in the baseline, and not decided now)"
        return result.verdict, said

    def after(self, results: Iterable[Result], reasons: Mapping[str, str]) -> Baseline:
        """Return the baseline that fits `results`: every failure, and what was not decided.

        `reasons` gives the reason of a failure that was not listed before.
        """
        found = dict(self.known)
        for result in results:
            if result.verdict is Verdict.FAIL:
                found.setdefault(result.requirement_id, reasons[result.requirement_id])
            elif result.verdict in HOLDS:
                found.pop(result.requirement_id, None)
        return Baseline({one: found[one] for one in catalogue() if one in found}, self.file)

    def text(self, name: str) -> str:
        """Return the baseline of the bank `name` as a file."""
        lines = [f"{one} = {quoted(reason)}\n" for one, reason in self.known.items()]
        return HEAD.format(name=quoted(name), day=date.today()) + "".join(lines)  # noqa: DTZ011


class _File(msgspec.Struct, forbid_unknown_fields=True):
    known: dict[str, str]


def load_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: it is missing, is no TOML, or lists what can never fail.
    """
    try:
        known = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).known
    except FileNotFoundError:
        cure = f"write one with `bank-conformance run --write-baseline {path}`"
        raise BaselineError(f"no baseline {path}: {cure}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BaselineError(f"the baseline {path} is not understood: {error}") from None
    for one, reason in known.items():
        if wrong := _wrong(one, reason):
            raise BaselineError(f"the baseline {path} lists {one}, {wrong}")
    return Baseline(known, path)


def _wrong(requirement_id: str, reason: str) -> str:
    """Say what is wrong with a line; empty for nothing."""
    if requirement_id not in catalogue():
        near = get_close_matches(requirement_id.upper(), catalogue(), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "`bank-conformance list` shows all"
        return f"which is no requirement: {hint}"
    if catalogue()[requirement_id].status != "built":
        return "which is never decided, so that it can neither fail nor hold: delete the line"
    return "" if reason.strip() else "without a reason: say why it is accepted"
