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

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gevent
from gevent.pool import Group, Pool

from bank_simulations.client import BankClient, UnansweredError
from bank_simulations.console import BrokenRunError

from .inside.workloads import UNIFORM, Pairs

if TYPE_CHECKING:
    from bank_simulations.client import Answer
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
    """One closed-loop run between the accounts of `population`.

    With a `batch` of more than one, each request asks for so many transfers.
    """

    bank: BankClient
    population: Population
    connections: int
    seed: str = "1"
    workload: str = UNIFORM
    batch: int = 1
    completed: list[Completed] = field(default_factory=list)
    failed: int = 0

    def run(self, seconds: float) -> float:
        """Load the bank for so long; the seconds until the last transfers were visible.

        Raises:
            BrokenRunError: transfers failed, or a last one is not visible.
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
        return took

    def _work(self, worker: int, until: float) -> None:
        """One connection: request after request, then a look at its last transfer."""
        pairs = Pairs(self.workload, self.population.accounts, f"{self.seed}-{worker}")
        key = f"bench-{secrets.token_hex(6)}-{worker}"
        number, last = 0, None
        while time.perf_counter() < until:
            number += 1
            drawn = [pairs.draw() for _ in range(self.batch)]
            last = self._request(drawn, f"{key}-{number}") or last
        if last:
            self._await(last)

    def _request(self, drawn: list[tuple[str, str]], key: str) -> Completed | None:
        """Ask for these transfers; the last one that completed."""
        orders = [self._order(*pair) for pair in drawn]
        is_batch = self.batch > 1
        path = "/v1/transfers/batch" if is_batch else "/v1/transfers"
        body = {"transfers": orders} if is_batch else orders[0]
        try:
            answer = self.bank.post(path, body, key, WAIT_SECONDS)
        except UnansweredError:
            self.failed += len(drawn)
            return None
        outcomes = _outcomes(answer) if is_batch else [(answer.status, answer.body)]
        done = [
            (*pair, str(transfer["transfer_id"]))
            for pair, (status, transfer) in zip(drawn, outcomes, strict=False)
            if status == CREATED and transfer.get("state") == "COMPLETED"
        ]
        self.failed += len(drawn) - len(done)
        self.completed += done
        return done[-1] if done else None

    def _order(self, source: str, target: str) -> dict[str, Any]:
        return {
            "source_account_id": source,
            "target_account_id": target,
            "amount_minor": AMOUNT_MINOR,
            "currency": self.population.currency,
        }

    def _await(self, last: Completed) -> None:
        """Look until the transfer shows on both sides."""
        source, target, transfer_id = last
        give_up_at = time.perf_counter() + CATCH_UP_SECONDS
        for account in (source, target):
            while not self._shown(account, f"transfer_id={transfer_id}"):
                if time.perf_counter() > give_up_at:
                    raise BrokenRunError(f"{account} never showed {transfer_id}")
                gevent.sleep(LOOK_SECONDS)

    def verify(self) -> None:
        """Find every completed transfer in both histories; BrokenRunError where one is missing."""
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


def _outcomes(answer: Answer) -> list[tuple[int, dict[str, Any]]]:
    """Status and transfer of each in a batch, in the order asked; none where it was refused."""
    if not answer.accepted:
        return []
    return [(each["status"], each.get("transfer", {})) for each in answer.body["outcomes"]]
