"""The requirements that are built: which workload each rests on, and how it is decided."""

from __future__ import annotations

from . import consistency, idempotency, ordering, security, shredding
from .check import Check

CHECKS: dict[str, Check] = {
    check.requirement_id: check
    for family in (ordering, consistency, idempotency, shredding, security)
    for check in family.CHECKS
}
"""By requirement id; everything else in the catalogue is planned."""
