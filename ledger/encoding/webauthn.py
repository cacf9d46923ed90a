"""
Signatures by passkeys, as OpenZeppelin's ERC7913WebAuthnVerifier reads them.

The verifier checks type, challenge, presence and verification of the user, and the signature. It checks neither the
origin nor the relying party: whoever relays does, with what is read here.

Source: Web Authentication Level 2, sections 5.8.1 and 6.1; ERC-7913.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode

from ledger.encoding.hexadecimal import to_hex
from ledger.errors import SignatureRejected

#: The order of the curve P-256.
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_WORD: Final = 32
_ADDRESS_BYTES: Final = 20
_POINT_BYTES: Final = 64
#: Six words: r, s, two indices and two offsets.
_HEAD_BYTES: Final = 6 * _WORD
_FEWEST_AUTHENTICATOR_BYTES: Final = 37
_USER_PRESENT: Final = 0x01
_USER_VERIFIED: Final = 0x04
#: A bare P-256 signature, with or without a recovery byte.
_BARE_BYTES: Final = (64, 65)


@dataclass(frozen=True, slots=True)
class Assertion:
    """
    What a passkey says besides that it signed.

    Attributes:
        rp_id_hash: SHA-256 of the relying party's id.
        user_present: Somebody touched it.
        user_verified: It knows who: by PIN, finger or face.
        origin: Where the browser was.
    """

    rp_id_hash: bytes
    user_present: bool
    user_verified: bool
    origin: str


def is_point_key(key: str) -> bool:
    """Tell whether a key (`0x` hexadecimal) is that of a verifier for a point of a curve: P-256 or a passkey."""
    return len(key) == 2 + 2 * (_ADDRESS_BYTES + _POINT_BYTES)


def is_bare(signature: bytes) -> bool:
    """Tell whether a signature is r and s alone, made by a key that no browser guards."""
    return len(signature) in _BARE_BYTES


def passkey(verifier: str, *, x: int, y: int) -> str:
    """Return a holder's key: the verifier's address and the point, `0x` and lower-case hexadecimal."""
    return verifier.lower() + x.to_bytes(_WORD, "big").hex() + y.to_bytes(_WORD, "big").hex()


def pack_assertion(
    *, r: int, s: int, authenticator_data: bytes, client_data_json: bytes, lower_s: bool = True
) -> bytes:
    """
    Write an assertion as the verifier reads it.

    Args:
        r: Of the signature.
        s: Of the signature; brought into the lower half, as the verifier demands, unless *lower_s* is False.
        authenticator_data: As the authenticator gave it.
        client_data_json: As the browser gave it.
        lower_s: Whether to bring s into the lower half.

    Raises:
        SignatureRejected: The client data is not that of an assertion.
    """
    if lower_s:
        s = min(s, P256_ORDER - s)
    challenge, kind = client_data_json.find(b'"challenge":"'), client_data_json.find(b'"type":"webauthn.get"')
    if min(challenge, kind) < 0:
        raise SignatureRejected("this is not the client data of an assertion")
    return encode(
        ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
        [
            r.to_bytes(_WORD, "big"),
            s.to_bytes(_WORD, "big"),
            challenge,
            kind,
            authenticator_data,
            client_data_json.decode(),
        ],
    )


def read_assertion(signature: bytes) -> Assertion:
    """
    Read an assertion, the very bytes that the verifier reads.

    Raises:
        SignatureRejected: It is none.
    """
    try:
        authenticator_data = _part(signature, 4)
        client_data: Any = json.loads(_part(signature, 5))
        if len(authenticator_data) < _FEWEST_AUTHENTICATOR_BYTES:
            raise ValueError
        origin = client_data["origin"]
        if not isinstance(origin, str):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SignatureRejected(
            "a passkey's signature is an assertion, and this is none",
            fix="Send r, s, both indices, authenticatorData and clientDataJSON, ABI-encoded.",
        ) from None
    marks = authenticator_data[_WORD]
    return Assertion(
        rp_id_hash=authenticator_data[:_WORD],
        user_present=bool(marks & _USER_PRESENT),
        user_verified=bool(marks & _USER_VERIFIED),
        origin=origin,
    )


def describe(assertion: Assertion) -> str:
    """Return where an assertion was made, for an error."""
    return f"{assertion.origin!r} for relying party {to_hex(assertion.rp_id_hash)}"


def _part(signature: bytes, place: int) -> bytes:
    if len(signature) < _HEAD_BYTES:
        raise ValueError
    offset = int.from_bytes(signature[place * _WORD : (place + 1) * _WORD], "big")
    start = offset + _WORD
    if start > len(signature):
        raise ValueError
    length = int.from_bytes(signature[offset:start], "big")
    if start + length > len(signature):
        raise ValueError
    return signature[start : start + length]
