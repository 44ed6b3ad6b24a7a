"""One observer per account reads the newest page of its history, over and over.

Each page serves every transfer of the account: it shows one for the first time, or not yet, or no
longer. That costs the bank and this machine far less than asking for every transfer by itself, and
watches that what was shown stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from bank_conformance.bank.shapes import EntryPage, read
from bank_conformance.deciders.stable_latency import Look
from bank_conformance.history import Operation, now

from .stage import Stage

LOOK_SECONDS, PAGE = 0.1, 30


@dataclass(slots=True, eq=False)
class Watched:
    """One transfer: when it was meant to start, when it was sent, and every look at its sides."""

    intended: float
    sent: float = 0.0
    transfer_id: str = ""
    tries: list[Operation] = field(default_factory=list)
    looks: dict[str, list[Look]] = field(default_factory=dict)
    """The looks that decide, at the source's and at the target's history, by account."""

    @property
    def lag_seconds(self) -> float:
        """How late it was sent, which is no fault of the bank."""
        return self.sent - self.intended

    @property
    def shown(self) -> bool:
        """Whether both sides were seen."""
        return bool(self.looks) and all(
            any(look.hit for look in looks) for looks in self.looks.values()
        )


class Observer:
    """Reads one account's history over and over."""

    def __init__(self, stage: Stage, account_id: str) -> None:
        self.account_id, self.random = account_id, stage.random
        self.session = stage.session(f"observer {account_id[-6:]}")
        self.stopping = False
        self.expected: dict[str, Watched] = {}
        self.first_seen: dict[str, Look] = {}
        self.sequences: dict[str, int] = {}
        """The sequence of each transfer's entry that was seen."""
        self.horizons: dict[str, int] = {}
        """For each transfer that is awaited: its entry has a greater sequence than this."""
        self.newest = 0

    def expect(self, watched: Watched, horizon: int) -> None:
        """Take a transfer into view; its entry may have been seen before its answer was.

        `horizon` is the newest sequence that was seen before the transfer was sent.
        """
        watched.looks[self.account_id] = []
        self.expected[watched.transfer_id] = watched
        self.horizons[watched.transfer_id] = horizon
        if seen := self.first_seen.get(watched.transfer_id):
            watched.looks[self.account_id].append(seen)

    async def watch(self) -> None:
        """Look until told to stop."""
        while not self.stopping:
            await self.look()
            # Uneven, so that replicas behind a turnstile do not each get an observer of their own.
            await asyncio.sleep(LOOK_SECONDS * self.random.uniform(0.5, 1.5))

    async def look(self) -> None:
        """Read back from the newest entry as far as anything new can be, and note what shows."""
        known, awaited = min(self.horizons.values(), default=self.newest), list(self.horizons)
        newest = page = await self._page(None)
        shown: dict[str, tuple[int, Look]] = {}
        while page.ok:
            entries = read(page, EntryPage)
            look = Look(page.invoked, page.completed, hit=True, operation=page.index)
            shown |= {e.transfer_id: (e.sequence, look) for e in entries.items if e.transfer_id}
            oldest = min((entry.sequence for entry in entries.items), default=0)
            if entries.next is None or oldest <= known + 1:
                self._note_hits(shown)
                missed = [one for one in awaited if one not in self.first_seen]
                self._note_misses(newest, missed + self._gone(shown, oldest))
                return
            page = await self._page(entries.next)
        self._note_misses(newest, awaited)

    async def _page(self, cursor: str | None) -> Operation:
        return await self.session.entry_page(
            self.account_id, order="desc", limit=PAGE, cursor=cursor
        )

    def _note_hits(self, shown: dict[str, tuple[int, Look]]) -> None:
        for transfer_id, (sequence, look) in shown.items():
            if transfer_id not in self.first_seen:
                self.first_seen[transfer_id], self.sequences[transfer_id] = look, sequence
                self.newest = max(self.newest, sequence)
                if watched := self.expected.get(transfer_id):
                    watched.looks[self.account_id].append(look)
        for transfer_id in self.horizons.keys() & self.first_seen.keys():
            del self.horizons[transfer_id]

    def _gone(self, shown: Collection[str], oldest: int) -> list[str]:
        """Return what was seen before and is missing from the part of the history just read."""
        seen = (one for one, at in self.sequences.items() if at >= oldest and one in self.expected)
        return [transfer_id for transfer_id in seen if transfer_id not in shown]

    def _note_misses(self, page: Operation, missed: list[str]) -> None:
        """Note that a look, begun with `page`, did not show what it should have covered."""
        miss = Look(page.invoked, page.completed, hit=False, operation=page.index)
        for transfer_id in missed:
            looks = self.expected[transfer_id].looks[self.account_id]
            if looks and not looks[-1].hit:
                looks.pop()  # of a row of misses only the last says anything
            looks.append(miss)

    async def look_at_all(self) -> None:
        """Look once more, when all is over: what was visible must be visible still."""
        began = now()
        entries = await self.session.entries(self.account_id, limit=1000)
        present = {entry.transfer_id for entry in entries}
        for transfer_id, watched in self.expected.items():
            hit = transfer_id in present
            if not hit or transfer_id not in self.first_seen:
                watched.looks[self.account_id].append(Look(began, now(), hit=hit))
