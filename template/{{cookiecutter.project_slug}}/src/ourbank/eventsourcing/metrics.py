"""What the kernel tells about itself; observability/ turns it into Prometheus metrics."""

from typing import Protocol


class Metrics(Protocol):
    """Receives measurements; must be quick and must not raise."""

    def appended(
        self, partition: int, seconds: float, command_count: int, event_count: int
    ) -> None:
        """One batch went to the log and back."""
        ...

    def conflicted(self, partition: int, stale_count: int) -> None:
        """So many appends of a batch rested on versions that had moved."""
        ...


class NoMetrics:
    """Tells nobody."""

    def appended(
        self, partition: int, seconds: float, command_count: int, event_count: int
    ) -> None:
        """Forget it."""

    def conflicted(self, partition: int, stale_count: int) -> None:
        """Forget it."""
