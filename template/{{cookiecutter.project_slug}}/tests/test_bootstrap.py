"""What a process asks of its sessions with the database."""

import pytest
from sqlalchemy import make_url

from ourbank.bootstrap import _session

LIMITS = {"statement_timeout": 5.0, "idle_in_transaction_session_timeout": None}
OURS = "-c statement_timeout=5000"


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", OURS),
        ("?options=-c search_path=bank", f"-c search_path=bank {OURS}"),
        ("?options=-c statement_timeout=0", f"-c statement_timeout=0 {OURS}"),
    ],
)
def test_options_in_the_address_stay_and_the_limits_come_after_them(
    query: str, options: str
) -> None:
    url = make_url(f"postgresql+psycopg://bank@db/bank{query}")
    assert _session(url, LIMITS)["options"] == options


def test_asyncpg_is_told_the_limits_by_name() -> None:
    session = _session(make_url("postgresql+asyncpg://bank@db/bank"), LIMITS)
    assert session["server_settings"] == {"statement_timeout": "5000"}
