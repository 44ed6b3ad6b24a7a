"""`python -m bank_simulations.load.worker`: one process of a load, as a Locust worker.

Its job comes as one line on standard input. When the input ends, so does the process: whoever
started it is gone.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import gevent
import gevent.socket
from gevent.event import AsyncResult
from locust.env import Environment

from .clock import RunClock
from .dispatcher import dispatcher_class
from .generators import BEGIN, READY, SHARE, Job
from .locust_view import LOOPBACK, teller
from .setting import Setting, connect, shared_out
from .share import pack


def main() -> None:
    """Join the run, keep this process's part of the schedule, hand over what was seen."""
    job = Job.read(sys.stdin.readline())
    gevent.spawn(_leave_when_left)
    setting = Setting.read(job.setting)
    limits = shared_out(setting.scenario.limits, job.processes)
    bank = connect(job.url, job.tokens(), limits)
    clock, epoch = RunClock(), AsyncResult()

    def begin() -> None:
        runner.send_message(READY)
        clock.start_at(epoch.get())

    def begun(msg: Any, **_: Any) -> None:
        epoch.set(msg.data["epoch"])

    loop = setting.loop(bank, clock, begin, job.process, job.processes)
    environment = Environment(user_classes=[dispatcher_class(loop)], host=job.url)
    loop.tell = teller(environment)
    runner = environment.create_worker_runner(LOOPBACK, job.port)
    runner.register_message(BEGIN, begun)
    loop.dispatched.wait()
    loop.drain()
    runner.send_message(SHARE, pack(loop.share))
    runner.greenlet.join()


def _leave_when_left() -> None:
    gevent.socket.wait_read(sys.stdin.fileno())
    os._exit(1)


if __name__ == "__main__":
    main()
