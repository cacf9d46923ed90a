"""
What people sign: EIP-712 typed data, and who signed it.

Source: EIP-712; docs/spec.md, "Signatures", "Grant" and "Sign-in".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

from ledger.domain.lineage import Step
from ledger.domain.records import Address, Grant, HolderKey
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
    {"name": "recipientKinds", "type": "uint16"},
    {"name": "purposes", "type": "uint16"},
    {"name": "categories", "type": "uint16"},
    {"name": "useFrom", "type": "uint32"},
    {"name": "useTo", "type": "uint32"},
    {"name": "dataFrom", "type": "uint16"},
    {"name": "dataTo", "type": "uint16"},
    {"name": "maxUses", "type": "uint16"},
    {"name": "level", "type": "uint8"},
    {"name": "flags", "type": "uint8"},
    {"name": "template", "type": "uint32"},
    {"name": "terms", "type": "bytes32"},
    {"name": "supersedes", "type": "bytes32"},
    {"name": "deadline", "type": "uint32"},
]
_PASSPORT_ID: Final = {"name": "passportId", "type": "bytes32"}
_GRANT_ID: Final = {"name": "grantId", "type": "bytes32"}
_EPOCH: Final = {"name": "epoch", "type": "uint16"}
_NONCE: Final = {"name": "nonce", "type": "uint32"}
_REVOCATION_TYPE: Final = [_PASSPORT_ID, _GRANT_ID]
_CONFIRMATION_TYPE: Final = [_PASSPORT_ID, _GRANT_ID, {"name": "control", "type": "uint16"}]
_ROTATION_TYPE: Final = [
    _PASSPORT_ID,
    {"name": "holder", "type": "bytes"},
    {"name": "custody", "type": "uint8"},
    _EPOCH,
]
_GUARDIANS_TYPE: Final = [_PASSPORT_ID, {"name": "guardians", "type": "bytes32"}, _EPOCH, _NONCE]
_RECOVERY_TYPE: Final = [_PASSPORT_ID, {"name": "holder", "type": "bytes"}, _EPOCH, _NONCE]
_OBJECTION_TYPE: Final = [_PASSPORT_ID, {"name": "readyAt", "type": "uint32"}, _EPOCH]
_DELEGATION_TYPE: Final = [
    _PASSPORT_ID,
    {"name": "delegate", "type": "bytes"},
    {"name": "validTo", "type": "uint32"},
    _EPOCH,
    _NONCE,
]
#: In the order of `ILineage.Step`.
_STEP_TYPE: Final = [
    {"name": "kind", "type": "uint8"},
    {"name": "datasetId", "type": "uint32"},
    {"name": "projectId", "type": "uint32"},
    {"name": "purposes", "type": "uint16"},
    {"name": "epsilon", "type": "uint64"},
    {"name": "inputs", "type": "bytes32[]"},
    {"name": "outputs", "type": "bytes32[]"},
    {"name": "tool", "type": "bytes32"},
    {"name": "parameters", "type": "bytes32"},
]
_PART_TYPE: Final = [
    {"name": "recorder", "type": "uint32"},
    {"name": "memberId", "type": "uint32"},
    {"name": "contribution", "type": "bytes32"},
    {"name": "step", "type": "Step"},
]
_SIGN_IN_TYPE: Final = [
    {"name": "holder", "type": "address"},
    {"name": "origin", "type": "string"},
    {"name": "challenge", "type": "bytes32"},
    {"name": "expiresAt", "type": "uint40"},
]
#: For a holder's key that is not an account.
_KEY_SIGN_IN_TYPE: Final = [{"name": "holder", "type": "bytes"}, *_SIGN_IN_TYPE[1:]]
#: `0x` and 40 digits.
_ACCOUNT_CHARACTERS: Final = 42


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
        "recipientKinds": grant.recipient_kinds,
        "purposes": grant.purposes,
        "categories": int(grant.categories),
        "useFrom": grant.use_from,
        "useTo": grant.use_to,
        "dataFrom": grant.data_from,
        "dataTo": grant.data_to,
        "maxUses": grant.max_uses,
        "level": int(grant.level),
        "flags": int(grant.flags),
        "template": grant.template,
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


def refusal_typed_data(domain: LedgerDomain, *, passport_id: bytes, grant_id: bytes) -> dict[str, Any]:
    """Return the typed data of a refusal of what was asked for."""
    message = {"passportId": to_hex(passport_id), "grantId": to_hex(grant_id)}
    return _typed_data(domain, "Refusal", _REVOCATION_TYPE, message)


def repudiation_typed_data(domain: LedgerDomain, *, passport_id: bytes, grant_id: bytes) -> dict[str, Any]:
    """Return the typed data of a repudiation: a consent filed in the subject's name was never given."""
    message = {"passportId": to_hex(passport_id), "grantId": to_hex(grant_id)}
    return _typed_data(domain, "Repudiation", _REVOCATION_TYPE, message)


