"""How a client's key becomes a key of the log, and how another request under the same key is told
apart.

Following draft-ietf-httpapi-idempotency-key-header-07: the key is scoped to the principal, the
fingerprint is of method, path and canonical body. The outcome itself is stored by the append, in
the same transaction.
"""

from ..privacy.blind_index import BlindIndex


class IdempotencyKeys:
    """Keyed digests, so that nobody who reads the store can tell whether a guessed key was used."""

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    def key(self, principal: str, client_key: str) -> str:
        """The log's key for a principal's key."""
        digest = self._index.digest(f"{len(principal)}:{principal}:{client_key}")
        return digest[:16].hex()

    def fingerprint(self, method: str, path: str, canonical_body: bytes) -> str:
        """32 hex digits that differ when the request differs."""
        return self._index.digest(f"{method} {path} {canonical_body.decode()}")[:16].hex()
