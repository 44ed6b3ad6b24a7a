"""One plan played: setting up, chaos, recovery, liveness, the final checks."""

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from time import process_time
from typing import Any

from . import checks
from .client import Operation, Session
from .loop import SimulatedLoop
from .plan import (
    BOUND_SECONDS,
    CHAOS_SECONDS,
    END_SECONDS,
    RECOVERY_SECONDS,
    SESSIONS,
    Act,
    Plan,
)
from .workloads import WORKLOADS, Stage, set_up, transfers
from .world import World

LIVENESS_TRANSFERS = 6
LOOK_SECONDS = 0.02
Told = Callable[[str], None]


@dataclass(slots=True)
class Run:
    """What came of a plan. `trace` is the hash of everything that happened."""

    plan: Plan
    violations: list[str] = field(default_factory=list)
    trace: str = ""
    steps: int = 0
    simulated_seconds: float = 0.0
    core_seconds: float = 0.0
    """Processor time."""
    sometimes: Counter[str] = field(default_factory=Counter)
    """The faults that happened, and how things ended."""
    operations: Counter[str] = field(default_factory=Counter)
    """By what was asked and how it ended."""


def play(plan: Plan, told: Told | None = None) -> Run:
    """Play a plan from beginning to end; `told` is given every line of what happens."""
    run, began = Run(plan), process_time()
    loop = SimulatedLoop(Random(plan.seed))
    loop.set_exception_handler(partial(_raised, run))
    errors = logging.getLogger("ourbank")
    errors.propagate, was = False, errors.level
    errors.setLevel(logging.ERROR)
    gc.disable()  # so much is made and forgotten that looking for it takes a fifth of the time
    try:
        loop.run_until_complete(_play(plan, told, run))
    except Exception as error:  # noqa: BLE001 (a world that breaks down is a finding too)
        run.violations.append(f"{loop.time():.4f} s: {type(error).__name__}: {error}")
    finally:
        errors.setLevel(was)
        errors.propagate = True
        run.steps, run.simulated_seconds = loop.steps, loop.time()
        loop.bury()
        gc.enable()
    run.core_seconds = process_time() - began
    return run


def _raised(run: Run, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A callback raised. Tasks whose errors nobody asks for are those of clients that left."""
    if "handle" in context:
        run.violations.append(
            f"{loop.time():.4f} s: {context['message']}: {context['exception']!r}"
        )


async def _play(plan: Plan, told: Told | None, run: Run) -> None:
    world = World(plan, told)
    stage = Stage(world, [])
    listener = _Listener(world)
    logging.getLogger("ourbank").addHandler(listener)
    sessions = [
        Session(world, f"c{n}", Random(plan.seed + n), stage.history) for n in range(SESSIONS)
    ]
    try:
        for process in world.processes:
            process.start()
        await set_up(stage, sessions[0])
        await _chaos(stage, plan)
        await asyncio.sleep(RECOVERY_SECONDS)
        await _liveness(stage, sessions[0])
        await _until(END_SECONDS)
        await checks.at_the_end(stage)
    finally:
        logging.getLogger("ourbank").removeHandler(listener)
        run.violations += world.violations
        run.trace, run.sometimes = world.trace, world.faults.sometimes + world.books.ends
        run.operations = Counter(f"{o.what}: {o.code or o.outcome}" for o in stage.history)


class _Listener(logging.Handler):
    """Hears what the bank's own loops survived, and went on."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """An error that was logged with its exception; who has none has said all there is."""
        if record.exc_info and record.exc_info[1] is not None:
            self._world.raised(record.name, record.exc_info[1])


async def _chaos(stage: Stage, plan: Plan) -> None:
    """Acts and faults at their times, counted from the end of setting up; then the faults end."""
    loop, world = asyncio.get_running_loop(), stage.world
    began = loop.time()
    for fault in plan.faults:
        world.later(fault.at, world.strike, fault)
    acting = [loop.create_task(_act(stage, act, began + act.at)) for act in plan.acts]
    await _until(began + CHAOS_SECONDS)
    world.heal()
    await asyncio.gather(*acting)


async def _act(stage: Stage, act: Act, at: float) -> None:
    await _until(at)
    session = Session(stage.world, f"c{act.session}", Random(act.seed), stage.history)
    await WORKLOADS[act.workload].act(stage, session)


async def _liveness(stage: Stage, session: Session) -> None:
    """Nothing goes wrong any more, so the bound must hold, in virtual seconds."""
    world = stage.world
    funded = [one for one in stage.accounts if world.books.accounts[one].booked > 0]
    if len(stage.accounts) < 2 or not funded:  # noqa: PLR2004 (a transfer needs two)
        return
    for _ in range(LIVENESS_TRANSFERS):
        source, target = session.dice.choice(funded), session.dice.choice(stage.accounts)
        await _in_time(stage, session, source, target)


async def _in_time(stage: Stage, session: Session, source: str, target: str) -> None:
    loop, world = asyncio.get_running_loop(), stage.world
    amount = stage.amount(1)
    before = transfers.refusals(stage, source, target, amount)
    sending = loop.create_task(transfers.send(stage, session, source, target, amount))
    for _ in range(int(BOUND_SECONDS / LOOK_SECONDS)):
        await asyncio.sleep(LOOK_SECONDS)
        if sending.done() and _shows(stage, sending.result()):
            break
    else:
        world.violate(f"a transfer of {amount} does not show in {BOUND_SECONDS} s without faults")
    done = await sending
    why = _refusal(stage, done)
    allowed = before | transfers.refusals(stage, source, target, amount)  # a hold may have expired
    is_wrong = why not in allowed if why else bool(before & {"same-account", "account-blocked"})
    if is_wrong:
        world.violate(f"{done} ends with {why!r}; it may be refused for {allowed or 'nothing'}")


def _refusal(stage: Stage, done: Operation) -> str:
    """Why a transfer did not complete, if so, whoever was told of it."""
    leg = stage.world.books.transfers.get(done.subject)
    if leg is None or not leg.end:
        return done.code
    return "" if leg.end == "TransferCompleted" else leg.code or leg.end


def _shows(stage: Stage, done: Operation) -> bool:
    """Whether a transfer was refused, or has ended and is to be seen on both sides."""
    if not done.subject:
        return done.code != ""
    leg = stage.world.books.transfers.get(done.subject)
    if leg is None or not leg.end:
        return False
    rows = stage.world.rows
    row = rows.of("transfers").get((done.subject,))
    sides = sum(entry.transfer_id == done.subject for entry in rows.of("entries").values())
    ended = row is not None and row.ended_at is not None
    return ended and sides == (2 if leg.end == "TransferCompleted" else 0)


async def _until(at: float) -> None:
    await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
