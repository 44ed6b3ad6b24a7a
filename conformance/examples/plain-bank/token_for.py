"""Print a token of the plain bank for a scope of the contract: the bank has two roles instead."""

from __future__ import annotations

import argparse
from datetime import timedelta

from plain_bank.tokens import issue

STAFF = {"bank:operate", "privacy:erase", "events:read", "audit:read"}

parser = argparse.ArgumentParser()
parser.add_argument("--subject", required=True)
parser.add_argument("--scope", required=True)
parser.add_argument("--seconds", type=int, required=True)
given = parser.parse_args()
role = "teller" if STAFF & set(given.scope.split()) else "customer"
print(issue(given.subject, role, timedelta(seconds=given.seconds)))
