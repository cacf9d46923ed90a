"""
The ledger's state as its events tell it: a pure fold.

The numbers in comments are those of docs/spec.md, "Verifying".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from ledger.domain.records import (
    ZERO32,
    Address,
    Commitment,
    Event,
    GrantId,
    GrantState,
    Member,
    Passport,
    PassportId,
    PolicyTable,
    Position,
    Project,
    Transfer,
    TransferId,
    Verdict,
)
from ledger.domain.vocabulary import (
    Basis,
    Category,
    Custody,
    DataClass,
    GrantFlag,
    GrantStatus,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Role,
    Technique,
    TransferStatus,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import fold_decision, unpack_verdict
from ledger.errors import VerificationError
from ledger.policy import PERMIT_SECONDS, grant_is_live, member_is_active

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """One recorded decision. `word` is the packed verdict as recorded."""

    passport_id: PassportId
    seq: int
    grant_id: GrantId
    member_id: int
    word: int
    commitment: Commitment
    position: Position

    @property
    def verdict(self) -> Verdict:
        """
        Return the verdict in the word.

        Raises:
            VerificationError: A code in the word does not exist.
        """
        return unpack_verdict(self.word)

    @property
    def is_permit(self) -> bool:
        """Tell whether the request was permitted."""
        return self.word >> 152 & 0xFF == Outcome.PERMIT

    def permits(self, operation: Operation) -> bool:
        """Tell whether the request was permitted and was for this operation."""
        return self.is_permit and self.word >> 136 & 0xFF == operation

    @property
    def rests_on_consent(self) -> bool:
        """Tell whether the request named consent as its basis."""
        return self.word >> 128 & 0xFF == Basis.CONSENT


@dataclass(frozen=True, slots=True)
class GrantEntry:
    """A grant: its state, its words, where it was given and where it ended."""

    grant_id: GrantId
    passport_id: PassportId
    state: GrantState
    terms: Commitment
    supersedes: GrantId
    position: Position
    successor: GrantId | None = None
    ended: Position | None = None


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """One completion receipt. `unfounded` if the decision was no permit."""

    passport_id: PassportId
    seq: int
    custodian: int
    position: Position
    unfounded: bool


@dataclass(frozen=True, slots=True)
class TransferEntry:
    """A transfer and where both sides recorded it. `unfounded` if no permit stood behind the shipping."""

    transfer: Transfer
    shipped: Position
    received: Position | None
    unfounded: bool


@dataclass(slots=True)
class LedgerState:
    """
    What the ledger holds after some events.

    Attributes:
        members: By number; a name is as the member's admission gave it.
        policies: Every version of the law by its number; `policy_version` is the one in force, 0 before the first.
        passports: By id; `size` is one more than the `seq` of the passport's last decision.
        counts: How many decisions of a passport were found.
        decisions: Recorded decisions by passport and `seq`.
        grants: By passport and grant, for a grant of one passport is nothing to another.
        transfer_permits: Unused permits to transfer, by passport and `seq`, whether they still stand or not.
        unreleased: Permits to read without a completion receipt, by passport and `seq`, oldest first.
        head: The fold of all decisions found.
    """

    members: dict[int, Member] = field(default_factory=dict)
    policies: dict[int, PolicyTable] = field(default_factory=dict)
    policy_version: int = 0
    passports: dict[PassportId, Passport] = field(default_factory=dict)
    issued: dict[PassportId, Position] = field(default_factory=dict)
    counts: dict[PassportId, int] = field(default_factory=dict)
    decisions: dict[PassportId, dict[int, DecisionEntry]] = field(default_factory=dict)
    grants: dict[tuple[PassportId, GrantId], GrantEntry] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    transfer_permits: dict[tuple[PassportId, int], DecisionEntry] = field(default_factory=dict)
    transfers: dict[TransferId, TransferEntry] = field(default_factory=dict)
    releases: dict[tuple[PassportId, int], ReleaseEntry] = field(default_factory=dict)
    unreleased: dict[tuple[PassportId, int], DecisionEntry] = field(default_factory=dict)
    head: bytes = ZERO32

    @property
    def law(self) -> PolicyTable:
        """
        Return the law in force.

        Raises:
            VerificationError: No event has set one: the first events are missing.
        """
        return known(self.policies, self.policy_version, "version of the law")

    def member_name(self, member_id: int | None) -> str:
        """Return what a member is called; `member 7` if its admission is unknown."""
        member = None if member_id is None else self.members.get(member_id)
        return member.name if member else f"member {member_id}"

    def apply(self, event: Event) -> None:
        """
        Take one event, in the order of the chain. Events of other standards (ownership) change nothing here.

        Raises:
            VerificationError: The event speaks of something no earlier event brought about.
        """
        fold = _FOLDS.get(event.name)
        if fold is not None:
            fold(self, event.arguments, event.position)


def known(mapping: Mapping[_Key, _Value], key: _Key, what: str) -> _Value:
    """
    Return what a key stands for.

    Raises:
        VerificationError: Nothing: an earlier event is missing.
    """
    try:
        return mapping[key]
    except KeyError:
        last = key[-1] if isinstance(key, tuple) else key
        name = to_hex(last) if isinstance(last, bytes) else last
        raise VerificationError(
            f"an event speaks of a {what} that no earlier event brought about: {name}",
            fix="Start at the block where the ledger was deployed; if you did, this node hides events.",
        ) from None


def _admitted(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.members[given["memberId"]] = Member(
        member_id=given["memberId"],
        name=given["name"],
        signer=Address(given["signer"]),
        roles=Role(given["roles"]),
        purposes=given["purposes"],
        jurisdiction=given["jurisdiction"],
        valid_to=given["validTo"],
        status=MemberStatus.ACTIVE,
        signing_key=given["signingKey"],
        sealing_key=given["sealingKey"],
    )


def _suspended(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(state, given["memberId"], status=MemberStatus.SUSPENDED)


def _reinstated(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(state, given["memberId"], status=MemberStatus.ACTIVE)


def _keys_rotated(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(
        state,
        given["memberId"],
        signer=Address(given["signer"]),
        signing_key=given["signingKey"],
        sealing_key=given["sealingKey"],
    )


def _change_member(state: LedgerState, member_id: int, **changes: Any) -> None:
    state.members[member_id] = replace(known(state.members, member_id, "member"), **changes)


def _policy_set(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.policy_version = given["version"]
    state.policies[given["version"]] = policy_table(given["version"], given["table"])


def policy_table(version: int, values: tuple[Any, ...]) -> PolicyTable:
    """Read the table of `PolicySet` or of the view `policy`: a tuple in the order of `IPolicy.Table`."""
    required, necessary, core, sensitive, banned, max_grant_seconds = values
    return PolicyTable(
        version=version,
        required=tuple(required),
        necessary=necessary,
        core_categories=Category(core),
        sensitive_categories=Category(sensitive),
        banned_purposes=banned,
        max_grant_seconds=max_grant_seconds,
    )


def _issued(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id = PassportId(given["passportId"])
    state.passports[passport_id] = Passport(
        passport_id=passport_id,
        custodian=given["custodian"],
        purposes=given["purposes"],
        status=PassportStatus.OPEN,
        custody=Custody(given["custody"]),
        holder=Address(given["holder"]),
        content=Commitment(given["content"]),
    )
    state.issued[passport_id] = position


def _content_committed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, content=Commitment(given["content"]))


def _narrowed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, purposes=given["purposes"])


def _sealed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, status=PassportStatus.SEALED)


def _unsealed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, status=PassportStatus.OPEN)


def _destroyed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, status=PassportStatus.DESTROYED)


def _change_passport(state: LedgerState, given: dict[str, Any], **changes: Any) -> None:
    passport_id = PassportId(given["passportId"])
    state.passports[passport_id] = replace(known(state.passports, passport_id, "passport"), **changes)


def _granted(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, grant_id = PassportId(given["passportId"]), GrantId(given["grantId"])
    known(state.passports, passport_id, "passport")
    state.grants[passport_id, grant_id] = GrantEntry(
        grant_id=grant_id,
        passport_id=passport_id,
        state=GrantState(
            recipient=given["recipient"],
            purposes=given["purposes"],
            categories=Category(given["categories"]),
            use_from=given["useFrom"],
            use_to=given["useTo"],
            max_uses=given["maxUses"],
            uses=0,
            flags=GrantFlag(given["flags"]),
            status=GrantStatus.ACTIVE,
            ended_at=0,
        ),
        terms=Commitment(given["terms"]),
        supersedes=GrantId(given["supersedes"]),
        position=position,
    )


def _withdrawn(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, grant_id = PassportId(given["passportId"]), GrantId(given["grantId"])
    known(state.passports, passport_id, "passport")
    if (passport_id, grant_id) not in state.grants:
        # Withdrawn before it was given: it never will be, and counts as no grant.
        return
    _end_grant(state, given, position, GrantStatus.WITHDRAWN, None)


def _superseded(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    _end_grant(state, given, position, GrantStatus.SUPERSEDED, GrantId(given["successor"]))


def _end_grant(
    state: LedgerState,
    given: dict[str, Any],
    position: Position,
    status: GrantStatus,
    successor: GrantId | None,
) -> None:
    key = PassportId(given["passportId"]), GrantId(given["grantId"])
    entry = known(state.grants, key, "grant")
    ended = replace(entry.state, status=status, ended_at=position.time)
    state.grants[key] = replace(entry, state=ended, successor=successor, ended=position)


def _project_filed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.projects[given["projectId"]] = Project(
        project_id=given["projectId"],
        member_id=given["memberId"],
        purposes=given["purposes"],
        categories=Category(given["categories"]),
        techniques=Technique(given["techniques"]),
        highest_class=DataClass(given["highestClass"]),
        valid_from=given["validFrom"],
        valid_to=given["validTo"],
        agreement=Commitment(given["agreement"]),
    )


def _project_withdrawn(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    project = known(state.projects, given["projectId"], "project")
    state.projects[given["projectId"]] = replace(project, withdrawn=True)


def _decided(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = decision_entry(given, position)
    passport = known(state.passports, entry.passport_id, "passport")
    state.passports[entry.passport_id] = replace(passport, size=entry.seq + 1)
    state.counts[entry.passport_id] = state.counts.get(entry.passport_id, 0) + 1
    state.decisions.setdefault(entry.passport_id, {})[entry.seq] = entry
    # 7. The head is the fold of every decision.
    state.head = fold_decision(
        state.head,
        passport_id=entry.passport_id,
        grant_id=entry.grant_id,
        member_id=entry.member_id,
        verdict_word=entry.word,
        commitment=entry.commitment,
    )
    if entry.permits(Operation.TRANSFER):
        state.transfer_permits[entry.passport_id, entry.seq] = entry
    elif entry.is_permit:
        state.unreleased[entry.passport_id, entry.seq] = entry
    if entry.is_permit and entry.rests_on_consent:
        _take_use(state, entry)


def decision_entry(given: dict[str, Any], position: Position) -> DecisionEntry:
    """Read the arguments of a `DecisionRecorded` event."""
    return DecisionEntry(
        passport_id=PassportId(given["passportId"]),
        seq=given["verdict"] & 0xFFFFFFFFFF,
        grant_id=GrantId(given["grantId"]),
        member_id=given["memberId"],
        word=given["verdict"],
        commitment=Commitment(given["commitment"]),
        position=position,
    )


def _take_use(state: LedgerState, entry: DecisionEntry) -> None:
    key = entry.passport_id, entry.grant_id
    grant = state.grants.get(key)
    if grant is not None and grant.state.max_uses != 0:
        state.grants[key] = replace(grant, state=replace(grant.state, uses=grant.state.uses + 1))


def _released(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, seq = PassportId(given["passportId"]), given["seq"]
    known(state.passports, passport_id, "passport")
    # 9. A release needs a permit recorded before it.
    decision = state.decisions.get(passport_id, {}).get(seq)
    state.unreleased.pop((passport_id, seq), None)
    state.releases[passport_id, seq] = ReleaseEntry(
        passport_id, seq, given["custodian"], position, unfounded=decision is None or not decision.is_permit
    )


def _shipped(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, seq = PassportId(given["passportId"]), given["seq"]
    transfer = Transfer(
        transfer_id=TransferId(given["transferId"]),
        passport_id=passport_id,
        sender=given["sender"],
        recipient=given["recipient"],
        seq=seq,
        status=TransferStatus.SHIPPED,
        content=Commitment(given["content"]),
    )
    # 9. A shipping needs a permit to transfer that names the recipient and still stands, and uses it up.
    permit = state.transfer_permits.pop((passport_id, seq), None)
    founded = (
        permit is not None
        and permit.member_id == transfer.recipient
        and _stands(state, permit, position.time)
    )
    state.transfers[transfer.transfer_id] = TransferEntry(transfer, position, None, unfounded=not founded)


def _stands(state: LedgerState, permit: DecisionEntry, at: int) -> bool:
    """Tell whether a permit to transfer can be used: it is not too old, nor has what it rested on ended."""
    if at > permit.position.time + PERMIT_SECONDS:
        return False
    if not member_is_active(known(state.members, permit.member_id, "member"), at):
        return False
    if not permit.rests_on_consent:
        return True
    grant = state.grants.get((permit.passport_id, permit.grant_id))
    return grant is not None and grant_is_live(grant.state, at)


def _received(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    transfer_id, content = TransferId(given["transferId"]), Commitment(given["content"])
    entry = known(state.transfers, transfer_id, "transfer")
    # Whether both sides agree is worked out here, not taken from the event.
    status = TransferStatus.RECEIVED if content == entry.transfer.content else TransferStatus.DISPUTED
    transfer = replace(entry.transfer, status=status, received_content=content)
    state.transfers[transfer_id] = replace(entry, transfer=transfer, received=position)


_FOLDS: Final[dict[str, Callable[[LedgerState, dict[str, Any], Position], None]]] = {
    "MemberAdmitted": _admitted,
    "MemberSuspended": _suspended,
    "MemberReinstated": _reinstated,
    "MemberKeysRotated": _keys_rotated,
    "PolicySet": _policy_set,
    "PassportIssued": _issued,
    "PassportContentCommitted": _content_committed,
    "PassportNarrowed": _narrowed,
    "PassportSealed": _sealed,
    "PassportUnsealed": _unsealed,
    "PassportDestroyed": _destroyed,
    "ConsentGranted": _granted,
    "ConsentWithdrawn": _withdrawn,
    "ConsentSuperseded": _superseded,
    "ProjectFiled": _project_filed,
    "ProjectWithdrawn": _project_withdrawn,
    "DecisionRecorded": _decided,
    "ReleaseRecorded": _released,
    "TransferShipped": _shipped,
    "TransferReceived": _received,
}

#: The events that the fold takes. A test compares them with the ABI.
FOLDED_EVENTS: Final = frozenset(_FOLDS)
