"""The commands."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import create_async_engine

from .. import config, schema
from ..bootstrap import Addresses
from ..config import ConfigError, Settings
from ..embedded import EmbeddedPostgresError
from ..eventsourcing.log import LogMismatchError, LogUnavailableError
from ..http.security import issue
from ..observability import logs
from ..privacy.postgres import create_schema
from ..privacy.secret_file import SecretFileError
from ..privacy.vault import SubjectUnknownError, VaultUnavailableError
from ..secrets_store import Secrets
from .databases import databases
from .operating import BY_NAME, erasing, examine, rebuilding
from .serving import serve as serve_until_stopped
from .serving import work as work_until_stopped

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on; 0: any free one.")]

MISTAKES = (
    ConfigError,
    EmbeddedPostgresError,
    LogMismatchError,
    LogUnavailableError,
    SecretFileError,
    VaultUnavailableError,
)
"""What is said in one line instead of a traceback."""


def main() -> None:
    """Run the command line."""
    try:
        app()
    except MISTAKES as mistake:
        typer.echo(f"error: {mistake}", err=True)
        sys.exit(2)


@app.command()
def init() -> None:
    """Make the secrets and a .env that names the settings."""
    settings = config.load()
    Secrets(settings.secrets_dir).create()
    typer.echo(f"secrets are in {settings.secrets_dir}: back kek.json up apart from the database")
    example, target = Path(".env.example"), Path(".env")
    if example.exists() and not target.exists():
        target.write_text(example.read_text())
        typer.echo("settings are in .env")
    typer.echo("next: the command `serve`")


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve the API and run the workers, in one process."""
    settings = _settings(host, port)
    with databases(settings) as addresses:
        if settings.database_url is None:
            _migrate(settings, addresses)
        serve_until_stopped(settings, addresses, with_worker=True)


@app.command()
def api(host: Host = None, port: Port = None) -> None:
    """Serve the API alone; workers run elsewhere."""
    settings = _settings(host, port)
    with databases(settings) as addresses:
        if settings.database_url is None:
            _migrate(settings, addresses)
        serve_until_stopped(settings, addresses, with_worker=False)


@app.command()
def worker() -> None:
    """Run the workers alone."""
    settings = _settings()
    with databases(settings) as addresses:
        if settings.database_url is None:
            _migrate(settings, addresses)
        work_until_stopped(settings, addresses)


@app.command()
def migrate() -> None:
    """Bring the databases to this release."""
    settings = _settings()
    with databases(settings) as addresses:
        _migrate(settings, addresses)
    typer.echo("the databases are up to date")


@app.command()
def rebuild(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(sorted(BY_NAME))}.")],
    throttle: Annotated[
        float, typer.Option(min=0, help="Seconds to pause after each page, to spare the database.")
    ] = 0.0,
) -> None:
    """Make a read model anew from the log, beside the one that serves, and put it in its place."""
    model = BY_NAME.get(name)
    if model is None:
        raise ConfigError(f"no read model {name!r}: choose one of {', '.join(sorted(BY_NAME))}")
    settings = _settings()
    with databases(settings) as addresses:
        asyncio.run(rebuilding(settings, addresses, model, throttle))


@app.command()
def doctor() -> None:
    """Look whether the bank is well; the exit code is 1 when something is not."""
    settings = _settings()
    with databases(settings) as addresses:
        if not asyncio.run(examine(settings, addresses)):
            sys.exit(1)


@app.command()
def token(
    subject: Annotated[str, typer.Option(help="A customer's id, or the name of staff.")],
    scope: Annotated[str, typer.Option(help="Scopes, separated by blanks.")],
    seconds: Annotated[
        int, typer.Option(min=1, max=31_536_000, help="How long it is good.")
    ] = 3600,
) -> None:
    """Print a token, for operating and testing."""
    settings = config.load()
    key = Secrets(settings.secrets_dir).token_private_key
    typer.echo(issue(key, subject, scope, seconds, settings.auth_issuer, settings.auth_audience))


@app.command()
def erase(
    customer: Annotated[str, typer.Argument(help="The customer's id.")],
) -> None:
    """Erase a customer's personal data, as the API does."""
    settings = _settings()
    with databases(settings) as addresses:
        try:
            asyncio.run(erasing(settings, addresses, customer))
        except SubjectUnknownError as unknown:
            typer.echo(f"error: {unknown}", err=True)
            sys.exit(1)


def _settings(host: str | None = None, port: int | None = None) -> Settings:
    settings = config.load(http_host=host, http_port=port)
    logs.configure(settings.log_level, settings.log_format)
    return settings


def _migrate(settings: Settings, addresses: Addresses) -> None:
    schema.migrate(addresses.events, settings.partitions)
    asyncio.run(migrate_keys(addresses))


async def migrate_keys(addresses: Addresses) -> None:
    """Create the table of data keys unless it is there."""
    engine = create_async_engine(addresses.keys, hide_parameters=True)
    try:
        await create_schema(engine)
    finally:
        await engine.dispose()
