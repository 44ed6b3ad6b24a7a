"""What can go wrong, and whether it did: a fault that never happened has proved nothing.

A fault is armed at its time. Some then happen at once, others at the next occasion, or the one
after: the n-th call of a process to the database, say. `sometimes` counts what really happened.
"""

from collections import Counter, defaultdict
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """The faults. `seconds` and `count` of a Fault mean what the comment says."""

    # of a process; `count` is after how many of its callbacks, `seconds` until it is back
    CRASH = "crash"
    CRASH_AT_COMMIT = "crash at commit"  # when its `count`-th append is done, before it hears so
    PAUSE = "pause"  # stopped for `seconds`, and then it goes on as if nothing were
    CLOCK_JUMP = "clock jump"  # its wall clock is `seconds` off from now on
    POISON = "poison event"  # a read model cannot fold the event of its `count`-th row

    # of the database; occasions are counted where there is a `count`
    DATABASE_CRASH = "database crash"  # away for `seconds`; what was not flushed is lost
    DATABASE_CRASH_AFTER_PAGE = "database crash after a page"  # after the `count`-th of read models
    CONNECTION_LOST = "connection lost"  # before the server heard anything
    ANSWER_LOST = "answer lost after commit"
    ROLLED_BACK = "rolled back"  # an append that had its positions already
    SLOW_COMMIT = "slow commit"  # `seconds` between insert and commit, under the lock
    SLOW_PROJECTOR = "slow projector"  # `seconds` before a page of read models is written
    LEASE_STOLEN = "lease stolen"  # another may claim the partition while its owner works on it
    PARTITION_LOCKED = "partition locked"  # somebody else's transaction has it, for `seconds`
    PARTITION_AWAY = "partition away"  # for `seconds` nothing is appended to it: its disk is full

    # of the key service
    CRASH_AT_KEYS = "crash at the key service"  # as at a commit, of its `count`-th change there
    KEYS_AWAY = "key service away"  # for `seconds`
    KEYS_SLOW = "key service slow"  # for `seconds`; each call takes as long as a hundred

    # between the clients and the bank; the `count`-th request
    DELIVERED_TWICE = "delivered twice"  # the second time `seconds` later, maybe elsewhere
    REORDERED = "reordered"  # delivered `seconds` late, so that later ones overtake it
    RESPONSE_LOST = "response lost"
    REQUEST_CANCELLED = "request cancelled"  # the client leaves after `seconds`


PER_PROCESS = frozenset(
    {
        Kind.CRASH_AT_COMMIT,
        Kind.CRASH_AT_KEYS,
        Kind.POISON,
        Kind.CONNECTION_LOST,
        Kind.ANSWER_LOST,
        Kind.SLOW_PROJECTOR,
    }
)
"""The faults whose occasions are counted for each process by itself."""


class Fault(msgspec.Struct, frozen=True):
    """One thing that goes wrong. `process` names one where that matters."""

    at: float
    kind: Kind
    process: int = 0
    seconds: float = 0.0
    count: int = 0


class Faults:
    """The faults that are armed, and those that happened."""

    def __init__(self) -> None:
        self.sometimes: Counter[str] = Counter()
        self._armed: dict[tuple[Kind, int], list[list[Fault | int]]] = defaultdict(list)
        self._nothing = True

    def arm(self, fault: Fault) -> None:
        """Let it happen at its occasion."""
        self._nothing = False
        process = fault.process if fault.kind in PER_PROCESS else 0
        self._armed[fault.kind, process].append([fault, fault.count])

    def disarm(self) -> None:
        """Nothing more goes wrong."""
        self._nothing = True
        self._armed.clear()

    def happened(self, kind: Kind) -> None:
        """It did."""
        self.sometimes[kind] += 1

    def due(self, kind: Kind, process: int = 0) -> Fault | None:
        """One more occasion: the fault that happens now, if one does."""
        if self._nothing or not (waiting := self._armed.get((kind, process))):
            return None
        for place, one in enumerate(waiting):
            fault, left = one
            if isinstance(fault, Fault) and isinstance(left, int):
                if left <= 0:
                    del waiting[place]
                    self.happened(kind)
                    return fault
                one[1] = left - 1
        return None
