"""The canary scanner: does something contain a planted value, in any form it is likely to take?

Each canary is unique and of high entropy, so that a hit is never chance. Looked for are the value,
its casefolded and upper-case spelling and every long word of it: raw, reversed, escaped for JSON
once and twice, URL-encoded, in UTF-16 of both orders, hexadecimal (as PostgreSQL writes bytes), and
in base64 of all three alignments; and all of these inside gzip, zlib and zstd, nested, also where
the compressed bytes are written as hexadecimal or base64. ASCII letters match in either case.

Digests of values that can be guessed are looked for when they are given: see `dictionary`.

A database may compress what it stores in its own way (PostgreSQL's pglz and lz4 for long values):
its own dump, written as text, belongs beside its files.
"""

from .dictionary import digests
from .needles import Needle
from .search import Leak, Scanner, Search, Sighting

__all__ = ["Leak", "Needle", "Scanner", "Search", "Sighting", "digests"]
