"""Refusals, as the contract's problems (RFC 9457)."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

REASON_CODES = {
    "insufficient-funds": "AM04",
    "account-not-found": "AC01",
    "account-closed": "AC04",
    "account-blocked": "AC06",
    "currency-mismatch": "AM03",
}
"""ISO 20022 status reasons of the refusals that have one."""


class RefusalError(Exception):
    """The bank says no."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        version: int | None = None,
        transfer_id: str | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail
        self.version, self.transfer_id = version, transfer_id

    def response(self) -> Response:
        """Return the problem."""
        body = {
            "type": f"urn:problem:{self.code}",
            "title": self.code.replace("-", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "reason_code": REASON_CODES.get(self.code),
            "version": self.version,
            "transfer_id": self.transfer_id,
        }
        return JSONResponse(body, self.status, media_type="application/problem+json")
