"""Clients that read what they wrote, at once, with the consistency token of the answer.

Every list of the contract that is served from a read model is asked for: the history, the account
and the transfers. Some clients wait for the read model, some do not, and some pass the token on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Entry, Transfer, read
from bank_conformance.history import History, Operation

from .stage import Stage, gather

CLIENTS, ROUNDS = 4, 15
FUNDS_MINOR, WAIT_SECONDS = 100_000, 2
TOKEN = "consistency-token"  # noqa: S105  a header


@dataclass(frozen=True, slots=True)
class TokenRead:
    """A read with the token of an earlier answer, and what that answer told of."""

    told: Operation
    read: Operation
    sequence: int = 0
    """The account's entries that the token covers."""
    transfer_id: str = ""
    """The transfer that it covers; empty for none."""


@dataclass(slots=True)
class OwnWrites:
    """Every read with a token, and the writes whose answers had none."""

    history: History
    reads: list[TokenRead] = field(default_factory=list)
    without: list[Operation] = field(default_factory=list)


async def own_writes(stage: Stage) -> OwnWrites:
    """Let several clients write and read, each on an account of its own."""
    record, customer = OwnWrites(stage.history), await stage.customer()
    accounts = await stage.accounts(customer, CLIENTS + 1, funds=FUNDS_MINOR)
    clients = [
        _Client(stage, record, f"client {number}", own, accounts[-1])
        for number, own in enumerate(accounts[:-1])
    ]
    await gather(client.play() for client in clients)
    return record


@dataclass(slots=True)
class _Client:
    stage: Stage
    record: OwnWrites
    name: str
    account: str
    other: str

    @property
    def session(self) -> Session:
        return self.stage.session(self.name)

    async def play(self) -> None:
        for number in range(ROUNDS):
            self.stage.progress(number, ROUNDS)
            wait = WAIT_SECONDS if number % 3 else None
            posted = await self.session.post(self.account, "CASH_DEPOSIT", 1 + number)
            if posted.ok:
                await self.entries(posted, read(posted, Entry).sequence, wait)
            await self.transfers(await self.send(), wait)
            posted = await self.session.post(self.account, "CASH_DEPOSIT", 1 + number)
            if posted.ok:
                await self.accounts(posted, read(posted, Entry).sequence, wait)

    async def send(self) -> Operation:
        return await self.session.transfer(self.account, self.other, 1)

    async def entries(self, told: Operation, sequence: int, wait: int | None) -> None:
        """Read the newest entries, every other time by another client who was given the token."""
        if token := self.token(told):
            who = self.stage.session(f"{self.name}'s friend") if wait else self.session
            path, query = {"account_id": self.account}, {"order": "desc", "limit": 5}
            page = await who.read_since(token, "listEntries", path, wait=wait, **query)
            self.record.reads.append(TokenRead(told, page, sequence))

    async def accounts(self, told: Operation, sequence: int, wait: int | None) -> None:
        if token := self.token(told):
            query = {"account_id": self.account}
            page = await self.session.read_since(token, "listAccounts", {}, wait=wait, **query)
            self.record.reads.append(TokenRead(told, page, sequence))

    async def transfers(self, told: Operation, wait: int | None) -> None:
        if told.ok and (token := self.token(told)):
            transfer_id = read(told, Transfer).transfer_id
            query = {"account_id": self.account, "limit": 5}
            page = await self.session.read_since(token, "listTransfers", {}, wait=wait, **query)
            self.record.reads.append(TokenRead(told, page, transfer_id=transfer_id))

    def token(self, told: Operation) -> str:
        token = told.answer.headers.get(TOKEN, "") if told.answer else ""
        if not token:
            self.record.without.append(told)
        return token
