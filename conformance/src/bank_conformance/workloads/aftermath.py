"""The books of two parties are read, one of the two is erased, and the books are read again."""

from __future__ import annotations

from dataclasses import dataclass, field

from bank_conformance.bank.shapes import Account, Entry, Erasure, FeedEvent, Transfer, read
from bank_conformance.history import History, Operation

from .parties import Party, at_rest, exchange, look, narrative, party, share, write
from .rest import FEED_SECONDS_MAX, scan
from .stage import Stage, gather

LATER_SECONDS = 1.0
"""When what is purged in the background is purged."""


@dataclass(slots=True)
class Books:
    """What was booked, as the bank shows it at one time."""

    when: str
    accounts: dict[str, Account]
    entries: dict[str, list[Entry]]
    transfers: dict[str, tuple[Transfer, Operation]]
    """Each as the other party sees it, with the answer that shows it."""
    other_views: list[Operation]
    """The other party's side."""
    events: list[FeedEvent] | None
    """The feed since before the two; None where there is none."""

    def under_way(self) -> list[str]:
        """Return the transfers that have not ended."""
        return [one for one, (told, _) in self.transfers.items() if not told.terminal]


@dataclass(slots=True)
class Aftermath:
    """The books before an erasure and after it."""

    history: History
    subject: Party
    other: Party
    erasure: Erasure
    before: Books
    met: list[str]
    """The transfers that were on their way when the key went."""
    after: list[Books] = field(default_factory=list)


async def aftermath(stage: Stage) -> Aftermath:
    """Give two parties a common history, and erase one of them while it goes on."""
    feed_from = await _end_of_feed(stage)
    subject, other = await party(stage, "subject"), await party(stage, "other party")
    sent = await share(stage, subject, other, "shared")
    if stage.target.adapter.offers("reverseTransfer"):
        await stage.staff.call("reverseTransfer", {"transfer_id": sent[0]})
    await at_rest(stage, subject, other)
    before = await _books(stage, "before", subject, other, sent, feed_from)
    words = other.narratives["on its way"] = narrative()
    met = await exchange(stage.staff, subject, other, words)
    erased = read(await stage.staff.erase(subject.customer_id), Erasure)
    await at_rest(stage, subject, other)
    sent += met
    record = Aftermath(stage.history, subject, other, erased, before, met)
    record.after.append(await _books(stage, "after", subject, other, sent, feed_from))
    await stage.wait(LATER_SECONDS)
    await write(stage.staff, other, "written afterwards")
    await at_rest(stage, subject, other)
    record.after.append(await _books(stage, "later", subject, other, sent, feed_from))
    return record


async def _end_of_feed(stage: Stage) -> str | None:
    if stage.feed_from is None:
        return None
    _, end = await stage.staff.events(stage.feed_from, seconds=FEED_SECONDS_MAX)
    return end


async def _books(
    stage: Stage, when: str, subject: Party, other: Party, sent: list[str], feed_from: str | None
) -> Books:
    found = await scan(stage, [subject.account_id, other.account_id])
    states = await gather(other.session.transfer_state(one) for one in sent)
    books = Books(
        when,
        found.accounts,
        found.entries,
        {one: (read(state, Transfer), state) for one, state in zip(sent, states, strict=True)},
        await look(stage.staff, other, sent),
        None,
    )
    if feed_from is not None:
        books.events, _ = await stage.staff.events(feed_from, seconds=FEED_SECONDS_MAX)
    return books
