"""The benchmark of the deciders runs, and what it lets them decide is a healthy history."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent / "bench" / "deciders.py"


def test_the_deciders_find_nothing_in_the_benchmark_and_their_figures_are_written(
    tmp_path: Path,
) -> None:
    given = ["--operations", "4000", "--accounts", "3", "--json", str(tmp_path / "f.json")]
    done = subprocess.run([sys.executable, str(BENCH), *given], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["large"]["operations"] == 4000
    assert set(figures["large"]["steps"]) == {
        "claimed order",
        "real time",
        "gapless",
        "prefix sums",
    }
