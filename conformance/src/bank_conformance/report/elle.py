"""A history as Elle reads it: every account is a list, every entry an element appended to it.

Elle searches histories of transactions over lists for what no order of them explains, without
taking the bank's word for anything. Here a transaction is one append to, or one read of, one list:

* an acknowledged entry is an append, between its request and its answer;
* a leg of a transfer is an append, between its request and the first sight of its end;
* a history that was read whole, from its first page to its last, is a read of the list;
* an entry that was seen, and that none of these explains, may have been appended at any time.

    elle-cli --model list-append --consistency-models serializable histories/contention.elle.json

A history may show what was acknowledged up to two seconds later, so that strict serializability is
more than the contract promises.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bank_conformance.bank.observe import traces
from bank_conformance.bank.shapes import Entry, EntryPage, RefusedError, ShapeError, Transfer, read
from bank_conformance.history import History, Operation, Outcome

from .events import Span, events

ENTRY_ROUTES = frozenset({"postEntry", "captureHold"})
TRANSFER_ROUTES = frozenset({"requestTransfer", "reverseTransfer", "getTransfer", "cancelTransfer"})
WHOLE = frozenset({"cursor", "limit", "order"})
"""The parameters under which a history is still the whole one."""

Element = tuple[str, int, int, str, int]
"""What an entry is recognised by: account, sequence, version, direction and amount."""


def list_append(history: History) -> list[dict[str, Any]]:
    """Return the events over lists; none where no history was read whole.

    What has another shape than the contract's is left out: the requirements find it.
    """
    reads = [(pages, _entries(pages)) for pages in _traversals(history)]
    if not reads:
        return []
    numbers = count(1)
    appends = _appends(history, {_element(one): one for _, entries in reads for one in entries})
    names = {element: next(numbers) for element in appends}
    spans = [
        span._replace(
            f="txn", asked=(value := [["append", element[0], names[element]]]), told=value
        )
        for element, span in appends.items()
    ]
    for pages, entries in reads:
        account = entries[0].account_id if entries else _account(pages[0])
        shown = [names[_element(one)] for one in entries]
        asked, told = [["r", account, None]], [["r", account, shown]]
        first, last = pages[0], pages[-1]
        spans.append(
            Span(first.session, first.invoked, last.completed, Outcome.OK, "txn", asked, told)
        )
    return events(spans, history.started)


def _traversals(history: History) -> Iterator[list[Operation]]:
    """Return the pages of every history that one session read from its first page to its last."""
    open_: dict[tuple[str, str, str], list[Operation]] = {}
    for operation in history:
        query = parse_qs(urlsplit(operation.call.url).query)
        if operation.call.route != "listEntries" or query.keys() - WHOLE:
            continue
        page = _shaped(operation, EntryPage)
        who = operation.session, _account(operation)
        cursor = query.get("cursor", [""])[0]
        before = open_.pop((*who, cursor), None) if cursor else []
        if page is None or before is None:
            continue
        if page.next is None:
            yield [*before, operation]
        else:
            open_[*who, page.next] = [*before, operation]


def _entries(pages: list[Operation]) -> list[Entry]:
    """Return the entries of a traversal, the oldest first."""
    found = [entry for page in pages for entry in read(page, EntryPage).items]
    newest_first = "order=desc" in pages[0].call.url
    return found[::-1] if newest_first else found


def _appends(history: History, seen: dict[Element, Entry]) -> dict[Element, Span]:
    """Return who appended each element that was acknowledged or seen, and when."""
    found: dict[Element, Span] = {}
    for operation in history:
        if operation.call.route in ENTRY_ROUTES and (entry := _shaped(operation, Entry)):
            found[_element(entry)] = _span(operation, operation.completed, operation.outcome)
    end = max(operation.completed for operation in history)
    known = traces(one for one in history if _tells_of_transfer(one))
    for element, entry in seen.items():
        trace = known.get(entry.transfer_id or "")
        if trace is not None and element not in found:
            outcome = Outcome.INFO if trace.ended is None else Outcome.OK
            span = _span(trace.operations[0], trace.ended or end, outcome)
            found[element] = span._replace(session=f"{trace.transfer_id} {entry.direction}")
    anyone = Span("unexplained", history.started, end, Outcome.INFO, "", None, None)
    return found | {element: anyone for element in seen if element not in found}


def _span(operation: Operation, completed: float, outcome: Outcome) -> Span:
    return Span(operation.session, operation.invoked, completed, outcome, "", None, None)


def _tells_of_transfer(operation: Operation) -> bool:
    return operation.call.route in TRANSFER_ROUTES and _shaped(operation, Transfer) is not None


def _element(entry: Entry) -> Element:
    place = entry.account_id, entry.sequence, entry.version
    return (*place, entry.direction, entry.amount_minor)


def _account(operation: Operation) -> str:
    return urlsplit(operation.call.url).path.split("/")[3]


def _shaped(operation: Operation, shape: type[Any]) -> Any:
    """Return an answer as `shape`, None where it is none."""
    try:
        return read(operation, shape)
    except (RefusedError, ShapeError):
        return None
