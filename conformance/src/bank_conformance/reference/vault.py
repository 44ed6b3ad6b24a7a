"""Personal data: sealed under a key for each subject, unreadable once the key is destroyed."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


@dataclass(slots=True)
class Vault:
    """The data keys of the subjects. No key is ever made for a subject but at registration."""

    keys: dict[str, AESGCM] = field(default_factory=dict)

    def enrol(self, subject: str) -> None:
        """Make the key of a new subject."""
        self.keys[subject] = AESGCM(AESGCM.generate_key(256))

    def destroy(self, subject: str) -> None:
        """Destroy a subject's key."""
        self.keys.pop(subject, None)

    def seal(self, subject: str, text: str | None) -> str | None:
        """Seal a text for a subject; nothing is kept for one who was erased."""
        key = self.keys.get(subject)
        if text is None or key is None:
            return None
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = key.encrypt(nonce, text.encode(), subject.encode())
        return base64.b64encode(nonce + sealed).decode()

    def unseal(self, subject: str, sealed: str | None) -> str | None:
        """Return the text, None once the subject was erased."""
        key = self.keys.get(subject)
        if sealed is None or key is None:
            return None
        content = base64.b64decode(sealed)
        text = key.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], subject.encode())
        return text.decode()
