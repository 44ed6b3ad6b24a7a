"""A customer with a canary in every personal field is erased in the middle of transfers.

Everything the bank shows is kept as text: before the erasure as the positive control, and after it
as what must be clean. A narrative belongs to both parties of a transfer, each with a copy of their
own: the erased party's copy must be gone, the other party's must stay.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from bank_conformance.bank.routes import CUSTOMER_SCOPES
from bank_conformance.bank.session import Session
from bank_conformance.bank.shapes import Customer, Erasure, Transfer, demand, read
from bank_conformance.deciders.scanner import Scanner
from bank_conformance.history import History, Operation, now
from bank_conformance.tokens import Principal

from .rest import FEED_SECONDS_MAX, scan, settle
from .stage import Stage, gather

FUNDS_MINOR, TRANSFERS = 100_000, 6
POLL_SECONDS = 0.25


def make_personal() -> dict[str, str]:
    """Return personal data of which every field is a canary."""
    born = date(1930, 1, 1) + timedelta(days=secrets.randbelow(25_000))
    return {
        "name": f"Zo\u00eb {_canary()}",
        "email": f"{_canary()}@example.com",
        "phone": f"+49{secrets.randbelow(10**11):011d}",
        "birth_date": born.isoformat(),
        "national_id": f"ID-{_canary()}",
        "address": f"{_canary()} Street 1/2",
    }


def _canary() -> str:
    return secrets.token_hex(10)


@dataclass(slots=True)
class Shredding:
    """What the bank showed of a customer before and after the erasure."""

    history: History
    personal: Mapping[str, str]
    own_narrative: str
    """Of a deposit: nobody else's."""
    shared_narrative: str
    """Of transfers in both directions: each party has a copy."""
    erasure: Erasure
    control: list[Operation]
    """What showed the canaries before the erasure."""
    views: list[Operation] = field(default_factory=list)
    """What the bank shows after it, where nothing of the subject may be left."""
    shared_views: list[Operation] = field(default_factory=list)
    """What it shows of the transfers to others, who keep their copy of the narrative."""
    effective_seconds: float = 0.0
    """How long after the erasure's answer the last views were taken."""

    def personal_canaries(self) -> dict[str, str]:
        """Return what nobody may see any more."""
        return {**self.personal, "own narrative": self.own_narrative}

    def canaries(self) -> dict[str, str]:
        """Return all that was planted."""
        return {**self.personal_canaries(), "shared narrative": self.shared_narrative}


@dataclass(slots=True)
class _Cast:
    """Who plays: the subject who is erased, and the other party of their transfers."""

    stage: Stage
    subject: str
    account: str
    other_account: str
    staff: Session
    as_subject: Session
    as_other: Session
    sent: list[str] = field(default_factory=list)
    feed_from: str | None = None
    """Where the feed stood when all this began; None where there is none."""


async def erasure(stage: Stage) -> Shredding:
    """Give a customer a history, erase them while it goes on, and look everywhere."""
    personal, own, shared = make_personal(), f"rent {_canary()}", f"gift {_canary()}"
    cast = await _set_up(stage, personal)
    demand(await cast.staff.post(cast.account, "CASH_DEPOSIT", FUNDS_MINOR, own))
    await _transfers(cast, shared)
    await settle(stage)
    await scan(stage, [cast.account, cast.other_account])
    control = await _look(cast)
    erased, _ = await asyncio.gather(_erase(cast), _transfers(cast, shared))
    await settle(stage)
    record = Shredding(stage.history, personal, own, shared, erased, control)
    await _look_until_clean(cast, record)
    return record


async def _set_up(stage: Stage, personal: Mapping[str, str]) -> _Cast:
    feed_from = stage.feed_from
    if feed_from is not None:
        _, feed_from = await stage.staff.events(feed_from, seconds=FEED_SECONDS_MAX)
    subject = read(await stage.staff.register(personal), Customer).customer_id
    other = await stage.customer()
    account = await stage.account(subject)
    other_account = await stage.account(other, funds=FUNDS_MINOR)
    as_subject = stage.session("subject", Principal("subject", subject, CUSTOMER_SCOPES))
    as_other = stage.session("other party", Principal("other party", other, CUSTOMER_SCOPES))
    for session in (as_subject, as_other):
        stage.client.tokens.ask(session.principal)
    cast = _Cast(stage, subject, account, other_account, stage.staff, as_subject, as_other)
    cast.feed_from = feed_from
    return cast


async def _transfers(cast: _Cast, narrative: str) -> None:
    """Send money both ways, under the same narrative."""
    pairs = [(cast.account, cast.other_account), (cast.other_account, cast.account)]
    asked = await gather(
        cast.staff.transfer(*pairs[number % 2], 10 + number, narrative)
        for number in range(TRANSFERS)
    )
    cast.sent += [read(one, Transfer).transfer_id for one in asked if one.ok]


async def _erase(cast: _Cast) -> Erasure:
    return read(await cast.staff.erase(cast.subject), Erasure)


async def _look_until_clean(cast: _Cast, record: Shredding) -> None:
    """Take the views again until nothing shows, at most the time the bank may take."""
    began, scanner = now(), Scanner(record.canaries())
    while True:
        record.effective_seconds = now() - began
        record.views = [*await _look(cast), *await _refusals(cast), *await _feed(cast)]
        record.shared_views = await _look_from_the_other_side(cast)
        dirty = any(scanner.scan(shown(view)) for view in record.views)
        if not dirty or record.effective_seconds > cast.stage.limits.erasure_effective_seconds:
            return
        await cast.stage.wait(POLL_SECONDS)


async def _look(cast: _Cast) -> list[Operation]:
    """Read everything that shows the subject, as staff and as the subject."""
    views = []
    for who in (cast.staff, cast.as_subject):
        views += [
            await who.customer(cast.subject),
            await who.account(cast.account),
            await who.call("listAccounts", query={"customer_id": cast.subject}),
            await who.entry_page(cast.account, limit=1000),
            await who.entry_page(cast.account, limit=1000, order="desc"),
            await who.entry_page(cast.account, text="rent"),
        ]
    views.append(await cast.as_subject.call("listTransfers", query={"account_id": cast.account}))
    return views + await gather(cast.as_subject.transfer_state(one) for one in cast.sent)


async def _refusals(cast: _Cast) -> list[Operation]:
    """Provoke the problems that tell of somebody erased."""
    return [
        await cast.staff.erasure(cast.subject),
        await cast.staff.open(cast.subject),
        await cast.staff.post(cast.account, "CASH_DEPOSIT", 1),
    ]


async def _feed(cast: _Cast) -> list[Operation]:
    """Read the feed since all this began; its pages are in the history."""
    if cast.feed_from is None:
        return []
    first = len(cast.stage.history)
    await cast.staff.events(cast.feed_from, seconds=FEED_SECONDS_MAX)
    return cast.stage.history.operations[first:]


async def _look_from_the_other_side(cast: _Cast) -> list[Operation]:
    views = [
        await cast.as_other.entry_page(cast.other_account, limit=1000),
        await cast.as_other.call("listTransfers", query={"account_id": cast.other_account}),
        await cast.staff.call("listTransfers", query={"account_id": cast.account}),
    ]
    return views + await gather(cast.as_other.transfer_state(one) for one in cast.sent)


def shown(view: Operation) -> bytes:
    """Return everything that an answer shows, headers included."""
    if view.answer is None:
        return b""
    headers = "\n".join(f"{name}: {value}" for name, value in view.answer.headers.items())
    return f"{headers}\n\n{view.answer.text}".encode()
