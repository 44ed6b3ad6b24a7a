"""Several workers drive the same transfer, forward and back at once: it still ends in one way.

Not samples but every order of events there is: `explore` goes through all worlds that can come
about when three workers may each go on, lose an answer, run out of time, or crash and be replaced,
and whatever the outside does meanwhile. In every one of them nothing is spent twice; and from
every one of them a worker who picks the transfer up brings it to one end.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from ourbank.application.saga import cancelled_by
from ourbank.domain.entry import FundsCredited, FundsDebited
from ourbank.domain.ledger import ControlAccount, postings
from ourbank.domain.lifecycle import (
    AccountClosed,
    CloseAccount,
    FreezeAccount,
    FreezeScope,
    MarkAccountDormant,
)
from ourbank.domain.transfer import (
    TransferCancelled,
    TransferCompensationStarted,
    TransferCompleted,
    TransferExpired,
    TransferFailed,
    TransferRejected,
    TransferStatus,
)

from tests.application.world import Driver, World, driven, explore, found, order, requested
from tests.domain.samples import NOW, credited, funded, opened

ENDS = (TransferCompleted, TransferRejected, TransferFailed, TransferCancelled, TransferExpired)
TOTAL, AMOUNT = 100, 40
CANCEL = cancelled_by("the payer")


BEFORE = World().recorded(
    *(("acc_1", event) for event in funded(TOTAL)), ("acc_2", opened(account_id="acc_2"))
)
TRANSFER = requested(BEFORE, order("trf_1", "acc_1", "acc_2", AMOUNT))
COMPLETED = driven(TRANSFER, found(TRANSFER, "trf_1"))
REVERSAL = requested(COMPLETED, order("trf_2", "acc_2", "acc_1", AMOUNT, reverses="trf_1"))
TWO_REVERSALS = requested(
    requested(
        COMPLETED.recorded(("acc_2", credited(AMOUNT, 2, 2 * AMOUNT, account_id="acc_2"))),
        order("trf_2", "acc_2", "acc_1", AMOUNT, reverses="trf_1"),
    ),
    order("trf_3", "acc_2", "acc_1", AMOUNT, reverses="trf_1"),
)


@dataclass(frozen=True)
class Scenario:
    """Where it starts, what the outside does meanwhile, and every way in which it may end."""

    start: World
    transfer_id: str
    ends: frozenset[TransferStatus]
    outside: tuple[tuple[str, Any], ...] = ()


DONE = TransferStatus.COMPLETED
TURNED = frozenset({TransferStatus.EXPIRED, TransferStatus.CANCELLED})
FAILED = TURNED | {TransferStatus.FAILED}
SCENARIOS = {
    "plain": Scenario(TRANSFER, "trf_1", TURNED | {DONE}),
    "creditor unknown": Scenario(
        requested(BEFORE, order("trf_1", "acc_1", "acc_9", AMOUNT)), "trf_1", FAILED
    ),
    "creditor closed": Scenario(TRANSFER.recorded(("acc_2", AccountClosed(NOW))), "trf_1", FAILED),
    "creditor closes meanwhile": Scenario(
        TRANSFER, "trf_1", FAILED | {DONE}, (("acc_2", CloseAccount(NOW)),)
    ),
    "creditor is frozen meanwhile": Scenario(
        TRANSFER, "trf_1", FAILED | {DONE}, (("acc_2", FreezeAccount(FreezeScope.ALL, NOW)),)
    ),
    "debtor is frozen meanwhile": Scenario(
        TRANSFER, "trf_1", TURNED | {DONE}, (("acc_1", FreezeAccount(FreezeScope.ALL, NOW)),)
    ),
    "debtor falls asleep meanwhile": Scenario(
        TRANSFER, "trf_1", TURNED | {DONE}, (("acc_1", MarkAccountDormant(NOW)),)
    ),
    "reversal": Scenario(REVERSAL, "trf_2", TURNED | {DONE}),
    "reversal, payer frozen": Scenario(
        REVERSAL, "trf_2", FAILED | {DONE}, (("acc_1", FreezeAccount(FreezeScope.CREDIT, NOW)),)
    ),
    "reversal of what never completed": Scenario(
        requested(TRANSFER, order("trf_2", "acc_1", "acc_2", 10, reverses="trf_1")),
        "trf_2",
        FAILED,
    ),
}


def workers(scenario: Scenario) -> tuple[Driver, ...]:
    """Two who found the transfer, and one whom the payer told to turn back."""
    forward = found(scenario.start, scenario.transfer_id)
    return forward, forward, Driver(scenario.transfer_id, CANCEL)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_in_every_order_nothing_is_spent_twice_and_it_ends_in_one_way(scenario: Scenario) -> None:
    ends: dict[World, TransferStatus] = {}
    for world, drivers, _ in explore(scenario.start, workers(scenario), scenario.outside):
        ended = world.transfer(scenario.transfer_id).has_ended
        assert ended or all(driver.step is not None for driver in drivers)
        if world not in ends:
            ends[world] = end_of(scenario, world)
    assert set(ends.values()) == scenario.ends


def end_of(scenario: Scenario, world: World) -> TransferStatus:
    """What becomes of it when a worker picks it up here; the money is looked at on the way."""
    keeps_the_money(scenario, world)
    end = driven(world, found(world, scenario.transfer_id))
    keeps_the_money(scenario, end)
    has_ended_once(scenario, end)
    return end.transfer(scenario.transfer_id).status


def keeps_the_money(scenario: Scenario, world: World) -> None:
    """What can be spent is never more than there was; what is in transit is what was credited
    and not debited yet.
    """
    names = [name for name in world.streams if name.startswith("acc")]
    accounts = [world.account(name) for name in names]
    amount_minor = world.transfer(scenario.transfer_id).amount_minor
    before_minor = sum(scenario.start.account(name).booked_minor for name in names)
    assert sum(a.available_minor for a in accounts) <= before_minor
    assert in_transit_minor(world) in (0, -amount_minor)
    assert sum(a.booked_minor for a in accounts) == before_minor - in_transit_minor(world)


def has_ended_once(scenario: Scenario, world: World) -> None:
    own = world.streams[scenario.transfer_id]
    assert sum(isinstance(event, ENDS) for event in own) == 1
    transfer = world.transfer(scenario.transfer_id)
    assert transfer.code != "claim-voided"  # how workers tell each other, not why it ended
    assert scenario.transfer_id not in world.account(transfer.source_account_id).holds
    assert in_transit_minor(world) == 0
    completed = transfer.status is DONE
    assert not (completed and any(isinstance(one, TransferCompensationStarted) for one in own))
    assert entries(world, scenario.transfer_id) == 2 * completed
    if transfer.reverses is not None:
        claimed_by = world.transfer(transfer.reverses).reversed_by
        assert (claimed_by == scenario.transfer_id) == completed


def in_transit_minor(world: World) -> int:
    return sum(
        posting.amount_minor
        for stream in world.streams.values()
        for e in stream
        if isinstance(e, FundsCredited | FundsDebited)
        for posting in postings(e.account_id, e.code, e.amount_minor, e.currency)
        if posting.account == ControlAccount.IN_TRANSIT
    )


def entries(world: World, transfer_id: str) -> int:
    """Entries of one transfer, on whichever account."""
    return sum(
        isinstance(event, FundsCredited | FundsDebited) and event.transfer_id == transfer_id
        for stream in world.streams.values()
        for event in stream
    )


def test_of_two_reversals_at_once_at_most_one_pays_and_it_is_the_one_that_is_named() -> None:
    ids = ("trf_2", "trf_3")
    drivers = [found(TWO_REVERSALS, transfer_id) for transfer_id in ids]
    endings = set()
    for world in {world for world, *_ in explore(TWO_REVERSALS, drivers)}:
        first = driven(world, found(world, ids[0]))
        end = driven(first, found(first, ids[1]))
        paid = [name for name in ids if end.transfer(name).status is DONE]
        assert end.transfer("trf_1").reversed_by == (paid[0] if paid else None)
        assert len(paid) <= 1
        assert not end.account("acc_2").holds
        assert in_transit_minor(end) == 0
        endings.add(tuple(paid))
    assert endings == {("trf_2",), ("trf_3",), ()}