def confirmation_typed_data(
    domain: LedgerDomain, *, passport_id: bytes, grant_id: bytes, control: int
) -> dict[str, Any]:
    """Return the typed data of a confirmation; *control* is the recipient's present one."""
    message = {"passportId": to_hex(passport_id), "grantId": to_hex(grant_id), "control": control}
    return _typed_data(domain, "Confirmation", _CONFIRMATION_TYPE, message)


def rotation_typed_data(
    domain: LedgerDomain, *, passport_id: bytes, holder: bytes, custody: int, epoch: int
) -> dict[str, Any]:
    """Return the typed data with which the old key names the new one."""
    message = {
        "passportId": to_hex(passport_id),
        "holder": to_hex(holder),
        "custody": custody,
        "epoch": epoch,
    }
    return _typed_data(domain, "Rotation", _ROTATION_TYPE, message)


def guardians_typed_data(
    domain: LedgerDomain, *, passport_id: bytes, guardians: bytes, epoch: int, nonce: int
) -> dict[str, Any]:
    """Return the typed data that names guardians; *guardians* is their commitment, 32 bytes."""
    message = {
        "passportId": to_hex(passport_id),
        "guardians": to_hex(guardians),
        "epoch": epoch,
        "nonce": nonce,
    }
    return _typed_data(domain, "Guardians", _GUARDIANS_TYPE, message)


def recovery_typed_data(
    domain: LedgerDomain, *, passport_id: bytes, holder: bytes, epoch: int, nonce: int
) -> dict[str, Any]:
    """Return the typed data with which guardians name a new key for one that was lost."""
    message = {"passportId": to_hex(passport_id), "holder": to_hex(holder), "epoch": epoch, "nonce": nonce}
    return _typed_data(domain, "Recovery", _RECOVERY_TYPE, message)


def objection_typed_data(
    domain: LedgerDomain, *, passport_id: bytes, ready_at: int, epoch: int
) -> dict[str, Any]:
    """Return the typed data with which a holder objects to a recovery."""
    message = {"passportId": to_hex(passport_id), "readyAt": ready_at, "epoch": epoch}
    return _typed_data(domain, "Objection", _OBJECTION_TYPE, message)


def delegation_typed_data(
    domain: LedgerDomain, *, passport_id: bytes, delegate: bytes, valid_to: int, epoch: int, nonce: int
) -> dict[str, Any]:
    """Return the typed data that lets somebody speak for the subject until *valid_to* (0 to end it)."""
    message = {
        "passportId": to_hex(passport_id),
        "delegate": to_hex(delegate),
        "validTo": valid_to,
        "epoch": epoch,
        "nonce": nonce,
    }
    return _typed_data(domain, "Delegation", _DELEGATION_TYPE, message)


def part_typed_data(
    domain: LedgerDomain, step: Step, *, recorder: int, member_id: int, contribution: bytes
) -> dict[str, Any]:
    """Return the typed data with which a member takes part in a step that *recorder* will record."""
    message = {
        "recorder": recorder,
        "memberId": member_id,
        "contribution": to_hex(contribution),
        "step": step_message(step),
    }
    return _typed_data(domain, "Part", _PART_TYPE, message, Step=_STEP_TYPE)


def step_message(step: Step) -> dict[str, Any]:
    """Return the message object of a step; field names and order are those of the EIP-712 type."""
    return {
        "kind": int(step.kind),
        "datasetId": step.dataset_id,
        "projectId": step.project_id,
        "purposes": step.purposes,
        "epsilon": step.epsilon,
        "inputs": [to_hex(name) for name in step.inputs],
        "outputs": [to_hex(name) for name in step.outputs],
        "tool": to_hex(step.tool),
        "parameters": to_hex(step.parameters),
    }


def sign_in_typed_data(
    domain: LedgerDomain, *, holder: str, origin: str, challenge: bytes, expires_at: int
) -> dict[str, Any]:
    """Return the typed data a holder signs to sign in at *origin*, before *expires_at* (seconds, chain epoch)."""
    message = {"holder": holder, "origin": origin, "challenge": to_hex(challenge), "expiresAt": expires_at}
    fields = _SIGN_IN_TYPE if len(holder) == _ACCOUNT_CHARACTERS else _KEY_SIGN_IN_TYPE
    return _typed_data(domain, "SignIn", fields, message)


def signable(typed_data: dict[str, Any]) -> SignableMessage:
    """Return what is signed for the typed data."""
    return encode_typed_data(full_message=typed_data)


def guardians_commitment(threshold: int, keys: Sequence[HolderKey]) -> bytes:
    """Return the commitment to those who can replace a lost key together; 32 zero bytes for nobody."""
    if not keys:
        return bytes(32)
    return keccak(encode(["uint8", "bytes[]"], [threshold, [bytes.fromhex(key[2:]) for key in keys]]))


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
    domain: LedgerDomain,
    primary: str,
    fields: list[dict[str, str]],
    message: dict[str, Any],
    **others: list[dict[str, str]],
) -> dict[str, Any]:
    return {
        "types": {"EIP712Domain": _DOMAIN_TYPE, primary: fields, **others},
        "primaryType": primary,
        "domain": domain.as_json(),
        "message": message,
    }
