"""Deciders of evidence: a sound record passes, and one that is spoilt in one place fails for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from bank_conformance.bank.shapes import Erasure, FeedEvent
from bank_conformance.history import History, Operation
from bank_conformance.reference.trees import Tree, leaf_hash
from bank_conformance.requirements import proofs as proven
from bank_conformance.requirements import tampering as tampered
from bank_conformance.requirements.evidence import PUBLISHED, SIGNED
from bank_conformance.verdict import Decision, Verdict
from bank_conformance.verifiers import merkle
from bank_conformance.verifiers.checkpoint import Checkpoint, read_checkpoint
from bank_conformance.verifiers.jws import read_keys
from bank_conformance.verifiers.proofs import ConsistencyProof, InclusionProof
from bank_conformance.workloads.evidence import Growth, Proof
from bank_conformance.workloads.proving import Proving, Round, View
from bank_conformance.workloads.sealed_proofs import Erased
from bank_conformance.workloads.tampering import Aim, Forgery, Tampering
from builders import operation
from msgspec.structs import replace as with_
from signing import AT, JWKS, SIGNER, STRANGER, said

SIZES = (15, 30, 45)
EVENTS = [
    FeedEvent(0, n, "acc_1", n, "FundsCredited", 1, AT, {"amount_minor": n}, [])
    for n in range(1, SIZES[-1] + 1)
]
Change = Callable[[dict[str, Any]], Mapping[str, Any]]


def same(answer: dict[str, Any]) -> dict[str, Any]:
    return answer


class Ledger:
    """A bank's evidence of one partition, made by hand; `spoil` changes the answers of a route."""

    def __init__(self, spoil: Mapping[str, Change] | None = None, signer: Any = SIGNER) -> None:
        self.history, self.spoil, self.signer = History("evidence"), dict(spoil or {}), signer
        self.tree = Tree(leaf_hash(self.leaf(event)) for event in EVENTS)

    def leaf(self, event: FeedEvent) -> bytes:
        members = ("partition", "position", "stream_id", "version", "type", "recorded_at", "data")
        return json.dumps({name: getattr(event, name) for name in members}).encode()

    def told(self, route: str, answer: dict[str, Any] | None, **more: Any) -> Operation:
        spoilt = answer and self.spoil.get(route, same)(dict(answer))
        return operation(self.history, url=f"/{route}", route=route, answer=spoilt, **more)

    def keys(self) -> Operation:
        return self.told("getSigningKeys", json.loads(JWKS))

    def checkpoint(self, size: int) -> Operation:
        signed = said(size, self.tree.root(size))
        jws = self.signer.sign("log-checkpoint", signed)
        return self.told("getCheckpoint", signed | {"jws": jws})

    def proof(self, event: FeedEvent, checkpoint: Operation, size: int = SIZES[-1]) -> Proof:
        answer = {
            "leaf": base64.b64encode(self.leaf(event)).decode(),
            "leaf_index": event.position - 1,
            "size": size,
            "hashes": _texts(self.tree.path(event.position - 1, size)),
        }
        return Proof(event, checkpoint, self.told("getInclusionProof", answer))

    def growth(self, old: Operation, new: Operation, old_size: int, size: int) -> Growth:
        answer = {"hashes": _texts(self.tree.growth(old_size, size))}
        return Growth(old, new, self.told("getConsistencyProof", answer))

    def verification(self, *findings: dict[str, Any]) -> Operation:
        return self.told("verifyLog", {"ok": not findings, "findings": list(findings)})

    def acknowledged(self) -> None:
        for event in EVENTS:
            entry = {"account_id": event.stream_id, "transfer_id": None, "version": event.version}
            self.told("postEntry", entry, method="POST", status=201)


