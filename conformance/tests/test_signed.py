"""What a bank signed is believed when it signed it, and never otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from bank_conformance.cli import app
from bank_conformance.reference.trees import Tree, leaf_hash
from bank_conformance.verifiers.checkpoint import read_checkpoint
from bank_conformance.verifiers.encoding import VerificationError
from bank_conformance.verifiers.jws import read_keys
from bank_conformance.verifiers.receipt import read_receipt
from signing import AT, JWKS, RECEIPT, SIGNER, STRANGER, encoded, raw, said
from typer.testing import CliRunner

KEYS = read_keys(JWKS)
KID = SIGNER.jwk()["kid"]
GOOD = SIGNER.sign("erasure-receipt", RECEIPT)
ROOT = b"r" * 32


def test_a_receipt_states_what_was_signed() -> None:
    found = read_receipt(GOOD, KEYS)
    assert (found.erasure_id, found.purged) == ("7f", ("entries",))
    assert read_receipt(SIGNER.sign("erasure-receipt", RECEIPT | {"key_digest": None}), KEYS)


def test_another_library_verifies_the_receipts_of_the_reference_bank() -> None:
    key = jwt.PyJWKSet.from_json(JWKS)[KID]
    assert json.loads(jwt.api_jws.PyJWS().decode(GOOD, key, algorithms=["EdDSA"])) == RECEIPT


def test_a_checkpoint_states_what_was_signed() -> None:
    found = read_checkpoint(SIGNER.sign("log-checkpoint", said(3, ROOT)), KEYS)
    assert (found.partition, found.size, found.root, found.kid) == (0, 3, ROOT, KID)


def test_the_keys_of_rfc_8037_are_read() -> None:
    """Appendix A.2 and A.3: the RFC's own key, and its thumbprint."""
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    keys = read_keys(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid}]}))
    jws = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    signed, _, signature = jws.rpartition(".")
    keys[kid].verify(bytes(jwt.utils.base64url_decode(signature)), signed.encode())


def _wrong() -> Iterator[tuple[str, str]]:
    header, payload, signature = GOOD.split(".")
    body = json.dumps(RECEIPT).encode()
    whole = {"alg": "EdDSA", "typ": "erasure-receipt", "kid": KID}
    yield "nothing", ""
    yield "two parts", f"{header}.{payload}"
    yield "no signature", f"{header}.{payload}."
    yield "another's signature", STRANGER.sign("erasure-receipt", RECEIPT)
    yield "another's under this key's name", raw(whole, body, STRANGER)
    yield "the signature of another receipt", f"{header}.{encoded(body + b' ')}.{signature}"
    yield "alg none", f"{encoded(json.dumps(whole | {'alg': 'none'}).encode())}.{payload}."
    yield "another alg", raw(whole | {"alg": "ES256"}, body)
    yield "an extension that must be understood", raw(whole | {"crit": ["exp"]}, body)
    yield "its own key in the header", raw(whole | {"jwk": STRANGER.jwk()}, body, STRANGER)
    yield "another typ", SIGNER.sign("log-checkpoint", RECEIPT)
    yield "no kid", raw({"alg": "EdDSA", "typ": "erasure-receipt"}, body)
    yield "a padded part", GOOD + "=="
    yield "no JSON inside", raw(whole, b"not JSON")
    yield "a member too many", SIGNER.sign("erasure-receipt", RECEIPT | {"customer_id": "cus_1"})
    yield "no digest", SIGNER.sign("erasure-receipt", RECEIPT | {"key_digest": "cus_1"})
    yield "a time without a zone", SIGNER.sign("erasure-receipt", RECEIPT | {"erased_at": AT[:-1]})


@pytest.mark.parametrize(("what", "jws"), [*_wrong()], ids=lambda text: str(text)[:30])
def test_what_is_no_receipt_of_this_bank_is_refused(what: str, jws: str) -> None:
    assert what
    with pytest.raises(VerificationError) as refused:
        read_receipt(jws, KEYS)
    assert "\n" not in str(refused.value)


def test_no_bit_of_a_receipt_is_idle() -> None:
    """Every character of it, each of its bits turned over."""
    for place, character in enumerate(GOOD):
        for bit in range(7):
            other = GOOD[:place] + chr(ord(character) ^ 1 << bit) + GOOD[place + 1 :]
            with pytest.raises(VerificationError):
                read_receipt(other, KEYS)


