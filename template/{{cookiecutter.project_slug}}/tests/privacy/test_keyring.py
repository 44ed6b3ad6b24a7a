"""The key ring is bounded, asks once for many, and follows erasures within its time."""

import asyncio
import gc
from collections.abc import Collection
from datetime import UTC, datetime

import pytest

from ourbank.privacy.keyring import STALENESS_SECONDS_MAX, KeyRing
from ourbank.privacy.memory import MemoryKeyVault
from ourbank.privacy.sealing import DataKey
from ourbank.privacy.vault import (
    SubjectErasedError,
    SubjectExistsError,
    SubjectUnknownError,
    Tombstone,
    VaultUnavailableError,
)

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class WatchedVault(MemoryKeyVault):
    """Counts what the ring asks, and can be slow or away."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[set[str]] = []
        self.create_count = 0
        self.head_count = 0
        self.is_away = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.ledger_gate = asyncio.Event()
        self.ledger_gate.set()

    async def create(self, subjects: Collection[str]) -> dict[str, DataKey]:
        self.create_count += 1
        return await super().create(subjects)

    async def load(self, subjects: Collection[str]) -> dict[str, DataKey]:
        if self.is_away:
            raise VaultUnavailableError("away")
        self.loads.append(set(subjects))
        keys = await super().load(subjects)
        await self.gate.wait()
        return keys

    async def ledger(self, after: int, limit: int) -> list[Tombstone]:
        page = await super().ledger(after, limit)
        if after:
            await self.ledger_gate.wait()
        return page

    async def ledger_head(self) -> int:
        if self.is_away:
            raise VaultUnavailableError("away")
        self.head_count += 1
        await asyncio.sleep(0)
        return await super().ledger_head()


class Clock:
    """Monotonic seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def vault() -> WatchedVault:
    vault = WatchedVault()
    await vault.create(["cus_a", "cus_b", "cus_c"])
    return vault


@pytest.fixture
def ring(vault: WatchedVault, clock: Clock) -> KeyRing:
    return KeyRing(vault, clock, staleness_seconds_max=2.0)


async def test_a_key_is_loaded_once(ring: KeyRing, vault: WatchedVault) -> None:
    first = await ring.load(["cus_a"])
    assert await ring.load(["cus_a"]) == first == await vault.load(["cus_a"])
    assert vault.loads == [{"cus_a"}, {"cus_a"}]  # the ring's, and the one above


async def test_only_what_is_missing_is_asked_for(ring: KeyRing, vault: WatchedVault) -> None:
    await ring.load(["cus_a"])
    assert (await ring.load(["cus_a", "cus_b", "cus_x"])).keys() == {"cus_a", "cus_b"}
    assert vault.loads == [{"cus_a"}, {"cus_b", "cus_x"}]


async def test_look_ups_at_the_same_time_are_one_query(ring: KeyRing, vault: WatchedVault) -> None:
    both = await asyncio.gather(ring.load(["cus_a"]), ring.load(["cus_b", "cus_a"]))
    assert [keys.keys() for keys in both] == [{"cus_a"}, {"cus_a", "cus_b"}]
    assert vault.loads == [{"cus_a", "cus_b"}]
    assert vault.head_count == 1


async def test_while_a_query_runs_the_next_one_gathers(ring: KeyRing, vault: WatchedVault) -> None:
    vault.gate.clear()
    first = asyncio.create_task(ring.load(["cus_a"]))
    await _until(lambda: len(vault.loads) == 1)
    later = []
    for subject in ("cus_b", "cus_c"):
        later.append(asyncio.create_task(ring.load([subject])))
        await _turns()
    vault.gate.set()
    await asyncio.gather(first, *later)
    assert vault.loads == [{"cus_a"}, {"cus_b", "cus_c"}]


async def test_who_gives_up_waiting_does_not_spoil_it_for_others(
    ring: KeyRing, vault: WatchedVault
) -> None:
    vault.gate.clear()
    impatient, patient = (asyncio.create_task(ring.load(["cus_a"])) for _ in range(2))
    await _until(lambda: len(vault.loads) == 1)
    impatient.cancel()
    vault.gate.set()
    assert (await patient).keys() == {"cus_a"}


