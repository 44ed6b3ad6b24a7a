"""The Merkle tree of RFC 6962 over hashes that are only ever appended."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\0" + leaf).digest()


class Tree:
    """Keeps the root of every whole subtree, so that a proof costs its own length."""

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self.levels: list[list[bytes]] = [[]]
        for one in hashes:
            self.append(one)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self.levels[0])

    @property
    def leaves(self) -> list[bytes]:
        """The hashes of the leaves."""
        return self.levels[0]

    def append(self, hashed: bytes) -> None:
        """Add the hash of a leaf, and of every subtree that it makes whole."""
        for level in self.levels:
            level.append(hashed)
            if len(level) % 2:
                return
            hashed = _node(level[-2], level[-1])
        self.levels.append([hashed])

    def root(self, size: int) -> bytes:
        """Return the root of the tree of the first `size` leaves."""
        return self._root(0, size)

    def path(self, index: int, size: int) -> list[bytes]:
        """Return the inclusion path of a leaf: PATH of RFC 6962, 2.1.1."""
        return self._path(index, 0, size)

    def growth(self, old: int, size: int) -> list[bytes]:
        """Return the consistency proof between two sizes: PROOF of RFC 6962, 2.1.2."""
        return self._growth(old, 0, size, whole=True) if old else []

    def _root(self, first: int, end: int) -> bytes:
        count = end - first
        if count == 0:
            return sha256().digest()
        if count & (count - 1) == 0:
            return self.levels[count.bit_length() - 1][first // count]
        middle = first + _half(count)
        return _node(self._root(first, middle), self._root(middle, end))

    def _path(self, index: int, first: int, end: int) -> list[bytes]:
        if end - first == 1:
            return []
        middle = first + _half(end - first)
        if index < middle:
            return [*self._path(index, first, middle), self._root(middle, end)]
        return [*self._path(index, middle, end), self._root(first, middle)]

    def _growth(self, old: int, first: int, end: int, *, whole: bool) -> list[bytes]:
        if old == end:
            return [] if whole else [self._root(first, end)]
        middle = first + _half(end - first)
        if old <= middle:
            return [*self._growth(old, first, middle, whole=whole), self._root(middle, end)]
        return [*self._growth(old, middle, end, whole=False), self._root(first, middle)]


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def _half(count: int) -> int:
    """Return the greatest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
