"""Personal data: sealed under a key for each subject, unreadable once the key is destroyed."""

from __future__ import annotations

import base64
import secrets
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .disk import Disk

NONCE_BYTES = 12


class Vault:
    """The data keys of the subjects, in a file apart from everything else.

    A key has versions: the latest seals, all open what they have sealed, until all are destroyed.
    No key is ever made for a subject but at registration, nor a version for one who was erased. The
    steps that a mutant breaks are methods of their own.
    """

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        kept = disk.things("key")
        self.keys: dict[str, list[str | None]] = {one: doc["keys"] for one, doc in kept.items()}
        """Every version as base64, None where it was destroyed."""

    def enrol(self, subject: str) -> None:
        """Make a key of a subject, which is kept before anything is sealed with it."""
        key = base64.b64encode(AESGCM.generate_key(256)).decode()
        self.keys.setdefault(subject, []).append(key)
        self.keep(subject)

    def rotate(self) -> None:
        """Give everybody who was not erased a new version of their key."""
        for subject in filter(self.knows, list(self.keys)):
            self.enrol(subject)

    def destroy(self, subject: str) -> None:
        """Destroy every version of a subject's key, for good."""
        for number in self.versions(subject):
            self.keys[subject][number] = None
        self.keep(subject)

    def keep(self, subject: str) -> None:
        """Keep a subject's key as it is now."""
        self.disk.put("key", subject, lambda: {"keys": self.keys[subject]})
        self.disk.commit()

    def versions(self, subject: str) -> dict[int, AESGCM]:
        """Return the versions of a subject's key by number, none once they were destroyed."""
        kept = enumerate(self.keys.get(subject, ()))
        return {number: AESGCM(base64.b64decode(key)) for number, key in kept if key is not None}

    def knows(self, subject: str) -> bool:
        """Say whether a subject has a key: whoever was erased has none."""
        return bool(self.versions(subject))

    def seal(self, subject: str, text: str | None, place: str) -> str | None:
        """Seal a text for a subject, so that it opens in its place only; nothing is kept for one
        who was erased.
        """
        versions = self.versions(subject)
        if text is None or not versions:
            return None
        number, key = max(versions.items())
        nonce = self.nonce(text)
        sealed = key.encrypt(nonce, text.encode(), self.bound(subject, place))
        return base64.b64encode(bytes([number]) + nonce + sealed).decode()

    def unseal(self, subject: str, sealed: str | None, place: str) -> str | None:
        """Return the text, None once the subject was erased, and where it was not put by us."""
        content = base64.b64decode(sealed or "")
        key = self.versions(subject).get(content[0]) if content else None
        if key is None:
            return None
        nonce, text = content[1 : 1 + NONCE_BYTES], content[1 + NONCE_BYTES :]
        with suppress(InvalidTag):
            return key.decrypt(nonce, text, self.bound(subject, place)).decode()
        return None

    def nonce(self, _text: str) -> bytes:
        """Return what makes each sealing of a text another."""
        return secrets.token_bytes(NONCE_BYTES)

    def bound(self, subject: str, place: str) -> bytes:
        """Return what a sealed text is bound to."""
        return f"{subject} {place}".encode()


def place_of(stream_id: str, version: int, name: str) -> str:
    """Return the place of a field of an event."""
    return f"{stream_id}@{version}#{name}"