def _texts(hashes: list[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]


def proving(ledger: Ledger, held: Ledger | None = None) -> Proving:
    """Return a record of `ledger`; auditors are shown the checkpoints of `held`."""
    ledger.acknowledged()
    checkpoints = [ledger.checkpoint(size) for size in SIZES]
    record = Proving(ledger.history, ledger.keys())
    for number, checkpoint in enumerate(checkpoints):
        events = EVENTS[number * 15 : number * 15 + 15]
        record.rounds.append(Round(events, {0: checkpoint}))
        record.proofs += [ledger.proof(event, checkpoints[-1]) for event in events]
    pairs = [(0, 1), (0, 2), (1, 2)]
    record.growths = [
        ledger.growth(checkpoints[i], checkpoints[j], SIZES[i], SIZES[j]) for i, j in pairs
    ]
    for who in ("auditor 1", "auditor 2", "staff"):
        source = held if held and who == "auditor 2" else ledger
        record.views += [View(who, _in(ledger, source, size)) for size in SIZES * 3]
    record.verification = ledger.verification()
    return record


def _in(ledger: Ledger, source: Ledger, size: int) -> Operation:
    """Return a checkpoint of `source`, recorded in the history of `ledger`."""
    source.history = ledger.history
    return source.checkpoint(size)


def _failed(decision: Decision) -> set[str]:
    return {finding.expectation for finding in decision.findings if not finding.warning}


DECIDERS = (proven.every_command_proven, proven.one_log_for_all, proven.third_party_agrees)


@pytest.mark.parametrize("decide", DECIDERS)
def test_sound_evidence_passes(decide: Callable[[Proving], Decision]) -> None:
    decision = decide(proving(Ledger()))
    assert decision.verdict is Verdict.PASS, decision.reason


def _turned(text: str) -> str:
    """Return a base64 text with one bit of it turned over."""
    content = bytearray(base64.b64decode(text))
    content[0] ^= 1
    return base64.b64encode(content).decode()


def _first(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"hashes": [_turned(answer["hashes"][0]), *answer["hashes"][1:]]}


def _other_data(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"leaf": base64.b64encode(b'{"data": 1}').decode()}


SPOILT: list[tuple[str, Change, set[str], set[str], set[str]]] = [
    ("getSigningKeys", lambda _: {"keys": []}, {PUBLISHED}, {PUBLISHED}, {PUBLISHED}),
    ("getSigningKeys", lambda _: {"keys": [STRANGER.jwk()]}, {SIGNED}, {SIGNED}, {SIGNED}),
    ("getCheckpoint", lambda a: a | {"size": a["size"] + 1}, {SIGNED}, {SIGNED}, {SIGNED}),
    ("getCheckpoint", lambda a: a | {"root": _turned(a["root"])}, {SIGNED}, {SIGNED}, {SIGNED}),
    ("getInclusionProof", _first, {proven.PROVEN}, set(), {proven.AGREED}),
    (
        "getInclusionProof",
        lambda a: a | {"leaf_index": 0},
        {proven.PROVEN},
        set(),
        {proven.AGREED},
    ),
    (
        "getInclusionProof",
        _other_data,
        {proven.PROVEN},
        set(),
        {proven.AGREED, proven.SHOWN},
    ),
    ("getInclusionProof", lambda a: a | {"leaf": "!"}, {proven.PROVEN}, set(), {proven.AGREED}),
    ("getConsistencyProof", _first, set(), {proven.GROWS}, {proven.AGREED}),
    (
        "verifyLog",
        lambda _: {"ok": True, "findings": [{"partition": 0, "position": 3, "what": "gone"}]},
        set(),
        set(),
        {proven.AGREED},
    ),
    ("verifyLog", lambda a: a | {"ok": False}, set(), set(), {proven.AGREED}),
]


@pytest.mark.parametrize(
    ("route", "change", "by_proof", "by_view", "by_third"),
    SPOILT,
    ids=[f"{route}-{number}" for number, (route, *_) in enumerate(SPOILT)],
)
def test_evidence_that_is_spoilt_in_one_place_fails_for_it(
    route: str, change: Change, by_proof: set[str], by_view: set[str], by_third: set[str]
) -> None:
    record = proving(Ledger({route: change}))
    for decide, expected in zip(DECIDERS, (by_proof, by_view, by_third), strict=True):
        assert expected <= _failed(decide(record)), decide.__name__
        assert bool(expected) == bool(_failed(decide(record))), decide.__name__


def test_a_good_proof_of_another_event_proves_nothing() -> None:
    record = proving(Ledger())
    first, second, *rest = record.proofs
    swapped = [
        Proof(first.event, first.checkpoint, second.operation),
        Proof(second.event, second.checkpoint, first.operation),
    ]
    record.proofs = [*swapped, *rest]
    assert _failed(proven.every_command_proven(record)) == {proven.PROVEN}
    assert _failed(proven.third_party_agrees(record)) == {proven.AGREED, proven.SHOWN}


def test_a_proof_of_another_size_partition_or_log_proves_nothing() -> None:
    """Also where the hashes are right: what is signed says of what they are."""
    tree, keys = Ledger().tree, read_keys(JWKS)

    def signed(size: int, **more: Any) -> Checkpoint:
        return read_checkpoint(
            SIGNER.sign("log-checkpoint", said(size, tree.root(size)) | more), keys
        )

    leaf = base64.b64encode(Ledger().leaf(EVENTS[0])).decode()
    inclusion = InclusionProof(leaf, 0, 3, _texts(tree.path(0, 3)))
    assert inclusion.holds(signed(3), merkle)
    assert not with_(inclusion, size=4).holds(signed(3), merkle)
    growth = ConsistencyProof(_texts(tree.growth(2, 3)))
    assert growth.holds(signed(2), signed(3), merkle)
    assert not growth.holds(signed(2, partition=1), signed(3), merkle)
    assert not growth.holds(signed(2), signed(3, log="another"), merkle)


def test_a_command_without_an_event_or_a_proof_is_named() -> None:
    record = proving(Ledger())
    record.proofs = [proof for proof in record.proofs if proof.event.version != 7]
    assert _failed(proven.every_command_proven(record)) == {proven.IN_THE_LOG}


def test_an_event_that_no_checkpoint_covers_in_time_is_named() -> None:
    ledger = Ledger()
    record = proving(ledger)
    late = with_(EVENTS[-1], position=SIZES[-1] + 1)
    record.rounds[-1].events.append(late)
    assert _failed(proven.every_command_proven(record)) == {proven.COVERED}


def test_a_log_of_ones_own_is_a_split_view() -> None:
    other = Ledger()
    other.tree = Tree([leaf_hash(b"another first event"), *other.tree.leaves[1:]])
    record = proving(Ledger(), other)
    assert _failed(proven.one_log_for_all(record)) == {proven.ONE_VIEW}
    assert proven.every_command_proven(record).verdict is Verdict.PASS


def test_two_names_of_the_log_are_two_logs() -> None:
    ledger = Ledger()
    record = proving(ledger)
    signed = said(15, ledger.tree.root(15), log="another log")
    jws = SIGNER.sign("log-checkpoint", signed)
    record.views.append(View("staff", ledger.told("getCheckpoint", signed | {"jws": jws})))
    assert _failed(proven.one_log_for_all(record)) == {proven.ONE_VIEW}


def test_who_is_shown_nothing_agrees_with_nobody() -> None:
    record = proving(Ledger())
    record.views = [view for view in record.views if view.who == "staff"]
    assert proven.one_log_for_all(record).verdict is Verdict.INCONCLUSIVE


# Erasure


def erased(ledger: Ledger, after: Ledger | None = None) -> Erased:
    later = after or ledger
    later.history = ledger.history
    held, latest = ledger.checkpoint(30), ledger.checkpoint(45)
    events = EVENTS[:30]
    state = Erasure("cus_1", "ERASED")
    canaries = {"name": "canary-" + "7" * 20}
    before = [ledger.proof(event, held, 30) for event in events]
    record = Erased(ledger.history, ledger.keys(), canaries, ("acc_1",), state, before)
    record.after = [later.proof(event, held, 30) for event in events]
    record.fresh = [later.proof(event, latest) for event in events]
    record.growths = [ledger.growth(held, latest, 30, 45)]
    record.verification = ledger.verification()
    return record


def test_proofs_that_outlive_an_erasure_pass() -> None:
    decision = proven.proven_after_erasure(erased(Ledger()))
    assert decision.verdict is Verdict.PASS, decision.reason


def test_a_leaf_that_changes_with_the_erasure_fails() -> None:
    found = proven.proven_after_erasure(
        erased(Ledger(), Ledger({"getInclusionProof": _other_data}))
    )
    assert _failed(found) == {proven.STILL_PROVEN, proven.SAME_LEAF}


def test_a_leaf_in_clear_fails() -> None:
    record = erased(Ledger())
    record.canaries = {"name": '"amount_minor": 12'}
    assert _failed(proven.proven_after_erasure(record)) == {proven.SEALED}


def test_without_proofs_before_the_erasure_nothing_is_decided() -> None:
    found = proven.proven_after_erasure(erased(Ledger({"getInclusionProof": _first})))
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("state", "verdict"),
    [("ON_LEGAL_HOLD", Verdict.SKIP), ("REQUESTED", Verdict.INCONCLUSIVE)],
)
def test_an_erasure_that_did_not_end_is_not_judged(state: Any, verdict: Verdict) -> None:
    record = erased(Ledger())
    record.erasure = Erasure("cus_1", state)
    assert proven.proven_after_erasure(record).verdict is verdict


