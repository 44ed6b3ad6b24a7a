"""A bank's own simulation is run from outside, with the suite's deciders on its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bank_simulations.console import BadInputError
from bank_simulations.dst.command import simulate

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys
from bank_conformance.deciders.claimed_order import replay
print(*sys.argv[1:], callable(replay), "bank_simulations" in sys.modules)
raise SystemExit(len(sys.argv))
"""


def test_the_script_of_the_bank_gets_the_options_and_the_deciders(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "simulate").write_text(SCRIPT)
    assert simulate(tmp_path, ["--seeds", "7"]) == 3
    assert capfd.readouterr().out == "--seeds 7 True False\n"


def test_a_folder_without_a_bank_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no generated bank with a scripts/simulate"):
        simulate(tmp_path, [])