async def _turns() -> None:
    """Let everybody go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def _until(condition: object) -> None:
    assert callable(condition)
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to that")


async def test_the_ring_is_bounded_and_forgets_the_least_recently_used(
    vault: WatchedVault, clock: Clock
) -> None:
    ring = KeyRing(vault, clock, capacity=2)
    await ring.load(["cus_a"])
    await ring.load(["cus_b"])
    await ring.load(["cus_a"])
    await ring.load(["cus_c"])
    vault.loads.clear()
    assert (await ring.load(["cus_a", "cus_c"])).keys() == {"cus_a", "cus_c"}
    assert vault.loads == []
    assert (await ring.load(["cus_a", "cus_b", "cus_c"])).keys() == {"cus_a", "cus_b", "cus_c"}
    assert vault.loads == [{"cus_b"}]


async def test_an_erasure_elsewhere_is_followed_within_the_time(
    ring: KeyRing, vault: WatchedVault, clock: Clock
) -> None:
    await ring.load(["cus_a", "cus_b"])
    await vault.destroy("cus_a", "ers_1", T0)
    clock.now += 1.99
    assert "cus_a" in await ring.load(["cus_a"])
    clock.now += 0.01
    assert await ring.load(["cus_a"]) == {}
    vault.loads.clear()
    assert "cus_b" in await ring.load(["cus_b"])
    assert vault.loads == []  # who stays is not asked for again


async def test_while_nobody_is_erased_keys_stay_at_the_price_of_one_question_a_period(
    ring: KeyRing, vault: WatchedVault, clock: Clock
) -> None:
    for _ in range(5):
        clock.now += 2.0
        await asyncio.gather(*(ring.load(["cus_a", "cus_b"]) for _ in range(10)))
    assert len(vault.loads) == 1
    assert vault.head_count == 5


async def test_many_erasures_are_followed_page_by_page(
    ring: KeyRing, vault: WatchedVault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ourbank.privacy.keyring._LEDGER_PAGE", 1)
    await ring.load(["cus_a", "cus_b", "cus_c"])
    for subject in ("cus_a", "cus_b"):
        await vault.destroy(subject, f"ers_{subject}", T0)
    clock.now += 2.0
    assert (await ring.load(["cus_a", "cus_b", "cus_c"])).keys() == {"cus_c"}


async def test_an_erasure_here_is_followed_at_once(ring: KeyRing) -> None:
    await ring.load(["cus_a"])
    tombstone = await ring.destroy("cus_a", "ers_1", T0)
    assert tombstone.subject == "cus_a"
    assert await ring.load(["cus_a"]) == {}


async def test_a_key_read_before_its_erasure_is_not_remembered_after_it(
    ring: KeyRing, vault: WatchedVault
) -> None:
    await ring.load(["cus_b"])
    vault.gate.clear()
    reading = asyncio.create_task(ring.load(["cus_a"]))
    await _until(lambda: len(vault.loads) == 2)
    await ring.destroy("cus_a", "ers_1", T0)
    vault.gate.set()
    await reading
    assert await ring.load(["cus_a"]) == {}


async def test_nor_is_it_while_the_ring_is_still_reading_the_ledger(
    ring: KeyRing, vault: WatchedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ourbank.privacy.keyring._LEDGER_PAGE", 1)
    await ring.load(["cus_b", "cus_c"])
    vault.gate.clear()
    reading = asyncio.create_task(ring.load(["cus_a"]))
    await _until(lambda: len(vault.loads) == 2)
    for subject in ("cus_a", "cus_b"):
        await vault.destroy(subject, f"ers_{subject}", T0)
    vault.ledger_gate.clear()  # the second page is slow
    refreshing = asyncio.create_task(ring.refresh())
    await _turns()
    vault.gate.set()
    await reading
    vault.ledger_gate.set()
    await refreshing
    assert (await ring.load(["cus_a", "cus_b", "cus_c"])).keys() == {"cus_c"}


async def test_without_the_vault_the_ring_answers_no_longer_than_its_time(
    ring: KeyRing, vault: WatchedVault, clock: Clock
) -> None:
    await ring.load(["cus_a"])
    vault.is_away = True
    assert "cus_a" in await ring.load(["cus_a"])
    clock.now += 2.0
    with pytest.raises(VaultUnavailableError):
        await ring.load(["cus_a"])
    vault.is_away = False
    assert (await ring.load(["cus_a", "cus_b"])).keys() == {"cus_a", "cus_b"}


async def test_all_who_wait_for_the_ledger_go_on_at_once(
    ring: KeyRing, vault: WatchedVault, clock: Clock
) -> None:
    """Not one by one, each after a turn of the loop: under load a turn takes milliseconds."""
    await ring.load(["cus_a"])
    clock.now += 2.0
    waiting = [asyncio.create_task(ring.load(["cus_a"])) for _ in range(500)]
    await _turns()
    assert all(task.done() for task in waiting)
    assert vault.head_count == 2


async def test_the_ledger_is_looked_at_before_anybody_must_wait_for_it(
    ring: KeyRing, vault: WatchedVault, clock: Clock
) -> None:
    await ring.load(["cus_a"])
    clock.now += 0.9
    await ring.load(["cus_a"])
    assert vault.head_count == 1  # new enough
    clock.now += 0.6
    asked = [asyncio.create_task(ring.load(["cus_a"])) for _ in range(3)]
    await asyncio.sleep(0)
    assert all(task.done() for task in asked)  # from memory: no look has been answered yet
    await _turns()
    assert vault.head_count == 2
    clock.now += 0.9  # more than two seconds after the first look
    await ring.load(["cus_a"])
    assert vault.head_count == 2


async def test_a_look_ahead_of_time_that_fails_is_told_to_nobody(
    ring: KeyRing, vault: WatchedVault, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await ring.load(["cus_a"])
    vault.is_away = True
    clock.now += 1.5
    assert "cus_a" in await ring.load(["cus_a"])
    await _turns()
    clock.now += 0.5
    with pytest.raises(VaultUnavailableError):
        await ring.load(["cus_a"])
    vault.is_away = False
    assert "cus_a" in await ring.load(["cus_a"])
    gc.collect()  # a task whose failure nobody has heard of says so when it goes
    assert not caplog.records


async def test_an_answer_that_took_longer_than_it_is_good_for_is_not_relied_on(
    ring: KeyRing, vault: WatchedVault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head was read; the answer was held up, and meanwhile somebody was erased."""
    await ring.load(["cus_a"])
    clock.now += 2.0
    read_head, held_up = vault.ledger_head, [10.0]

    async def slow() -> int:
        head = await read_head()
        if held_up:
            clock.now += held_up.pop()
            await vault.destroy("cus_a", "ers_1", T0)
        return head

    monkeypatch.setattr(vault, "ledger_head", slow)
    assert await ring.load(["cus_a"]) == {}


