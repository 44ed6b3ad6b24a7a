"""One operation: ask for a transfer, then watch both accounts' read models until it shows.

The clock runs from the intended start, through lost answers and retries under the same key. An
operation has ended when it is answered, terminal, and visible on both sides: a customer who waits
for an answer is not served by an entry that nobody can tell them about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, count, repeat
from typing import TYPE_CHECKING, Any

import gevent
from bank_conformance.deciders.stable_latency import Latency, worst

from bank_simulations.client import Answer, BankClient, UnansweredError, is_passing

from .clock import machine_seconds
from .measurement import MODELS, Observation
from .watch import FIRST_LOOK_SECONDS, Watch, entry_watch, pause_seconds, terminal_watch

if TYPE_CHECKING:
    from .clock import RunClock
    from .plan import Planned
    from .population import Population

ACCEPTED = 202
COMPLETED = "COMPLETED"
RETRY_SECONDS = (0.0, 0.02, 0.05, 0.1)
RETRIES_PER_SECOND_MAX = 1_000
"""All together, while the bank is away: thousands that wait must not keep the generator busy."""
NO_TRANSFER_ID = "accepted-without-transfer-id"


@dataclass
class Transfers:
    """Performs transfers against one bank, and notes what it sees.

    Attributes:
        run: begins every idempotency key.
        started: every transfer that was started, for the books.
        give_up_at_seconds: on the run's clock; what has not ended by then stays unresolved.
        in_flight: how many are under way.
        watching: how many of them are answered and looked for; the others cost no looks.
    """

    bank: BankClient
    population: Population
    clock: RunClock
    run: str
    bound_seconds: float
    looks_per_second_max: float
    wait_seconds: int | None = None
    give_up_at_seconds: float = float("inf")
    in_flight: int = 0
    watching: int = 0
    started: list[Observation] = field(default_factory=list)

    def perform(self, seen: Observation) -> str | None:
        """Do what `seen` plans and fill in what is seen; the transfer's id where there is one."""
        self.in_flight += 1
        seen.asked_at = machine_seconds()
        self.started.append(seen)
        try:
            return self._perform(seen)
        finally:
            self.in_flight -= 1

    def look_again(self, seen: Observation, transfer_id: str) -> None:
        """What showed must still be there; a look without an answer proves nothing."""
        watch = self._entry(seen.planned, _in_turn(seen.planned)[0], transfer_id)
        self._look(seen, watch)
        seen.vanished = watch.misses > 0

    def _perform(self, seen: Observation) -> str | None:
        answer = self._ask(seen)
        if answer is None:
            return None
        seen.answered_seconds = self._since_due(seen)
        answered = Latency(seen.answered_seconds, seen.answered_seconds)
        seen.transfer_id = transfer_id = _transfer_id(answer)
        if not answer.accepted or transfer_id is None:
            code = NO_TRANSFER_ID if answer.accepted else answer.code
            self._refused(seen, code, answered)
            return transfer_id
        settled: Latency | None = answered
        if answer.status == ACCEPTED:
            settled = self._settle(seen, transfer_id, answered)
        if settled is not None:
            self._follow(seen, transfer_id, settled)
        return transfer_id

    def _settle(self, seen: Observation, transfer_id: str, answered: Latency) -> Latency | None:
        """Wait for the end of a transfer on its way: when it completed, if it did."""
        terminal = terminal_watch(transfer_id)
        if not self._watch(seen, terminal) or terminal.seen is None:
            return None
        settled = worst([answered, terminal.seen])
        if terminal.found["state"] == COMPLETED:
            return settled
        self._refused(seen, str(terminal.found.get("code")), settled)
        return None

    def _follow(self, seen: Observation, transfer_id: str, settled: Latency) -> None:
        """Watch until a completed transfer shows on both sides, one side after the other.

        Whichever side shows last is being watched when it does, so the interval is as narrow as
        with both watched at once, for half the looks. Sides take turns to be the first.
        """
        seen.decided_at = machine_seconds()
        gevent.sleep(FIRST_LOOK_SECONDS)
        for model in _in_turn(seen.planned):
            watch = self._entry(seen.planned, model, transfer_id)
            if not self._watch(seen, watch) or watch.seen is None:
                return
            seen.seen[model] = watch.seen
        seen.ended = worst([settled, *seen.seen.values()])

    def _refused(self, seen: Observation, code: str, when: Latency) -> None:
        seen.refusal, seen.ended = code, when
        seen.decided_at = machine_seconds()

    def _ask(self, seen: Observation) -> Answer | None:
        """Send the request until there is an answer that stands, or it is time to give up."""
        body, key = self._request(seen.planned)
        for pause in chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1])):
            if pause:
                gevent.sleep(max(pause, self.in_flight / RETRIES_PER_SECOND_MAX))
            if self.clock.now() > self.give_up_at_seconds:
                return None
            seen.attempts += 1
            try:
                answer = self.bank.post("/v1/transfers", body, key, self.wait_seconds)
            except UnansweredError:
                continue
            if not is_passing(answer):
                return answer
        return None

    def _watch(self, seen: Observation, watch: Watch) -> bool:
        """Look until it shows; false when it is time to give up, after a last look."""
        self.watching += 1
        try:
            return self._look_until_it_shows(seen, watch)
        finally:
            self.watching -= 1

    def _look_until_it_shows(self, seen: Observation, watch: Watch) -> bool:
        for looks in count():
            if self._look(seen, watch):
                return True
            overdue = self._since_due(seen) > self.bound_seconds
            pause = pause_seconds(looks, overdue, self.watching, self.looks_per_second_max)
            left = self.give_up_at_seconds - self.clock.now()
            if left <= 0:
                return False
            gevent.sleep(min(pause, left))
        return False

    def _look(self, seen: Observation, watch: Watch) -> bool:
        seen.looks += 1
        began = self._since_due(seen)
        try:
            answer = self.bank.get(watch.path)
        except UnansweredError:
            return False
        watch.learn(answer, began, self._since_due(seen))
        return watch.seen is not None

    def _since_due(self, seen: Observation) -> float:
        return self.clock.now() - seen.planned.due_seconds

    def _entry(self, planned: Planned, model: str, transfer_id: str) -> Watch:
        number, direction = {
            "source": (planned.source, "DBIT"),
            "target": (planned.target, "CRDT"),
        }[model]
        return entry_watch(self.population.accounts[number], transfer_id, direction, planned)

    def _request(self, planned: Planned) -> tuple[dict[str, Any], str]:
        accounts = self.population.accounts
        body = {
            "source_account_id": accounts[planned.source],
            "target_account_id": accounts[planned.target],
            "amount_minor": planned.amount_minor,
            "currency": self.population.currency,
        }
        return body, f"{self.run}-{planned.number}"


def _in_turn(planned: Planned) -> tuple[str, ...]:
    return MODELS if planned.number % 2 else MODELS[::-1]


def _transfer_id(answer: Answer) -> str | None:
    found = answer.body.get("transfer_id") if isinstance(answer.body, dict) else None
    return found if isinstance(found, str) else None
