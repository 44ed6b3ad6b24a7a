"""The business date comes from settings and the given time, never from the wall clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ourbank.application.clock import Calendar, clock, utc_now
from ourbank.config import ConfigError, load

EVENTS, KEYS = "postgresql://bank@127.0.0.1/bank", "postgresql://keys@127.0.0.1/keys"
PRAGUE, UTC_ZONE = ZoneInfo("Europe/Prague"), ZoneInfo("UTC")
TODAY = date(2026, 3, 2)
AHEAD_MAX, BACK_MAX = 30, 10


def calendar(
    now: datetime, zone: ZoneInfo = UTC_ZONE, cut_off: time = time(18), fixed: date | None = None
) -> Calendar:
    return Calendar(lambda: now, zone, cut_off, BACK_MAX, AHEAD_MAX, fixed)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        (datetime(2026, 3, 2, 0, 0, tzinfo=UTC), UTC_ZONE, date(2026, 3, 2)),
        (datetime(2026, 3, 2, 17, 59, 59, 999999, tzinfo=UTC), UTC_ZONE, date(2026, 3, 2)),
        (datetime(2026, 3, 2, 18, 0, tzinfo=UTC), UTC_ZONE, date(2026, 3, 3)),
        (datetime(2026, 12, 31, 18, 0, tzinfo=UTC), UTC_ZONE, date(2027, 1, 1)),
        # winter: Prague is one hour ahead; summer: two
        (datetime(2026, 3, 2, 16, 59, tzinfo=UTC), PRAGUE, date(2026, 3, 2)),
        (datetime(2026, 3, 2, 17, 0, tzinfo=UTC), PRAGUE, date(2026, 3, 3)),
        (datetime(2026, 7, 1, 15, 59, tzinfo=UTC), PRAGUE, date(2026, 7, 1)),
        (datetime(2026, 7, 1, 16, 0, tzinfo=UTC), PRAGUE, date(2026, 7, 2)),
        # after midnight in Prague, still the day before in UTC
        (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), PRAGUE, date(2026, 3, 2)),
    ],
)
def test_from_the_cut_off_on_the_next_day_is_the_business_date(
    now: datetime, zone: ZoneInfo, expected: date
) -> None:
    assert calendar(now, zone).business_date() == expected


def test_a_cut_off_at_the_last_moment_of_the_day_leaves_the_day_as_it_is() -> None:
    late = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    assert calendar(late, cut_off=time.max).business_date() == TODAY


def test_a_fixed_business_date_overrides_clock_and_cut_off() -> None:
    assert calendar(datetime(2030, 1, 1, 23, tzinfo=UTC), fixed=TODAY).business_date() == TODAY


@pytest.mark.parametrize(
    ("days", "code"),
    [
        (-BACK_MAX - 1, "date-too-far-back"),
        (-BACK_MAX, None),
        (0, None),
        (AHEAD_MAX, None),
        (AHEAD_MAX + 1, "date-too-far-ahead"),
    ],
)
def test_a_value_date_may_lie_within_the_limits_and_on_them(days: int, code: str | None) -> None:
    fixed = calendar(datetime(2026, 3, 2, tzinfo=UTC), fixed=TODAY)
    refusal = fixed.refusal(TODAY + timedelta(days=days))
    assert (None if refusal is None else refusal.code) == code


def test_the_limits_are_counted_from_the_business_date() -> None:
    after_cut_off = calendar(datetime(2026, 3, 2, 19, tzinfo=UTC))
    assert after_cut_off.refusal(date(2026, 3, 3) + timedelta(days=AHEAD_MAX)) is None
    assert after_cut_off.refusal(date(2026, 3, 2) - timedelta(days=BACK_MAX)) is not None


@pytest.mark.parametrize("extreme", [date.min, date.max])
def test_the_most_extreme_dates_are_refused_and_do_not_overflow(extreme: date) -> None:
    fixed = calendar(datetime(2026, 3, 2, tzinfo=UTC), fixed=TODAY)
    assert fixed.refusal(extreme) is not None


def test_the_wall_clock_tells_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_a_clock_is_the_real_one_or_so_far_ahead_of_it() -> None:
    assert clock(0) is utc_now
    assert clock(86_400)() - utc_now() == pytest.approx(timedelta(days=1), abs=timedelta(seconds=5))


def test_no_bank_with_a_database_of_its_own_has_its_clock_ahead() -> None:
    assert load(clock_ahead_seconds=60).clock_ahead_seconds == 60
    with pytest.raises(ConfigError, match=r"^BANK_CLOCK_AHEAD_SECONDS: .*unset it or DATABASE_URL"):
        load(clock_ahead_seconds=60, database_url=EVENTS, keys_database_url=KEYS)
    assert load(database_url=EVENTS, keys_database_url=KEYS).clock_ahead_seconds == 0
