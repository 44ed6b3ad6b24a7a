"""SEC-3: the forged tokens are false and otherwise whole, and whoever believes one fails."""

from __future__ import annotations

import jwt
import pytest
from bank_conformance.bank.shapes import Account
from bank_conformance.history import History
from bank_conformance.reference.security import ALGORITHM, AUDIENCE, mint
from bank_conformance.requirements.security import false_tokens_refused
from bank_conformance.tokens import Principal
from bank_conformance.verdict import Decision, Verdict
from bank_conformance.workloads.access import Access, Attempt
from bank_conformance.workloads.forgeries import apart, forged, joined
from bank_conformance.workloads.rest import Scan
from builders import ACCOUNT, operation
from msgspec.structs import replace as with_

SECRET = "s" * 64
REAL = mint(SECRET, "staff", "bank:operate", 86_400)  # made at import, used when its turn comes
FORGED = dict(forged(apart(REAL)))  # type: ignore[arg-type]


def test_a_token_that_is_taken_apart_and_joined_is_still_believed() -> None:
    real = apart(REAL)
    assert real is not None
    again = joined(real.header, real.claims, real.signature)
    assert jwt.decode(again, SECRET, [ALGORITHM], audience=AUDIENCE)["sub"] == "staff"
    assert apart("opaque") is None
    assert apart("a.b.c") is None


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_false_and_claims_what_the_real_one_does(name: str) -> None:
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(FORGED[name], SECRET, [ALGORITHM], audience=AUDIENCE)
    claims = jwt.decode(FORGED[name], options={"verify_signature": False})
    assert claims["sub"] == "staff"
    assert FORGED[name] != REAL


FORGER = Principal("alg none", header="Bearer x.y.")
LIMITED = Principal("events:read only", "staff", "events:read")


def _record(who: Principal, status: int, moved: Account = ACCOUNT) -> Access:
    history = History("forgeries")
    tried = operation(history, status=status, answer={})
    before, after = Scan({}, {"acc_1": ACCOUNT}), Scan({}, {"acc_1": moved})
    attempt = Attempt(who, tried, authenticated=who is LIMITED)
    return Access(history, {}, ("cus_1", "acc_1"), before, after, [attempt])


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (_record(FORGER, 401), None),
        (_record(FORGER, 200), Verdict.FAIL),
        (_record(FORGER, 422), Verdict.FAIL),
        (_record(FORGER, 500), Verdict.WARN),
        (_record(FORGER, 401, with_(ACCOUNT, booked_minor=9)), Verdict.FAIL),
    ],
)
def test_a_false_token_opens_nothing(record: Access, verdict: Verdict | None) -> None:
    found = false_tokens_refused(record)
    assert (Decision(found.findings).verdict if found.findings else None) is verdict
    assert found.verdict is not Verdict.PASS


def test_a_real_token_without_the_scope_opens_nothing_either() -> None:
    record = _record(FORGER, 401)
    record.attempts += _record(LIMITED, 200).attempts
    assert false_tokens_refused(record).verdict is Verdict.FAIL
    assert false_tokens_refused(_record(LIMITED, 403)).verdict is Verdict.SKIP
