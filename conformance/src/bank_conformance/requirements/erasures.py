"""SHR: what an erasure leaves as it was, and that nothing undoes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bank_conformance.bank.shapes import Customer, Entry, Erasure, read
from bank_conformance.deciders.gapless import changes
from bank_conformance.deciders.kept_books import entry_changes, event_changes, wrong_sums
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.aftermath import Aftermath, Books, aftermath
from bank_conformance.workloads.parties import TRANSFERS
from bank_conformance.workloads.rehydration import Rehydration, Shown, rehydration
from bank_conformance.workloads.resurrection import Looked, Resurrection, resurrection

from .check import Check
from .planted import leaks, not_erased, readable

DEAD = "a key that was destroyed never comes back, and none takes its place"
ANEW = "who registers under the data of somebody erased is somebody new"
KEPT = "the other party's side of what both did stays readable"
REBUILT = "a rebuild after an erasure ends, and shows what was shown before it"
BOOKS = "an erasure changes neither money nor order"


def no_key_comes_back(record: Resurrection) -> Decision:
    """SHR-4: nothing of the erased is readable, whatever was tried: neither what was planted
    before, nor the narratives of commands that came too late.
    """
    if undone := not_erased(record.erasure):
        return undone
    findings: list[Finding] = []
    for looked in record.looks:
        planted = {**record.subject.canaries, **record.late}
        findings += leaks(DEAD, looked.views, planted, f"after {looked.after}")
        findings += _alive(looked, record.looks[0])
    findings += leaks(DEAD, record.attempts, record.private(), "in an answer afterwards")
    findings += _same_person(record)
    before = readable(record.control, record.subject.canaries)
    return Decision(
        tuple(findings),
        (
            Coverage("canaries readable before", len(before), len(record.subject.canaries)),
            Coverage("attempts afterwards", len(record.attempts), 10),
            Coverage("of them refused", sum(not one.ok for one in record.attempts)),
            Coverage("looks", len(record.looks), 4),
        ),
    )


def _alive(looked: Looked, first: Looked) -> Iterator[Finding]:
    """Compare how the erased stands with how they stood right after the erasure."""
    erasures = [read(one.erasure, Erasure) for one in (first, looked)]
    states = (read(looked.customer, Customer).state, erasures[1].state)
    if states != ("ERASED", "ERASED"):
        text = f"after {looked.after} the customer is {states[0]}, and the erasure {states[1]}"
        yield Finding(DEAD, text, (looked.customer, looked.erasure))
    then, now = (one.erased_at for one in erasures)
    if then != now:
        text = f"after {looked.after} the erasure is of {now}, and no longer of {then}"
        yield Finding(DEAD, text, (first.erasure, looked.erasure))


def _same_person(record: Resurrection) -> Iterator[Finding]:
    """Judge who registered anew: under an id of their own, and not erased with the other."""
    views = tuple(record.reborn_views)
    if record.reborn is None or record.reborn.customer_id == record.subject.customer_id:
        yield Finding(ANEW, "a registration under the same data gave the erased customer", views)
    elif not all(view.ok for view in views) or read(views[0], Customer).personal is None:
        text = "a registration under the same data gave a customer without personal data"
        yield Finding(ANEW, text, views)


def other_side_readable(record: Aftermath) -> Decision:
    """SHR-5: whatever the other party could read on their side, they can read afterwards."""
    if undone := not_erased(record.erasure):
        return undone
    planted = record.other.canaries
    before = readable(record.before.other_views, planted)
    findings: list[Finding] = []
    for books in record.after:
        lost = before - readable(books.other_views, planted)
        views = tuple(books.other_views)
        findings += [Finding(KEPT, f"{books.when}: the {name} is gone", views) for name in lost]
        findings += _silent_transfers(record.before, books)
        findings += _silent_entries(record, books)
    named = [one for one, _ in record.before.transfers.values() if one.narrative]
    return Decision(
        tuple(findings),
        (
            Coverage("canaries readable before", len(before), len(record.other.personal) + 2),
            Coverage("shared transfers with a narrative", len(named), TRANSFERS),
            Coverage("shared transfers that an erasure met", len(record.met)),
        ),
    )


def _silent_transfers(before: Books, books: Books) -> Iterator[Finding]:
    for transfer_id, (was, earlier) in before.transfers.items():
        told, later = books.transfers[transfer_id]
        if was.narrative != told.narrative:
            text = f"{books.when}: a transfer shows the other party another narrative, or none"
            yield Finding(KEPT, text, (earlier, later))


def _silent_entries(record: Aftermath, books: Books) -> Iterator[Finding]:
    """Judge the narratives of the other party's history, those of transfers on their way too."""
    account = record.other.account_id
    entries, known = books.entries[account], record.before.entries[account]
    for change in changes(_narratives(known), _narratives(entries)):
        yield Finding(KEPT, f"{books.when}: entry {change.place + 1} lost its narrative")
    for entry in entries[len(known) :]:
        if entry.transfer_id in record.met and entry.narrative is None:
            which = f"entry {entry.sequence}, of a transfer on its way,"
            yield Finding(KEPT, f"{books.when}: {which} has no narrative")


