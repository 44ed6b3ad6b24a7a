"""Files with secrets: made once, readable by their owner only, replaced whole or not at all."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SecretFileError(Exception):
    """The file cannot serve; the text is one line and names the cure."""


def create_secret(path: Path, content: bytes) -> None:
    """Write a new secret; SecretFileError if there is one, for what it protects would be lost."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = _written_beside(path, content)
    try:
        path.hardlink_to(written)  # unlike a rename, it never takes another's place
    except FileExistsError:
        raise SecretFileError(f"{path} exists: move it away first if you mean it") from None
    finally:
        written.unlink()
    _sync(path.parent)


def read_secret(path: Path) -> bytes:
    """The secret; SecretFileError when it is missing, or when others may read it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise SecretFileError(f"{path} is open to others ({mode:o}): chmod 600 {path}")
            return file.read()
    except FileNotFoundError:
        raise SecretFileError(f"{path} is missing: run the command `init`") from None
    except PermissionError:
        raise SecretFileError(f"{path} cannot be read: run as its owner, or change it") from None


def replace_secret(path: Path, content: bytes) -> None:
    """Put another content in its place; a crash leaves the one or the other."""
    _written_beside(path, content).replace(path)
    _sync(path.parent)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """One process at a time changes what lies in this file's folder; whoever dies lets go."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _written_beside(path: Path, content: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return Path(name)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
