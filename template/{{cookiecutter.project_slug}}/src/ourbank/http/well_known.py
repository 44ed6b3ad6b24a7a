"""/.well-known: what verifies, without the bank, what the bank has signed."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from .exchange import StrictRoute, TheBank

router = APIRouter(prefix="/.well-known", tags=["audit"], route_class=StrictRoute)


@router.get("/jwks.json")
async def signing_keys(bank: TheBank) -> dict[str, Sequence[Mapping[str, str]]]:
    """The public keys of erasure receipts (RFC 7517), for anybody to keep."""
    return {"keys": bank.signing_keys}
