"""A run: preflight, then each requirement in the order of the catalogue, each workload once."""

from __future__ import annotations

import asyncio
import secrets
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Protocol

import msgspec

from .bank.shapes import RefusedError, ShapeError
from .baseline import Baseline
from .catalogue import Level, Requirement
from .client import Client
from .history import History, now
from .hooks import NO_HOOKS, HookError
from .mapping import AdapterError, NotOfferedError
from .preflight import InvalidRunError, LiarError, Offer, end_of_feed, preflight
from .redaction import Redactor
from .requirements import CHECKS
from .requirements.check import RESTORING, Check
from .target import Capabilities, Target
from .tokens import TokenError, Tokens
from .verdict import Decision, Exit, Finding, Result, exit_code
from .workloads.power import bring_back
from .workloads.stage import Stage, expiring_of

WORKLOAD_SECONDS_MAX, HOOKS_IN_A_WORKLOAD = 180.0, 8
PREFLIGHT_SECONDS_MAX = 60.0
WITHOUT_HOOKS = {"L0", "L1"}
"""The levels at which a bank is neither stopped nor looked into, even if its target lets us."""
CONTRACT = "every answer has the shape that the contract gives it"
NO_LIES = "a bank confirms only what exists and what it did"


class Reporter(Protocol):
    """Who is told how a run goes on."""

    def started(self, requirement_id: str) -> None:
        """Say that a requirement is being decided."""

    def progress(self, requirement_id: str, done: int, total: int) -> None:
        """Say how far its workload is."""

    def finished(self, result: Result) -> None:
        """Say what became of it."""


@dataclass(slots=True)
class Run:
    """What a run found."""

    target: Target
    seed: int
    results: list[Result] = field(default_factory=list)
    offer: Offer | None = None
    invalid: str = ""
    """Why nothing could be decided at all; empty for a valid run."""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    tokens: list[str] = field(default_factory=list)
    """Every token that was used, to be redacted."""
    histories: list[History] = field(default_factory=list)
    baseline: Baseline = field(default_factory=Baseline)

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        if self.invalid:
            return Exit.INVALID
        return exit_code([self.baseline.counted(result) for result in self.results])

    def redacted(self, text: str) -> str:
        """Return `text` without the tokens and the personal data that were used so far."""
        return Redactor.of(self.tokens, self.histories).text(text)


async def run(
    target: Target,
    selected: Sequence[Requirement],
    *,
    seed: int,
    reporter: Reporter,
    level: Level | None = None,
    into: Run | None = None,
) -> Run:
    """Decide the `selected` requirements of `target`, asking for no more than `level`.

    `into` is the run to fill, for those who look at it while it goes on.
    """
    outcome, began = into or Run(target, seed), now()
    if level in WITHOUT_HOOKS:
        target = replace(target, hooks=NO_HOOKS)
    tokens = Tokens(target.minter)
    async with Client.of(target, tokens, f"c{secrets.token_hex(4)}") as client:
        runner = _Runner(target, client, reporter, outcome)
        await runner.decide_all(selected, level)
    outcome.tokens, outcome.seconds = tokens.known(), now() - began
    await tokens.close()
    return outcome


