"""Inclusion and consistency proofs of a Merkle tree, by the iterative algorithms of RFC 9162.

A leaf is hashed behind one zero byte, an inner node behind one 1, with SHA-256.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256().digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + leaf).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def includes(leaf: bytes, index: int, size: int, hashes: Sequence[bytes], root: bytes) -> bool:
    """Say whether `hashes` prove that `leaf` is number `index` of a tree of `size` leaves
    (RFC 9162, 2.1.3.2).
    """
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, leaf_hash(leaf)
    for sibling in hashes:
        if last == 0:
            return False
        if place % 2 or place == last:
            reached = _node(sibling, reached)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = _node(reached, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def extends(
    old_size: int, old_root: bytes, size: int, root: bytes, hashes: Sequence[bytes]
) -> bool:
    """Say whether `hashes` prove that a tree only grew from `old_size` leaves to `size`
    (RFC 9162, 2.1.4.2). Every tree grew from the empty one; of that there is nothing to prove.
    """
    if not 0 <= old_size <= size:
        return False
    if old_size == 0:
        return not hashes and old_root == EMPTY_ROOT and (size > 0 or root == EMPTY_ROOT)
    if old_size == size:
        return not hashes and old_root == root
    path = list(hashes)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    return bool(path) and _climbs(old_size - 1, size - 1, path) == (old_root, root)


def _climbs(place: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the two roots that a path leads to, None where it leads past them."""
    while place % 2:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if place % 2 or place == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            new = _node(new, sibling)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None