# Tampering


def tampering(kind: str, count: int, *findings: dict[str, Any], **more: Any) -> Tampering:
    """Return a record of `count` forgeries at position 5, of which the bank says `findings`."""
    ledger = Ledger()
    record = Tampering(ledger.history, ledger.keys())
    for _ in range(count):
        calm, after = ledger.verification(), ledger.verification(*findings)
        forgery = Forgery(Aim(kind, 0, 5), calm, after=after, undone=calm)
        for name, value in more.items():
            setattr(forgery, name, value(ledger) if callable(value) else value)
        record.forgeries.append(forgery)
    return record


def at(position: int | None, partition: int = 0) -> dict[str, Any]:
    return {"partition": partition, "position": position, "what": "is another"}


def _decided(kind: str, *findings: dict[str, Any], **more: Any) -> Decision:
    decide, count = {
        "alter": (tampered.alterations_located, 2),
        "remove": (tampered.rearrangements_found, 3),
        "truncate": (tampered.truncation_found, 2),
        "rewrite": (tampered.rewriting_found, 1),
    }[kind]
    return decide(tampering(kind, count, *findings, **more))


@pytest.mark.parametrize("kind", ["alter", "remove", "truncate", "rewrite"])
def test_a_forgery_that_is_found_passes_and_one_that_is_not_fails(kind: str) -> None:
    assert _decided(kind, at(5)).verdict is Verdict.PASS
    assert _decided(kind).verdict is Verdict.FAIL
    assert _decided(kind, at(5, partition=1)).verdict is Verdict.FAIL


