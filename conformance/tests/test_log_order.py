"""ORD-5 and ORD-6: the live tail against brute force, and records made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from bank_conformance.bank.shapes import Entry, FeedEvent
from bank_conformance.deciders.live_tail import late
from bank_conformance.history import History
from bank_conformance.requirements.log_order import histories_follow_the_log, nothing_appears_behind
from bank_conformance.verdict import Verdict
from bank_conformance.workloads.contention import Contention
from bank_conformance.workloads.rest import Scan
from bank_conformance.workloads.tail import Delivery
from builders import ACCOUNT, entry, operation
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict
from msgspec.structs import replace as with_

LOG = [entry(2, 1, "CRDT", 10), entry(3, 2, "DBIT", 4), entry(5, 3, "CRDT", 1)]
ONE, TWO, THREE = LOG
OTHER = with_(TWO, amount_minor=9)


def _event(position: int, partition: int = 0, kind: str = "X", **data: int) -> FeedEvent:
    return FeedEvent(partition, position, "acc_1", position, kind, 1, "", data, [])


# ORD-5


def _record(*pages: tuple[str, list[Entry]], events: list[FeedEvent] | None = None) -> Contention:
    history = History("contention")
    for query, entries in pages:
        url, answer = f"/v1/accounts/acc_1/entries?{query}", {"items": [asdict(e) for e in entries]}
        operation(history, url=url, route="listEntries", answer=answer | {"next": None})
    scan = Scan({"acc_1": LOG}, {"acc_1": ACCOUNT}, events)
    return Contention(history, ["acc_1"], [scan])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_record(("", LOG)), ""),
        (_record(("", [ONE])), ""),
        (_record(("", [])), ""),
        (_record(("order=desc", [THREE, TWO])), ""),
        (_record(("cursor=x", [TWO, THREE])), ""),
        (_record(("", [ONE, THREE])), "sequence 3 is shown where 2 comes"),
        (_record(("", [TWO, THREE])), "sequence 2 is shown where 1 comes"),
        (_record(("", [TWO, ONE])), "sequence 2 is shown where 1 comes"),
        (_record(("order=desc", [ONE, TWO])), "sequence 1 is shown where 3 comes"),
        (_record(("order=desc", [THREE, ONE])), "sequence 3 is shown where 2 comes"),
        (_record(("", [ONE, OTHER])), "entry 2: amount_minor 9 → 4"),
    ],
)
def test_a_page_shows_the_log_in_its_order(record: Contention, said: str) -> None:
    found = " ".join(finding.evidence for finding in histories_follow_the_log(record).findings)
    assert said in found
    assert bool(said) == bool(found)


def test_a_feed_in_another_order_than_the_sequences_fails_ord_5() -> None:
    fed = [_event(place + 1, kind="FundsCredited", sequence=n) for place, n in enumerate((1, 3, 2))]
    assert "sequence 3 comes in the feed" in histories_follow_the_log(_record(events=fed)).reason
    assert histories_follow_the_log(_record(("", LOG))).verdict is Verdict.INCONCLUSIVE


# ORD-6

places = st.tuples(st.integers(0, 1), st.integers(1, 4))


@given(st.lists(places, max_size=6), st.sets(places))
def test_nothing_is_late_exactly_when_the_deliveries_are_a_prefix(
    told: list[tuple[int, int]], logged: set[tuple[int, int]]
) -> None:
    final = [_event(position, partition) for partition, position in sorted(logged)]
    delivered = [_event(position, partition) for partition, position in told]
    prefix = True
    for partition in (0, 1):
        ours = [event.position for event in delivered if event.partition == partition]
        theirs = [event.position for event in final if event.partition == partition]
        due = [position for position in theirs if position <= max(ours, default=0)]
        known = [position for position in ours if position <= max(theirs, default=0)]
        prefix &= ours == sorted(set(ours)) and known == due
    assert (not late(delivered, final)) == prefix


@pytest.mark.parametrize(
    ("delivered", "final", "said"),
    [
        ([1, 2], [1, 2, 3], ""),
        ([1, 3], [1, 2, 3], "position 2 (X) appeared behind a position already delivered"),
        ([1, 3, 2], [1, 2, 3], "position 2 (X) was delivered behind a later one"),
        ([1, 2, 3], [1, 3], "position 2 (X) was delivered and is gone"),
        ([1, 1], [1], "position 1 (X) was delivered behind"),
    ],
)
def test_what_appears_behind_a_delivery_fails_ord_6(
    delivered: list[int], final: list[int], said: str
) -> None:
    record: Any = _record(events=[_event(position) for position in final])
    read = operation(record.history, route="readEvents")
    record.tail = [Delivery(_event(position), read.index) for position in delivered]
    found = nothing_appears_behind(record)
    assert said in " ".join(finding.evidence for finding in found.findings)
    assert bool(said) == bool(found.findings)
    assert found.verdict is not Verdict.PASS


def test_an_event_that_changed_since_it_was_delivered_fails_ord_6() -> None:
    assert [one.how for one in late([_event(1)], [_event(1, kind="Y")])] == [
        "is another one than was delivered"
    ]
