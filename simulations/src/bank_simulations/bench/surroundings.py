"""The machine of a run, described: figures mean nothing without it."""

from __future__ import annotations

import os
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

from bank_simulations.load.result import machine

from .packages import versions

if TYPE_CHECKING:
    from pathlib import Path

SYNC = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter
SYNCS = 50
BLOCK = b"\0" * 8192
LOOK_SECONDS = 1.0
BUSY_SHARE = 0.15


def describe(room: Path) -> dict[str, Any]:
    """Cores, memory, the disk under `room`, versions, and what ran before the run."""
    return {
        **machine(),
        "memory_bytes": psutil.virtual_memory().total,
        "disk_sync_us": sync_microseconds(room),
        "load_before": list(os.getloadavg()),
        "busy_before": psutil.cpu_percent(LOOK_SECONDS) / 100,
        "versions": versions(),
    }


def sync_microseconds(room: Path) -> float:
    """The median time until a block is on the disk: what each commit waits for at least."""
    took = []
    path = room / "sync-probe"
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(BLOCK)
            began = time.perf_counter()
            SYNC(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return median(took) * 1e6


def warning(described: dict[str, Any]) -> str | None:
    """One line where something else runs; None on a machine at rest."""
    busy = described["busy_before"]
    if busy < BUSY_SHARE:
        return None
    return (
        f"something else uses {busy:.0%} of this machine: compare nothing but the ratios, "
        "and better run it again alone"
    )
