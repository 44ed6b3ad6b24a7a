"""The two verifiers of proofs agree with each other, with brute force, and with RFC 6962."""

from __future__ import annotations

import base64
from hashlib import sha256
from itertools import pairwise, product

import pytest
from bank_conformance.verifiers import merkle, second
from bank_conformance.verifiers.encoding import VerificationError, plain, url_safe
from bank_conformance.verifiers.proofs import Verifier
from hypothesis import given, settings
from hypothesis import strategies as st

LEAVES_MAX = 64
VERIFIERS: tuple[Verifier, ...] = (merkle, second)
both = pytest.mark.parametrize("by", VERIFIERS, ids=["iterative", "recursive"])

# The test vectors of certificate-transparency (merkletree/merkle_tree_test.cc), used by every
# implementation of RFC 6962 since: eight leaves, and the roots of the trees of the first 1 … 8.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
# From the same file: (leaf, size) and the inclusion path; (old, new) and the consistency proof.
PATHS = {
    (0, 8): "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 "
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e "
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    (2, 3): "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
}
GROWTH = {
    (1, 8): "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 "
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e "
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    (6, 8): "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a "
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0 "
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
}


def _hashes(text: str) -> list[bytes]:
    return [bytes.fromhex(one) for one in text.split()]


@both
def test_the_published_vectors_verify(by: Verifier) -> None:
    for (index, size), path in PATHS.items():
        assert by.includes(LEAVES[index], index, size, _hashes(path), ROOTS[size - 1])
    for (old, new), proof in GROWTH.items():
        assert by.extends(old, ROOTS[old - 1], new, ROOTS[new - 1], _hashes(proof))


# Brute force: the definitions of RFC 6962, 2.1, word for word.


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return sha256(b"\0" + leaves[0]).digest() if leaves else sha256().digest()
    half = _half(len(leaves))
    return sha256(b"\1" + _root(leaves[:half]) + _root(leaves[half:])).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if index < half:
        return [*_path(index, leaves[:half]), _root(leaves[half:])]
    return [*_path(index - half, leaves[half:]), _root(leaves[:half])]


