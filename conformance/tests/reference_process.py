"""The reference bank, or a mutant of it, in a process of its own, for tests that are not async."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bank_conformance.reference.__main__ import SECRET_VARIABLE


class Served(NamedTuple):
    """Where it serves, what its tokens are made with, and which process it is."""

    url: str
    secret: str
    pid: int


@contextmanager
def reference(mutant: str = "") -> Iterator[Served]:
    """Serve until the end of the block."""
    secret = secrets.token_hex(32)
    which = ["--mutant", mutant] if mutant else []
    process = subprocess.Popen(
        [sys.executable, "-m", "bank_conformance.reference", "serve", *which],
        env=os.environ | {SECRET_VARIABLE: secret},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield Served(json.loads(process.stdout.readline())["url"], secret, process.pid)
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
