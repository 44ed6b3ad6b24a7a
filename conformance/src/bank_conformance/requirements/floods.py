"""SEC-4: hostile bodies are bounded in size and in time, and others are served meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from bank_conformance.history import BAD_REQUEST, SERVER_ERROR
from bank_conformance.verdict import Coverage, Decision, Finding, Samples
from bank_conformance.workloads.floods import KINDS, Flood, Floods, floods

from .check import Check

BOUNDED = "a hostile request is answered with a 4xx, or cut, within the bound"
NOT_TAKEN_IN = "what is far too large is refused before the bank has taken it in"
OTHERS_SERVED = "meanwhile others are answered as ever"
SLACK_BYTES = 16 << 20
"""What the network and the system hold between the suite and the bank."""

TRY_LATER = 503
"""The one 5xx that is a bound: the bank says that it has enough to do."""


def bounded_and_serving(record: Floods) -> Decision:
    """SEC-4: the end of every hostile request, and every answer that others were given."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for flood in record.floods:
        for one in _judge(flood, record):
            alike.setdefault((flood.kind.what, one.expectation), []).append(one)
    findings = [*map(_together, alike.values()), *_starved(record)]
    ended = [flood for flood in record.floods if flood.ending.answer or flood.ending.cut]
    times = tuple(1000 * (one.completed - one.invoked) for one in record.ordinary if one.ok)
    control = record.control.operation
    return Decision(
        tuple(findings),
        (
            Coverage("hostile requests", len(record.floods), sum(kind.at_once for kind in KINDS)),
            Coverage("that came to an end", len(ended)),
            Coverage("ordinary calls meanwhile", len(record.ordinary), 30),
        ),
        doubt="" if control.ok else f"a good request that is sent by hand is refused: {control}",
        samples=Samples("ordinary calls meanwhile", times, record.request_ms),
    )


def _judge(flood: Flood, record: Floods) -> Iterator[Finding]:
    operation, ending, text = flood.operation, flood.ending, f"{flood.kind.what}: {flood.operation}"
    if not operation.answer and not ending.cut:
        bound = f"the bound is {record.seconds_max:.0f} s ([limits] slow_request_seconds)"
        yield Finding(BOUNDED, f"{text}; {bound}", (operation,))
    elif operation.answer and not _refused(operation.status):
        yield Finding(BOUNDED, text, (operation,))
    if flood.kind.large and ending.sent_bytes > record.bytes_max + SLACK_BYTES:
        bound = f"the bound is {record.bytes_max:,} ([limits] body_bytes_max)"
        taken = f"{text}: it took in {ending.sent_bytes:,} bytes; {bound}"
        yield Finding(NOT_TAKEN_IN, taken, (operation,))


def _together(alike: list[Finding]) -> Finding:
    """Return one finding for what several requests of one kind show."""
    calls = tuple(operation for one in alike for operation in one.operations)
    more = f" (and {len(alike) - 1} more like it)" if len(alike) > 1 else ""
    return Finding(alike[0].expectation, alike[0].evidence + more, calls)


def _refused(status: int) -> bool:
    return BAD_REQUEST <= status < SERVER_ERROR or status == TRY_LATER


def _starved(record: Floods) -> Iterator[Finding]:
    later = [record.later] if record.later else []
    for operation in [*record.ordinary, *later]:
        if not operation.ok:
            yield Finding(OTHERS_SERVED, str(operation), (operation,))


CHECKS = (Check("SEC-4", floods, bounded_and_serving),)
