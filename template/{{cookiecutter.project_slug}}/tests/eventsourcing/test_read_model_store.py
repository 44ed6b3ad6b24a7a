"""The contract of the stores behind projections and leases; both adapters keep it."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.memory_projection import (
    MemoryLeases,
    MemoryReadModels,
)
from ourbank.eventsourcing.postgres_projection import (
    PostgresLeases,
    PostgresReadModels,
)
from ourbank.eventsourcing.projection import (
    NO_LEASE,
    Advance,
    Changes,
    CheckpointMovedError,
    Key,
)

from .shelves import LEVELS, LevelRow, shelves
from tests.conftest import PARTITIONS

NAME = LEVELS.name
LONG_SECONDS = 60.0


@dataclass
class Stores:
    """A read model store and the leases it looks at."""

    read_models: Any
    leases: Any

    async def advance(
        self, before: int, after: int, *, epoch: int = NO_LEASE, changes: Changes | None = None
    ) -> None:
        """One step of the one read model in partition 0."""
        advances = [Advance(NAME, 0, epoch, before, after)]
        await self.read_models.commit({NAME: LEVELS}, {NAME: changes or Changes()}, advances)

    async def rows(self, *jars: str) -> dict[Key, Any]:
        """What is stored of these."""
        found: dict[Key, Any] = await self.read_models.load(LEVELS, [(jar,) for jar in jars])
        return found


@pytest.fixture
async def postgres_stores(database: AsyncEngine) -> AsyncIterator[Stores]:
    async with shelves(database):
        yield Stores(PostgresReadModels(database), PostgresLeases(database))


@pytest.fixture
def stores(kind: str, request: pytest.FixtureRequest) -> Stores:
    if kind == "memory":
        leases = MemoryLeases(PARTITIONS, time.monotonic)
        return Stores(MemoryReadModels(leases), leases)
    postgres: Stores = request.getfixturevalue("postgres_stores")
    return postgres


def written(jar: str, level: int) -> Changes:
    return Changes({(jar,): LevelRow(jar, level, 1)})


async def test_a_checkpoint_begins_at_nought_and_moves_with_its_rows(stores: Stores) -> None:
    assert await stores.read_models.checkpoints(0, [NAME]) == {NAME: 0}
    await stores.advance(0, 5, changes=written("jar_a", 3))
    assert await stores.read_models.checkpoints(0, [NAME]) == {NAME: 5}
    assert await stores.read_models.positions(NAME) == {0: 5}
    assert await stores.rows("jar_a", "jar_b") == {("jar_a",): LevelRow("jar_a", 3, 1)}


async def test_a_row_is_replaced_and_goes(stores: Stores) -> None:
    await stores.read_models.checkpoints(0, [NAME])
    await stores.advance(0, 1, changes=written("jar_a", 1))
    await stores.advance(1, 2, changes=written("jar_a", 2))
    assert (await stores.rows("jar_a"))["jar_a",].level == 2
    await stores.advance(2, 3, changes=Changes({("jar_a",): None}))
    assert await stores.rows("jar_a") == {}


async def test_what_is_loaded_is_a_copy(stores: Stores) -> None:
    await stores.read_models.checkpoints(0, [NAME])
    await stores.advance(0, 1, changes=written("jar_a", 1))
    (await stores.rows("jar_a"))["jar_a",].level = 9
    assert (await stores.rows("jar_a"))["jar_a",].level == 1


@pytest.mark.parametrize("before", [0, 4, 6])
async def test_a_checkpoint_that_moved_writes_nothing(stores: Stores, before: int) -> None:
    await stores.read_models.checkpoints(0, [NAME])
    await stores.advance(0, 5)
    with pytest.raises(CheckpointMovedError):
        await stores.advance(before, 7, changes=written("jar_a", 1))
    assert await stores.rows("jar_a") == {}
    assert await stores.read_models.positions(NAME) == {0: 5}


async def test_a_checkpoint_that_never_began_does_not_move(stores: Stores) -> None:
    with pytest.raises(CheckpointMovedError):
        await stores.advance(0, 1)


async def test_an_epoch_of_the_past_writes_nothing(stores: Stores) -> None:
    await stores.read_models.checkpoints(0, [NAME])
    (epoch,) = (await stores.leases.claim("a", 1, LONG_SECONDS)).values()
    await stores.advance(0, 1, epoch=epoch)
    await stores.leases.release("a", [0])
    await stores.leases.claim("b", 1, LONG_SECONDS)
    with pytest.raises(CheckpointMovedError):
        await stores.advance(1, 2, epoch=epoch, changes=written("jar_a", 1))
    await stores.advance(1, 2, epoch=epoch + 1)
    assert await stores.rows("jar_a") == {}


async def test_parked_keys_are_told_by_partition(stores: Stores) -> None:
    await stores.read_models.checkpoints(0, [NAME])
    event = Recorded(0, 1, "jar_a", 1, "Filled", 1, datetime.now(UTC), "{}", "{}")
    await stores.advance(0, 1, changes=Changes(parked=[(("jar_a",), event, "ValueError")]))
    assert await stores.read_models.parked(0, NAME) == {("jar_a",)}
    assert await stores.read_models.parked(1, NAME) == set()


async def test_a_follower_keeps_what_began_and_only_forward(stores: Stores) -> None:
    await stores.read_models.keep("saga", {0: 3})
    assert await stores.read_models.checkpoints(0, ["saga"]) == {"saga": 0}
    await stores.read_models.keep("saga", {0: 7})
    await stores.read_models.keep("saga", {0: 4})
    assert await stores.read_models.checkpoints(0, ["saga"]) == {"saga": 7}


async def test_every_claim_has_a_new_epoch_and_takes_only_what_is_free(stores: Stores) -> None:
    store = stores.leases
    assert await store.claim("a", 3, LONG_SECONDS) == dict.fromkeys(range(3), 1)
    assert await store.claim("b", 9, LONG_SECONDS) == {3: 1}
    await store.release("a", [0, 3])  # 3 is not a's to give up
    assert await store.claim("b", 9, LONG_SECONDS) == {0: 2}
    assert (await store.renew("a", LONG_SECONDS))[0] == {1: 1, 2: 1}


async def test_a_lease_that_has_ended_is_not_renewed(stores: Stores) -> None:
    await stores.leases.claim("a", 1, 0)
    held, share = await stores.leases.renew("a", LONG_SECONDS)
    assert held == {}
    assert share == PARTITIONS


async def test_the_share_counts_the_living_and_is_rounded_up(stores: Stores) -> None:
    store = stores.leases
    shares = [(await store.renew(owner, LONG_SECONDS))[1] for owner in "abc"]
    assert shares == [4, 2, 2]
    await store.renew("c", 0)  # dead at once
    await asyncio.sleep(0.002)
    assert (await store.renew("a", LONG_SECONDS))[1] == 2
    await store.leave("b")
    assert (await store.renew("a", LONG_SECONDS))[1] == 4
