"""Mutants of IDEM: keys that are ignored, checked too late, or not compared."""

# ruff: noqa: D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

import asyncio
from functools import cached_property

from starlette.responses import Response

from bank_conformance.reference.bank import Parts
from bank_conformance.reference.idempotency import Command, Key, Outcome, Outcomes

from .mutant import RACE_SECONDS, Mutant, broke


class NeverDeduplicates(Outcomes):
    """M21: the key is read and ignored."""

    async def run(self, key: Key, fingerprint: str, command: Command) -> Response:
        broke()
        return await self.first(Outcome(key, fingerprint), command)


class ChecksThenInserts(Outcomes):
    """M22: two requests with one key may both find it unused."""

    async def run(self, key: Key, fingerprint: str, command: Command) -> Response:
        if key in self.by_key:
            return await super().run(key, fingerprint, command)
        broke()
        await asyncio.sleep(RACE_SECONDS)
        outcome = self.by_key[key] = Outcome(key, fingerprint)
        return await self.first(outcome, command)


class AnswersFromTheCache(Outcomes):
    """M23: whatever comes under a known key is answered with what was kept for it."""

    def require_same(self, known: Outcome, fingerprint: str) -> None:
        if known.fingerprint != fingerprint:
            broke()


class SharesKeys(Outcomes):
    """M25: the keys of all principals are in one table."""

    async def run(self, key: Key, fingerprint: str, command: Command) -> Response:
        if any(other[1] == key[1] and other != key for other in self.owners):
            broke()
        self.owners.add(key)
        return await super().run(("", key[1]), fingerprint, command)

    @cached_property
    def owners(self) -> set[Key]:
        return set()


MUTANTS = (
    Mutant("M21", ("IDEM-1", "IDEM-5"), "no deduplication", Parts(outcomes=NeverDeduplicates)),
    Mutant("M22", ("IDEM-2",), "check, then insert", Parts(outcomes=ChecksThenInserts)),
    Mutant("M23", ("IDEM-3",), "answers from the cache", Parts(outcomes=AnswersFromTheCache)),
    Mutant("M25", ("IDEM-6",), "one table of keys for all", Parts(outcomes=SharesKeys)),
)
