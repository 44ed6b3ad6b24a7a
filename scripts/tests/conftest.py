"""Let the tests import what the scripts import."""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).parent.parent
sys.path.extend([str(SCRIPTS), str(SCRIPTS.parent / "docs" / "_build")])
