"""`bank-conformance verify`: receipts, checkpoints and proofs, without the bank they came from.

Files are the bank's answers as they were saved; where one holds a JWS, the JWS alone will do too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from rich.markup import escape

from bank_conformance.verdict import Exit
from bank_conformance.verifiers import merkle, second
from bank_conformance.verifiers.checkpoint import Checkpoint, read_checkpoint
from bank_conformance.verifiers.encoding import VerificationError
from bank_conformance.verifiers.jws import Keys, read_keys
from bank_conformance.verifiers.proofs import ConsistencyProof, InclusionProof
from bank_conformance.verifiers.receipt import read_receipt

from .console import console, fail

Shape = TypeVar("Shape")
Answer = Annotated[Path, typer.Argument(metavar="FILE", help="The bank's answer, as a file.")]
KeysFile = Annotated[Path, typer.Option("--keys", help="The bank's /.well-known/jwks.json.")]
VERIFIERS = (merkle, second)

app = typer.Typer(
    help="Verify what a bank signed or proved, without the bank.",
    epilog="Exit codes: 0 verified, 1 not, 2 usage.",
    no_args_is_help=True,
)


@app.command()
def receipt(file: Answer, keys: KeysFile) -> None:
    """Verify the receipt of an erasure."""
    with _verdict():
        found = read_receipt(_jws(file, "receipt"), _keys(keys))
        purged = ", ".join(found.purged) or "nothing"
        _say(f"signed: erasure {found.erasure_id} at {found.erased_at.isoformat()}")
        _say(f"key digest {found.key_digest or 'none, there was no key'}; purged: {purged}")


@app.command()
def checkpoint(file: Answer, keys: KeysFile) -> None:
    """Verify a checkpoint of the log."""
    with _verdict():
        found = _checkpoint(file, _keys(keys))
        _say(f"signed: {found} of {found.log!r}, at {found.signed_at.isoformat()}")


@app.command()
def inclusion(
    file: Answer,
    keys: KeysFile,
    under: Annotated[Path, typer.Option("--checkpoint", help="The checkpoint it is under.")],
) -> None:
    """Verify that an event is in the log that a checkpoint is of, and print the event."""
    with _verdict():
        signed, proof = _checkpoint(under, _keys(keys)), _read(file, InclusionProof)
        if not all(proof.holds(signed, by) for by in VERIFIERS):
            raise VerificationError("the proof does not lead to the root that was signed")
        _say(f"proven: position {proof.leaf_index + 1} of {signed}")
        _say(proof.stored.decode(errors="replace"))


@app.command()
def consistency(
    file: Answer,
    keys: KeysFile,
    old: Annotated[Path, typer.Option(help="The earlier checkpoint.")],
    new: Annotated[Path, typer.Option(help="The later checkpoint.")],
) -> None:
    """Verify that the log only grew between two checkpoints."""
    with _verdict():
        known = _keys(keys)
        earlier, later = _checkpoint(old, known), _checkpoint(new, known)
        proof = _read(file, ConsistencyProof)
        if not all(proof.holds(earlier, later, by) for by in VERIFIERS):
            raise VerificationError("the proof does not lead from the one root to the other")
        _say(f"proven: {later} extends size {earlier.size}")


@contextmanager
def _verdict() -> Iterator[None]:
    """End in one line where something is not what it says it is."""
    try:
        yield
    except VerificationError as error:
        fail(f"not verified: {error}", Exit.NOT_CONFORMANT)


def _say(text: str) -> None:
    console.print(escape(text), highlight=False)


def _keys(file: Path) -> Keys:
    try:
        return read_keys(file.read_bytes())
    except VerificationError as error:
        fail(f"--keys {file}: {error}; save the bank's /.well-known/jwks.json there")


def _checkpoint(file: Path, keys: Keys) -> Checkpoint:
    return read_checkpoint(_jws(file, "jws"), keys)


def _jws(file: Path, member: str) -> str:
    """Return the JWS in a file: the whole of it, or a member of an answer."""
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    if not text.startswith("{"):
        return text
    answer = _decoded(file, text)
    found = answer.get(member)
    if not isinstance(found, str):
        fail(f"{file} has no {member}: give the bank's answer that has one, or the JWS alone")
    return found


def _read(file: Path, shape: type[Shape]) -> Shape:
    answer = _decoded(file, file.read_text(encoding="utf-8", errors="replace"))
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as error:
        fail(f"{file} is not the bank's answer to a request for this proof: {error}")


def _decoded(file: Path, text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        fail(f"{file} is not JSON: save the bank's answer as it came")
    return answer if isinstance(answer, dict) else fail(f"{file} holds no JSON object")
