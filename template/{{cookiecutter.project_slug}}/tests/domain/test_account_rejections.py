"""What an account refuses, and which refusal comes first when there are several reasons.

In each block, a row mends one thing of the row above and leaves the rest wrong: so it shows which
rule speaks next, and a rule that moves up or down turns its row red. A block ends with what
passes. Amounts are in cents; `max` is the largest single amount.

The accounts: `active` has 100 booked, 30 held as h1, 10 held as h2 (which has expired) and 10 as
h3 (which will), so 50 are available. `frozen`, `no-debit`, `no-credit` and `dormant` are the same
account, blocked. `crowded` has as many holds as may be, `full` the largest balance, `overdrawn`
is at -20 with a credit line of 50, `empty` has nothing.
"""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from ourbank.domain import account as domain
from ourbank.domain.account import (
    AMOUNT_MINOR_MAX,
    BALANCE_MINOR_MAX,
    HOLDS_MAX,
    Account,
    Command,
)
from ourbank.domain.entry import PostEntry
from ourbank.domain.hold import (
    CaptureHold,
    ExpireHold,
    Hold,
    PlaceHold,
    ReleaseHold,
)
from ourbank.domain.lifecycle import (
    AccountClosed,
    AccountFrozen,
    AccountMarkedDormant,
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

from tests.bdd import Decider
from tests.domain.samples import (
    ACCOUNT,
    CUSTOMER,
    DEPOSIT,
    NOW,
    TODAY,
    WITHDRAWAL,
    at,
    credited,
    debited,
    funded,
    held,
    opened,
)

TABLE = """
account     command       amount  currency  answer

none        withdraw           0  USD       account-not-found
closed      withdraw           0  USD       account-closed
frozen      withdraw           0  USD       invalid-amount
frozen      withdraw          -1  USD       invalid-amount
frozen      withdraw       max+1  USD       above-maximum
frozen      withdraw         max  USD       currency-mismatch
frozen      withdraw         max  EUR       account-blocked
no-debit    withdraw         max  EUR       account-blocked
dormant     withdraw         max  EUR       account-blocked
no-credit   withdraw         max  EUR       insufficient-funds
active      withdraw          51  EUR       insufficient-funds
overdrawn   withdraw          31  EUR       insufficient-funds
active      withdraw          50  EUR       passes
no-credit   withdraw          50  EUR       passes
overdrawn   withdraw          30  EUR       passes

none        deposit            0  USD       account-not-found
closed      deposit            0  USD       account-closed
frozen      deposit            0  USD       invalid-amount
frozen      deposit        max+1  USD       above-maximum
frozen      deposit          max  USD       currency-mismatch
frozen      deposit          max  EUR       account-blocked
no-credit   deposit          max  EUR       account-blocked
full        deposit            1  EUR       above-maximum
active      deposit          max  EUR       passes
no-debit    deposit          max  EUR       passes
dormant     deposit          max  EUR       passes

none        hold h9            0  USD       account-not-found
closed      hold h9            0  USD       account-closed
frozen      hold h9            0  USD       invalid-amount
frozen      hold h9        max+1  USD       above-maximum
frozen      hold h9          max  USD       currency-mismatch
frozen      hold h1          max  EUR       account-blocked
no-debit    hold h1          max  EUR       account-blocked
dormant     hold h1          max  EUR       account-blocked
crowded     hold h1          max  EUR       nothing
crowded     hold h9          max  EUR       limit-exceeded
active      hold h9           51  EUR       insufficient-funds
active      hold h9           50  EUR       passes
no-credit   hold h9           50  EUR       passes

none        capture h9         0  USD       account-not-found
closed      capture h9         0  USD       account-closed
frozen      capture h9         0  USD       invalid-amount
frozen      capture h9     max+1  USD       above-maximum
frozen      capture h9       max  USD       currency-mismatch
frozen      capture h9       max  EUR       hold-ended
frozen      capture h2       max  EUR       hold-ended
frozen      capture h1       max  EUR       capture-exceeds-hold
active      capture h1        31  EUR       capture-exceeds-hold
active      capture h1        30  EUR       passes
frozen      capture h1        30  EUR       passes
dormant     capture h1        30  EUR       passes
active      capture h3         1  EUR       passes

none        release h1         .  .         account-not-found
closed      release h1         .  .         hold-ended
active      release h9         .  .         hold-ended
frozen      release h1         .  .         passes
active      release h2         .  .         passes

none        expire h1          .  .         account-not-found
closed      expire h1          .  .         hold-ended
active      expire h9          .  .         hold-ended
active      expire h1          .  .         hold-not-due
active      expire h3          .  .         hold-not-due
frozen      expire h2          .  .         passes

none        credit-line        0  .         account-not-found
closed      credit-line       50  .         account-closed
overdrawn   credit-line       50  .         nothing
overdrawn   credit-line       19  .         credit-line-in-use
overdrawn   credit-line       20  .         passes
frozen      credit-line      max  .         passes

none        freeze ALL         .  .         account-not-found
closed      freeze ALL         .  .         account-closed
dormant     freeze ALL         .  .         account-blocked
frozen      freeze ALL         .  .         nothing
frozen      freeze DEBIT       .  .         passes
active      freeze CREDIT      .  .         passes

none        unfreeze           .  .         account-not-found
closed      unfreeze           .  .         account-closed
dormant     unfreeze           .  .         account-blocked
active      unfreeze           .  .         nothing
no-debit    unfreeze           .  .         passes

none        dormant            .  .         account-not-found
closed      dormant            .  .         account-closed
no-credit   dormant            .  .         account-blocked
dormant     dormant            .  .         nothing
active      dormant            .  .         passes

none        reactivate         .  .         account-not-found
closed      reactivate         .  .         account-closed
frozen      reactivate         .  .         account-blocked
active      reactivate         .  .         nothing
dormant     reactivate         .  .         passes

none        close              .  .         account-not-found
closed      close              .  .         nothing
active      close              .  .         holds-active
overdrawn   close              .  .         balance-not-zero
full        close              .  .         balance-not-zero
empty       close              .  .         passes

active      open               .  .         account-exists
closed      open               .  .         account-exists
none        open               .  .         passes
"""
HEADING, *ROWS = (line for line in TABLE.splitlines() if line)

fold = Decider(domain.decide, domain.evolve).fold
ACTIVE = (*funded(100), held("h1", 30), held("h2", 10, at(59)), held("h3", 10, at(61)))


def crowded() -> Account:
    account = fold(ACTIVE)
    assert account is not None
    others = {f"h{n}": Hold(0, None) for n in range(100, 97 + HOLDS_MAX)}
    return replace(account, holds={**account.holds, **others})


ACCOUNTS: dict[str, Account | None] = {
    "none": None,
    "active": fold(ACTIVE),
    "frozen": fold([*ACTIVE, AccountFrozen(FreezeScope.ALL, NOW)]),
    "no-debit": fold([*ACTIVE, AccountFrozen(FreezeScope.DEBIT, NOW)]),
    "no-credit": fold([*ACTIVE, AccountFrozen(FreezeScope.CREDIT, NOW)]),
    "dormant": fold([*ACTIVE, AccountMarkedDormant(NOW)]),
    "crowded": crowded(),
    "full": fold([opened(), credited(1, 1, BALANCE_MINOR_MAX)]),
    "overdrawn": fold([opened(50), debited(20, 1, -20)]),
    "empty": fold([opened()]),
    "closed": fold([opened(), AccountClosed(NOW)]),
}

COMMANDS: dict[str, Callable[[str, int, str], Command]] = {
    "withdraw": lambda _, amount, currency: PostEntry(WITHDRAWAL, amount, currency, TODAY, NOW),
    "deposit": lambda _, amount, currency: PostEntry(DEPOSIT, amount, currency, TODAY, NOW),
    "hold": lambda name, amount, currency: PlaceHold(name, amount, currency, None, NOW),
    "capture": lambda name, amount, currency: CaptureHold(name, amount, currency, TODAY, NOW),
    "release": lambda name, *_: ReleaseHold(name, NOW),
    "expire": lambda name, *_: ExpireHold(name, NOW),
    "credit-line": lambda _, amount, __: SetCreditLine(amount, NOW),
    "freeze": lambda scope, *_: FreezeAccount(FreezeScope(scope), NOW),
    "unfreeze": lambda *_: UnfreezeAccount(NOW),
    "dormant": lambda *_: MarkAccountDormant(NOW),
    "reactivate": lambda *_: ReactivateAccount(NOW),
    "close": lambda *_: CloseAccount(NOW),
    "open": lambda *_: OpenAccount(ACCOUNT, CUSTOMER, "EUR", 0, NOW),
}


AMOUNTS = {".": 0, "max": AMOUNT_MINOR_MAX, "max+1": AMOUNT_MINOR_MAX + 1}


def amount_of(text: str) -> int:
    return AMOUNTS[text] if text in AMOUNTS else int(text)


def answer(decision: object) -> str:
    if isinstance(decision, Rejection):
        return decision.code
    return "passes" if decision else "nothing"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r" +", " ", row))
def test_the_table(row: str) -> None:
    account, command, amount, currency, expected = re.split(r"  +", row)
    name, _, argument = command.partition(" ")
    asked = COMMANDS[name](argument, amount_of(amount), currency)
    assert answer(domain.decide(asked, ACCOUNTS[account])) == expected


def test_every_command_and_every_account_is_in_the_table() -> None:
    used = [re.split(r"  +", row) for row in ROWS]
    assert {command.split(" ")[0] for _, command, *_ in used} == set(COMMANDS)
    assert {account for account, *_ in used} == set(ACCOUNTS)
    asked = {type(make("ALL", 1, "EUR")) for make in COMMANDS.values()}
    assert asked == set(Command.__args__)
