"""What is said in one line instead of a traceback."""

from ..config import ConfigError
from ..embedded import EmbeddedPostgresError
from ..eventsourcing.log import LogMismatchError, LogUnavailableError
from ..eventsourcing.rebuild import RebuildError
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
    RebuildError,
    SecretFileError,
    SubjectUnknownError,
    VaultUnavailableError,
)


def told(error: Exception) -> str | None:
    """What is said of it; None for what is no mistake. Of several, each kind is said once."""
    if isinstance(error, ExceptionGroup):
        kinds = {told(one) for one in error.exceptions}
        said = sorted(kind for kind in kinds if kind is not None)
        return f"{error.message}: {'; '.join(said)}" if None not in kinds else None
    return str(error) if isinstance(error, MISTAKES) else None
