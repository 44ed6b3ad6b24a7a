"""A baseline: what is accepted, what is stale, and what it never hides."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from bank_conformance.baseline import Baseline, BaselineError, Standing, load_baseline
from bank_conformance.cli import app
from bank_conformance.report import document
from bank_conformance.report.html import html
from bank_conformance.report.junit import junit
from bank_conformance.requirements import CHECKS
from bank_conformance.runner import Run
from bank_conformance.target import Target
from bank_conformance.verdict import Coverage, Decision, Finding, Result
from impostors import impostor
from typer.testing import CliRunner

DECISIONS = {
    "FAIL": Decision((Finding("money stays", "a cent is gone"),)),
    "PASS": Decision(),
    "WARN": Decision((Finding("a code is told", "none was", warning=True),)),
    "SKIP": Decision(skip="no feed"),
    "INCONCLUSIVE": Decision(coverage=(Coverage("reads", 1, 9),)),
}


async def no_token(_who: object) -> str:
    return ""


def run_of(listed: bool, **verdicts: str) -> Run:
    """A run in which requirements were decided so, all of them listed or none."""
    ids = [name.replace("_", "-") for name in verdicts]
    results = [
        Result(one, DECISIONS[verdict], 0.0)
        for one, verdict in zip(ids, verdicts.values(), strict=True)
    ]
    known = Baseline(dict.fromkeys(ids, "ticket 7") if listed else {}, Path("known.toml"))
    target = Target("our bank", "http://127.0.0.1:9", no_token)
    return Run(target, 1, results=results, baseline=known)


@pytest.mark.parametrize(
    ("verdict", "listed", "label", "exit_code"),
    [
        ("FAIL", True, "KNOWN", 0),
        ("FAIL", False, "FAIL", 1),
        ("PASS", True, "STALE", 1),
        ("PASS", False, "PASS", 0),
        ("WARN", True, "STALE", 1),
        ("WARN", False, "WARN", 0),
        ("SKIP", True, "SKIP", 3),  # nothing was decided at all
        ("INCONCLUSIVE", True, "INCONCLUSIVE", 3),
        ("INCONCLUSIVE", False, "INCONCLUSIVE", 3),
    ],
)
def test_what_a_verdict_counts_as(verdict: str, listed: bool, label: str, exit_code: int) -> None:
    outcome = run_of(listed, ORD_1=verdict)
    assert outcome.exit_code == exit_code
    [written] = document(outcome)["requirements"]
    assert (written["verdict"], written["label"]) == (verdict, label)


def test_an_accepted_failure_stays_visible_wherever_a_run_is_shown() -> None:
    written = document(run_of(True, CON_5="FAIL", ORD_1="FAIL"))
    assert written["verdict"] == "conformant but for 2 known failures"
    assert written["counts"] == {"KNOWN": 2}
    case = fromstring(junit(written)).find("testcase")  # noqa: S314  our own
    assert case is not None
    assert "ticket 7" in str((case.find("skipped") or case[0]).get("message"))
    assert "KNOWN" in html(written)
    assert "ticket 7" in html(written)


def test_a_stale_line_is_a_failure_that_names_the_cure() -> None:
    written = document(run_of(True, CON_5="PASS"))
    assert written["verdict"] == "not conformant"
    suite = fromstring(junit(written))  # noqa: S314  our own
    assert suite.get("failures") == "1"
    assert "delete its line" in junit(written)
    assert "STALE" in html(written)


def test_the_baseline_after_a_run_has_its_failures_and_what_it_did_not_decide() -> None:
    outcome = run_of(True, ORD_1="PASS", CON_5="FAIL", SHR_1="SKIP", ORD_2="WARN")
    outcome.results.append(Result("SEC-1", DECISIONS["FAIL"], 0.0))
    after = outcome.baseline.after(outcome.results, {"SEC-1": "found today", "CON-5": "again"})
    assert after.known == {"CON-5": "ticket 7", "SHR-1": "ticket 7", "SEC-1": "found today"}


def test_a_written_baseline_reads_as_it_was(tmp_path: Path) -> None:
    reason = 'it "lags"\\ \x7f by ½ s\nand more'
    file = tmp_path / "known.toml"
    file.write_text(Baseline({"CON-5": reason}).text('a "bank"\n[x]'), encoding="utf-8")
    assert tomllib.loads(file.read_text())["known"] == {"CON-5": reason}
    assert load_baseline(file).known == {"CON-5": reason}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[known]\nCON5 = "x"', "did you mean CON-5"),
        ('[known]\nXYZZY = "x"', "`bank-conformance list` shows all"),
        ('[known]\nMETA-0 = "x"', "never decided"),
        ('[known]\nCON-5 = " "', "without a reason"),
        ("[known]\nCON-5 = 3", "not understood"),
        ("[knwon]", "not understood"),
        ("known", "not understood"),
    ],
)
def test_a_baseline_that_cannot_be_used_names_the_cure(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "known.toml"
    file.write_text(text)
    with pytest.raises(BaselineError, match=said):
        load_baseline(file)


def test_a_baseline_is_written_used_and_never_used_wrongly(tmp_path: Path) -> None:
    """Against a server that says yes, and so fails everything at once."""
    known, target = tmp_path / "known.toml", tmp_path / "target.toml"
    command = json.dumps([sys.executable, "-c", "print('t')", "{subject}", "{scope}"])

    def invoke(*more: str) -> tuple[int, str]:
        with impostor("yes to everything") as url:
            target.write_text(f'[target]\nbase_url = "{url}"\n[token]\ncommand = {command}\n')
            result = CliRunner().invoke(app, ["run", "--target", str(target), *more])
        assert "Traceback" not in result.output
        return result.exit_code, result.output

    code, said = invoke("--baseline", str(known))
    assert (code, len(said.strip().splitlines())) == (2, 1)
    assert "--write-baseline" in said
    assert invoke("--write-baseline", str(known))[0] == 1
    assert set(tomllib.loads(known.read_text())["known"]) == set(CHECKS)
    code, said = invoke("--baseline", str(known))
    assert code == 0
    assert f"conformant but for {len(CHECKS)} known failures" in said
    known.write_text(known.read_text().replace("ORD-1 =", "# ORD-1 ="))
    assert invoke("--baseline", str(known))[0] == 1


def test_what_was_not_listed_has_no_standing() -> None:
    result = Result("CON-5", DECISIONS["FAIL"], 0.0)
    assert Baseline().standing(result) is None
    assert Baseline({"CON-5": "x"}).standing(result) is Standing.KNOWN
