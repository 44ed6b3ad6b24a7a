"""The service keeps the HTTP contract: every operation, asked well and badly, answers as written.

schemathesis makes the requests from the contract, in a process of its own: all values at the edges
of what is allowed and beyond, then random ones. contract.toml says what it holds an answer to,
contract_hooks.py puts real ids into the requests. A failure is printed with the command that
repeats it. Operations that a bank may leave out are asked for where the service says it has them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from places import PROGRAMS, REPOSITORY, SERVICE
from serving import free_port, near_the_root, serving

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

EXAMPLES_PER_OPERATION = 40
SEED = 20261123

CONTRACT = REPOSITORY / "conformance" / "contract" / "openapi.yaml"
HERE = Path(__file__).parent
SERVICE_CODE = {"PYTHONPATH": str(SERVICE / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
BANK = [sys.executable, "-m", "ourbank"]
STAFF = ["--subject", "staff", "--scope", "bank:operate privacy:erase events:read"]
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def bank() -> Iterator[dict[str, str]]:
    """The service itself, on a database of its own; how to reach it, for contract_hooks.py."""
    with near_the_root() as folder:
        run([*BANK, "init"], folder, SERVICE_CODE)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with serving([*BANK, "serve", "--port", port], folder, url, SERVICE_CODE):
            yield {
                "CONTRACT_URL": url,
                "CONTRACT_TOKEN": run([*BANK, "token", *STAFF], folder, SERVICE_CODE),
                "CONTRACT_DATABASE": f"host={folder}/var/postgres/cluster user=postgres",
            }


def test_the_service_keeps_the_contract(bank: dict[str, str], tmp_path: Path) -> None:
    succeeded = tmp_path / "succeeded"
    hooks = {"SCHEMATHESIS_HOOKS": "contract_hooks", "PYTHONPATH": str(HERE)}
    due, left_out = operations_of(bank["CONTRACT_URL"])
    run(asking(bank, left_out), tmp_path, {**bank, **hooks, "CONTRACT_SUCCEEDED": str(succeeded)})
    never = due - set(succeeded.read_text().splitlines())
    assert not never, "not once answered with a success"


def asking(bank: dict[str, str], left_out: list[str]) -> list[str]:
    """The program with this contract, for this bank, within our bounds."""
    program = [str(PROGRAMS / "schemathesis"), "--config-file", str(HERE / "contract.toml"), "run"]
    where = [
        "--url",
        bank["CONTRACT_URL"],
        "--header",
        f"Authorization: Bearer {bank['CONTRACT_TOKEN']}",
    ]
    bounds = ["--max-examples", str(EXAMPLES_PER_OPERATION), "--seed", str(SEED)]
    without = [part for one in left_out for part in ("--exclude-operation-id", one)]
    return [*program, str(CONTRACT), *where, *bounds, *without, "--no-color"]


def operations_of(url: str) -> tuple[set[str], list[str]]:
    """What the service must have, as schemathesis calls it, and the ids of what it leaves out."""
    contract = operations(yaml.safe_load(CONTRACT.read_text()))
    served = operations(httpx.get(f"{url}/openapi.json", timeout=30).json())
    optional = {name for name, operation in contract.items() if "x-capability" in operation}
    left_out = optional - served.keys()
    return contract.keys() - left_out, [contract[name]["operationId"] for name in sorted(left_out)]


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every operation of an OpenAPI document."""
    return {
        f"{name.upper()} {path}": item[name]
        for path, item in document["paths"].items()
        for name in item.keys() & METHODS
    }


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(done.stdout + done.stderr, pytrace=False)
    return done.stdout.strip()
