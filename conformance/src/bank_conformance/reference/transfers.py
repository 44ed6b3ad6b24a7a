"""Transfers: a hold on the source, a credit on the target, then the debit; or the hold is
released.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .accounts import Account, Hold, Posting, today
from .disk import Doc
from .ids import new_id
from .problems import RefusalError

if TYPE_CHECKING:
    from .bank import Bank

HOLD_SECONDS = 60
TERMINAL = {"COMPLETED", "REJECTED", "FAILED", "CANCELLED", "EXPIRED"}
PLAIN = (
    "transfer_id",
    "amount",
    "narratives",
    "reverses",
    "reversed_by",
    "state",
    "code",
    "version",
    "requested_at",
    "ended_at",
)
"""What is kept of a transfer as it is."""


@dataclass(slots=True)
class Transfer:
    """A transfer on its way, or at its end."""

    transfer_id: str
    source: Account
    target: Account
    amount: int
    hold: Hold
    narratives: dict[str, str | None]
    """Each party's own sealed copy, by customer."""
    reverses: str | None = None
    reversed_by: str | None = None
    state: str = "RESERVED"
    code: str | None = None
    version: int = 0
    requested_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    ended_at: str | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def doc(self) -> Doc:
        """Return what is kept of the transfer: its accounts and its hold by their ids."""
        return {name: getattr(self, name) for name in PLAIN} | {
            "source": self.source.account_id,
            "target": self.target.account_id,
            "hold": self.hold.hold_id,
        }


