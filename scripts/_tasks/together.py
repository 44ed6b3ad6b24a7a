"""Tests of a file that share something costly stay in one process when several run at once.

A pytest plugin. `--dist loadgroup` is made for this, but pytest 9.2 ignores the names of groups
that xdist puts into tests' ids (pytest-xdist#1386): all are dealt out one by one, and each process
makes anew what was to be made once.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

SHARED = 'scope="module"'


class Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed
    """Deals tests out one by one, but those of a file with a fixture of the module together.

    What has most tests starts first.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _shares(Path(self.config.rootpath, file)) else nodeid


@cache
def _shares(file: Path) -> bool:
    return SHARED in file.read_text(encoding="utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Together:
    """Take it instead of xdist's own."""
    return Together(config, log)
