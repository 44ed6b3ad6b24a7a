"""What the mapping file cannot say: where the rest of an answer is to be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bank_conformance.bank.routes import ROUTES
from bank_conformance.history import Answer
from bank_conformance.mapping import Asked, Mapped, Send, UnclearError
from bank_conformance.mapping.file import MappingFile

OK, CREATED, NOT_FOUND = 200, 201, 404
ENTRIES_MAX = 1_000_000


class PlainBank(Mapped):
    """The bank answers a booking with the id of the transaction, and shows no transfers.

    The rest of a booking is in the account's history, and so is a transfer, in the payer's.
    """

    def __init__(self, file: MappingFile) -> None:
        super().__init__(file)
        self.transfers: dict[str, dict[str, Any]] = {}
        """The transfers that were answered, by id."""

    def offers(self, route: str) -> bool:
        """Say whether the bank has an operation, or shows elsewhere what it is about."""
        return route == "getTransfer" or super().offers(route)

    async def exchange(self, asked: Asked, send: Send) -> Answer | None:
        """Ask, and complete the answer from the history."""
        if asked.route.name == "getTransfer":
            return await self._transfer(asked, send)
        told = await super().exchange(asked, send)
        if told is None or told.status != CREATED:
            return told
        if asked.route.name == "requestTransfer":
            self.transfers[told.body["transfer_id"]] = told.body
        if asked.route.name != "postEntry":
            return told
        page = await self._history(asked, asked.path["account_id"], send)
        if page.status != OK:
            raise UnclearError("it was booked, and the history could not be read")
        wanted = told.body.get("transactionId")
        found = (item for item in page.body["items"] if item["transaction_id"] == wanted)
        return replace(told, body=next(found, told.body))

    async def _transfer(self, asked: Asked, send: Send) -> Answer | None:
        """Look for a transfer in the payer's history; None for one that was never answered."""
        known = self.transfers.get(asked.path["transfer_id"])
        if known is None:
            return None
        page = await self._history(asked, known["source_account_id"], send)
        if page.status != OK:
            return page
        booked = {item.get("transfer_id") for item in page.body["items"]}
        if known["transfer_id"] not in booked:
            return replace(page, status=NOT_FOUND, body={"code": "transfer-not-found"})
        return replace(page, body=known)

    async def _history(self, asked: Asked, account_id: str, send: Send) -> Answer:
        """Read the whole history of an account, as whoever asks."""
        path, query = {"account_id": account_id}, {"limit": ENTRIES_MAX}
        page = await super().exchange(
            Asked(ROUTES["listEntries"], path, query, headers=asked.headers), send
        )
        if page is None:
            raise UnclearError("the mapping has no history")
        return page
