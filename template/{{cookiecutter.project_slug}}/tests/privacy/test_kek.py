"""Key-encryption keys: by epochs, in a file that only its owner reads."""

import json
import stat
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from ourbank.privacy.kek import (
    EpochDestroyedError,
    EpochStore,
    FileEpochs,
    LocalKeyEncryption,
    MemoryEpochs,
    UnwrapError,
    Wrapped,
)
from ourbank.privacy.secret_file import SecretFileError, exclusive

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    FileEpochs.create(tmp_path / "secrets/kek.json")
    return tmp_path / "secrets/kek.json"


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest) -> EpochStore:
    if request.param == "memory":
        return MemoryEpochs()
    return FileEpochs(request.getfixturevalue("path"))


async def test_a_wrapped_key_unwraps_with_its_own_data_only(store: EpochStore) -> None:
    encryption = LocalKeyEncryption(store)
    first, second = await encryption.wrap([(SECRET, b"a"), (SECRET, b"b")])
    assert await encryption.unwrap([(second, b"b"), (first, b"a")]) == [SECRET, SECRET]
    assert SECRET not in first.ciphertext
    assert first.ciphertext != second.ciphertext
    with pytest.raises(UnwrapError):
        await encryption.unwrap([(first, b"b")])


async def test_the_newest_epoch_wraps_and_older_ones_unwrap_until_destroyed(
    store: EpochStore,
) -> None:
    encryption = LocalKeyEncryption(store)
    (old,) = await encryption.wrap([(SECRET, b"a")])
    assert await encryption.open_epoch() == old.epoch + 1
    (new,) = await encryption.wrap([(SECRET, b"a")])
    assert new.epoch == old.epoch + 1
    assert await encryption.unwrap([(old, b"a"), (new, b"a")]) == [SECRET, SECRET]

    await encryption.destroy_epochs_before(new.epoch)
    assert await encryption.unwrap([(new, b"a")]) == [SECRET]
    with pytest.raises(EpochDestroyedError, match=f"epoch {old.epoch} is destroyed"):
        await encryption.unwrap([(old, b"a")])


async def test_the_epoch_is_bound_even_if_its_key_came_again() -> None:
    epochs = MemoryEpochs(SECRET)
    encryption = LocalKeyEncryption(epochs)
    (wrapped,) = await encryption.wrap([(SECRET, b"a")])
    epochs.add(SECRET)
    with pytest.raises(UnwrapError):
        await encryption.unwrap([(Wrapped(2, wrapped.ciphertext), b"a")])


async def test_what_is_no_wrapped_key_is_refused(store: EpochStore) -> None:
    encryption = LocalKeyEncryption(store)
    with pytest.raises(UnwrapError):
        await encryption.unwrap([(Wrapped(1, b""), b"a")])


async def test_processes_that_share_the_file_follow_each_other(path: Path) -> None:
    ours, theirs = (LocalKeyEncryption(FileEpochs(path)) for _ in range(2))
    (before,) = await ours.wrap([(SECRET, b"a")])
    epoch = await theirs.open_epoch()
    (after,) = await ours.wrap([(SECRET, b"a")])
    assert after.epoch == epoch
    await theirs.destroy_epochs_before(epoch)
    with pytest.raises(EpochDestroyedError):
        await ours.unwrap([(before, b"a")])


def test_who_changes_the_file_waits_for_who_does_already(path: Path) -> None:
    """Two at once would lose an epoch, and with it every key wrapped under it."""
    ours = FileEpochs(path)
    with ThreadPoolExecutor() as others:
        with exclusive(path):
            adding = others.submit(FileEpochs(path).add, SECRET)
            removing = others.submit(FileEpochs(path).remove_before, 1)
            changes: list[Future[Any]] = [adding, removing]
            assert wait(changes, timeout=0.2).done == set()
            assert list(ours.read()) == [1]
        assert adding.result(timeout=10) == 2
        removing.result(timeout=10)
    assert list(ours.read()) == [1, 2]


def test_a_key_file_is_made_once_and_for_its_owner_only(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    before = path.read_bytes()
    with pytest.raises(SecretFileError, match="exists"):
        FileEpochs.create(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["kek.json"]
    FileEpochs(path).add(SECRET)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["kek.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_open_to_others_is_refused_with_the_cure(path: Path, mode: int) -> None:
    epochs = FileEpochs(path)
    assert epochs.read()
    path.chmod(mode)
    with pytest.raises(SecretFileError, match=f"chmod 600 {path}"):
        epochs.read()


def test_a_missing_key_file_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(SecretFileError, match="run the command `init`"):
        FileEpochs(tmp_path / "kek.json").read()


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", '{"epochs": {}}', '{"epochs": {"1": "AAAA"}}', '{"epochs": {"x": 1}}'],
)
def test_a_key_file_without_keys_is_refused_with_the_cure(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(SecretFileError, match="put its backup in place"):
        FileEpochs(path).read()


def test_the_key_file_is_plain_json(path: Path) -> None:
    assert list(json.loads(path.read_text())["epochs"]) == ["1"]
