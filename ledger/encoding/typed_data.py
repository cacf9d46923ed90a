"""
What people sign: EIP-712 typed data, and who signed it.

Source: EIP-712; docs/spec.md, "Grant", "Revocation" and "Sign-in".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

from ledger.domain.records import Address, Grant
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import SignatureRejected

#: Half the order of secp256k1: a signature with a larger s is the flipped twin of a valid one.
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_SIGNATURE_BYTES: Final = 65

_DOMAIN_TYPE: Final = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_GRANT_TYPE: Final = [
    {"name": "grantId", "type": "bytes32"},
    {"name": "passportId", "type": "bytes32"},
    {"name": "recipient", "type": "uint32"},
    {"name": "purposes", "type": "uint16"},
    {"name": "categories", "type": "uint16"},
    {"name": "useFrom", "type": "uint40"},
    {"name": "useTo", "type": "uint40"},
    {"name": "maxUses", "type": "uint24"},
    {"name": "flags", "type": "uint8"},
    {"name": "terms", "type": "bytes32"},
    {"name": "supersedes", "type": "bytes32"},
    {"name": "deadline", "type": "uint40"},
]
_REVOCATION_TYPE: Final = [{"name": "passportId", "type": "bytes32"}, {"name": "grantId", "type": "bytes32"}]
_SIGN_IN_TYPE: Final = [
    {"name": "holder", "type": "address"},
    {"name": "origin", "type": "string"},
    {"name": "challenge", "type": "bytes32"},
    {"name": "expiresAt", "type": "uint40"},
]


@dataclass(frozen=True, slots=True)
class LedgerDomain:
    """The EIP-712 domain: which ledger on which chain a signature is for."""

    chain_id: int
    ledger: Address

    def as_json(self) -> dict[str, Any]:
        """Return the domain object of the typed data."""
        return {
            "name": "PassportLedger",
            "version": "1",
            "chainId": self.chain_id,
            "verifyingContract": self.ledger,
        }


def grant_message(grant: Grant) -> dict[str, Any]:
    """Return the message object of a grant; field names and order are those of the EIP-712 type."""
    return {
        "grantId": to_hex(grant.grant_id),
        "passportId": to_hex(grant.passport_id),
        "recipient": grant.recipient,
        "purposes": grant.purposes,
        "categories": int(grant.categories),
        "useFrom": grant.use_from,
        "useTo": grant.use_to,
        "maxUses": grant.max_uses,
        "flags": int(grant.flags),
        "terms": to_hex(grant.terms),
        "supersedes": to_hex(grant.supersedes),
        "deadline": grant.deadline,
    }


def grant_typed_data(domain: LedgerDomain, grant: Grant) -> dict[str, Any]:
    """Return the typed data of a grant, ready for `eth_signTypedData_v4`."""
    return _typed_data(domain, "Grant", _GRANT_TYPE, grant_message(grant))


def revocation_typed_data(domain: LedgerDomain, *, passport_id: bytes, grant_id: bytes) -> dict[str, Any]:
    """Return the typed data of a withdrawal. It has no deadline: nobody may run out of time to say no."""
    message = {"passportId": to_hex(passport_id), "grantId": to_hex(grant_id)}
    return _typed_data(domain, "Revocation", _REVOCATION_TYPE, message)


def sign_in_typed_data(
    domain: LedgerDomain, *, holder: str, origin: str, challenge: bytes, expires_at: int
) -> dict[str, Any]:
    """Return the typed data a holder signs to sign in at *origin*, before *expires_at* (seconds, chain epoch)."""
    message = {"holder": holder, "origin": origin, "challenge": to_hex(challenge), "expiresAt": expires_at}
    return _typed_data(domain, "SignIn", _SIGN_IN_TYPE, message)


def signable(typed_data: dict[str, Any]) -> SignableMessage:
    """Return what is signed for the typed data."""
    return encode_typed_data(full_message=typed_data)


def digest(typed_data: dict[str, Any]) -> bytes:
    """Return the 32 bytes that the key signs."""
    message = signable(typed_data)
    return keccak(b"\x19" + message.version + message.header + message.body)


def sign(typed_data: dict[str, Any], *, private_key: bytes) -> bytes:
    """Sign typed data with a secp256k1 key of 32 bytes; returns r, s, v in 65 bytes, s in the lower half."""
    return bytes(Account.sign_message(signable(typed_data), private_key).signature)


def recover(typed_data: dict[str, Any], signature: bytes) -> Address:
    """
    Find who signed typed data.

    Returns:
        The signer's address in lower case.

    Raises:
        SignatureRejected: Not 65 bytes, the flipped twin of a signature (s in the upper half), or not a signature.
    """
    if len(signature) != _SIGNATURE_BYTES:
        raise SignatureRejected(f"a signature has {_SIGNATURE_BYTES} bytes, this one has {len(signature)}")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise SignatureRejected(
            "the signature's s is in the upper half: it is the flipped twin of another one"
        )
    try:
        return Address(Account.recover_message(signable(typed_data), signature=signature).lower())
    except Exception as error:  # the library raises several unrelated types for bytes that are no signature
        raise SignatureRejected("this is not a signature") from error


def _typed_data(
    domain: LedgerDomain, primary: str, fields: list[dict[str, str]], message: dict[str, Any]
) -> dict[str, Any]:
    return {
        "types": {"EIP712Domain": _DOMAIN_TYPE, primary: fields},
        "primaryType": primary,
        "domain": domain.as_json(),
        "message": message,
    }
