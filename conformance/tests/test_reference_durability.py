"""The reference bank keeps what it acknowledged through every hook, and its hooks do what they say.

Each example ends a bank in the middle of something, by stopping or by killing it, and asks again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from bank_conformance.bank.routes import CUSTOMER_SCOPES, STAFF_SCOPES
from bank_conformance.catalogue import catalogue
from bank_conformance.hooks import HookError
from bank_conformance.reference.bank import STEP_SECONDS
from bank_conformance.reference.disk import Disk
from bank_conformance.runner import run
from bank_conformance.serving import ServedBank, serving
from bank_conformance.tokens import Principal
from builders import Silent

pytestmark = pytest.mark.slow

PERSONAL = {"name": "Zoë Example", "email": "zoe@example.com"}


class Feigned:
    """The hooks of a bank, one of which is feigned: a kill does nothing, a start fails once."""

    def __init__(self, bank: ServedBank, which: str) -> None:
        self.bank, self.which, self.names = bank, which, bank.names

    async def run(self, name: str, **values: str) -> None:
        if name == self.which == "start":
            self.which = ""
            raise HookError("start: it does not")
        if name != self.which:
            await self.bank.run(name, **values)


class Teller:
    """Staff at the counter of a reference bank."""

    def __init__(self, bank: ServedBank) -> None:
        self.bank, self.keys = bank, 0

    async def ask(
        self, method: str, path: str, body: Any = None, key: str = "", **more: str
    ) -> Any:
        token = await self.bank.target.minter(Principal("staff", "staff", STAFF_SCOPES))
        self.keys += 1
        headers = {"Authorization": f"Bearer {token}", **more}
        if method != "GET":
            headers["Idempotency-Key"] = key or f"key-{self.keys}"
        url = f"{self.bank.target.base_url}{path}"
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            answer = await http.request(method, url, json=body, headers=headers)
        assert answer.status_code < 500
        return answer.json() if answer.content else answer.status_code

    async def customer(self) -> str:
        return str((await self.ask("POST", "/v1/customers", {"personal": PERSONAL}))["customer_id"])

    async def account(self, customer_id: str, funds: int = 0) -> str:
        body = {"customer_id": customer_id, "currency": "EUR"}
        account = str((await self.ask("POST", "/v1/accounts", body))["account_id"])
        if funds:
            await self.post(account, funds)
        return account

    async def post(self, account: str, amount: int, key: str = "") -> Any:
        body = {"code": "CASH_DEPOSIT", "amount_minor": amount, "currency": "EUR"}
        return await self.ask("POST", f"/v1/accounts/{account}/entries", body, key)

    async def transfer(self, source: str, target: str, amount: int, key: str = "") -> Any:
        parties = {"source_account_id": source, "target_account_id": target}
        body = parties | {"amount_minor": amount, "currency": "EUR"}
        return await self.ask("POST", "/v1/transfers", body, key)

    async def booked(self, account: str) -> int:
        return int((await self.ask("GET", f"/v1/accounts/{account}"))["booked_minor"])


def _with_bank(
    play: Callable[[ServedBank, Teller], Awaitable[None]], step_seconds: float = STEP_SECONDS
) -> None:
    async def run() -> None:
        async with serving(step_seconds=step_seconds) as bank:
            await play(bank, Teller(bank))

    anyio.run(run)


@pytest.mark.parametrize("hook", ["stop", "kill"])
def test_everything_acknowledged_is_there_again(hook: str) -> None:
    async def play(bank: ServedBank, teller: Teller) -> None:
        customer = await teller.customer()
        source = await teller.account(customer, funds=100)
        target = await teller.account(customer)
        hold = {"amount_minor": 30, "currency": "EUR"}
        held = await teller.ask("POST", f"/v1/accounts/{source}/holds", hold)
        first = await teller.post(source, 7, key="again")
        before = [
            await teller.ask("GET", f"/v1/customers/{customer}"),
            await teller.ask("GET", f"/v1/accounts/{source}/entries"),
            await teller.ask("GET", f"/v1/accounts/{source}/holds/{held['hold_id']}"),
        ]
        await bank.run(hook)
        await bank.run("start")
        after = [
            await teller.ask("GET", f"/v1/customers/{customer}"),
            await teller.ask("GET", f"/v1/accounts/{source}/entries"),
            await teller.ask("GET", f"/v1/accounts/{source}/holds/{held['hold_id']}"),
        ]
        assert after == before
        assert after[0]["personal"]["name"] == PERSONAL["name"]
        assert await teller.post(source, 7, key="again") == first
        assert await teller.booked(source) == 107
        moved = await teller.ask(
            "POST",
            "/v1/transfers",
            {"source_account_id": source, "target_account_id": target} | hold,
            Prefer="wait=2",
        )
        assert moved["state"] == "COMPLETED"

    _with_bank(play)


def test_a_transfer_under_way_at_a_kill_ends_by_itself_and_has_one_effect() -> None:
    async def play(bank: ServedBank, teller: Teller) -> None:
        customer = await teller.customer()
        source, target = await teller.account(customer, 100), await teller.account(customer)
        asked = await teller.transfer(source, target, 40, key="once")
        assert asked["state"] == "RESERVED"
        await bank.run("kill")
        await bank.run("start")
        assert (await teller.transfer(source, target, 40, key="once"))["transfer_id"] == asked[
            "transfer_id"
        ]
        await anyio.sleep(1)
        assert (await teller.booked(source), await teller.booked(target)) == (60, 40)

    _with_bank(play, step_seconds=0.3)


def test_a_back_up_brings_the_books_back_and_no_key_with_them() -> None:
    async def play(bank: ServedBank, teller: Teller) -> None:
        erased, other = await teller.customer(), await teller.customer()
        account = await teller.account(erased, 100)
        folder = str(bank.state.parent / "backup")
        await bank.run("stop")
        await bank.run("backup", folder=folder)
        await bank.run("start")
        await teller.ask("POST", f"/v1/customers/{erased}/erasure")
        await teller.post(account, 1)
        await bank.run("stop")
        await bank.run("restore", folder=folder)
        await bank.run("start")
        assert await teller.booked(account) == 100
        assert "personal" not in await teller.ask("GET", f"/v1/customers/{erased}")
        assert "personal" in await teller.ask("GET", f"/v1/customers/{other}")

    _with_bank(play)


def test_a_paused_bank_answers_nothing_and_goes_on_where_it_was() -> None:
    async def play(bank: ServedBank, teller: Teller) -> None:
        account = await teller.account(await teller.customer(), 100)
        await bank.run("pause")
        token = await bank.target.minter(Principal("c", "c", CUSTOMER_SCOPES))
        async with httpx.AsyncClient(trust_env=False, timeout=0.3) as http:
            with pytest.raises(httpx.TimeoutException):
                await http.get(f"{bank.target.base_url}/health/live", headers={"x": token})
        await bank.run("resume")
        assert await teller.booked(account) == 100

    _with_bank(play)


def test_the_bank_that_was_running_is_gone_afterwards() -> None:
    async def run() -> int:
        async with serving() as bank:
            assert bank.process is not None
            return bank.process.pid

    assert not Path(f"/proc/{anyio.run(run)}").exists()


def test_what_was_put_since_the_last_commit_is_kept_as_one_or_not_at_all(tmp_path: Path) -> None:
    disk = Disk(tmp_path, "bank.db")
    disk.append(0, 1, b"{}")
    disk.put("account", "a", lambda: {"booked": 1})
    disk.commit()
    disk.append(0, 1, b"{}")  # the position is taken
    disk.put("account", "a", lambda: {"booked": 2})
    with pytest.raises(sqlite3.IntegrityError):
        disk.commit()
    again = Disk(tmp_path, "bank.db")
    assert again.things("account") == {"a": {"booked": 1}}
    assert list(again.events()) == [(0, 1, "{}")]


def test_a_bank_that_serves_is_not_started_a_second_time() -> None:
    async def play(bank: ServedBank, teller: Teller) -> None:
        with pytest.raises(HookError, match="serves already"):
            await bank.run("start")
        assert await teller.customer()

    _with_bank(play)


@pytest.mark.parametrize(("broken", "afterwards"), [("kill", "INCONCLUSIVE"), ("start", "PASS")])
def test_a_hook_that_does_nothing_or_fails_decides_nothing_and_disturbs_nobody(
    broken: str, afterwards: str
) -> None:
    """A kill that kills nothing is found out; after a start that failed once the next go on."""

    async def play(bank: ServedBank, _teller: Teller) -> None:
        hooks = Feigned(bank, broken)
        chosen = [catalogue()[one] for one in ("CON-3", "CON-4", "DUR-1", "DUR-4")]
        outcome = await run(replace(bank.target, hooks=hooks), chosen, seed=1, reporter=Silent())
        verdicts = {one.requirement_id: str(one.verdict) for one in outcome.results}
        assert verdicts == {
            "CON-3": "PASS",
            "CON-4": "INCONCLUSIVE",
            "DUR-1": afterwards,
            "DUR-4": "INCONCLUSIVE",
        }

    _with_bank(play)
