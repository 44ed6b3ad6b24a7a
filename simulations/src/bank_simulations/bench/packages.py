"""Which peers are installed; one that is not is said so, with the cure."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

CURE = "is not installed: pip install 'bank-simulations[bench,peers]'"
NEEDED = {
    "eventsourcing library": ("eventsourcing", "psycopg", "psycopg_pool"),
    "UmaDB": ("umadb",),
}
NAMES = ("asyncpg", "eventsourcing", "fastapi", "psycopg", "sqlalchemy", "umadb", "uvicorn")


def missing(peer: str) -> str | None:
    """Why a peer cannot run; None where it can."""
    absent = [name for name in NEEDED.get(peer, ()) if find_spec(name) is None]
    return f"{absent[0]} {CURE}" if absent else None


def versions() -> dict[str, str]:
    """Of what the peers are made of."""
    found = {}
    for name in NAMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
