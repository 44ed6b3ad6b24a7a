"""The report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bank_conformance.catalogue import catalogue

from .charts import distribution, quantile, timeline

FAMILIES = {
    "ORD": "Order",
    "CON": "Consistency",
    "IDEM": "Idempotency",
    "DUR": "Durability",
    "SHR": "Erasure",
    "TMP": "Tamper evidence",
    "QRY": "Queries",
    "SEC": "Access",
    "LOAN": "Loans",
}


def html(document: dict[str, Any]) -> str:
    """Return the page of a run."""
    environment = Environment(
        loader=PackageLoader("bank_conformance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pretty"] = _pretty
    environment.filters["timeline"] = timeline
    environment.filters["distribution"] = distribution
    return environment.get_template("report.html.jinja").render(
        run=document,
        families=_families(document["requirements"]),
        rationale={one.id: one.rationale for one in catalogue().values()},
        incident={one.id: one.incident for one in catalogue().values()},
        planned=[one for one in catalogue().values() if one.status == "planned"],
        quantile=quantile,
    )


def _families(requirements: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    grouped = groupby(requirements, key=lambda one: one["id"].split("-")[0])
    return [(FAMILIES.get(name, name), list(members)) for name, members in grouped]


def _pretty(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
