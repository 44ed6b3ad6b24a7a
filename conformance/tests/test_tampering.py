"""The reference bank proves and verifies its log, and each forgery of its file is what it says."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from bank_conformance.reference.audit import Auditor, Found
from bank_conformance.reference.bank import Bank
from bank_conformance.reference.problems import RefusalError
from bank_conformance.reference.tampering import ForgeryError, altered, forge
from bank_conformance.reference.trees import Tree, leaf_hash
from bank_conformance.verifiers import merkle, second
from hypothesis import given
from hypothesis import strategies as st

SECRET, EVENTS_MIN = "s" * 32, 6


@given(st.lists(st.binary(max_size=3), max_size=70), st.data())
def test_what_a_tree_proves_both_verifiers_believe(
    leaves: list[bytes], data: st.DataObject
) -> None:
    tree = Tree(leaf_hash(leaf) for leaf in leaves)
    size = data.draw(st.integers(0, len(leaves)))
    old = data.draw(st.integers(0, size))
    for by in (merkle, second):
        assert by.extends(old, tree.root(old), size, tree.root(size), tree.growth(old, size))
        if index := old:
            path = tree.path(index - 1, size)
            assert by.includes(leaves[index - 1], index - 1, size, path, tree.root(size))


def _open(folder: Path) -> Bank:
    return Bank(SECRET, folder=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a stopped bank with some customers, all sealed."""
    bank = _open(tmp_path)
    while len(bank.log.partitions[0]) < EVENTS_MIN:
        bank.register({"name": "N. N.", "email": "n@example.com"})
    bank.auditor.seal()
    bank.disk.connection.close()
    return tmp_path


def _size(auditor: Auditor) -> int:
    return auditor.trees[0].size


def test_a_bank_that_is_opened_again_has_the_tree_it_had(folder: Path) -> None:
    auditor = _open(folder).auditor
    assert [tree.size for tree in auditor.trees] == [len(e) for e in auditor.bank.log.partitions]
    assert auditor.verify([]) == []
    again = auditor.checkpoint(0, None, "staff")
    assert auditor.verify([again["jws"]]) == []
    assert b64decode(again["root"]) == auditor.trees[0].root(_size(auditor))


def _held(folder: Path) -> str:
    jws: str = _open(folder).auditor.checkpoint(0, None, "staff")["jws"]
    return jws


def _forge(folder: Path, kind: str, position: int, **other: str) -> None:
    place = {"kind": kind, "partition": "0", "position": str(position)}
    forge(folder / "bank.db", place | other)


@pytest.mark.parametrize(
    ("kind", "first"),
    [("alter", 3), ("remove", 3), ("insert", 4), ("reorder", 3)],
)
def test_what_is_done_inside_the_log_is_found_at_its_place_without_any_help(
    folder: Path, kind: str, first: int
) -> None:
    _forge(folder, kind, 3)
    found = _open(folder).auditor.verify([])
    assert found[0][:2] == (0, first)
    assert {one.partition for one in found} == {0}


@pytest.mark.parametrize(("kind", "position"), [("truncate", 3), ("truncate", 1), ("rewrite", 3)])
def test_what_storage_lets_one_mend_is_found_by_a_checkpoint_held_outside_only(
    folder: Path, kind: str, position: int
) -> None:
    held = _held(folder)
    _forge(folder, kind, position)
    auditor = _open(folder).auditor
    assert auditor.verify([]) == []
    ends_at = position if kind == "truncate" else None
    assert [one[:2] for one in auditor.verify([held])] == [(0, ends_at)]


def test_positions_stay_gapless_whatever_is_removed_or_inserted(folder: Path) -> None:
    before = list(_open(folder).disk.events())
    for kind in ("remove", "insert", "reorder", "alter"):
        _forge(folder, kind, 2)
        rows = [(part, position) for part, position, _ in _open(folder).disk.events()]
        ours = [position for part, position in rows if part == 0]
        assert ours == list(range(1, len(ours) + 1))
    after = list(_open(folder).disk.events())
    assert len(after) == len(before)
    assert after != before


def test_one_byte_is_altered_and_json_stays_json() -> None:
    doc = '{"position":7,"data":{"amount_minor":10},"postings":[]}'
    assert altered(doc) == doc.replace("10", "20")
    assert altered(doc.replace("10", "98")) == doc.replace("10", "99")


def test_two_sealed_texts_change_places(folder: Path) -> None:
    bank = _open(folder)
    one, other = (event.data["personal"] for event in bank.log.partitions[0][:2])
    _forge(folder, "swap", 1, other_partition="0", other_position="2")
    now = _open(folder).log.partitions[0]
    assert [event.data["personal"] for event in now[:2]] == [other, one]


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "burn", "partition": "0", "position": "1"},
        {"kind": "alter", "partition": "0", "position": "99"},
        {"kind": "alter", "partition": "0", "position": "first"},
        {"kind": "swap", "partition": "0", "position": "1"},
    ],
    ids=["kind", "beyond", "no number", "no other"],
)
def test_what_cannot_be_forged_is_said_and_nothing_is_done(
    folder: Path, asked: dict[str, str]
) -> None:
    with pytest.raises(ForgeryError):
        forge(folder / "bank.db", asked)
    assert _open(folder).auditor.verify([]) == []


def test_a_stored_checkpoint_that_was_not_signed_is_found(folder: Path) -> None:
    stranger = Bank("another secret").auditor.checkpoint(0, None, "staff")["jws"]
    bank = _open(folder)
    bank.auditor.keep("checkpoint", 0, 2, jws=stranger)
    bank.disk.commit()
    assert [one[:2] for one in _open(folder).auditor.verify([])] == [(0, 2)]


def test_a_checkpoint_of_somebody_else_is_refused(folder: Path) -> None:
    stranger = Bank("another secret").auditor.checkpoint(0, None, "staff")["jws"]
    with pytest.raises(RefusalError, match="invalid-checkpoint"):
        _open(folder).auditor.verify([stranger])


def test_no_more_is_told_than_anyone_reads(folder: Path) -> None:
    bank = _open(folder)
    for number in range(250):
        bank.register({"name": f"N {number}", "email": "n@example.com"})
    bank.auditor.seal()
    bank.disk.connection.close()
    _forge(folder, "remove", 1)
    found = _open(folder).auditor.verify([])
    assert found[0] == Found(0, 1, "the event is not the one that was sealed")
    assert len(found) == 100
