"""Times as people write them: RFC 3339, a date, or how long from now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger.errors import InvalidInput

_SPAN: Final = re.compile(r"\A(\d{1,6})(s|m|h|d|y)\Z")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 31_536_000}


def rfc3339(seconds: float) -> str:
    """Write a time, seconds since the Unix epoch, as RFC 3339 in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str, *, field: str, now: datetime | None = None) -> str:
    """
    Read a time.

    Args:
        text: `2027-01-31T08:00:00Z`, `2027-01-31` (its start in UTC), or a span from now: `90d`, `12h`, `1y`.
        field: What it is for, to name it in an error.
        now: The time that spans count from.

    Returns:
        RFC 3339 in UTC.

    Raises:
        InvalidInput: None of these.
    """
    if span := _SPAN.match(text.strip()):
        start = now or datetime.now(UTC)
        return rfc3339((start + timedelta(seconds=int(span[1]) * _SECONDS[span[2]])).timestamp())
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(
            f"{text!r} is not a time for {field}",
            field=field,
            fix="Write 2027-01-31T08:00:00Z, 2027-01-31, or a span from now such as 90d.",
        ) from None
    return rfc3339((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def read_span(text: str, *, field: str) -> int:
    """
    Read a span such as `90d`, `12h` or `1y`, in seconds.

    Raises:
        InvalidInput: None of these.
    """
    span = _SPAN.match(text.strip())
    if span is None:
        raise InvalidInput(f"{text!r} is not a span for {field}", field=field, fix="Write 365d, 12h or 1y.")
    return int(span[1]) * _SECONDS[span[2]]
