"""Scenarios: what load is offered, what is claimed about it, and when a run is worth nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bank_simulations.console import BadInputError

PACKAGE = Path(__file__).parent.parent
FOLDERS = (PACKAGE / "scenarios", PACKAGE.parent.parent / "scenarios")


class Part(BaseModel):
    """A part of a scenario: unknown names and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Step(Part):
    """A stretch of constant rate: so many transfers, or so many seconds.

    `rate` is in transfers per second; `rate_of_capacity` is a share of the bank's capacity, which
    is then measured first.
    """

    name: str = Field(default="steady", min_length=1, max_length=40)
    rate: float | None = Field(default=None, gt=0, le=100_000)
    rate_of_capacity: float | None = Field(default=None, gt=0, le=2)
    transfers: int | None = Field(default=None, ge=1, le=10_000_000)
    seconds: float | None = Field(default=None, gt=0, le=86_400)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.rate is None) == (self.rate_of_capacity is None):
            raise ValueError("give either rate or rate_of_capacity")
        if (self.transfers is None) == (self.seconds is None):
            raise ValueError("give either transfers or seconds")
        return self


class Accounts(Part):
    """The accounts that transfers run between; each is funded before the clock starts.

    `hot_share` of the transfers run between the first `hot_count` accounts, the rest uniformly
    between the others.
    """

    count: int = Field(default=1_000, ge=2, le=1_000_000)
    customers: int = Field(default=100, ge=1)
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    opening_minor: int = Field(default=100_000_000, ge=0)
    amount_max_minor: int = Field(default=10_000, ge=1)
    hot_count: int = Field(default=0, ge=0)
    hot_share: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _enough_of_each(self) -> Self:
        if self.hot_share > 0 and self.hot_count < 2:  # noqa: PLR2004 - payer and payee
            raise ValueError("hot_share needs a hot_count of at least 2")
        if self.hot_share < 1 and self.count - self.hot_count < 2:  # noqa: PLR2004
            raise ValueError("count must leave at least 2 accounts that are not hot")
        return self


class Claim(Part):
    """What the run is to decide: this share of transfers within the bound, at this confidence.

    With `strict`, one transfer that surely broke the bound violates the claim, whatever the share.
    With `steps`, the claim is about the transfers due in these steps; the others are reported.
    """

    bound_seconds: float = Field(default=2.0, gt=0, le=600)
    share: float = Field(default=0.999, gt=0, lt=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    strict: bool = True
    steps: tuple[str, ...] = Field(default=(), strict=False)


class Read(Part):
    """Reads beside the transfers, an open loop of their own, with a bound of their own.

    `per_transfer` of them arrive for each transfer, on average. A history page has filters, a list
    of accounts is one page, and a statement is of the day up to the start. `share` of them must be
    answered within the bound, at the confidence of the claim.
    """

    kind: Literal["balance", "history", "accounts", "statement"]
    per_transfer: float = Field(gt=0, le=1_000)
    bound_seconds: float = Field(default=1.0, gt=0, le=600)
    share: float = Field(default=0.99, gt=0, lt=1)


class Happening(Part):
    """What is done to the bank `at_seconds` after the start: a fault, a hook, or a command.

    Faults and hooks are those of the target file. With `lasts_seconds` the end follows so much
    later: the fault's own, or the command `end`.
    """

    at_seconds: float = Field(ge=0, le=86_400)
    fault: str | None = Field(default=None, min_length=1)
    hook: str | None = Field(default=None, min_length=1)
    command: str | None = Field(default=None, min_length=1)
    end: str | None = Field(default=None, min_length=1)
    lasts_seconds: float | None = Field(default=None, gt=0, le=86_400)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if [self.fault, self.hook, self.command].count(None) != 2:  # noqa: PLR2004 - one of three
            raise ValueError("give one of fault, hook and command")
        if self.end and not self.command:
            raise ValueError("end goes with command: a fault brings its own")
        if self.command and (self.end is None) != (self.lasts_seconds is None):
            raise ValueError("end and lasts_seconds go together")
        if self.hook and self.lasts_seconds is not None:
            raise ValueError("a hook ends by itself: leave lasts_seconds out")
        return self


class Limits(Part):
    """Beyond these the generator, not the bank, was measured: the run is invalid."""

    dropped_share_max: float = Field(default=0.001, ge=0, le=1)
    lag_p99_seconds_max: float = Field(default=0.010, gt=0)
    generator_cpu_max: float = Field(default=0.9, gt=0)
    in_flight_max: int = Field(default=800, ge=1, le=10_000)
    looks_per_second_max: float = Field(default=500, gt=0)
    request_timeout_seconds: float = Field(default=2.0, gt=0, le=60)


class Scenario(Part):
    """One named run.

    `wait_seconds` is sent as `Prefer: wait=N`. Without it the bank answers as soon as it can, and
    only visibility counts. `expected_refusals` are problem codes the scenario provokes.
    """

    title: str = Field(min_length=1, max_length=120)
    arrivals: Literal["poisson", "uniform"] = "poisson"
    seed: int = 1
    wait_seconds: int | None = Field(default=None, ge=0, le=30)
    expected_refusals: tuple[str, ...] = Field(default=(), strict=False)
    accounts: Accounts = Accounts()
    claim: Claim = Claim()
    limits: Limits = Limits()
    reads: tuple[Read, ...] = Field(default=(), max_length=10, strict=False)
    events: tuple[Happening, ...] = Field(default=(), max_length=100, strict=False)
    steps: tuple[Step, ...] = Field(min_length=1, max_length=1_000, strict=False)

    @model_validator(mode="after")
    def _names_are_clear(self) -> Self:
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError("steps: two have the same name: give each its own")
        for name in self.claim.steps:
            if name not in names:
                raise ValueError(f"claim.steps: there is no step {name!r}")
        kinds = [read.kind for read in self.reads]
        if len(set(kinds)) < len(kinds):
            raise ValueError("reads: two are of the same kind: give one of each")
        return self

    @property
    def needs_capacity(self) -> bool:
        """Whether a step's rate is a share of the capacity."""
        return any(step.rate_of_capacity is not None for step in self.steps)


def read_scenario(name: str) -> Scenario:
    """The scenario of this name, or in the TOML file at this path.

    Raises:
        BadInputError: there is none, or it breaks a rule; the text says which.
    """
    path = _find(name)
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError(f"cannot read {path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "scenario"
        raise BadInputError(f"{path}: {where}: {first['msg']}") from error


def scenario_names() -> list[str]:
    """The scenarios that ship with this distribution."""
    return sorted({path.stem for folder in FOLDERS for path in folder.glob("*.toml")})


def _find(name: str) -> Path:
    for path in (Path(name), *(folder / f"{name}.toml" for folder in FOLDERS)):
        if path.is_file():
            return path
    raise BadInputError(
        f"no scenario {name!r}: give a TOML file, or one of {', '.join(scenario_names())}"
    )
