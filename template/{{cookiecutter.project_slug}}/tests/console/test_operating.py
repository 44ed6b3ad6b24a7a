"""What an operator may name, and what is said of a name that is wrong."""

import pytest

from ourbank.config import ConfigError
from ourbank.console.operating import to_rebuild
from ourbank.readmodels import ENTRIES, HOLDS, READ_MODELS


def test_read_models_are_rebuilt_as_named_and_all_without_a_name() -> None:
    assert to_rebuild(["holds", "entries"]) == [HOLDS, ENTRIES]
    assert tuple(to_rebuild([])) == READ_MODELS
    with pytest.raises(ConfigError, match="choose one of accounts, entries, holds, transfers"):
        to_rebuild(["entries", "entry"])
