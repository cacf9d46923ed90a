"""Bytes as `0x` and lower-case hexadecimal, at the edges only."""

from __future__ import annotations

import re

from ledger.errors import InvalidInput

_HEX32 = re.compile(r"\A0x[0-9a-fA-F]{64}\Z")
_ADDRESS = re.compile(r"\A0x[0-9a-fA-F]{40}\Z")


def to_hex(value: bytes) -> str:
    """Write bytes as `0x` and lower-case digits."""
    return "0x" + value.hex()


def bytes32(text: str, *, field: str = "id") -> bytes:
    """
    Read 32 bytes.

    Raises:
        InvalidInput: Not `0x` and 64 hexadecimal digits; the message names *field*.
    """
    if not _HEX32.match(text):
        raise InvalidInput(f"{field} must be 0x and 64 hexadecimal digits", field=field)
    return bytes.fromhex(text[2:])


def from_hex(text: str, *, field: str = "value", max_bytes: int = 65_536) -> bytes:
    """
    Read bytes of any length up to *max_bytes*.

    Raises:
        InvalidInput: Not `0x` and an even number of hexadecimal digits, or too long; the message names *field*.
    """
    try:
        if not text.startswith("0x"):
            raise ValueError
        value = bytes.fromhex(text[2:])
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput(
            f"{field} must be 0x and an even number of hexadecimal digits", field=field
        ) from None
    if len(value) > max_bytes:
        raise InvalidInput(f"{field} is longer than {max_bytes} bytes", field=field)
    return value


def address(text: str, *, field: str = "address") -> str:
    """
    Read an account's address; returned in lower case.

    Raises:
        InvalidInput: Not `0x` and 40 hexadecimal digits; the message names *field*.
    """
    if not _ADDRESS.match(text):
        raise InvalidInput(f"{field} must be 0x and 40 hexadecimal digits", field=field)
    return text.lower()
