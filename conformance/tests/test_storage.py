"""SHR-2 and 3 on records made by hand: what passes, what fails, and what is no verdict."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from bank_conformance import selftest
from bank_conformance.deciders.scanner import Leak, Search, Sighting
from bank_conformance.requirements.storage import backup_brings_nobody_back, copies_are_clean
from bank_conformance.verdict import Verdict
from bank_conformance.workloads import copies as workload
from bank_conformance.workloads.copies import Copied, Copies
from bank_conformance.workloads.restoring import Restoring
from people import GONE, HELD, HISTORY, NOT_YET, showing, showing_all_of, somebody

SUBJECT, OTHER = somebody("subject"), somebody("other party")

# SHR-2

ID = Sighting("bank.db", Leak("id cus", "raw", 17))
NAME = Sighting("bank.log", Leak("name of the subject", "base64+1", 1_234))
PLANTED = frozenset({"raw", "gzip"})


def _copies(before: list[Sighting], after: list[Sighting], **members: Any) -> Copies:
    copies = [
        Copied("dump", "before the erasure", Search(before, 3, 5_000)),
        Copied("logs", "before the erasure", Search([], 1, 100)),
        Copied("dump", "after the erasure", Search(after, 3, 6_000)),
        Copied("logs", "after the erasure", Search([], 1, 200)),
    ]
    control = showing_all_of(SUBJECT)
    record = Copies(HISTORY, SUBJECT.canaries, ("id cus",), control, GONE, copies, PLANTED, PLANTED)
    return replace(record, **members)


COPIES: dict[str, tuple[Copies, Verdict, str]] = {
    "clean": (_copies([ID], [ID]), Verdict.PASS, "2 dumps that hold an id of the subject"),
    "in clear before": (_copies([ID, NAME], [ID]), Verdict.FAIL, "before the erasure, at byte 1,2"),
    "in clear after": (_copies([ID], [NAME, ID]), Verdict.FAIL, "bank.log in the dump after"),
    "an empty dump": (_copies([], [ID]), Verdict.INCONCLUSIVE, "1 dumps"),
    "a blind scanner": (
        _copies([ID], [ID], found=frozenset({"raw"})),
        Verdict.INCONCLUSIVE,
        "1 kinds of planted",
    ),
    "never readable": (
        _copies([ID], [ID], control=[]),
        Verdict.INCONCLUSIVE,
        "0 canaries readable",
    ),
    "on hold": (_copies([ID], [ID], erasure=HELD), Verdict.SKIP, "legal hold"),
    "on hold, in clear": (_copies([NAME], [], erasure=HELD), Verdict.FAIL, "bank.log"),
    "not ended": (_copies([ID], [ID], erasure=NOT_YET), Verdict.INCONCLUSIVE, "REQUESTED"),
}


@pytest.mark.parametrize("name", COPIES)
def test_storage_and_logs_are_clean_before_and_after(name: str) -> None:
    record, verdict, said = COPIES[name]
    decision = copies_are_clean(record)
    assert decision.verdict is verdict
    assert said in decision.reason


def test_the_control_is_found_in_the_midst_of_the_largest_file(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"small")
    (tmp_path / "large").write_bytes(os.urandom(100_000))
    planted, found = workload.plant(tmp_path)
    assert planted == found != frozenset()
    assert (tmp_path / "small").read_bytes() == b"small"


def test_there_is_no_control_without_a_file(tmp_path: Path) -> None:
    planted, found = workload.plant(tmp_path)
    assert planted
    assert not found


@pytest.mark.slow
def test_plaintext_is_found_wherever_a_bank_leaves_it() -> None:
    """An outbox in the database, and the log."""

    class Heard:
        texts: tuple[str, ...] = ()

        def started(self, requirement_id: str) -> None: ...

        def progress(self, requirement_id: str, done: int, total: int) -> None: ...

        def finished(self, result: Any) -> None:
            self.texts = tuple(one.evidence for one in result.decision.findings)

    heard = Heard()
    trial = anyio.run(lambda: selftest.try_bank("M30", heard, seed=7))
    assert trial.passed
    for when in ("before", "after"):
        for where in (f"keys.db-wal in the dump {when}", f"bank.log in the logs {when}"):
            assert any(where in text for text in heard.texts), where


# SHR-3

REFUSED, OPENED = showing("no", status=409), showing("an account", status=201)
NOTHING = showing("nothing")


def _restored(**members: Any) -> Restoring:
    record = Restoring(
        HISTORY,
        SUBJECT,
        OTHER,
        [*showing_all_of(SUBJECT), *showing_all_of(OTHER)],
        GONE,
        views=[NOTHING] * 20,
        other_views=showing_all_of(OTHER),
        commands=[REFUSED, REFUSED],
        newer=[showing("no", status=404)],
    )
    return replace(record, **members)


RESTORED: dict[str, tuple[Restoring, Verdict, str]] = {
    "good": (_restored(), Verdict.PASS, "1 customers gone who are newer"),
    "readable again": (
        _restored(views=showing_all_of(SUBJECT)),
        Verdict.FAIL,
        "after the restore: the name (raw) is shown",
    ),
    "served again": (_restored(commands=[OPENED, REFUSED]), Verdict.FAIL, "201"),
    "others are gone too": (
        _restored(other_views=showing_all_of(OTHER)[1:]),
        Verdict.FAIL,
        "without: name",
    ),
    "nothing was restored": (
        _restored(newer=[showing("somebody")]),
        Verdict.INCONCLUSIVE,
        "0 customers gone",
    ),
    "never readable": (_restored(control=[]), Verdict.INCONCLUSIVE, "readable before"),
    "on hold": (_restored(erasure=HELD), Verdict.SKIP, "legal hold"),
    "not looked at": (_restored(views=[]), Verdict.INCONCLUSIVE, "answers scanned"),
}


@pytest.mark.parametrize("name", RESTORED)
def test_a_back_up_brings_nobody_back(name: str) -> None:
    record, verdict, said = RESTORED[name]
    decision = backup_brings_nobody_back(record)
    assert decision.verdict is verdict
    assert said in decision.reason
