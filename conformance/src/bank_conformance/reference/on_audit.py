"""The routes of tamper evidence, and the public keys that verify it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bank_conformance.bank.routes import Scope

from .asks import Ask, Endpoint
from .bodies import Body
from .problems import RefusalError

CHECKPOINTS_MAX, JWS_MAX = 100, 4096


Jws = Annotated[str, Meta(min_length=1, max_length=JWS_MAX)]


class Verification(Body, frozen=True):
    """What the caller holds."""

    checkpoints: Annotated[tuple[Jws, ...], Meta(max_length=CHECKPOINTS_MAX)] = ()


def _number(ask: Ask, name: str) -> int:
    """Return a parameter that must be there, or refuse (400)."""
    found = ask.request.query_params.get(name)
    if found is None:
        raise RefusalError(400, "missing-parameter", name)
    return int(found)


def _for(ask: Ask) -> str:
    """Return who audits, or refuse (403)."""
    ask.bank.doors.require(ask.caller, Scope.AUDIT_READ)
    return ask.caller.subject


async def get_checkpoint(ask: Ask) -> Response:
    """Return a checkpoint."""
    subject, size = _for(ask), ask.request.query_params.get("size")
    partition = _number(ask, "partition")
    found = ask.bank.auditor.checkpoint(partition, None if size is None else int(size), subject)
    return JSONResponse(found)


async def get_inclusion(ask: Ask) -> Response:
    """Return an inclusion proof."""
    subject = _for(ask)
    partition, position, size = (_number(ask, name) for name in ("partition", "position", "size"))
    return JSONResponse(ask.bank.auditor.inclusion(partition, position, size, subject))


async def get_consistency(ask: Ask) -> Response:
    """Return a consistency proof."""
    subject = _for(ask)
    partition, old, size = (_number(ask, name) for name in ("partition", "from_size", "to_size"))
    return JSONResponse(ask.bank.auditor.consistency(partition, old, size, subject))


async def verify_log(ask: Ask) -> Response:
    """Return what a verification finds."""
    _for(ask)
    findings = ask.bank.auditor.verify(ask.body(Verification).checkpoints)
    told = [one._asdict() for one in findings]
    return JSONResponse({"ok": not told, "findings": told})


async def signing_keys(request: Request) -> Response:
    """Return the public keys, to anybody."""
    return JSONResponse({"keys": [request.app.state.bank.auditor.signer.jwk()]})


ENDPOINTS = (
    Endpoint("getCheckpoint", get_checkpoint, frozenset({"partition", "size"})),
    Endpoint("getInclusionProof", get_inclusion, frozenset({"partition", "position", "size"})),
    Endpoint(
        "getConsistencyProof", get_consistency, frozenset({"partition", "from_size", "to_size"})
    ),
    Endpoint("verifyLog", verify_log),
)
