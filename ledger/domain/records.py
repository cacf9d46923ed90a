"""
The records of the ledger as values.

Ids are 32 bytes; amounts of time are seconds since the Unix epoch as the chain holds them; sets of purposes are
integers with bit n for purpose n. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NewType, Self

from ledger.domain.vocabulary import (
    AgreementStatus,
    Assurance,
    Basis,
    Category,
    Custody,
    DataClass,
    EmergencyFinding,
    EmergencyKind,
    Fact,
    GrantFlag,
    GrantStatus,
    Level,
    MemberKind,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Path,
    Purpose,
    Role,
    Technique,
    TransferFact,
    TransferStatus,
)

PassportId = NewType("PassportId", bytes)
GrantId = NewType("GrantId", bytes)
TransferId = NewType("TransferId", bytes)
Commitment = NewType("Commitment", bytes)
Salt = NewType("Salt", bytes)
Address = NewType("Address", str)
#: `0x` and lower-case hexadecimal; an `Address` is one of 20 bytes.
HolderKey = str
#: Whose data it is, as an exporter knows it: by the key of a holder that keeps it, else each passport by itself.
Person = HolderKey | PassportId

ZERO32 = bytes(32)
NO_GRANT = GrantId(ZERO32)


@dataclass(frozen=True, slots=True)
class Member:
    """An institution on the whitelist. `control`: how often control of it has changed hands."""

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
    kind: MemberKind = MemberKind.OTHER
    control: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """What is stated about an institution when it is admitted; as `Member`, before it has a number."""

    name: str
    signer: Address
    roles: Role
    purposes: int
    jurisdiction: int
    valid_to: int
    signing_key: bytes
    sealing_key: bytes
    kind: MemberKind = MemberKind.OTHER


@dataclass(frozen=True, slots=True)
class Entrustment:
    """What a controller entrusted a processor with, until `valid_to` (exclusive)."""

    purposes: int
    valid_to: int


@dataclass(frozen=True, slots=True)
class Caps:
    """
    Daily caps of a member and the permits of one day that count against them.

    Attributes:
        caps: 16 bits a purpose, 0 for no cap.
        day: Days since the Unix epoch that `used` is of.
        used: 16 bits a purpose.
    """

    caps: int = 0
    day: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True)
class Passport:
    """
    The on-chain record of one data asset.

    Attributes:
        holder: The key that speaks for the subject, `0x` and lower-case hexadecimal: the 20 bytes of an account, or
            those of an ERC-7913 verifier and the key after them.
        level: Level of de-identification that the data has in any case.
        lock: Emergency under which the data was obtained, or 0.
        epoch: How often the holder's key was replaced.
    """

    passport_id: PassportId
    custodian: int
    purposes: int
    status: PassportStatus
    custody: Custody
    holder: HolderKey
    content: Commitment
    size: int = 0
    level: Level = Level.IDENTIFIED
    lock: int = 0
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """What a holder signs. The order of the fields is that of the EIP-712 type."""

    grant_id: GrantId
    passport_id: PassportId
    recipient: int
    recipient_kinds: int
    purposes: int
    categories: Category
    use_from: int
    use_to: int
    data_from: int
    data_to: int
    max_uses: int
    level: Level
    flags: GrantFlag
    template: int
    terms: Commitment
    supersedes: GrantId
    deadline: int


@dataclass(frozen=True, slots=True)
class GrantState:
    """
    A grant as the contract stores it.

    Attributes:
        recipient: Member that may use the data; 0 if `recipient_kinds` says which kinds of members may.
        data_from: First day of the data, days since 1900-01-01; 0 for no limit.
        data_to: Last day of the data; 0 for no limit.
        control: `control` of the recipient when the holder signed or confirmed.
        level: Least level of de-identification.
    """

    recipient: int
    purposes: int
    categories: Category
    use_from: int
    use_to: int
    max_uses: int
    uses: int
    flags: GrantFlag
    status: GrantStatus
    recipient_kinds: int = 0
    data_from: int = 0
    data_to: int = 0
    control: int = 0
    level: Level = Level.IDENTIFIED
    assurance: Assurance = Assurance.SELF


@dataclass(frozen=True, slots=True)
class Template:
    """What a consent may contain at most, and the notice that goes with it."""

    template: int
    purposes: int
    categories: Category
    recipient_kinds: int
    max_seconds: int
    notice: bytes
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """
    A member's filed undertaking.

    Attributes:
        agreement: Whether an agreement that states its limits is committed to.
        ethics: Member that approved it as an ethics body, or 0.
        compliance: Member that approved it as a compliance body, or 0.
    """

    project_id: int
    member_id: int
    purposes: int
    categories: Category
    techniques: Technique
    highest_class: DataClass
    valid_from: int
    valid_to: int
    agreement: bool
    withdrawn: bool = False
    ethics: int = 0
    compliance: int = 0


@dataclass(frozen=True, slots=True)
class Attestation:
    """The latest statement of a kind about a subject, in force until `valid_to` (exclusive)."""

    issuer: int
    valid_to: int


@dataclass(frozen=True, slots=True)
class Limits:
    """
    The limits that two members agree on, in the order of `IAgreements.Limits`.

    Attributes:
        recipient: Member that receives.
        purposes: What the data may serve: bit n for purpose n.
        categories: What may be given.
        valid_to: Exclusive.
        retention_seconds: How long the recipient may keep what it received.
        response_hours: Within how many hours the recipient reports an incident.
        onward: Whether the recipient may pass it on.
        linkage: Whether the recipient may merge it with other data.
    """

    recipient: int
    purposes: int
    categories: Category
    valid_to: int
    retention_seconds: int
    response_hours: int = 0
    onward: bool = False
    linkage: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement as the contract stores it. `provider`: who proposed it and gives."""

    agreement_id: int
    provider: int
    limits: Limits
    status: AgreementStatus

    @property
    def recipient(self) -> int:
        """Return the member that receives."""
        return self.limits.recipient