def test_an_altered_byte_must_be_located_exactly_and_first() -> None:
    assert _decided("alter", at(5), at(9), at(None)).verdict is Verdict.PASS
    assert _decided("alter", at(4), at(5)).verdict is Verdict.FAIL
    assert _decided("alter", at(6)).verdict is Verdict.FAIL
    assert _decided("alter", at(None)).verdict is Verdict.FAIL


@pytest.mark.parametrize("kind", ["remove", "truncate", "rewrite"])
def test_what_moves_the_rest_need_only_be_found(kind: str) -> None:
    assert _decided(kind, at(None)).verdict is Verdict.PASS


def _extends(ledger: Ledger) -> Growth:
    return ledger.growth(ledger.checkpoint(15), ledger.checkpoint(30), 15, 30)


def test_a_proof_that_nobody_could_give_fails_where_the_log_was_cut_or_rewritten() -> None:
    assert tampered.NO_PROOF in _failed(_decided("truncate", at(5), growth=_extends))
    assert tampered.NO_PROOF in _failed(_decided("rewrite", at(5), growth=_extends))
    assert _decided("alter", at(5), growth=_extends).verdict is Verdict.PASS


def test_a_bank_that_always_cries_is_not_believed() -> None:
    found = _decided("alter", at(5), undone=lambda ledger: ledger.verification(at(5)))
    assert _failed(found) == {tampered.CALM}


def test_a_bank_that_does_not_start_on_a_forged_log_is_not_judged() -> None:
    found = _decided("alter", at(5), after=None, refused="start: it crashed")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "it crashed" in found.reason
