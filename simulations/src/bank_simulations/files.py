"""Results on disk: whether they can be written is known before the work, not after it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from .console import BadInputError

if TYPE_CHECKING:
    from pathlib import Path


def check_writable(*paths: Path | None) -> None:
    """Raise BadInputError for the first path at which no file can be made; None is nothing."""
    for path in paths:
        if path and not os.access(path if path.exists() else path.parent, os.W_OK):
            raise BadInputError(f"cannot write {path}: give the path of a file in a folder")


def write_json(path: Path | None, document: dict[str, Any]) -> None:
    """Write a result where the user wants it, if anywhere."""
    if path:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
