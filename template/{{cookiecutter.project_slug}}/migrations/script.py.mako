"""${message}"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Forward only: the log is never taken back."""
    ${upgrades if upgrades else "pass"}
