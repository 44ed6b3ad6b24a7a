"""The customer: someone the bank knows, until it must forget them.

Kept invariant here: a customer is registered once; personal data is in these events only sealed
under the customer's own key; after the erasure nothing more is ever recorded of them. A legal hold
forbids the erasure until a date.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import get_args

from .rejection import Rejection
from .value import value


class CustomerStatus(StrEnum):
    """ERASED is final."""

    ACTIVE = "ACTIVE"
    ERASED = "ERASED"


# Commands


@value
class RegisterCustomer:
    """`personal` is sealed already."""

    customer_id: str
    personal: str
    now: datetime


@value
class ErasePersonalData:
    """Recorded after the key was destroyed; `receipt` names nobody."""

    receipt: str
    now: datetime


@value
class SetLegalHold:
    """`until` is the end, exclusive, in UTC; it takes the place of an earlier one."""

    until: date
    now: datetime


@value
class LiftLegalHold:
    now: datetime


Command = RegisterCustomer | ErasePersonalData | SetLegalHold | LiftLegalHold

# Events. These names and fields are the storage format: never rename, add with a default, change
# with an upcaster (eventsourcing/upcasting.py).


@value
class CustomerRegistered:
    customer_id: str
    personal: str
    registered_at: datetime


@value
class PersonalDataErased:
    receipt: str
    erased_at: datetime


@value
class LegalHoldSet:
    until: date
    set_at: datetime


@value
class LegalHoldLifted:
    lifted_at: datetime


Event = CustomerRegistered | PersonalDataErased | LegalHoldSet | LegalHoldLifted
EVENTS: tuple[type[Event], ...] = get_args(Event)


# State


@value
class Customer:
    customer_id: str
    status: CustomerStatus
    personal: str
    registered_at: datetime
    erased_at: datetime | None = None
    receipt: str | None = None
    held_until: date | None = None
    """The end, exclusive, of the legal hold; after an erasure that of one that came too late."""


initial: Customer | None = None


def evolve(customer: Customer | None, event: Event) -> Customer:
    """The customer after one more event."""
    match customer, event:
        case None, CustomerRegistered():
            return Customer(
                customer_id=event.customer_id,
                status=CustomerStatus.ACTIVE,
                personal=event.personal,
                registered_at=event.registered_at,
            )
        case Customer(), PersonalDataErased(receipt=receipt, erased_at=erased_at):
            return replace(
                customer,
                status=CustomerStatus.ERASED,
                personal="",
                erased_at=erased_at,
                receipt=receipt,
            )
        case Customer(), LegalHoldSet(until=until):
            return replace(customer, held_until=until)
        case Customer(), LegalHoldLifted():
            return replace(customer, held_until=None)
        case _:
            msg = f"{type(event).__name__} does not apply to {customer!r}"
            raise ValueError(msg)


def decide(command: Command, customer: Customer | None) -> Sequence[Event] | Rejection:
    """What the command leads to; the first arm that fits, in descending precedence."""
    match command, customer:
        case RegisterCustomer(), None:
            return [CustomerRegistered(command.customer_id, command.personal, command.now)]
        case RegisterCustomer(), _:
            return Rejection("customer-exists", "the customer is registered already")
        case _, None:
            return Rejection("customer-not-found", "there is no such customer")
        case ErasePersonalData(), Customer(status=CustomerStatus.ERASED):
            return []
        case ErasePersonalData(), _:
            return [PersonalDataErased(command.receipt, command.now)]
        case SetLegalHold(), Customer(status=CustomerStatus.ERASED):
            return Rejection("customer-erased", "there is nothing left to be held")
        case SetLegalHold(until=until, now=now), _ if until <= now.date():
            return Rejection("legal-hold-over", "a hold must end after the present day")
        case SetLegalHold(until=until), Customer(held_until=held_until) if until == held_until:
            return []
        case SetLegalHold(), _:
            return [LegalHoldSet(command.until, command.now)]
        case LiftLegalHold(), Customer(held_until=None) | Customer(status=CustomerStatus.ERASED):
            return []
        case LiftLegalHold(), _:
            return [LegalHoldLifted(command.now)]
