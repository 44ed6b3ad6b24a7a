"""Verifiers of what a bank signs and proves: they need its public keys, and no bank.

- merkle: inclusion and consistency proofs, by the iterative algorithms of RFC 9162
- second: the same once more, written from the recursive definition in RFC 6962
- jws, checkpoint, receipt: what is signed
- proofs: the answers as they stand in a file
"""
