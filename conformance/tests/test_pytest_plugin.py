"""The plugin of pytest: each requirement is a test, and nobody else notices that it is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bank_conformance.reference.__main__ import SECRET_VARIABLE
from impostors import impostor
from reference_process import reference

pytest_plugins = ["pytester"]

PROJECT = Path(__file__).parent.parent


@contextmanager
def bank(tmp_path: Path, mutant: str = "") -> Iterator[Path]:
    """A target file of a reference bank that serves meanwhile."""
    with reference(mutant) as (url, secret, _):
        command = f"{sys.executable} -m bank_conformance.reference token"
        more = "--subject {subject} --scope {scope} --seconds {seconds}"
        file = tmp_path / "conformance.toml"
        file.write_text(
            f'[target]\nname = "ours"\nbase_url = "{url}"\n[token]\ncommand = "{command} {more}"\n'
            "[limits]\nsettle_seconds = 3.0\nvisibility_transfers = 30\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(SECRET_VARIABLE, secret)
            yield file


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """As a user would, in a process of its own, with what users do not have left out."""
    others = ("schemathesis", "asyncio", "anyio", "hypothesispytest", "cacheprovider")
    quiet = [part for name in others for part in ("-p", f"no:{name}")]
    return pytester.runpytest_subprocess(*quiet, *arguments, timeout=90)


def test_without_the_option_nothing_of_the_suite_is_loaded(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_it():
            loaded = {name for name in sys.modules if name.startswith("bank_conformance")}
            assert loaded == {"bank_conformance", "bank_conformance.pytest_plugin"}
            assert "httpx" not in sys.modules
        """
    )
    run_pytest(pytester).assert_outcomes(passed=1)


@pytest.mark.slow
def test_each_requirement_is_a_test_beside_those_that_are_there(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    pytester.makepyfile("def test_ours(): pass")
    with bank(tmp_path) as target:
        given = (f"--bank-target={target}", "--bank-only=ORD-7,IDEM-3", "--bank-seed=7")
        result = run_pytest(pytester, "-v", *given)
        result.assert_outcomes(passed=3)
        result.stdout.fnmatch_lines(["bank: ours at *, seed 7", "ORD-7 PASSED*", "IDEM-3 PASSED*"])
        alone = run_pytest(pytester, *given, "-m", "bank_conformance", "-k", "ORD")
        alone.assert_outcomes(passed=1, deselected=2)


@pytest.mark.slow
def test_a_failure_shows_the_evidence_and_how_to_reproduce_it(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    with bank(tmp_path, "M23") as target:
        given = (f"--bank-target={target}", "--bank-only=IDEM-3", "--bank-seed=7")
        result = run_pytest(pytester, *given, "--bank-report=out", "--junit-xml=j.xml")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            ["*expected *", "*found *", "reproduce *--only IDEM-3 --seed 7"]
        )
        assert "Traceback" not in result.stdout.str() + result.stderr.str()
        assert "site-packages" not in result.stdout.str()
        assert (pytester.path / "out" / "report.html").exists()
        (pytester.path / "known.toml").write_text('[known]\nIDEM-3 = "ticket 7"\n')
        known = run_pytest(pytester, *given, "--bank-baseline=known.toml", "-rx")
        known.assert_outcomes(xfailed=1)
        known.stdout.fnmatch_lines(["*ticket 7*"])


@pytest.mark.slow
def test_what_could_not_be_decided_is_no_pass(pytester: pytest.Pytester, tmp_path: Path) -> None:
    with bank(tmp_path) as target:
        given = (f"--bank-target={target}", "--bank-only=CON-5", "-v")
        result = run_pytest(pytester, *given)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["CON-5 INCONCLUSIVE*", "*which is no PASS: *"])
        run_pytest(pytester, *given, "--bank-allow-inconclusive").assert_outcomes(skipped=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--bank-target=none.toml",), "no target file none.toml"),
        (("--bank-target=t.toml", "--bank-only=ORD7"), "did you mean ORD-7"),
        (("--bank-target=t.toml", "--bank-level=L7"), "must be one of L0"),
        (("--bank-target=t.toml", "--bank-seed=x"), "must be a number"),
        (("--bank-target=t.toml", "--bank-baseline=none"), "no baseline none"),
    ],
)
def test_wrong_usage_is_one_line(
    pytester: pytest.Pytester, given: tuple[str, ...], said: str
) -> None:
    (pytester.path / "t.toml").write_text(
        '[target]\nbase_url = "http://127.0.0.1:9"\n[token]\ncommand = "t {subject} {scope}"\n'
    )
    result = run_pytest(pytester, *given)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    [line] = [line for line in result.stderr.lines if line.strip()]
    assert said in line


@pytest.mark.slow
def test_several_processes_on_one_bank_are_refused(pytester: pytest.Pytester) -> None:
    result = run_pytest(pytester, "-n2", "--bank-target=t.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*leave out -n*"])


@pytest.mark.slow
def test_a_server_that_is_no_bank_fails_every_test_with_one_line(
    pytester: pytest.Pytester,
) -> None:
    file = pytester.path / "t.toml"
    with impostor("500 to everything") as url:
        file.write_text(
            f'[target]\nbase_url = "{url}"\n[token]\ncommand = "echo {{subject}} {{scope}}"\n'
        )
        result = run_pytest(pytester, f"--bank-target={file}", "--bank-only=ORD-1,CON-1")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["invalid run: *answers 500*"])


def test_the_plugin_is_an_extra_and_pytest_no_dependency() -> None:
    text = (PROJECT / "pyproject.toml").read_text()
    needed = text.partition("dependencies = [")[2].partition("]")[0]
    assert "pytest" not in needed
    code = "import sys, bank_conformance.cli; sys.exit('pytest' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
