"""CON-4, CON-10 and DUR-4: what they find in records made by hand, and how much is enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from bank_conformance.bank.shapes import Entry, FeedEvent, Transfer
from bank_conformance.deciders.folding import SAME
from bank_conformance.history import History, Operation
from bank_conformance.requirements.projection import (
    exactly_once,
    identical_when_rebuilt,
    read_models_are_folds,
)
from bank_conformance.verdict import Decision, Verdict
from bank_conformance.workloads.power import Outage
from bank_conformance.workloads.projection import Projection
from bank_conformance.workloads.rebuild import Rebuild
from builders import ACCOUNT, operation

TIME = "2026-11-23T00:00:00Z"
URLS = {
    "listEntries": "/v1/accounts/acc_1/entries",
    "listAccounts": "/v1/accounts?customer_id=cus_1",
    "listTransfers": "/v1/transfers?account_id=acc_1",
}
Rows = list[Any]


def _event(stream_id: str, version: int, kind: str, **data: Any) -> FeedEvent:
    return FeedEvent(0, version, stream_id, version, kind, 1, TIME, data, [])


def _entry(number: int, transfer_id: str | None) -> Entry:
    return Entry(
        "acc_1", number, number, "CRDT", "TRANSFER_IN", 1, "EUR", number, TIME, "2026-11-23",
        transfer_id,
    )  # fmt: skip


class Books:
    """What a healthy bank booked on one account, and how it shows it; parts can be left out."""

    def __init__(
        self, *, entries: int = 60, transfers: int = 15, events: int = 100, lists: int = 30,
        at_rest: int = 9, kills: int = 3,
    ) -> None:  # fmt: skip
        ids = [f"trf_{number}" for number in range(transfers)]
        self.entries = [
            _entry(number + 1, ids[number] if number < transfers else None)
            for number in range(entries)
        ]
        self.log = [
            _event(
                "acc_1",
                one.sequence,
                "FundsCredited",
                **{name: getattr(one, name) for name in SAME},
            )
            for one in self.entries
        ]
        self.log += [_event(one, 1, "TransferCompleted") for one in ids]
        more = range(events - len(self.log))
        self.log += [_event("acc_1", entries + 1 + one, "AccountFrozen") for one in more]
        self.transfers = [Transfer(one, "COMPLETED", "acc_2", "acc_1", 1, 1) for one in ids]
        version = max(one.version for one in self.log if one.stream_id == "acc_1")
        self.account = msgspec.structs.replace(
            ACCOUNT, version=version, sequence=entries, booked_minor=entries
        )
        self.lists, self.at_rest, self.kills = lists, at_rest, kills

    def rows(self, route: str) -> Rows:
        shown: dict[str, Rows] = {
            "listEntries": self.entries,
            "listAccounts": [self.account],
            "listTransfers": self.transfers,
        }
        return shown[route]

    def record(self, **at_rest: Rows) -> Projection:
        """What was seen of it, with other rows `at_rest` in the lists that are named."""
        history = History("projection")
        record = Projection(history, ["acc_1"], outages=[Outage(0, 0, 0)] * self.kills)
        record.rest.accounts, record.rest.entries = {"acc_1": self.account}, {"acc_1": self.entries}
        record.rest.events = self.log
        record.lists = [page(history, "listEntries", self.entries[:1])] * self.lists
        routes = [*URLS, *["listTransfers"] * 6][: self.at_rest]
        record.at_rest = [page(history, one, at_rest.get(one, self.rows(one))) for one in routes]
        return record


def page(history: History, route: str, rows: Rows, cursor: str | None = None) -> Operation:
    items = {"items": msgspec.to_builtins(rows), "next": cursor}
    return operation(history, url=URLS[route], route=route, answer=items)


def decisions(record: Projection) -> dict[str, Decision]:
    return {"CON-4": read_models_are_folds(record), "DUR-4": exactly_once(record)}


MINIMA = {
    "CON-4": {"lists": "lists read", "entries": "entries compared", "events": "feed events",
              "transfers": "transfers in the log", "at_rest": "lists read at rest"},
    "DUR-4": {"kills": "kills", "entries": "entries in the log",
              "transfers": "transfers in the log", "at_rest": "lists read at rest"},
}  # fmt: skip
"""What each of them must have seen enough of, by the part of the books that it comes from."""


@pytest.mark.parametrize(
    ("name", "part"), [(name, part) for name, parts in MINIMA.items() for part in parts]
)
def test_one_less_than_enough_is_inconclusive(name: str, part: str) -> None:
    enough = {"lists": 30, "entries": 60, "transfers": 15, "events": 100, "at_rest": 9, "kills": 3}
    just = decisions(Books(**enough).record())[name]
    assert just.verdict is Verdict.PASS, just.reason
    short = decisions(Books(**enough | {part: enough[part] - 1}).record())[name]
    assert short.verdict is Verdict.INCONCLUSIVE
    missed = [one.what for one in short.coverage if not one.enough]
    assert missed == [MINIMA[name][part]]


def _found(record: Projection) -> dict[str, list[str]]:
    return {
        name: [one.evidence for one in found.findings] for name, found in decisions(record).items()
    }


FEW = {"entries": 3, "transfers": 2, "events": 8}


def _wrong_rows() -> dict[str, tuple[str, Rows]]:
    """Rows that no bank may show, each with the first words of what is wrong with it."""
    books = Books(**FEW)
    entry, transfer = books.entries[0], books.transfers[0]
    wrong = {
        "listEntries": msgspec.structs.replace(entry, amount_minor=9),
        "listAccounts": msgspec.structs.replace(books.account, booked_minor=9),
        "listTransfers": msgspec.structs.replace(transfer, transfer_id="trf_invented"),
    }
    return {
        "listEntries": ("entry 1 of acc_1: amount_minor", [wrong["listEntries"]]),
        "listAccounts": ("acc_1", [wrong["listAccounts"]]),
        "listTransfers": ("trf_invented", [*books.transfers, wrong["listTransfers"]]),
    }


@pytest.mark.parametrize(("route", "text", "rows"), [(k, *v) for k, v in _wrong_rows().items()])
def test_a_wrong_row_is_found_meanwhile_and_at_rest_in_every_list(
    route: str, text: str, rows: Rows
) -> None:
    meanwhile = Books(**FEW).record()
    meanwhile.lists.append(page(meanwhile.history, route, rows))
    found = _found(meanwhile)
    assert [one.startswith(text) for one in found["CON-4"]] == [True]
    assert found["DUR-4"] == []
    for told in _found(Books(**FEW).record(**{route: rows})).values():
        assert told
        assert all(one.startswith(text) for one in told)


def _but(rows: Rows, **changes: Any) -> Rows:
    return [msgspec.structs.replace(rows[0], **changes), *rows[1:]]


@pytest.mark.parametrize(
    ("route", "rows", "text"),
    [
        ("listTransfers", lambda all_: all_[1:], "1 transfers are missing"),
        ("listTransfers", lambda all_: [*all_, all_[0]], "trf_0 stands 2 times"),
        ("listTransfers", lambda all_: _but(all_, target_account_id="acc_3"), "of other accounts"),
        ("listTransfers", lambda all_: _but(all_, state="RESERVED"), "RESERVED, the log says"),
        ("listAccounts", lambda _: [], "acc_1 stands 0 times"),
        ("listAccounts", lambda all_: all_ * 2, "acc_1 stands 2 times"),
        ("listAccounts", lambda all_: _but(all_, held_minor=777), "held_minor 0 → 777"),
        ("listAccounts", lambda all_: _but(all_, sequence=2), "sequence 3 → 2"),
        ("listAccounts", lambda all_: _but(all_, booked_minor=2), "booked_minor 3 → 2"),
        ("listAccounts", lambda all_: _but(all_, version=5), "version 6 → 5"),
    ],
)
def test_at_rest_everything_stands_once_and_at_its_end(
    route: str, rows: Callable[[Rows], Rows], text: str
) -> None:
    books = Books(**FEW)
    for told in _found(books.record(**{route: rows(books.rows(route))})).values():
        assert any(text in one for one in told), told


def test_a_row_behind_the_log_is_right_meanwhile_and_wrong_at_rest() -> None:
    books = Books(**FEW)
    books.log.append(_event("trf_0", 2, "TransferReversed"))
    books.log.append(_event("acc_1", 7, "AccountFrozen"))
    record = books.record()
    record.lists, record.at_rest = record.at_rest, record.at_rest[:3]
    for told in _found(record).values():
        assert told == [
            "acc_1 in the list of accounts: version 6 of 7",
            "trf_0 stands at version 1 of 2 in the list of acc_1",
        ]


def test_accounts_without_versions_are_compared_by_what_they_show() -> None:
    books = Books(**FEW)
    books.account = msgspec.structs.replace(books.account, version=None, sequence=None)
    assert not any(_found(books.record()).values())
    books.account = msgspec.structs.replace(books.account, booked_minor=2)
    for told in _found(books.record()).values():
        assert told == ["acc_1 in the list of accounts: 2 of 3 booked"]


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        (lambda all_: all_[:2], "acc_1: 1 of 3 entries are missing: [3]"),
        (lambda all_: [*all_, all_[2]], "place 4 of the history of acc_1 shows entry 3"),
    ],
)
def test_the_history_at_rest_is_the_log(entries: Callable[[Rows], Rows], text: str) -> None:
    record = Books(**FEW).record()
    record.rest.entries["acc_1"] = entries(record.rest.entries["acc_1"])
    for told in _found(record).values():
        assert told == [text]


def test_a_log_that_books_a_sequence_twice_is_found() -> None:
    books = Books(**FEW)
    books.log.append(msgspec.structs.replace(books.log[0], version=7, position=7))
    books.account = msgspec.structs.replace(books.account, version=7)
    for told in _found(books.record()).values():
        assert told == ["acc_1: version 7 books entry 1 again"]


def test_a_list_in_several_pages_is_not_said_to_lack_anything() -> None:
    record = Books(**FEW).record()
    record.at_rest = [page(record.history, "listTransfers", [], cursor="more")]
    assert not any(_found(record).values())
    for found in decisions(record).values():
        assert "0 lists read at rest (of 9)" in [str(one) for one in found.coverage]


def test_a_log_that_was_not_read_to_its_end_decides_nothing() -> None:
    record = Books(**FEW).record(listTransfers=[])
    record.rest.doubt = "the feed lacks the last entries of acc_1"
    for found in decisions(record).values():
        assert found.verdict is Verdict.INCONCLUSIVE
        assert found.reason == record.rest.doubt


# CON-10


def _reading(history: History, rows: int = 1, **row: Any) -> Operation:
    items = [{"sequence": 1, "as_of": str(len(history)), **row}] * rows
    return operation(history, route="listEntries", answer={"items": items})


def test_a_rebuild_may_change_nothing_but_the_time_of_the_reading() -> None:
    history = History("rebuild")
    before = _reading(history, code="FEE")
    same = Rebuild(history, [before], [_reading(history, code="FEE")])
    assert identical_when_rebuilt(same).findings == ()
    for after, text in (
        (_reading(history, code="INTEREST"), "row 1 differs in code"),
        (_reading(history, rows=0), "row 1 is gone"),
        (_reading(history, rows=2, code="FEE"), "row 2 is new"),
        (operation(history, route="listEntries", status=503), "became (503, None)"),
    ):
        found = identical_when_rebuilt(Rebuild(history, [before], [after])).findings
        assert text in found[0].evidence


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([6] * 10, Verdict.PASS),
        ([7] * 9, Verdict.INCONCLUSIVE),
        ([*[6] * 9, 5], Verdict.INCONCLUSIVE),
    ],
)
def test_a_rebuild_of_too_little_is_inconclusive(rows: list[int], verdict: Verdict) -> None:
    history = History("rebuild")
    readings = [_reading(history, count) for count in rows]
    assert identical_when_rebuilt(Rebuild(history, readings, readings)).verdict is verdict
