"""The command line: what is wrong is told in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent
import pytest
from bank_simulations.cli import app
from bank_simulations.console import BadInputError
from bank_simulations.load.events import Event, parse_event
from bank_simulations.tokens import TokenSource
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import RunCommand

SPEAK = "python3 -c 'import os; print(os.urandom(4).hex())'"


@pytest.mark.parametrize(
    "command", [[], ["load"], ["search"], ["replay"], ["dst"], ["faults"], ["capacity"]]
)
def test_every_command_has_help(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["load"], "steady"),
        (["load", "staedy"], "no scenario 'staedy'"),
        (["load", "smoke", "--url", "localhost"], "no URL of a bank"),
        (["load", "smoke", "--at", "soon=true"], "12.5=kill"),
        (["load", "smoke", "--token", "", "--token-command", "false"], "token command failed"),
        (["load", "smoke", "--json", "/nowhere/x.json"], "cannot write /nowhere"),
        (["load", "smoke", "--csv", "/nowhere/x"], "no folder /nowhere for --csv"),
        (["load", "smoke", "--fault", "flood"], "take fault"),
        (["load", "fault"], "with --target"),
        (["load", "fault", "--target", "nowhere.toml"], "no target file nowhere.toml"),
        (["search", "fault"], "without events"),
        (["replay", "brka"], "no books called 'brka'"),
        (["replay", "berka", "--limit", "5"], "--unlimited-credit are for amlsim"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    run_command: RunCommand, arguments: list[str], told: str
) -> None:
    ended = run_command(*arguments)
    assert ended.code == 2
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_a_token_must_come_from_somewhere() -> None:
    with pytest.raises(BadInputError, match="--token-command"):
        TokenSource()


def test_a_refused_token_is_renewed_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bank_simulations.tokens.RENEWAL_SECONDS_MIN", 0.0)
    source = TokenSource(command=SPEAK)
    old = source.token
    asking = [gevent.spawn(source.renew, old) for _ in range(5)]
    gevent.joinall(asking)
    assert [each.value for each in asking] == [True] * 5
    renewed = source.token
    assert renewed != old
    assert source.renew(old)
    assert source.token == renewed


def test_a_fresh_token_that_is_refused_is_not_renewed_over_and_over() -> None:
    source = TokenSource(command=SPEAK)
    first = source.token
    assert not source.renew(first)
    assert source.token == first


def test_the_blanks_of_a_token_command_are_filled_as_whole_words() -> None:
    command = """python3 -c 'import sys; print(sys.argv[1:])' {subject} "{scope}" {seconds}"""
    expected = "['simulations', 'bank:operate accounts:read', '3600']"
    assert TokenSource(command=command).token == expected


def test_a_given_token_cannot_be_renewed() -> None:
    assert not TokenSource("given").renew("given")


def test_an_event_is_seconds_and_a_command() -> None:
    assert parse_event("12.5=kill -9 $(cat a=b)") == Event(12.5, "kill -9 $(cat a=b)")


@pytest.mark.parametrize("text", ["", "5", "5=", "=true", "x=true", "-1=true", "nan=true"])
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="is no event"):
        parse_event(text)
