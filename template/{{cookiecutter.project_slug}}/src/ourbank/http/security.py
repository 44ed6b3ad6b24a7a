"""Who is calling, and what of the bank is theirs.

A foreign resource is answered like an unknown one, so that ids cannot be probed.
"""

from typing import Annotated

from fastapi import Depends

from .call import Call
from .problems import ProblemError
from .tokens import OPERATE, BadTokenError, Principal, Tokens

__all__ = ["OPERATE", "Caller", "Principal", "principal", "require", "require_own"]


def require(caller: Principal, scope: str) -> None:
    """ProblemError 403 without this scope."""
    if scope not in caller.scopes:
        raise ProblemError(403, "scope-missing", f"the token lacks the scope {scope}")


def require_own(caller: Principal, customer_id: str, scope: str, unknown: str) -> None:
    """Staff pass; others need the scope, and to be this customer: else `unknown`, a 404."""
    if caller.is_staff:
        return
    require(caller, scope)
    if caller.subject != customer_id:
        raise ProblemError(404, unknown, "there is none such")


def principal(call: Call) -> Principal:
    """The caller of a request; ProblemError 401 when it is nobody."""
    if call.caller is None:
        call.caller = _verified(call)
    return call.caller


def _verified(call: Call) -> Principal:
    scheme, _, token = (call.header(b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("a bearer token is needed")
    tokens: Tokens = call.app.state.tokens
    try:
        return tokens.principal(token.strip())
    except BadTokenError as bad:
        raise _unauthorized(str(bad)) from None


def _unauthorized(detail: str) -> ProblemError:
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return ProblemError(401, "unauthorized", detail, headers=headers)


Caller = Annotated[Principal, Depends(principal)]
