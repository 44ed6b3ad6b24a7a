"""Good requests to the operations that a bank may leave out, made from the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bank_conformance.bank import hostile
from bank_conformance.bank.routes import ROUTES, Route

from .stage import Stage

PAST = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z", "date": "2020-01-01"}
"""A period that is closed in every bank."""


def offered(stage: Stage) -> list[Route]:
    """Return the optional operations that the bank offers, and that not everybody may call."""
    optional = (route for route in ROUTES.values() if route.capability and route.staff)
    return [route for route in optional if stage.capabilities.offers(route)]


def requests(
    stage: Stage, given: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, str], dict[str, Any], Any]]:
    """Return a good request to each of them: route, path, query and body.

    `given` names real things by the contract's words for them.
    """
    for route in offered(stage):
        path = {name: str(given[name]) for name in re.findall(r"{(\w+)}", route.path)}
        schema = hostile.body_schema(route.name)
        body = hostile.sample(schema, given) if schema else None
        yield route.name, path, hostile.good_query(route.name, {**PAST, **given}), body
