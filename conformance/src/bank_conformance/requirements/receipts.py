"""SHR-11: a receipt verifies with the public keys alone, and names no one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping

from bank_conformance.bank.shapes import Erasure, read
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.verifiers.encoding import VerificationError, url_safe
from bank_conformance.verifiers.jws import Keys
from bank_conformance.verifiers.receipt import Receipt, read_receipt
from bank_conformance.workloads.receipts import Erased, Receipts, receipts

from .check import Check
from .evidence import Evidence
from .planted import not_erased

GIVEN = "an erasure that ended has a receipt"
VERIFIES = "the receipt verifies with the published keys alone"
NAMES_NO_ONE = "the receipt names no one, not by a digest either"
ONE_EACH = "each erasure has a receipt of its own"
DIGESTS = ("md5", "sha1", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")


def receipts_verify(record: Receipts) -> Decision:
    """SHR-11: every receipt, with the keys that were published before it was signed."""
    evidence = Evidence.under(record.keys)
    findings, verified, ended = list[Finding](), list[Receipt](), 0
    for erased in record.erased:
        for operation in erased.answers:
            told = read(operation, Erasure)
            if undone := not_erased(told):
                return undone
            findings += _judge(operation, told.receipt, erased, evidence.keys, verified)
        ended += 1
    findings += _shared(verified)
    return Decision(
        (*evidence.findings, *findings),
        (
            Coverage("customers erased", ended, 3),
            Coverage("receipts verified", len(verified), 3),
        ),
    )


def _judge(
    operation: Operation, jws: str | None, erased: Erased, keys: Keys, verified: list[Receipt]
) -> Iterator[Finding]:
    """Return what is wrong with one receipt, and add it to the `verified` ones if it is one."""
    if not jws:
        yield Finding(GIVEN, f"{operation}: it has none", (operation,))
        return
    try:
        verified.append(read_receipt(jws, keys))
    except VerificationError as error:
        yield Finding(VERIFIES, f"{operation}: {error}", (operation,))
    for leak in Scanner(_named_by(erased.known)).scan(_opened(jws)):
        text = f"{operation}: the {leak.canary} ({leak.form}) is in the receipt"
        yield Finding(NAMES_NO_ONE, text, (operation,))


def _named_by(known: Mapping[str, str]) -> dict[str, str]:
    """Return what would name the subject: what is known of them, and its plain digests."""
    found = dict(known)
    for name, value in known.items():
        for digest in DIGESTS:
            for spelt, text in (("", value), (" of the lower case", value.casefold())):
                hashed = hashlib.new(digest, text.encode()).digest()
                found[f"{digest}{spelt} of the {name}"] = hashed.hex()
                found[f"{digest}{spelt} of the {name}, base64"] = base64.b64encode(hashed).decode()
    return found


def _opened(jws: str) -> bytes:
    """Return the parts of a receipt as they were before they were encoded."""
    parts = []
    for part in jws.split("."):
        try:
            parts.append(url_safe(part))
        except VerificationError:
            parts.append(part.encode())
    return b"\n".join(parts)


def _shared(verified: list[Receipt]) -> Iterator[Finding]:
    """Two answers tell of each erasure, so that each receipt may be there twice, and no more."""
    ids = {receipt.erasure_id for receipt in verified}
    digests = {receipt.key_digest for receipt in verified if receipt.key_digest}
    if len(digests) > len(ids):
        yield Finding(ONE_EACH, f"{len(ids)} erasures speak of {len(digests)} keys")
    if len(ids) * 2 < len(verified):
        yield Finding(ONE_EACH, f"{len(verified)} receipts of {len(ids)} erasures")


CHECKS = (Check("SHR-11", receipts, receipts_verify, needs=("erasure", "receipts")),)
