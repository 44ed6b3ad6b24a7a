"""The load on HTTP services: one driver, the same for the bank and for its peer.

What is fair, and how it is kept:

* The same process with the same client sends the same requests, over as many kept-alive
  connections, each sending its next transfer when the last is answered. Its own cost per request is
  therefore the same on both sides, and it shares the machine with both.
* A transfer counts when it is done, not when it is accepted: the answer has to say so (the bank is
  asked to wait for the end), and the histories of both accounts have to show it.
* The clock runs until every connection has found its last transfer in both histories: a read model
  that lags behind pays for its lag. Nothing else is looked up meanwhile, since watching each single
  transfer would cost the bank two more requests for each, and the peer, which has no read models,
  has nothing to show for them.
* When the clock has stopped all histories are read, and every transfer has to be there at the first
  look; otherwise the measurement is void. Both services get these requests alike, too.
"""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gevent
from gevent.pool import Group, Pool

from bank_simulations.client import BankClient, UnansweredError
from bank_simulations.console import BrokenRunError

if TYPE_CHECKING:
    from bank_simulations.load.population import Population

CREATED = 201
WAIT_SECONDS = 30
CATCH_UP_SECONDS = 10.0
PAGE = 1000
LOOK_SECONDS = 0.005
AMOUNT_MINOR = 1

Completed = tuple[str, str, str]


@dataclass
class Drive:
    """One closed-loop run between the accounts of `population`."""

    bank: BankClient
    population: Population
    connections: int
    seed: int = 1
    completed: list[Completed] = field(default_factory=list)
    failed: int = 0

    def run(self, seconds: float) -> float:
        """Transfers completed and visible per second.

        Raises:
            BrokenRunError: transfers failed, or completed ones are not visible.
        """
        began = time.perf_counter()
        group = Group()
        for worker in range(self.connections):
            group.spawn(self._work, worker, began + seconds)
        group.join(raise_error=True)
        took = time.perf_counter() - began
        if self.failed or not self.completed:
            raise BrokenRunError(
                f"{self.failed:,} transfers failed and {len(self.completed):,} completed"
            )
        self._verify()
        return len(self.completed) / took

    def _work(self, worker: int, until: float) -> None:
        """One connection: transfer after transfer, then a look at the last one."""
        dice = random.Random(f"{self.seed}-{worker}")  # noqa: S311 - replayed, not secret
        key = f"bench-{secrets.token_hex(6)}-{worker}"
        number, last = 0, None
        while time.perf_counter() < until:
            source, target = dice.sample(self.population.accounts, 2)
            number += 1
            last = self._transfer(source, target, f"{key}-{number}") or last
        if last:
            self._await(last)

    def _transfer(self, source: str, target: str, key: str) -> Completed | None:
        body = {
            "source_account_id": source,
            "target_account_id": target,
            "amount_minor": AMOUNT_MINOR,
            "currency": self.population.currency,
        }
        try:
            answer = self.bank.post("/v1/transfers", body, key, WAIT_SECONDS)
        except UnansweredError:
            self.failed += 1
            return None
        if answer.status != CREATED or answer.body.get("state") != "COMPLETED":
            self.failed += 1
            return None
        done = (source, target, str(answer.body["transfer_id"]))
        self.completed.append(done)
        return done

    def _await(self, last: Completed) -> None:
        """Look until the transfer shows on both sides."""
        source, target, transfer_id = last
        give_up_at = time.perf_counter() + CATCH_UP_SECONDS
        for account in (source, target):
            while not self._shown(account, f"transfer_id={transfer_id}"):
                if time.perf_counter() > give_up_at:
                    raise BrokenRunError(f"{account} never showed {transfer_id}")
                gevent.sleep(LOOK_SECONDS)

    def _verify(self) -> None:
        """Find every completed transfer in both histories."""
        wanted: dict[str, set[str]] = {}
        for source, target, transfer_id in self.completed:
            wanted.setdefault(source, set()).add(transfer_id)
            wanted.setdefault(target, set()).add(transfer_id)
        missing = sum(Pool(self.connections).imap_unordered(self._missing, wanted.items()))
        if missing:
            raise BrokenRunError(f"{missing:,} entries of completed transfers are not visible")

    def _missing(self, wanted: tuple[str, set[str]]) -> int:
        """How many of an account's wanted transfers its newest entries do not show."""
        account, transfers = wanted
        shown = self._shown(account, f"order=desc&limit={min(PAGE, len(transfers))}")
        return len(transfers - shown) if len(transfers) <= PAGE else PAGE - len(shown & transfers)

    def _shown(self, account: str, query: str) -> set[str]:
        answer = self.bank.get(f"/v1/accounts/{account}/entries?{query}")
        if not answer.accepted:
            raise BrokenRunError(f"reading a history gave {answer.status} {answer.code}")
        return {str(entry["transfer_id"]) for entry in answer.body["items"]}
