"""A mapping file puts the contract's calls into another shape, and that shape's answers back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bank_conformance.bank.routes import ROUTES
from bank_conformance.history import Answer
from bank_conformance.mapping import Asked, Mapped, MappingError, adapter_for, load_mapping
from bank_conformance.mapping.lists import by_offset, of_whole
from bank_conformance.mapping.templates import MISSING, Scope, fill
from bank_conformance.target import TargetError, load_target
from hypothesis import given
from hypothesis import strategies as st

EXAMPLE = Path(__file__).parent.parent / "examples" / "plain-bank"
FILE = """
decimals = 2
lacks = ["versions"]
key = { header = "Request-Id", replayed = "Was-Replayed" }

[words.movement]
CASH_DEPOSIT = "deposit"

[words.state]
open = "ACTIVE"

[operations.getAccount]
path = "/accounts/{@path.account_id}"

[operations.getAccount.answer]
account_id = "{id}"
state = "{status|state}"
booked_minor = "{money.balance|minor}"
available_minor = { sum = ["{money.balance|minor}", "{money.limit|minor}"] }
version = "{@null}"

[operations.openAccount]
path = "/accounts"
body = { owner = "{customer_id}", money = { limit = "{credit_line_minor|decimal}" }, kind = "giro" }
answer_like = "getAccount"
statuses = { 200 = 201 }

[operations.postEntry]
method = "PUT"
path = "/accounts/{@path.account_id}/{code|movement}"
headers = { X-Reason = "{narrative}" }
body = { amount = "{amount_minor|decimal}" }

[operations.listEntries]
path = "/accounts/{@path.account_id}/lines"
query = { kind = "{@query.code}" }
items = "data.lines"
answer = { sequence = "{@index}", amount_minor = "{amount|minor}", account = "{@path.account_id}" }

[[errors]]
where = { error = "too poor" }
status = 422
code = "insufficient-funds"