@pytest.mark.parametrize(
    "change",
    [{"size": -1}, {"root": "AA=="}, {"root": "x"}, {"partition": "0"}, {"log": ""}, {"more": 1}],
    ids=str,
)
def test_what_is_no_checkpoint_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        read_checkpoint(SIGNER.sign("log-checkpoint", said(3, ROOT) | change), KEYS)


NO_KEYS: dict[str, str | bytes] = {
    "nothing": "",
    "a list": "[]",
    "no keys": '{"keys": []}',
    "RSA": json.dumps({"keys": [SIGNER.jwk() | {"kty": "RSA"}]}),
    "too short": json.dumps({"keys": [SIGNER.jwk() | {"x": "AAAA"}]}),
    "private": json.dumps({"keys": [SIGNER.jwk() | {"d": "AAAA"}]}),
    "one name twice": json.dumps({"keys": [SIGNER.jwk(), STRANGER.jwk() | {"kid": KID}]}),
    "no name": json.dumps({"keys": [SIGNER.jwk() | {"kid": ""}]}),
    "bottomless": '{"keys": ' + "[" * 100_000,
    "no UTF-8": b"\xff",
}


@pytest.mark.parametrize("keys", NO_KEYS.values(), ids=list(NO_KEYS))
def test_what_is_no_set_of_public_keys_is_refused(keys: str | bytes) -> None:
    with pytest.raises(VerificationError):
        read_keys(keys)


def test_a_key_of_another_kind_is_passed_over() -> None:
    other = {"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}
    assert list(read_keys(json.dumps({"keys": [other, SIGNER.jwk()]}))) == [KID]


# The command


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """What a bank answered, saved as files."""
    leaves = [b"first", b"second", b"third"]
    tree = Tree(leaf_hash(leaf) for leaf in leaves)
    texts = {
        "keys": JWKS,
        "receipt": json.dumps({"state": "ERASED", "receipt": GOOD}),
        "bare": GOOD,
        "old": _shown(tree, 2),
        "new": _shown(tree, 3),
        "inclusion": json.dumps(
            {
                "leaf": "c2Vjb25k",
                "leaf_index": 1,
                "size": 3,
                "hashes": [said(0, one)["root"] for one in tree.path(1, 3)],
            }
        ),
        "consistency": json.dumps({"hashes": [said(0, one)["root"] for one in tree.growth(2, 3)]}),
        "none": json.dumps({"state": "NONE", "receipt": None}),
        "garbage": "{",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name: str(tmp_path / name) for name in texts} | {"missing": str(tmp_path / "missing")}


def _shown(tree: Tree, size: int) -> str:
    signed = said(size, tree.root(size))
    return json.dumps(signed | {"jws": SIGNER.sign("log-checkpoint", signed)})


def _verify(files: dict[str, str], command: str, *words: str) -> tuple[int, str]:
    arguments = [files.get(word, word) for word in words]
    done = CliRunner().invoke(app, ["verify", command, *arguments, "--keys", files["keys"]])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("receipt", "receipt"), "erasure 7f"),
        (("receipt", "bare"), "erasure 7f"),
        (("checkpoint", "new"), "size 3"),
        (("inclusion", "inclusion", "--checkpoint", "new"), "second"),
        (("consistency", "consistency", "--old", "old", "--new", "new"), "extends size 2"),
    ],
)
def test_the_command_verifies_what_is_true(
    files: dict[str, str], words: tuple[str, ...], told: str
) -> None:
    code, output = _verify(files, *words)
    assert (code, told in output) == (0, True), output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("checkpoint", "bare"), 1),
        (("inclusion", "inclusion", "--checkpoint", "old"), 1),
        (("consistency", "consistency", "--old", "new", "--new", "old"), 1),
        (("consistency", "consistency", "--old", "old", "--new", "old"), 1),
        (("receipt", "none"), 2),
        (("receipt", "garbage"), 2),
        (("inclusion", "old", "--checkpoint", "new"), 2),
        (("consistency", "garbage", "--old", "old", "--new", "new"), 2),
    ],
)
def test_the_command_says_in_one_line_what_is_not(
    files: dict[str, str], words: tuple[str, ...], expected: int
) -> None:
    code, output = _verify(files, *words)
    assert (code, len(output.strip().splitlines())) == (expected, 1), output


def test_keys_that_are_none_are_named_with_a_cure(files: dict[str, str]) -> None:
    code, output = _verify(files | {"keys": files["new"]}, "receipt", "receipt")
    assert code == 2
    assert "jwks.json" in output
