"""Mutants of SEC: doors that are not shut."""

# ruff: noqa: D102 - what a method does is said where the reference bank defines it
from __future__ import annotations

import re
from typing import Any

import jwt
from starlette.requests import Request

from bank_conformance.reference.bank import Parts
from bank_conformance.reference.bodies import Forms, Given
from bank_conformance.reference.intake import Intake
from bank_conformance.reference.problems import RefusalError
from bank_conformance.reference.security import Doors

from .mutant import Mutant, broke


class ChecksTheRole(Doors):
    """M58: whoever is a customer may, whosever it is."""

    def require_owner(self, _caller: object, *_owners: str) -> None:
        broke()


class TrustsTheHeader(Doors):
    """M60: a token says itself how it is signed, and one that says "none" needs no signature."""

    def claims(self, token: str) -> dict[str, Any]:
        if jwt.get_unverified_header(token).get("alg", "").lower() != "none":
            return super().claims(token)
        broke()
        return jwt.decode(token, options={"verify_signature": False})


class ReadsWithoutLimit(Intake):
    """M61: whatever comes is read to its end, however much it is and however long it takes."""

    async def read(self, request: Request) -> bytes:
        broke()
        return await request.body()


class OverflowsLoudly(Forms):
    """M59: a number that no column holds is found by the database: an internal error."""

    def read(self, content: bytes, shape: type[Given]) -> Given:
        if re.search(rb":\s*-?\d{19}", content):
            broke()
            raise RefusalError(500, "internal-error")
        return super().read(content, shape)


MUTANTS = (
    Mutant("M58", ("SEC-1",), "checks the role, not the owner", Parts(doors=ChecksTheRole)),
    Mutant("M59", ("SEC-2",), "500 on overflow", Parts(forms=OverflowsLoudly)),
    Mutant("M60", ("SEC-3",), "trusts the header's alg", Parts(doors=TrustsTheHeader)),
    Mutant("M61", ("SEC-4",), "reads without limit", Parts(intake=ReadsWithoutLimit)),
)
