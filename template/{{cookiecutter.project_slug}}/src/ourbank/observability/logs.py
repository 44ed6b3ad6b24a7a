"""Structured logs on standard error: one JSON object a line, without personal data.

Only our own messages and the names of error types get here: the text of an exception may quote
what a customer sent.
"""

import logging
import sys
from typing import Any

import structlog


def configure(level: str, form: str) -> None:
    """Route everything through structlog; `form` is json or console."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_values,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "sqlalchemy.engine", "alembic"):
        logging.getLogger(noisy).setLevel("WARNING")


def _without_values(_logger: Any, _name: str, event: Any) -> Any:
    """Of an exception keep its type and where it was raised: its text may quote personal data."""
    info = event.pop("exc_info", None)
    if info and info is not True and info[0] is not None:
        frames = []
        trace = info[2]
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["error"] = info[0].__name__
        event["at"] = frames[-6:]
    return event
