"""A generated bank is killed, dumped, backed up and restored by its own scripts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from places import Bake
from serving import free_port
from test_fresh_bank import near, shell

__all__ = ["near"]

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

ANNA = {"name": "Anna", "email": "anna@example.com"}


class HookedBank:
    """A generated bank, driven by its own scripts."""

    def __init__(self, folder: Path, port: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    def hook(self, command: str) -> subprocess.CompletedProcess[str]:
        return shell(self.folder, f"./scripts/hook {command}")

    def done(self, command: str) -> None:
        ended = self.hook(command)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        scope = "'bank:operate privacy:erase'"
        token = shell(self.folder, f"./scripts/bank token --subject staff --scope {scope}")
        headers = {
            "Authorization": f"Bearer {token.stdout.strip()}",
            "Idempotency-Key": uuid4().hex,
        }
        return httpx.request(method, self.url + path, json=body, headers=headers)

    def personal(self, customer: str) -> object:
        return self.call("GET", f"/v1/customers/{customer}").json().get("personal")


@pytest.fixture
def bank(bake: Bake, near: Path) -> Iterator[HookedBank]:
    port = free_port()
    bank = HookedBank(bake(into=near, http_port=port), port)
    assert shell(bank.folder, "./scripts/bank init").returncode == 0
    bank.done("start")
    yield bank
    bank.hook("kill")


def test_a_bank_survives_what_the_hooks_do_to_it(bank: HookedBank, near: Path) -> None:
    """One bank for all of them: to make one takes longer than all they do."""
    made = bank.call("POST", "/v1/customers", {"personal": ANNA})
    anna = made.json()["customer_id"]

    bank.done("kill")
    assert "does not run" in bank.hook("kill").stderr
    bank.done("start")
    assert "runs already" in bank.hook("start").stderr
    assert bank.personal(anna) == ANNA

    bank.done("pause")
    with pytest.raises(httpx.TimeoutException):
        httpx.get(f"{bank.url}/health/live", timeout=0.5)
    bank.done("resume")
    assert httpx.get(f"{bank.url}/health/live", timeout=10).status_code == 200

    bank.done(f"dump {near}/dump")
    assert anna in (near / "dump" / "events.sql").read_text()
    assert (near / "dump" / "cluster" / "pg_wal").is_dir()
    bank.done(f"logs {near}/logs")
    assert (near / "logs" / "server.log").exists()

    bank.done(f"backup {near}/backup")
    assert bank.call("POST", f"/v1/customers/{anna}/erasure").status_code in {200, 201, 202}
    assert bank.personal(anna) is None
    assert "the bank runs" in bank.hook(f"restore {near}/backup").stderr
    assert shell(bank.folder, "./scripts/bank rebuild accounts").returncode == 0
    bank.done("stop")
    assert "holds no back-up of events and keys" in bank.hook(f"restore {near}/none").stderr
    bank.done(f"restore {near}/backup")
    bank.done("start")
    assert bank.personal(anna) is None, "the back-up brought an erased customer back"
    assert json.loads(bank.call("GET", f"/v1/customers/{anna}").text)["state"] == "ERASED"


def test_a_restore_that_would_lose_something_is_refused(bank: HookedBank, near: Path) -> None:
    """Keys older than the last rotation, and a stranger who has the number of the dead bank."""
    anna = bank.call("POST", "/v1/customers", {"personal": ANNA}).json()["customer_id"]
    bank.done(f"backup {near}/backup")
    assert (near / "backup" / "keys.dump").stat().st_mode & 0o077 == 0
    bank.done("stop")
    assert shell(bank.folder, "./scripts/bank rotate").returncode == 0
    assert "nothing was done" in bank.hook(f"restore {near}/backup").stderr

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (bank.folder / "var" / "hook" / "bank.pid").write_text(str(stranger.pid))
        assert "does not run" in bank.hook("kill").stderr
        assert stranger.poll() is None
        stranger.terminate()
    bank.done("start")
    assert bank.personal(anna) == ANNA
