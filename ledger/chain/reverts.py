"""
The contract's errors as the ledger's errors. The only place that knows selectors.

A revert that this table does not know is never swallowed: it is an `UnknownRevert` with its selector.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from eth_abi.exceptions import DecodingError

from ledger.chain import artifacts
from ledger.encoding.abi import decode
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
    "Members_AlreadySet": (Conflict, "member {memberId} has that status already, or was expelled"),
    "Members_RoleReserved": (NotPermitted, "only the committee gives the roles {roles}"),
    "Members_HoldsSeat": (NotPermitted, "member {memberId} holds a seat: only the committee suspends it"),
    "Members_SelfEntrustment": (InvalidInput, "member {memberId} cannot entrust itself"),
    "Policy_BelowFloor": (
        InvalidInput,
        "entry {index} on basis {basis} requires {required}, but at least {floor} must be",
    ),
    "Policy_ClassesOverlap": (InvalidInput, "the categories {categories} are in class 1 and in class 2"),
    "Policy_LimitOutOfBounds": (
        InvalidInput,
        "no limit in time of the law may be zero, and those of emergencies and recovery at most ten years",
    ),
    "Passports_Unknown": (NotFound, "there is no passport {passportId}"),
    "Passports_Exists": (Conflict, "passport {passportId} exists already"),
    "Passports_Incomplete": (
        InvalidInput,
        "passport {passportId} lacks an id, purposes, content or a key (an account, or a verifier that has code)",
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
        "not a signature over these words, on this ledger, by who speaks for passport {passportId}",
    ),
    "Consents_Exists": (Conflict, "grant {grantId} exists already: a signature is good for one grant"),
    "Consents_Unknown": (NotFound, "grant {grantId} is another passport's"),
    "Consents_WrongStatus": (Conflict, "the status of grant {grantId} does not allow it (status {status})"),
    "Consents_Incomplete": (
        InvalidInput,
        "grant {grantId} lacks a recipient, purposes, categories, terms or evidence, or has an unknown flag, level or day",
    ),
    "Consents_EmptyPeriod": (InvalidInput, "the use period from {useFrom} to {useTo} is empty or over"),
    "Consents_TermTooLong": (
        InvalidInput,
        "the use period may end at {latest} at the latest, not at {useTo}",
    ),
    "Consents_BannedPurpose": (InvalidInput, "the law bans the purposes {purposes}"),
    "Consents_NotSeparate": (
        InvalidInput,
        "a separate grant names one recipient and one purpose, not the set {purposes}",
    ),
    "Consents_OutsideTemplate": (
        InvalidInput,
        "the grant does not fit inside template {template}, or that template is not in force",
    ),
    "Consents_LengthMismatch": (InvalidInput, "{grants} grants came with {proofs} signatures"),
    "Holders_BadKey": (
        InvalidInput,
        "a key is an account of 20 bytes, or a verifier that has code and a key after it, 512 bytes at most",
    ),
    "Holders_NoRecovery": (NotFound, "no recovery of passport {passportId} is under way"),
    "Holders_TooEarly": (
        Conflict,
        "the recovery of passport {passportId} waits until {readyAt} for an objection",
    ),
    "Holders_BadGuardians": (
        SignatureRejected,
        "these are not the guardians of passport {passportId}, or too few of them signed",
    ),
    "Projects_Incomplete": (
        InvalidInput,
        "a project needs purposes, categories, a class, a period that is not over, and a text",
    ),
    "Projects_Unknown": (NotFound, "there is no project {projectId}"),
    "Projects_NotOwner": (NotPermitted, "project {projectId} was filed by another member"),
    "Projects_AlreadyWithdrawn": (Conflict, "project {projectId} was withdrawn before"),
    "Projects_NotIndependent": (
        NotPermitted,
        "member {memberId} filed project {projectId}, gave its other approval, or did not give this one",
    ),
    "Attestations_NotQualified": (NotPermitted, "member {memberId} may not state this (kind {kind})"),
    "Attestations_Standing": (
        Conflict,
        "another member's statement about {subject} is in force (kind {kind})",
    ),
    "Emergencies_Unknown": (NotFound, "there is no such emergency {emergencyId}"),
    "Emergencies_Incomplete": (
        InvalidInput,
        "an emergency needs a reason and a period within the law, and may be sealed until its review at most",
    ),
    "Emergencies_RightLost": (
        NotPermitted,
        "member {memberId} lost its right to emergencies, or owes an overdue review",
    ),
    "Emergencies_QuotaSpent": (NotPermitted, "member {memberId} opened all emergencies of its 30 days"),
    "Emergencies_AlreadySet": (Conflict, "emergency {emergencyId} was reviewed, or ended, before"),
    "Emergencies_NotIndependent": (
        NotPermitted,
        "member {memberId} had a part in emergency {emergencyId}: somebody else must review it",
    ),
    "Committee_Only": (NotPermitted, "account {caller} is not the committee"),
    "Committee_NoSeat": (NotPermitted, "member {memberId} has no seat"),
    "Committee_NotAnAct": (InvalidInput, "no function {selector} is the committee's"),
    "Committee_Unknown": (NotFound, "there is no act {actId}"),
    "Committee_AlreadyApproved": (Conflict, "member {memberId} approved act {actId} before"),
    "Committee_AlreadyExecuted": (Conflict, "act {actId} was done before"),
    "Committee_NotReady": (
        Conflict,
        "act {actId} lacks approvals, a kind of seat, or time (ready at {readyAt})",
    ),
    "Committee_Expired": (Conflict, "act {actId} is older than 30 days"),
    "Committee_Incapable": (Conflict, "this would leave a committee that cannot act (kind {kind})"),
    "Committee_CannotSeat": (
        InvalidInput,
        "member {memberId} is not active, does not hold the committee's role, or all seats are taken",
    ),
    "Decisions_Empty": (InvalidInput, "there must be at least one request"),
    "Decisions_Malformed": (
        InvalidInput,
        "request {index} names an unknown purpose, basis, operation, level, emergency or controller, or no category",
    ),
    "Releases_Unknown": (NotFound, "passport {passportId} has no decision {seq}"),
    "Releases_AlreadyRecorded": (
        Conflict,
        "the release of decision {passportId}/{seq} is on record already",
    ),
    "Reviews_NotWaiting": (Conflict, "no such request waits for a review as {passportId}/{seq}"),
    "Reviews_NotIndependent": (
        NotPermitted,
        "member {memberId} had a part in request {passportId}/{seq}: somebody else must review it",
    ),
    "Reviews_NoInstrument": (
        InvalidInput,
        "request {passportId}/{seq} does not commit to the instrument that compels it",
    ),
    "Transfers_Exists": (Conflict, "transfer {transferId} exists already"),
    "Transfers_Unknown": (NotFound, "there is no transfer {transferId}"),
    "Transfers_NotPermitted": (
        NotPermitted,
        "decision {passportId}/{seq} is no unused permit to transfer that still stands",
    ),
    "Transfers_NotRecipient": (NotPermitted, "transfer {transferId} was not shipped to member {memberId}"),
    "Transfers_AlreadyReceived": (Conflict, "transfer {transferId} was received before"),
    "Transfers_NoContent": (
        InvalidInput,
        "transfer {transferId} has no commitment to content, report or evidence",
    ),
    "Transfers_NotQualified": (NotPermitted, "member {memberId} may not do this to transfer {transferId}"),
    "Transfers_Incomplete": (
        InvalidInput,
        "a transfer of many records lacks something, names too many countries or no place where its records are from",
    ),
    "Transfers_WrongStatus": (
        Conflict,
        "the status of transfer {transferId} does not allow it (status {status})",
    ),
    "Transfers_Lapsed": (
        Conflict,
        "what transfer {transferId} rests on has lapsed: agreement, clearance, parent or a membership",
    ),
    "Transfers_WrongCount": (
        Conflict,
        "transfer {transferId} holds {loaded} of {count} declared records: no more can be loaded, no less be shipped",
    ),
    "Transfers_NotInParent": (
        NotPermitted,
        "the sender of transfer {transferId} did not receive record {passportId} by its parent",
    ),
    "Transfers_NothingOverdue": (Conflict, "no report on transfer {transferId} is overdue"),
    "Agreements_Incomplete": (
        InvalidInput,
        "an agreement needs another member, purposes that are not banned, categories, a future end, a retention and a text",
    ),
    "Agreements_Unknown": (NotFound, "there is no agreement {agreementId}"),
    "Agreements_NotParty": (
        NotPermitted,
        "member {memberId} is not the side of agreement {agreementId} that may",
    ),
    "Agreements_WrongStatus": (
        Conflict,
        "the status of agreement {agreementId} does not allow it, or its time is over (status {status})",
    ),
    "Agreements_OtherText": (Conflict, "agreement {agreementId} was proposed with another text"),
    "Agreements_NotCovered": (
        NotPermitted,
        "agreement {agreementId} does not let this be given: not in force, between others, or narrower",
    ),
    "Borders_Incomplete": (
        InvalidInput,
        "a clearance lacks a path, a period that is not over, persons, a filing or its contract; or a threshold is zero",
    ),
    "Borders_Unknown": (NotFound, "there is no clearance {clearanceId}"),
    "Borders_NotQualified": (
        NotPermitted,
        "member {memberId} may not clear this, take it back, or put the member on the list",
    ),
    "Borders_Over": (Conflict, "clearance {clearanceId} has ended"),
    "Borders_Standing": (
        Conflict,
        "a certification cannot take the place of clearance {clearanceId}, which a regulator gave and is not over",
    ),
    "Borders_NotCleared": (
        NotPermitted,
        "nothing clears the data of member {exporter} for the border, for project {projectId}",
    ),
    "Datasets_Incomplete": (
        InvalidInput,
        "a dataset needs purposes that are not banned, categories, a future end of retention and a description",
    ),
    "Datasets_Unknown": (NotFound, "there is no dataset {datasetId}"),
    "Datasets_NotQualified": (NotPermitted, "member {memberId} may not do this to dataset {datasetId}"),
    "Datasets_OtherWithdrawals": (
        Conflict,
        "dataset {datasetId} has {withdrawals} withdrawals: the opinion is about another number",
    ),
    "Datasets_WrongStatus": (
        Conflict,
        "the status of dataset {datasetId} does not allow it (status {status})",
    ),
    "Lineage_Malformed": (
        InvalidInput,
        "a step of kind {kind} has another dataset, project, number of inputs or outputs, purposes or parameters",
    ),
    "Lineage_Exists": (Conflict, "{versionId} is no name for a new version: it is zero or taken"),
    "Lineage_Unknown": (NotFound, "there is no such version, or none of a model: {versionId}"),
    "Lineage_NotQualified": (NotPermitted, "member {memberId} may not do this to version {versionId}"),
    "Lineage_AlreadyVerified": (Conflict, "version {versionId} was verified before"),
    "Lineage_BadPart": (
        SignatureRejected,
        "member {memberId} is named twice or out of order, contributes nothing, or did not sign this step",
    ),
    "Lineage_Repeated": (
        Conflict,
        "this joint step was recorded before, refused or not: draft it anew, with another salt, and have it signed again",
    ),
    "Lineage_Incomplete": (
        InvalidInput,
        "{versionId} is neither data nor a model, or content, purposes or statement are missing or banned",
    ),
    "Shares_NotQualified": (
        NotPermitted,
        "member {memberId} may not share version {versionId}, or not with that member",
    ),
    "Shares_NotVerified": (Conflict, "nobody has checked version {versionId}, or it failed"),
    "Shares_NotCurrent": (
        Conflict,
        "version {versionId} is data that a withdrawal has reached, or whose retention or consents are over",
    ),
    "Shares_OnwardForbidden": (
        NotPermitted,
        "version {versionId} may not be passed on: somebody in it, or an agreement that it was made under, forbids it",
    ),
    "Lineage_NothingOwed": (Conflict, "no withdrawal waits for an answer in {versionId}, or none is overdue"),
    "Lineage_NoAnswer": (
        InvalidInput,
        "an answer for {versionId} needs evidence, and a successor that no withdrawal has reached if it is replaced",
    ),
    "GovernanceOffice_Founded": (Conflict, "the ledger was founded before"),
    "GovernanceOffice_FounderNotCommittee": (
        InvalidInput,
        "the founding member must hold the committee's role",
    ),
    "Forwards_NoOffice": (InvalidInput, "there is no office at {office}"),
    "AddressEmptyCode": (InvalidInput, "there is no code at {target}"),
    "FailedCall": (Conflict, "a call within the ledger failed"),
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
