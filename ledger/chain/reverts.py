"""
The contract's errors as the ledger's errors. The only place that knows selectors.

A revert that this table does not know is never swallowed: it is an `UnknownRevert` with its selector.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from ledger.chain import artifacts
from ledger.encoding.events import canonical_type, selector
from ledger.errors import (
    Conflict,
    InvalidInput,
    LedgerError,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    SignatureExpired,
    SignatureRejected,
    UnknownRevert,
)

#: For each error of the contract: what it is to a caller, and its words. `{name}` is an argument of the error.
REVERTS: Final[dict[str, tuple[type[LedgerError], str]]] = {
    "Members_NotMember": (NotAuthenticated, "account {caller} signs for no member"),
    "Members_NotActive": (NotPermitted, "member {memberId} is suspended or its membership has ended"),
    "Members_MissingRole": (NotPermitted, "member {memberId} does not hold role {role}"),
    "Members_Unknown": (NotFound, "there is no member {memberId}"),
    "Members_KeyInUse": (Conflict, "another member already uses the key {key}"),
    "Members_Incomplete": (
        InvalidInput,
        "a member needs a signer, two keys, a role, a name of 1 to 64 bytes and a future end",
    ),
    "Members_AlreadySet": (Conflict, "member {memberId} has that status already"),
    "Policy_BelowFloor": (
        InvalidInput,
        "entry {index} on basis {basis} requires {required}, but at least {floor} must be",
    ),
    "Policy_ClassesOverlap": (InvalidInput, "the categories {categories} are in class 1 and in class 2"),
    "Policy_ZeroGrantTerm": (InvalidInput, "the longest use period must not be zero"),
    "Passports_Unknown": (NotFound, "there is no passport {passportId}"),
    "Passports_Exists": (Conflict, "passport {passportId} exists already"),
    "Passports_Incomplete": (
        InvalidInput,
        "passport {passportId} lacks an id, a holder, purposes or content",
    ),
    "Passports_NotCustodian": (NotPermitted, "member {memberId} does not keep passport {passportId}"),
    "Passports_WrongStatus": (
        Conflict,
        "passport {passportId} is sealed or destroyed, or not sealed (status {status})",
    ),
    "Passports_NotNarrower": (Conflict, "purposes only narrow: {given} is no smaller part of {current}"),
    "Consents_SignatureExpired": (SignatureExpired, "the grant had to reach the ledger by {deadline}"),
    "Consents_InvalidSignature": (
        SignatureRejected,
        "not the signature of holder {holder} over these words on this ledger",
    ),
    "Consents_Exists": (Conflict, "grant {grantId} exists already: a signature is good for one grant"),
    "Consents_Unknown": (NotFound, "grant {grantId} is another passport's"),
    "Consents_NotActive": (Conflict, "grant {grantId} is not active"),
    "Consents_Incomplete": (
        InvalidInput,
        "grant {grantId} lacks purposes, categories or terms, or has unknown flags",
    ),
    "Consents_EmptyPeriod": (InvalidInput, "the use period from {useFrom} to {useTo} is empty or over"),
    "Consents_TermTooLong": (
        InvalidInput,
        "the use period may end at {latest} at the latest, not at {useTo}",
    ),
    "Consents_BannedPurpose": (InvalidInput, "the law bans the purposes {purposes}"),
    "Consents_NotSeparate": (InvalidInput, "a separate grant names one purpose, not the set {purposes}"),
    "Consents_LengthMismatch": (InvalidInput, "{grants} grants came with {signatures} signatures"),
    "Projects_Incomplete": (
        InvalidInput,
        "a project needs purposes, categories, a class, a period that is not over, and a text",
    ),
    "Projects_Unknown": (NotFound, "there is no project {projectId}"),
    "Projects_NotOwner": (NotPermitted, "project {projectId} was filed by another member"),
    "Projects_AlreadyWithdrawn": (Conflict, "project {projectId} was withdrawn before"),
    "Decisions_Empty": (InvalidInput, "there must be at least one request"),
    "Decisions_Malformed": (
        InvalidInput,
        "request {index} names an unknown purpose, basis or operation, or no category",
    ),
    "Decisions_Unknown": (NotFound, "passport {passportId} has no decision {seq}"),
    "Decisions_AlreadyReleased": (
        Conflict,
        "the release of decision {passportId}/{seq} is on record already",
    ),
    "Transfers_Exists": (Conflict, "transfer {transferId} exists already"),
    "Transfers_Unknown": (NotFound, "there is no transfer {transferId}"),
    "Transfers_NotPermitted": (
        NotPermitted,
        "decision {passportId}/{seq} is no unused permit to transfer that still stands",
    ),
    "Transfers_NotRecipient": (NotPermitted, "transfer {transferId} was not shipped to member {memberId}"),
    "Transfers_AlreadyReceived": (Conflict, "transfer {transferId} was received before"),
    "Transfers_NoContent": (InvalidInput, "transfer {transferId} has no content commitment"),
    "PassportLedger_FounderNotCommittee": (
        InvalidInput,
        "the founding member must hold the committee's role",
    ),
    "PassportLedger_CommitteeRequired": (NotPermitted, "a ledger cannot be left without a committee"),
    "OwnableUnauthorizedAccount": (NotPermitted, "account {account} is not the committee"),
    "OwnableInvalidOwner": (InvalidInput, "account {owner} cannot be the committee"),
    "InvalidShortString": (InvalidInput, "a string of the contract is invalid"),
    "StringTooLong": (InvalidInput, "a string is too long for the contract: {str}"),
}


def error_for_revert(data: str, message: str) -> LedgerError:
    """
    Translate a revert.

    Args:
        data: The revert data: `0x`, selector and encoded arguments.
        message: What the node said.

    Returns:
        The ledger's error; `UnknownRevert` with the selector for anything that is not in `REVERTS`.
    """
    entry = _errors().get(data[2:10].lower())
    if entry is None:
        return UnknownRevert(f"the contract refused with an unknown error {data[:10]}: {message}")
    kind, words = REVERTS[entry["name"]]
    try:
        values = decode([canonical_type(item) for item in entry["inputs"]], bytes.fromhex(data[10:]))
    except (DecodingError, ValueError, OverflowError):
        return UnknownRevert(f"the contract refused with {entry['name']}, but its arguments cannot be read")
    arguments = {item["name"]: _word(value) for item, value in zip(entry["inputs"], values, strict=True)}
    return kind(words.format(**arguments))


@cache
def _errors() -> dict[str, dict[str, Any]]:
    return {selector(entry).hex(): entry for entry in artifacts.load().abi if entry["type"] == "error"}


def _word(value: Any) -> Any:
    return "0x" + value.hex() if isinstance(value, bytes) else value
