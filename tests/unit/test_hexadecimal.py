"""Bytes at the edges."""

from __future__ import annotations

import pytest

from ledger.encoding.hexadecimal import address, bytes32, from_hex, to_hex
from ledger.errors import InvalidInput


def test_bytes_are_written_in_lower_case():
    """`0x` and lower-case digits."""
    assert to_hex(b"\xab\x00") == "0xab00"


def test_words_of_32_bytes_are_read():
    """Upper and lower case alike."""
    assert bytes32("0x" + "aB" * 32) == b"\xab" * 32


@pytest.mark.parametrize("text", ["", "0x", "ab" * 32, "0x" + "a" * 63, "0x" + "a" * 66, "0x" + "g" * 64])
def test_other_words_are_refused(text):
    """The message names the field."""
    with pytest.raises(InvalidInput, match="passport must be 0x and 64"):
        bytes32(text, field="passport")


def test_a_trailing_newline_is_refused():
    """A regular expression's `$` would let it pass."""
    with pytest.raises(InvalidInput):
        bytes32("0x" + "a" * 64 + "\n")
    with pytest.raises(InvalidInput):
        address("0x" + "a" * 40 + "\n")


def test_bytes_of_any_length_are_read():
    """Also none."""
    assert from_hex("0x") == b""
    assert from_hex("0xFf01") == b"\xff\x01"


@pytest.mark.parametrize("text", ["ff", "0xf", "0xzz", None, 1, b"0x00"])
def test_what_is_no_hexadecimal_is_refused(text):
    """Bytes, numbers and odd digits are not."""
    with pytest.raises(InvalidInput, match="value must be"):
        from_hex(text)


def test_too_many_bytes_are_refused():
    """The bound is in the message."""
    with pytest.raises(InvalidInput, match="longer than 2 bytes"):
        from_hex("0x010203", max_bytes=2)


def test_an_address_becomes_lower_case():
    """Checksums are not kept."""
    assert address("0x" + "AB" * 20) == "0x" + "ab" * 20


@pytest.mark.parametrize("text", ["0x" + "a" * 39, "0x" + "a" * 41, "a" * 40])
def test_what_is_no_address_is_refused(text):
    """The message names the field."""
    with pytest.raises(InvalidInput, match="holder must be"):
        address(text, field="holder")
