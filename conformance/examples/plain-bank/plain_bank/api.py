"""The HTTP interface: money is a decimal as text, names are in camelCase."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .application import (
    Bank,
    CurrencyMismatchError,
    NotFoundError,
    SameAccountError,
    Transaction,
)
from .domain import Account, AccountClosedError, BalanceNotZeroError, InsufficientFundsError
from .tokens import BadTokenError, Caller, verify

Positive = Annotated[Decimal, Field(gt=0, decimal_places=2)]
NotNegative = Annotated[Decimal, Field(ge=0, decimal_places=2)]


class ForbiddenError(Exception):
    """The caller may not do this."""


ERRORS: dict[type[Exception], tuple[int, str]] = {
    BadTokenError: (401, "unauthorized"),
    ForbiddenError: (403, "forbidden"),
    NotFoundError: (404, "not found"),
    IntegrityError: (409, "conflict"),
    AccountClosedError: (409, "account closed"),
    BalanceNotZeroError: (409, "balance not zero"),
    InsufficientFundsError: (422, "insufficient funds"),
    SameAccountError: (422, "same account"),
    CurrencyMismatchError: (422, "currency mismatch"),
}


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class NewCustomer(Body):
    """A customer to be registered."""

    full_name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class NewAccount(Body):
    """An account to be opened."""

    customer_id: UUID
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    overdraft_limit: NotNegative = Decimal(0)


class Movement(Body):
    """Money to be paid in or out."""

    amount: Positive
    reference: Annotated[str | None, Field(max_length=140)] = None


class NewTransfer(Body):
    """Money to be moved between accounts."""

    from_account: UUID
    to_account: UUID
    amount: Positive
    reference: Annotated[str | None, Field(max_length=140)] = None


class OverdraftLimit(Body):
    """How far below zero a balance may go."""

    overdraft_limit: NotNegative


def _caller(
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> Caller:
    if given is None:
        raise BadTokenError
    return verify(given.credentials)


Who = Annotated[Caller, Depends(_caller)]


def create_app(bank: Bank) -> FastAPI:
    """Return the bank's HTTP interface."""
    app = FastAPI(title="Plain Bank")
    for error, (status, text) in ERRORS.items():
        app.add_exception_handler(error, _handler(status, text))
    _customers(app, bank)
    _accounts(app, bank)
    _money(app, bank)
    return app


def _handler(status: int, text: str) -> Callable[[Request, Exception], JSONResponse]:
    return lambda _request, _error: JSONResponse({"error": text}, status)


def _customers(app: FastAPI, bank: Bank) -> None:
    @app.post("/customers", status_code=201)
    def register(body: NewCustomer, who: Who) -> Any:
        _teller_only(who)
        customer = bank.register_customer(body.full_name, body.email)
        return {"id": customer.id, "fullName": customer.full_name, "email": customer.email}

    @app.get("/customers/{customer_id}")
    def show(customer_id: UUID, who: Who) -> Any:
        _own_only(who, customer_id)
        customer = bank.customer(customer_id)
        return {"id": customer.id, "fullName": customer.full_name, "email": customer.email}


def _accounts(app: FastAPI, bank: Bank) -> None:
    @app.post("/accounts", status_code=201)
    def open_account(body: NewAccount, who: Who) -> Any:
        _teller_only(who)
        return _shown(bank.open_account(body.customer_id, body.currency, body.overdraft_limit))

    @app.get("/accounts/{account_id}")
    def show(account_id: UUID, who: Who) -> Any:
        return _shown(_own_account(bank, who, account_id))

    @app.get("/accounts/{account_id}/transactions")
    def transactions(account_id: UUID, who: Who) -> Any:
        _own_account(bank, who, account_id)
        return [_line(one) for one in bank.transactions(account_id)]

    @app.put("/accounts/{account_id}/overdraftLimit")
    def change_overdraft_limit(account_id: UUID, body: OverdraftLimit, who: Who) -> Any:
        _teller_only(who)
        bank.change_overdraft_limit(account_id, body.overdraft_limit)
        return _shown(bank.account(account_id))

    @app.post("/accounts/{account_id}/close")
    def close(account_id: UUID, who: Who) -> Any:
        _teller_only(who)
        bank.close_account(account_id)
        return _shown(bank.account(account_id))


def _money(app: FastAPI, bank: Bank) -> None:
    @app.post("/accounts/{account_id}/deposit")
    def deposit(account_id: UUID, body: Movement, who: Who) -> Any:
        _teller_only(who)
        return {"transactionId": bank.deposit(account_id, body.amount, body.reference)}

    @app.post("/accounts/{account_id}/withdraw")
    def withdraw(account_id: UUID, body: Movement, who: Who) -> Any:
        _teller_only(who)
        return {"transactionId": bank.withdraw(account_id, body.amount, body.reference)}

    @app.post("/transfers")
    def transfer(body: NewTransfer, who: Who) -> Any:
        _own_account(bank, who, body.from_account)
        made = bank.transfer(body.from_account, body.to_account, body.amount, body.reference)
        return {"transferId": made, "status": "completed"}


def _teller_only(who: Caller) -> None:
    if not who.is_teller:
        raise ForbiddenError


def _own_only(who: Caller, customer_id: UUID) -> None:
    if not who.is_teller and who.subject != str(customer_id):
        raise ForbiddenError


def _own_account(bank: Bank, who: Caller, account_id: UUID) -> Account:
    account = bank.account(account_id)
    _own_only(who, account.customer_id)
    return account


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "customerId": account.customer_id,
        "currency": account.currency,
        "balance": _money_text(account.balance),
        "overdraftLimit": _money_text(account.overdraft_limit),
        "status": "closed" if account.is_closed else "open",
    }


def _line(one: Transaction) -> dict[str, Any]:
    return {
        "id": one.id,
        "type": one.type,
        "amount": _money_text(one.amount),
        "balance": _money_text(one.balance),
        "reference": one.reference,
        "transferId": one.transfer_id,
        "otherAccount": one.other_account_id,
        "createdAt": one.created_at,
    }


def _money_text(amount: Decimal) -> str:
    return f"{amount:.2f}"
