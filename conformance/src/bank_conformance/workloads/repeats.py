"""The same command several times under one key: one after the other, all at once, or given up."""

from __future__ import annotations

from functools import partial

from bank_conformance.bank.shapes import demand
from bank_conformance.history import Operation, Outcome

from .bench import Bench, Repeat, Repeats, Send, commands, count_effects, post, set_bench, transfer
from .stage import Stage, gather

TRIES, RACERS, RACES = 3, 8, 4
TOO_MUCH_MINOR = 5_000_000
ROUNDS, PATIENT_MAX = 12, 20
CONFLICT = 409
AGAIN_SECONDS, SUSPENDED_SECONDS = 0.05, 0.5


async def retries(stage: Stage) -> Repeats:
    """Send each kind of command three times under one key, refusals included."""
    bench = await set_bench(stage)
    for what, (send, marks) in (await commands(bench)).items():
        tries = await _one_after_the_other(send, stage.client.fresh_key())
        bench.record.repeats.append(Repeat(what, marks, tuple(tries)))
    await _repeat_openings(bench)
    await _repeat_refusals(bench)
    await count_effects(bench)
    return bench.record


async def races(stage: Stage) -> Repeats:
    """Send each kind of command eight times at once under one key, and once more afterwards."""
    bench = await set_bench(stage)
    for number in range(RACES):
        stage.progress(number, RACES)
        for what, (send, marks) in (await commands(bench)).items():
            tries = await _all_at_once(send, stage.client.fresh_key())
            bench.record.repeats.append(Repeat(what, marks, tuple(tries)))
    await count_effects(bench)
    return bench.record


async def timeouts(stage: Stage) -> Repeats:
    """Give up each kind of command before its answer is there, and send it again.

    How long that takes is learnt on the way: who was answered is more impatient the next time.
    Where it can be suspended, the bank is silent once for longer than anybody waits.
    """
    bench = await set_bench(stage)
    patience: dict[str, float] = {}
    for number in range(ROUNDS):
        stage.progress(number, ROUNDS)
        for what, (send, marks) in (await commands(bench)).items():
            key, tries = stage.client.fresh_key(), list[Operation]()
            if what in patience:
                tries.append(await _impatiently(stage, send, key, patience[what]))
                patience[what] *= 1.2 if tries[0].outcome is Outcome.INFO else 0.5
            tries += await _until_answered(stage, send, key)
            patience.setdefault(what, (tries[-1].completed - tries[-1].invoked) / 4)
            bench.record.repeats.append(Repeat(what, marks, tuple(tries)))
    if {"pause", "resume"} <= stage.hooks.names:
        await _while_suspended(bench)
    await count_effects(bench)
    return bench.record


async def _while_suspended(bench: Bench) -> None:
    """Send each kind of command to a suspended bank, give up, let it go on, and send it again."""
    stage, asked = bench.stage, await commands(bench)
    keys = {what: stage.client.fresh_key() for what in asked}
    await stage.hooks.run("pause")
    try:
        with stage.client.giving_up_after(SUSPENDED_SECONDS):
            given_up = await gather(send(keys[what]) for what, (send, _) in asked.items())
    finally:
        await stage.hooks.run("resume")
    for first, (what, (send, marks)) in zip(given_up, asked.items(), strict=True):
        tries = await _until_answered(stage, send, keys[what])
        said = f"{what} to a suspended bank"
        bench.record.repeats.append(Repeat(said, marks, (first, *tries)))


async def _impatiently(stage: Stage, send: Send, key: str, seconds: float) -> Operation:
    with stage.client.giving_up_after(seconds * stage.random.uniform(0.7, 1.0)):
        return await send(key)


async def _until_answered(stage: Stage, send: Send, key: str) -> list[Operation]:
    tries: list[Operation] = []
    for _ in range(PATIENT_MAX):
        tries.append(await send(key))
        if tries[-1].outcome is not Outcome.INFO and tries[-1].status != CONFLICT:
            break
        await stage.wait(AGAIN_SECONDS)
    return tries


async def _one_after_the_other(send: Send, key: str) -> list[Operation]:
    return [await send(key) for _ in range(TRIES)]


async def _all_at_once(send: Send, key: str) -> list[Operation]:
    raced = await gather([send(key) for _ in range(RACERS)])
    return [*raced, await send(key)]


async def _repeat_openings(bench: Bench) -> None:
    """Repeat the commands that make something new; what they made names it."""
    session, stage = bench.session, bench.stage
    owner, personal = await stage.customer(), stage.personal()
    openings: dict[str, Send] = {
        "registration": lambda key: session.register(personal, key=key),
        "account opening": lambda key: session.open(owner, key=key),
    }
    for what, send in openings.items():
        tries = await _one_after_the_other(send, stage.client.fresh_key())
        bench.record.repeats.append(Repeat(what, (), tuple(tries)))


async def _repeat_refusals(bench: Bench) -> None:
    """Repeat what was refused for want of money once the money is there: it stays refused."""
    session, key = bench.session, bench.stage.client.fresh_key
    amounts = [TOO_MUCH_MINOR + next(bench.amounts) for _ in range(2)]
    withdrawal = partial(post, session, bench.poor, "CASH_WITHDRAWAL", amounts[0])
    sending = partial(transfer, session, bench.poor, bench.payee, amounts[1], None)
    refused = {"refused withdrawal": (withdrawal, key()), "refused transfer": (sending, key())}
    before = {what: [await send(k), await send(k)] for what, (send, k) in refused.items()}
    demand(await session.post(bench.poor, "CASH_DEPOSIT", 4 * TOO_MUCH_MINOR))
    marks = {
        "refused withdrawal": ((bench.poor, "DBIT", amounts[0]),),
        "refused transfer": ((bench.poor, "DBIT", amounts[1]), (bench.payee, "CRDT", amounts[1])),
    }
    for what, (send, k) in refused.items():
        tries = (*before[what], await send(k))
        bench.record.repeats.append(Repeat(what, marks[what], tries))
