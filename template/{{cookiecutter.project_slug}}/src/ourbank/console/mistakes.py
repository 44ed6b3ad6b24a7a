"""What is said in one line instead of a traceback."""

from ..config import ConfigError
from ..embedded import EmbeddedPostgresError
from ..eventsourcing.log import LogMismatchError, LogUnavailableError
from ..privacy.kek import EpochDestroyedError
from ..privacy.ledger import LedgerError
from ..privacy.secret_file import SecretFileError
from ..privacy.vault import SubjectUnknownError, VaultUnavailableError

MISTAKES = (
    ConfigError,
    EmbeddedPostgresError,
    EpochDestroyedError,
    LedgerError,
    LogMismatchError,
    LogUnavailableError,
    SecretFileError,
    SubjectUnknownError,
    VaultUnavailableError,
)
