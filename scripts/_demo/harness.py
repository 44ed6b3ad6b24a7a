"""The two harnesses, run as any user runs them, and their results as checks of the demo."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _tasks.steps import PROGRAMS

from .bank import STAFF_SCOPE, DemoError
from .checks import Check

if TYPE_CHECKING:
    from .bank import Bank

SCENARIO = Path(__file__).parent / "demo.toml"
RUN_SECONDS_MAX = 1800
HOLDS = ("PASS", "WARN")
NOT_YET = {"temporal", "snapshots", "statements", "reports", "fraud", "proofs"}
"""What the bank does not offer yet; what is about anything else must be decided."""
ONE_ADDRESS = "the target file names no replicas"
"""The demo serves one process: what is about several addresses of a bank is not decided."""
LEVEL = "L1"
"""The demo serves the bank by itself: nothing here stops, kills or looks into it."""

Json = dict[str, Any]


def conformance(bank: Bank, results: Path) -> Json:
    """Decide what needs nothing but HTTP; the document that the suite writes."""
    target = results / "target.toml"
    target.write_text(target_file(bank))
    files = {"--json": results / "conformance.json", "--html": results / "conformance.html"}
    command = ["bank-conformance", "run", "--target", str(target), "--level", LEVEL]
    return _run(command, files)


def target_file(bank: Bank) -> str:
    """How the suite finds the bank, and gets its tokens."""
    options = ["--subject", "{subject}", "--scope", "{scope}", "--seconds", "{seconds}"]
    command = json.dumps([*bank.token_command(), *options])
    return (
        f'[target]\nname = "demo bank"\nbase_url = "{bank.url}"\n\n[token]\ncommand = {command}\n'
    )


def load(bank: Bank, results: Path) -> Json:
    """Measure how long transfers take; the document that the load writes."""
    files = {"--json": results / "load.json", "--html": results / "load.html"}
    return _run(["bank-simulations", "load", str(SCENARIO), *_address(bank)], files)


def replay(bank: Bank, results: Path, data: Path) -> Json:
    """Replay the published books in `data`; the document that the replay writes."""
    only_transfers = any(data.rglob("transactions.csv")) and not any(data.rglob("trans-*.asc"))
    source = "amlsim" if only_transfers else "berka"
    command = ["bank-simulations", "replay", source, "--data", str(data), *_address(bank)]
    return {"source": source, **_run(command, {"--json": results / "replay.json"})}


def _address(bank: Bank) -> list[str]:
    token = [*bank.token_command(), "--subject", "demo-load", "--scope", STAFF_SCOPE]
    return ["--url", bank.url, "--token-command", shlex.join(token)]


def _run(command: list[str], files: dict[str, Path]) -> Json:
    """Run a harness, its own progress showing; what it left as JSON."""
    options = [str(word) for pair in files.items() for word in pair]
    files["--json"].unlink(missing_ok=True)
    program, *arguments = command
    try:
        done = subprocess.run(
            [str(PROGRAMS / program), *arguments, *options],
            stdin=subprocess.DEVNULL,
            timeout=RUN_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DemoError(f"{program} took more than {RUN_SECONDS_MAX} s") from error
    if not files["--json"].exists():
        raise DemoError(f"{shlex.join(command[:3])} ended with code {done.returncode}, see above")
    document: Json = json.loads(files["--json"].read_text())
    return {**document, "exit_code": done.returncode}


def requirement_checks(document: Json) -> list[Check]:
    """One check for each requirement that this bank can be held to; what could not be decided
    does not hold.
    """
    if document["invalid"]:
        return [Check("The suite can decide", str(document["invalid"]), passed=False)]
    return [
        Check(f"{one['id']}: {one['must']}", one["reason"], one["verdict"] in HOLDS)
        for one in document["requirements"]
        if not _is_about_what_is_not_there(one)
    ]


def _is_about_what_is_not_there(requirement: Json) -> bool:
    if requirement["verdict"] != "SKIP":
        return False
    what, _, names = requirement["reason"].partition(": ")
    if what == ONE_ADDRESS:
        return True
    return what == "the bank does not offer" and set(names.split(", ")) <= NOT_YET


def bound_check(document: Json) -> Check:
    """The bound, with the confidence the run supports."""
    verdict, visible = document["verdict"], document["total"]["visible"]
    claim = document["scenario"]["claim"]
    against = f"{verdict['broke'] + verdict['undecided']:,} of {verdict['transfers']:,}"
    times = {name: f"{visible[name] * 1e3:,.0f} ms" for name in ("p50", "p99", "worst")}
    return Check(
        f"Under load {claim['share'] * 100:g} % of transfers are visible in both accounts "
        f"within {claim['bound_seconds']:g}\u00a0s",
        f"{verdict['decision']}: {against} beyond; median {times['p50']}, p99 {times['p99']}, "
        f"worst {times['worst']}",
        document["exit_code"] == 0,
    )


def replay_check(document: Json) -> Check:
    """Whether what came of the books is what is known of them."""
    decide = _days_check if document["source"] == "berka" else _outcomes_check
    return decide(document)


def _days_check(document: Json) -> Check:
    agreeing, days = document["account_days_agreeing"], document["account_days"]
    return Check(
        "A real bank's books, replayed, agree with its own balances",
        f"{agreeing:,} of {days:,} account-days agree; {document['transactions']:,} transactions "
        f"of {document['accounts']:,} accounts in {document['seconds']:.0f} s",
        document["exit_code"] == 0,
    )


def _outcomes_check(document: Json) -> Check:
    transfers, accounts = document["transfers"], document["accounts"]
    return Check(
        "Transfers side by side end as they do one at a time",
        f"{transfers - document['wrong_outcomes_count']:,} of {transfers:,} outcomes and "
        f"{accounts - document['wrong_balances_count']:,} of {accounts:,} balances are right; "
        f"{document['transfers_per_second']:,.0f} transfers a second",
        document["exit_code"] == 0,
    )
