"""Nothing that is written or shown has a token or anybody's data, in whatever form it may be."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from bank_conformance import client
from bank_conformance.cli import app
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.fetch import fetch
from bank_conformance.redaction import Redactor
from bank_conformance.reference.__main__ import SECRET_VARIABLE
from reference_process import reference
from typer.testing import CliRunner

ONLY = "ORD-1,IDEM-1,IDEM-6,CON-9,SHR-1,SHR-11,SEC-1,SEC-2,SEC-3,QRY-2,QRY-5,TMP-5,SHR-13"
"""Every workload that invents people, narratives or tokens of its own."""

pytest_plugins = ["pytester"]

LENGTH_MIN = 8
PLAIN = re.compile(r"[\w ,.@+-]+")
"""Anything else is an attack that the suite tries on everybody, and nobody's."""

SPY = """
import json, os
import bank_conformance.client as client

honest = client.fetch

async def fetch(http, method, url, seconds, **parts):
    sent = parts.get("json")
    if sent is None and "content" in parts:
        try:
            sent = json.loads(parts["content"])
        except ValueError:
            sent = None
    with open(os.environ["SPY_FILE"], "a") as file:
        line = {"body": sent, "token": parts["headers"].get("Authorization", "")}
        file.write(json.dumps(line) + chr(10))
    return await honest(http, method, url, seconds, **parts)

client.fetch = fetch
"""


def secrets_of(spied: Path) -> dict[str, str]:
    """What was sent of people and of tokens, by a name for each."""
    found = dict[str, str]()
    for line in spied.read_text().splitlines():
        told = json.loads(line)
        found[told["token"].removeprefix("Bearer ")] = "token"
        body = told["body"] if isinstance(told["body"], dict) else {}
        personal = body.get("personal")
        given = dict(personal) if isinstance(personal, dict) else {}
        given["narrative"] = body.get("narrative")
        for name, value in given.items():
            if isinstance(value, str) and PLAIN.fullmatch(value):
                found[value] = str(name)
    long = {value: name for value, name in found.items() if len(value) >= LENGTH_MIN}
    return {f"{name} {number}": value for number, (value, name) in enumerate(long.items())}


@contextmanager
def leaky_bank(tmp_path: Path, mutant: str) -> Iterator[Path]:
    with reference(mutant) as (url, secret, _), pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_VARIABLE, secret)
        patch.setenv("SPY_FILE", str(tmp_path / "spied.jsonl"))
        command = [sys.executable, "-m", "bank_conformance.reference", "token"]
        for name in ("subject", "scope", "seconds"):
            command += [f"--{name}", f"{{{name}}}"]
        target = tmp_path / "target.toml"
        told = f'[target]\nbase_url = "{url}"\n[token]\ncommand = {json.dumps(command)}\n'
        target.write_text(told + "[limits]\nsettle_seconds = 3.0\n")
        yield target


def assert_clean(spied: Path, folder: Path, said: bytes) -> None:
    secrets = secrets_of(spied)
    assert len({name.split()[0] for name in secrets}) >= 4
    assert len(secrets) > 30
    scanner = Scanner(secrets)
    planted = said + secrets[next(iter(secrets))].encode()
    assert scanner.scan(planted), "the scanner finds what is there"
    assert scanner.scan(said) == []
    found = scanner.scan_folder(folder)
    assert found.files > 10
    assert [str(one) for one in found.sightings] == []


@pytest.mark.slow
def test_nothing_that_a_run_leaves_names_anybody_even_where_the_bank_leaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with leaky_bank(tmp_path, "M29") as target:
        monkeypatch.setattr(client, "fetch", fetch)
        exec(SPY, {})  # noqa: S102  the same spy as in the other process
        out = tmp_path / "out"
        given = ["--target", str(target), "--only", ONLY, "--out", str(out)]
        more = ["--json", str(out / "j.json"), "--write-baseline", str(out / "known.toml")]
        result = CliRunner().invoke(app, ["run", *given, *more])
    assert result.exit_code == 1, result.output
    assert_clean(tmp_path / "spied.jsonl", out, result.output.encode())


@pytest.mark.slow
def test_nothing_that_pytest_shows_or_writes_names_anybody(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    (pytester.path / "spy.py").write_text(SPY)
    with leaky_bank(tmp_path, "M29") as target:
        off = ("schemathesis", "asyncio", "anyio", "hypothesispytest", "cacheprovider")
        result = pytester.runpytest_subprocess(
            *(part for name in off for part in ("-p", f"no:{name}")),
            *("-p", "spy", "-rA", f"--bank-target={target}", f"--bank-only={ONLY}"),
            *(
                "--bank-report=out",
                "--junit-xml=out/junit-of-pytest.xml",
                "--bank-allow-inconclusive",
            ),
            timeout=120,
        )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    said = result.stdout.str() + result.stderr.str()
    assert_clean(tmp_path / "spied.jsonl", pytester.path / "out", said.encode())


def test_a_short_value_is_redacted_where_it_stands_by_itself() -> None:
    redact = Redactor({"rent": "narrative", "for the cat": "narrative"})
    assert redact.text("rent is different, for the cats too") == (
        "[narrative] is different, [narrative]s too"
    )


def test_a_secret_is_redacted_however_it_is_written() -> None:
    name = 'Zo\u00eb "4f7a" 1/2'
    inside = json.dumps({"name": name})
    written = [name, quote(name), quote_plus(name), inside, json.dumps({"text": inside})]
    redacted = Redactor({name: "name"}).text("\n".join(written))
    assert "4f7a" not in redacted
    assert redacted.count("[name]") == len(written)
