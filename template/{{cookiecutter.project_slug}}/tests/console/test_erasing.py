"""What an operator does after a restore: no erased person comes back, and no one else is lost."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from ourbank.application.customers import PersonalData
from ourbank.application.request import Request
from ourbank.bootstrap import Addresses, running
from ourbank.config import ConfigError, Settings
from ourbank.console.erasing import exporting, reapplying, rotating
from ourbank.privacy.erasure import ErasureState
from ourbank.privacy.ledger import LedgerError
from ourbank.secrets_store import Secrets


async def _two_customers(settings: Settings, addresses: Addresses) -> tuple[str, str]:
    """Ann, who will be erased, and Bob."""
    async with running(settings, addresses, with_worker=False) as process:
        customers = process.bank.customers
        ann = await customers.register(PersonalData("Ann", "ann@example.com"), Request("staff"))
        bob = await customers.register(PersonalData("Bob", "bob@example.com"), Request("staff"))
        return ann.events[0].stream_id, bob.events[0].stream_id


async def _erase(settings: Settings, addresses: Addresses, customer: str) -> str | None:
    async with running(settings, addresses, with_worker=False) as process:
        erasure = await process.bank.eraser.erase(customer)
        assert erasure.state is ErasureState.ERASED
        return erasure.receipt


async def _readable(settings: Settings, addresses: Addresses, *customers: str) -> set[str]:
    async with running(settings, addresses, with_worker=False) as process:
        return set(await process.bank.keyring.load(customers))


def _sql(addresses: Addresses, statement: str) -> None:
    url = addresses.keys
    with psycopg.connect(
        host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True
    ) as connection:
        connection.execute(statement.encode())


def test_a_restored_backup_brings_nobody_back(
    settings: Settings, addresses: Addresses, tmp_path: Path
) -> None:
    ann, bob = asyncio.run(_two_customers(settings, addresses))
    _sql(addresses, "drop table if exists backup; create table backup as table subject_keys")
    receipt = asyncio.run(_erase(settings, addresses, ann))
    ledger = tmp_path / "erasures.jsonl"
    exporting(settings, addresses, ledger)

    _sql(addresses, "delete from subject_keys; insert into subject_keys table backup")
    assert asyncio.run(_readable(settings, addresses, ann, bob)) == {ann, bob}
    reapplying(settings, addresses, ledger)
    reapplying(settings, addresses, ledger)
    _sql(addresses, "drop table backup")

    assert asyncio.run(_readable(settings, addresses, ann, bob)) == {bob}
    assert asyncio.run(_erase(settings, addresses, ann)) == receipt


def test_the_ledger_names_nobody_and_only_its_owner_reads_it(
    settings: Settings, addresses: Addresses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, _ = asyncio.run(_two_customers(settings, addresses))
    asyncio.run(_erase(settings, addresses, ann))
    ledger = tmp_path / "erasures.jsonl"
    exporting(settings, addresses, ledger)
    exporting(settings, addresses, None)
    text = ledger.read_text()
    assert capsys.readouterr().out.endswith(text)
    assert text.count("\n") == 1
    assert "ann" not in text.replace(ann, "").lower()
    assert ledger.stat().st_mode & 0o077 == 0


def test_a_ledger_is_not_replaced_by_one_that_knows_less(
    settings: Settings, addresses: Addresses, tmp_path: Path
) -> None:
    """As the nightly export would, run on a restored back-up before the ledger was reapplied."""
    ann, _ = asyncio.run(_two_customers(settings, addresses))
    _sql(addresses, "drop table if exists backup; create table backup as table subject_keys")
    asyncio.run(_erase(settings, addresses, ann))
    ledger = tmp_path / "erasures.jsonl"
    exporting(settings, addresses, ledger)
    before = ledger.read_text()
    _sql(addresses, "delete from subject_keys; insert into subject_keys table backup")
    _sql(addresses, "drop table backup")
    with pytest.raises(ConfigError, match="erasures reapply"):
        exporting(settings, addresses, ledger)
    assert ledger.read_text() == before


def test_positions_from_before_a_restore_are_worth_nothing_after_it(
    settings: Settings, addresses: Addresses, tmp_path: Path
) -> None:
    async def incarnation() -> str:
        async with running(settings, addresses, with_worker=False) as process:
            return process.bank.log.incarnation

    before, ledger = asyncio.run(incarnation()), tmp_path / "erasures.jsonl"
    exporting(settings, addresses, ledger)
    reapplying(settings, addresses, ledger)
    assert asyncio.run(incarnation()) != before


@pytest.mark.parametrize("lines", ["no json\n", '{"number":1}\n'])
def test_a_file_that_is_no_ledger_changes_nothing(
    settings: Settings, addresses: Addresses, tmp_path: Path, lines: str
) -> None:
    ann, _ = asyncio.run(_two_customers(settings, addresses))
    file = tmp_path / "other.txt"
    file.write_text(lines)
    with pytest.raises(LedgerError, match="line 1"):
        reapplying(settings, addresses, file)
    assert asyncio.run(_readable(settings, addresses, ann)) == {ann}


def test_a_missing_file_or_folder_is_said(
    settings: Settings, addresses: Addresses, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        reapplying(settings, addresses, tmp_path / "none.jsonl")
    with pytest.raises(ConfigError, match="make it, or choose another"):
        exporting(settings, addresses, tmp_path / "none" / "ledger.jsonl")


def test_a_rotation_keeps_the_living_readable_and_ends_the_old_epoch(
    settings: Settings, addresses: Addresses
) -> None:
    ann, bob = asyncio.run(_two_customers(settings, addresses))
    before = set(Secrets(settings.secrets_dir).epochs.read())
    rotating(settings, addresses)
    after = set(Secrets(settings.secrets_dir).epochs.read())
    assert len(after) == 1
    assert not before & after
    assert asyncio.run(_readable(settings, addresses, ann, bob)) == {ann, bob}
