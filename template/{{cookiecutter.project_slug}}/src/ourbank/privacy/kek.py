"""Key encryption: data keys are stored only wrapped, under a key that is never in the database.

The key-encryption key changes by *epochs*. A new epoch is opened, the keys of all who were not
erased are wrapped again under it, the old epoch is destroyed (rotation.py): what is left of erased
keys in dead rows, write-ahead log and old backups can then never be unwrapped again.

`LocalKeyEncryption` is for development: its epochs lie in a file. In production the same port
stands before a service that keeps the key to itself: HashiCorp Vault Transit (an epoch is a key
version, `associated_data` a parameter, batches are native) or AWS KMS (an epoch is a KMS key, the
associated data its encryption context).
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .sealing import KEY_BYTES, NONCE_BYTES, Entropy
from .secret_file import SecretFileError, create_secret, exclusive, read_secret, replace_secret

Epochs = dict[int, bytes]


class Wrapped(NamedTuple):
    """A wrapped key, and the epoch that can unwrap it."""

    epoch: int
    ciphertext: bytes


class EpochDestroyedError(Exception):
    """The key is wrapped under an epoch that is gone."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"key-encryption epoch {epoch} is destroyed: these keys are older than the last"
            " rotation; restore a newer backup of the key database"
        )
        self.epoch = epoch


class UnwrapError(Exception):
    """The wrapped key is not what was wrapped, or belongs to another subject or epoch."""


class KeyEncryption(Protocol):
    """Wraps and unwraps; batched, because a service away from here is asked once for many."""

    async def wrap(self, keys: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        """Wrap (key, associated data) under the newest epoch, whichever process opened it."""
        ...

    async def unwrap(self, keys: Sequence[tuple[Wrapped, bytes]]) -> list[bytes]:
        """Unwrap (wrapped, associated data); EpochDestroyedError, UnwrapError."""
        ...

    async def open_epoch(self) -> int:
        """Begin a new epoch; `wrap` uses it from now on."""
        ...

    async def destroy_epochs_before(self, epoch: int) -> None:
        """Forget the older epochs for ever."""
        ...


class EpochStore(Protocol):
    """Where a LocalKeyEncryption keeps its epochs."""

    def read(self) -> Epochs:
        """The epochs as they are now, whoever changed them."""
        ...

    def add(self, key: bytes) -> int:
        """Add the next epoch and return its number."""
        ...

    def remove_before(self, epoch: int) -> None:
        """Remove the older ones."""
        ...


class LocalKeyEncryption:
    """Key encryption with AES-256-GCM in this process."""

    def __init__(self, store: EpochStore, entropy: Entropy = os.urandom) -> None:
        self._store = store
        self._entropy = entropy

    async def wrap(self, keys: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        """See the port."""
        epoch, secret = max(self._store.read().items())
        return [Wrapped(epoch, self._wrapped(epoch, secret, *key)) for key in keys]

    def _wrapped(self, epoch: int, secret: bytes, key: bytes, associated: bytes) -> bytes:
        nonce = self._entropy(NONCE_BYTES)
        return nonce + AESGCM(secret).encrypt(nonce, key, _bound(associated, epoch))

    async def unwrap(self, keys: Sequence[tuple[Wrapped, bytes]]) -> list[bytes]:
        """See the port."""
        epochs = self._store.read()
        return [_unwrapped(epochs, *key) for key in keys]

    async def open_epoch(self) -> int:
        """See the port."""
        return self._store.add(self._entropy(KEY_BYTES))

    async def destroy_epochs_before(self, epoch: int) -> None:
        """See the port."""
        self._store.remove_before(epoch)


def _unwrapped(epochs: Epochs, wrapped: Wrapped, associated: bytes) -> bytes:
    epoch, ciphertext = wrapped
    if epoch not in epochs:
        raise EpochDestroyedError(epoch)
    nonce, rest = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
    try:
        return AESGCM(epochs[epoch]).decrypt(nonce, rest, _bound(associated, epoch))
    except (InvalidTag, ValueError):
        raise UnwrapError(f"a key of epoch {epoch} does not unwrap") from None


def _bound(associated: bytes, epoch: int) -> bytes:
    return b"%d\0%b" % (epoch, associated)


class MemoryEpochs:
    """Epochs that end with the process: for tests and simulations."""

    def __init__(self, first: bytes | None = None) -> None:
        self._epochs = {1: os.urandom(KEY_BYTES) if first is None else first}

    def read(self) -> Epochs:
        """See EpochStore."""
        return self._epochs

    def add(self, key: bytes) -> int:
        """See EpochStore."""
        epoch = max(self._epochs) + 1
        self._epochs = {**self._epochs, epoch: key}
        return epoch

    def remove_before(self, epoch: int) -> None:
        """See EpochStore."""
        self._epochs = {n: key for n, key in self._epochs.items() if n >= epoch}


class FileEpochs:
    """Epochs in a JSON file that only its owner can read; shared by all processes of a bank."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[object, ...] = ()
        self._epochs: Epochs = {}

    @classmethod
    def create(cls, path: Path) -> "FileEpochs":
        """A new file with the first epoch; SecretFileError when there is one already."""
        create_secret(path, _written({1: os.urandom(KEY_BYTES)}))
        return cls(path)

    def read(self) -> Epochs:
        """See EpochStore. The file is read again only when it was replaced; SecretFileError."""
        status = self._path.stat() if self._path.exists() else None
        seen = status and (status.st_ino, status.st_mtime_ns, status.st_mode)
        if seen is None or seen != self._seen:
            self._epochs = _read(self._path)
            self._seen = seen or ()
        return self._epochs

    def add(self, key: bytes) -> int:
        """See EpochStore."""
        with exclusive(self._path):
            epochs = _read(self._path)
            epoch = max(epochs) + 1
            replace_secret(self._path, _written({**epochs, epoch: key}))
        return epoch

    def remove_before(self, epoch: int) -> None:
        """See EpochStore."""
        with exclusive(self._path):
            kept = {n: key for n, key in _read(self._path).items() if n >= epoch}
            replace_secret(self._path, _written(kept))


def _written(epochs: Epochs) -> bytes:
    content = {"epochs": {str(n): b64encode(key).decode() for n, key in epochs.items()}}
    return json.dumps(content, indent=2).encode()


def _read(path: Path) -> Epochs:
    content = read_secret(path)
    try:
        listed = json.loads(content)["epochs"].items()
        epochs = {int(n): b64decode(key, validate=True) for n, key in listed}
    except (ValueError, KeyError, TypeError, AttributeError):
        epochs = {}
    if not epochs or {len(key) for key in epochs.values()} != {KEY_BYTES}:
        raise SecretFileError(f"{path} holds no key-encryption keys: put its backup in place")
    return epochs
