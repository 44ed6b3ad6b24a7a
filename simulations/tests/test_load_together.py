"""The load in several processes, with events, reads and Locust's own view, from end to end."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bank_simulations.stub.faults import Faults
from bank_simulations.stub.process import free_port, serve
from conftest import PATIENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ended, RunCommand, WriteScenario

pytestmark = pytest.mark.slow

READS = '[[reads]]\nkind = "{}"\nper_transfer = {}\nshare = 0.9\n'
PATIENTLY = "bound_seconds = 3.0\n"


def load(run_command: RunCommand, scenario: str, faults: Faults, *more: str) -> Ended:
    with serve(faults) as url:
        return run_command("load", scenario, "--url", url, "--json", "result.json", *more)


def extend(scenario: str, text: str) -> str:
    path = Path(scenario)
    path.write_text(path.read_text().replace("[[steps]]", text + "[[steps]]", 1))
    return scenario


def test_several_processes_share_one_schedule_and_keep_exact_books(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    poor = {"count": 4, "customers": 2, "opening_minor": 500, "amount_max_minor": 1000}
    scenario = write_scenario(accounts=poor, claim=PATIENT)
    delayed = Faults(visible_after_seconds=0.05, lost_share=0.1)
    ended = load(run_command, scenario, delayed, "--processes", "3", "--html", "report.html")
    assert ended.code == 0, ended.out + ended.err
    assert sum(ended.result["total"]["fates"].values()) == 100
    assert ended.result["total"]["refusals"]["insufficient-funds"] > 10
    planned = [each["planned_count"] for each in ended.result["generators"]]
    assert planned == [34, 33, 33]


def test_wrong_books_are_noticed_across_processes(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    deaf = Faults(lost_share=0.2, deaf_to_keys=True)
    ended = load(run_command, write_scenario(), deaf, "--processes", "2")
    assert ended.code == 1
    assert "where the transfers leave" in ended.out


def test_a_process_that_is_killed_makes_the_run_invalid_and_says_so(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    kill = "1=kill -9 $(pgrep -f -n -P $PPID bank_simulations.load.[w]orker)"
    slow = extend(write_scenario(), "[[steps]]\nname='first'\nrate=20\nseconds=3\n")
    ended = load(run_command, slow, Faults(), "--processes", "2", "--at", kill)
    assert ended.code == 4, ended.out + ended.err
    assert "generator process 2 ended with code -9: its part is missing" in ended.out
    assert "the run will be invalid" in ended.err


def test_reads_are_judged_by_their_own_bound_and_what_is_not_offered_is_said(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    reads = "".join(
        READS.format(kind, 0.5) + PATIENTLY for kind in ("balance", "history", "statement")
    )
    ended = load(run_command, extend(write_scenario(claim=PATIENT), reads), Faults())
    assert ended.code == 0, ended.out
    assert [read["kind"] for read in ended.result["reads"]] == ["balance", "history"]
    assert ended.result["reads_missing"] == ["statement"]
    assert "This bank does not offer, so nothing is said of: statement." in ended.out
    slow = READS.format("balance", 1) + "bound_seconds = 0.0001\n"
    broken = load(run_command, extend(write_scenario(claim=PATIENT), slow), Faults())
    assert broken.code == 1
    assert "balance reads" in broken.out
    assert broken.result["total"]["fates"] == {"in time": 100}


EVENTS = """\
[[events]]
at_seconds = 0.2
command = "touch begun"
end = "touch ended"
lasts_seconds = 0.3
"""
FAULT = '[[events]]\nat_seconds = 0.2\nfault = "stall"\n'
HOOK = '[[events]]\nat_seconds = 0.1\nhook = "rebuild"\n'


@pytest.mark.parametrize("processes", ["1", "2"])
def test_phases_are_told_apart(
    run_command: RunCommand, write_scenario: WriteScenario, tmp_path: Path, processes: str
) -> None:
    scenario = extend(write_scenario(), EVENTS)
    ended = load(run_command, scenario, Faults(), "--processes", processes, "--html", "a.html")
    assert (tmp_path / "ended").exists()
    (mark,) = ended.result["marks"]
    assert mark["at_seconds"] >= 0.2
    assert mark["until_seconds"] >= 0.5
    phases = {part["phase"]: sum(part["fates"].values()) for part in ended.result["phases"]}
    assert sum(phases.values()) == 100
    assert phases["fault"] > 10


def write_target(folder: Path, url: str) -> str:
    path = folder / "target.toml"
    path.write_text(
        f'[target]\nbase_url = "{url}"\n[token]\ncommand = "echo {{subject}} {{scope}}"\n'
        '[hooks]\nrebuild = "touch rebuilt"\n[faults.stall]\nbegin = "touch stalled"\n'
    )
    return str(path)


def test_faults_and_hooks_come_from_the_target_file(
    run_command: RunCommand, write_scenario: WriteScenario, tmp_path: Path
) -> None:
    scenario = extend(write_scenario(claim=PATIENT), FAULT + HOOK)
    with serve() as url:
        target = write_target(tmp_path, url)
        ended = run_command("load", scenario, "--target", target, "--json", "result.json")
    assert ended.code == 0, ended.out + ended.err
    assert [mark["label"] for mark in ended.result["marks"]] == ["rebuild", "stall"]
    assert (tmp_path / "rebuilt").exists()
    assert (tmp_path / "stalled").exists()


@pytest.mark.parametrize(
    ("events", "target", "told"),
    [
        (FAULT, False, "with --target"),
        (FAULT.replace("stall", "flood"), True, "offers no fault 'flood': it offers stall"),
        (HOOK.replace("rebuild", "pause"), True, "offers no hook 'pause': it offers rebuild"),
        (FAULT + "lasts_seconds = 1\n", True, "is over at once: leave lasts_seconds out"),
    ],
)
def test_an_event_that_cannot_be_is_told_in_one_line(
    run_command: RunCommand,
    write_scenario: WriteScenario,
    tmp_path: Path,
    events: str,
    target: bool,
    told: str,
) -> None:
    file = ["--target", write_target(tmp_path, "http://127.0.0.1:1")] if target else []
    ended = run_command("load", extend(write_scenario(), events), *file)
    assert ended.code == 2
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_an_event_that_failed_makes_the_run_invalid(
    run_command: RunCommand, write_scenario: WriteScenario
) -> None:
    ended = load(run_command, write_scenario(), Faults(), "--at", "0.2=exit 3")
    assert ended.code == 4
    assert "it did not happen as it should" in ended.out


def test_locusts_page_and_its_files_show_the_run_while_it_lasts(
    write_scenario: WriteScenario, tmp_path: Path
) -> None:
    scenario = extend(write_scenario(), "[[steps]]\nname='first'\nrate=50\nseconds=3\n")
    port = free_port()
    with serve() as url:
        options = ["--url", url, "--web", str(port), "--csv", "locust"]
        running = subprocess.Popen(
            [sys.executable, "-m", "bank_simulations", "load", scenario, *options],
            env={**os.environ, "BANKWRIGHT_TOKEN": "test"},
            cwd=tmp_path,
        )
        try:
            page = f"http://127.0.0.1:{port}/stats/requests"
            shown = until(lambda: [*seen_at(page), None][0], 90.0)
            running.wait(90.0)
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGKILL)
                running.wait()
    assert shown == "TRANSFER"
    with (tmp_path / "locust_stats.csv").open() as rows:
        counts = {row["Name"]: row["Request Count"] for row in csv.DictReader(rows)}
    assert int(counts["visible"]) > 200
    assert counts["visible"] == counts["answered"]


def seen_at(page: str) -> list[str]:
    """The kinds of requests that Locust's page shows by now."""
    try:
        with urllib.request.urlopen(page, timeout=2) as answer:  # noqa: S310 - loopback
            stats: list[dict[str, Any]] = json.load(answer)["stats"]
    except OSError:
        return []
    return [row["method"] for row in stats if row["name"] == "visible"]


