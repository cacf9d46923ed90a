"""Who may do what in the service. The contract checks again; these checks give the clearer answer."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain.lineage import VersionId
from ledger.domain.records import Address, Member, PassportId
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import NotFound, NotPermitted
from ledger.policy import member_is_active
from ledger.ports import DatasetRecord, Index, PassportRecord, VersionRecord, Writer


def require_member(index: Index, member_id: int) -> Member:
    """
    Return a member.

    Raises:
        NotFound: There is no such member.
    """
    member = index.member(member_id)
    if member is None:
        raise NotFound(f"there is no member {member_id}", fix="GET /v1/members lists the members.")
    return member


def require_role(actor: Member, role: Role) -> None:
    """
    Check that a member holds a role.

    Raises:
        NotPermitted: It does not; the message names the role.
    """
    if role not in actor.roles:
        raise NotPermitted(f"{actor.name} does not hold the role {role.name}")


def require_active(actor: Member, at: int) -> None:
    """
    Check that a membership is in force at a time.

    Raises:
        NotPermitted: It is suspended or has ended.
    """
    if not member_is_active(actor, at):
        raise NotPermitted(
            f"{actor.name} is suspended, or its membership has ended",
            fix="Ask the committee to reinstate it.",
        )


def require_passport(index: Index, passport_id: PassportId) -> PassportRecord:
    """
    Find a passport.

    Raises:
        NotFound: There is none with this id.
    """
    record = index.passport(passport_id)
    if record is None:
        raise NotFound(f"there is no passport {to_hex(passport_id)}")
    return record


def require_passports(index: Index, passport_ids: Sequence[PassportId]) -> None:
    """
    Check that there are all of some passports.

    Raises:
        NotFound: There is one missing; the message names the first, and says how many.
    """
    known = index.known_passports(passport_ids)
    missing = [passport_id for passport_id in passport_ids if passport_id not in known]
    if missing:
        others = f", nor {len(missing) - 1} others of these" if len(missing) > 1 else ""
        raise NotFound(f"there is no passport {to_hex(missing[0])}{others}")


def require_dataset(index: Index, dataset_id: int) -> DatasetRecord:
    """
    Find a dataset.

    Raises:
        NotFound: There is none with this number.
    """
    record = index.dataset(dataset_id)
    if record is None:
        raise NotFound(f"there is no dataset {dataset_id}", fix="GET /v1/datasets lists the datasets.")
    return record


def require_version(index: Index, version_id: VersionId) -> VersionRecord:
    """
    Find a version.

    Raises:
        NotFound: There is none of this name.
    """
    record = index.version(version_id)
    if record is None:
        raise NotFound(
            f"there is no version {to_hex(version_id)}",
            fix="A version is named by the commitment that a step made; see GET /v1/steps.",
        )
    return record


def require_custodian(index: Index, actor: Member, passport_id: PassportId) -> PassportRecord:
    """
    Find a passport that a member keeps.

    Raises:
        NotFound: There is none with this id.
        NotPermitted: Somebody else keeps it.
    """
    record = require_passport(index, passport_id)
    if record.passport.custodian != actor.member_id:
        raise NotPermitted(
            f"{actor.name} does not keep passport {to_hex(passport_id)}",
            fix="Only its custodian can do this.",
        )
    return record


def signer_of(writer: Writer, actor: Member) -> Address:
    """
    Return the account that signs for a member here.

    Raises:
        NotPermitted: This service does not hold the member's chain key.
    """
    if not writer.has_key(actor.signer):
        raise NotPermitted(
            f"this service does not hold the chain key of {actor.name}",
            fix="Send the request to the service that your institution runs.",
        )
    return actor.signer
