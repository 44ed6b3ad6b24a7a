"""Plans that failed once: kept small, played first, for ever."""

from pathlib import Path

import msgspec

from .plan import Plan

FOLDER = Path(__file__).with_name("corpus")


class Case(msgspec.Struct, frozen=True):
    """A plan, and what was wrong when it was found."""

    found: str
    plan: Plan


def cases() -> dict[str, Case]:
    """By name."""
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.json"))}


def read(path: Path) -> Case:
    """One case; ValueError when the file is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Case)
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{path} is no case of the corpus: {error}") from None


def keep(name: str, case: Case) -> Path:
    """Write it down."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(case)) + b"\n")
    return path