@dataclass(frozen=True, slots=True)
class Clearance:
    """
    What clears the data of one exporter for one project.

    Attributes:
        exporter: Member that keeps the data.
        agreement: Standard contract that it rests on, or 0.
        valid_from: Inclusive; `valid_to`: exclusive.
        max_persons: How many persons it is good for; `persons`: how many have crossed under it.
    """

    clearance_id: int
    project_id: int
    exporter: int
    issuer: int
    path: Path
    valid_from: int
    valid_to: int
    max_persons: int
    persons: int = 0
    agreement: int = 0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """
    From how many persons in a calendar year on nothing but an assessment clears.

    Attributes:
        persons: Whatever of them is exported.
        sensitive_persons: Of whom data of class 1 or 2 is.
    """

    persons: int = 0
    sensitive_persons: int = 0


@dataclass(frozen=True, slots=True)
class Exports:
    """How many persons' data an exporter has exported in a calendar year; each counts once."""

    persons: int = 0
    sensitive_persons: int = 0


@dataclass(frozen=True, slots=True)
class Emergency:
    """
    An exception.

    Attributes:
        member_id: Who opened an individual one; 0 for a public one.
        purposes: What a public one serves.
        valid_from: Inclusive; `until`: exclusive.
        review_due: Last moment for the review of an individual one.
        max_records: Permits a public one is good for; `used`: permits it was used for.
        jurisdiction: Where a public one applies; 0 for everywhere.
        passport_id: The one passport of an individual one.
    """

    emergency_id: int
    kind: EmergencyKind
    categories: Category
    valid_from: int
    until: int
    finding: EmergencyFinding = EmergencyFinding.PENDING
    member_id: int = 0
    purposes: int = 0
    review_due: int = 0
    max_records: int = 0
    used: int = 0
    jurisdiction: int = 0
    passport_id: PassportId = PassportId(ZERO32)


