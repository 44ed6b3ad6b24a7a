"""Ask the bank, once it is at rest, what became of everything."""

from __future__ import annotations

import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import gevent
from gevent.pool import Pool

from bank_simulations.console import BrokenRunError, Progress

from .checks import Finding, Invariant, check
from .history import Entry, Found, Sent, Shown, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from bank_simulations.client import BankClient
    from bank_simulations.load.population import Population

One = TypeVar("One")
Other = TypeVar("Other")

AT_A_TIME = 16
PAGE = 1_000
AGAIN_MAX = 200
"""At most so many of the transfers that were answered are asked for again; of the others, all."""
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.5
NOT_FOUND = 404


def decide_at_rest(bank: BankClient, population: Population, sent: Sequence[Sent]) -> list[Finding]:
    """What is wrong once the bank has had time to come to rest.

    Read models may lag and transfers be under way for some seconds after the last answer, so what
    is found wrong is looked at again until it is right, for at most 30 s.
    """
    try:
        bank.look("/health/ready")
        return _decide(bank, population, sent)
    except BrokenRunError as error:
        return [Finding(Invariant.ENDED, f"the bank does not come back: {error}")]


def _decide(bank: BankClient, population: Population, sent: Sequence[Sent]) -> list[Finding]:
    answers = _ask_again(bank, population, sent)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    findings: list[Finding] = []
    for look in count(1):
        findings = check(sent, _look(bank, population, sent, answers, look))
        if not findings or time.monotonic() > give_up_at:
            break
        gevent.sleep(LOOK_SECONDS)
    return findings


def _ask_again(
    bank: BankClient, population: Population, sent: Sequence[Sent]
) -> dict[str, str | None]:
    """Send once more, under its key, whatever got no answer, and some of what did."""
    unanswered = [each for each in sent if each.told is Told.NOTHING]
    answered = [each for each in sent if each.told is not Told.NOTHING]
    again = [*unanswered, *answered[:: len(answered) // AGAIN_MAX + 1]]
    ask = partial(_ask, bank, population.currency)
    ids = _each("Asking again under the same keys", ask, again)
    return {each.key: transfer_id for each, transfer_id in zip(again, ids, strict=True)}


def _ask(bank: BankClient, currency: str, sent: Sent) -> str | None:
    body = {
        "source_account_id": sent.source,
        "target_account_id": sent.target,
        "amount_minor": sent.amount_minor,
        "currency": currency,
    }
    try:
        answer = bank.insist("/v1/transfers", body, sent.key)
    except BrokenRunError:
        return None
    found = answer.body.get("transfer_id") if isinstance(answer.body, dict) else None
    return str(found or "")


def _look(
    bank: BankClient,
    population: Population,
    sent: Sequence[Sent],
    answers: dict[str, str | None],
    look: int,
) -> Found:
    named = (each.transfer_id or answers.get(each.key) for each in sent)
    ids = sorted({transfer_id for transfer_id in named if transfer_id})
    states = _each(f"Looking for every transfer ({look})", partial(_state, bank), ids)
    shown = _each(f"Reading every history ({look})", partial(_shown, bank), population.accounts)
    return Found(
        answers=answers,
        states=dict(zip(ids, states, strict=True)),
        accounts=dict(zip(population.accounts, shown, strict=True)),
        opening_minor=population.opening_minor,
    )


def _state(bank: BankClient, transfer_id: str) -> str | None:
    answer = bank.look(f"/v1/transfers/{transfer_id}")
    if answer.status == NOT_FOUND:
        return None
    return str(answer.body["state"]) if answer.accepted else answer.code


def _shown(bank: BankClient, account_id: str) -> Shown:
    balances = bank.fetch(f"/v1/accounts/{account_id}")
    entries: list[Entry] = []
    path = cursor = f"/v1/accounts/{account_id}/entries?limit={PAGE}"
    while cursor:
        page = bank.fetch(cursor)
        entries += [
            Entry(str(item.get("transfer_id") or ""), item["direction"], item["amount_minor"])
            for item in page["items"]
        ]
        cursor = f"{path}&cursor={quote(page['next'], safe='')}" if page["next"] else ""
    return Shown(balances["booked_minor"], balances["held_minor"], entries)


def _each(title: str, do: Callable[[One], Other], these: Collection[One]) -> list[Other]:
    """Do it for each, some at a time; results in the same order."""
    with Progress(title, len(these)) as progress:

        def done(one: One) -> Other:
            other = do(one)
            progress.advance()
            return other

        return list(Pool(AT_A_TIME).imap(done, these))
