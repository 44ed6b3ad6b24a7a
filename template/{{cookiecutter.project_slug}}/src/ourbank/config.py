"""Settings: from the environment, then `.env`. A secret has no default; a missing one names the
command that makes it.
"""

from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConfigError(Exception):
    """The settings cannot be used; the text is one line a mistake and names the cure."""


class Settings(BaseSettings):
    """Every setting is the environment variable of its name in capitals, with BANK_ before it.

    The two database addresses are DATABASE_URL and KEYS_DATABASE_URL, as everybody calls them.
    """

    model_config = SettingsConfigDict(
        env_prefix="BANK_", env_file=".env", extra="ignore", frozen=True
    )

    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("database_url", "DATABASE_URL"),
        description="PostgreSQL for events and read models; none: embedded, in data_dir.",
    )
    keys_database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("keys_database_url", "KEYS_DATABASE_URL"),
        description="PostgreSQL for data keys: a database, role and backup policy of its own.",
    )
    driver: str = Field(
        default="asyncpg", pattern="^(asyncpg|psycopg)$", description="How SQLAlchemy talks to it."
    )
    data_dir: Path = Field(
        default=Path("var"), description="Where an embedded PostgreSQL keeps its files."
    )
    secrets_dir: Path = Field(
        default=Path("var/secrets"), description="Key-encryption keys, token keys and the like."
    )
    partitions: int = Field(
        default=4, ge=1, le=1024, description="Partitions of the log; fixed when it is created."
    )
    http_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    http_port: int = Field(
        default=8000, ge=0, le=65535, description="Port of the API; 0: any free one."
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port for Prometheus, on http_host; 0: none."
    )
    auth_issuer: str = Field(default="bank", description="The `iss` of accepted tokens.")
    auth_audience: str = Field(default="bank", description="The `aud` of accepted tokens.")
    timezone: str = Field(default="UTC", description="Where the business day is counted.")
    cut_off: time = Field(
        default=time(23, 59, 59, 999999),
        description="After this local time the next business day begins.",
    )
    business_date: date | None = Field(
        default=None, description="A fixed business date, for replays and tests."
    )
    clock_ahead_seconds: int = Field(
        default=0, ge=0, description="How far the clock is ahead of the real one; for tests."
    )
    value_date_back_days_max: int = Field(
        default=15_000, ge=0, description="How far back a value date may lie (staff only)."
    )
    value_date_ahead_days_max: int = Field(
        default=366, ge=0, description="How far ahead a value date may lie (staff only)."
    )
    retention_days: int = Field(
        default=0,
        ge=0,
        description="How long after the last entry personal data must be kept (AML).",
    )
    cached_aggregates_max: int = Field(
        default=100_000,
        ge=100,
        description="Folded states kept in memory, all partitions together.",
    )
    snapshot_every: int = Field(
        default=500, ge=2, description="Events of a stream between snapshots."
    )
    poll_seconds: float = Field(
        default=0.02,
        ge=0.005,
        le=0.2,
        description="How often a worker looks for what other processes appended.",
    )
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_format: str = Field(default="json", pattern="^(json|console)$")

    @field_validator("clock_ahead_seconds")
    @classmethod
    def _real_in_production(cls, value: int, others: ValidationInfo) -> int:
        """Who moves the clock ends holds and retention, so never where customers are."""
        if value and others.data.get("database_url") is not None:
            raise ValueError("only for tests on an embedded PostgreSQL: unset it or DATABASE_URL")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception as error:
            raise ValueError("not a time zone of the tz database, such as Europe/Prague") from error
        return value


def load(**overrides: Any) -> Settings:
    """The settings, with arguments of the command line before everything; ConfigError when they
    are wrong.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [
            f"BANK_{'_'.join(str(part) for part in mistake['loc']).upper()}: {mistake['msg']}"
            for mistake in error.errors()
        ]
        raise ConfigError("\n".join(lines)) from None
