"""A refusal is a value with a stable code, and the ISO 20022 reason where there is one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ourbank.domain
from ourbank.domain.rejection import REASON_CODES, Rejection

FOLDER = Path(ourbank.domain.__file__).parent


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("insufficient-funds", "AM04"),
        ("account-closed", "AC04"),
        ("creditor-account-closed", "AC07"),
        ("currency-mismatch", "AM03"),
        ("transfer-exists", None),
    ],
)
def test_a_code_tells_its_iso_20022_reason(code: str, reason: str | None) -> None:
    assert Rejection(code).reason_code == reason


def test_equal_refusals_are_equal() -> None:
    assert Rejection("account-closed", "x") == Rejection("account-closed", "x")
    assert Rejection("account-closed") != Rejection("account-blocked")


@pytest.mark.parametrize("reason", REASON_CODES.values())
def test_a_reason_has_the_form_of_the_external_code_set(reason: str) -> None:
    assert re.fullmatch(r"[A-Z]{2}\d{2}", reason)


def refusals() -> Iterator[ast.Call]:
    """Every `Rejection(…)` written in the domain."""
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Rejection":
                yield node


def test_the_domain_refuses_with_literal_codes_in_words_and_says_why() -> None:
    found = list(refusals())
    assert len(found) > 10
    for call in found:
        code, detail = call.args
        assert isinstance(code, ast.Constant), ast.unparse(call)
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", str(code.value))
        assert isinstance(detail, ast.Constant | ast.JoinedStr), ast.unparse(call)
