"""Writing the reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from bank_conformance.redaction import Redactor
from bank_conformance.runner import Run

from .badge import badge
from .elle import list_append
from .events import calls
from .html import html
from .junit import junit


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a document as JSON."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def write_junit(path: Path, document: dict[str, Any]) -> None:
    """Write a run as JUnit XML."""
    write_text(path, junit(document))


def write_html(path: Path, document: dict[str, Any]) -> None:
    """Write a run as one self-contained page."""
    write_text(path, html(document))


def write_all(folder: Path, document: dict[str, Any], run: Run) -> None:
    """Write everything: results.yaml, results.json, junit.xml, report.html, badge.svg, and each
    history twice: every call, and for Elle what the accounts' histories are lists of.
    """
    results = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    write_text(folder / "results.yaml", results)
    write_json(folder / "results.json", document)
    write_junit(folder / "junit.xml", document)
    write_html(folder / "report.html", document)
    write_text(folder / "badge.svg", badge(document))
    redact = Redactor.of(run.tokens, run.histories)
    for history in run.histories:
        for name, events in (("json", calls(history)), ("elle.json", list_append(history))):
            if events:
                lines = ",\n".join(redact.json(event) for event in events)
                write_text(folder / "histories" / f"{history.name}.{name}", f"[\n{lines}\n]\n")


def write_text(path: Path, text: str) -> None:
    """Write a text, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
