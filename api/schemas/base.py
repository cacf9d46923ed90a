"""What every body has in common: the model, times, hexadecimal and the values that examples show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

_LAST_SECOND: Final = 253_402_300_799
ID_EXAMPLE: Final = "0x6f1c0d3b9a8e47f2b5d41c7e90a36f58d2e4b7a1c9f03586e7d2a4b6c8f01357"
ID2_EXAMPLE: Final = "0xa41b7f0e5c3d29864b7a1c9f0358e7d2a4b6c8f013576f1c0d3b9a8e47f2b5d4"
ADDRESS_EXAMPLE: Final = "0x8ba1f109551bd432803012645ac136ddd64dba72"
SIGNATURE_EXAMPLE: Final = "0x" + "1b" * 65


class Model(BaseModel):
    """What every body has in common: camelCase, and no field that is not named here."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


def utc(seconds: float) -> str:
    """Write a time, seconds since the Unix epoch, as RFC 3339 in UTC; what lies after the year 9999 as its end."""
    return datetime.fromtimestamp(min(int(seconds), _LAST_SECOND), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(time: datetime) -> int:
    """Return a time as the chain holds it."""
    return int(time.timestamp())


def unhex(text: str) -> bytes:
    """Read hexadecimal with 0x, already checked by its pattern."""
    return bytes.fromhex(text[2:])
