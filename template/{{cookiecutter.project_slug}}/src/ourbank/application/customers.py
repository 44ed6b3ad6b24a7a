"""Customers: registration, reading, erasure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from ..domain import customer as domain
from ..domain.customer import (
    Customer,
    CustomerStatus,
    ErasePersonalData,
    LiftLegalHold,
    RegisterCustomer,
    SetLegalHold,
)
from ..domain.rejection import Rejection
from ..eventsourcing.command import Decision, Result
from ..eventsourcing.engine import Engine
from ..eventsourcing.ids import Ids
from ..privacy.keyring import KeyRing
from ..privacy.sealing import Entropy, place, seal_fields, unseal_fields
from .request import RejectedError, Request

ERASURE = Request("privacy:erasure")


class PersonalData(NamedTuple):
    """What is known of a person. Never logged, never part of an id, stored only sealed."""

    name: str
    email: str
    phone: str | None = None
    birth_date: str | None = None
    national_id: str | None = None
    address: str | None = None


class CustomerView(NamedTuple):
    """A customer, with the personal data in clear while there is a key for it."""

    customer: Customer
    version: int
    personal: PersonalData | None


class Customers:
    """Every method that changes something raises RejectedError when a rule said no."""

    def __init__(
        self,
        engine: Engine,
        ids: Ids,
        keyring: KeyRing,
        now: Callable[[], datetime],
        entropy: Entropy,
    ) -> None:
        self._engine = engine
        self._ids = ids
        self._keyring = keyring
        self._now = now
        self._seal = partial(seal_fields, entropy=entropy)

    async def register(self, personal: PersonalData, asked: Request) -> Result:
        """Make the customer's key, seal the data, record it.

        The key is made before the event that needs it. A retry that turns out to be one leaves a
        key that seals nothing.
        """
        customer_id = self._ids.new("cus")
        key = (await self._keyring.create([customer_id]))[customer_id]
        fields = {name: value for name, value in personal._asdict().items() if value is not None}
        sealed = self._seal(key, fields, _place(customer_id))
        command = RegisterCustomer(customer_id, sealed, self._now())
        return _unless_refused(await self._execute(customer_id, command, asked, is_new=True))

    async def get(self, customer_id: str) -> CustomerView | None:
        """The customer, no older than this call."""
        version, customer = await self._engine.read(customer_id)
        if customer is None:
            return None
        return CustomerView(customer, version, await self._personal(customer))

    async def refusal(self, customer_id: str) -> Rejection | None:
        """Why nothing new may be recorded for this customer, if so."""
        customer = await self.state(customer_id)
        if customer is None:
            return Rejection("customer-not-found", "there is no such customer")
        if customer.status is not CustomerStatus.ACTIVE:
            return Rejection("customer-erased", "the personal data of the customer was erased")
        return None

    async def record_erasure(self, customer_id: str, erased_at: datetime, receipt: str) -> None:
        """Tell the log that the key is gone; harmless when it knows, or never knew the customer."""
        command = ErasePersonalData(receipt, erased_at)
        await self._execute(customer_id, command, ERASURE)

    async def set_legal_hold(self, customer_id: str, until: date, asked: Request) -> Result:
        """Record that the data must be kept until then."""
        command = SetLegalHold(until, self._now())
        return _unless_refused(await self._execute(customer_id, command, asked))

    async def lift_legal_hold(self, customer_id: str, asked: Request) -> Result:
        """Record that the data need not be kept any more; harmless where it need not."""
        return _unless_refused(await self._execute(customer_id, LiftLegalHold(self._now()), asked))

    async def obligations(self, customer_id: str) -> Iterable[date]:
        """Until when legal holds forbid the erasure, no older than this call."""
        return holds_of(await self.state(customer_id))

    async def state(self, customer_id: str) -> Customer | None:
        """The customer as the log knows it, no older than this call."""
        customer: Customer | None = (await self._engine.read(customer_id)).state
        return customer

    async def _personal(self, customer: Customer) -> PersonalData | None:
        key = (await self._keyring.load({customer.customer_id})).get(customer.customer_id)
        if key is None or customer.status is CustomerStatus.ERASED:
            return None
        fields = unseal_fields(key, customer.personal, _place(customer.customer_id))
        return PersonalData(**fields)

    async def _execute(
        self, customer_id: str, command: domain.Command, asked: Request, *, is_new: bool = False
    ) -> Result:
        return await self._engine.execute(
            (customer_id,),
            partial(_decide, customer_id, command),
            asked.meta,
            key=asked.key,
            fingerprint=asked.fingerprint,
            if_version=asked.if_version,
            is_new=is_new,
        )


def _decide(customer_id: str, command: domain.Command, customer: Customer | None) -> Decision:
    decision = domain.decide(command, customer)
    if isinstance(decision, Rejection):
        return decision
    return [(customer_id, event) for event in decision]


def holds_of(customer: Customer | None) -> Sequence[date]:
    """The ends, exclusive, of the legal holds on a customer."""
    return () if customer is None or customer.held_until is None else (customer.held_until,)


def _unless_refused(result: Result) -> Result:
    if result.rejection is not None:
        raise RejectedError(result.rejection, result.version, replayed=result.replayed)
    return result


def _place(customer_id: str) -> str:
    """Personal data is bound to the first event of its customer."""
    return place(customer_id, 1, "personal")
