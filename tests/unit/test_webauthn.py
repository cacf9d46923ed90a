"""Assertions of passkeys, read and written byte for byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.encoding.webauthn import (
    P256_ORDER,
    is_bare,
    is_point_key,
    pack_assertion,
    passkey,
    read_assertion,
)
from ledger.errors import SignatureRejected

AUTHENTICATOR = b"\xaa" * 32 + b"\x05" + b"\x00\x00\x00\x09"


def client_data(**changes: object) -> bytes:
    fields = {"type": "webauthn.get", "challenge": "AQEB", "origin": "https://here.test", **changes}
    return json.dumps(fields, separators=(",", ":")).encode()


def packed(**changes: object) -> bytes:
    words = {
        "r": 1,
        "s": 2,
        "authenticator_data": AUTHENTICATOR,
        "client_data_json": client_data(),
        **changes,
    }
    return pack_assertion(**words)  # type: ignore[arg-type]


def test_what_is_written_is_read():
    assertion = read_assertion(packed())
    assert assertion.rp_id_hash == b"\xaa" * 32
    assert (assertion.origin, assertion.user_present, assertion.user_verified) == (
        "https://here.test",
        True,
        True,
    )


@pytest.mark.parametrize(("flags", "marks"), [(0, (False, False)), (1, (True, False)), (4, (False, True))])
def test_flags_are_read(flags, marks):
    data = AUTHENTICATOR[:32] + bytes([flags]) + AUTHENTICATOR[33:]
    assertion = read_assertion(packed(authenticator_data=data))
    assert (assertion.user_present, assertion.user_verified) == marks


def test_s_is_brought_into_the_lower_half_unless_told_not_to():
    high = P256_ORDER - 2
    assert packed(s=high)[32:64] == (2).to_bytes(32, "big")
    assert packed(s=high, lower_s=False)[32:64] == high.to_bytes(32, "big")


def test_the_indices_point_at_challenge_and_type():
    """The verifier looks nowhere else."""
    data, signature = client_data(), packed()
    challenge, kind = (int.from_bytes(signature[start : start + 32], "big") for start in (64, 96))
    assert data[challenge:].startswith(b'"challenge":"AQEB"')
    assert data[kind:].startswith(b'"type":"webauthn.get"')


@pytest.mark.parametrize("data", [b"{}", client_data(type="webauthn.create"), b""])
def test_other_client_data_is_not_packed(data):
    with pytest.raises(SignatureRejected, match="not the client data"):
        packed(client_data_json=data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda signature: signature[:191],
        lambda signature: signature[:-32],
        lambda signature: signature[:128] + b"\xff" * 32 + signature[160:],
        lambda signature: signature[:160] + b"\xff" * 32 + signature[192:],
        lambda signature: signature.replace(b'"origin"', b'"origim"'),
        lambda signature: signature.replace(b'"https://here.test"', b'["https://here.tes"]'),
        lambda signature: signature.replace(b"{", b"["),
        lambda _: packed(authenticator_data=AUTHENTICATOR[:36]),
    ],
)
def test_a_damaged_assertion_is_refused(damage):
    with pytest.raises(SignatureRejected, match="this is none"):
        read_assertion(damage(packed()))


@given(st.binary(max_size=600))
def test_no_bytes_are_a_fault(signature):
    """Anything that anybody can send is an assertion or refused."""
    try:
        read_assertion(signature)
    except SignatureRejected:
        return
    assert len(signature) >= 192


def test_keys_of_points_and_bare_signatures_are_told():
    key = passkey("0x" + "Ab" * 20, x=1, y=2)
    assert key == "0x" + "ab" * 20 + "1".rjust(64, "0") + "2".rjust(64, "0")
    assert is_point_key(key)
    assert not is_point_key("0x" + "ab" * 20)
    assert [is_bare(bytes(length)) for length in (63, 64, 65, 66)] == [False, True, True, False]
