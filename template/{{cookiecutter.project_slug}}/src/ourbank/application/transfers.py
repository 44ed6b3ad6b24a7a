"""Transfers as those who ask for them see them: request, cancel, reverse."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial

from ..domain import transfer as domain
from ..domain.rejection import Rejection
from ..domain.transfer import TOO_LATE, RequestTransfer, Transfer, TransferStatus
from ..domain.value import value
from ..eventsourcing.command import Result
from ..eventsourcing.engine import Engine
from ..eventsourcing.event import Recorded
from ..eventsourcing.ids import Ids
from ..eventsourcing.log import LogUnavailableError
from ..eventsourcing.saga import SagaDriver
from . import saga
from .clock import Calendar
from .parties import Parties
from .request import RejectedError, Request

CANCEL_SECONDS_MAX = 5.0
"""How long a cancellation waits for the way back to be gone."""


@value
class TransferOrder:
    """What a payer asks for; `amount_minor` in minor units."""

    source_account_id: str
    target_account_id: str
    amount_minor: int
    currency: str
    value_date: date | None = None
    narrative: str | None = None
    reverses: str | None = None


@value
class TransferView:
    """A transfer as it stands, and how far the log had come in each partition when it did."""

    transfer: Transfer
    version: int
    positions: Mapping[int, int]
    replayed: bool = False


class Transfers:
    """Requests go through the debtor's partition; the saga driver does the rest."""

    def __init__(
        self,
        engine: Engine,
        driver: SagaDriver,
        ids: Ids,
        calendar: Calendar,
        parties: Parties,
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._driver = driver
        self._ids = ids
        self._calendar = calendar
        self._parties = parties
        self._now = now

    async def request(
        self, order: TransferOrder, asked: Request, wait_seconds: float = 0
    ) -> TransferView:
        """Hold the amount and set the transfer going; RejectedError when a rule said no.

        Returns when the transfer ended or `wait_seconds` passed, whichever is first.
        """
        transfer_id = self._ids.new("trf", beside=order.source_account_id)
        command = await self._command(transfer_id, order)
        result = await self._engine.execute(
            (transfer_id, order.source_account_id),
            partial(saga.request, command)
            if isinstance(command, RequestTransfer)
            else lambda *_: command,
            asked.meta,
            key=asked.key,
            fingerprint=asked.fingerprint,
            is_new=True,
        )
        if result.rejection is not None:
            raise RejectedError(result.rejection, replayed=result.replayed)
        view = await self._follow(result, wait_seconds)
        return _unless_refused(view)

    async def _command(self, transfer_id: str, order: TransferOrder) -> RequestTransfer | Rejection:
        if order.source_account_id == order.target_account_id:
            return Rejection("same-account", "source and target are the same account")
        if order.value_date and (refusal := self._calendar.refusal(order.value_date)):
            return refusal
        sealed = await self._parties.seal_narrative(
            order.narrative, transfer_id, order.source_account_id, order.target_account_id
        )
        if isinstance(sealed, Rejection):
            return sealed
        payer_narrative, payee_narrative = sealed
        return RequestTransfer(
            transfer_id=transfer_id,
            source_account_id=order.source_account_id,
            target_account_id=order.target_account_id,
            amount_minor=order.amount_minor,
            currency=order.currency,
            value_date=order.value_date or self._calendar.business_date(),
            now=self._now(),
            payer_narrative=payer_narrative,
            payee_narrative=payee_narrative,
            reverses=order.reverses,
        )

    async def _follow(self, result: Result, wait_seconds: float) -> TransferView:
        """Drive what was just accepted, and see it to its end if there is time."""
        transfer_id = result.events[0].stream_id
        if result.replayed:
            return await self._seen(transfer_id, wait_seconds, replayed=True)
        view = _view(result, result.events)
        step = saga.first_step(view.transfer)
        if step is None:
            return view
        process = self._driver.drive(transfer_id, view.transfer, step)
        if not wait_seconds or not await self._driver.ended(process, wait_seconds):
            return view
        if process.last and process.last.events:
            return _view(process.last, [*result.events, *process.events])
        return await self._looked_up(view)

    async def _looked_up(self, view: TransferView) -> TransferView:
        """The same transfer as its stream tells: others may have driven it meanwhile, and what they
        appended lies below the heads. With the log away, what is known.
        """
        with suppress(LogUnavailableError):
            version, transfer = await self._engine.read(view.transfer.transfer_id)
            heads = await self._engine.log.heads()
            return TransferView(transfer, version, dict(enumerate(heads)))
        return view

    async def _seen(
        self, transfer_id: str, wait_seconds: float, *, replayed: bool = False
    ) -> TransferView:
        """The transfer as it stands once it ended, or when the time is up."""
        process = self._driver.find(transfer_id)
        if process is not None:
            await self._driver.ended(process, wait_seconds)
        version, transfer = await self._engine.read(transfer_id)
        return TransferView(transfer, version, {}, replayed)

    async def get(self, transfer_id: str) -> TransferView | None:
        """The transfer as it stands, strongly consistent."""
        version, transfer = await self._engine.read(transfer_id)
        return None if transfer is None else TransferView(transfer, version, {})

    async def cancel(self, transfer_id: str, asked: Request) -> TransferView:
        """Turn back a transfer whose target was not credited yet; RejectedError when it is too
        late.
        """
        result = await self._engine.execute(
            (transfer_id,),
            partial(saga.on_transfer, transfer_id, domain.CancelTransfer()),
            asked.meta,
            key=asked.key,
            fingerprint=asked.fingerprint,
        )
        if result.rejection is not None:
            raise RejectedError(result.rejection, result.version, replayed=result.replayed)
        version, transfer = await self._engine.read(transfer_id)
        if not transfer.has_ended:
            process = self._driver.divert(transfer_id, transfer, saga.cancelled_by(asked.meta))
            await self._driver.ended(process, CANCEL_SECONDS_MAX)
            version, transfer = await self._engine.read(transfer_id)
        if not transfer.has_ended:  # nobody knows yet; asked again under its key, somebody will
            raise LogUnavailableError("the way back takes too long")
        if transfer.status is not TransferStatus.CANCELLED:
            raise RejectedError(TOO_LATE, version, transfer_id)
        return TransferView(transfer, version, {}, result.replayed)

    async def reverse(
        self, transfer_id: str, asked: Request, wait_seconds: float = 0
    ) -> TransferView:
        """Send the money of a completed transfer back, as a new transfer."""
        version, original = await self._engine.read(transfer_id)
        claimable = domain.decide(domain.ClaimReversal("", self._now()), original)
        if isinstance(claimable, Rejection) and claimable.code != "transfer-reversed":
            raise RejectedError(claimable, version)
        order = TransferOrder(
            source_account_id=original.target_account_id,
            target_account_id=original.source_account_id,
            amount_minor=original.amount_minor,
            currency=original.currency,
            reverses=transfer_id,
        )
        return await self.request(order, asked, wait_seconds)

    async def pick_up(self, transfer_id: str) -> None:
        """Go on with a transfer that another process left unfinished."""
        if transfer_id in self._driver:
            return
        _, transfer = await self._engine.read(transfer_id)
        step = saga.first_step(transfer) if transfer is not None else None
        if step is not None:
            self._driver.drive(transfer_id, transfer, step)

    async def begin_batch(self, asked: Request) -> None:
        """Take the key of a whole batch, as an outcome without events; RejectedError when it was
        used for another request. The transfers have keys of their own.
        """
        result = await self._engine.execute(
            (self._ids.new("trf"),),
            lambda _nothing: [],
            asked.meta,
            key=asked.key,
            fingerprint=asked.fingerprint,
            is_new=True,
        )
        if result.rejection is not None:
            raise RejectedError(result.rejection, replayed=result.replayed)

    async def request_all(
        self,
        orders: Sequence[tuple[TransferOrder, Request]],
        wait_seconds: float = 0,
    ) -> list[TransferView | RejectedError]:
        """Many at once, each with its own outcome, in the order asked."""
        answers = await asyncio.gather(
            *(self.request(order, asked, wait_seconds) for order, asked in orders),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, RejectedError):
                raise answer
        return answers  # type: ignore[return-value]


def _view(result: Result, events: Sequence[Recorded]) -> TransferView:
    """The transfer a step led to, and the last position in each partition of all events so far."""
    positions = {recorded.partition: recorded.position for recorded in events}
    return TransferView(result.state, result.version, positions)


def _unless_refused(view: TransferView) -> TransferView:
    """A transfer that ended without completing is a refusal to whoever asked for it."""
    transfer = view.transfer
    if not transfer.has_ended or transfer.status is TransferStatus.COMPLETED:
        return view
    rejection = Rejection(
        transfer.code or transfer.status.lower(), f"the transfer is {transfer.status}"
    )
    raise RejectedError(
        rejection,
        view.version,
        transfer.transfer_id,
        positions=view.positions,
        replayed=view.replayed,
    )
