"""The list of transfers says what each transfer says of itself."""

from dataclasses import replace

import pytest

from ourbank.domain import transfer as domain
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
from ourbank.readmodels.transfers import TRANSFERS, TransferRow

from tests.domain.samples import EUR, NOW, TODAY, at
from tests.readmodels.story import recorded, rows

REQUESTED = TransferRequested(
    "trf_1", "acc_1", "acc_2", 40, EUR, TODAY, NOW, True, "for the payer", "for the payee", "trf_0"
)
COMPENSATING = TransferCompensationStarted("account-closed", NOW)


def row(*events: domain.Event) -> TransferRow:
    found = rows(TRANSFERS, recorded("trf_1", events))
    assert list(found) == [("trf_1",)]
    transfer: TransferRow = found["trf_1",]
    return transfer


def test_a_requested_transfer_stands_in_the_list() -> None:
    assert row(REQUESTED) == TransferRow(
        transfer_id="trf_1",
        source_account_id="acc_1",
        target_account_id="acc_2",
        amount_minor=40,
        currency=EUR,
        value_date=TODAY,
        requested_at=NOW,
        status="RESERVED",
        payer_narrative="for the payer",
        payee_narrative="for the payee",
        reverses="trf_0",
        reversed_by=None,
        code=None,
        ended_at=None,
        version=1,
    )


@pytest.mark.parametrize(
    ("events", "status", "code", "ended"),
    [
        ([COMPENSATING], "COMPENSATING", "account-closed", False),
        ([TransferCompleted(at(70))], "COMPLETED", None, True),
        ([COMPENSATING, TransferCompleted(at(70))], "COMPLETED", None, True),
        ([COMPENSATING, TransferFailed("x", at(70))], "FAILED", "x", True),
        ([TransferCompensationStarted("cancelled", NOW)], "COMPENSATING", "cancelled", False),
        ([TransferCancelled(at(70))], "CANCELLED", None, True),
        ([TransferExpired(at(70))], "EXPIRED", None, True),
    ],
)
def test_how_it_stands(
    events: list[domain.Event], status: str, code: str | None, ended: bool
) -> None:
    found = row(REQUESTED, *events)
    assert (found.status, found.code) == (status, code)
    assert found.ended_at == (at(70) if ended else None)
    assert found.version == 1 + len(events)


def test_a_rejected_one_never_was_reserved() -> None:
    refused = TransferRejected("insufficient-funds", "not enough", NOW)
    found = row(replace(REQUESTED, reserved=False), refused)
    assert (found.status, found.code, found.ended_at) == ("REJECTED", "insufficient-funds", NOW)


def test_it_names_the_transfer_that_reverses_it_until_that_gives_up() -> None:
    reversed_: list[domain.Event] = [
        REQUESTED,
        TransferCompleted(NOW),
        TransferReversed("trf_2", NOW),
    ]
    assert (row(*reversed_).reversed_by, row(*reversed_).status) == ("trf_2", "COMPLETED")
    assert row(*reversed_, TransferReversalAbandoned("trf_2", NOW)).reversed_by is None


def test_an_event_before_the_request_is_an_error_that_parks_the_transfer() -> None:
    with pytest.raises(ValueError, match="TransferCompleted before TransferRequested"):
        row(TransferCompleted(NOW))
