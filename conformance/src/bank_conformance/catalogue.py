"""The catalogue of requirements, as it stands in `contract/requirements.yaml`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

Level = Literal["L0", "L1", "L2", "L3"]

FAMILIES = {
    "ORD": "Order",
    "CON": "Consistency",
    "IDEM": "Idempotency",
    "DUR": "Durability",
    "SHR": "Erasure",
    "TMP": "Tamper evidence",
    "QRY": "Queries",
    "SEC": "Access",
    "LOAN": "Loans",
    "META": "The suite itself",
}
"""What the families of requirements are about."""


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement of the catalogue."""

    id: str
    must: str
    level: Level
    status: Literal["built", "planned", "self-test"]
    decider: str
    rationale: str
    mutants: dict[str, str]
    incident: str = ""

    @property
    def family(self) -> str:
        """The part of the id before the number: ORD, CON, …."""
        return self.id.split("-", maxsplit=1)[0]


class _Catalogue(msgspec.Struct, forbid_unknown_fields=True):
    requirements: list[Requirement]


@cache
def catalogue() -> dict[str, Requirement]:
    """Return every requirement by id, in the order of the file."""
    text = contract_file("requirements.yaml").read_bytes()
    found = msgspec.yaml.decode(text, type=_Catalogue)
    return {requirement.id: requirement for requirement in found.requirements}


def contract_file(name: str) -> Path:
    """Return a file of the contract: inside the installed package, or beside the sources."""
    packaged = Path(str(resources.files(__package__))) / "contract" / name
    return packaged if packaged.exists() else Path(__file__).parents[2] / "contract" / name
