"""What was asked of the bank and what it answered: the record every verdict is reached from.

Times are seconds of one monotonic clock, read just before a request is sent and just after its
answer was read. A write without a clear answer is INFO: it may have happened, now or later, and no
decider may take it for a failure.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

INFO_STATUS = 408
"""Request Timeout: the one 4xx that does not say that nothing happened."""

BAD_REQUEST, SERVER_ERROR = 400, 500


now = time.monotonic
"""The clock of every history: monotonic seconds."""


class Outcome(StrEnum):
    """What an answer says about the effect of a call."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it was sent, without the token: the principal is a label."""

    route: str
    method: str
    url: str
    principal: str
    key: str | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as it was read; `body` is its JSON, None when it has none."""

    status: int
    headers: Mapping[str, str]
    text: str
    body: Any

    @property
    def code(self) -> str:
        """The problem's stable code, empty where there is none."""
        refused = self.status >= BAD_REQUEST and isinstance(self.body, dict)
        return str(self.body.get("code", "")) if refused else ""

    @property
    def etag_version(self) -> int | None:
        """The aggregate version named by the ETag, None where there is none."""
        digits = self.headers.get("etag", "").removeprefix("W/").strip('"')
        return int(digits) if digits.isascii() and digits.isdigit() else None


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that went over the wire for a call, where the bank has another shape."""

    method: str
    url: str
    body: Any
    status: int
    """What it was answered, 0 for nothing."""

    def __str__(self) -> str:
        """Put it on one line."""
        return f"{self.method} {self.url} → {self.status or 'no answer'}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call with its interval: it took effect, if at all, between `invoked` and `completed`."""

    index: int
    session: str
    call: Call
    invoked: float
    completed: float
    outcome: Outcome
    answer: Answer | None
    error: str = ""
    sent: tuple[Sent, ...] = ()
    """What went over the wire, where that is not the call itself."""

    @property
    def ok(self) -> bool:
        """Whether the bank said that it was done."""
        return self.outcome is Outcome.OK

    @property
    def status(self) -> int:
        """The HTTP status, 0 when there was no answer."""
        return self.answer.status if self.answer else 0

    @property
    def code(self) -> str:
        """The problem's code, empty where there is none."""
        return self.answer.code if self.answer else ""

    @property
    def replayed(self) -> bool:
        """Whether the answer says that it was given before, under the same key."""
        headers = self.answer.headers if self.answer else {}
        return headers.get("idempotency-replayed", "").lower() == "true"

    def __str__(self) -> str:
        """Put the call and its answer on one line."""
        answer = f"{self.status} {self.code}".strip() if self.answer else self.error
        return f"{self.call.method} {self.call.url} → {answer}"


def outcome_of(method: str, status: int) -> Outcome:
    """Say what a status means for the effect of a call (status 0: no answer)."""
    if BAD_REQUEST > status >= 200:  # noqa: PLR2004  the 2xx and 3xx answers
        return Outcome.OK if status < 300 else Outcome.FAIL  # noqa: PLR2004
    unclear = status < BAD_REQUEST or status >= SERVER_ERROR or status == INFO_STATUS
    return Outcome.INFO if unclear and method != "GET" else Outcome.FAIL


@dataclass(slots=True)
class History:
    """The calls of one workload, in the order in which they were answered."""

    name: str
    operations: list[Operation] = field(default_factory=list)
    started: float = field(default_factory=now)

    def __iter__(self) -> Iterator[Operation]:
        """Iterate over the operations."""
        return iter(self.operations)

    def __len__(self) -> int:
        """Count the operations."""
        return len(self.operations)

    def __getitem__(self, index: int) -> Operation:
        """Return the operation recorded under `index`."""
        return self.operations[index]

    def append(
        self,
        session: str,
        call: Call,
        invoked: float,
        answer: Answer | None,
        error: str = "",
        *,
        sent: tuple[Sent, ...] = (),
    ) -> Operation:
        """Record a call that was just answered, or given up."""
        status = answer.status if answer else 0
        outcome = outcome_of(call.method, status)
        index = len(self.operations)
        operation = Operation(index, session, call, invoked, now(), outcome, answer, error, sent)
        self.operations.append(operation)
        return operation


def parse_json(text: str) -> Any:
    """Return the JSON in `text`, None when it is not JSON, or nested deeper than any answer is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
