"""What tests share."""

from pathlib import Path

import pytest
from baking import baker
from places import Bake


@pytest.fixture
def bake(tmp_path: Path) -> Bake:
    """Bake a bank from the answers given, from the repository's root unless told otherwise."""
    return baker(tmp_path)
