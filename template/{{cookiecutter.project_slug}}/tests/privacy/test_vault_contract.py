"""What every key vault does, run on each adapter."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from ourbank.privacy.kek import (
    LocalKeyEncryption,
    MemoryEpochs,
    Wrapped,
)
from ourbank.privacy.memory import MemoryKeyVault
from ourbank.privacy.postgres import PostgresKeyVault
from ourbank.privacy.rotation import rotate
from ourbank.privacy.sealing import seal, unseal
from ourbank.privacy.vault import (
    KeyVault,
    SubjectErasedError,
    SubjectExistsError,
    SubjectNotErasedError,
    SubjectUnknownError,
)

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = T0.date()


async def test_a_created_key_is_the_key_loaded(vault: KeyVault) -> None:
    created = await vault.create(["cus_a", "cus_b"])
    loaded = await vault.load(["cus_b", "cus_a", "cus_x"])
    assert loaded == created
    assert created.keys() == {"cus_a", "cus_b"}
    assert created["cus_a"].material != created["cus_b"].material
    assert created["cus_a"].key_id != created["cus_b"].key_id


async def test_a_subject_never_gets_a_second_key_and_a_batch_is_all_or_none(
    vault: KeyVault,
) -> None:
    first = await vault.create(["cus_a"])
    with pytest.raises(SubjectExistsError, match="cus_a has a key already"):
        await vault.create(["cus_b", "cus_a"])
    assert await vault.load(["cus_a", "cus_b"]) == first
    assert await vault.find("cus_b") is None


async def test_of_racing_creations_exactly_one_wins(vault: KeyVault) -> None:
    races = [vault.create(["cus_a", f"cus_{n}"]) for n in range(8)]
    outcomes = await asyncio.gather(*races, return_exceptions=True)
    won = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    assert len(won) == 1
    assert {type(o) for o in outcomes if not isinstance(o, dict)} == {SubjectExistsError}
    assert (await vault.load(["cus_a"]))["cus_a"] == won[0]["cus_a"]


async def test_an_erased_subject_has_no_key_and_never_gets_one_again(vault: KeyVault) -> None:
    await vault.create(["cus_a", "cus_b"])
    await vault.destroy("cus_a", "ers_1", T0)
    assert (await vault.load(["cus_a", "cus_b"])).keys() == {"cus_b"}
    with pytest.raises(SubjectErasedError, match="cus_a was erased"):
        await vault.create(["cus_a"])
    with pytest.raises(SubjectErasedError):
        await vault.create(["cus_b", "cus_a"])  # that it was erased is what matters


async def test_erased_and_unknown_are_told_apart(vault: KeyVault) -> None:
    await vault.create(["cus_a"])
    tombstone = await vault.destroy("cus_a", "ers_1", T0)
    record = await vault.find("cus_a")
    assert record is not None
    assert record.tombstone == tombstone
    assert await vault.find("cus_x") is None


async def test_destroying_twice_is_destroying_once(vault: KeyVault) -> None:
    key = (await vault.create(["cus_a"]))["cus_a"]
    first = await vault.destroy("cus_a", "ers_1", T0)
    again = await vault.destroy("cus_a", "ers_2", T0 + timedelta(days=1), "another")
    assert again == first
    assert first == type(first)(1, "cus_a", "ers_1", T0, key.key_id)
    assert await vault.ledger_head() == 1


async def test_a_subject_erased_before_it_is_known_can_never_have_a_key(vault: KeyVault) -> None:
    tombstone = await vault.destroy("cus_a", "ers_1", T0, "key-of-old")
    assert tombstone.key_id == "key-of-old"
    with pytest.raises(SubjectErasedError):
        await vault.create(["cus_a"])


async def test_the_ledger_numbers_racing_erasures_without_gaps(vault: KeyVault) -> None:
    subjects = [f"cus_{n}" for n in range(8)]
    await vault.create(subjects)
    assert await vault.ledger_head() == 0
    twice = [vault.destroy(s, f"ers_{s}", T0) for s in subjects for _ in range(2)]
    await asyncio.gather(*twice)

    ledger = await vault.ledger(0, 100)
    assert [stone.number for stone in ledger] == list(range(1, 9))
    assert {stone.subject for stone in ledger} == set(subjects)
    assert await vault.ledger(5, 2) == ledger[5:7]
    assert await vault.ledger_head() == 8


async def test_a_request_keeps_its_time_and_its_hold_may_move(vault: KeyVault) -> None:
    await vault.create(["cus_a"])
    await vault.request_erasure("cus_a", T0, date(2027, 1, 1))
    record = await vault.request_erasure("cus_a", T0 + timedelta(days=1), date(2028, 1, 1))
    assert record == await vault.find("cus_a")
    assert (record.requested_at, record.held_until) == (T0, date(2028, 1, 1))
    assert record.tombstone is None
    assert "cus_a" in await vault.load(["cus_a"])


async def test_nobody_knows_requests_of_the_unknown(vault: KeyVault) -> None:
    with pytest.raises(SubjectUnknownError, match="cus_x has never had a key"):
        await vault.request_erasure("cus_x", T0, None)
    with pytest.raises(SubjectUnknownError):
        await vault.finish_erasure("cus_x", "receipt")


async def test_an_erasure_is_not_finished_while_there_is_a_key(vault: KeyVault) -> None:
    await vault.create(["cus_a"])
    await vault.request_erasure("cus_a", T0, None)
    with pytest.raises(SubjectNotErasedError):
        await vault.finish_erasure("cus_a", "receipt")


async def test_a_key_whose_erasure_has_to_wait_is_not_destroyed(vault: KeyVault) -> None:
    await vault.create(["cus_a"])
    await vault.request_erasure("cus_a", T0, TODAY + timedelta(days=1))
    with pytest.raises(SubjectNotErasedError):
        await vault.destroy("cus_a", "ers_1", T0)
    assert "cus_a" in await vault.load(["cus_a"])
    assert await vault.ledger_head() == 0
    await vault.request_erasure("cus_a", T0, None)
    assert (await vault.destroy("cus_a", "ers_1", T0)).number == 1


async def test_the_first_receipt_stays(vault: KeyVault) -> None:
    await vault.create(["cus_a"])
    stone = await vault.destroy("cus_a", "ers_1", T0)
    assert stone.receipt is None
    assert (await vault.finish_erasure("cus_a", "one")).receipt == "one"
    assert (await vault.finish_erasure("cus_a", "two")).receipt == "one"
    assert [stone.receipt for stone in await vault.ledger(0, 10)] == ["one"]


async def test_unfinished_erasures_come_oldest_first_once_they_need_not_wait(
    vault: KeyVault,
) -> None:
    for n, subject in enumerate(["cus_c", "cus_b", "cus_a", "cus_held", "cus_idle"]):
        await vault.create([subject])
        if subject != "cus_idle":
            held_until = date(2027, 1, 1) if subject == "cus_held" else None
            await vault.request_erasure(subject, T0 + timedelta(seconds=n), held_until)
    await vault.destroy("cus_b", "ers_b", T0)
    await vault.destroy("cus_a", "ers_a", T0)
    await vault.finish_erasure("cus_a", "receipt")

    assert await vault.unfinished(TODAY, 10) == ["cus_c", "cus_b"]
    assert await vault.unfinished(TODAY, 1) == ["cus_c"]
    assert await vault.unfinished(date(2026, 12, 31), 10) == ["cus_c", "cus_b"]
    assert await vault.unfinished(date(2027, 1, 1), 10) == ["cus_c", "cus_b", "cus_held"]


async def test_a_key_destroyed_outright_is_unfinished_too(vault: KeyVault) -> None:
    await vault.create(["cus_a"])
    await vault.destroy("cus_a", "ers_1", T0)
    assert await vault.unfinished(TODAY, 10) == ["cus_a"]


async def test_a_hold_that_comes_after_the_key_is_gone_keeps_nothing_waiting(
    vault: KeyVault,
) -> None:
    await vault.create(["cus_a"])
    await vault.request_erasure("cus_a", T0, None)
    await vault.destroy("cus_a", "ers_1", T0)
    await vault.request_erasure("cus_a", T0, date(2027, 1, 1))
    assert await vault.unfinished(TODAY, 10) == ["cus_a"]
    await vault.finish_erasure("cus_a", "receipt")
    assert await vault.unfinished(TODAY, 10) == []


async def test_rewrapping_goes_page_by_page_until_none_is_old(
    vault: KeyVault, encryption: LocalKeyEncryption
) -> None:
    keys = await vault.create([f"cus_{n}" for n in range(5)])
    await vault.destroy("cus_4", "ers_1", T0)
    epoch = await encryption.open_epoch()
    assert [await vault.rewrap(epoch, 3) for _ in range(3)] == [3, 1, 0]
    del keys["cus_4"]
    assert await vault.load([f"cus_{n}" for n in range(5)]) == keys


async def test_rotation_keeps_survivors_readable_and_destroys_the_old_epoch(
    vault: KeyVault, encryption: LocalKeyEncryption
) -> None:
    keys = await vault.create(["cus_a", "cus_b"])
    sealed = seal(keys["cus_a"], "Grüße", "here")
    (copy,) = await encryption.wrap([(b"copy of an old key", b"")])

    rotation = await rotate(vault, encryption, page=1)

    assert rotation.rewrapped_count == 2
    assert unseal((await vault.load(["cus_a"]))["cus_a"], sealed, "here") == "Grüße"
    with pytest.raises(Exception, match=f"epoch {copy.epoch} is destroyed"):
        await encryption.unwrap([(copy, b"")])


class _SlowEncryption(LocalKeyEncryption):
    """Wrapping waits at a gate after it has chosen the epoch."""

    def __init__(self) -> None:
        super().__init__(MemoryEpochs())
        self.at_gate = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def wrap(self, keys: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        wrapped = await super().wrap(keys)
        self.at_gate.set()
        await self.gate.wait()
        return wrapped


async def test_a_key_created_during_a_rotation_survives_it(
    vault: KeyVault, request: pytest.FixtureRequest
) -> None:
    slow = _SlowEncryption()
    engine = "keys_engine"
    tested: KeyVault = (
        MemoryKeyVault(slow)
        if isinstance(vault, MemoryKeyVault)
        else PostgresKeyVault(request.getfixturevalue(engine), slow)
    )
    slow.gate.clear()
    creation = asyncio.create_task(tested.create(["cus_a"]))
    await slow.at_gate.wait()  # wrapped under the old epoch, not stored yet
    rotation = asyncio.create_task(rotate(tested, slow))
    await asyncio.sleep(0.1)
    slow.gate.set()
    created = await creation
    await rotation
    assert await tested.load(["cus_a"]) == created
