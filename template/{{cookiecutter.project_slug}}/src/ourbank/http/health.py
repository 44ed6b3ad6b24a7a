"""/health: for those who start, stop and balance processes."""

from fastapi import APIRouter

from .exchange import StrictRoute, TheBank

router = APIRouter(prefix="/health", tags=["health"], route_class=StrictRoute)


@router.get("/live")
async def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(bank: TheBank) -> dict[str, str]:
    """The process can serve: its database answers."""
    await bank.log.heads()
    return {"status": "ok"}