def _growth(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [_root(leaves)]
    half = _half(len(leaves))
    if old <= half:
        return [*_growth(old, leaves[:half], whole=whole), _root(leaves[half:])]
    return [*_growth(old - half, leaves[half:], whole=False), _root(leaves[:half])]


def _half(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


MANY = [bytes([number]) * (number % 3) + b"leaf" for number in range(LEAVES_MAX)]
MANY_ROOTS = [_root(MANY[:size]) for size in range(LEAVES_MAX + 1)]


def test_brute_force_gives_the_published_roots() -> None:
    assert [_root(LEAVES[: size + 1]) for size in range(len(LEAVES))] == ROOTS


@both
def test_every_leaf_of_every_tree_up_to_64_is_included(by: Verifier) -> None:
    for size in range(1, LEAVES_MAX + 1):
        for index in range(size):
            path = _path(index, MANY[:size])
            assert by.includes(MANY[index], index, size, path, MANY_ROOTS[size])


@both
def test_every_tree_up_to_64_extends_every_smaller_one(by: Verifier) -> None:
    for old, size in product(range(LEAVES_MAX + 1), repeat=2):
        if old <= size:
            proof = _growth(old, MANY[:size]) if old else []
            assert by.extends(old, MANY_ROOTS[old], size, MANY_ROOTS[size], proof)


def _spoilt(parts: list[bytes]) -> list[list[bytes]]:
    """Return the parts with each single bit of them turned over."""
    found = []
    for place, part in enumerate(parts):
        for bit in range(8 * len(part)):
            turned = bytearray(part)
            turned[bit // 8] ^= 1 << bit % 8
            found.append([*parts[:place], bytes(turned), *parts[place + 1 :]])
    return found


@given(st.integers(1, LEAVES_MAX).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
@settings(max_examples=40, deadline=None)
def test_no_bit_of_an_inclusion_proof_is_idle(place: tuple[int, int]) -> None:
    size, index = place
    parts = [MANY[index], MANY_ROOTS[size], *_path(index, MANY[:size])]
    for leaf, root, *path in _spoilt(parts):
        assert not any(by.includes(leaf, index, size, path, root) for by in VERIFIERS)


@given(st.integers(1, LEAVES_MAX).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
@settings(max_examples=40, deadline=None)
def test_no_bit_of_a_consistency_proof_is_idle(sizes: tuple[int, int]) -> None:
    size, old = sizes
    parts = [MANY_ROOTS[old], MANY_ROOTS[size], *_growth(old, MANY[:size])]
    for old_root, root, *proof in _spoilt(parts):
        assert not any(by.extends(old, old_root, size, root, proof) for by in VERIFIERS)


SMALL, CLAIMS = range(1, 8), range(-1, 10)
"""Small trees, and what may be claimed of a proof: true of some, and beyond all of them."""


def _believed(by: Verifier) -> set[tuple[int, int, int, int, int]]:
    """Return leaf and size of a path, the size of the root, and what is claimed and believed."""
    return {
        (leaf, of, under, index, size)
        for of in SMALL
        for leaf in range(of)
        for under, index, size in product(SMALL, CLAIMS, CLAIMS)
        if by.includes(MANY[leaf], index, size, _path(leaf, MANY[:of]), MANY_ROOTS[under])
    }


def test_a_path_is_believed_of_its_own_root_only_and_by_both_alike() -> None:
    believed = _believed(merkle)
    assert believed == _believed(second)
    assert all(of == under for _, of, under, _, _ in believed)
    assert all((leaf, of, of, leaf, of) in believed for of in SMALL for leaf in range(of))
    assert all(0 <= index < size for *_, index, size in believed)


def test_a_growth_is_believed_of_its_own_roots_only_and_by_both_alike() -> None:
    pairs = [(old, new) for new in SMALL for old in range(1, new + 1)]
    proofs = {pair: _growth(pair[0], MANY[: pair[1]]) for pair in pairs}
    for (old, new), (old_root, root) in product(pairs, repeat=2):
        for claim in product(CLAIMS, CLAIMS):
            told = (MANY_ROOTS[old_root], claim[1], MANY_ROOTS[root], proofs[old, new])
            said = {by.extends(claim[0], *told) for by in VERIFIERS}
            assert len(said) == 1, "the two verifiers disagree"
            if claim == (old_root, root):
                same = proofs[old, new] == proofs[claim]
                assert said == {same}, "believed exactly where it is the proof of this growth"


@both
@pytest.mark.parametrize("size", [2, 5, 8, 33, 64])
def test_a_proof_that_is_too_short_too_long_or_of_another_place_fails(
    by: Verifier,
    size: int,
) -> None:
    path, root = _path(1, MANY[:size]), MANY_ROOTS[size]
    wrong = [path[:-1], [*path, root], path[::-1] if len(path) > 1 else [root]]
    assert not any(by.includes(MANY[1], 1, size, one, root) for one in wrong)
    assert not any(by.includes(MANY[1], other, size, path, root) for other in (-1, 0, size))
    proof = _growth(size - 1, MANY[:size])
    assert not by.extends(size - 1, MANY_ROOTS[size - 1], size, root, proof[:-1])
    assert not by.extends(size - 1, MANY_ROOTS[size - 1], size, root, [*proof, root])
    assert not by.extends(size, root, size - 1, MANY_ROOTS[size - 1], proof)
    for place in range(len(proof) + 1):
        longer = [*proof[:place], root, *proof[place:]]
        assert not by.extends(size - 1, MANY_ROOTS[size - 1], size, root, longer)


@both
def test_the_empty_tree_has_one_root_and_nothing_to_prove(by: Verifier) -> None:
    empty, other = MANY_ROOTS[0], MANY_ROOTS[1]
    assert by.extends(0, empty, 0, empty, [])
    assert not by.extends(0, other, 0, other, [])
    assert not by.extends(0, other, 1, other, [])
    assert not by.extends(0, empty, 1, other, [other])
    assert not by.includes(MANY[0], 0, 0, [], empty)


def test_the_roots_of_growing_trees_all_differ() -> None:
    assert all(before != after for before, after in pairwise(MANY_ROOTS))


@given(st.binary(max_size=70))
def test_base64_is_read_in_one_spelling_only(content: bytes) -> None:
    text = base64.b64encode(content).decode()
    safe = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    assert plain(text) == url_safe(safe) == content
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    for other in alphabet:
        if safe and safe[-1] != other:
            try:
                assert url_safe(safe[:-1] + other) != content
            except VerificationError:
                continue


@pytest.mark.parametrize("text", ["A", "AA", "AA=", "A A=", "AAé=", "AA==\n", "AB==", "_w=="])
def test_what_is_not_quite_base64_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        plain(text)


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "+w", "Aé", "AA\n"])
def test_what_is_not_quite_base64url_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        url_safe(text)
