"""Where bearer tokens come from: given once, or printed by a command as often as needed."""

from __future__ import annotations

import shlex
import subprocess
import time
from typing import TYPE_CHECKING

from gevent.lock import BoundedSemaphore

from .console import BadInputError, err

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_SECONDS_MAX = 30
# What a token command may leave open, as in the target files of bank-conformance.
BLANKS = {
    "{subject}": "simulations",
    "{scope}": "bank:operate accounts:read",
    "{seconds}": "3600",
}
RENEWAL_SECONDS_MIN = 5.0


class TokenSource:
    """Hands out the bearer token; runs the token command again when the bank refused the token.

    The command runs in `folder`, and here where there is none.
    """

    def __init__(
        self, token: str | None = None, command: str | None = None, folder: Path | None = None
    ) -> None:
        if not token and not command:
            raise BadInputError(
                "no token: give --token, --token-command or BANKWRIGHT_TOKEN "
                "(./scripts/bank token --subject staff --scope 'bank:operate accounts:read')"
            )
        self._renewing = BoundedSemaphore()
        self.command, self.folder = command, folder
        self._token = token or _run(command or "", folder)
        self._renewed_at = time.monotonic()

    @property
    def token(self) -> str:
        """The token of now."""
        return self._token

    def renew(self, refused: str) -> bool:
        """Get another token than the one the bank refused; whoever comes meanwhile waits for it.

        False where there is no command, where it failed, or where its last token was refused too.
        """
        with self._renewing:
            if self._token != refused:
                return True
            now = time.monotonic()
            if not self.command or now - self._renewed_at < RENEWAL_SECONDS_MIN:
                return False
            self._renewed_at = now
            try:
                self._token = _run(self.command, self.folder)
            except BadInputError as error:
                err.print(str(error), markup=False)
            return self._token != refused


def _run(command: str, folder: Path | None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command
            [_fill(word) for word in shlex.split(command)],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=True,
            cwd=folder,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise BadInputError(f"the token command failed: {error}") from error
    if not done.stdout.strip():
        raise BadInputError(f"the token command printed nothing: {command}")
    return done.stdout.strip()


def _fill(word: str) -> str:
    for blank, value in BLANKS.items():
        word = word.replace(blank, value)
    return word
