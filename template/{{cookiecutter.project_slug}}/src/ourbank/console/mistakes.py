"""What is said in one line instead of a traceback."""

from ..config import ConfigError
from ..embedded import EmbeddedPostgresError
from ..eventsourcing.log import LogMismatchError, LogUnavailableError
from ..privacy.secret_file import SecretFileError
from ..privacy.vault import SubjectUnknownError, VaultUnavailableError

MISTAKES = (
    ConfigError,
    EmbeddedPostgresError,
    LogMismatchError,
    LogUnavailableError,
    SecretFileError,
    SubjectUnknownError,
    VaultUnavailableError,
)
