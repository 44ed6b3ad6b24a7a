"""Which problem an error is, and the answer that says so."""

import logging

from starlette.requests import Request
from starlette.responses import Response

from ..application.bank import Bank
from ..application.consistency import token
from ..application.legal_holds import ErasureUnderWayError
from ..application.request import RejectedError
from ..eventsourcing.log import LogUnavailableError
from ..eventsourcing.partition import ClosedError, OverloadedError
from ..privacy.vault import SubjectErasedError, VaultUnavailableError
from . import problems
from .problems import ProblemError

UNAVAILABLE = (
    LogUnavailableError,
    VaultUnavailableError,
    OverloadedError,
    ClosedError,
    ErasureUnderWayError,
)

logger = logging.getLogger("http")


def refusal(request: Request, error: Exception) -> Response:
    """The answer to who caused this error, or met it; raises it again where it is a defect."""
    match error:
        case ProblemError():
            return respond(request, error)
        case RejectedError():
            return respond(request, problems.of_rejected(error))
        case SubjectErasedError():
            detail = "the personal data of the customer was erased"
            return respond(request, ProblemError(422, "customer-erased", detail))
    if isinstance(error, UNAVAILABLE):
        return _unavailable(request, error)
    raise error


def respond(request: Request, problem: ProblemError) -> Response:
    """The problem as an answer."""
    bank: Bank = request.app.state.bank
    problem.headers["Consistency-Token"] = token(bank.log.incarnation, problem.positions)
    return problems.response(problem, request.scope.get("trace_id", ""))


def _unavailable(request: Request, error: Exception) -> Response:
    """Nothing is known to have happened; a retry with the same key is safe."""
    logger.warning("unavailable: %s", type(error).__name__)
    headers = {"Retry-After": "1"}
    detail = "try again in a moment, with the same Idempotency-Key"
    return respond(request, ProblemError(503, "unavailable", detail, headers=headers))
