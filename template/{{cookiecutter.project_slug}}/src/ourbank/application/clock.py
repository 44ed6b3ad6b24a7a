"""Time as the bank sees it: two clocks, both ports.

Booking time is the recorded instant. The business date is the day an entry counts on unless told
otherwise; it comes from settings (a fixed date, or a calendar with time zone and cut-off), never
from the wall clock directly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..domain.rejection import Rejection


def utc_now() -> datetime:
    """The wall clock, in UTC; the composition root hands it to whoever needs the time."""
    return datetime.now(UTC)


def clock(ahead_seconds: int) -> Callable[[], datetime]:
    """The wall clock, or for tests one that is so far ahead of it."""
    if not ahead_seconds:
        return utc_now
    return lambda: utc_now() + timedelta(seconds=ahead_seconds)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Business date and the limits of value dates.

    After `cut_off` (local time of `zone`) the next day is the business date. `fixed` overrides
    both.
    """

    now: Callable[[], datetime]
    zone: ZoneInfo
    cut_off: time
    back_days_max: int
    ahead_days_max: int
    fixed: date | None = None

    def business_date(self) -> date:
        """The day an entry booked now counts on."""
        if self.fixed is not None:
            return self.fixed
        local = self.now().astimezone(self.zone)
        return local.date() + timedelta(days=local.time() >= self.cut_off)

    def refusal(self, value_date: date) -> Rejection | None:
        """Why an entry cannot count on this date, if it cannot."""
        distance = (value_date - self.business_date()).days
        if distance > self.ahead_days_max:
            detail = f"the value date is more than {self.ahead_days_max} days ahead"
            return Rejection("date-too-far-ahead", detail)
        if -distance > self.back_days_max:
            detail = f"the value date is more than {self.back_days_max} days back"
            return Rejection("date-too-far-back", detail)
        return None