@dataclass(frozen=True, slots=True)
class EmergencyRight:
    """
    A member's right to emergencies.

    Attributes:
        lost: Until the committee restores it.
        oldest_due: When the oldest unreviewed emergency of the member is due for review; None if none is.
    """

    lost: bool = False
    oldest_due: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What a request asks, as the contract packs it.

    Attributes:
        level: Level at which the data is to be handed over.
        project_id: 0 for none; `emergency_id` and `controller_id` too.
        first_day: First day of the data asked for, days since 1900-01-01; 0 for all before `last_day`.
        last_day: Last day; 0 for all after `first_day`.
        dataset_id: Dataset to include the data into, if that is what is asked for; else 0.
    """

    purpose: Purpose
    basis: Basis
    operation: Operation
    categories: Category
    level: Level = Level.IDENTIFIED
    project_id: int = 0
    emergency_id: int = 0
    controller_id: int = 0
    first_day: int = 0
    last_day: int = 0
    dataset_id: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One request for access, as the contract takes it. A `grant_id` of zero means none."""

    passport_id: PassportId
    grant_id: GrantId
    commitment: Commitment
    terms: Terms


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a request, as the contract packs it."""

    seq: int
    policy_version: int
    data_class: DataClass
    outcome: Outcome
    facts: Fact
    missing: Fact


#: Of a transfer that broke no rule.
NO_FACT: Final = TransferFact(0)


@dataclass(frozen=True, slots=True)
class Consignment:
    """
    What is declared of a transfer of many records, in the order of `ITransfers.Consignment`.

    Attributes:
        agreement_id: Names the recipient and the limits.
        project_id: The recipient's project that is cleared for the border, or 0.
        count: How many records.
        purposes: What they may serve: bit n for purpose n.
        parent: Transfer by which the sender received them; None if it keeps them itself.
        route: Countries that they pass, ISO 3166-1 numeric.
        places: Countries in which they will be stored.
    """

    agreement_id: int
    project_id: int
    count: int
    purposes: int
    categories: Category
    parent: TransferId | None = None
    route: tuple[int, ...] = ()
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """
    Custody moving between two members: of one record, or of many.

    Attributes:
        passport_id: Of one record; 32 zero bytes if it is of many.
        seq: Of one record: the decision that permitted it.
        content: What the sender committed to: of many the Merkle root of the items; 32 zero bytes before they are shipped.
        consignment: Of many: what was declared.
        missing: Of many: the rules that the declaration broke.
        crosses: Of many: whether it crosses a border.
        loaded: Of many: how many are loaded.
        report_due: Until when the recipient must report again, seconds since the Unix epoch; 0 if it need not.
        halted_by: Member that halted it, or 0; `halted_from`: where it stood then.
    """

    transfer_id: TransferId
    passport_id: PassportId
    sender: int
    recipient: int
    seq: int
    status: TransferStatus
    content: Commitment
    received_content: Commitment | None = None
    consignment: Consignment | None = None
    missing: TransferFact = NO_FACT
    crosses: bool = False
    loaded: int = 0
    report_due: int = 0
    halted_by: int = 0
    halted_from: TransferStatus = TransferStatus.NONE


@dataclass(frozen=True, slots=True)
class TransferItem:
    """
    One record of many that were loaded.

    Attributes:
        place: Number of its leaf, from 0.
        seq: The decision that permitted the recipient to receive it.
        content: Commitment to what is sent of it.
    """

    passport_id: PassportId
    seq: int
    content: Commitment
    place: int


@dataclass(frozen=True, slots=True)
class TransferNote:
    """
    What a member did about a transfer of many records.

    Attributes:
        event: The ledger's name for it, as `TransferHalted`.
        commitment: To report, reasons or evidence; None if there are none.
        released: Of an inspection, whether it let the transfer go on.
    """

    event: str
    member_id: int
    position: Position
    commitment: Commitment | None = None
    released: bool | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where on the chain something stands, and when. `time` is the block's, seconds since the Unix epoch."""

    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int
    time: int

    @property
    def order(self) -> tuple[int, int]:
        """Return what orders the places of one chain."""
        return self.block_number, self.log_index


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
class EmergencyLimits:
    """
    The limits of exceptions, in the order of `IPolicy.Emergencies`.

    Attributes:
        seconds: How long an individual emergency lasts.
        categories: What it may touch at most.
        monthly_quota: How many a member may open in 30 days.
        review_seconds: Within what time it must be reviewed; how long an approved request stays approved.
        max_declaration_seconds: How long a public emergency may last.
        recovery_seconds: How long the recovery of a holder's key waits for an objection.
    """

    seconds: int
    categories: Category
    monthly_quota: int
    review_seconds: int
    max_declaration_seconds: int
    recovery_seconds: int


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """
    One version of the law.

    `required` has 48 words at index `(data class - 1) * 16 + purpose`; bits `32 * basis` upwards of a word are the
    facts required on that basis. `necessary` holds 16 sets of categories of 16 bits, by purpose. `levels` holds the
    least level of de-identification in 2 bits, by the same index as `required`.
    """

    version: int
    required: tuple[int, ...]
    necessary: int
    levels: int
    core_categories: Category
    sensitive_categories: Category
    banned_purposes: int
    max_grant_seconds: int
    emergencies: EmergencyLimits

    @classmethod
    def of(
        cls,
        version: int,
        *,
        required: Mapping[tuple[DataClass, Purpose, Basis], Fact],
        necessary: Mapping[Purpose, Category],
        levels: Mapping[tuple[DataClass, Purpose], Level],
        core_categories: Category,
        sensitive_categories: Category,
        banned_purposes: int,
        max_grant_seconds: int,
        emergencies: EmergencyLimits,
    ) -> Self:
        """Return a law from its parts: what `required_for`, `necessary_for` and `level_for` read, the other way round."""
        words = [0] * 48
        for (data_class, purpose, basis), facts in required.items():
            words[_index(data_class, purpose)] |= int(facts) << (32 * basis)
        return cls(
            version=version,
            required=tuple(words),
            necessary=sum(int(categories) << (16 * purpose) for purpose, categories in necessary.items()),
            levels=sum(int(level) << (2 * _index(*place)) for place, level in levels.items()),
            core_categories=core_categories,
            sensitive_categories=sensitive_categories,
            banned_purposes=banned_purposes,
            max_grant_seconds=max_grant_seconds,
            emergencies=emergencies,
        )

    def required_for(self, data_class: DataClass, purpose: Purpose, basis: Basis) -> Fact:
        """Return the facts required; the empty set means that this basis never justifies this purpose."""
        return Fact(self.required[_index(data_class, purpose)] >> (32 * basis) & 0xFFFFFFFF)

    def necessary_for(self, purpose: Purpose) -> Category:
        """Return the categories that the purpose may touch."""
        return Category(self.necessary >> (16 * purpose) & 0xFFFF)

    def level_for(self, data_class: DataClass, purpose: Purpose) -> Level:
        """Return the least level of de-identification at which data of the class may serve the purpose."""
        return Level(self.levels >> (2 * _index(data_class, purpose)) & 3)


def _index(data_class: DataClass, purpose: Purpose) -> int:
    return (data_class - 1) * 16 + purpose
