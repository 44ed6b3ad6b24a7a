"""What the golden files decode to, by the name of the file.

`Type.vN` has every field set, `Type.vN.minimal` only what it must have. Entries stay for ever: when
a shape changes, the old entry says what its bytes are upcast to, and a new one is added.
"""

from datetime import UTC, date, datetime
from typing import Any

from ourbank.domain.customer import (
    CustomerRegistered,
    LegalHoldLifted,
    LegalHoldSet,
    PersonalDataErased,
)
from ourbank.domain.entry import FundsCredited, FundsDebited
from ourbank.domain.hold import (
    HoldExpired,
    HoldPlaced,
    HoldReleased,
)
from ourbank.domain.ledger import TransactionCode
from ourbank.domain.lifecycle import (
    AccountClosed,
    AccountFrozen,
    AccountMarkedDormant,
    AccountOpened,
    AccountReactivated,
    AccountUnfrozen,
    CreditLineSet,
    FreezeScope,
)
from ourbank.domain.transfer import (
    TransferCancelled,
    TransferCompensationStarted,
    TransferCompleted,
    TransferExpired,
    TransferFailed,
    TransferRejected,
    TransferRequested,
    TransferReversalAbandoned,
    TransferReversed,
)

AT = datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=UTC)
LATER = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
DAY = date(2026, 2, 27)
ACC_1 = "acc_019caddc1f0070008000000000000001"
ACC_2 = "acc_019caddc1f0070008000000000000002"
CUS_1 = "cus_019caddc1f0070008000000000000003"
HLD_1 = "hld_019caddc1f0070008000000000000001"
TRF_1 = "trf_019caddc1f0070008000000000000001"
TRF_2 = "trf_019caddc1f0070009000000000000001"
SEALED = "s1.AAAAAAAAAAAAAAAA.c2VhbGVk"

EXAMPLES: dict[str, Any] = {
    "AccountOpened.v1": AccountOpened(ACC_1, CUS_1, "EUR", 50_000, AT),
    "CreditLineSet.v1": CreditLineSet(75_000, AT),
    "AccountFrozen.v1": AccountFrozen(FreezeScope.DEBIT, AT),
    "AccountUnfrozen.v1": AccountUnfrozen(AT),
    "AccountMarkedDormant.v1": AccountMarkedDormant(AT),
    "AccountReactivated.v1": AccountReactivated(AT),
    "AccountClosed.v1": AccountClosed(AT),
    "HoldPlaced.v1": HoldPlaced(HLD_1, 4_000, "EUR", LATER, AT),
    "HoldPlaced.v1.minimal": HoldPlaced(TRF_1, 4_000, "EUR", None, AT),
    "HoldReleased.v1": HoldReleased(HLD_1, 1_500, AT),
    "HoldExpired.v1": HoldExpired(HLD_1, 1_500, AT),
    "FundsCredited.v1": FundsCredited(
        account_id=ACC_2,
        sequence=7,
        code=TransactionCode.INCOMING_PAYMENT,
        amount_minor=4_000,
        currency="EUR",
        balance_after_minor=-1_000,
        booking_time=AT,
        value_date=DAY,
        transfer_id=TRF_1,
        counterparty="DE02120300000000202051",
        counterparty_bank="BYLADEM1001",
        narrative=SEALED,
        reference="ent_019caddc1f0070008000000000000002",
    ),
    "FundsCredited.v1.minimal": FundsCredited(
        ACC_2, 1, TransactionCode.INTEREST, 1, "JPY", 9_000_000_000_000_000_000, AT, DAY
    ),
    "FundsDebited.v1": FundsDebited(
        account_id=ACC_1,
        sequence=8,
        code=TransactionCode.TRANSFER_OUT,
        amount_minor=4_000,
        currency="EUR",
        balance_after_minor=-5_000,
        booking_time=AT,
        value_date=DAY,
        transfer_id=TRF_1,
        hold_id=TRF_1,
        counterparty=ACC_2,
        counterparty_bank="BYLADEM1001",
        narrative=SEALED,
        reference="ent_019caddc1f0070008000000000000001",
    ),
    "FundsDebited.v1.minimal": FundsDebited(ACC_1, 1, TransactionCode.FEE, 1, "BHD", 0, AT, DAY),
    "CustomerRegistered.v1": CustomerRegistered(CUS_1, SEALED, AT),
    "PersonalDataErased.v1": PersonalDataErased("receipt", AT),
    "LegalHoldSet.v1": LegalHoldSet(DAY, AT),
    "LegalHoldLifted.v1": LegalHoldLifted(AT),
    "TransferRequested.v1": TransferRequested(
        transfer_id=TRF_2,
        source_account_id=ACC_1,
        target_account_id=ACC_2,
        amount_minor=4_000,
        currency="EUR",
        value_date=DAY,
        requested_at=AT,
        reserved=True,
        payer_narrative=SEALED,
        payee_narrative=SEALED,
        reverses=TRF_1,
    ),
    "TransferRequested.v1.minimal": TransferRequested(
        TRF_1, ACC_1, ACC_2, 4_000, "EUR", DAY, AT, reserved=False
    ),
    "TransferCompleted.v1": TransferCompleted(AT),
    "TransferRejected.v1": TransferRejected("insufficient-funds", "not enough: 4 < 5", AT),
    "TransferCompensationStarted.v1": TransferCompensationStarted("settlement-timeout", AT),
    "TransferFailed.v1": TransferFailed("creditor-account-closed", AT),
    "TransferCancelled.v1": TransferCancelled(AT),
    "TransferExpired.v1": TransferExpired(AT),
    "TransferReversed.v1": TransferReversed(TRF_2, AT),
    "TransferReversalAbandoned.v1": TransferReversalAbandoned(TRF_2, AT),
}
