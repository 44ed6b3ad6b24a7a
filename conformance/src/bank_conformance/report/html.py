"""The report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bank_conformance.catalogue import FAMILIES, catalogue

from .charts import distribution, quantile, timeline

COUNTED = {
    "PASS": "hold",
    "WARN": "hold with a warning",
    "FAIL": "fail",
    "KNOWN": "known to fail",
    "STALE": "stale in the baseline",
    "INCONCLUSIVE": "undecided",
    "SKIP": "skipped",
}
KINDS = {"problem": "Findings", "passed": "Passed", "skipped": "Skipped"}
FILTERS = ("all", *KINDS, "allL", "L0", "L1", "L2", "L3")
"""What the reader may choose to see: a kind of verdict, and a level. CSS alone does it."""

LONG_ID = re.compile(r"\b([a-z]{2,4}_)[0-9a-f]{16,}([0-9a-f]{6})\b")
ISSUE = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")


def html(document: dict[str, Any]) -> str:
    """Return the page of a run."""
    environment = Environment(
        loader=PackageLoader("bank_conformance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = _kind
    environment.filters["linked"] = _linked
    environment.filters["pretty"] = _pretty
    environment.filters["short"] = _short
    environment.filters["timeline"] = timeline
    environment.filters["distribution"] = distribution
    return environment.get_template("report.html.jinja").render(
        run=document,
        families=_families(document["requirements"]),
        rationale={one.id: one.rationale for one in catalogue().values()},
        incident={one.id: one.incident for one in catalogue().values()},
        planned=[one for one in catalogue().values() if one.status == "planned"],
        quantile=quantile,
        counted=COUNTED,
        filters=FILTERS,
        kinds=KINDS,
        by_kind=Counter(_kind(one["label"]) for one in document["requirements"]),
    )


def _families(requirements: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    grouped = groupby(requirements, key=lambda one: one["id"].split("-")[0])
    return [(FAMILIES.get(name, name), list(members)) for name, members in grouped]


def _kind(label: str) -> str:
    return {"PASS": "passed", "SKIP": "skipped", "DISABLED": "skipped"}.get(label, "problem")


def _short(text: str) -> str:
    """Return a text with the middle of long ids left out: what differs is at their ends."""
    return LONG_ID.sub(r"\1…\2", text)


def _linked(text: str) -> Markup:
    """Return a text in which an issue, such as owner/repo#7, is a link."""
    address = r"<a href='https://github.com/\1/issues/\2'>\1#\2</a>"
    return Markup(ISSUE.sub(address, str(escape(text))))  # noqa: S704  escaped before


def _pretty(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
