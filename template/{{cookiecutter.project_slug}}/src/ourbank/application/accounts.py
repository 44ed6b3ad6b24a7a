"""Commands on one account, and strong reads of it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

from ..domain import account as domain
from ..domain.account import Account, Command
from ..domain.entry import PostEntry
from ..domain.hold import CaptureHold, PlaceHold, ReleaseHold
from ..domain.ledger import TransactionCode
from ..domain.lifecycle import OpenAccount
from ..domain.rejection import Rejection
from ..domain.value import value
from ..eventsourcing.aggregate import Versioned
from ..eventsourcing.command import Decision, Result
from ..eventsourcing.engine import Engine
from ..eventsourcing.ids import Ids
from .clock import Calendar
from .customers import Customers
from .parties import Parties
from .request import RejectedError, Request


@value
class EntryOrder:
    """What is to be booked; `amount_minor` in minor units, the code decides the direction."""

    code: TransactionCode
    amount_minor: int
    currency: str
    value_date: date | None = None
    counterparty: str | None = None
    counterparty_bank: str | None = None
    narrative: str | None = None


class Accounts:
    """Every method that changes something raises RejectedError when a rule said no."""

    def __init__(
        self,
        engine: Engine,
        ids: Ids,
        calendar: Calendar,
        parties: Parties,
        customers: Customers,
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._ids = ids
        self._calendar = calendar
        self._parties = parties
        self._customers = customers
        self._now = now

    async def get(self, account_id: str) -> Versioned:
        """The account, no older than this call; its state is None when there is no such account."""
        return await self._engine.read(account_id)

    async def open(
        self, customer_id: str, currency: str, credit_line_minor: int, asked: Request
    ) -> Result:
        """Open an account for a customer who exists and was not erased."""
        account_id = self._ids.new("acc")
        command = OpenAccount(account_id, customer_id, currency, credit_line_minor, self._now())
        refusal = await self._customers.refusal(customer_id)
        return await self._execute(account_id, command, asked, refusal, is_new=True)

    async def change(
        self, account_id: str, command: Callable[[datetime], Command], asked: Request
    ) -> Result:
        """Freeze, unfreeze, close, change the credit line and the like."""
        return await self._execute(account_id, command(self._now()), asked)

    async def post(self, account_id: str, order: EntryOrder, asked: Request) -> Result:
        """Book an entry; its one event is the answer."""
        value_date = order.value_date or self._calendar.business_date()
        reference = self._ids.new("ent", beside=account_id)
        sealed = await self._parties.seal_own(order.narrative, reference, account_id)
        refusal = self._calendar.refusal(value_date)
        if isinstance(sealed, Rejection):
            refusal, sealed = sealed, None
        command = PostEntry(
            code=order.code,
            amount_minor=order.amount_minor,
            currency=order.currency,
            value_date=value_date,
            now=self._now(),
            counterparty=order.counterparty,
            counterparty_bank=order.counterparty_bank,
            narrative=sealed,
            reference=reference,
        )
        return await self._execute(account_id, command, asked, refusal)

    async def hold(
        self, account_id: str, amount_minor: int, currency: str, seconds: int, asked: Request
    ) -> Result:
        """Set an amount aside for so many seconds."""
        now = self._now()
        hold_id = self._ids.new("hld", beside=account_id)
        expires_at = now + timedelta(seconds=seconds)
        command = PlaceHold(hold_id, amount_minor, currency, expires_at, now)
        refusal = await self._parties.refusal(account_id)
        return await self._execute(account_id, command, asked, refusal)

    async def capture(
        self,
        account_id: str,
        hold_id: str,
        amount_minor: int,
        currency: str,
        asked: Request,
        *,
        final: bool,
    ) -> Result:
        """Debit the account against a hold."""
        command = CaptureHold(
            hold_id=hold_id,
            amount_minor=amount_minor,
            currency=currency,
            value_date=self._calendar.business_date(),
            now=self._now(),
            final=final,
        )
        return await self._execute(account_id, command, asked)

    async def release(self, account_id: str, hold_id: str, asked: Request) -> Result:
        """Give back what is still held."""
        return await self._execute(account_id, ReleaseHold(hold_id, self._now()), asked)

    async def _execute(
        self,
        account_id: str,
        command: Command,
        asked: Request,
        refusal: Rejection | None = None,
        *,
        is_new: bool = False,
    ) -> Result:
        """Through the account's partition; a refusal known beforehand goes there too, to be stored
        under the key.
        """
        result = await self._engine.execute(
            (account_id,),
            partial(_decide, account_id, command, refusal),
            asked.meta,
            key=asked.key,
            fingerprint=asked.fingerprint,
            if_version=asked.if_version,
            is_new=is_new,
        )
        if result.rejection is not None:
            raise RejectedError(result.rejection, result.version, replayed=result.replayed)
        return result


def _decide(
    account_id: str, command: Command, refusal: Rejection | None, account: Account | None
) -> Decision:
    decision = refusal or domain.decide(command, account)
    if isinstance(decision, Rejection):
        return decision
    return [(account_id, event) for event in decision]
