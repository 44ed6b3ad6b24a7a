"""How the `eventsourcing` library is told where and how to store."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

CACHED_AGGREGATES_MAX = 10_000


def environment(uri: str, threads: int) -> dict[str, str]:
    """Its variables for a database and so many threads, as its documentation advises for speed."""
    parts = urlsplit(uri)
    host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": host,
        "POSTGRES_PORT": str(parts.port or 5432),
        "POSTGRES_USER": parts.username or "postgres",
        "POSTGRES_PASSWORD": parts.password or "none",
        "POSTGRES_POOL_SIZE": str(threads),
        "POSTGRES_MAX_OVERFLOW": "0",
        "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
        "AGGREGATE_CACHE_MAXSIZE": str(CACHED_AGGREGATES_MAX),
        "AGGREGATE_CACHE_FASTFORWARD": "y",
    }


def shown(settings: dict[str, str]) -> dict[str, str]:
    """What of it is worth printing: how it stores, not where."""
    places = ("DBNAME", "HOST", "PORT", "USER", "PASSWORD")
    return {name: value for name, value in settings.items() if not name.endswith(places)}
