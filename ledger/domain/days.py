"""Days as the ledger counts them: 1 is 1900-01-01, 65,535 is 2079-06-05, and 0 means no limit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from ledger.errors import InvalidInput

_DAY_ZERO: Final = date(1899, 12, 31)
MAX_DAY: Final = 0xFFFF


def day_of(day: date | None) -> int:
    """
    Return the number of a day; 0 for None.

    Raises:
        InvalidInput: Before 1900-01-01 or after 2079-06-05.
    """
    if day is None:
        return 0
    number = (day - _DAY_ZERO).days
    if not 1 <= number <= MAX_DAY:
        raise InvalidInput(f"{day} is not between 1900-01-01 and 2079-06-05", field="day")
    return number


def date_of(day: int) -> date | None:
    """Return the day behind a number (0 to 65,535); None for 0."""
    return _DAY_ZERO + timedelta(days=day) if day else None
