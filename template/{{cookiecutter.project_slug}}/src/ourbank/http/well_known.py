"""/.well-known: what verifies, without the bank, what the bank has signed."""

from fastapi import APIRouter
from starlette.responses import Response

from .exchange import TheBank, plain
from .route import Route

router = APIRouter(prefix="/.well-known", tags=["audit"], route_class=Route)


@router.get("/jwks.json")
async def signing_keys(bank: TheBank) -> Response:
    """The public keys of erasure receipts (RFC 7517), for anybody to keep."""
    return plain({"keys": bank.signing_keys})
