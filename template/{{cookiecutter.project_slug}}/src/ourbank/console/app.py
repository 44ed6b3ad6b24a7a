"""The commands. Each imports what it needs when it runs: `token` must not wait for the whole
bank.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .. import config

app = typer.Typer(no_args_is_help=True, add_completion=False, help="An event-sourced bank.")

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on; 0: any free one.")]


def main() -> None:
    """Run the command line; a mistake of the user is one line and exit code 2."""
    try:
        app()
    except Exception as error:
        from .mistakes import told

        said = told(error)
        if said is None:
            raise
        typer.echo(f"error: {said}", err=True)
        sys.exit(2)


@app.command()
def init() -> None:
    """Make the secrets and a .env that names the settings."""
    from ..secrets_store import Secrets

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
    _serve(host, port, with_worker=True)


@app.command()
def api(host: Host = None, port: Port = None) -> None:
    """Serve the API alone; workers run elsewhere."""
    _serve(host, port, with_worker=False)


def _serve(host: str | None, port: int | None, *, with_worker: bool) -> None:
    from . import serving
    from .databases import databases
    from .migrating import migrate_embedded

    settings = _settings(host, port)
    with databases(settings) as addresses:
        migrate_embedded(settings, addresses)
        serving.serve(settings, addresses, with_worker=with_worker)


@app.command()
def worker() -> None:
    """Run the workers alone."""
    from . import serving
    from .databases import databases
    from .migrating import migrate_embedded

    settings = _settings()
    with databases(settings) as addresses:
        migrate_embedded(settings, addresses)
        serving.work(settings, addresses)


@app.command()
def migrate() -> None:
    """Bring the databases to this release."""
    from . import migrating
    from .databases import databases

    settings = _settings()
    with databases(settings) as addresses:
        migrating.migrate(settings, addresses)
    typer.echo("the databases are up to date")


@app.command()
def rebuild(
    names: Annotated[
        list[str] | None, typer.Argument(help="Read models; an unknown name lists them. [all]")
    ] = None,
    throttle: Annotated[
        float, typer.Option(min=0, help="Seconds to pause after each page, to spare the database.")
    ] = 0.0,
) -> None:
    """Make read models anew from the log, beside those that serve, and put them in their place."""
    from .databases import databases
    from .operating import rebuilding, to_rebuild

    models = to_rebuild(names or [])
    settings = _settings()
    with databases(settings) as addresses:
        rebuilding(settings, addresses, models, throttle)


@app.command()
def doctor() -> None:
    """Look whether the bank is well; the exit code is 1 when something is not."""
    from .databases import databases
    from .operating import examine

    settings = _settings()
    with databases(settings) as addresses:
        if not examine(settings, addresses):
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
    from ..http.tokens import issue
    from ..secrets_store import Secrets

    settings = config.load()
    key = Secrets(settings.secrets_dir).token_private_key
    typer.echo(issue(key, subject, scope, seconds, settings.auth_issuer, settings.auth_audience))


@app.command()
def erase(customer: Annotated[str, typer.Argument(help="The customer's id.")]) -> None:
    """Erase a customer's personal data, as the API does."""
    from .databases import databases
    from .operating import erasing

    settings = _settings()
    with databases(settings) as addresses:
        erasing(settings, addresses, customer)


erasures = typer.Typer(no_args_is_help=True, help="The ledger of erasures, outside the back-ups.")
app.add_typer(erasures, name="erasures")


@erasures.command("export")
def export_erasures(
    to: Annotated[
        Path | None, typer.Option("--to", help="The file, replaced whole. [standard output]")
    ] = None,
) -> None:
    """Write the ledger: keep it where the back-ups of the keys' database are not."""
    from .databases import databases
    from .erasing import exporting

    settings = _settings()
    with databases(settings) as addresses:
        exporting(settings, addresses, to)


@erasures.command("reapply")
def reapply_erasures(file: Annotated[Path, typer.Argument(help="An exported ledger.")]) -> None:
    """After a restore, before the bank serves: erase again what the back-up brought back, and make
    positions handed out before it worthless.
    """
    from .databases import databases
    from .erasing import reapplying

    settings = _settings()
    with databases(settings) as addresses:
        reapplying(settings, addresses, file)


@app.command()
def rotate() -> None:
    """Wrap every data key anew and destroy the old key-encryption epochs."""
    from .databases import databases
    from .erasing import rotating

    settings = _settings()
    with databases(settings) as addresses:
        rotating(settings, addresses)


def _settings(host: str | None = None, port: int | None = None) -> config.Settings:
    from ..observability import logs

    settings = config.load(http_host=host, http_port=port)
    logs.configure(settings.log_level, settings.log_format)
    return settings
