"""What a reader sees of a run: the telling finding first, what can be chosen, what is left out."""

from __future__ import annotations

import re
from xml.etree.ElementTree import fromstring

import pytest
from bank_conformance.catalogue import catalogue
from bank_conformance.history import Answer, Call, History, Operation, Outcome
from bank_conformance.report import document, lines
from bank_conformance.report.badge import badge
from bank_conformance.report.html import FILTERS, html
from bank_conformance.requirements import CHECKS
from bank_conformance.runner import Run
from bank_conformance.target import Target
from bank_conformance.verdict import Decision, Finding, Result

ACCOUNT = "acc_01a20824d4131a1db190003d0648f7ae"


async def no_token(_who: object) -> str:
    return ""


def call(index: int, *, answered: bool = True) -> Operation:
    answer = Answer(200, {}, "{}", {"booked_minor": 1}) if answered else None
    asked = Call("getAccount", "GET", f"/v1/accounts/{ACCOUNT}", "staff")
    error = "" if answered else "ConnectError"
    return Operation(index, "a", asked, index, index + 0.5, Outcome.OK, answer, error)


def run_of(*results: Result, calls: tuple[Operation, ...] = ()) -> Run:
    target = Target("our <bank>", "http://127.0.0.1:9", no_token)
    return Run(target, 7, results=list(results), histories=[History("calls", list(calls))])


def failing(*findings: Finding) -> Result:
    return Result("ORD-3", Decision(findings), 0.0)


def test_the_shortest_failing_history_comes_first_and_gives_the_reason() -> None:
    findings = [
        Finding("x", "warned", (call(0),), warning=True),
        Finding("x", "without calls"),
        Finding("x", "long", tuple(call(n) for n in range(9))),
        Finding("x", "short", (call(0), call(1))),
    ]
    [written] = document(run_of(failing(*findings)))["requirements"]
    told = [one["evidence"] for one in written["findings"]]
    assert told == ["short", "long", "without calls", "warned"]
    assert written["reason"] == "short (and 2 more)"
    shown = "\n".join(lines(written))
    assert shown.index("short") < shown.index("long")
    assert "and 1 more\n" in shown
    assert shown.endswith("--only ORD-3 --seed 7")


def test_the_page_can_be_narrowed_without_a_script_and_loads_nothing() -> None:
    page = html(document(run_of(failing(Finding("x", "gone", (call(0), call(1)))))))
    assert not re.search(r"<(script|link|img)|src=|@import|url\(", page)
    for name in FILTERS:
        assert f'id="{name}"' in page
    assert 'class="requirement FAIL problem L0" id="ORD-3" open' in page
    assert "our &lt;bank&gt;" in page
    assert "our <bank>" not in page


def test_ids_are_short_where_they_are_read_and_whole_where_they_are_needed() -> None:
    page = html(document(run_of(failing(Finding("x", f"account {ACCOUNT} lost", (call(0),))))))
    assert "account acc_…48f7ae lost" in page
    assert f"GET /v1/accounts/{ACCOUNT}" in page


def test_an_incident_is_a_link_on_the_page() -> None:
    page = html(document(run_of(failing(Finding("x", "y")))))
    incident = catalogue()["ORD-3"].incident.split(",")[0]
    owner, number = incident.split("#")
    assert f"<a href='https://github.com/{owner}/issues/{number}'>{incident}</a>" in page


@pytest.mark.parametrize(("silent", "told"), [(2, []), (3, ["the bank stopped answering"])])
def test_a_bank_that_went_silent_is_named_once(silent: int, told: list[str]) -> None:
    calls = [call(n, answered=n < 5) for n in range(5 + silent)]
    notes = document(run_of(calls=tuple(calls)))["notes"]
    assert [note[: len("the bank stopped answering")] for note in notes] == told


def test_every_requirement_has_room_on_the_badge_and_the_page() -> None:
    written = document(run_of(*(Result(one, Decision(), 0.0) for one in CHECKS)))
    assert f"conformant {len(CHECKS)}/{len(CHECKS)}" in badge(written)
    assert fromstring(badge(written)).tag.endswith("svg")  # noqa: S314  our own
    page = html(written)
    assert [one for one in CHECKS if f'id="{one}"' not in page] == []


def test_no_two_workloads_write_to_one_file() -> None:
    workloads = {check.workload for check in CHECKS.values()}
    assert len({one.__name__ for one in workloads}) == len(workloads)
