"""Measuring a bank at many settings, in shuffled order, so that a drifting machine blurs all alike.

Which settings are held out is decided when the plan is drawn up. Transfers are made and watched
exactly as `load` does it. Every repeat of a setting has the same arrivals, and so has the model: by
chance alone, two schedules of one high rate differ by more than a model may be off.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import gevent
from gevent.pool import Group

from bank_simulations.console import BadInputError, err
from bank_simulations.load import setting as load_setting
from bank_simulations.load.arrivals import Arrival
from bank_simulations.load.capacity import LEVEL_SECONDS, LOOKS_PER_SECOND_MAX, measure_capacity
from bank_simulations.load.clock import RunClock
from bank_simulations.load.measurement import Histogram, Observation
from bank_simulations.load.plan import draw
from bank_simulations.load.population import populate
from bank_simulations.load.result import machine, now
from bank_simulations.load.scenario import Accounts, Limits
from bank_simulations.load.summary import duration

from .documents import Kind, Measured, Quantiles, Setting, Sweep
from .figures import scenario
from .probe import OBSERVER
from .tables import offered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bank_simulations.load.plan import Planned
    from bank_simulations.load.population import Population
    from bank_simulations.load.transfers import Transfers
    from bank_simulations.tokens import TokenSource

    from .costs import Layout
    from .probe import Probe, Reading

IDLE_SECONDS = 3.0
PAUSE_SECONDS = 1.0
LEAD_SECONDS = 0.2
SHARES = (0.15, 0.3, 0.45, 0.55, 0.8)
SHARES_HELD_OUT = (0.4, 0.7)
LEVELS = (1, 2, 4, 8, 32, 64, 128)
LEVELS_HELD_OUT = (16,)
SEED_STRIDE = 1_000
CPU_MAX = Limits().generator_cpu_max


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to sweep.

    Attributes:
        rates, rates_held_out: arrivals per second of open loops; empty: shares of the capacity.
        levels, levels_held_out: transfers in flight of closed loops.
        repeats: measurements at each setting.
        open_seconds, closed_seconds: how long each lasts.
        accounts: between which transfers run.
        seed: draws the order, the arrivals and the accounts.
    """

    rates: Sequence[float] = ()
    rates_held_out: Sequence[float] = ()
    levels: Sequence[int] = LEVELS
    levels_held_out: Sequence[int] = LEVELS_HELD_OUT
    repeats: int = 3
    open_seconds: float = 20.0
    closed_seconds: float = 8.0
    accounts: int = 1_000
    seed: int = 1

    def settings(self, capacity: float) -> tuple[Setting, ...]:
        """The plan; what is named both ways is held out."""
        rates, held_out = self.rates, self.rates_held_out
        if not rates:
            rates = [round(capacity * share, 1) for share in SHARES]
            held_out = [*held_out, *(round(capacity * share, 1) for share in SHARES_HELD_OUT)]
        found = [
            *_marked("open", rates, held_out),
            *_marked("closed", self.levels, self.levels_held_out),
        ]
        lasts: dict[Kind, float] = {"open": self.open_seconds, "closed": self.closed_seconds}
        return tuple(
            Setting(kind=kind, offered=offered, seconds=lasts[kind], seed=seed, held_out=held)
            for seed, (kind, offered, held) in enumerate(found, self.seed * SEED_STRIDE)
        )


def _marked(
    kind: Kind, seen: Sequence[float], held_out: Sequence[float]
) -> Iterator[tuple[Kind, float, bool]]:
    """Each in order, with whether it is held out."""
    for each in sorted({*seen, *held_out}):
        yield kind, each, each in held_out


def sweep(
    url: str, tokens: TokenSource, layout: Layout, probe: Probe, wanted: Wanted
) -> Iterator[Sweep]:
    """Measure; the sweep so far after every measurement, so that nothing is lost on the way.

    Raises:
        BrokenRunError: the bank could not be reached, or refused the set-up.
    """
    bench = _Bench.set_up(url, tokens, probe, wanted)
    idle = bench.idle_cores()
    capacity = bench.capacity()
    plan = wanted.settings(capacity)
    order = [(each, repeat + 1) for each in plan for repeat in range(wanted.repeats)]
    random.Random(wanted.seed).shuffle(order)  # noqa: S311 - replayed, not secret
    found = Sweep(
        started_at=now().isoformat(timespec="seconds"),
        machine=machine(),
        layout=layout,
        plan=plan,
        repeats=wanted.repeats,
        seed=wanted.seed,
        idle_cores=idle,
        looks_per_second_max=Limits().looks_per_second_max,
        closed_looks_per_second_max=LOOKS_PER_SECOND_MAX,
    )
    for number, (setting, repeat) in enumerate(order, 1):
        gevent.sleep(PAUSE_SECONDS)
        measured = bench.measure(setting, repeat)
        err.print(f"{number} of {len(order)}: {_words(measured)}")
        found = found.model_copy(update={"measured": (*found.measured, measured)})
        yield found


def _words(measured: Measured) -> str:
    visible, why = measured.visible, "; ".join(measured.invalid)
    times = f"p50 {duration(visible.p50)}, p99 {duration(visible.p99)}"
    invalid = f" INVALID: {why}" if why else ""
    return f"{offered(measured.setting)}: {measured.per_second:,.1f}/s, {times}{invalid}"


