"""/health: for those who start, stop and balance processes."""

from fastapi import APIRouter
from starlette.responses import Response

from .exchange import TheBank, plain
from .route import Route

router = APIRouter(prefix="/health", tags=["health"], route_class=Route)


@router.get("/live")
async def live() -> Response:
    """The process runs."""
    return plain({"status": "ok"})


@router.get("/ready")
async def ready(bank: TheBank) -> Response:
    """The process can serve: its database answers."""
    await bank.log.heads()
    return plain({"status": "ok"})
