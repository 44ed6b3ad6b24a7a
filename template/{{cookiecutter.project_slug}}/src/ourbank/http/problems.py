"""Errors as RFC 9457 problems, each with a stable code and, where there is one, the ISO 20022
reason.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from ..application.request import RejectedError
from ..domain.rejection import REASON_CODES, Rejection

STATUS_BY_CODE = {
    "account-not-found": 404,
    "transfer-not-found": 404,
    "account-exists": 409,
    "balance-not-zero": 409,
    "holds-active": 409,
    "hold-ended": 409,
    "transfer-settled": 409,
    "transfer-reversed": 409,
    "transfer-not-completed": 409,
    "version-mismatch": 412,
}
"""A rule's refusal is 422 unless it is a conflict with the state, a version, or an unknown id."""


class ProblemError(Exception):
    """Answered as a problem; raised anywhere below a route."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        **members: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors
        self.positions: Mapping[int, int] = {}
        self.members = members


def rejected(rejection: Rejection) -> ProblemError:
    """The problem that a rejection is."""
    status = STATUS_BY_CODE.get(rejection.code, 422)
    return ProblemError(status, rejection.code, rejection.detail)


def of_rejected(error: RejectedError) -> ProblemError:
    """The same, with the version that decided and the transfer that was refused, where there
    are.
    """
    problem = rejected(error.rejection)
    problem.positions = error.positions
    if error.version is not None:
        problem.members["version"] = error.version
        problem.headers["ETag"] = f'"{error.version}"'
    if error.transfer_id is not None:
        problem.members["transfer_id"] = error.transfer_id
        problem.headers["Location"] = f"/v1/transfers/{error.transfer_id}"
    if error.replayed:
        problem.headers["Idempotency-Replayed"] = "true"
    return problem


def members(problem: ProblemError, trace_id: str = "") -> dict[str, Any]:
    """The problem's JSON members."""
    found = {
        "type": f"urn:problem:{problem.code}",
        "title": problem.code.replace("-", " "),
        "status": problem.status,
        "code": problem.code,
        "reason_code": REASON_CODES.get(problem.code),
        "detail": problem.detail,
        **problem.members,
    }
    if problem.errors:
        found["errors"] = list(problem.errors)
    if trace_id:
        found["trace_id"] = trace_id
    return found


def response(problem: ProblemError, trace_id: str = "") -> Response:
    """The problem as a response."""
    return Response(
        msgspec.json.encode(members(problem, trace_id)),
        problem.status,
        problem.headers,
        "application/problem+json",
    )
