"""The requirements that are built: which workload each rests on, and how it is decided."""

from __future__ import annotations

from bank_conformance.catalogue import catalogue

from . import (
    consistency,
    durability,
    erasure_reach,
    erasures,
    floods,
    fraud,
    hostility,
    idempotency,
    keys,
    kill_sweep,
    limits,
    log_order,
    naming,
    ordering,
    past,
    precedence,
    projection,
    proofs,
    queries,
    receipts,
    refusals,
    reports,
    rivalry,
    security,
    sessions,
    shredding,
    snapshots,
    statements,
    storage,
    tampering,
)
from .check import Check

_FILES = (
    ordering,
    precedence,
    log_order,
    rivalry,
    consistency,
    limits,
    sessions,
    refusals,
    projection,
    idempotency,
    keys,
    durability,
    shredding,
    erasures,
    erasure_reach,
    storage,
    naming,
    kill_sweep,
    receipts,
    proofs,
    tampering,
    past,
    queries,
    statements,
    reports,
    fraud,
    snapshots,
    security,
    hostility,
    floods,
)
_FOUND = {check.requirement_id: check for file in _FILES for check in file.CHECKS}

CHECKS: dict[str, Check] = {one: _FOUND[one] for one in catalogue() if one in _FOUND}
"""By requirement id, in the order of the catalogue; everything else there is planned."""
