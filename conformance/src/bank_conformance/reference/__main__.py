"""Serve the reference bank, or a mutant of it, on loopback until standard input ends.

    export BANK_REFERENCE_SECRET=…
    python -m bank_conformance.reference serve [--mutant M01] [--port 0] [--step-seconds 0.02]
    python -m bank_conformance.reference token --subject S --scope "a b" [--seconds 3600]

One JSON line on standard output names the URL; a second one, at the end, says how often the broken
line of the mutant ran.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys

import uvicorn

from .app import application
from .bank import STEP_SECONDS, Bank, Parts
from .mutants import MUTANTS, executions
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
    bank = Bank(secret, parts, options.step_seconds)
    with _listen(options.port) as listener:
        asyncio.run(_serve(bank, listener))
    _say({"executions": executions()})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bank_conformance.reference")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve on loopback until standard input ends")
    serve.add_argument("--mutant", choices=sorted(MUTANTS), help="the defect to serve with")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one")
    serve.add_argument(
        "--step-seconds", type=float, default=STEP_SECONDS, help="how long a transfer is under way"
    )
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


async def _serve(bank: Bank, listener: socket.socket) -> None:
    config = uvicorn.Config(application(bank), log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    _say({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"})
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
