"""The child's side of the conversation: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import json
import sys
from typing import Any


def hear() -> dict[str, Any] | None:
    """The next job; None when nobody will ask any more."""
    line = sys.stdin.readline()
    return json.loads(line) if line else None


def say(answer: dict[str, Any]) -> None:
    """Answer the job that was heard last."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
