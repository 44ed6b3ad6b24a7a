"""The log's contract, on both adapters."""

from .log_contract import AppendContract, OutcomeContract, ReadContract
from .log_contract_writers import KeyRaceContract, SnapshotContract, WriterContract


class TestAppend(AppendContract):
    pass


class TestOutcome(OutcomeContract):
    pass


class TestRead(ReadContract):
    pass


class TestWriters(WriterContract):
    pass


class TestKeyRaces(KeyRaceContract):
    pass


class TestSnapshots(SnapshotContract):
    pass
