"""Who pays whom: the same four workloads for every driver, drawn from a seed."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

UNIFORM, HOT, RECEIVER, ZIPF = "uniform", "two accounts", "one receiver", "Zipf"
WORKLOADS = (UNIFORM, HOT, RECEIVER, ZIPF)
HOT_COUNT = 2
ZIPF_EXPONENT = 1.0


def account_count(workload: str, wanted: int) -> int:
    """How many accounts a workload needs when `wanted` are asked for."""
    return {HOT: HOT_COUNT, RECEIVER: wanted + 1}.get(workload, wanted)


class Pairs:
    """Draws payer and payee; one of these for each client, so that clients differ."""

    def __init__(self, workload: str, accounts: Sequence[str], seed: str) -> None:
        self._workload, self._accounts = workload, accounts
        self._dice = random.Random(seed)  # noqa: S311 - replayed, not secret
        ranks = range(1, len(accounts) + 1)
        self._weights = list(accumulate(rank**-ZIPF_EXPONENT for rank in ranks))

    def draw(self) -> tuple[str, str]:
        """Payer and payee, never the same."""
        if self._workload == RECEIVER:
            return self._accounts[self._dice.randrange(1, len(self._accounts))], self._accounts[0]
        if self._workload != ZIPF:
            source, target = self._dice.sample(self._accounts, 2)
            return source, target
        source = target = self._by_rank()
        while target == source:
            target = self._by_rank()
        return source, target

    def _by_rank(self) -> str:
        """The n-th account is drawn n times as rarely as the first."""
        return self._dice.choices(self._accounts, cum_weights=self._weights)[0]