@dataclass
class _Bench:
    """A bank with accounts on it, and what is needed to put a load on them."""

    url: str
    tokens: TokenSource
    probe: Probe
    wanted: Wanted
    population: Population

    @classmethod
    def set_up(cls, url: str, tokens: TokenSource, probe: Probe, wanted: Wanted) -> _Bench:
        bank = load_setting.connect(url, tokens, Limits())
        bank.require_answer()
        population = populate(bank, cls._accounts(wanted), f"capacity-{secrets.token_hex(5)}")
        bank.close()
        return cls(url, tokens, probe, wanted, population)

    @staticmethod
    def _accounts(wanted: Wanted) -> Accounts:
        return Accounts(count=wanted.accounts, customers=max(1, wanted.accounts // 10))

    def idle_cores(self) -> dict[str, float]:
        before = self.probe.read()
        gevent.sleep(IDLE_SECONDS)
        used = self.probe.read().since(before)
        return {name: cpu / used.at_seconds for name, cpu in used.cpu_seconds.items()}

    def capacity(self) -> float:
        """By a closed loop; it warms the bank up, too."""
        seed, seconds = self.wanted.seed, min(LEVEL_SECONDS, self.wanted.closed_seconds)
        warm_up = Setting(kind="closed", offered=1, seconds=seconds, seed=seed)
        transfers, accounts = self._transfers(warm_up, RunClock()), self._accounts(self.wanted)
        found = measure_capacity(transfers, accounts, seed, seconds)
        transfers.bank.close()
        return found.per_second

    def measure(self, setting: Setting, repeat: int) -> Measured:
        return (self._open if setting.kind == "open" else self._closed)(setting, repeat)

    def _open(self, setting: Setting, repeat: int) -> Measured:
        """As a load run does it, on accounts that are there already."""
        run = self._run(setting)
        bank = load_setting.connect(self.url, self.tokens, run.scenario.limits)
        clock = RunClock()
        loop = run.loop(bank, clock, lambda: clock.start(LEAD_SECONDS))
        if not loop.work.transfers:
            raise BadInputError(f"{setting.offered:g}/s: no transfer is due; lengthen --seconds")
        before = self.probe.read()
        gevent.spawn(loop.dispatch)
        loop.dispatched.wait()
        loop.drain()
        used = self.probe.read().since(before)
        bank.close()
        generator = loop.share.generator(run.stretches())
        invalid = generator.breaches(run.scenario.limits)
        seen = loop.share.observations
        ended = [each for each in seen if each.seen and each.ended]
        last = max((each.planned.due_seconds + _seconds(each) for each in ended), default=1.0)
        return _measured(setting, repeat, seen, len(ended) / last, used, invalid)

    def _closed(self, setting: Setting, repeat: int) -> Measured:
        """So many clients, each starting its next transfer when its last one shows."""
        clock = RunClock()
        transfers = self._transfers(setting, clock)
        accounts, seconds = self._accounts(self.wanted), setting.seconds
        dice = random.Random(setting.seed)  # noqa: S311 - replayed, not secret
        transfers.give_up_at_seconds = seconds + transfers.bound_seconds

        def planned() -> Planned:
            due = Arrival(clock.now(), "closed")
            return draw(len(transfers.started), due, accounts, dice)

        def client() -> None:
            while clock.now() < seconds:
                transfers.perform(Observation(planned(), 0.0))

        group = Group()
        before = self.probe.read()
        clock.start()
        for _ in range(round(setting.offered)):
            group.spawn(client)
        group.join(timeout=seconds + 2 * transfers.bound_seconds)
        group.kill()
        used = self.probe.read().since(before)
        transfers.bank.close()
        seen = transfers.started
        moments = [each.planned.due_seconds + _seconds(each) for each in seen if each.ended]
        in_time = sum(moment <= seconds for moment in moments)
        share = used.cpu_seconds[OBSERVER] / used.at_seconds
        invalid = [f"the generator used {share:.0%} of a core"] if share > CPU_MAX else []
        return _measured(setting, repeat, seen, in_time / seconds, used, invalid)

    def _transfers(self, setting: Setting, clock: RunClock) -> Transfers:
        """For a closed loop, in which a late look would delay the next transfer."""
        run = self._run(setting)
        limits = run.scenario.limits
        bank = load_setting.connect(self.url, self.tokens, limits)
        found = run.transfers(bank, clock, limits)
        return replace(found, looks_per_second_max=LOOKS_PER_SECOND_MAX)

    def _run(self, setting: Setting) -> load_setting.Setting:
        planned = scenario(setting, self._accounts(self.wanted))
        run = f"capacity-{secrets.token_hex(5)}"
        return load_setting.Setting(planned, run, self.population, None, (), ("", ""))


def _seconds(seen: Observation) -> float:
    return seen.ended.high if seen.ended else 0.0


def _measured(
    setting: Setting,
    repeat: int,
    seen: Sequence[Observation],
    per_second: float,
    used: Reading,
    invalid: list[str],
) -> Measured:
    ended = [each for each in seen if each.seen and each.ended]
    if missing := len(seen) - len(ended):
        invalid = [*invalid, f"{missing:,} of {len(seen):,} transfers never became visible"]
    return Measured(
        setting=setting,
        repeat=repeat,
        transfers=len(ended),
        seconds=used.at_seconds,
        per_second=per_second,
        visible=_quantiles([_seconds(each) for each in ended]),
        answered=_quantiles([each.answered_seconds or 0.0 for each in ended]),
        cpu_seconds=dict(used.cpu_seconds),
        batch_commands=used.batch_commands,
        append_seconds=used.append_seconds,
        invalid=tuple(invalid),
    )


def _quantiles(durations: Sequence[float]) -> Quantiles:
    histogram = Histogram()
    for each in durations:
        histogram.record(each)
    at = histogram.percentile_seconds
    return Quantiles(p50=at(50), p99=at(99), p99_9=at(99.9))
