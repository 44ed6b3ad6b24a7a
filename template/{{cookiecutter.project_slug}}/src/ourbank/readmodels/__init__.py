"""What is asked often, folded from the log: one read model a file, each a pure fold over keyed
rows.

A read model can be thrown away and made again (`rebuild`), so its tables are not migrated: a
changed one is rebuilt.
"""

from .accounts import ACCOUNTS
from .entries import ENTRIES
from .holds import HOLDS
from .tables import metadata
from .transfers import TRANSFERS

READ_MODELS = (ACCOUNTS, ENTRIES, HOLDS, TRANSFERS)

__all__ = ["ACCOUNTS", "ENTRIES", "HOLDS", "READ_MODELS", "TRANSFERS", "metadata"]
