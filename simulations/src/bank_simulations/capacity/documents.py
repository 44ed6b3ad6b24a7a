"""What is kept of a capacity study: one JSON file, to which each command adds its part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bank_simulations.console import BadInputError

from .costs import Layout

if TYPE_CHECKING:
    from pathlib import Path


Kind = Literal["open", "closed"]


class Part(BaseModel):
    """A part of the file: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(Part):
    """A figure, and the interval in which nine of ten bootstrap draws lie."""

    value: float
    low: float
    high: float


class Quantiles(Part):
    """Of latencies, in seconds."""

    p50: float
    p99: float
    p99_9: float


class Setting(Part):
    """One setting of the load: what is offered, and whether the fit may see it.

    Attributes:
        kind: an open loop of `offered` transfers per second, or a closed one of `offered` in
            flight.
        seconds: for how long.
        seed: draws its arrivals and accounts, the same ones in every repeat.
        held_out: kept from the fit, for the prediction to be held against; decided before the
            first measurement.
    """

    kind: Kind
    offered: float
    seconds: float
    seed: int
    held_out: bool = False


class Measured(Part):
    """One measurement at a setting.

    Attributes:
        setting: what was offered.
        repeat: the how-many-eth measurement at this setting, from 1.
        transfers: how many became visible.
        seconds: how long it was measured.
        per_second: transfers that became visible per second, from the first that was due.
        visible: from when a transfer was due until both histories showed it.
        answered: from when it was due until the request was answered.
        cpu_seconds: processor seconds of each group of processes that could be read.
        batch_commands: mean commands of a batch, where the bank publishes metrics.
        append_seconds: mean time of a batch to the log and back, likewise.
        invalid: why the generator, not the bank, was measured; empty when it was the bank.
    """

    setting: Setting
    repeat: int
    transfers: int
    seconds: float
    per_second: float
    visible: Quantiles
    answered: Quantiles
    cpu_seconds: dict[str, float]
    batch_commands: float | None = None
    append_seconds: float | None = None
    invalid: tuple[str, ...] = ()


class Sweep(Part):
    """Every measurement, in the order they were made.

    Attributes:
        started_at: UTC, ISO 8601.
        machine: what it ran on.
        layout: how the bank was laid out, as its operator said.
        plan: all settings, drawn up before the first measurement.
        repeats: how often each was to be measured.
        idle_cores: cores that each group used while nothing was asked of the bank.
        looks_per_second_max: in open loops; in closed ones, `closed_looks_per_second_max`.
    """

    started_at: str
    machine: dict[str, str | int | None]
    layout: Layout
    plan: tuple[Setting, ...]
    repeats: int
    seed: int
    idle_cores: dict[str, float]
    looks_per_second_max: float
    closed_looks_per_second_max: float
    measured: tuple[Measured, ...] = ()


class FittedCost(Part):
    """One cost.

    Attributes:
        cost: in seconds; `variation` has no unit.
        guess: what it was taken for before the sweep.
        learned: how much of the guess's doubt the sweep took away, from 0 (none: the figure is the
            guess) to 1.
    """

    cost: Range
    guess: float
    learned: float


class Residual(Part):
    """A measured figure against the model's, both in the figure's own unit."""

    setting: Setting
    figure: str
    measured: float
    modelled: float


class Fit(Part):
    """The model after the sweep.

    Attributes:
        costs: by name.
        draws: logarithms of all costs, one row for each bootstrap draw.
        usl: parameters of the scalability law, and its peak.
        usl_draws: rows of (alone per second, contention, coherency).
        residuals: of the points it was fitted to.
        points: how many measurements were used.
        left_out: how many were invalid and so not used.
        forced: whether invalid measurements were used all the same.
        highest_per_second: the most that was ever finished: beyond it everything is simulation.
    """

    costs: dict[str, FittedCost]
    draws: tuple[tuple[float, ...], ...]
    usl: dict[str, Range]
    usl_draws: tuple[tuple[float, float, float], ...]
    residuals: tuple[Residual, ...]
    points: int
    left_out: int
    forced: bool
    highest_per_second: float


class Predicted(Part):
    """One figure at a setting that the fit has not seen."""

    setting: Setting
    figure: Literal["per_second", "p99"]
    predicted: Range
    measured: float
    measured_low: float
    measured_high: float

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of what was measured."""
        return self.predicted.value / self.measured - 1


class Size(Part):
    """What one rate would need.

    Attributes:
        per_second: transfers.
        simulated: whether the rate is beyond what was measured.
        cells: independent banks, each with its own log and database. More than one needs transfers
            between cells, which this bank does not have.
        needs: for each cell, by what is needed.
        p99_seconds: of visibility in one cell, by simulation.
    """

    per_second: float
    simulated: bool
    cells: Range
    needs: dict[str, Range]
    p99_seconds: float


class Sizing(Part):
    """Sizes for several rates, and what they rest on."""

    reads: int
    utilisation_max: float
    cell_per_second_max: Range
    sizes: tuple[Size, ...]


class Study(Part):
    """The file."""

    sweep: Sweep
    fit: Fit | None = None
    predictions: tuple[Predicted, ...] = ()
    sizing: Sizing | None = None

    def require_fit(self) -> Fit:
        """The fit; BadInputError where there is none yet."""
        if self.fit is None:
            raise BadInputError("nothing is fitted yet: run `bank-simulations capacity fit FILE`")
        return self.fit


def read_study(path: Path) -> Study:
    """The study in a file; BadInputError where there is none."""
    try:
        return Study.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot read {path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise BadInputError(
            f"{path} is no capacity study: {where}: {first['msg']}; "
            "`bank-simulations capacity sweep --json FILE` writes one"
        ) from error


def write_study(path: Path, study: Study) -> None:
    """Write it, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(study.model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.replace(path)
