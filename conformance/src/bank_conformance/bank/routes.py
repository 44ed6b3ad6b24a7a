"""The contract's routes as a table: what to call, and who may.

Every path of the suite comes from here, so that a bank of another shape needs another table and
other `shapes`, and nothing else. A test keeps the table equal to `contract/openapi.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """The contract's scopes."""

    CUSTOMERS_READ = "customers:read"
    ACCOUNTS_READ = "accounts:read"
    TRANSFERS_WRITE = "transfers:write"
    OPERATE = "bank:operate"
    ERASE = "privacy:erase"
    EVENTS_READ = "events:read"
    AUDIT_READ = "audit:read"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the contract.

    `owner` is the scope with which the owner may call it on what is theirs, None where owners may
    not; `staff` is the scope that opens it for everything. `capability` names what a bank must
    offer to have the operation at all; empty where every bank must have it.
    """

    name: str
    method: str
    path: str
    staff: Scope | None = Scope.OPERATE
    owner: Scope | None = None
    capability: str = ""
    asks: bool = False
    """Whether it has a body and no effect, so that it takes no idempotency key."""

    @property
    def writes(self) -> bool:
        """Whether a call may have an effect."""
        return self.method != "GET" and not self.asks


_ACCOUNT = "/v1/accounts/{account_id}"
_HOLD = f"{_ACCOUNT}/holds/{{hold_id}}"
_TRANSFER = "/v1/transfers/{transfer_id}"
_ERASURE = "/v1/customers/{customer_id}/erasure"
_READ, _SEND = Scope.ACCOUNTS_READ, Scope.TRANSFERS_WRITE


def _legal_hold(name: str, method: str) -> Route:
    path = "/v1/customers/{customer_id}/legal-hold"
    return Route(name, method, path, Scope.ERASE, capability="legal_holds")


def _audit(name: str, method: str, path: str, *, asks: bool = False) -> Route:
    path = f"/v1/audit/{path}"
    return Route(name, method, path, Scope.AUDIT_READ, capability="proofs", asks=asks)


ROUTES = {
    route.name: route
    for route in (
        Route("registerCustomer", "POST", "/v1/customers"),
        Route("getCustomer", "GET", "/v1/customers/{customer_id}", owner=Scope.CUSTOMERS_READ),
        Route("erasePersonalData", "POST", _ERASURE, staff=Scope.ERASE),
        Route("getErasure", "GET", _ERASURE, staff=Scope.ERASE),
        _legal_hold("setLegalHold", "PUT"),
        _legal_hold("liftLegalHold", "DELETE"),
        _legal_hold("getLegalHold", "GET"),
        Route("openAccount", "POST", "/v1/accounts"),
        Route("listAccounts", "GET", "/v1/accounts", owner=_READ),
        Route("getAccount", "GET", _ACCOUNT, owner=_READ),
        Route("freezeAccount", "POST", f"{_ACCOUNT}/freeze"),
        Route("unfreezeAccount", "POST", f"{_ACCOUNT}/unfreeze"),
        Route("setDormancy", "PUT", f"{_ACCOUNT}/dormancy"),
        Route("setCreditLine", "PUT", f"{_ACCOUNT}/credit-line"),
        Route("closeAccount", "POST", f"{_ACCOUNT}/close"),
        Route("postEntry", "POST", f"{_ACCOUNT}/entries"),
        Route("listEntries", "GET", f"{_ACCOUNT}/entries", owner=_READ),
        Route("placeHold", "POST", f"{_ACCOUNT}/holds", owner=_SEND),
        Route("getHold", "GET", _HOLD, owner=_READ),
        Route("captureHold", "POST", f"{_HOLD}/capture"),
        Route("releaseHold", "POST", f"{_HOLD}/release"),
        Route("requestTransfer", "POST", "/v1/transfers", owner=_SEND),
        Route("listTransfers", "GET", "/v1/transfers", owner=_READ),
        Route("requestTransfers", "POST", "/v1/transfers/batch", owner=_SEND),
        Route("getTransfer", "GET", _TRANSFER, owner=_READ),
        Route("cancelTransfer", "POST", f"{_TRANSFER}/cancel", owner=_SEND),
        Route("reverseTransfer", "POST", f"{_TRANSFER}/reverse"),
        Route("readEvents", "GET", "/v1/events", staff=Scope.EVENTS_READ),
        Route("getBalance", "GET", f"{_ACCOUNT}/balance", owner=_READ, capability="temporal"),
        Route("listBalances", "GET", "/v1/balances", capability="snapshots"),
        Route("getStatement", "GET", f"{_ACCOUNT}/statement", owner=_READ, capability="statements"),
        Route("getDailyReport", "GET", "/v1/reports/daily", capability="reports"),
        Route("listFraudRules", "GET", "/v1/fraud/rules", capability="fraud"),
        Route("listFraudAlerts", "GET", "/v1/fraud/alerts", capability="fraud"),
        _audit("getCheckpoint", "GET", "checkpoints"),
        _audit("getInclusionProof", "GET", "proofs/inclusion"),
        _audit("getConsistencyProof", "GET", "proofs/consistency"),
        _audit("verifyLog", "POST", "verification", asks=True),
        Route("getSigningKeys", "GET", "/.well-known/jwks.json", None, capability="receipts"),
        Route("live", "GET", "/health/live", staff=None),
        Route("ready", "GET", "/health/ready", staff=None),
    )
}

STAFF_SCOPES = f"{Scope.OPERATE} {Scope.ERASE} {Scope.EVENTS_READ} {Scope.AUDIT_READ}"
CUSTOMER_SCOPES = f"{Scope.CUSTOMERS_READ} {Scope.ACCOUNTS_READ} {Scope.TRANSFERS_WRITE}"
