"""Personal data: sealed under a key per subject, unreadable for ever once that key is destroyed.

- sealing: what is stored of personal data
- keyring, vault (postgres, memory): the keys at hand, and where they live
- kek, rotation: what keys are wrapped under, and how that changes
- erasure, receipt, ledger: how it ends, the proof, and what restored backups must forget again
- blind_index: finding without storing
- secret_file: what `init` writes

Nothing here knows what a customer is: a subject is an id.
"""
