"""SHR: what things are called says nothing of a person, and neither does how data is sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from bank_conformance.deciders.scanner import Needle, Scanner, digests
from bank_conformance.deciders.seals import common_runs, sealed_texts
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.copies import guessable
from bank_conformance.workloads.naming import Naming, naming
from bank_conformance.workloads.sealing import Sealing, Text, sealing

from .check import Check

NAMELESS = "ids, streams, headers and the feed hold no personal data and no digest to be guessed"
RANDOMISED = "equal texts are sealed as differently as any two"
BOUND = "a sealed text opens for its subject, field and event only"
PERSONAL = ("personal", "narrative")
"""The members of answers, but not of the feed, in which the contract puts personal data."""


def names_say_nothing(record: Naming) -> Decision:
    """SHR-7: look for values and their digests wherever the contract puts no personal data."""
    canaries: dict[str, str] = {}
    needles: list[Needle] = []
    for party in record.parties:
        whose = f" of the {party.name}"
        canaries |= {name + whose: value for name, value in party.canaries.items()}
        salts = (record.bank_name, party.customer_id, party.account_id)
        values = {name + whose: value for name, value in guessable(party.personal).items()}
        needles += digests(values, salts)
    scanner = Scanner(canaries, needles)
    events = [one for one in record.said if one.call.route == "readEvents"]
    return Decision(
        tuple(_names(record.said, scanner)),
        (
            Coverage("answers scanned", sum(one.answer is not None for one in record.said), 30),
            Coverage("pages of the feed scanned", sum(one.ok for one in events), 2),
            Coverage("events in them", sum(len(_items(one)) for one in events), 10),
            Coverage("digests looked for", len(needles)),
        ),
    )


def _names(said: Sequence[Operation], scanner: Scanner) -> Iterator[Finding]:
    for operation in said:
        for leak in scanner.scan(_names_in(operation)):
            where = f"{operation.call.method} {operation.call.route}"
            text = f"the {leak.canary} ({leak.form}) is in what {where} is answered"
            yield Finding(NAMELESS, text, (operation,))


def _names_in(operation: Operation) -> bytes:
    """Return an answer without what is personal by contract; the feed has nothing such."""
    answer = operation.answer
    if answer is None:
        return b""
    plain = answer.body if operation.call.route == "readEvents" else _impersonal(answer.body)
    text = answer.text if answer.body is None else json.dumps(plain, ensure_ascii=False)
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{headers}\n\n{text}".encode()


def _impersonal(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _impersonal(one) for name, one in body.items() if name not in PERSONAL}
    return [_impersonal(one) for one in body] if isinstance(body, list) else body


def _items(operation: Operation) -> list[Any]:
    body = operation.answer.body if operation.answer else None
    items = body.get("items") if isinstance(body, dict) else None
    return items if isinstance(items, list) else []


def seals_are_random_and_bound(record: Sealing) -> Decision:
    """SHR-8: compare the seals of equal texts, then what is shown once seals changed places."""
    lying = [text for text in _texts(record) if text in record.events]
    sealed = sum(any(sealed_texts(record.events[text].data)) for text in lying)
    before, after = _shown(record.control), _shown(record.views)
    swapped = {text for swap in record.swaps for text in (swap.one, swap.other)}
    unread = sum(bool(record.refused) or after.get(text) is None for text in swapped)
    read = sum(before.get(text) is not None for text in lying)
    return Decision(
        (*_equal_seals(record), *_misplaced(record, after)),
        (
            Coverage("texts found sealed in the feed", sealed, len(_texts(record))),
            Coverage("texts read before", read, len(_texts(record))),
            Coverage("texts that changed places", len(swapped), 6),
            Coverage("of them not shown any more", unread, 2),
        ),
        note=record.refused and f"the bank does not start on swapped seals: {record.refused}",
    )


def _texts(record: Sealing) -> list[Text]:
    return [text for one in record.people for text in (one.registration, *one.texts())]


def _equal_seals(record: Sealing) -> Iterator[Finding]:
    first, second = record.twins
    one, two, *differ = first.texts()
    equal = second.texts()[0]
    persons = [first.registration, second.registration]
    for stranger in record.strangers:
        differ += [stranger.registration, *stranger.texts()]
    for what, pair, different in (
        ("equal narratives of one customer", (one, two), differ + persons),
        ("equal narratives of two customers", (one, equal), differ + persons),
        ("equal personal data of two customers", persons, [one, two, equal, *differ]),
    ):
        sealed = [record.events[text].data for text in pair if text in record.events]
        known = [record.events[text].data for text in different if text in record.events]
        if len(sealed) == len(pair) and common_runs(sealed[0], sealed[1], known):
            places = " and ".join(f"{text.stream_id} version {text.version}" for text in pair)
            yield Finding(RANDOMISED, f"{what} are sealed alike, in {places}")


def _misplaced(record: Sealing, after: dict[Text, Any]) -> Iterator[Finding]:
    for person in record.people:
        own: dict[Text, Any] = {person.registration: dict(person.personal)}
        own |= dict(zip(person.texts(), person.narratives.values(), strict=True))
        for text, value in own.items():
            shown = after.get(text)
            if shown is not None and shown != value:
                swap = next((one for one in record.swaps if text in (one.one, one.other)), None)
                why = f"the seal of {swap.what} lies there" if swap else "no seal was put there"
                views = tuple(view for view in record.views if text.stream_id in view.call.url)
                place = f"{text.stream_id} version {text.version}"
                yield Finding(BOUND, f"{place} shows another text than its own: {why}", views)


def _shown(views: Sequence[Operation]) -> dict[Text, Any]:
    """Return what the answers show in the place of each text."""
    found: dict[Text, Any] = {}
    for view in views:
        body = view.answer.body if view.ok and view.answer else None
        if not isinstance(body, dict):
            continue
        if view.call.route == "getCustomer":
            found[Text(str(body.get("customer_id")), 1)] = body.get("personal")
        for item in _items(view):
            found[Text(item["account_id"], item["version"])] = item.get("narrative")
    return found


CHECKS = (
    Check("SHR-7", naming, names_say_nothing, needs=("feed",)),
    Check(
        "SHR-8",
        sealing,
        seals_are_random_and_bound,
        needs=("feed",),
        hooks=("stop", "start", "mutate", "backup", "restore"),
    ),
)
