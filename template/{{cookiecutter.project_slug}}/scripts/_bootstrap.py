"""Give the scripts beside this file their environment, with nothing but the standard library.

A script calls `ensure()` before it imports anything else. Inside an up-to-date `.venv` that
returns at once. Otherwise it makes `.venv`, installs the locked version of uv from PyPI, lets uv
install what uv.lock names, and starts the script again inside. What was installed is remembered as
a digest of the files it came from, so a run in which nothing changed costs milliseconds.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.absolute()
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "bootstrap.stamp"
PYTHON_MIN = (3, 11)
INSTALL_SECONDS_MAX = 900
HEARTBEAT_SECONDS = 10
NETWORK_CURE = (
    "is the network up? A proxy goes into HTTPS_PROXY, "
    "a package index of your own into PIP_INDEX_URL and UV_DEFAULT_INDEX"
)


def ensure() -> None:
    """Return inside the environment, made or brought up to date first where that is needed.

    From outside it does not return: the script starts again inside. What cannot be done ends the
    script with exit code 2 and one line that names the cure.
    """
    if sys.version_info < PYTHON_MIN:
        found = "Python 3.11 or newer is needed, this is {}.{}".format(*sys.version_info[:2])
        _fail(found, "run the script with a newer one, as in: python3.12 " + sys.argv[0])
    if not _is_current():
        try:
            _bring_up_to_date()
        except KeyboardInterrupt:
            _fail("interrupted", "the next run takes it up again")
    if Path(sys.prefix).resolve() != VENV.resolve():
        sys.stdout.flush()
        os.execv(PYTHON, [str(PYTHON), *sys.argv])  # noqa: S606 - no shell wanted


def _bring_up_to_date() -> None:
    with _one_at_a_time():
        if not _is_current():
            _set_up()


def _is_current() -> bool:
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == _digest()


def _digest() -> str:
    """Of all that decides what is installed: the lock and the projects it was made from."""
    if not (ROOT / "uv.lock").exists():
        _fail("uv.lock is missing", "get it back with: git checkout uv.lock")
    sources = [ROOT / "uv.lock", ROOT / "pyproject.toml", *sorted(ROOT.glob("*/pyproject.toml"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let a second script wait, lest two of them build one environment."""
    import fcntl  # noqa: PLC0415 - POSIX only; elsewhere an existing environment still serves

    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _set_up() -> None:
    started, digest = time.monotonic(), _digest()
    STAMP.unlink(missing_ok=True)
    _say("Setting up .venv (once; later runs start at once)")
    _say("  1/3 virtual environment")
    _make_venv()
    _say("  2/3 uv, from PyPI")
    _install_uv()
    _say("  3/3 the packages of uv.lock")
    _run([str(VENV / "bin" / "uv"), "sync", "--frozen", "--compile-bytecode"], NETWORK_CURE)
    STAMP.write_text(digest)
    _say(f"Ready after {time.monotonic() - started:.0f} s")


def _make_venv() -> None:
    if PYTHON.exists() and (VENV / "bin" / "pip").exists():
        return
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        package = "python{}.{}-venv".format(*sys.version_info[:2])
        _fail("this Python has no venv module", f"on Debian or Ubuntu: apt-get install {package}")
    cure = f"is {ROOT} writable, and the disk not full?"
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)], cure)


def _install_uv() -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, f"uv=={_uv_version()}"], NETWORK_CURE)


def _uv_version() -> str:
    import tomllib  # noqa: PLC0415 - new in 3.11, and an older Python must reach its message

    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return next(str(package["version"]) for package in packages if package["name"] == "uv")


def _run(command: list[str], cure: str) -> None:
    """Run an installer: its own progress on a terminal, a sign of life now and then elsewhere."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=None if sys.stderr.isatty() else subprocess.PIPE,
        text=True,
    )
    errors = _wait(process)
    if process.returncode != 0:
        sys.stderr.write(errors)
        _fail(f"{' '.join(command[:4])} ended with code {process.returncode}, see above", cure)


def _wait(process: subprocess.Popen[str]) -> str:
    for waited in range(HEARTBEAT_SECONDS, INSTALL_SECONDS_MAX, HEARTBEAT_SECONDS):
        try:
            return process.communicate(timeout=HEARTBEAT_SECONDS)[1] or ""
        except subprocess.TimeoutExpired:
            if not sys.stderr.isatty():
                _say(f"      {waited} s …")
    process.kill()
    process.wait()
    return f"stopped after {INSTALL_SECONDS_MAX} s\n"


def _environment() -> dict[str, str]:
    """Ours without another project's environment, and no Python but the one that runs this."""
    import ssl  # noqa: PLC0415 - only a set-up needs it

    foreign = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    # uv brings certificates; a company's proxy is known to those of the machine, if it has any.
    system_certificates = bool(ssl.get_default_verify_paths().cafile)
    defaults = {"UV_SYSTEM_CERTS": "true"} if system_certificates else {}
    return {**defaults, **kept, "UV_PYTHON_DOWNLOADS": "never"}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _fail(what: str, cure: str) -> NoReturn:
    _say(f"error: {what}: {cure}")
    sys.exit(2)
