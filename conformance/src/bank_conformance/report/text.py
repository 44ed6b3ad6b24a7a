"""What was found, as plain lines: for a terminal, and for whoever prints to one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FINDINGS_SHOWN, CALLS_SHOWN = 3, 8


def lines(requirement: dict[str, Any]) -> Iterator[str]:
    """Return the findings of one requirement of a document, and how to see them again."""
    for finding in requirement["findings"][:FINDINGS_SHOWN]:
        yield f"expected  {finding['expectation']}"
        yield f"found     {finding['evidence']}"
        for call in finding["history"][:CALLS_SHOWN]:
            yield f"          {_call(call)}"
        if (more := len(finding["history"]) - CALLS_SHOWN) > 0:
            yield f"          and {more} more"
    if (more := requirement["findings_count"] - FINDINGS_SHOWN) > 0:
        yield f"and {more} more"
    yield f"reproduce {requirement['reproduce']}"


def _call(call: dict[str, Any]) -> str:
    interval = f"[{call['invoked_ms']:.1f} to {call['completed_ms']:.1f} ms]"
    asked, told = (f" ({text})" if text else "" for text in (call["asked"], call["told"]))
    answer = f"{call['status'] or 'no answer'}{told}"
    return f"{interval} {call['principal']}: {call['request']}{asked} → {answer}"