class Transfers:
    """The saga. The steps that a mutant breaks are methods of their own."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        kept = bank.disk.things("transfer")
        self.by_id = {one: self.restored(doc) for one, doc in kept.items()}
        self.running: set[asyncio.Task[None]] = set()

    def restored(self, doc: Doc) -> Transfer:
        """Return a transfer as it was kept."""
        source, target = (self.bank.accounts.find(doc[side]) for side in ("source", "target"))
        plain = {name: doc[name] for name in PLAIN}
        transfer = Transfer(source=source, target=target, hold=source.holds[doc["hold"]], **plain)
        if transfer.state in TERMINAL:
            transfer.ended.set()
        return transfer

    def resume(self) -> None:
        """Go on with the transfers that a process before this one has left under way."""
        for transfer in self.by_id.values():
            if transfer.state not in TERMINAL:
                self.start(transfer)

    def find(self, transfer_id: str) -> Transfer:
        """Return a transfer, or refuse."""
        if transfer_id not in self.by_id:
            raise RefusalError(404, "transfer-not-found")
        return self.by_id[transfer_id]

    async def request(
        self,
        source: Account,
        target: Account,
        amount: int,
        currency: str,
        narrative: str | None,
        reverses: str | None = None,
    ) -> Transfer:
        """Accept a transfer and hold its money in the same step, or refuse it."""
        accounts = self.bank.accounts
        accounts.require_usable(source, "DEBIT", currency)
        await accounts.require_available(source, amount)
        hold = accounts.hold(source, amount, HOLD_SECONDS)
        vault = self.bank.vault
        parties = {source.customer_id, target.customer_id}
        transfer_id = new_id("trf")
        copies = {party: vault.seal(party, narrative, transfer_id) for party in parties}
        transfer = Transfer(transfer_id, source, target, amount, hold, copies, reverses)
        self.by_id[transfer.transfer_id] = transfer
        self.record(transfer, "TransferRequested", "RESERVED")
        self.start(transfer)
        return transfer

    def start(self, transfer: Transfer) -> None:
        """Let a transfer run by itself."""
        task = asyncio.create_task(self.run(transfer))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    def record(self, transfer: Transfer, kind: str, state: str) -> None:
        """Append an event of a transfer."""
        data: dict[str, Any] = {"state": state, "code": transfer.code}
        self.bank.disk.put("transfer", transfer.transfer_id, transfer.doc)
        transfer.version = self.bank.log.append(transfer.transfer_id, kind, data).version
        transfer.state = state
        if state in TERMINAL:
            transfer.ended_at = datetime.now(UTC).isoformat()
            transfer.ended.set()

    async def run(self, transfer: Transfer) -> None:
        """Take a transfer to its end from wherever it is, unless it is cancelled before it settles.

        Each step is kept as one, so that none is done twice and none half.
        """
        if transfer.state == "RESERVED":
            await asyncio.sleep(self.bank.step_seconds)
            if transfer.state == "RESERVED":
                self.credit(transfer)
                self.bank.disk.commit()
        if transfer.state == "SETTLING":
            await asyncio.sleep(0)
            self.settle(transfer)
            self.bank.disk.commit()

    def credit(self, transfer: Transfer) -> None:
        """Book the side of the target, or give the money back where the target must not have it."""
        try:
            self.bank.accounts.require_usable(transfer.target, "CREDIT", transfer.source.currency)
        except RefusalError as refusal:
            transfer.code = refusal.code
            self.compensate(transfer)
            self.record(transfer, "TransferFailed", "FAILED")
            return
        self.record(transfer, "TransferSettling", "SETTLING")
        self.leg(transfer, transfer.target, transfer.source, "TRANSFER_IN")

    def settle(self, transfer: Transfer) -> None:
        """Take the held money from the source."""
        self.bank.accounts.end_hold(transfer.source, transfer.hold, "CAPTURED")
        self.leg(transfer, transfer.source, transfer.target, "TRANSFER_OUT")
        self.record(transfer, "TransferCompleted", "COMPLETED")

    def compensate(self, transfer: Transfer) -> None:
        """Give the held money back."""
        self.bank.accounts.end_hold(transfer.source, transfer.hold, "RELEASED")

    def leg(self, transfer: Transfer, account: Account, other: Account, code: str) -> None:
        """Book one side."""
        narrative = self.narrative(transfer, account.customer_id)
        posting = Posting(
            code,
            transfer.amount,
            narrative=narrative,
            counterparty=other.account_id,
            transfer_id=transfer.transfer_id,
        )
        self.bank.accounts.book(account, posting)

    def cancel(self, transfer: Transfer) -> None:
        """Cancel before settlement."""
        if transfer.state == "CANCELLED":
            return
        if transfer.state != "RESERVED":
            raise RefusalError(409, "transfer-settled", version=transfer.version)
        self.compensate(transfer)
        self.record(transfer, "TransferCancelled", "CANCELLED")

    async def reverse(self, transfer: Transfer) -> Transfer:
        """Send the money back as a new transfer."""
        if transfer.state != "COMPLETED" or transfer.reversed_by:
            code = "transfer-reversed" if transfer.reversed_by else "transfer-not-completed"
            raise RefusalError(409, code, version=transfer.version)
        back = await self.request(
            transfer.target,
            transfer.source,
            transfer.amount,
            transfer.source.currency,
            None,
            transfer.transfer_id,
        )
        transfer.reversed_by = back.transfer_id
        self.record(transfer, "TransferReversed", "COMPLETED")
        return back

    def narrative(self, transfer: Transfer, customer_id: str) -> str | None:
        """Return a party's own copy of the narrative."""
        sealed = transfer.narratives.get(customer_id)
        return self.bank.vault.unseal(customer_id, sealed, transfer.transfer_id)

    def view(self, transfer: Transfer, reader: str) -> dict[str, Any]:
        """Return a transfer as `reader` sees it: parties their own narrative, staff the payer's."""
        payer = transfer.source.customer_id
        party = reader if reader in transfer.narratives else payer
        return {
            "transfer_id": transfer.transfer_id,
            "state": transfer.state,
            "source_account_id": transfer.source.account_id,
            "target_account_id": transfer.target.account_id,
            "amount_minor": transfer.amount,
            "currency": transfer.source.currency,
            "requested_at": transfer.requested_at,
            "ended_at": transfer.ended_at,
            "value_date": today().isoformat(),
            "code": transfer.code,
            "reason_code": None,
            "narrative": self.narrative(transfer, party),
            "reverses": transfer.reverses,
            "reversed_by": transfer.reversed_by,
            "version": transfer.version,
        }
