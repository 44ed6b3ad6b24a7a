"""The bank's secrets: one file each, made by `init`, readable by their owner only."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from .privacy.kek import FileEpochs
from .privacy.receipt import new_signing_key
from .privacy.secret_file import create_secret, read_secret

INDEX_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where each secret is. In production: a mounted folder; the token key's private half stays
    with the issuer.
    """

    folder: Path

    @property
    def epochs(self) -> FileEpochs:
        """The key-encryption keys."""
        return FileEpochs(self.folder / "kek.json")

    @property
    def index(self) -> bytes:
        """What blind indexes and idempotency keys are derived from."""
        return read_secret(self.folder / "index.key")

    @property
    def receipt_key(self) -> bytes:
        """Signs erasure receipts."""
        return read_secret(self.folder / "receipts.pem")

    @property
    def token_private_key(self) -> bytes:
        """Signs tokens; only where tokens are issued."""
        return read_secret(self.folder / "tokens.pem")

    @property
    def token_public_key(self) -> bytes:
        """Verifies tokens."""
        return read_secret(self.folder / "tokens.pub.pem")

    def create(self) -> None:
        """Make all of them; SecretFileError when one is there already: it may protect something."""
        FileEpochs.create(self.folder / "kek.json")
        create_secret(self.folder / "index.key", os.urandom(INDEX_BYTES))
        create_secret(self.folder / "receipts.pem", new_signing_key())
        private = new_signing_key()
        create_secret(self.folder / "tokens.pem", private)
        public = load_pem_private_key(private, password=None).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        create_secret(self.folder / "tokens.pub.pem", pem)