@dataclass(slots=True)
class _Runner:
    target: Target
    client: Client
    reporter: Reporter
    run: Run
    records: dict[Callable[[Stage], Awaitable[Any]], Any] = field(default_factory=dict)
    feed_from: str | None = None
    """Where the feed stood before whatever is looked at now."""
    trouble: str = ""
    """Why the bank was not brought back after the last workload that used hooks."""

    async def decide_all(self, selected: Sequence[Requirement], level: Level | None) -> None:
        try:
            offer = await self._preflight()
        except (InvalidRunError, TokenError, AdapterError, NotOfferedError) as error:
            self.run.invalid = str(error)
            return
        except LiarError as error:
            self._fail_all(selected, error)
            return
        if level == "L0":
            offered = msgspec.structs.replace(offer.capabilities, feed=False)
            offer = Offer(offered, None, ("the feed is not used at L0",))
        self.run.offer, self.feed_from = offer, offer.feed_from
        for requirement in sorted(selected, key=lambda one: CHECKS[one.id].turn):
            self.reporter.started(requirement.id)
            result = await self._decide(requirement, offer)
            self._finish(result)
        place = {one.id: index for index, one in enumerate(selected)}
        self.run.results.sort(key=lambda result: place[result.requirement_id])

    async def _preflight(self) -> Offer:
        stage = self._stage("preflight", Capabilities(), None)
        if self.target.mints_short_tokens:
            # Made now, so that it has expired when SEC-1 comes to it.
            self.client.tokens.ask(expiring_of(self.target))
        try:
            async with asyncio.timeout(PREFLIGHT_SECONDS_MAX):
                return await preflight(stage)
        except TimeoutError:
            text = f"{self.target.base_url} is too slow: it did not open one account in"
            raise InvalidRunError(f"{text} {PREFLIGHT_SECONDS_MAX:.0f} s") from None

    def _stage(self, name: str, offered: Capabilities, feed_from: str | None) -> Stage:
        history = History(name)
        self.run.histories.append(history)
        die = Random(f"{self.run.seed} {name}")  # noqa: S311  to be replayed, not to be secret
        return Stage(self.target, self.client, offered, die, history, feed_from)

    def _fail_all(self, selected: Sequence[Requirement], error: LiarError) -> None:
        finding = Finding(NO_LIES, str(error), (error.operation,))
        for requirement in selected:
            self._finish(Result(requirement.id, Decision((finding,)), 0.0))

    def _finish(self, result: Result) -> None:
        self.run.results.append(result)
        self.run.tokens = self.client.tokens.known()
        self.reporter.finished(result)

    async def _decide(self, requirement: Requirement, offer: Offer) -> Result:
        check, began = CHECKS[requirement.id], now()
        if missing := check.missing(offer.capabilities, self.target.hooks):
            decision = Decision(skip=missing)
        else:
            decision = await self._decide_guarded(check, offer)
        return Result(requirement.id, decision, now() - began)

    async def _decide_guarded(self, check: Check, offer: Offer) -> Decision:
        """Decide; what goes wrong on the way is a verdict too, and never a traceback."""
        try:
            return check.decide(await self._record(check, offer))
        except ShapeError as error:
            return Decision((Finding(CONTRACT, str(error)),))
        except NotOfferedError as error:
            return Decision(skip=str(error))
        except (RefusedError, TokenError, HookError, AdapterError) as error:
            return Decision(doubt=f"{error}{self.trouble}")
        except TimeoutError:
            text = f"the workload did not end in {self._seconds_max(check):.0f} s"
            return Decision(doubt=f"{text}{self.trouble}")
        except Exception as error:  # noqa: BLE001  the suite's own fault must not hide the rest
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
            return Decision(
                doubt=f"the suite itself failed at {where}: {error!r}; please report it"
            )

    async def _record(self, check: Check, offer: Offer) -> Any:
        if check.workload not in self.records:
            self.records[check.workload] = await self._play(check, offer)
        record = self.records[check.workload]
        if isinstance(record, Exception):
            raise record
        return record

    async def _play(self, check: Check, offer: Offer) -> Any:
        """Play a workload; an error is kept, so that it is not played again in vain."""
        stage = self._stage(check.workload.__name__, offer.capabilities, self.feed_from)
        stage.progress = lambda done, total: self.reporter.progress(
            check.requirement_id, done, total
        )
        try:
            async with asyncio.timeout(self._seconds_max(check)):
                return await check.workload(stage)
        except Exception as error:  # noqa: BLE001  judged by the caller
            return error
        finally:
            await self._tidy_up(stage, check)

    def _seconds_max(self, check: Check) -> float:
        """Return how long a workload may take: one that uses hooks as long as they may, too."""
        limits = self.target.limits
        hooks = HOOKS_IN_A_WORKLOAD * limits.hook_seconds if check.turn else 0.0
        return (WORKLOAD_SECONDS_MAX + hooks) * limits.time_scale

    async def _tidy_up(self, stage: Stage, check: Check) -> None:
        """After a workload that used hooks: the bank serves, and the feed is one that it knows."""
        try:
            if used := self.target.hooks.names.intersection(check.hooks + check.uses):
                await bring_back(stage, used)
            if check.turn == RESTORING and stage.feed_from is not None:
                self.feed_from, _ = await end_of_feed(stage)
        except (HookError, TokenError, AdapterError) as error:
            self.trouble = f"; after {check.requirement_id} the bank was not brought back: {error}"
        else:
            self.trouble = ""
