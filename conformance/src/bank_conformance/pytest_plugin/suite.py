"""The requirements as tests, and how a verdict becomes an outcome of pytest."""

from __future__ import annotations

import secrets
import warnings
from pathlib import Path
from typing import Any

import pytest

from bank_conformance.baseline import Baseline, BaselineError, load_baseline
from bank_conformance.catalogue import Requirement
from bank_conformance.report import document, lines, write_all
from bank_conformance.requirements import CHECKS
from bank_conformance.runner import Run
from bank_conformance.selection import SEED_MAX, SelectionError, level_of, select
from bank_conformance.target import TargetError, load_target

from .background import Background, UndecidedError


class BankWarning(UserWarning):
    """A requirement holds, with something a client would stumble over."""


class ContradictedError(Exception):
    """A requirement does not hold, or nobody can say; the text is all there is to show."""


class RequirementTest(pytest.Item):
    """One requirement. Its outcome is the verdict; what is shown of it names no secret."""

    def __init__(self, *, requirement: Requirement, suite: Suite, **given: Any) -> None:
        super().__init__(**given)
        self.requirement, self.suite = requirement, suite
        self.add_marker(pytest.mark.bank_conformance)

    def runtest(self) -> None:
        """Wait for the verdict, and make an outcome of it."""
        __tracebackhide__ = True
        try:
            decided = self.suite.background.verdict(self.requirement.id)
        except UndecidedError as error:
            raise ContradictedError(str(error)) from None
        label, reason = decided["label"], decided["reason"]
        self.user_properties.append(("verdict", label))
        match label:
            case "FAIL" | "STALE":
                raise ContradictedError("\n".join([reason, *lines(decided)]))
            case "INCONCLUSIVE" if not self.suite.allow_inconclusive:
                text = f"INCONCLUSIVE, which is no PASS: {reason}"
                raise ContradictedError("\n".join([text, *lines(decided)]))
            case "KNOWN":
                pytest.xfail(reason)
            case "SKIP" | "DISABLED" | "INCONCLUSIVE":
                pytest.skip(reason if label == "SKIP" else f"{label}: {reason}")
            case "WARN":
                warnings.warn(BankWarning(f"{self.requirement.id}: {reason}"), stacklevel=1)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]
        """Show the evidence alone: a traceback through the suite tells nothing of a bank."""
        if isinstance(excinfo.value, ContradictedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the requirement, and no file."""
        place = self.config.rootpath / self.requirement.id
        return place, None, f"{self.requirement.id} {self.requirement.must}"


class Suite:
    """Plugs one run into a session of pytest."""

    def __init__(self, config: pytest.Config, chosen: list[Requirement], run: Background) -> None:
        self.background, self.chosen = run, chosen
        self.allow_inconclusive = bool(config.getoption("--bank-allow-inconclusive"))
        self.report = str(config.getoption("--bank-report"))

    @classmethod
    def of(cls, config: pytest.Config) -> Suite:
        """Return the suite that the options describe.

        Raises:
            UsageError: they describe none.
        """
        option = config.getoption
        if option("numprocesses", None):
            cure = "leave out -n: several processes would each decide the same bank"
            raise pytest.UsageError(f"bank-conformance: {cure}")
        level = option("--bank-level") or "L3"
        try:
            chosen = select(option("--bank-only"), level)
            target = load_target(Path(option("--bank-target")))
            known = option("--bank-baseline")
            baseline = load_baseline(Path(known)) if known else Baseline()
            run = Run(target, _seed(option("--bank-seed")), baseline=baseline)
        except (SelectionError, TargetError, BaselineError) as error:
            raise pytest.UsageError(f"bank-conformance: {error}") from None
        return cls(config, chosen, Background(run, level_of(level)))

    def pytest_report_header(self) -> str:
        """Say which bank is decided, and with which seed."""
        run = self.background.outcome
        return f"bank: {run.target.name} at {run.target.base_url}, seed {run.seed}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add the requirements, in the order in which a run decides them."""
        for one in sorted(self.chosen, key=lambda one: CHECKS[one.id].turn):
            item = RequirementTest.from_parent(
                session, name=one.id, nodeid=one.id, requirement=one, suite=self
            )
            items.append(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Decide only what is still selected."""
        ours = [item for item in session.items if isinstance(item, RequirementTest)]
        self.background.choose([item.requirement for item in ours])

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Give what could not be decided a letter and a word of its own."""
        undecided = ("verdict", "INCONCLUSIVE") in getattr(report, "user_properties", ())
        if undecided and report.when == "call" and report.failed:
            return "failed", "I", "INCONCLUSIVE"
        return None

    def pytest_sessionfinish(self) -> None:
        """End the run, and write its reports if they are wanted."""
        self.background.stop()
        if self.report and self.background.thread:
            run = self.background.outcome
            write_all(Path(self.report), document(run), run)


def _seed(text: str) -> int:
    if not text:
        return secrets.randbelow(SEED_MAX)
    if not text.isdecimal():
        raise SelectionError(f"seed {text!r} must be a number")
    return int(text)
