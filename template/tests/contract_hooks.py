"""What schemathesis loads for test_contract.py: real ids in its requests, two checks of our own,
and a list of the operations that succeeded.
"""

import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.parameters import ParameterLocation as At
from stock import Stock

TOKEN, URL, DATABASE = (os.environ[f"CONTRACT_{name}"] for name in ("TOKEN", "URL", "DATABASE"))
SUCCEEDED = Path(os.environ["CONTRACT_SUCCEEDED"])
STOCK = Stock(
    httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30), DATABASE
)
KEY = re.compile(r"[\x21-\x7e]{1,255}")
PLACES = ("cursor", "after")
OPAQUE = ("Consistency-Token",)
"""Like places, nothing that anybody but the bank could make up."""

schemathesis.openapi.format("iso-4217", st.sampled_from(["EUR", "USD", "JPY", "BHD"]))


# Requests


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Put real values where a request is meant to be good. schemathesis judges afterwards whether
    it is good as a whole.
    """
    del context, kwargs
    if case.meta is None:
        return
    real = STOCK.for_(case.operation.label)
    if _may_miss(case):
        real = {name: real[name] for name in OPAQUE}
    is_good = {at: not case.meta.is_negative_at(at) for at in At}
    if is_good[At.PATH]:
        case.path_parameters = _with(real, case.path_parameters)
    if is_good[At.QUERY]:
        case.query = _with(real, case.query)
        for name in case.query.keys() & PLACES:
            order = str(case.query.get("order", "asc"))
            case.query[name] = STOCK.place(case.operation.label, order)
    if is_good[At.BODY]:
        case.body = _with(real, case.body)
    _put_into_headers(case, real, is_good=is_good[At.HEADER])


def _put_into_headers(case: Case[Any], real: Mapping[str, str], *, is_good: bool) -> None:
    """In a bad request only what is not the very thing that is bad; and every command is sent once,
    under a key of its own.
    """
    assert case.meta is not None
    data = case.meta.phase.data
    mutated = {data.parameter, *(mutation.parameter for mutation in data.mutations)}
    for name in case.headers.keys() & real.keys():
        if is_good or name not in mutated:
            case.headers[name] = real[name]
    key = str(case.headers.get("Idempotency-Key", ""))
    if KEY.fullmatch(key):
        case.headers["Idempotency-Key"] = STOCK.key(key)


def _may_miss(case: Case[Any]) -> bool:
    """Whether the ids stay made up: in one in five of the random requests."""
    is_random = case.meta is not None and case.meta.phase.name == "fuzzing"
    return (
        is_random
        and zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode()) % 5 == 0
    )


def _with(real: Any, value: Any) -> Any:
    """The value with what there is in stock; 1.0 is an integer to JSON Schema, not to a bank."""
    match value:
        case dict():
            return {n: real[n] if n in real else _with(real, v) for n, v in value.items()}
        case list():
            return [_with(real, item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value


# Answers


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Note which operations were answered with a success that the contract names."""
    del context
    if response.status_code < 300 and str(response.status_code) in _named(case):
        with SUCCEEDED.open("a") as succeeded:
            succeeded.write(f"{case.operation.label}\n")


@schemathesis.check
def named_or_a_problem(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """`default` in the contract stands for problems: every other status is named."""
    del ctx
    status = response.status_code
    if status < 400:
        assert str(status) in _named(case), f"{status} is not named in the contract"
    else:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["status"] == status


@schemathesis.check
def unknown_parameters_are_refused(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """The checks that schemathesis brings let them pass, as most services do."""
    del ctx
    sent = parse_qs(urlsplit(str(response.request.url)).query, keep_blank_values=True)
    unknown = [name for name in sent if case.operation.query.get(name) is None]
    assert not unknown or response.status_code >= 400, f"{unknown} in the query"


def _named(case: Case[Any]) -> tuple[str, ...]:
    return tuple(case.operation.responses.status_codes)
