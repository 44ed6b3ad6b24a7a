"""Where things lie, and the shape of the `bake` fixture."""

import sys
from collections.abc import Callable
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent
SERVICE = TEMPLATE / "{{cookiecutter.project_slug}}"
REPOSITORY = TEMPLATE.parent
PROGRAMS = Path(sys.executable).parent

Bake = Callable[..., Path]
