"""What must have come to rest once the faults have stopped: holds, erasures, rows set aside."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ourbank.application.worker import EXPIRY_SECONDS
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.projection import (
    NO_LEASE,
    Advance,
    Projector,
    ReadModel,
    key_text,
)
from ourbank.eventsourcing.subscription import Feed
from ourbank.privacy.erasure import ErasureState, state_of
from ourbank.privacy.receipt import (
    ReceiptError,
    key_digest,
    verify_receipt,
)
from ourbank.privacy.vault import SubjectRecord, Tombstone
from ourbank.readmodels import READ_MODELS
from ourbank.readmodels.holds import HoldStatus

from .process import SIGNER
from .workloads import Stage
from .world import World

EXPIRED_SECONDS = 3 * EXPIRY_SECONDS
"""Within which a hold whose time is over has ended."""
PURGED = ("entries", "transfers")
Place = tuple[int, int]
"""A partition and a position."""


def unexpired(world: World) -> Iterator[str]:
    """Holds whose time is over, and which stand; but for those of rows that a poison stopped, for
    nobody sees these.
    """
    due = world.now() - timedelta(seconds=EXPIRED_SECONDS)
    unseen = parked(world, "holds")
    for (account_id, hold_id), held in world.books.holding.items():
        is_over = held.expires_at is not None and held.expires_at <= due
        if is_over and key_text((hold_id,)) not in unseen:
            yield f"{hold_id} on {account_id} is not ended: {held}"
    for (hold_id,), row in world.rows.of("holds").items():
        is_over = row.status == HoldStatus.ACTIVE and row.expires_at <= due
        if is_over and key_text((hold_id,)) not in unseen:
            yield f"{hold_id} is shown as not ended: {row}"


def unbalanced(world: World) -> Iterator[str]:
    """Accounts whose row, or whose holds, are not what the books say."""
    held: defaultdict[str, int] = defaultdict(int)
    for (account_id, _), hold in world.books.holding.items():
        held[account_id] += hold.amount
    unseen, rows = parked(world, "accounts"), world.rows.of("accounts")
    for account_id, book in world.books.accounts.items():
        if book.held != held[account_id]:
            yield f"{account_id} holds {book.held}, its holds are {held[account_id]}"
        row = rows.get((account_id,))
        if key_text((account_id,)) in unseen or row is None:
            continue
        shown = row.booked_minor, row.held_minor, row.credit_line_minor
        if shown != (book.booked, book.held, book.credit_line):
            yield f"{account_id} shows {row}, the books say {book}"


# Erasures


async def half_erased(stage: Stage) -> AsyncIterator[str]:
    """Erasures that were begun, wait for nothing, and were not carried on."""
    async for record in _records(stage):
        if state_of(record).state is ErasureState.REQUESTED:
            yield f"an erasure was begun, and nobody carries it on: {record}"


async def badly_erased(stage: Stage) -> AsyncIterator[str]:
    """Erasures that wait for a legal hold that was lifted, or whose end is not as it should be."""
    books, today = stage.world.books, stage.world.now().date()
    async for record in _records(stage):
        match state_of(record).state, record.tombstone:
            case ErasureState.ON_LEGAL_HOLD, _:
                if books.legal_holds.get(record.subject, today) <= today:
                    yield f"an erasure waits for a hold that was lifted: {record}"
            case ErasureState.ERASED, Tombstone() as stone:
                for what in _badly_buried(stone, books.receipts.get(record.subject)):
                    yield f"the erasure of {record.subject} {what}"


async def _records(stage: Stage) -> AsyncIterator[SubjectRecord]:
    """What the key service knows of everybody whose erasure was ever asked for."""
    for subject in sorted({one.about for one in stage.history if one.what == "erase"}):
        record = await stage.world.key_service.vault.find(subject)
        if record is not None:
            yield record


def _badly_buried(stone: Tombstone, recorded: str | None) -> Iterator[str]:
    """What is wrong with a tombstone, and the receipt that the log keeps of it."""
    if recorded != stone.receipt:
        yield "has one receipt in the log and another in the vault"
    try:
        receipt = verify_receipt(stone.receipt or "", SIGNER.public_pem)
    except ReceiptError as error:
        yield f"has no receipt: {error}"
        return
    digest = None if stone.key_id is None else key_digest(stone.key_id)
    named = receipt.erasure_id, receipt.erased_at, receipt.key_digest, receipt.purged
    if named != (stone.erasure_id, stone.erased_at, digest, PURGED):
        yield f"is not what its receipt says: {receipt}"


def purged(world: World, row: Any) -> Any:
    """A row without the narratives of whoever was erased."""
    if row is None or not world.books.erased:
        return row
    gone = {
        name: None
        for name, whose in _NARRATIVES.items()
        if getattr(row, name, None) is not None and _is_erased(world, getattr(row, whose))
    }
    return replace(row, **gone) if gone else row


_NARRATIVES = {
    "narrative": "account_id",
    "payer_narrative": "source_account_id",
    "payee_narrative": "target_account_id",
}
"""Columns, and whose they are."""


def _is_erased(world: World, account_id: str) -> bool:
    return world.books.accounts[account_id].customer_id in world.books.erased


# Rows set aside


def parked(world: World, name: str) -> set[tuple[str, ...]]:
    """The keys of a read model that stand still in the store."""
    return {key for model, _, _, key in world.database.read_models.parked_events if model == name}


def wrongly_parked(world: World, log: Sequence[Recorded]) -> Iterator[str]:
    """Rows that stand still and should not, or not so: a poison struck them, they show what was
    before it, and all that came since is set aside in order.
    """
    poisoned = {(name, key_text(key)) for name, key in world.parked}
    for model in READ_MODELS:
        places: dict[tuple[str, ...], list[Place]] = defaultdict(list)
        for name, partition, position, text in world.database.read_models.parked_events:
            if name == model.name:
                places[text].append((partition, position))
        for text, aside in sorted(places.items()):
            if (model.name, text) not in poisoned:
                yield f"{model.name} {text} stands still, and no poison struck it"
            yield from _set_aside(world, model, text, aside, log)


def _set_aside(
    world: World,
    model: ReadModel,
    text: tuple[str, ...],
    aside: list[Place],
    log: Sequence[Recorded],
) -> Iterator[str]:
    row, since, its_key = None, list[Place](), None
    for recorded in log:
        if type(recorded.event) not in model.event_types:
            continue
        for key in model.keys(recorded):
            place = recorded.partition, recorded.position
            if key_text(key) == text and place < aside[0]:
                row = model.evolve(row, recorded, key)
            elif key_text(key) == text:
                its_key = key
                since.append(place)
    if aside != since:
        yield f"{model.name} {text} has {aside} set aside, and since then came {since}"
    shown = world.rows.of(model.name).get(its_key)
    if purged(world, shown) != purged(world, row):
        yield f"{model.name} {text} stands still at {shown}, and not at {row}"


async def redriven(world: World) -> bool:
    """Rebuild, as an operator would, the read models in which something stands still; whether
    there was one.
    """
    names = {name for name, _, _, _ in world.database.read_models.parked_events}
    for model in READ_MODELS:
        if model.name in names:
            world.tell(f"{model.name} is rebuilt")
            await _rebuilt(world, model)
    return bool(names)


async def _rebuilt(world: World, model: ReadModel) -> None:
    """A read model anew from the whole log, in the place of the old one."""
    store, log = world.database.read_models, world.database.log
    anew = replace(model, name=f"{model.name}@new")
    feeds = [Feed(number, log, events_max=0) for number in range(log.partition_count)]
    projector = Projector([anew], store, feeds, lambda _: None)
    for feed, head in zip(feeds, await log.heads(), strict=True):
        await projector.hold(feed.partition, NO_LEASE)
        feed.saw(head)
    while await projector.advance():
        pass
    for partition, position in projector.positions().items():
        store.put_back(Advance(model.name, partition, NO_LEASE, position, 0))
    for lease in world.database.leases.leases:
        lease.epoch += 1  # workers remember rows of the old one, and begin anew
    store.rows[model.name] = store.rows.pop(anew.name, {})
    store.parked_events = [
        (name.removesuffix("@new"), partition, position, key)
        for name, partition, position, key in store.parked_events
        if name != model.name
    ]