[[errors]]
answered = 200
where = { outcome = "declined" }
operations = ["postEntry"]
status = 409
code = "declined"
"""


@pytest.fixture
def mapped(tmp_path: Path) -> Mapped:
    return _mapped(tmp_path, FILE)


def _mapped(folder: Path, text: str) -> Mapped:
    path = folder / "mapping.toml"
    path.write_text(text)
    return Mapped(load_mapping(path))


def ask(route: str, **parts: Any) -> Asked:
    return Asked(ROUTES[route], **({"path": {"account_id": "7"}} | parts))


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, "as the bank said it", body)


# Templates

OWN = {"a": 1, "b": {"c": "x"}, "list": [10, 20], "cents": 1234, "none": None, "at": "2026-11-23T1"}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{a}", 1),
        ("{b.c}", "x"),
        ("{list.1}", 20),
        ("{list.2}", MISSING),
        ("{none}", None),
        ("{missing}", MISSING),
        ("{b}", {"c": "x"}),
        ("{a}/{b.c}", "1/x"),
        ("{a}/{missing}", MISSING),
        ("{cents|decimal}", "12.34"),
        ("{b.c|minor}", "x"),
        ("{at|date}", "2026-11-23"),
        ("{b.c|word}", "found"),
        ("{a|word}", 1),
        ("{@path.id}", "7"),
        ("{@path.other}", MISSING),
        ("{@null}", None),
        ("plain", "plain"),
        ("", ""),
        (True, True),
        ({"x": "{a}", "y": "{missing}"}, {"x": 1}),
        ({"x": "{missing}"}, MISSING),
        ({}, {}),
        (["{a}", "{missing}"], [1]),
        ({"first": ["{missing}", "{a}", 9]}, 1),
        ({"first": ["{missing}"]}, MISSING),
        ({"sum": ["{a}", "{cents}"]}, 1235),
        ({"sum": ["{a}", "{missing}"]}, MISSING),
    ],
)
def test_a_template_is_filled_with_what_it_names(template: Any, value: Any) -> None:
    scope = Scope(OWN, {"path": {"id": "7"}, "null": None}, {"word": {"x": "found"}})
    assert fill(template, scope) == value


@given(st.integers(), st.integers(0, 4))
def test_every_amount_survives_the_way_out_and_back(amount: int, decimals: int) -> None:
    out = fill("{a|decimal}", Scope({"a": amount}, decimals=decimals))
    assert fill("{a|minor}", Scope({"a": out}, decimals=decimals)) == amount


@pytest.mark.parametrize("spoilt", ["abc", 1.555, True, None, [], {}, "12.345", "NaN", "Infinity"])
def test_what_a_filter_cannot_read_is_passed_on_as_it_is(spoilt: Any) -> None:
    assert fill("{a|minor}", Scope({"a": spoilt})) == spoilt


@pytest.mark.parametrize("spoilt", ["abc", True, None, [], {}])
def test_what_is_no_amount_reaches_the_bank_as_it_is(spoilt: Any, mapped: Mapped) -> None:
    wire = mapped.request(ask("postEntry", body={"code": "x", "amount_minor": spoilt}))
    assert wire is not None
    assert wire.body == {"amount": spoilt}


@pytest.mark.parametrize("right", ["1", "1.50", 1.5])
def test_what_would_be_right_in_the_bank_s_own_shape_cannot_be_asked(
    right: Any, mapped: Mapped
) -> None:
    assert mapped.request(ask("postEntry", body={"code": "x", "amount_minor": right})) is None


# Lists


@given(st.integers(0, 30), st.integers(1, 9), st.sampled_from(["asc", "desc"]), st.booleans())
def test_a_whole_list_is_read_once_in_order_while_it_grows(
    count: int, limit: int, order: str, newest_first: bool
) -> None:
    seen: list[int] = []
    cursor = None
    for grown in range(count + 1):
        items = list(range(count + grown))
        told = items[::-1] if newest_first else items
        query = {"order": order, "limit": limit, "cursor": cursor}
        page = of_whole(told, query, newest_first=newest_first)
        assert [at - 1 for at, _ in page.items] == [item for _, item in page.items]
        seen += [item for _, item in page.items]
        cursor = page.next
        if cursor is None:
            break
    # Backwards from where the list ended at first; forwards to where it ends at last.
    expected = list(range(len(seen)))
    assert seen == (expected[::-1] if order == "desc" else expected)
    assert len(seen) >= count


def test_a_page_by_offset_goes_on_until_one_is_short() -> None:
    page = by_offset(["a", "b"], {"limit": 2, "cursor": "4"})
    assert (page.items, page.next) == ([(5, "a"), (6, "b")], "6")
    assert by_offset(["c"], {"limit": 2, "cursor": "6"}).next is None


# Requests and answers


def test_a_request_is_made_as_the_file_says(mapped: Mapped) -> None:
    headers = {"Authorization": "Bearer t", "Idempotency-Key": "k", "If-Match": '"3"'}
    body = {"code": "CASH_DEPOSIT", "amount_minor": 1234, "narrative": "rent", "surprise": 1}
    wire = mapped.request(ask("postEntry", body=body, headers=headers))
    assert wire is not None
    assert (wire.method, wire.url) == ("PUT", "/accounts/7/deposit")
    assert wire.headers == {"X-Reason": "rent", "Request-Id": "k", "Authorization": "Bearer t"}
    assert wire.body == {"amount": "12.34", "surprise": 1}


def test_the_key_may_go_into_the_body(tmp_path: Path) -> None:
    text = FILE.replace('header = "Request-Id"', 'member = "requestId"')
    asked = ask("openAccount", body={"customer_id": "c"}, headers={"Idempotency-Key": "k"})
    wire = _mapped(tmp_path, text).request(asked)
    assert wire is not None
    assert wire.body == {"owner": "c", "kind": "giro", "requestId": "k"}


def test_words_from_the_body_cannot_leave_their_place_in_the_path(mapped: Mapped) -> None:
    wire = mapped.request(ask("postEntry", body={"code": "../x?y", "amount_minor": "z"}))
    assert wire is not None
    assert wire.url == "/accounts/7/..%2Fx%3Fy"


def test_an_operation_without_a_table_is_not_offered(mapped: Mapped) -> None:
    assert not mapped.offers("getHold")
    assert mapped.request(ask("getHold")) is None


def test_a_query_that_the_file_does_not_name_cannot_be_asked(mapped: Mapped) -> None:
    wire = mapped.request(ask("listEntries", query={"code": "FEE", "limit": 5, "order": "desc"}))
    assert wire is not None
    assert wire.url == "/accounts/7/lines?kind=FEE"
    assert mapped.request(ask("listEntries", query={"text": "rent"})) is None


def test_an_answer_is_read_as_the_file_says(mapped: Mapped) -> None:
    body = {"id": "7", "status": "open", "money": {"balance": "1.00", "limit": "3.50"}}
    told = mapped.response(ask("getAccount"), answer(body, headers={"was-replayed": "1"}))
    assert told.body == {
        "account_id": "7",
        "state": "ACTIVE",
        "booked_minor": 100,
        "available_minor": 450,
        "version": None,
    }
    assert told.text == "as the bank said it"
    assert told.headers["idempotency-replayed"] == "true"
    opened = mapped.response(ask("openAccount"), answer(body))
    assert (opened.status, opened.body) == (201, told.body)


def test_the_items_of_a_list_are_read_one_by_one(mapped: Mapped) -> None:
    body = {"data": {"lines": [{"amount": "1.00"}, {"amount": "2.00"}]}}
    told = mapped.response(ask("listEntries", query={"limit": 1, "order": "desc"}), answer(body))
    assert told.body == {
        "items": [{"sequence": 2, "amount_minor": 200, "account": "7"}],
        "next": "2",
    }
    strange = {"data": "none"}
    assert mapped.response(ask("listEntries"), answer(strange)).body == strange


@pytest.mark.parametrize(
    ("route", "given", "status", "code"),
    [
        ("postEntry", answer({"error": "too poor"}, 400), 422, "insufficient-funds"),
        ("getAccount", answer({"error": "too poor"}, 400), 422, "insufficient-funds"),
        ("postEntry", answer({"outcome": "declined"}), 409, "declined"),
        ("getAccount", answer({"outcome": "declined"}), 200, ""),
        ("postEntry", answer({"error": "other"}, 400), 400, ""),
        ("postEntry", answer(None, 500), 500, ""),
    ],
)
def test_an_error_is_the_problem_that_the_file_says(
    mapped: Mapped, route: str, given: Answer, status: int, code: str
) -> None:
    told = mapped.response(ask(route), given)
    assert (told.status, told.code) == (status, code)
    assert (told.headers.get("content-type") == "application/problem+json") is bool(code)


def test_a_request_that_was_spoilt_where_the_bank_looks_is_another_request(mapped: Mapped) -> None:
    valid = ask("postEntry", body={"code": "CASH_DEPOSIT", "amount_minor": 1, "currency": "EUR"})
    for member, differs in (("amount_minor", True), ("currency", False)):
        spoilt = ask("postEntry", body=valid.body | {member: "?"})
        assert mapped.distinguishes(valid, spoilt) is differs


# What is wrong is said in one line


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[operations.postEntry]", "[operations.post]", "no operation 'post'"),
        ("decimals = 2", "decimal = 2", "unknown field `decimal`"),
        ("decimals = 2", "decimals = -1", "decimals must not be negative"),
        ('["versions"]', '["version"]', "Invalid enum value 'version'"),
        ("{amount_minor|decimal}", "{amount_minor|cents}", "add [words.cents]"),
        ("{@path.account_id}/lines", "{@paths.account_id}/lines", "no source '@paths'"),
        ("{amount_minor|decimal}", "{amount_minor", "write a place as {name}"),
        ('path = "/accounts"', 'path = "accounts"', "[operations.openAccount] path must begin"),
        ('answer_like = "getAccount"', 'answer_like = "getHold"', "no [operations.getHold]"),
        ('header = "Request-Id"', 'header = "A", member = "b"', "one of the two"),
        ("key = {", "words.key = {", "say where the idempotency key goes"),
        ('items = "data.lines"', 'paging = "cursor"', "needs next"),
        ('items = "data.lines"', "newest_first = true", "say where it is with items"),
        ('where = { error = "too poor" }', "", "fits every answer"),
        ("statuses = { 200 = 201 }", "statuses = { ok = 201 }", "Expected `int`"),
        ("decimals = 2", "decimals = ", "is not TOML"),
    ],
)
def test_a_bad_mapping_file_is_refused_in_one_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in FILE
    with pytest.raises(MappingError) as refusal:
        _mapped(tmp_path, FILE.replace(old, new))
    told = str(refusal.value)
    assert said in told
    assert told.startswith("mapping.toml")
    assert "\n" not in told


@pytest.mark.parametrize(
    ("adapter", "source", "said"),
    [
        ("adapter", "", 'must be "module:Class"'),
        ("missing:Bank", "", 'must be "module:Class"'),
        ("mine:Bank", "", "no class 'Bank'"),
        ("mine:Bank", "class Bank: ...", "derives from"),
        ("mine:Bank", "import nothing_of_the_kind", "cannot be loaded"),
        (
            "mine:Bank",
            "from bank_conformance.mapping import Mapped\nclass Bank(Mapped): ...",
            'add mapping = "mapping.toml"',
        ),
    ],
)
def test_a_bad_adapter_is_refused_in_one_line(
    tmp_path: Path, adapter: str, source: str, said: str
) -> None:
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises(MappingError) as refusal:
        adapter_for(tmp_path, "", adapter)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_mapping_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="no such file beside the target file"):
        adapter_for(tmp_path, "mapping.toml", "")


def test_the_example_has_a_mapping_and_an_adapter_that_load() -> None:
    adapter = adapter_for(EXAMPLE, "mapping.toml", "adapter:PlainBank")
    assert adapter.translates
    assert adapter.offers("requestTransfer")
    assert adapter.lacks == {"keys", "versions", "numbers", "filters", "scopes"}


# In the target file


def _target(folder: Path, more: str) -> str:
    """Load a target file with a mapping, and return what is wrong with it."""
    (folder / "mapping.toml").write_text(FILE)
    file = folder / "target.toml"
    command = "command = 'mint {subject} {scope}'"
    file.write_text(f"[target]\nbase_url = 'http://127.0.0.1:1'\n{more}\n[token]\n{command}\n")
    try:
        load_target(file)
    except TargetError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("mapping = 'mapping.toml'", ""),
        ("mapping = 'maping.toml'", "maping.toml: no such file beside the target file"),
        ("adapter = 'mine:Bank'", 'must be "module:Class"'),
        ("mapping = 'mapping.toml'\n[hooks]\nstart = 'start'", "add [operations.ready]"),
    ],
)
def test_a_target_file_names_its_mapping(tmp_path: Path, more: str, said: str) -> None:
    told = _target(tmp_path, more)
    assert said in told
    assert bool(told) is bool(said)
    assert "\n" not in told
