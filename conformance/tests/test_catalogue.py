"""The catalogue is whole, and what it calls built is built, with mutants that name it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import yaml
from bank_conformance.bank.routes import ROUTES, Route
from bank_conformance.catalogue import Requirement, catalogue, contract_file
from bank_conformance.preflight import optional as harmless_questions
from bank_conformance.reference.mutants import MUTANTS, Mutant
from bank_conformance.requirements import CHECKS
from bank_conformance.target import Capabilities

FAMILIES = {"ORD": 7, "CON": 10, "IDEM": 6, "DUR": 4, "SHR": 15, "TMP": 7, "QRY": 5, "SEC": 4}


def test_the_catalogue_has_every_requirement_once() -> None:
    counted = Counter(one.family for one in catalogue().values())
    assert counted == FAMILIES | {"LOAN": 1, "META": 1}
    for family, count in FAMILIES.items():
        assert [f"{family}-{n + 1}" in catalogue() for n in range(count)] == [True] * count


@pytest.mark.parametrize("one", catalogue().values(), ids=lambda one: one.id)
def test_a_requirement_says_must_and_names_its_mutants(one: Requirement) -> None:
    assert " MUST " in one.must
    assert one.rationale
    assert one.mutants or one.family == "META"
    assert all(re.fullmatch(r"M\d\d", name) for name in one.mutants)


def test_built_is_what_can_be_run() -> None:
    assert {one.id for one in catalogue().values() if one.status == "built"} == set(CHECKS)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.id)
def test_a_mutant_is_in_the_catalogue_under_what_kills_it(mutant: Mutant) -> None:
    assert mutant.kills
    assert all(mutant.id in catalogue()[one].mutants for one in mutant.kills)


def test_every_built_requirement_has_all_its_mutants() -> None:
    for requirement_id in CHECKS:
        for name in catalogue()[requirement_id].mutants:
            assert requirement_id in MUTANTS[name].kills, (requirement_id, name)


def _contract() -> dict[str, Route]:
    """Return the contract's operations as routes, scopes read from their descriptions."""
    document = yaml.safe_load(contract_file("openapi.yaml").read_text(encoding="utf-8"))
    return {
        call["operationId"]: Route(
            call["operationId"], method.upper(), path, capability=call.get("x-capability", "")
        )
        for path, item in document["paths"].items()
        for method, call in item.items()
        if method in {"get", "post", "put", "delete", "patch"}
    }


def test_the_table_of_routes_is_the_contract() -> None:
    assert _told(ROUTES) == _told(_contract())


def _told(routes: dict[str, Route]) -> dict[str, tuple[str, str, str]]:
    return {name: (one.method, one.path, one.capability) for name, one in routes.items()}


def test_a_capability_of_the_contract_can_be_offered() -> None:
    optional = {route.capability for route in ROUTES.values()} - {""}
    assert optional <= set(Capabilities.__struct_fields__)
    assert optional <= harmless_questions("acc_1", "cus_1").keys()


def test_the_scopes_are_those_of_the_contract() -> None:
    document = yaml.safe_load(contract_file("openapi.yaml").read_text(encoding="utf-8"))
    for route in ROUTES.values():
        said = document["paths"][route.path][route.method.lower()].get("description", "")
        named = {scope for scope in (route.staff, route.owner) if scope}
        if said.startswith("Scope: `"):
            assert all(f"`{scope}`" in said for scope in named), route.name
            assert (
                " for one" in said or "own account" in said or "owner" in said or "payer" in said
            ) == (route.owner is not None), route.name
