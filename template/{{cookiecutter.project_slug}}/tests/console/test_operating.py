"""What an operator may name, what is said of a mistake, and what a rebuild does besides."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import ProgrammingError

from ourbank.bootstrap import Addresses
from ourbank.config import ConfigError, Settings
from ourbank.console.mistakes import told
from ourbank.console.operating import rebuilding, to_rebuild
from ourbank.eventsourcing.log import LogUnavailableError
from ourbank.privacy.erasure import Eraser
from ourbank.readmodels import ENTRIES, HOLDS, READ_MODELS


def test_read_models_are_rebuilt_as_named_and_all_without_a_name() -> None:
    assert to_rebuild(["holds", "entries"]) == [HOLDS, ENTRIES]
    assert tuple(to_rebuild([])) == READ_MODELS
    with pytest.raises(ConfigError, match="choose one of accounts, entries, holds, transfers"):
        to_rebuild(["entries", "entry"])


def test_several_mistakes_are_one_line_and_a_fault_among_them_is_none() -> None:
    away = LogUnavailableError("OperationalError")
    assert told(ExceptionGroup("purges", [away, away])) == "purges: OperationalError"
    assert told(ExceptionGroup("purges", [away, ValueError()])) is None


@pytest.mark.postgres
def test_what_a_rebuild_brought_back_is_purged_before_the_next_one_begins(
    settings: Settings, addresses: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    purges = []
    purge_again = Eraser.purge_again

    async def counted(eraser: Eraser) -> int:
        purges.append(eraser)
        return await purge_again(eraser)

    monkeypatch.setattr(Eraser, "purge_again", counted)
    missing = replace(HOLDS, name="missing")  # there is no such table: its rebuild fails
    with pytest.raises(ProgrammingError):
        rebuilding(settings, addresses, [ENTRIES, missing], 0)
    assert len(purges) == 1
