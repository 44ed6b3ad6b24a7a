"""QRY-2: traversals against brute force, and on records made by hand."""

from __future__ import annotations

import pytest
from bank_conformance.bank.shapes import Entry
from bank_conformance.deciders.filters import FILTERS, matches, wrong
from bank_conformance.history import History
from bank_conformance.requirements.queries import complete_and_stable
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.paging import Paging, Traversal
from builders import entry, operation
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict
from msgspec.structs import replace as with_

AFTER = [entry(n + 1, n, "CRDT" if n % 2 else "DBIT", n) for n in range(1, 7)]


@given(
    st.lists(st.integers(1, 6), max_size=7),
    st.integers(0, 6),
    st.sampled_from([{}, {"direction": "CRDT"}, {"min_amount_minor": 3}]),
    st.sampled_from(["asc", "desc"]),
)
def test_a_traversal_is_right_exactly_when_it_is_the_matches_up_to_some_entry(
    numbers: list[int], before: int, query: dict[str, object], order: str
) -> None:
    shown = [AFTER[number - 1] for number in numbers]
    matching = [one for one in AFTER if matches(one, query)]
    right = [[one for one in matching if one.sequence <= newest] for newest in range(before, 7)]
    if order == "desc":
        right = [list(reversed(one)) for one in right]
    assert (not wrong(shown, query | {"order": order}, before, AFTER)) == (shown in right)


ONE = with_(
    entry(2, 1, "CRDT", 20, transfer_id="trf_1", counterparty="acc_9", narrative="Weekly Food"),
    code="TRANSFER_IN",
    booking_time="2026-11-23T10:00:00+00:00",
)


@pytest.mark.parametrize(
    ("name", "passes", "fails"),
    [
        ("booked_from", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00.001Z"),
        ("booked_to", "2026-11-23T11:00:01+01:00", "2026-11-23T10:00:00Z"),
        ("value_from", "2026-11-23", "2026-11-24"),
        ("value_to", "2026-11-24", "2026-11-23"),
        ("code", "TRANSFER_IN", "TRANSFER_OUT"),
        ("direction", "CRDT", "DBIT"),
        ("min_amount_minor", "20", "21"),
        ("max_amount_minor", "20", "19"),
        ("counterparty", "acc_9", "acc_8"),
        ("transfer_id", "trf_1", "trf_2"),
        ("text", "fOOD", "foods"),
    ],
)
def test_a_filter_is_what_the_contract_says(name: str, passes: str, fails: str) -> None:
    assert matches(ONE, {name: passes})
    assert not matches(ONE, {name: fails})
    assert name in FILTERS


def _paging(*pages: list[Entry], ended: bool = True, before: int = 4) -> Paging:
    history = History("paging")
    told = [
        operation(
            history, route="listEntries", answer={"items": [*map(asdict, page)], "next": None}
        )
        for page in pages
    ]
    traversal = Traversal({"order": "desc"}, tuple(told), ended)
    return Paging(history, "acc_1", AFTER[:before], AFTER, [traversal])


DOWN = list(reversed(AFTER))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_paging(DOWN[:3], DOWN[3:]), ""),
        (_paging(DOWN[2:4], DOWN[4:]), ""),
        (_paging(DOWN[1:4], DOWN[3:]), "1 entries are shown twice"),
        (_paging(DOWN[:3], DOWN[4:]), "1 are missing, the first is 3"),
        (_paging(DOWN[3:]), "1 are missing, the first is 4"),
        (_paging(DOWN[3:], DOWN[:3]), "the order is not that of the sequence"),
        (_paging([with_(DOWN[0], amount_minor=99), *DOWN[1:]]), "otherwise than later"),
        (_paging(DOWN, ended=False), "it does not end"),
    ],
)
def test_the_pages_of_a_list_that_grows_are_complete_and_stable(record: Paging, said: str) -> None:
    found = " ".join(finding.evidence for finding in complete_and_stable(record).findings)
    assert said in found
    assert bool(said) == bool(found)
    assert complete_and_stable(record).verdict is not Verdict.PASS
