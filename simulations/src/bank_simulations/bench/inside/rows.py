"""The rows of an append, the same for every store: what one transfer writes, five at a time."""

from __future__ import annotations

from typing import NamedTuple

EVENTS_PER_STREAM = 5
SCHEMA_VERSION = 1
TYPES = (
    "TransferRequested",
    "HoldPlaced",
    "FundsCredited",
    "FundsDebited",
    "TransferCompleted",
)
META = '{"actor":"benchmark","trace_id":""}'
DATA = (
    '{"hold_id":"trf_019aaf3e5b7a7c31b2d9f1e4a6088001","amount_minor":417,"currency":"EUR",'
    '"value_date":"2026-01-05","booking_date":"2026-01-05","code":"ICDT",'
    '"counterparty_account_id":"acc_019aaf3e5b7a7c31b2d9f1e4a6080001","balance_after":999583}'
)


class Row(NamedTuple):
    """An event about to be appended."""

    stream_id: str
    version: int
    type: str
    schema_version: int
    meta: str
    data: str


class Rows:
    """New rows without end; `worker` tells the streams of concurrent writers apart."""

    def __init__(self, seed: int, worker: int) -> None:
        self._prefix = f"trf_{seed & 0xFFFFFFFF:08x}{worker:04x}"
        self._slot = f"{worker & 0xFFFF:04x}"
        self._count = 0

    def next(self, size: int) -> list[Row]:
        """The next `size` rows; a stream goes on where the batch before it ended."""
        first, self._count = self._count, self._count + size
        return [self._row(number) for number in range(first, first + size)]

    def _row(self, number: int) -> Row:
        stream, version = divmod(number, EVENTS_PER_STREAM)
        stream_id = f"{self._prefix}{stream:016x}{self._slot}"
        return Row(stream_id, version + 1, TYPES[version], SCHEMA_VERSION, META, DATA)