def _narratives(entries: Iterable[Entry]) -> list[str | None]:
    return [entry.narrative for entry in entries]


def rebuilt_without(record: Rehydration) -> Decision:
    """SHR-6: the rebuild ends, every history is what it was, and nothing of the erased is back."""
    if undone := not_erased(record.erasure):
        return undone
    subject, other = record.subject, record.other
    control = readable(record.control.subject_views, subject.canaries)
    coverage = (
        Coverage("canaries readable after a first rebuild", len(control), len(subject.canaries)),
        Coverage("entries", sum(map(len, record.control.entries.values())), 2 * TRANSFERS),
    )
    if record.before is None or record.after is None:
        return Decision((Finding(REBUILT, f"the rebuild failed: {record.failure}"),), coverage)
    findings = [
        *leaks(REBUILT, record.after.subject_views, subject.canaries, "after the rebuild"),
        *_incomplete(record.before, record.after),
    ]
    lost = other.canaries.keys() - readable(record.after.other_views, other.canaries)
    views = tuple(record.after.other_views)
    for name in sorted(lost):
        text = f"after the rebuild the other party's {name} is not shown"
        findings.append(Finding(REBUILT, text, views))
    return Decision(tuple(findings), coverage)


def _incomplete(before: Shown, after: Shown) -> Iterator[Finding]:
    """Compare the histories; what was written since comes at their end."""
    for account_id, entries in before.entries.items():
        for change in changes(entries, after.entries[account_id]):
            what = "is gone" if change.after is None else "is another one"
            text = f"after the rebuild entry {change.place + 1} of {account_id} {what}"
            yield Finding(REBUILT, text)


def money_and_order_kept(record: Aftermath) -> Decision:
    """SHR-14: entries, balances and events are what they were, but for what was sealed."""
    if undone := not_erased(record.erasure):
        return undone
    before, last = record.before, record.after[-1]
    wrong = [f"{later.when}: {one}" for later in record.after for one in _wrong(before, later)]
    if stuck := last.under_way():
        wrong.append(f"{last.when}: {len(stuck)} transfers that the erasure met have not ended")
    entries = sum(map(len, record.before.entries.values()))
    return Decision(
        tuple(Finding(BOOKS, text) for text in wrong),
        (
            Coverage("entries before", entries, 2 * TRANSFERS),
            Coverage("feed events before", len(record.before.events or ())),
            Coverage("readings afterwards", len(record.after), 2),
        ),
    )


def _wrong(before: Books, after: Books) -> Iterator[str]:
    for account_id, entries in before.entries.items():
        later, account = after.entries[account_id], after.accounts[account_id]
        for one in [*entry_changes(entries, later), *wrong_sums(later, account)]:
            yield f"{one.place} of {account_id}: {one.what}"
        if account.held_minor != before.accounts[account_id].held_minor:
            yield f"{account.held_minor} is held on {account_id}, and was not before"
    moved = _total(after) - _total(before) - _brought(before, after)
    if moved and not after.under_way():
        yield f"the two parties together have {moved} more than they had"
    if before.events is not None and after.events is not None:
        for one in event_changes(before.events, after.events):
            yield f"{one.place}: {one.what}"


def _total(books: Books) -> int:
    return sum(account.booked_minor for account in books.accounts.values())


def _brought(before: Books, after: Books) -> int:
    """Return what was booked since, transfers between the two aside."""
    new = [e for one, entries in after.entries.items() for e in entries[len(before.entries[one]) :]]
    return sum(entry.signed_minor for entry in new if entry.transfer_id is None)


CHECKS = (
    Check(
        "SHR-4",
        resurrection,
        no_key_comes_back,
        needs=("erasure",),
        uses=("stop", "start", "rebuild"),
    ),
    Check("SHR-5", aftermath, other_side_readable, needs=("erasure",)),
    Check("SHR-6", rehydration, rebuilt_without, needs=("erasure",), hooks=("rebuild",)),
    Check("SHR-14", aftermath, money_and_order_kept, needs=("erasure",)),
)
