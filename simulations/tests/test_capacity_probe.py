"""What is read of a bank's processes and metrics."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from bank_simulations.capacity.probe import OBSERVER, Probe, Reading, parse_processes
from bank_simulations.console import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = """# HELP bank_append_seconds One batch to the log and back.
# TYPE bank_append_seconds histogram
bank_append_seconds_bucket{le="0.001"} 7.0
bank_append_seconds_count 10.0
bank_append_seconds_sum 0.025
bank_append_batch_commands_count 10.0
bank_append_batch_commands_sum 3e+01
bank_lag_events{partition="0",read_model="accounts"} 4.0
"""


@contextmanager
def serving(page: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_batches_are_told_by_the_metrics_of_all_processes() -> None:
    with serving(PAGE) as url:
        page = Probe({}, [url, url + "/"]).read()
    nothing = Reading(0.0, page.cpu_seconds, dict.fromkeys(page.counters, 0.0))
    since = page.since(nothing)
    assert since.batch_commands == 3.0
    assert since.append_seconds == pytest.approx(0.0025)


def test_without_metrics_or_batches_nothing_is_told() -> None:
    probe = Probe({})
    assert probe.read().since(probe.read()).batch_commands is None
    with serving(PAGE) as url:
        idle = Probe({}, [url])
        assert idle.read().since(idle.read()).append_seconds is None


def test_the_processor_seconds_of_a_process_are_counted() -> None:
    probe = Probe({"api": [os.getpid()]})
    before = probe.read()
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    used = probe.read().since(before)
    assert used.cpu_seconds["api"] >= 0.15
    assert used.cpu_seconds[OBSERVER] >= 0.19


def test_groups_may_have_several_processes() -> None:
    assert parse_processes(["api=1", "api=2", "database=3"]) == {"api": [1, 2], "database": [3]}


@pytest.mark.parametrize("text", ["api", "api=", "api=x", "cache=4", "=4", "api=-1"])
def test_what_names_no_process_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="api=4711"):
        parse_processes([text])


def test_a_process_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInputError, match="no process"):
        Probe({"api": [2**22 + 1]}).read()


@pytest.mark.parametrize("url", ["127.0.0.1:9", "http://127.0.0.1:9"])
def test_an_address_without_metrics_is_refused_with_the_cure(url: str) -> None:
    with pytest.raises(BadInputError, match="metrics"):
        Probe({}, [url]).read()
