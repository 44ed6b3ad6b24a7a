"""Serve the reference bank, or a mutant of it, on loopback until standard input ends.

    export BANK_REFERENCE_SECRET=…
    python -m bank_conformance.reference serve [--mutant M01] [--port 0] [--folder F] …
    python -m bank_conformance.reference token --subject S --scope "a b" [--seconds 3600]

A JSON line on standard output names the URL, and that of a replica: the same bank at another
address. A line `rotate` or `clock SECONDS` on standard input is obeyed, and answered by one. What
the bank knows is kept in the folder, if one is given, and found there again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
from datetime import timedelta
from pathlib import Path

import uvicorn

from .app import application
from .bank import STEP_SECONDS, Bank, Parts
from .connections import Impatient
from .mutants import MUTANTS
from .security import mint

SECRET_VARIABLE = "BANK_REFERENCE_SECRET"  # noqa: S105  the name, not the secret


def main() -> None:
    """Serve, or print a token."""
    parser = _parser()
    options = parser.parse_args()
    secret = os.environ.get(SECRET_VARIABLE)
    if not secret:
        parser.error(f"set {SECRET_VARIABLE} to the secret that tokens are signed with")
    if options.command == "token":
        sys.stdout.write(mint(secret, options.subject, options.scope, options.seconds) + "\n")
        return
    parts = MUTANTS[options.mutant].parts if options.mutant else Parts()
    bank = Bank(secret, parts, options.step_seconds, options.folder)
    with _listen(options.port) as listener, _listen(options.replica_port) as replica:
        asyncio.run(_serve(bank, listener, replica))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bank_conformance.reference")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve on loopback until standard input ends")
    serve.add_argument("--mutant", choices=sorted(MUTANTS), help="the defect to serve with")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one")
    serve.add_argument("--replica-port", type=int, default=0, help="where else it serves")
    serve.add_argument(
        "--step-seconds", type=float, default=STEP_SECONDS, help="how long a transfer is under way"
    )
    serve.add_argument("--folder", type=Path, help="where it is kept; in memory without one")
    token = commands.add_parser("token", help="print a token")
    token.add_argument("--subject", required=True)
    token.add_argument("--scope", required=True)
    token.add_argument("--seconds", type=int, default=3600)
    return parser


def _listen(port: int) -> socket.socket:
    """Listen on loopback. Only with the protocol named does asyncio switch Nagle's delay off."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


async def _serve(bank: Bank, listener: socket.socket, replica: socket.socket) -> None:
    config = uvicorn.Config(
        application(bank), http=Impatient, log_level="error", access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    bank.resume()
    watching = asyncio.create_task(bank.erasures.watch())
    _say({"url": _url(listener), "replica": _url(replica)})
    serving = asyncio.create_task(server.serve(sockets=[listener, replica]))
    while order := (await asyncio.to_thread(sys.stdin.readline)).split():
        _obey(bank, *order)
        _say({"done": order})
    server.should_exit = True
    await serving
    watching.cancel()


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _obey(bank: Bank, order: str, value: str = "") -> None:
    """Do what those who run the bank do beside its calls."""
    match order:
        case "rotate":
            bank.vault.rotate()
        case "clock":
            bank.erasures.ahead = timedelta(seconds=float(value))


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
