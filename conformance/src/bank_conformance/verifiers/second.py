"""The proofs of `merkle` verified a second time, independently: from the recursive definition.

RFC 6962 defines a path of a tree as the path of the half that the leaf is in, followed by the root
of the other half. Read backwards, that is a verifier: take the last hash away, recurse. Nothing is
shared with `merkle`, so that a mistake would have to be made twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_LEAF, _INNER = bytes([0]), bytes([1])


def includes(leaf: bytes, index: int, size: int, hashes: Sequence[bytes], root: bytes) -> bool:
    """Say whether `hashes` prove that `leaf` is number `index` of a tree of `size` leaves."""
    if index < 0 or index >= size:
        return False
    return _root_of(leaf, index, size, tuple(hashes)) == root


def _root_of(leaf: bytes, index: int, size: int, path: tuple[bytes, ...]) -> bytes | None:
    """Return the root that PATH(index, D[size]) leads to, None where its length is wrong."""
    if size == 1:
        return None if path else _hash(_LEAF, leaf)
    if not path:
        return None
    *inner, other = path
    left = _left_half(size)
    if index < left:
        half = _root_of(leaf, index, left, tuple(inner))
        return half and _hash(_INNER, half, other)
    half = _root_of(leaf, index - left, size - left, tuple(inner))
    return half and _hash(_INNER, other, half)


def extends(
    old_size: int, old_root: bytes, size: int, root: bytes, hashes: Sequence[bytes]
) -> bool:
    """Say whether `hashes` prove that a tree only grew from `old_size` leaves to `size`."""
    if old_size < 0 or old_size > size:
        return False
    if old_size == 0:
        return not hashes and old_root == _hash() and (size > 0 or root == old_root)
    return _roots_of(old_size, size, tuple(hashes), old_root) == (old_root, root)


def _roots_of(
    old_size: int, size: int, proof: tuple[bytes, ...], known: bytes | None
) -> tuple[bytes, bytes] | None:
    """Return the old and the new root that SUBPROOF leads to, None where its length is wrong.

    `known` is the old root while the subtree at hand is the whole old tree, which the proof leaves
    out then.
    """
    if old_size == size:
        if known is not None:
            return None if proof else (known, known)
        return (proof[0], proof[0]) if len(proof) == 1 else None
    if not proof:
        return None
    *inner, other = proof
    left = _left_half(size)
    if old_size <= left:
        halves = _roots_of(old_size, left, tuple(inner), known)
        return halves and (halves[0], _hash(_INNER, halves[1], other))
    halves = _roots_of(old_size - left, size - left, tuple(inner), None)
    return halves and (_hash(_INNER, other, halves[0]), _hash(_INNER, other, halves[1]))


def _left_half(size: int) -> int:
    """Return the greatest power of two below `size`."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