async def test_a_ledger_that_is_always_too_slow_is_as_good_as_away(
    ring: KeyRing, vault: WatchedVault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow() -> int:
        clock.now += 3.0
        return 0

    monkeypatch.setattr(vault, "ledger_head", slow)
    with pytest.raises(VaultUnavailableError, match="too slowly"):
        await ring.load(["cus_a"])


async def test_a_failed_query_fails_those_who_waited_and_nobody_else(
    ring: KeyRing, vault: WatchedVault
) -> None:
    await ring.refresh()
    vault.is_away = True
    failed = await asyncio.gather(
        ring.load(["cus_a"]), ring.load(["cus_b"]), return_exceptions=True
    )
    assert [type(failure) for failure in failed] == [VaultUnavailableError] * 2
    vault.is_away = False
    assert "cus_a" in await ring.load(["cus_a"])


async def test_an_older_vault_restored_underneath_empties_the_ring(
    vault: WatchedVault, clock: Clock
) -> None:
    ring = KeyRing(vault, clock)
    await ring.destroy("cus_b", "ers_1", T0)
    await ring.load(["cus_a"])
    vault.__dict__.update(vars(WatchedVault()))
    clock.now += 2.0
    assert await ring.load(["cus_a"]) == {}


async def test_one_key_or_the_reason_why_there_is_none(ring: KeyRing) -> None:
    assert (await ring.key("cus_a")).subject == "cus_a"
    await ring.destroy("cus_a", "ers_1", T0)
    with pytest.raises(SubjectErasedError):
        await ring.key("cus_a")
    with pytest.raises(SubjectUnknownError):
        await ring.key("cus_x")


async def test_creations_at_the_same_time_are_one_transaction_and_share_no_refusal(
    ring: KeyRing, vault: WatchedVault
) -> None:
    outcomes = await asyncio.gather(
        ring.create(["cus_1", "cus_2"]),
        ring.create(["cus_3"]),
        ring.create(["cus_a"]),  # there is one
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [dict, dict, SubjectExistsError]
    assert list(outcomes[:2]) == [await vault.load(["cus_1", "cus_2"]), await vault.load(["cus_3"])]

    vault.create_count = 0
    created = await asyncio.gather(*(ring.create([f"cus_x{n}"]) for n in range(20)))
    assert [list(keys) for keys in created] == [[f"cus_x{n}"] for n in range(20)]
    assert vault.create_count == 1


async def test_of_creations_of_one_subject_at_the_same_time_one_wins(ring: KeyRing) -> None:
    races = [ring.create(["cus_new", f"cus_{n}"]) for n in range(4)]
    outcomes = await asyncio.gather(*races, return_exceptions=True)
    assert sorted(type(o).__name__ for o in outcomes) == ["SubjectExistsError"] * 3 + ["dict"]


async def test_a_created_key_is_at_hand(ring: KeyRing, vault: WatchedVault) -> None:
    created = await ring.create(["cus_new"])
    assert await ring.load(["cus_new"]) == created
    assert vault.loads == []


@pytest.mark.parametrize(
    ("capacity", "seconds"), [(0, 1.0), (10, 0.0), (10, STALENESS_SECONDS_MAX + 0.1)]
)
def test_a_ring_without_bounds_is_refused(
    vault: WatchedVault, clock: Clock, capacity: int, seconds: float
) -> None:
    with pytest.raises(ValueError, match="at most 5"):
        KeyRing(vault, clock, capacity=capacity, staleness_seconds_max=seconds)
