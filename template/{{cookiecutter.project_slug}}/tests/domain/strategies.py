"""Anything that could be asked of an account, in any order, sane or not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ourbank.domain import account as domain
from ourbank.domain.account import Account, Command
from ourbank.domain.entry import PostEntry
from ourbank.domain.hold import (
    CaptureHold,
    ExpireHold,
    PlaceHold,
    ReleaseHold,
)
from ourbank.domain.ledger import (
    BOOKINGS,
    Direction,
    TransactionCode,
)
from ourbank.domain.lifecycle import (
    CloseAccount,
    FreezeAccount,
    FreezeScope,
    MarkAccountDormant,
    OpenAccount,
    ReactivateAccount,
    SetCreditLine,
    UnfreezeAccount,
)
from ourbank.domain.rejection import Rejection

from tests.domain.samples import ACCOUNT, CUSTOMER, EUR, TODAY, at, deposit

T = TypeVar("T")

AMOUNTS = [*[10, 20, 30, 40, 50] * 4, 1, 7, 100, 0, domain.AMOUNT_MINOR_MAX + 1]
CURRENCIES = [EUR] * 15 + ["USD"]
HOLDS = ["hld_1", "hld_2", "trf_1"]
LINES = [0, 20, 50]
MINUTES = [30, 31, 29, 35, 45, 0, -5]
CREDITS, DEBITS = (
    [code for code in TransactionCode if BOOKINGS[code].direction is direction]
    for direction in Direction
)


class Picks:
    """Choices read off one number: drawing a number is much cheaper than drawing each field."""

    MAX = 1 << 24

    def __init__(self, number: int) -> None:
        self._rest = number

    def of(self, options: Sequence[T]) -> T:
        """One of them."""
        self._rest, index = divmod(self._rest, len(options))
        return options[index]


def _posting(pick: Picks, now: datetime) -> Command:
    code = pick.of(pick.of([CREDITS, DEBITS]))
    return PostEntry(code, pick.of(AMOUNTS), pick.of(CURRENCIES), TODAY, now)


def _placing(pick: Picks, now: datetime) -> Command:
    expires_at = pick.of([None] * 9 + [at(minutes) for minutes in MINUTES])
    return PlaceHold(pick.of(HOLDS), pick.of(AMOUNTS), pick.of(CURRENCIES), expires_at, now)


def _capture(pick: Picks, now: datetime) -> Command:
    hold_id, amount_minor, final = pick.of(HOLDS), pick.of(AMOUNTS), pick.of([False, True])
    return CaptureHold(hold_id, amount_minor, pick.of(CURRENCIES), TODAY, now, final=final)


Maker = Callable[[Picks, datetime], Command]
OFTEN: list[Maker] = [_posting, _placing, _posting, _placing, _capture]
SOMETIMES: list[Maker] = [
    lambda pick, now: ReleaseHold(pick.of(HOLDS), now),
    lambda pick, now: ExpireHold(pick.of(HOLDS), now),
    lambda pick, now: SetCreditLine(pick.of(LINES), now),
    lambda _, now: UnfreezeAccount(now),
    lambda _, now: ReactivateAccount(now),
]
SELDOM: list[Maker] = [  # after these little else can happen
    lambda pick, now: FreezeAccount(pick.of(list(FreezeScope)), now),
    lambda _, now: MarkAccountDormant(now),
    lambda _, now: CloseAccount(now),
]
MAKERS = OFTEN * 8 + SOMETIMES * 2 + SELDOM


def command(number: int) -> Command:
    """Every number is a command."""
    pick = Picks(number)
    return pick.of(MAKERS)(pick, at(pick.of(MINUTES)))


def histories() -> SearchStrategy[list[Command]]:
    """An opening, some money, and what is asked afterwards."""
    first: list[Command] = [
        OpenAccount(ACCOUNT, CUSTOMER, EUR, 0, at(0)),
        deposit(40, at(0)),
    ]
    numbers = st.lists(st.integers(0, Picks.MAX - 1), min_size=15, max_size=35)
    return numbers.map(lambda asked: first + [command(number) for number in asked])


@dataclass(frozen=True)
class Move:
    """One command, and the account before and after it."""

    before: Account | None
    command: Command
    decision: Sequence[domain.Event] | Rejection
    after: Account | None

    @property
    def events(self) -> Sequence[domain.Event]:
        return [] if isinstance(self.decision, Rejection) else self.decision


def moves(history: Sequence[Command]) -> Iterator[Move]:
    """The commands played one after the other."""
    account = domain.initial
    for command in history:
        before, decision = account, domain.decide(command, account)
        for event in [] if isinstance(decision, Rejection) else decision:
            account = domain.evolve(account, event)
        yield Move(before, command, decision, account)


def events_of(history: Sequence[Command]) -> list[domain.Event]:
    """All that is recorded when these are asked."""
    return [event for move in moves(history) for event in move.events]
