"""Target files and token commands: what is wrong is said in one line that names the cure."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest
from bank_conformance.target import TargetError, load_target
from bank_conformance.tokens import Principal, TokenCommand, TokenError, Tokens

GOOD = """
[target]
base_url = "http://127.0.0.1:1/"
[token]
command = "mint --subject {subject} --scope {scope}"
"""

WRONG = {
    "no file": ("", "bank-conformance init"),
    "[target": ("[target", "is not TOML"),
    "no token": ('[target]\nbase_url = "http://x"', "token"),
    "unknown key": (GOOD + "[capabilities]\nfeeds = true\n", "feeds"),
    "no scheme": (GOOD.replace("http://127.0.0.1:1/", "bank.example"), "http://"),
    "bad url": (GOOD.replace("http://127.0.0.1:1/", "http://[::1"), "base_url"),
    "no placeholder": (GOOD.replace("{scope}", "all"), "{scope}"),
    "open quote": (GOOD.replace("mint", "mint 'x"), "command"),
    "no command": (GOOD.replace("mint --subject {subject} --scope {scope}", ""), "command"),
    "zero": (GOOD + "[limits]\nrequest_seconds = 0\n", "request_seconds"),
    "no beginning": (GOOD + '[faults.melt]\nend = "freeze"\n', "begin"),
    "idle fault": (GOOD + '[faults.melt]\nbegin = ""\n', "[faults.melt] begin is empty"),
    "idle end": (GOOD + '[faults.melt]\nbegin = "heat"\nend = []\n', "[faults.melt] end is empty"),
    "wrong type": (GOOD + '[limits]\nrequest_seconds = "1"\n', "request_seconds"),
}


def test_a_target_file_is_read_and_its_command_runs_beside_it(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(GOOD)
    target = load_target(tmp_path / "t.toml")
    assert target.base_url == target.name == "http://127.0.0.1:1"
    assert isinstance(target.minter, TokenCommand)
    assert target.minter.directory == tmp_path
    assert not target.mints_short_tokens


def test_the_faults_of_a_target_are_for_others_and_accepted(tmp_path: Path) -> None:
    faults = '[faults.melt]\nabout = "heat"\nbegin = "heat --on"\nend = ["heat", "--off"]\n'
    (tmp_path / "t.toml").write_text(GOOD + faults)
    assert not load_target(tmp_path / "t.toml").hooks.names


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_target_file_is_refused_with_its_cure(name: str, tmp_path: Path) -> None:
    text, cure = WRONG[name]
    if text:
        (tmp_path / "t.toml").write_text(text)
    with pytest.raises(TargetError) as caught:
        load_target(tmp_path / "t.toml")
    assert cure in str(caught.value)
    assert "\n" not in str(caught.value)


def _mint(code: str, **principal: object) -> str:
    arguments = (sys.executable, "-c", code, "{subject}", "{scope}", "{seconds}")
    who = Principal("label", "cus_1", "a b", **principal)  # type: ignore[arg-type]
    return anyio.run(TokenCommand(arguments, Path.cwd()), who)


def test_the_placeholders_are_filled_each_in_one_argument() -> None:
    code = "import sys; print('/'.join(sys.argv[1:]).replace(' ', '+'))"
    assert _mint(code, seconds=5) == "cus_1/a+b/5"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit('no key')", "exited with 1: no key"),
        ("print('two words')", "one token and nothing else"),
        ("pass", "one token and nothing else"),
    ],
)
def test_a_token_command_that_gives_no_token_says_why(code: str, said: str) -> None:
    with pytest.raises(TokenError, match=said):
        _mint(code)


def test_a_token_command_that_is_not_there_says_so() -> None:
    with pytest.raises(TokenError, match=r"cannot run 'no-such-program'"):
        anyio.run(TokenCommand(("no-such-program",), Path.cwd()), Principal("x"))


def test_a_token_is_made_once_for_each_principal() -> None:
    made: list[Principal] = []

    async def minter(who: Principal) -> str:
        made.append(who)
        return f"token-{len(made)}"

    async def ask() -> None:
        tokens, who = Tokens(minter), Principal("a", "s")
        assert [await tokens.header(who) for _ in range(3)] == ["Bearer token-1"] * 3
        assert await tokens.header(Principal("nobody", header="")) == ""
        assert tokens.known() == ["token-1"]

    anyio.run(ask)
    assert len(made) == 1
