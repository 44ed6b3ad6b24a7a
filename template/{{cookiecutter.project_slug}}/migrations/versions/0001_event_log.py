"""The event log, the append function, and what the projections keep beside their read models."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

FILES = ("0001_event_log.sql", "0001_append_events.sql", "0001_projections.sql")


def upgrade() -> None:
    """Forward only: the log is never taken back."""
    for name in FILES:
        op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "sql" / name).read_text())
