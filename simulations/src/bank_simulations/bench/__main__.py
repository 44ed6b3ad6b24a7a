"""`python -m bank_simulations.bench`: the bank beside its peers."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from bank_simulations.console import BadInputError, BrokenRunError, err, out
from bank_simulations.files import check_writable, write_json

from .bank import TEMPLATE, Bank, BankOverHttp, Engine
from .http_peers import Crud
from .peers import Peer, compete
from .pgbench import Pgbench
from .postgres import Server, embedded
from .table import document, ratios, table

if TYPE_CHECKING:
    from collections.abc import Callable

USAGE, BROKEN = 2, 4
HOT_ACCOUNTS = 2


BankFolder = Annotated[
    Path | None, typer.Option(help="The folder of a generated bank. [this repository's template]")
]
Peers = Annotated[str, typer.Option(help="Which, with commas: pgbench,engine,hot,crud,http.")]
Seconds = Annotated[float, typer.Option(min=1, max=600, help="Length of each run.")]
Rounds = Annotated[int, typer.Option(min=1, max=50, help="How often each one runs.")]
TrialSeconds = Annotated[
    float,
    typer.Option(min=0, max=60, help="Length of each run that seeks the best settings; 0: none."),
]
AccountCount = Annotated[int, typer.Option(min=2, help="Accounts to move money between.")]
Scale = Annotated[int, typer.Option(min=1, help="pgbench's scale factor.")]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the results here.", dir_okay=False)
]


def bench(
    *,
    bank: BankFolder = None,
    peers: Peers = "pgbench,engine,hot,crud,http",
    seconds: Seconds = 10,
    rounds: Rounds = 3,
    trial_seconds: TrialSeconds = 3,
    accounts: AccountCount = 1000,
    scale: Scale = 50,
    json_file: JsonFile = None,
) -> None:
    """Measure completed transfers per second, for the bank and for its peers, as ratios.

    Exit code 0 when everything was measured, 2 for wrong usage, 4 when something broke off.
    """
    check_writable(json_file)
    folder = bank or (TEMPLATE if TEMPLATE.exists() else None)
    chosen = _chosen(peers, folder)
    with embedded() as server, TemporaryDirectory(prefix="bench-") as room:
        found_bank = Bank.find(folder, Path(room)) if folder else None
        made = _peers(server, found_bank, accounts, scale)
        scores = compete([made[name]() for name in chosen], rounds, seconds, trial_seconds)
        found = document(scores, server.settings(), seconds, rounds)
    write_json(json_file, found)
    out.print(table(scores))
    for name, ratio in ratios(scores).items():
        out.print(f"{name}: {ratio:.2f}")


def _chosen(peers: str, bank: Path | None) -> list[str]:
    names = [name.strip() for name in peers.split(",") if name.strip()]
    known = {"pgbench", "engine", "hot", "crud", "http"}
    if unknown := [name for name in names if name not in known]:
        raise BadInputError(f"no peer {unknown[0]!r}: there are {', '.join(sorted(known))}")
    if bank is None:
        err.print("there is no bank (see --bank): only its peers are measured")
        names = [name for name in names if name in {"pgbench", "crud"}]
    if not names:
        raise BadInputError("nothing to measure: give --bank, or peers that need none")
    return names


def _peers(
    server: Server, bank: Bank | None, accounts: int, scale: int
) -> dict[str, Callable[[], Peer]]:
    peers: dict[str, Callable[[], Peer]] = {
        "pgbench": lambda: Pgbench(server, scale),
        "crud": lambda: Crud(server.database("crud"), accounts),
    }
    if bank:
        peers["engine"] = lambda: Engine("engine", bank, server, accounts)
        peers["hot"] = lambda: Engine("engine, hot", bank, server, HOT_ACCOUNTS)
        peers["http"] = lambda: BankOverHttp(bank, server, accounts)
    return peers


def main() -> None:
    """Run the command line; what goes wrong ends in one line and an exit code."""
    try:
        typer.run(bench)
    except BadInputError as error:
        err.print(f"error: {error}", markup=False)
        raise SystemExit(USAGE) from None
    except BrokenRunError as error:
        err.print(f"the benchmark broke off: {error}", markup=False)
        raise SystemExit(BROKEN) from None


if __name__ == "__main__":
    main()
