"""An erasure waits while it must, then goes all the way, however often it is cut short."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourbank.privacy.erasure import (
    LATE_SECONDS,
    Eraser,
    Erasure,
    ErasureState,
    Purge,
    hold_ends,
    state_of,
)
from ourbank.privacy.keyring import KeyRing
from ourbank.privacy.ledger import LedgerError, exported, imported
from ourbank.privacy.memory import MemoryKeyVault
from ourbank.privacy.receipt import (
    ReceiptSigner,
    key_digest,
    new_signing_key,
    verify_receipt,
)
from ourbank.privacy.sealing import seal, unseal
from ourbank.privacy.vault import (
    KeyVault,
    SubjectErasedError,
    SubjectRecord,
    SubjectUnknownError,
    Tombstone,
)

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SIGNER = ReceiptSigner(new_signing_key())


class CrashError(Exception):
    """The process ends here."""


class Bank:
    """What surrounds the eraser: a clock, obligations, places with copies, an event log."""

    def __init__(self, vault: KeyVault) -> None:
        self.vault = vault
        self.now = T0
        self.obligations: dict[str, list[date]] = {}
        self.copies = {"read-models": {"cus_a", "cus_b"}, "outcomes": {"cus_a", "cus_b"}}
        self.log: list[tuple[str, datetime, str]] = []
        self.crash_at: str | None = None
        self.steps: list[str] = []
        self._ids = count(1)
        self.restart()

    def restart(self) -> None:
        """New memory on the same vault."""
        self.ring = KeyRing(self.vault, lambda: 0.0)
        self.eraser = Eraser(
            self.ring,
            SIGNER,
            obligations=self._obligations,
            purges={name: self._purge(name) for name in self.copies},
            record=self._record,
            now=lambda: self.now,
            new_id=lambda: f"ers_{next(self._ids)}",
        )

    def step(self, name: str) -> None:
        self.steps.append(name)
        if self.crash_at == name:
            raise CrashError(name)

    async def _obligations(self, subject: str) -> list[date]:
        self.step(f"obligations of {subject}")
        return self.obligations.get(subject, [])

    def _purge(self, name: str) -> Purge:
        async def purge(subject: str) -> None:
            self.step(f"{name} of {subject}")
            self.step(f"before {name}")
            self.copies[name].discard(subject)
            self.step(f"after {name}")

        return purge

    async def _record(self, subject: str, erased_at: datetime, receipt: str) -> None:
        self.step("before record")
        if subject not in {entry[0] for entry in self.log}:
            self.log.append((subject, erased_at, receipt))
        self.step("after record")


@pytest.fixture
async def bank(vault: KeyVault) -> Bank:
    await vault.create(["cus_a", "cus_b"])
    return Bank(vault)


async def test_an_erasure_destroys_purges_records_and_answers(bank: Bank) -> None:
    assert await bank.eraser.status("cus_a") == Erasure("cus_a", ErasureState.NONE)
    erasure = await bank.eraser.erase("cus_a")
    assert (erasure.state, erasure.erased_at) == (ErasureState.ERASED, T0)
    assert erasure.receipt is not None
    assert await bank.ring.load(["cus_a", "cus_b"]) == await bank.vault.load(["cus_b"])
    assert bank.copies == {"read-models": {"cus_b"}, "outcomes": {"cus_b"}}
    assert bank.log == [("cus_a", T0, erasure.receipt)]
    assert await bank.eraser.status("cus_a") == erasure


async def test_the_other_party_of_a_transfer_keeps_their_copy(bank: Bank) -> None:
    keys = await bank.ring.load(["cus_a", "cus_b"])
    theirs = seal(keys["cus_b"], "dinner", "trf_1@1#payee_narrative")
    await bank.eraser.erase("cus_a")
    key = await bank.ring.key("cus_b")
    assert unseal(key, theirs, "trf_1@1#payee_narrative") == "dinner"


async def test_erasing_again_gives_the_same_answer_and_does_nothing(bank: Bank) -> None:
    first = await bank.eraser.erase("cus_a")
    bank.now += timedelta(days=1)
    bank.obligations["cus_a"] = [date(2030, 1, 1)]
    bank.steps.clear()
    assert await bank.eraser.erase("cus_a") == first
    assert bank.steps == []


async def test_the_unknown_cannot_be_erased(bank: Bank) -> None:
    assert (await bank.eraser.status("cus_x")).state is ErasureState.NONE
    with pytest.raises(SubjectUnknownError):
        await bank.eraser.erase("cus_x")


async def test_an_obligation_wins_visibly_until_it_ends(bank: Bank) -> None:
    bank.obligations["cus_a"] = [date(2026, 1, 1), date(2031, 6, 30), date(2027, 1, 1)]
    held = Erasure("cus_a", ErasureState.ON_LEGAL_HOLD, date(2031, 6, 30))
    assert await bank.eraser.erase("cus_a") == held
    assert await bank.eraser.status("cus_a") == held
    assert "cus_a" in await bank.ring.load(["cus_a"])
    assert "cus_a" in bank.copies["read-models"]
    assert await bank.eraser.resume() == 0

    bank.now = datetime(2031, 6, 30, tzinfo=UTC)
    assert await bank.eraser.resume() == 1
    assert (await bank.eraser.status("cus_a")).state is ErasureState.ERASED
    assert await bank.ring.load(["cus_a"]) == {}


async def test_every_path_asks_for_obligations_anew(bank: Bank) -> None:
    bank.obligations["cus_a"] = [date(2027, 1, 1)]
    await bank.eraser.erase("cus_a")
    bank.now = datetime(2027, 1, 1, tzinfo=UTC)
    bank.obligations["cus_a"] = [date(2028, 1, 1)]  # placed meanwhile
    assert await bank.eraser.resume() == 1
    erasure = await bank.eraser.status("cus_a")
    assert (erasure.state, erasure.until) == (ErasureState.ON_LEGAL_HOLD, date(2028, 1, 1))
    assert "cus_a" in await bank.ring.load(["cus_a"])

    bank.obligations["cus_a"] = []  # lifted before its time
    assert (await bank.eraser.erase("cus_a")).state is ErasureState.ERASED


async def test_a_hold_that_comes_while_an_erasure_is_under_way_wins_or_sees_it(bank: Bank) -> None:
    """Set between the two looks, and after both, when another process has noted it."""
    looks = 0

    async def hold_on_the_second(subject: str) -> list[date]:
        nonlocal looks
        looks += 1
        return [date(2027, 1, 1)] if looks == 2 and subject == "cus_a" else []

    eraser = bank.eraser
    eraser._obligations = hold_on_the_second  # noqa: SLF001 (the moment is the test)
    assert (await eraser.erase("cus_a")).state is ErasureState.ON_LEGAL_HOLD

    bank.restart()
    destroy = bank.ring.destroy

    async def after_both(subject: str, erasure_id: str, at: datetime) -> Tombstone:
        await bank.vault.request_erasure(subject, T0, date(2027, 1, 1))
        return await destroy(subject, erasure_id, at)

    bank.ring.destroy = after_both  # type: ignore[assignment, method-assign]
    assert (await bank.eraser.erase("cus_b")).state is ErasureState.ON_LEGAL_HOLD
    assert "cus_b" in await bank.ring.load(["cus_b"])


async def test_a_hold_that_was_lifted_without_a_word_is_found_lifted(bank: Bank) -> None:
    bank.obligations = {name: [date(2031, 6, 30)] for name in ("cus_a", "cus_b")}
    for subject in bank.obligations:
        await bank.eraser.erase(subject)
    del bank.obligations["cus_a"]  # and there the process ended
    assert await bank.eraser.resume() == 0
    assert await bank.eraser.review() == 2
    assert (await bank.eraser.status("cus_a")).state is ErasureState.ERASED
    assert (await bank.eraser.status("cus_b")).state is ErasureState.ON_LEGAL_HOLD


async def test_what_was_only_asked_for_is_carried_on(bank: Bank) -> None:
    await bank.vault.request_erasure("cus_a", T0, None)  # and there the process ended
    assert await bank.eraser.resume() == 1
    assert (await bank.eraser.status("cus_a")).state is ErasureState.ERASED


_STEPS = [
    f"{when} {what}"
    for what in ("read-models", "outcomes", "record")
    for when in ("before", "after")
]


@pytest.mark.parametrize("step", _STEPS)
async def test_cut_short_anywhere_it_is_not_called_erased_and_is_carried_on(
    bank: Bank, step: str
) -> None:
    bank.crash_at = step
    with pytest.raises(CrashError):
        await bank.eraser.erase("cus_a")
    bank.crash_at = None
    bank.restart()
    bank.obligations["cus_a"] = [date(2030, 1, 1)]  # too late: the key is gone

    assert (await bank.eraser.status("cus_a")).state is ErasureState.REQUESTED
    assert await bank.ring.load(["cus_a"]) == {}
    bank.now += timedelta(hours=1)
    assert await bank.eraser.resume() == 1
    erasure = await bank.eraser.status("cus_a")
    assert (erasure.state, erasure.erased_at) == (ErasureState.ERASED, T0)
    assert bank.log == [("cus_a", T0, erasure.receipt)]
    assert bank.copies == {"read-models": {"cus_b"}, "outcomes": {"cus_b"}}
    assert await bank.eraser.resume() == 0


async def test_one_erasure_that_fails_does_not_keep_others_waiting(bank: Bank) -> None:
    for subject in ("cus_a", "cus_b"):
        bank.obligations[subject] = [date(2027, 1, 1)]
        await bank.eraser.erase(subject)
    bank.now = datetime(2027, 1, 1, tzinfo=UTC)
    bank.obligations = {}
    bank.crash_at = "obligations of cus_a"
    with pytest.raises(ExceptionGroup):
        await bank.eraser.resume()
    assert (await bank.eraser.status("cus_a")).state is ErasureState.ON_LEGAL_HOLD
    assert (await bank.eraser.status("cus_b")).state is ErasureState.ERASED


async def test_a_copy_that_comes_late_is_purged_as_well(bank: Bank) -> None:
    await bank.eraser.erase("cus_a")
    bank.copies["read-models"].add("cus_a")  # sealed before, and folded only now
    assert await bank.eraser.sweep() == 1
    assert bank.copies == {"read-models": {"cus_b"}, "outcomes": {"cus_b"}}


async def test_one_purge_that_fails_does_not_keep_others_waiting(bank: Bank) -> None:
    for subject in ("cus_a", "cus_b"):
        await bank.eraser.erase(subject)
        bank.copies["outcomes"].add(subject)
    bank.crash_at = "outcomes of cus_a"
    for again in (bank.eraser.sweep, bank.eraser.purge_again):
        bank.copies["outcomes"].add("cus_b")
        with pytest.raises(ExceptionGroup):
            await again()
        assert bank.copies["outcomes"] == {"cus_a"}
    bank.crash_at = None
    assert await bank.eraser.sweep() == 2
    assert bank.copies["outcomes"] == set()


async def test_a_sweep_passes_over_what_is_long_gone(bank: Bank) -> None:
    await bank.eraser.erase("cus_a")
    bank.now += timedelta(seconds=LATE_SECONDS + 1)
    await bank.eraser.erase("cus_b")
    bank.steps.clear()
    assert [await bank.eraser.sweep() for _ in range(2)] == [1, 1]
    assert bank.steps.count("before outcomes") == 2
    bank.now += timedelta(seconds=LATE_SECONDS + 1)
    assert await bank.eraser.sweep() == 0


async def test_what_was_made_anew_from_the_log_is_purged_of_everybody(bank: Bank) -> None:
    await bank.eraser.erase("cus_a")
    bank.now += timedelta(days=400)
    bank.copies["outcomes"].add("cus_a")
    assert await bank.eraser.sweep() == 0
    assert await bank.eraser.purge_again() == 1
    assert bank.copies["outcomes"] == {"cus_b"}


async def test_the_receipt_verifies_and_names_no_one(bank: Bank) -> None:
    key = await bank.ring.key("cus_a")
    erasure = await bank.eraser.erase("cus_a")
    assert erasure.receipt is not None
    receipt = verify_receipt(erasure.receipt, SIGNER.public_pem)
    assert (receipt.erased_at, receipt.purged) == (T0, ("read-models", "outcomes"))
    assert receipt.key_digest == key_digest(key.key_id)
    assert "cus_" not in repr(receipt)
    assert key.key_id not in repr(receipt)


async def test_a_restored_backup_forgets_again(bank: Bank) -> None:
    """Both databases come back from before the erasure; the ledger was kept elsewhere."""
    key = await bank.ring.key("cus_a")
    erasure = await bank.eraser.erase("cus_a")
    lines = [line async for line in exported(bank.vault)]

    restored = Bank(MemoryKeyVault())
    await restored.vault.create(["cus_a", "cus_b"])
    assert await restored.eraser.reapply(imported(lines)) == 1
    assert await restored.eraser.status("cus_a") == erasure
    assert restored.log == bank.log
    assert restored.copies == bank.copies
    with pytest.raises(SubjectErasedError):
        await restored.ring.create(["cus_a"])

    empty = Bank(MemoryKeyVault())  # from before the customer was registered
    assert await empty.eraser.reapply(imported(lines)) == 1
    assert await empty.eraser.status("cus_a") == erasure
    (stone,) = await empty.vault.ledger(0, 10)
    assert stone.key_id == key.key_id
    with pytest.raises(SubjectErasedError):
        await empty.ring.create(["cus_a"])


async def test_the_ledger_is_exported_page_by_page_from_any_number(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ourbank.privacy.ledger.PAGE", 1)
    for subject in ("cus_b", "cus_a"):
        await bank.eraser.erase(subject)
    stones = list(imported([line async for line in exported(bank.vault)]))
    assert [stone.subject for stone in stones] == ["cus_b", "cus_a"]
    assert stones == await bank.vault.ledger(0, 10)
    assert list(imported([line async for line in exported(bank.vault, 1)])) == stones[1:]


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b"{", b'{"number": "1"}'])
def test_a_line_that_is_no_tombstone_is_named(line: bytes) -> None:
    with pytest.raises(LedgerError, match="line 1 of the erasure ledger"):
        list(imported([line]))


@given(st.lists(st.dates(max_value=date(2099, 1, 1))), st.dates())
def test_the_last_obligation_that_still_runs_decides(ends: list[date], today: date) -> None:
    until = hold_ends(today, ends)
    if until is None:
        assert all(end <= today for end in ends)
    else:
        assert until in ends
        assert until > today
        assert all(end <= until for end in ends)


def test_a_hold_that_has_ended_by_its_date_is_none() -> None:
    assert hold_ends(date(2027, 1, 1), [date(2027, 1, 1)]) is None
    assert hold_ends(date(2026, 12, 31), [date(2027, 1, 1)]) == date(2027, 1, 1)


_STONE = Tombstone(1, "cus_a", "ers_1", T0, "k")


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (SubjectRecord("cus_a"), ErasureState.NONE),
        (SubjectRecord("cus_a", T0), ErasureState.REQUESTED),
        (SubjectRecord("cus_a", T0, date(2027, 1, 1)), ErasureState.ON_LEGAL_HOLD),
        (SubjectRecord("cus_a", T0, None, _STONE), ErasureState.REQUESTED),
        (SubjectRecord("cus_a", T0, date(2027, 1, 1), _STONE), ErasureState.REQUESTED),
        (SubjectRecord("cus_a", T0, None, replace(_STONE, receipt="r")), ErasureState.ERASED),
    ],
)
def test_a_record_amounts_to_one_state(record: SubjectRecord, state: ErasureState) -> None:
    assert state_of(record).state is state
