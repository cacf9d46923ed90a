"""
The records of the ledger as values.

Ids are 32 bytes; amounts of time are seconds since the Unix epoch as the chain holds them; sets of purposes are
integers with bit n for purpose n. Nothing here does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NewType

from ledger.domain.vocabulary import (
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    GrantStatus,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Purpose,
    Role,
    Technique,
    TransferStatus,
)

PassportId = NewType("PassportId", bytes)
GrantId = NewType("GrantId", bytes)
TransferId = NewType("TransferId", bytes)
Commitment = NewType("Commitment", bytes)
Salt = NewType("Salt", bytes)
Address = NewType("Address", str)

ZERO32 = bytes(32)
NO_GRANT = GrantId(ZERO32)


@dataclass(frozen=True, slots=True)
class Member:
    """An institution on the whitelist."""

    member_id: int
    name: str
    signer: Address
    roles: Role
    purposes: int
    jurisdiction: int
    valid_to: int
    status: MemberStatus
    signing_key: bytes
    sealing_key: bytes


@dataclass(frozen=True, slots=True)
class Admission:
    """What the committee states about an institution when it admits it; as `Member`, before it has a number."""

    name: str
    signer: Address
    roles: Role
    purposes: int
    jurisdiction: int
    valid_to: int
    signing_key: bytes
    sealing_key: bytes


@dataclass(frozen=True, slots=True)
class Passport:
    """The on-chain record of one data asset."""

    passport_id: PassportId
    custodian: int
    purposes: int
    status: PassportStatus
    custody: Custody
    holder: Address
    content: Commitment
    size: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """What a holder signs. The order of the fields is that of the EIP-712 type."""

    grant_id: GrantId
    passport_id: PassportId
    recipient: int
    purposes: int
    categories: Category
    use_from: int
    use_to: int
    max_uses: int
    flags: GrantFlag
    terms: Commitment
    supersedes: GrantId
    deadline: int


@dataclass(frozen=True, slots=True)
class GrantState:
    """A grant as the contract stores it."""

    recipient: int
    purposes: int
    categories: Category
    use_from: int
    use_to: int
    max_uses: int
    uses: int
    flags: GrantFlag
    status: GrantStatus
    ended_at: int


@dataclass(frozen=True, slots=True)
class Project:
    """A member's filed undertaking."""

    project_id: int
    member_id: int
    purposes: int
    categories: Category
    techniques: Technique
    highest_class: DataClass
    valid_from: int
    valid_to: int
    agreement: Commitment
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request for access, as the contract takes it. `project_id` 0 and `grant_id` zero mean none."""

    passport_id: PassportId
    grant_id: GrantId
    commitment: Commitment
    purpose: Purpose
    basis: Basis
    operation: Operation
    categories: Category
    project_id: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a request, as the contract packs it."""

    seq: int
    policy_version: int
    project_id: int
    categories: Category
    purpose: Purpose
    basis: Basis
    operation: Operation
    data_class: DataClass
    outcome: Outcome
    facts: Fact
    missing: Fact


@dataclass(frozen=True, slots=True)
class Transfer:
    """Custody moving between two members."""

    transfer_id: TransferId
    passport_id: PassportId
    sender: int
    recipient: int
    seq: int
    status: TransferStatus
    content: Commitment
    received_content: Commitment | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where on the chain something stands, and when. `time` is the block's, seconds since the Unix epoch."""

    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int
    time: int


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded log of the ledger: the event's name, its arguments by name, and where it stands."""

    name: str
    arguments: dict[str, Any] = field(hash=False)
    position: Position


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What the indexer needs of a block."""

    number: int
    block_hash: bytes
    parent_hash: bytes
    time: int


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """
    One version of the law.

    `required` has 48 words at index `(data class - 1) * 16 + purpose`; bits `32 * basis` upwards of a word are the
    facts required on that basis. `necessary` holds 16 sets of categories of 16 bits, by purpose.
    """

    version: int
    required: tuple[int, ...]
    necessary: int
    core_categories: Category
    sensitive_categories: Category
    banned_purposes: int
    max_grant_seconds: int

    def required_for(self, data_class: DataClass, purpose: Purpose, basis: Basis) -> Fact:
        """Return the facts required; the empty set means that this basis never justifies this purpose."""
        return Fact(self.required[(data_class - 1) * 16 + purpose] >> (32 * basis) & 0xFFFFFFFF)

    def necessary_for(self, purpose: Purpose) -> Category:
        """Return the categories that the purpose may touch."""
        return Category(self.necessary >> (16 * purpose) & 0xFFFF)
