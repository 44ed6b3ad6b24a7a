"""Replicas of a bank: named in the target file, asked like the bank itself, and left out where they
do not serve. And hooks that are used where they are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest
from bank_conformance.catalogue import Level, catalogue
from bank_conformance.hooks import NO_HOOKS, Hooks
from bank_conformance.requirements import CHECKS
from bank_conformance.requirements.check import RESTORING
from bank_conformance.runner import Run, run
from bank_conformance.serving import serving
from bank_conformance.target import Capabilities, TargetError, load_target
from bank_conformance.verdict import Result, Verdict
from builders import Silent

BANK = """
[target]
base_url = "http://127.0.0.1:1/"
replicas = {replicas}
[token]
command = "token {{subject}} {{scope}}"
"""
DEAD = "http://127.0.0.1:9"


def test_a_target_file_names_replicas(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(BANK.format(replicas='["http://a/", "https://b"]'))
    assert load_target(tmp_path / "t.toml").replicas == ("http://a", "https://b")


@pytest.mark.parametrize("replicas", ['"http://a"', '["a.example"]', '["http://[::1"]'])
def test_a_wrong_replica_is_refused_in_one_line(tmp_path: Path, replicas: str) -> None:
    (tmp_path / "t.toml").write_text(BANK.format(replicas=replicas))
    with pytest.raises(TargetError, match="replica") as caught:
        load_target(tmp_path / "t.toml")
    assert "\n" not in str(caught.value)


def test_hooks_that_are_only_used_change_the_turn_and_are_never_missing() -> None:
    everything = Capabilities(erasure=True, legal_holds=True)
    turns = {name: CHECKS[name].turn for name in ("SHR-5", "SHR-4", "SHR-12")}
    assert turns == {"SHR-5": 0, "SHR-4": 1, "SHR-12": RESTORING}
    assert {CHECKS[name].missing(everything, NO_HOOKS) for name in turns} == {""}


@dataclass
class Noted:
    """Hooks that note which of them ran."""

    hooks: Hooks
    ran: list[str] = field(default_factory=list)

    @property
    def names(self) -> frozenset[str]:
        return self.hooks.names

    async def run(self, name: str, **values: str) -> None:
        self.ran.append(name)
        await self.hooks.run(name, **values)


def _decide(
    requirement_id: str, *replicas: str, level: Level | None = None
) -> tuple[Result, list[str]]:
    async def decide() -> tuple[Run, list[str]]:
        async with serving() as bank:
            noted = Noted(bank)
            target = replace(bank.target, hooks=noted, replicas=replicas)
            chosen = [catalogue()[requirement_id]]
            return await run(target, chosen, seed=1, reporter=Silent(), level=level), noted.ran

    outcome, ran = anyio.run(decide)
    return outcome.results[0], ran


@pytest.mark.slow
@pytest.mark.parametrize(
    ("replicas", "reason"),
    [((), "names no replicas"), ((DEAD, DEAD), "none of the 2 replicas")],
)
def test_without_a_replica_that_serves_nothing_is_decided(
    replicas: tuple[str, ...], reason: str
) -> None:
    result, _ = _decide("SHR-9", *replicas)
    assert result.verdict is Verdict.SKIP
    assert reason in result.decision.reason


@pytest.mark.slow
@pytest.mark.parametrize(("level", "ran"), [(None, ["stop", "start", "rebuild"]), ("L1", [])])
def test_below_the_level_of_hooks_none_is_run(level: Level | None, ran: list[str]) -> None:
    result, found = _decide("SHR-4", level=level)
    assert result.verdict is Verdict.PASS, result.decision.reason
    assert found == ran
