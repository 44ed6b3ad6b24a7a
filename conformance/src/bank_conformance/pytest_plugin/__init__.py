"""The suite as tests of pytest: `pytest --bank-target conformance.toml`.

Every requirement is a test whose node id is its own id. Without the option nothing is loaded but
this file, so that whoever has the suite installed pays nothing for it elsewhere.
"""

from __future__ import annotations

import pytest

OPTIONS = {
    "--bank-target": "the target file of a bank to decide",
    "--bank-only": "requirement ids, separated by commas",
    "--bank-level": "the highest level to ask for: L0, L1, L2, L3",
    "--bank-seed": "replays the workloads of an earlier run",
    "--bank-baseline": "the known failures, each with its reason",
    "--bank-report": "a folder for the reports of the run",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("bank-conformance", "conformance of a bank")
    for name, text in OPTIONS.items():
        group.addoption(name, default="", help=text)
    group.addoption(
        "--bank-allow-inconclusive",
        action="store_true",
        help="skip what could not be decided, where it would fail",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the requirements as tests, if a target is given."""
    if config.getoption("--bank-target"):
        from .suite import Suite  # noqa: PLC0415  nobody else pays for it

        config.addinivalue_line("markers", "bank_conformance: a requirement of bank-conformance")
        config.pluginmanager.register(Suite.of(config), "bank-conformance-suite")
