"""Where the databases are: addresses from the settings, or servers of our own."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from .. import embedded
from ..bootstrap import Addresses
from ..config import ConfigError, Settings

KEYS_DATABASE = "keys"


@contextmanager
def databases(settings: Settings) -> Iterator[Addresses]:
    """The addresses; an embedded PostgreSQL runs for as long as this is open."""
    if settings.database_url is not None:
        yield _given(settings, settings.database_url)
        return
    if settings.keys_database_url is not None:
        raise ConfigError("KEYS_DATABASE_URL without DATABASE_URL: set both or neither")
    with embedded.start(settings.data_dir / "postgres") as server:
        server.create_database(KEYS_DATABASE)
        yield Addresses(
            events=make_url(server.url(driver=settings.driver)),
            keys=make_url(server.url(KEYS_DATABASE, driver=settings.driver)),
        )


def _given(settings: Settings, database_url: str) -> Addresses:
    if settings.keys_database_url is None:
        raise ConfigError(
            "KEYS_DATABASE_URL is missing: data keys need a database of their own, with its own"
            " role and backup policy"
        )
    return Addresses(
        events=_address("DATABASE_URL", database_url, settings.driver),
        keys=_address("KEYS_DATABASE_URL", settings.keys_database_url, settings.driver),
    )


def _address(name: str, value: str, driver: str) -> URL:
    try:
        url = make_url(value)
    except ArgumentError:
        raise ConfigError(f"{name} is not an address such as postgresql://user@host/db") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(f"{name} must be a PostgreSQL address: postgresql://user@host/db")
    return url.set(drivername=f"postgresql+{driver}")
