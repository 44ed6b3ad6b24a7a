"""Which requirements a run decides, from what its user asked for."""

from __future__ import annotations

from difflib import get_close_matches

from .catalogue import Level, Requirement, catalogue
from .requirements import CHECKS

LEVELS: tuple[Level, ...] = ("L0", "L1", "L2", "L3")
SEED_MAX = 2**31


class SelectionError(Exception):
    """Nothing can be selected so; the text names the cure."""


def select(only: str, level: str) -> list[Requirement]:
    """Return the requirements to decide; every one that is built unless some are named.

    Raises:
        SelectionError: an id or the level does not exist, or nothing is left.
    """
    known = catalogue()
    names = [name.strip().upper() for name in only.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise SelectionError(f"no requirement {name!r}: {hint(name)}")
        if name not in CHECKS:
            raise SelectionError(f"{name} is {known[name].status}, not built: it cannot be run")
    ceiling = LEVELS.index(level_of(level))
    chosen = [known[name] for name in CHECKS if not names or name in names]
    within = [one for one in chosen if LEVELS.index(one.level) <= ceiling]
    if not within:
        raise SelectionError(f"nothing to decide: no chosen requirement is within {level}")
    return within


def level_of(text: str) -> Level:
    """Return the level that `text` names.

    Raises:
        SelectionError: there is none.
    """
    for level in LEVELS:
        if level == text.upper():
            return level
    raise SelectionError(f"level {text!r} must be one of {', '.join(LEVELS)}")


def hint(name: str) -> str:
    """Return what might have been meant by an id that does not exist."""
    near = get_close_matches(name.upper(), catalogue(), n=3)
    return f"did you mean {', '.join(near)}?" if near else "`bank-conformance list` shows them all"
