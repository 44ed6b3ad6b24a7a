"""`python -m plain_bank serve` and `python -m plain_bank token`."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta

import uvicorn

from .api import create_app
from .application import Bank
from .tokens import ROLES, issue


def main() -> None:
    """Serve the bank, or print a token."""
    parser = argparse.ArgumentParser(prog="plain_bank")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the bank")
    serve.add_argument("--port", type=int, default=8100)
    serve.add_argument("--database", default="plain-bank.sqlite", help="the SQLite file")
    token = commands.add_parser("token", help="print a token")
    token.add_argument("--subject", required=True)
    token.add_argument("--role", required=True, choices=ROLES)
    token.add_argument("--seconds", type=int, default=3600)
    given = parser.parse_args()
    if not os.environ.get("BANK_SECRET"):
        parser.error("set BANK_SECRET: python -c 'import secrets; print(secrets.token_hex(32))'")
    if given.command == "token":
        print(issue(given.subject, given.role, timedelta(seconds=given.seconds)))
        return
    settings = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": given.database}
    with Bank(env=settings) as bank:
        uvicorn.run(create_app(bank), port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
