"""Writing the reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from bank_conformance.redaction import Redactor
from bank_conformance.runner import Run

from .badge import badge
from .html import html
from .junit import junit


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a document as JSON."""
    _write(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def write_junit(path: Path, document: dict[str, Any]) -> None:
    """Write a run as JUnit XML."""
    _write(path, junit(document))


def write_html(path: Path, document: dict[str, Any]) -> None:
    """Write a run as one self-contained page."""
    _write(path, html(document))


def write_all(folder: Path, document: dict[str, Any], run: Run) -> None:
    """Write everything: results.yaml, results.json, junit.xml, report.html, badge.svg,
    histories.
    """
    _write(folder / "results.yaml", yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    write_json(folder / "results.json", document)
    write_junit(folder / "junit.xml", document)
    write_html(folder / "report.html", document)
    _write(folder / "badge.svg", badge(document))
    redact = Redactor.of(run.tokens, run.histories)
    for history in run.histories:
        events = ",\n".join(redact.json(event) for event in history.as_events())
        _write(folder / "histories" / f"{history.name}.json", f"[\n{events}\n]\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