def until(look: Callable[[], str | None], seconds_max: float) -> str | None:
    """What `look` gives once it gives anything."""
    give_up_at = time.monotonic() + seconds_max
    while time.monotonic() < give_up_at:
        if found := look():
            return found
        time.sleep(0.1)
    return None


def test_an_interrupted_run_ends_what_it_began_and_says_that_nothing_was_decided(
    write_scenario: WriteScenario, tmp_path: Path
) -> None:
    long = EVENTS.replace("lasts_seconds = 0.3", "lasts_seconds = 50.0")
    scenario = extend(write_scenario(), long + "[[steps]]\nname='long'\nrate=5\nseconds=60\n")
    with serve() as url, (tmp_path / "said").open("w") as said:
        running = subprocess.Popen(
            [sys.executable, "-m", "bank_simulations", "load", scenario, "--url", url],
            env={**os.environ, "BANKWRIGHT_TOKEN": "test"},
            cwd=tmp_path,
            stderr=said,
        )
        begun = until(lambda: "yes" if (tmp_path / "begun").exists() else None, 90.0)
        running.send_signal(signal.SIGINT)
        code = running.wait(90.0)
    assert (begun, code) == ("yes", 4)
    assert (tmp_path / "ended").exists()
    assert (tmp_path / "said").read_text().endswith("interrupted: nothing was decided\n")
