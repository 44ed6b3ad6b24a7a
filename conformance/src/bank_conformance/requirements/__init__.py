"""The requirements that are built: which workload each rests on, and how it is decided."""

from __future__ import annotations

from bank_conformance.catalogue import catalogue

from . import (
    consistency,
    hostility,
    idempotency,
    keys,
    limits,
    log_order,
    ordering,
    precedence,
    queries,
    refusals,
    rivalry,
    security,
    sessions,
    shredding,
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
    idempotency,
    keys,
    shredding,
    queries,
    security,
    hostility,
)
_FOUND = {check.requirement_id: check for file in _FILES for check in file.CHECKS}

CHECKS: dict[str, Check] = {one: _FOUND[one] for one in catalogue() if one in _FOUND}
"""By requirement id, in the order of the catalogue; everything else there is planned."""
