"""One client of the bank: a principal, a single line of calls, and a verb for each route."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bank_conformance.client import Client
from bank_conformance.history import Operation, now
from bank_conformance.tokens import Principal

from .shapes import Entry, EntryPage, EventPage, FeedEvent, read

PAGES_MAX = 1_000
"""A list that has not ended after so many pages is given up."""

CREDITS = frozenset({"CASH_DEPOSIT", "INCOMING_PAYMENT", "INTEREST"})
"""Transaction codes that add to the balance; the others take from it."""


@dataclass(frozen=True, slots=True)
class Session:
    """The calls of one principal under one name in the history. All amounts are minor units."""

    client: Client
    principal: Principal
    name: str
    currency: str

    async def call(
        self, route: str, path: Mapping[str, str] | None = None, **parts: Any
    ) -> Operation:
        """Call `route`; `parts` are query, body, key and headers."""
        return await self.client.call(self.name, self.principal, route, path or {}, **parts)

    # Customers

    async def register(self, personal: Mapping[str, str], *, key: str | None = None) -> Operation:
        """Register a customer."""
        return await self.call("registerCustomer", body={"personal": dict(personal)}, key=key)

    async def customer(self, customer_id: str) -> Operation:
        """Read a customer."""
        return await self.call("getCustomer", {"customer_id": customer_id})

    async def erase(self, customer_id: str, *, key: str | None = None) -> Operation:
        """Erase a customer's personal data."""
        return await self.call("erasePersonalData", {"customer_id": customer_id}, key=key)

    async def erasure(self, customer_id: str) -> Operation:
        """Read where an erasure stands."""
        return await self.call("getErasure", {"customer_id": customer_id})

    async def set_legal_hold(self, customer_id: str, until: str) -> Operation:
        """Forbid the erasure of a customer's personal data until a day."""
        return await self.call("setLegalHold", {"customer_id": customer_id}, body={"until": until})

    async def lift_legal_hold(self, customer_id: str) -> Operation:
        """Lift a customer's legal hold."""
        return await self.call("liftLegalHold", {"customer_id": customer_id})

    # Accounts

    async def open(
        self, customer_id: str, *, credit_line_minor: int = 0, key: str | None = None
    ) -> Operation:
        """Open an account."""
        body = {"customer_id": customer_id, "currency": self.currency}
        line = {"credit_line_minor": credit_line_minor} if credit_line_minor else {}
        return await self.call("openAccount", body=body | line, key=key)

    async def account(self, account_id: str) -> Operation:
        """Read an account, strongly."""
        return await self.call("getAccount", {"account_id": account_id})

    async def freeze(self, account_id: str, scope: str) -> Operation:
        """Freeze an account for DEBIT, CREDIT or ALL."""
        return await self.call("freezeAccount", {"account_id": account_id}, body={"scope": scope})

    async def unfreeze(self, account_id: str) -> Operation:
        """Lift a freeze."""
        return await self.call("unfreezeAccount", {"account_id": account_id})

    async def set_credit_line(self, account_id: str, amount: int) -> Operation:
        """Set how far below zero an account may go."""
        body = {"credit_line_minor": amount}
        return await self.call("setCreditLine", {"account_id": account_id}, body=body)

    # Entries and holds

    async def post(
        self,
        account_id: str,
        code: str,
        amount: int,
        narrative: str | None = None,
        *,
        key: str | None = None,
        if_match: int | None = None,
        value_date: str | None = None,
    ) -> Operation:
        """Book an entry; with `if_match`, only if the account is still at this version."""
        body = self._money(amount) | {"code": code}
        body |= {"narrative": narrative} if narrative else {}
        body |= {"value_date": value_date} if value_date else {}
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        path = {"account_id": account_id}
        return await self.call("postEntry", path, body=body, key=key, headers=headers)

    async def hold(self, account_id: str, amount: int, *, key: str | None = None) -> Operation:
        """Set an amount aside."""
        body = self._money(amount)
        return await self.call("placeHold", {"account_id": account_id}, body=body, key=key)

    async def capture(self, account_id: str, hold_id: str, amount: int) -> Operation:
        """Debit an account against a hold, and release what is left of it."""
        path = {"account_id": account_id, "hold_id": hold_id}
        return await self.call("captureHold", path, body=self._money(amount))

    async def release(self, account_id: str, hold_id: str) -> Operation:
        """Give back what is still held."""
        return await self.call("releaseHold", {"account_id": account_id, "hold_id": hold_id})

    # Transfers

    async def transfer(
        self,
        source: str,
        target: str,
        amount: int,
        narrative: str | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
    ) -> Operation:
        """Request a transfer; with `wait`, wait so many seconds for its end."""
        body = self.order(source, target, amount, narrative)
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        return await self.call("requestTransfer", body=body, key=key, headers=headers)

    async def transfers(self, orders: Sequence[Mapping[str, Any]], *, key: str) -> Operation:
        """Request several transfers in one request."""
        return await self.call("requestTransfers", body={"transfers": list(orders)}, key=key)

    async def transfer_state(self, transfer_id: str) -> Operation:
        """Read a transfer, strongly."""
        return await self.call("getTransfer", {"transfer_id": transfer_id})

    async def cancel(self, transfer_id: str) -> Operation:
        """Cancel a transfer before it settles."""
        return await self.call("cancelTransfer", {"transfer_id": transfer_id})

    def order(
        self, source: str, target: str, amount: int, narrative: str | None = None
    ) -> dict[str, Any]:
        """Return the body of a transfer."""
        parties = {"source_account_id": source, "target_account_id": target}
        words = {"narrative": narrative} if narrative else {}
        return parties | self._money(amount) | words

    # Lists

    async def entry_page(self, account_id: str, **query: Any) -> Operation:
        """Read one page of an account's history."""
        return await self.call("listEntries", {"account_id": account_id}, query=query)

    async def entries(self, account_id: str, **query: Any) -> list[Entry]:
        """Read an account's whole history, page by page.

        Raises:
            ShapeError: an answer is no page of entries.
        """
        found: list[Entry] = []
        async for page in self._pages("listEntries", {"account_id": account_id}, query):
            found += read(page, EntryPage).items
        return found

    async def events(
        self, after: str | None, *, seconds: float
    ) -> tuple[list[FeedEvent], str | None]:
        """Read the feed from `after` to its present end, for at most `seconds`.

        Returns the events and the place to go on from, None when the end was not reached.

        Raises:
            ShapeError: an answer is no page of events.
        """
        found: list[FeedEvent] = []
        started = now()
        while now() - started < seconds:
            operation = await self.call("readEvents", query={"after": after, "limit": 1000})
            page = read(operation, EventPage)
            after = page.next
            if not page.items:
                return found, after
            found += page.items
        return found, None

    # Tamper evidence

    async def checkpoint(self, partition: int, size: int | None = None) -> Operation:
        """Read what the bank signs of a partition, now or at an earlier size."""
        return await self.call("getCheckpoint", query={"partition": partition, "size": size})

    async def inclusion(self, partition: int, position: int, size: int) -> Operation:
        """Read the proof that an event is in the tree of a size."""
        query = {"partition": partition, "position": position, "size": size}
        return await self.call("getInclusionProof", query=query)

    async def consistency(self, partition: int, old: int, size: int) -> Operation:
        """Read the proof that a partition only grew between two sizes."""
        query = {"partition": partition, "from_size": old, "to_size": size}
        return await self.call("getConsistencyProof", query=query)

    async def verification(self, held: Sequence[str]) -> Operation:
        """Let the bank verify its log, by its own evidence and by checkpoints that we hold."""
        return await self.call("verifyLog", body={"checkpoints": list(held)})

    async def read_since(
        self, token: str, route: str, path: Mapping[str, str], *, wait: int | None, **query: Any
    ) -> Operation:
        """Read a list that must be no older than `token`, waiting so many seconds for it."""
        headers = {"Consistency-Token": token} | ({"Prefer": f"wait={wait}"} if wait else {})
        return await self.call(route, path, query=query, headers=headers)

    async def _pages(
        self, route: str, path: Mapping[str, str], query: Mapping[str, Any]
    ) -> AsyncIterator[Operation]:
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            page = await self.call(route, path, query={**query, "cursor": cursor})
            yield page
            body = page.answer.body if page.answer else None
            cursor = body.get("next") if isinstance(body, dict) else None
            if cursor is None:
                return

    def _money(self, amount: int) -> dict[str, Any]:
        return {"amount_minor": amount, "currency": self.currency}
