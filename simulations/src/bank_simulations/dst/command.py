"""Run a bank's own `./scripts/simulate`, in the bank's own environment.

The simulation is part of the bank: its world is made of the bank's code. What it lacks there are
the deciders of the conformance suite; they are put on its path for the time of the run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bank_simulations.console import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUITE = "bank_conformance"


def simulate(bank: Path, options: Sequence[str]) -> int:
    """Run it with these options; its exit code.

    Raises:
        BadInputError: there is no bank in this folder, or none that brings a simulation.
    """
    script = bank / "scripts" / "simulate"
    if not script.is_file():
        raise BadInputError(f"{bank} is no generated bank with a scripts/simulate: give --bank")
    with _suite() as folder:
        path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path}
        command = [sys.executable, str(script), *options]
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


@contextmanager
def _suite() -> Iterator[Path]:
    """A folder with the suite and what names its version, and with nothing else of ours."""
    spec = find_spec(SUITE)
    if spec is None or spec.origin is None:
        raise BadInputError("bank-conformance is not installed: pip install bank-conformance")
    package = Path(spec.origin).parent
    named = distribution("bank-conformance")
    with tempfile.TemporaryDirectory(prefix="deciders-") as folder:
        Path(folder, SUITE).symlink_to(package)
        Path(folder, f"{SUITE}-{named.version}.dist-info").mkdir()
        Path(folder, f"{SUITE}-{named.version}.dist-info", "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: bank-conformance\nVersion: {named.version}\n",
            encoding="utf-8",
        )
        yield Path(folder)
