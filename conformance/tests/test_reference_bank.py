"""The suite can pass: the reference bank is clean, and so are the reports of its run."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import anyio
import pytest
import yaml
from bank_conformance.catalogue import catalogue
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.redaction import JWT
from bank_conformance.report import document, write_all
from bank_conformance.requirements import CHECKS
from bank_conformance.runner import Run, run
from bank_conformance.serving import serving
from bank_conformance.verdict import Verdict
from builders import Silent

pytestmark = pytest.mark.slow

CANARY = re.compile(r"[\w ,.@+-]{8,}")
"""What is shorter is found by chance; anything else is an attack, and nobody's."""


@pytest.fixture(scope="module")
def reference() -> Run:
    """All of it decided, once."""

    async def decide() -> Run:
        async with serving() as bank:
            chosen = [catalogue()[one] for one in CHECKS]
            return await run(bank.target, chosen, seed=1, reporter=Silent())

    return anyio.run(decide)


@pytest.mark.parametrize("requirement_id", CHECKS)
def test_the_reference_bank_is_clean(reference: Run, requirement_id: str) -> None:
    found = {one.requirement_id: one for one in reference.results}[requirement_id]
    assert found.verdict is Verdict.PASS, found.decision.reason


def test_the_reports_are_whole_and_name_nobody(reference: Run, tmp_path: Path) -> None:
    write_all(tmp_path, document(reference), reference)
    page = (tmp_path / "report.html").read_text()
    assert not re.search(r"<(script|link|img)|src=|@import|url\(", page)
    assert all(one in page for one in CHECKS)
    suite = fromstring((tmp_path / "junit.xml").read_text())  # noqa: S314  our own
    assert suite.get("tests") == str(len(CHECKS))
    assert yaml.safe_load((tmp_path / "results.yaml").read_text())["verdict"] == "conformant"
    _assert_nothing_private(reference, tmp_path)


def _assert_nothing_private(outcome: Run, folder: Path) -> None:
    secrets = set(outcome.tokens)
    for operation in (one for history in outcome.histories for one in history):
        body = operation.call.body if isinstance(operation.call.body, dict) else {}
        personal = body.get("personal")
        values = personal.values() if isinstance(personal, dict) else ()
        secrets |= {one for one in values if isinstance(one, str) and CANARY.fullmatch(one)}
    assert len(secrets) > 20
    found = Scanner({f"secret {n}": one for n, one in enumerate(sorted(secrets))}).scan_folder(
        folder
    )
    assert found.files >= 5 + len(outcome.histories)
    assert [str(one) for one in found.sightings] == []
    texts = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert [name for name, text in texts.items() if JWT.search(text)] == []
