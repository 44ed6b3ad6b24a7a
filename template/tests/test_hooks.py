"""A generated bank is killed, dumped, backed up and restored by its own scripts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from baking import baker
from bank_conformance.hooks import PLACEHOLDERS
from serving import free_port, near_the_root
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

    def mutate(self, kind: str, *at: int | str) -> subprocess.CompletedProcess[str]:
        """As the suite calls it: what a kind does not need is empty."""
        partition, position, other_partition, other_position = (*at, "", "", "", "")[:4]
        places = f"--partition '{partition}' --position '{position}'"
        others = f"--other-partition '{other_partition}' --other-position '{other_position}'"
        return self.hook(f"mutate --kind {kind} {places} {others}")

    def done(self, command: str) -> None:
        ended = self.hook(command)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def call(self, method: str, path: str, body: object = None, url: str = "") -> httpx.Response:
        scope = "'bank:operate privacy:erase events:read'"
        token = shell(self.folder, f"./scripts/bank token --subject staff --scope {scope}")
        headers = {
            "Authorization": f"Bearer {token.stdout.strip()}",
            "Idempotency-Key": uuid4().hex,
        }
        return httpx.request(method, (url or self.url) + path, json=body, headers=headers)

    def personal(self, customer: str) -> object:
        return self.call("GET", f"/v1/customers/{customer}").json().get("personal")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookedBank]:
    """One bank for all of them: to make one takes longer than all they do."""
    with near_the_root() as folder:
        port, bake = free_port(), baker(tmp_path_factory.mktemp("baking"))
        bank = HookedBank(bake(into=folder, http_port=port), port)
        assert shell(bank.folder, "./scripts/bank init").returncode == 0
        yield bank


@pytest.fixture
def bank(made: HookedBank) -> Iterator[HookedBank]:
    """It serves, and has stored nothing yet."""
    for stored in ("postgres", "hook"):
        shutil.rmtree(made.folder / "var" / stored, ignore_errors=True)
    made.done("start")
    yield made
    made.hook("kill")


def test_a_bank_survives_what_the_hooks_do_to_it(bank: HookedBank, near: Path) -> None:
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
    bank.done("rebuild")
    assert bank.personal(anna) is None
    bank.done("stop")
    assert "holds no back-up of events and keys" in bank.hook(f"restore {near}/none").stderr
    bank.done(f"restore {near}/backup")
    bank.done("start")
    assert bank.personal(anna) is None, "the back-up brought an erased customer back"
    assert json.loads(bank.call("GET", f"/v1/customers/{anna}").text)["state"] == "ERASED"


def test_the_target_file_has_a_command_for_every_hook_and_another_address(
    bank: HookedBank,
) -> None:
    target = tomllib.loads((bank.folder / "conformance.toml").read_text())
    assert target["hooks"].keys() == PLACEHOLDERS.keys()
    (replica,) = target["target"]["replicas"]
    made = bank.call("POST", "/v1/customers", {"personal": ANNA}).json()["customer_id"]
    assert bank.call("GET", f"/v1/customers/{made}", url=replica).json()["personal"] == ANNA
    bank.done("stop")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{replica}/health/live")


def test_a_bank_that_was_started_by_hand_is_killed_too_and_nobody_else(bank: HookedBank) -> None:
    bank.done("stop")
    served = ["./scripts/bank", "serve"]
    stranger = [sys.executable, "-c", "input()", "-m", "ourbank", "serve"]
    with (
        subprocess.Popen(served, cwd=bank.folder) as by_hand,
        subprocess.Popen(stranger, stdin=subprocess.PIPE) as other,
    ):
        wait_until_ready(bank.url)
        bank.done("kill")
        assert by_hand.wait(10) == -signal.SIGKILL
        assert other.poll() is None
        other.terminate()
    bank.done("start")


def test_the_clock_goes_ahead_until_it_is_set_back(bank: HookedBank) -> None:
    def booked_at() -> datetime:
        made = bank.call("POST", "/v1/customers", {"personal": ANNA}).json()
        return datetime.fromisoformat(made["registered_at"])

    for days in (3, 0):
        bank.done(f"clock --seconds {days * 86_400}")
        ahead = booked_at() - datetime.now(UTC)
        assert abs(ahead - timedelta(days=days)) < timedelta(minutes=1)
    bank.done("stop")
    ahead_in_production = {
        "BANK_CLOCK_AHEAD_SECONDS": "1",
        "DATABASE_URL": "postgresql://bank@127.0.0.1/bank",
        "KEYS_DATABASE_URL": "postgresql://keys@127.0.0.1/keys",
    }
    done = subprocess.run(
        ["./scripts/bank", "serve"],
        cwd=bank.folder,
        env={**os.environ, **ahead_in_production},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "only for tests on an embedded PostgreSQL" in done.stderr


def test_the_log_is_forged_in_every_way_the_suite_knows(bank: HookedBank) -> None:
    customers = [
        bank.call("POST", "/v1/customers", {"personal": {**ANNA, "name": f"Anna {n}"}}).json()
        for n in range(8)
    ]
    events = bank.call("GET", "/v1/events").json()["items"]
    at = {event["stream_id"]: (event["partition"], event["position"]) for event in events}
    count = len(events)
    assert "the bank runs" in bank.mutate("alter", 0, 1).stderr
    bank.done("stop")
    assert "no kind 'melt'" in bank.mutate("melt", 0, 1).stderr
    assert "say which event" in bank.mutate("truncate").stderr
    assert "no event at 0/99" in bank.mutate("alter", 0, 99).stderr
    one, other = (at[customer["customer_id"]] for customer in customers[:2])
    assert "say which event" in bank.mutate("swap", *one).stderr
    assert bank.mutate("swap", *one, *other).returncode == 0
    crowded = max(range(4), key=[event["partition"] for event in events].count)
    for kind in ("insert", "reorder", "alter", "remove", "rewrite"):
        assert bank.mutate(kind, crowded, 1).returncode == 0, kind
    bank.done("start")
    forged = bank.call("GET", "/v1/events").json()["items"]
    assert len(forged) == count
    assert {(e["partition"], e["position"]) for e in forged} == set(at.values())
    assert [e["data"] for e in forged] != [e["data"] for e in events]
    bank.done("stop")
    assert bank.mutate("truncate", crowded, 1).returncode == 0
    bank.done("start")
    left = bank.call("GET", "/v1/events").json()["items"]
    assert crowded not in {event["partition"] for event in left}


def test_the_target_file_offers_every_fault_and_faults_want_workers_of_their_own(
    bank: HookedBank,
) -> None:
    offered = tomllib.loads((bank.folder / "conformance.toml").read_text())["faults"]
    unknown = bank.hook("fault melt").stderr
    assert unknown.partition("choose one of ")[2].strip().split(", ") == list(offered)
    for name, fault in offered.items():
        assert fault["begin"] == f"./scripts/hook fault {name}"
        assert fault["end"] == f"./scripts/hook fault {name} --end"
    assert "start --workers 2" in bank.hook("fault kill-worker").stderr
    assert "start --workers 2" in bank.hook("fault kill-api").stderr


def test_what_a_fault_broke_is_mended_and_nothing_is_lost(bank: HookedBank) -> None:
    bank.done("stop")
    bank.done("start --workers 2")
    assert roles(bank) == {"api": 2, "worker": 2}
    bank.done("fault kill-worker")
    assert roles(bank) == {"api": 2, "worker": 1}
    anna = bank.call("POST", "/v1/customers", {"personal": ANNA}).json()["customer_id"]
    bank.done("fault kill-worker --end")
    assert roles(bank) == {"api": 2, "worker": 2}

    bank.done("fault kill-database")
    assert bank.call("GET", f"/v1/customers/{anna}").status_code == 503
    bank.done("fault kill-database --end")
    wait_until(lambda: bank.personal(anna) == ANNA)  # who meets a dead connection gets a 503
    bank.done("fault kill-database --end")  # what is not broken is left alone

    bank.done("fault slow-connection")
    assert "begun already" in bank.hook("fault slow-connection").stderr
    wait_until(lambda: bank.personal(anna) == ANNA)
    bank.done("stop")
    assert roles(bank) == {}
    bank.done("start")
    assert bank.personal(anna) == ANNA
    assert roles(bank) == {"serve": 1, "api": 1}


def roles(bank: HookedBank) -> Counter[str]:
    """How many processes of the bank, and of what disturbs it, run; by what they are."""
    found: Counter[str] = Counter()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_text().split("\0")
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            is_ours = (process / "cwd").readlink() == bank.folder and state != "Z"
            if is_ours and (command[1] == "-m" or "_disturbances" in command[1]):
                found[command[3] if command[1] == "-m" else command[2]] += 1
    return found


def wait_until_ready(url: str) -> None:
    def is_ready() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{url}/health/ready", timeout=2).is_success
        return False

    wait_until(is_ready)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_restore_that_would_lose_something_is_refused(bank: HookedBank, near: Path) -> None:
    """Keys older than the last rotation."""
    anna = bank.call("POST", "/v1/customers", {"personal": ANNA}).json()["customer_id"]
    bank.done(f"backup {near}/backup")
    assert (near / "backup" / "keys.dump").stat().st_mode & 0o077 == 0
    bank.done("rotate")
    assert bank.personal(anna) == ANNA
    bank.done("stop")
    assert "nothing was done" in bank.hook(f"restore {near}/backup").stderr
    bank.done("start")
    assert bank.personal(anna) == ANNA
