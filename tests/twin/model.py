"""
What the ledger does with each call, restated from the interfaces' NatSpec, without asking the ledger.

For a call the model names every error that forbids it, or else the events it must emit, word for word. The events are
folded by `ledger.audit`, and requests are answered by `ledger.policy`: together they are the twin. What the fold does
not keep (ids used up, requests that wait, quotas) the model keeps itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ledger.audit.folds import apply
from ledger.audit.state import DecisionEntry, LedgerState, RightState
from ledger.chain.contract import calldata
from ledger.domain.lineage import MAX_LINKS, MAX_ORIGINS, Dataset, JointPart, Plan, Step, Version, VersionId
from ledger.domain.records import (
    ZERO32,
    Clearance,
    Commitment,
    Event,
    Grant,
    GrantId,
    GrantState,
    Limits,
    PassportId,
    PolicyTable,
    Position,
    Request,
    TransferId,
)
from ledger.domain.vocabulary import (
    CONSENT_FLOOR,
    EMERGENCY_FLOOR,
    FLOOR,
    OTHERS_FLOOR,
    ActKind,
    AgreementStatus,
    Answer,
    Approval,
    Assurance,
    AttestationKind,
    Basis,
    Check,
    Custody,
    DataClass,
    DatasetStatus,
    EmergencyFinding,
    EmergencyKind,
    Fact,
    GrantFlag,
    GrantStatus,
    Level,
    MemberStatus,
    ModelStatus,
    Operation,
    Outcome,
    PassportStatus,
    Path,
    Purpose,
    Role,
    StepKind,
    TransferStatus,
    VersionKind,
)
from ledger.encoding.commitments import external_id
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.encoding.structs import clearance_values, limits_values, plan_values, policy_values, step_values
from ledger.encoding.typed_data import (
    LedgerDomain,
    confirmation_typed_data,
    delegation_typed_data,
    digest,
    grant_typed_data,
    guardians_typed_data,
    objection_typed_data,
    part_typed_data,
    recover,
    refusal_typed_data,
    repudiation_typed_data,
    revocation_typed_data,
    rotation_typed_data,
)
from ledger.encoding.words import pack_terms, pack_verdict, unpack_terms
from ledger.lineage import covers, due_of, is_stale, missing_of, origins_behind
from ledger.policy import (
    PERMIT_SECONDS,
    decide,
    grant_is_live,
    is_cleared,
    is_sensitive,
    member_is_active,
    year_of,
)
from ledger.ports import Call
from tests.twin.chain import Key

FOUNDER: Final = 1
MONTH_SECONDS: Final = 30 * 86_400
COMMITTEE_ROLES: Final = Role.COMMITTEE | Role.ALLIANCE | Role.REGULATOR | Role.EMERGENCY
#: How many inputs a kind of step takes: the least and the most.
_INPUTS: Final = {
    StepKind.COLLECT: (0, 0),
    StepKind.DESTROY: (0, 0),
    StepKind.MERGE: (2, MAX_LINKS),
    StepKind.TRAIN: (1, MAX_LINKS),
    StepKind.INFER: (1, MAX_LINKS),
    StepKind.EVALUATE: (2, MAX_LINKS),
}
_MAKES_NOTHING: Final = (StepKind.EVALUATE, StepKind.DEPLOY, StepKind.DESTROY)
_ON_DATASET: Final = (StepKind.COLLECT, StepKind.DESTROY)
_DONE: Final = (GrantStatus.WITHDRAWN, GrantStatus.REFUSED, GrantStatus.REPUDIATED)
_ACT_KINDS: Final = {
    "setPolicy": ActKind.LAW,
    "setThresholds": ActKind.LAW,
    "issueTemplate": ActKind.LAW,
    "withdrawTemplate": ActKind.LAW,
    "declareEmergency": ActKind.EMERGENCIES,
    "endEmergency": ActKind.EMERGENCIES,
    "restoreEmergencyRight": ActKind.EMERGENCIES,
    "seal": ActKind.DATA,
    "unseal": ActKind.DATA,
}
_BASIS_FLOOR: Final = {
    Basis.CONSENT: CONSENT_FLOOR,
    Basis.CUSTODIAN_CARE: Fact.REQUESTER_IS_CUSTODIAN,
    Basis.INDIVIDUAL_EMERGENCY: EMERGENCY_FLOOR,
    Basis.PUBLIC_EMERGENCY: Fact.EMERGENCY_IN_FORCE,
    Basis.COMPELLED: Fact.HUMAN_REVIEWED,
}

Named = tuple[str, dict[str, Any]]


@dataclass
class Move:
    """A call to be made: by whom, every error that forbids it, and what it emits if none does. `act`: the committee's."""

    key: Key
    call: Call
    errors: set[str]
    emits: Callable[[], Iterable[Named]]
    act: str = ""


def floor_of(basis: Basis) -> Fact:
    """Return what every entry on a basis must require, by `IPolicy`."""
    common = FLOOR if basis is Basis.SUBJECT_REQUEST else FLOOR | OTHERS_FLOOR
    return common | _BASIS_FLOOR.get(basis, Fact(0))


def forbids(**errors: bool) -> set[str]:
    """Return the names of the errors whose condition holds."""
    return {name for name, holds in errors.items() if holds}


@dataclass
class Model:
    """The ledger as it should be."""

    domain: LedgerDomain
    state: LedgerState = field(default_factory=LedgerState)
    now: int = 0
    keys: dict[int, Key] = field(default_factory=dict)
    holders: dict[PassportId, Key] = field(default_factory=dict)
    holder_keys: dict[str, Key] = field(default_factory=dict)
    signing_keys: dict[bytes, int] = field(default_factory=dict)
    used: set[GrantId] = field(default_factory=set)
    dead: set[tuple[PassportId, GrantId]] = field(default_factory=set)
    waiting: dict[tuple[PassportId, int], tuple[Request, int]] = field(default_factory=dict)
    approved: list[tuple[Request, int]] = field(default_factory=list)
    asked: list[tuple[Request, int]] = field(default_factory=list)
    permitted: list[tuple[Request, int]] = field(default_factory=list)
    windows: dict[int, tuple[int, int]] = field(default_factory=dict)
    permits: dict[tuple[PassportId, int], int] = field(default_factory=dict)
    shipped_at: dict[TransferId, int] = field(default_factory=dict)
    received_at: dict[TransferId, int] = field(default_factory=dict)
    released: set[tuple[PassportId, int]] = field(default_factory=set)
    nonces: dict[PassportId, int] = field(default_factory=dict)
    controls: dict[tuple[PassportId, int], int | None] = field(default_factory=dict)
    contributions: dict[tuple[int, int], bytes] = field(default_factory=dict)
    joint_steps: set[tuple[int, Step]] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)

    # Time and events

    def take(self, events: Iterable[Event]) -> None:
        """Fold events that happened."""
        for event in events:
            apply(self.state, event)
            self.events.append(event)

    def expected(self, move: Move) -> list[Event]:
        """Return the events of a move that nothing forbids, and fold them, one after the other."""
        found: list[Event] = []
        for name, arguments in move.emits():
            event = Event(name, arguments, Position(len(self.events), b"", b"", len(found), self.now))
            self.take([event])
            found.append(event)
        return found

    # Who

    def member_of(self, key: Key) -> int:
        """Return the member that a key signs for, 0 for nobody."""
        return next((number for number, known in self.keys.items() if known.account == key.account), 0)

    def is_active(self, member_id: int) -> bool:
        member = self.state.members.get(member_id)
        return member is not None and member_is_active(member, self.now)

    def caller(self, key: Key, roles: Role | None = None, *, active: bool = True) -> set[str]:
        """Return what forbids a call that only a member, an active one or one with a role may make."""
        member_id = self.member_of(key)
        if not member_id:
            return {"Members_NotMember"}
        if not active:
            return set()
        found = forbids(Members_NotActive=not self.is_active(member_id))
        if roles is not None and not self.state.members[member_id].roles & roles:
            found.add("Members_MissingRole")
        return found

    def custodian(self, key: Key, passport_id: PassportId) -> set[str]:
        """Return what forbids a call that only the passport's active custodian may make."""
        passport = self.state.passports.get(passport_id)
        if passport is None:
            return {"Passports_Unknown", *self.caller(key)}
        own = passport.custodian == self.member_of(key)
        return self.caller(key) | forbids(Passports_NotCustodian=not own)

    def closed(self, passport_id: PassportId) -> set[str]:
        """Return what forbids what only an open passport allows."""
        passport = self.state.passports.get(passport_id)
        if passport is None:
            return {"Passports_Unknown"}
        return forbids(Passports_WrongStatus=passport.status is not PassportStatus.OPEN)

    # The committee

    def act(self, call: Call, errors: set[str], emits: Callable[[], Iterable[Named]]) -> Move:
        """Let the founder, who sits alone, propose an act: it is done at once."""
        data, reasons = calldata(call), b"\x07" * 32
        act_id = len(self.state.acts) + 1

        def both() -> Iterable[Named]:
            yield (
                "ActProposed",
                {
                    "actId": act_id,
                    "memberId": FOUNDER,
                    "kind": int(_ACT_KINDS.get(call.function, ActKind.MEMBERS)),
                    "call": data,
                    "reasons": reasons,
                },
            )
            yield from emits()
            yield "ActExecuted", {"actId": act_id}

        founder = self.keys[FOUNDER]
        # A seat does not lapse with the licence, and no act suspends the only one.
        return Move(founder, Call("propose", (data, reasons)), errors, both, call.function)

    def direct(self, key: Key, call: Call) -> Move:
        """Do what is the committee's alone without it."""
        return Move(key, call, {"Committee_Only"}, tuple)

    # Members

    def admit(self, values: Sequence[Any], key: Key, *, by: Key | None = None) -> Move:
        """*values*: as `IMembers.Admission`; *key*: of its signer."""
        _signer, roles, _purposes, _jurisdiction, valid_to, _kind, signing, sealing, name = values
        errors = forbids(
            Members_Incomplete=not (
                roles and ZERO32 not in (signing, sealing) and valid_to > self.now and 0 < len(name) <= 64
            ),
            Members_KeyInUse=bool(self.member_of(key)) or signing in self.signing_keys,
        )

        def emits() -> Iterable[Named]:
            number = len(self.state.members) + 1
            self.keys[number], self.signing_keys[signing] = key, number
            names = ("signer", "roles", "purposes", "jurisdiction", "validTo", "kind", "signingKey")
            yield (
                "MemberAdmitted",
                {
                    "memberId": number,
                    **dict(zip(names, values, strict=False)),
                    "sealingKey": sealing,
                    "name": name,
                },
            )

        call = Call("admit", (list(values),))
        if by is None:
            return self.act(call, errors, emits)
        errors |= self.caller(by, Role.ALLIANCE) | forbids(Members_RoleReserved=bool(roles & COMMITTEE_ROLES))
        return Move(by, call, errors, emits)

    def _status_errors(self, member_id: int, status: MemberStatus) -> set[str]:
        member = self.state.members.get(member_id)
        if member is None:
            return {"Members_Unknown"}
        same = member.status in (status, MemberStatus.EXPELLED)
        gone = member_id == FOUNDER and status is not MemberStatus.ACTIVE
        return forbids(Members_AlreadySet=same, Committee_Incapable=gone)

    def suspend(self, member_id: int, *, by: Key | None = None) -> Move:
        reasons = b"\x08" * 32
        errors = self._status_errors(member_id, MemberStatus.SUSPENDED)
        call = Call("suspend", (member_id, reasons))

        def emits() -> Iterable[Named]:
            yield "MemberSuspended", {"memberId": member_id, "reasons": reasons}

        if by is None:
            return self.act(call, errors, emits)
        errors -= {"Committee_Incapable"}
        errors |= self.caller(by, Role.ALLIANCE | Role.REGULATOR)
        return Move(by, call, errors | forbids(Members_HoldsSeat=member_id == FOUNDER), emits)

    def reinstate(self, member_id: int) -> Move:
        errors = self._status_errors(member_id, MemberStatus.ACTIVE)
        return self.act(
            Call("reinstate", (member_id,)), errors, lambda: [("MemberReinstated", {"memberId": member_id})]
        )

    def expel(self, member_id: int) -> Move:
        reasons = b"\x09" * 32
        errors = self._status_errors(member_id, MemberStatus.EXPELLED)
        return self.act(
            Call("expel", (member_id, reasons)),
            errors,
            lambda: [("MemberExpelled", {"memberId": member_id, "reasons": reasons})],
        )

    def license(self, member_id: int, purposes: int, valid_to: int) -> Move:
        member = self.state.members.get(member_id)
        errors = forbids(
            Members_Unknown=member is None,
            Members_AlreadySet=member is not None and member.status is MemberStatus.EXPELLED,
        )
        words = {"memberId": member_id, "purposes": purposes, "validTo": valid_to}
        return self.act(
            Call("license", (member_id, purposes, valid_to)), errors, lambda: [("MemberLicensed", words)]
        )

    def change_control(self, member_id: int, *, by: Key | None = None) -> Move:
        reasons = b"\x0a" * 32
        call = Call("changeControl", (member_id, reasons))
        errors = forbids(Members_Unknown=member_id not in self.state.members)

        def emits() -> Iterable[Named]:
            control = self.state.members[member_id].control + 1
            yield "MemberControlChanged", {"memberId": member_id, "control": control, "reasons": reasons}

        if by is None:
            return self.act(call, errors, emits)
        return Move(by, call, errors | self.caller(by, Role.ALLIANCE), emits)

    def set_caps(self, member_id: int, caps: int) -> Move:
        errors = forbids(Members_Unknown=member_id not in self.state.members)
        return self.act(
            Call("setCaps", (member_id, caps)),
            errors,
            lambda: [("MemberCapsSet", {"memberId": member_id, "caps": caps})],
        )

    def rotate_keys(self, member_id: int, key: Key, signing: bytes) -> Move:
        holder = self.member_of(key)
        errors = forbids(
            Members_Unknown=member_id not in self.state.members,
            Members_Incomplete=signing == ZERO32,
            Members_KeyInUse=holder not in (0, member_id)
            or self.signing_keys.get(signing, member_id) != member_id,
        )
        sealing = b"\x0b" * 32

        def emits() -> Iterable[Named]:
            self.keys[member_id], self.signing_keys[signing] = key, member_id
            yield (
                "MemberKeysRotated",
                {
                    "memberId": member_id,
                    "signer": key.address,
                    "signingKey": signing,
                    "sealingKey": sealing,
                },
            )

        return self.act(Call("rotateKeys", (member_id, key.address, signing, sealing)), errors, emits)

    def entrust(self, key: Key, processor: int, purposes: int, valid_to: int) -> Move:
        agreement = b"\x0c" * 32
        controller = self.member_of(key)
        errors = self.caller(key) | forbids(
            Members_Unknown=processor not in self.state.members,
            Members_SelfEntrustment=processor == controller,
        )
        words = {"controller": controller, "processor": processor, "purposes": purposes, "validTo": valid_to}
        call = Call("entrust", (processor, purposes, valid_to, agreement))
        return Move(key, call, errors, lambda: [("MemberEntrusted", {**words, "agreement": agreement})])

    # The law

    def set_policy(self, table: PolicyTable) -> Move:
        values = policy_values(table)
        limits = table.emergencies
        below = any(
            required and floor_of(basis) not in required
            for data_class in DataClass
            for purpose in Purpose
            for basis in Basis
            for required in [table.required_for(data_class, purpose, basis)]
        )
        errors = forbids(
            Policy_BelowFloor=below,
            Policy_ClassesOverlap=bool(table.core_categories & table.sensitive_categories),
            Policy_LimitOutOfBounds=not (
                table.max_grant_seconds
                and all(
                    0 < limit <= 3650 * 86_400
                    for limit in (
                        limits.seconds,
                        limits.review_seconds,
                        limits.max_declaration_seconds,
                        limits.recovery_seconds,
                    )
                )
            ),
        )
        version = self.state.policy_version + 1
        return self.act(
            Call("setPolicy", (values,)),
            errors,
            lambda: [("PolicySet", {"version": version, "table": values})],
        )

    def issue_template(self, content: tuple[Any, ...]) -> Move:
        """*content*: as `IConsents.Template`."""
        purposes, categories, kinds, max_seconds, withdrawn, notice = content
        complete = purposes and categories and kinds and max_seconds and notice != ZERO32 and not withdrawn
        number = len(self.state.templates) + 1
        return self.act(
            Call("issueTemplate", (content,)),
            forbids(Consents_OutsideTemplate=not complete),
            lambda: [("TemplateIssued", {"template": number, "content": content})],
        )

    def withdraw_template(self, number: int) -> Move:
        known = self.state.templates.get(number)
        return self.act(
            Call("withdrawTemplate", (number,)),
            forbids(Consents_OutsideTemplate=known is None or known.withdrawn),
            lambda: [("TemplateWithdrawn", {"template": number})],
        )

    # Passports

    def issue(self, key: Key, issues: Sequence[tuple[Any, ...]], holders: Sequence[Key]) -> Move:
        """*issues*: as `IPassports.Issue`."""
        errors = self.caller(key, Role.CUSTODIAN)
        taken = set(self.state.passports)
        for passport_id, holder, _custody, purposes, level, lock, content in issues:
            complete = passport_id != ZERO32 and len(holder) >= 20 and purposes and content != ZERO32
            locked = self.state.emergencies.get(lock)
            errors |= forbids(
                Passports_Incomplete=not complete or level > max(Level),
                Emergencies_Unknown=lock != 0
                and (locked is None or locked.emergency.kind is not EmergencyKind.PUBLIC),
                Passports_Exists=passport_id in taken or passport_id in self.state.versions,
            )
            taken.add(passport_id)

        def emits() -> Iterable[Named]:
            for given, holder_key in zip(issues, holders, strict=True):
                passport_id, holder, custody, purposes, level, lock, content = given
                self.holders[passport_id] = self.holder_keys[holder_key.address] = holder_key
                yield (
                    "PassportIssued",
                    {
                        "passportId": passport_id,
                        "custodian": self.member_of(key),
                        "holder": holder,
                        "custody": custody,
                        "purposes": purposes,
                        "level": level,
                        "lock": lock,
                        "content": content,
                    },
                )

        return Move(key, Call("issue", (list(issues),)), errors, emits)

    def commit_content(self, key: Key, passport_id: PassportId, content: bytes) -> Move:
        errors = self.custodian(key, passport_id) | self.closed(passport_id)
        return Move(
            key,
            Call("commitContent", (passport_id, content)),
            errors | forbids(Passports_Incomplete=content == ZERO32),
            lambda: [("PassportContentCommitted", {"passportId": passport_id, "content": content})],
        )

    def narrow(self, key: Key, passport_id: PassportId, purposes: int) -> Move:
        passport = self.state.passports.get(passport_id)
        current = passport.purposes if passport else 0
        narrower = purposes and purposes != current and not purposes & ~current
        errors = self.custodian(key, passport_id) | self.closed(passport_id)
        return Move(
            key,
            Call("narrow", (passport_id, purposes)),
            errors | forbids(Passports_NotNarrower=not narrower),
            lambda: [("PassportNarrowed", {"passportId": passport_id, "purposes": purposes})],
        )

    def seal(self, passport_id: PassportId, *, by: Key | None = None) -> Move:
        reasons = b"\x0d" * 32
        call, errors = Call("seal", (passport_id, reasons)), self.closed(passport_id)

        def emits() -> Iterable[Named]:
            yield "PassportSealed", {"passportId": passport_id, "reasons": reasons}

        if by is None:
            return self.act(call, errors, emits)
        passport = self.state.passports.get(passport_id)
        member = self.state.members.get(self.member_of(by))
        errors |= self.caller(by)
        if passport is not None and member is not None:
            may = passport.custodian == member.member_id or bool(member.roles & Role.REGULATOR)
            errors |= forbids(Passports_NotCustodian=not may)
        return Move(by, call, errors, emits)

    def unseal(self, passport_id: PassportId) -> Move:
        passport = self.state.passports.get(passport_id)
        errors = forbids(
            Passports_Unknown=passport is None,
            Passports_WrongStatus=passport is not None and passport.status is not PassportStatus.SEALED,
        )
        return self.act(
            Call("unseal", (passport_id,)),
            errors,
            lambda: [("PassportUnsealed", {"passportId": passport_id})],
        )

    def destroy(self, key: Key, passport_id: PassportId) -> Move:
        evidence = b"\x0e" * 32
        return Move(
            key,
            Call("destroy", (passport_id, evidence)),
            self.custodian(key, passport_id) | self.closed(passport_id),
            lambda: [("PassportDestroyed", {"passportId": passport_id, "evidence": evidence})],
        )

    # Who speaks for a subject

    def _spoken(self, passport_id: PassportId, signer: Key) -> set[str]:
        """Return what forbids words that only the holder's own key may sign."""
        passport = self.state.passports.get(passport_id)
        if passport is None:
            return {"Passports_Unknown", "Consents_InvalidSignature"}
        return forbids(Consents_InvalidSignature=passport.holder != signer.address)

    def _epoch(self, passport_id: PassportId) -> int:
        passport = self.state.passports.get(passport_id)
        return passport.epoch if passport else 0

    def _counted(self, passport_id: PassportId, name: str, words: dict[str, Any]) -> Iterable[Named]:
        """Words that name the nonce: they are good once."""
        self.nonces[passport_id] = self.nonces.get(passport_id, 0) + 1
        yield name, {"passportId": passport_id, **words}

    def _replaced(self, passport_id: PassportId, holder: bytes, custody: int) -> Iterable[Named]:
        self.holders[passport_id] = self.holder_keys[to_hex(holder)]
        words = {"passportId": passport_id, "holder": holder, "custody": custody}
        yield "HolderRotated", {**words, "epoch": self._epoch(passport_id) + 1}

    def rotate_holder(self, passport_id: PassportId, signer: Key, new: Key, custody: Custody) -> Move:
        typed = rotation_typed_data(
            self.domain,
            passport_id=passport_id,
            holder=new.account,
            custody=custody,
            epoch=self._epoch(passport_id),
        )
        self.holder_keys[new.address] = new
        return Move(
            signer,
            Call("rotateHolder", (passport_id, new.account, int(custody), signer.sign(digest(typed)))),
            self._spoken(passport_id, signer),
            lambda: self._replaced(passport_id, new.account, int(custody)),
        )

    def name_guardians(self, passport_id: PassportId, signer: Key, guardians: bytes) -> Move:
        typed = guardians_typed_data(
            self.domain,
            passport_id=passport_id,
            guardians=guardians,
            epoch=self._epoch(passport_id),
            nonce=self.nonces.get(passport_id, 0),
        )
        return Move(
            signer,
            Call("nameGuardians", (passport_id, guardians, signer.sign(digest(typed)))),
            self._spoken(passport_id, signer),
            lambda: self._counted(passport_id, "GuardiansNamed", {"guardians": guardians}),
        )

    def name_delegate(self, passport_id: PassportId, signer: Key, delegate: Key, valid_to: int) -> Move:
        typed = delegation_typed_data(
            self.domain,
            passport_id=passport_id,
            delegate=delegate.account,
            valid_to=valid_to,
            epoch=self._epoch(passport_id),
            nonce=self.nonces.get(passport_id, 0),
        )
        words = {"delegate": delegate.account, "validTo": valid_to}
        return Move(
            signer,
            Call("nameDelegate", (passport_id, delegate.account, valid_to, signer.sign(digest(typed)))),
            self._spoken(passport_id, signer),
            lambda: self._counted(passport_id, "DelegateNamed", words),
        )

    def recover_at_counter(self, key: Key, passport_id: PassportId, new: Key, custody: Custody) -> Move:
        guarded = self.state.guardians.get(passport_id, ZERO32) != ZERO32
        self.holder_keys[new.address] = new
        words = {
            "passportId": passport_id,
            "holder": new.account,
            "custody": int(custody),
            "readyAt": self.now + self.state.law.emergencies.recovery_seconds,
            "byCustodian": True,
        }
        return Move(
            key,
            Call("recoverAtCounter", (passport_id, new.account, int(custody))),
            self.custodian(key, passport_id) | forbids(Holders_BadGuardians=guarded),
            lambda: [("RecoveryStarted", words)],
        )

    def cancel_recovery(self, passport_id: PassportId, signer: Key) -> Move:
        recovery = self.state.recoveries.get(passport_id)
        ready_at = recovery.ready_at if recovery else 0
        typed = objection_typed_data(
            self.domain, passport_id=passport_id, ready_at=ready_at, epoch=self._epoch(passport_id)
        )
        return Move(
            signer,
            Call("cancelRecovery", (passport_id, signer.sign(digest(typed)))),
            self._spoken(passport_id, signer) | forbids(Holders_NoRecovery=recovery is None),
            lambda: [("RecoveryCancelled", {"passportId": passport_id})],
        )

    def complete_recovery(self, key: Key, passport_id: PassportId) -> Move:
        recovery = self.state.recoveries.get(passport_id)
        errors = forbids(
            Holders_NoRecovery=recovery is None,
            Holders_TooEarly=recovery is not None and self.now < recovery.ready_at,
        )

        def emits() -> Iterable[Named]:
            assert recovery is not None
            yield from self._replaced(passport_id, from_hex(recovery.holder), recovery.custody)

        return Move(key, Call("completeRecovery", (passport_id,)), errors, emits)

    # Consents

    def status(self, passport_id: PassportId, grant_id: GrantId) -> GrantStatus:
        entry = self.state.grants.get((passport_id, grant_id))
        if entry is not None:
            return entry.state.status
        return GrantStatus.WITHDRAWN if (passport_id, grant_id) in self.dead else GrantStatus.NONE

    def assurance(self, passport_id: PassportId, signer: Key, *, named: bool) -> tuple[Assurance, set[str]]:
        """Return what a signature is worth. *named*: the proof names its signer, as a delegate's does."""
        passport = self.state.passports.get(passport_id)
        if passport is None:
            return Assurance.NONE, {"Passports_Unknown", "Consents_InvalidSignature"}
        if named:
            valid_to = self.state.delegates.get((passport_id, signer.address), 0)
            # Whom a custodian that assists lets speak speaks for the custodian.
            own = passport.custody is Custody.SELF
            assurance = Assurance.DELEGATED if own else Assurance.ASSISTED
            return assurance, forbids(Consents_InvalidSignature=self.now >= valid_to)
        assurance = Assurance.SELF if passport.custody is Custody.SELF else Assurance.ASSISTED
        return assurance, forbids(Consents_InvalidSignature=passport.holder != signer.address)

    def _unfit(self, passport_id: PassportId, assurance: Assurance) -> set[str]:
        passport = self.state.passports.get(passport_id)
        if passport is None or assurance is not Assurance.ASSISTED:
            return set()
        return forbids(Members_NotActive=not self.is_active(passport.custodian))

    def _terms_errors(self, given: Grant) -> set[str]:
        """Return what is wrong with the words of a grant, whoever signed them."""
        law, template = self.state.law, self.state.templates.get(given.template)
        recipient = self.state.members.get(given.recipient)
        separate = GrantFlag.SEPARATE in given.flags
        complete = (
            given.purposes
            and given.categories
            and given.terms != ZERO32
            and not given.flags & ~0xF
            and given.level <= max(Level)
            and (given.data_to == 0 or given.data_from <= given.data_to)
            and (given.recipient == 0) == (given.recipient_kinds != 0)
        )
        kinds = given.recipient_kinds if given.recipient == 0 else 1 << (recipient.kind if recipient else 0)
        fits = (
            template is not None
            and not template.withdrawn
            and not given.purposes & ~template.purposes
            and not given.categories & ~template.categories
            and not kinds & ~template.recipient_kinds
        )
        latest = min(
            self.now + law.max_grant_seconds, given.use_from + (template.max_seconds if template else 0)
        )
        return self.closed(given.passport_id) | forbids(
            Consents_Exists=given.grant_id == ZERO32
            or given.grant_id in self.used
            or self.status(given.passport_id, given.grant_id)
            not in (GrantStatus.NONE, GrantStatus.REQUESTED),
            Consents_Incomplete=not complete,
            Members_Unknown=given.recipient != 0 and recipient is None,
            Consents_BannedPurpose=bool(given.purposes & law.banned_purposes),
            Consents_NotSeparate=separate
            and (bool(given.purposes & (given.purposes - 1)) or given.recipient == 0),
            Consents_EmptyPeriod=not (given.use_from < given.use_to and self.now < given.use_to),
            Consents_TermTooLong=given.use_to > latest,
            Consents_OutsideTemplate=not fits,
            Consents_WrongStatus=given.supersedes != ZERO32
            and self.status(given.passport_id, given.supersedes) is not GrantStatus.ACTIVE,
        )

    def _granted(self, given: Grant, assurance: Assurance) -> Iterable[Named]:
        self.used.add(given.grant_id)
        names = {"grantId": given.grant_id, "passportId": given.passport_id}
        recipient = self.state.members.get(given.recipient)
        state = GrantState(
            recipient=given.recipient,
            recipient_kinds=given.recipient_kinds,
            purposes=given.purposes,
            categories=given.categories,
            use_from=given.use_from,
            use_to=given.use_to,
            data_from=given.data_from,
            data_to=given.data_to,
            max_uses=given.max_uses,
            uses=0,
            control=recipient.control if recipient else 0,
            level=given.level,
            flags=given.flags,
            status=GrantStatus.ACTIVE,
            assurance=assurance,
        )
        if given.supersedes != ZERO32:
            yield (
                "ConsentSuperseded",
                {
                    "grantId": given.supersedes,
                    "passportId": given.passport_id,
                    "successor": given.grant_id,
                },
            )
            former = self.state.grants[given.passport_id, given.supersedes].state
            if not covers(state, former, self.now):
                yield from self._announced(given.supersedes, one_more=1)
        yield (
            "ConsentGranted",
            {
                **names,
                "recipient": given.recipient,
                "state": grant_values(state),
                "template": given.template,
                "terms": given.terms,
                "supersedes": given.supersedes,
            },
        )

    def _announced(self, grant_id: GrantId, *, one_more: int = 0) -> Iterable[Named]:
        """What datasets are told of the end of a grant; *one_more*: the fold has not counted it yet."""
        for number in self.state.inclusions.get(grant_id, ()):
            count = len(self.state.datasets[number].withdrawals) + one_more
            yield "DatasetWithdrawn", {"datasetId": number, "grantId": grant_id, "withdrawals": count}

    def grant(self, relay: Key, given: Grant, signer: Key, *, named: bool = False) -> Move:
        assurance, errors = self.assurance(given.passport_id, signer, named=named)
        errors |= forbids(Consents_SignatureExpired=self.now > given.deadline)
        errors |= self._unfit(given.passport_id, assurance) | self._terms_errors(given)
        proof = (
            signer.account if named else b"",
            signer.sign(digest(grant_typed_data(self.domain, given))),
        )
        call = Call("grant", ([given_values(given)], [proof]))
        return Move(relay, call, errors, lambda: self._granted(given, assurance))

    def file_consent(self, key: Key, given: Grant, evidence: bytes) -> Move:
        errors = self.custodian(key, given.passport_id) | self._terms_errors(given)
        paper = evidence != ZERO32 and given.supersedes == ZERO32 and GrantFlag.SEPARATE not in given.flags
        errors |= forbids(Consents_Incomplete=not paper)

        def emits() -> Iterable[Named]:
            yield from self._granted(given, Assurance.PAPER)
            words = {"grantId": given.grant_id, "passportId": given.passport_id, "evidence": evidence}
            yield "ConsentFiled", words

        return Move(key, Call("fileConsent", (given_values(given), evidence)), errors, emits)

    def request_consent(self, key: Key, passport_id: PassportId, grant_id: GrantId, terms: bytes) -> Move:
        status = self.status(passport_id, grant_id)
        errors = self.caller(key) | self.closed(passport_id)
        errors |= forbids(
            Consents_Exists=grant_id == ZERO32 or grant_id in self.used or status is not GrantStatus.NONE,
            Consents_Incomplete=terms == ZERO32,
        )
        words = {"grantId": grant_id, "passportId": passport_id, "memberId": self.member_of(key)}
        return Move(
            key,
            Call("requestConsent", (passport_id, grant_id, terms)),
            errors,
            lambda: [("ConsentRequested", {**words, "terms": terms})],
        )

    def revoke(
        self, relay: Key, passport_id: PassportId, grant_id: GrantId, signer: Key, *, named: bool = False
    ) -> Move:
        _, errors = self.assurance(passport_id, signer, named=named)
        typed = revocation_typed_data(self.domain, passport_id=passport_id, grant_id=grant_id)
        last = grant_id
        while self.status(passport_id, last) is GrantStatus.SUPERSEDED:
            successor = self.state.grants[passport_id, last].successor
            assert successor is not None
            last = successor
        status = self.status(passport_id, last)
        errors |= forbids(Consents_Unknown=status not in (*_DONE, GrantStatus.ACTIVE) and last in self.used)

        def emits() -> Iterable[Named]:
            if status in _DONE:
                return
            if status is GrantStatus.NONE:
                self.dead.add((passport_id, last))
            yield "ConsentWithdrawn", {"grantId": last, "passportId": passport_id}
            yield from self._announced(last)

        proof = (signer.account if named else b"", signer.sign(digest(typed)))
        return Move(relay, Call("revoke", (passport_id, grant_id, proof)), errors, emits)

    def refuse(
        self, relay: Key, passport_id: PassportId, grant_id: GrantId, signer: Key, *, named: bool = False
    ) -> Move:
        _, errors = self.assurance(passport_id, signer, named=named)
        errors |= forbids(
            Consents_WrongStatus=self.status(passport_id, grant_id) is not GrantStatus.REQUESTED
        )
        typed = refusal_typed_data(self.domain, passport_id=passport_id, grant_id=grant_id)
        proof = (signer.account if named else b"", signer.sign(digest(typed)))
        return Move(
            relay,
            Call("refuse", (passport_id, grant_id, proof)),
            errors,
            lambda: [("ConsentRefused", {"grantId": grant_id, "passportId": passport_id})],
        )

    def confirm(
        self, relay: Key, passport_id: PassportId, grant_id: GrantId, signer: Key, *, named: bool = False
    ) -> Move:
        assurance, errors = self.assurance(passport_id, signer, named=named)
        entry = self.state.grants.get((passport_id, grant_id))
        recipient = self.state.members.get(entry.state.recipient) if entry else None
        control = recipient.control if recipient else 0
        active = self.status(passport_id, grant_id) is GrantStatus.ACTIVE
        errors |= self._unfit(passport_id, assurance) | forbids(Consents_WrongStatus=not active)
        typed = confirmation_typed_data(
            self.domain, passport_id=passport_id, grant_id=grant_id, control=control
        )

        def emits() -> Iterable[Named]:
            assert entry is not None
            better = max(assurance, entry.state.assurance)
            words = {"grantId": grant_id, "passportId": passport_id, "control": control}
            yield "ConsentConfirmed", {**words, "assurance": int(better)}

        proof = (signer.account if named else b"", signer.sign(digest(typed)))
        return Move(relay, Call("confirm", (passport_id, grant_id, proof)), errors, emits)

    def repudiate(
        self, relay: Key, passport_id: PassportId, grant_id: GrantId, signer: Key, *, named: bool = False
    ) -> Move:
        _, errors = self.assurance(passport_id, signer, named=named)
        entry = self.state.grants.get((passport_id, grant_id))
        filed = (
            entry is not None
            and entry.state.status is GrantStatus.ACTIVE
            and entry.state.assurance in (Assurance.PAPER, Assurance.ASSISTED)
        )
        errors |= forbids(Consents_WrongStatus=not filed)
        typed = repudiation_typed_data(self.domain, passport_id=passport_id, grant_id=grant_id)
        proof = (signer.account if named else b"", signer.sign(digest(typed)))

        def emits() -> Iterable[Named]:
            yield "ConsentRepudiated", {"grantId": grant_id, "passportId": passport_id}
            yield from self._announced(grant_id)

        return Move(relay, Call("repudiate", (passport_id, grant_id, proof)), errors, emits)

    # Projects and attestations

    def file_project(self, key: Key, filing: tuple[Any, ...], description: bytes) -> Move:
        """*filing*: as `IProjects.Filing`."""
        purposes, categories, _, highest_class, valid_from, valid_to, _ = filing
        complete = (
            purposes
            and categories
            and 1 <= highest_class <= 3
            and valid_from < valid_to
            and self.now < valid_to
            and description != ZERO32
        )
        words = {"projectId": len(self.state.projects) + 1, "memberId": self.member_of(key)}
        return Move(
            key,
            Call("fileProject", (filing, description)),
            self.caller(key) | forbids(Projects_Incomplete=not complete),
            lambda: [("ProjectFiled", {**words, "filing": filing, "description": description})],
        )

    def withdraw_project(self, key: Key, project_id: int) -> Move:
        project = self.state.projects.get(project_id)
        errors = self.caller(key, active=False) | forbids(Projects_Unknown=project is None)
        if project is not None:
            errors |= forbids(
                Projects_NotOwner=project.member_id != self.member_of(key),
                Projects_AlreadyWithdrawn=project.withdrawn,
            )
        return Move(
            key,
            Call("withdrawProject", (project_id,)),
            errors,
            lambda: [("ProjectWithdrawn", {"projectId": project_id})],
        )

    def review_project(self, key: Key, project_id: int, approval: Approval, *, approved: bool) -> Move:
        opinion = b"\x0f" * 32
        ethics = approval is Approval.ETHICS
        errors = self.caller(key, Role.ETHICS if ethics else Role.COMPLIANCE)
        project, caller = self.state.projects.get(project_id), self.member_of(key)
        errors |= forbids(Projects_Unknown=project is None)
        if project is not None:
            current, other = (
                (project.ethics, project.compliance) if ethics else (project.compliance, project.ethics)
            )
            fair = project.member_id != caller and (other != caller if approved else current == caller)
            errors |= forbids(Projects_NotIndependent=not fair)
        words = {
            "projectId": project_id,
            "memberId": caller,
            "approval": int(approval),
            "approved": approved,
            "opinion": opinion,
        }
        call = Call("reviewProject", (project_id, int(approval), approved, opinion))
        return Move(key, call, errors, lambda: [("ProjectReviewed", words)])

    def attest(self, key: Key, subject: bytes, kind: AttestationKind, valid_to: int) -> Move:
        statement = b"\x10" * 32
        caller = self.member_of(key)
        errors = self.caller(key) | self._unqualified(subject, kind, caller)
        former = self.state.attestations.get(subject, {}).get(kind)
        standing = former is not None and former.issuer != caller and self.now < former.valid_to
        words = {"subject": subject, "kind": int(kind), "issuer": caller, "validTo": valid_to}
        return Move(
            key,
            Call("attest", (subject, int(kind), valid_to, statement)),
            errors | forbids(Attestations_Standing=standing),
            lambda: [("Attested", {**words, "statement": statement})],
        )

    def _unqualified(self, subject: bytes, kind: AttestationKind, caller: int) -> set[str]:
        member = self.state.members.get(caller)
        roles = member.roles if member else Role(0)
        if kind is AttestationKind.LICENCE:
            project = self.state.projects.get(int.from_bytes(subject, "big"))
            if project is None:
                return {"Projects_Unknown"}
            may = project.member_id != caller and Role.REGULATOR in roles
            return forbids(Attestations_NotQualified=not may)
        if kind is AttestationKind.TOOL:
            return forbids(Attestations_NotQualified=subject == ZERO32 or Role.ALLIANCE not in roles)
        version = self.state.versions.get(VersionId(subject))
        if kind is AttestationKind.ENCRYPTION and version is not None:
            may = version.owner != caller and Role.VERIFIER in roles
            return forbids(Attestations_NotQualified=not may)
        passport = self.state.passports.get(PassportId(subject))
        if passport is None:
            return {"Passports_Unknown"}
        own = passport.custodian == caller
        may = own if kind is AttestationKind.SOURCE else not own and Role.VERIFIER in roles
        return forbids(Attestations_NotQualified=not may)

    # Emergencies

    def right(self, member_id: int) -> tuple[bool, int, int]:
        """Return whether a right is lost, how many emergencies were opened, and of these, reviewed without a gap."""
        right = self.state.rights.get(member_id, RightState())
        reviewed = right.settled
        while reviewed < len(right.opened):
            entry = self.state.emergencies[right.opened[reviewed]]
            if entry.emergency.finding is EmergencyFinding.PENDING:
                break
            reviewed += 1
        return right.lost, len(right.opened), reviewed

    def owes(self, member_id: int) -> bool:
        """Tell whether a member lost its right or owes an overdue review."""
        lost, opened, reviewed = self.right(member_id)
        if lost or reviewed == opened:
            return lost
        oldest = self.state.rights[member_id].opened[reviewed]
        return self.now > self.state.emergencies[oldest].emergency.review_due

    def open_emergency(self, key: Key, passport_id: PassportId, reason: int, sealed_until: int) -> Move:
        statement = b"\x11" * 32
        limits, caller = self.state.law.emergencies, self.member_of(key)
        start, count = self.windows.get(caller, (0, 0))
        if self.now >= start + MONTH_SECONDS:
            start, count = self.now, 0
        due = self.now + limits.review_seconds
        errors = self.caller(key, Role.EMERGENCY) | self.closed(passport_id)
        errors |= forbids(
            Emergencies_Incomplete=reason == 0 or sealed_until > due,
            Emergencies_RightLost=self.owes(caller),
            Emergencies_QuotaSpent=count >= limits.monthly_quota,
        )
        words = {
            "emergencyId": len(self.state.emergencies) + 1,
            "passportId": passport_id,
            "memberId": caller,
            "categories": int(limits.categories),
            "until": self.now + limits.seconds,
            "reviewDue": due,
            "reason": reason,
            "sealedUntil": sealed_until,
            "statement": statement,
        }

        def emits() -> Iterable[Named]:
            self.windows[caller] = (start, count + 1)
            yield "EmergencyOpened", words

        call = Call("openEmergency", (passport_id, reason, sealed_until, statement))
        return Move(key, call, errors, emits)

    def review_emergency(self, key: Key, number: int, *, justified: bool) -> Move:
        opinion, caller = b"\x12" * 32, self.member_of(key)
        errors = self.caller(key, Role.ETHICS | Role.REGULATOR)
        entry = self.state.emergencies.get(number)
        if entry is None or entry.emergency.kind is not EmergencyKind.INDIVIDUAL:
            errors.add("Emergencies_Unknown")
        else:
            emergency = entry.emergency
            keeper = self.state.passports[emergency.passport_id].custodian
            errors |= forbids(
                Emergencies_AlreadySet=emergency.finding is not EmergencyFinding.PENDING,
                Emergencies_NotIndependent=caller in (emergency.member_id, keeper),
            )

        def emits() -> Iterable[Named]:
            assert entry is not None
            finding = EmergencyFinding.JUSTIFIED if justified else EmergencyFinding.UNJUSTIFIED
            _, opened, reviewed = self.right(entry.emergency.member_id)
            mine = self.state.rights[entry.emergency.member_id].opened
            owed = reviewed < opened and number in mine[reviewed:]
            lost = not justified or (owed and self.now > entry.emergency.review_due)
            words = {"emergencyId": number, "reviewer": caller, "finding": int(finding)}
            yield "EmergencyReviewed", {**words, "rightLost": lost, "opinion": opinion}
            if not justified and self.now < entry.emergency.until:
                yield "EmergencyEnded", {"emergencyId": number, "until": self.now}

        return Move(key, Call("reviewEmergency", (number, justified, opinion)), errors, emits)

    def declare_emergency(self, declaration: tuple[Any, ...], document: bytes) -> Move:
        """*declaration*: as `IEmergencies.Declaration`."""
        purposes, categories, valid_from, until, max_records, _ = declaration
        longest = self.state.law.emergencies.max_declaration_seconds
        complete = (
            purposes
            and categories
            and max_records
            and document != ZERO32
            and valid_from < until
            and self.now < until
            and until - valid_from <= longest
        )
        number = len(self.state.emergencies) + 1
        words = {"emergencyId": number, "declaration": declaration, "document": document}
        return self.act(
            Call("declareEmergency", (declaration, document)),
            forbids(Emergencies_Incomplete=not complete),
            lambda: [("EmergencyDeclared", words)],
        )

    def end_emergency(self, number: int) -> Move:
        entry = self.state.emergencies.get(number)
        public = entry is not None and entry.emergency.kind is EmergencyKind.PUBLIC
        errors = forbids(
            Emergencies_Unknown=not public,
            Emergencies_AlreadySet=public and entry is not None and self.now >= entry.emergency.until,
        )
        words = {"emergencyId": number, "until": self.now}
        return self.act(Call("endEmergency", (number,)), errors, lambda: [("EmergencyEnded", words)])

    def restore_right(self, member_id: int) -> Move:
        return self.act(
            Call("restoreEmergencyRight", (member_id,)),
            forbids(Members_Unknown=member_id not in self.state.members),
            lambda: [("EmergencyRightRestored", {"memberId": member_id})],
        )

    # Decisions

    def decide(self, key: Key, requests: Sequence[tuple[Request, int]], *, hollow: bool = False) -> Move:
        """*requests*: with their terms as a word, which may be malformed. *hollow*: a batch without a target follows."""
        member_id = self.member_of(key)
        errors = self.caller(key, active=False) | forbids(Decisions_Empty=hollow or not requests)
        for request, terms in requests:
            errors |= forbids(
                Passports_Unknown=request.passport_id not in self.state.passports,
                Decisions_Malformed=not self._well_formed(terms),
            )

        def emits() -> Iterable[Named]:
            for request, terms in requests:
                verdict = decide(request, self.state.situation(request, member_id, self.now))
                self.asked.append((request, member_id))
                self.controls[request.passport_id, verdict.seq] = self._control(request, member_id)
                if verdict.outcome is Outcome.PERMIT:
                    self.permitted.append((request, member_id))
                if verdict.outcome is Outcome.REVIEW:
                    self.waiting[request.passport_id, verdict.seq] = (request, member_id)
                yield (
                    "DecisionRecorded",
                    {
                        "passportId": request.passport_id,
                        "grantId": request.grant_id,
                        "memberId": member_id,
                        "terms": terms,
                        "verdict": pack_verdict(verdict),
                        "commitment": request.commitment,
                    },
                )

        batches = batched(requests)
        if hollow:
            batches.append((1, ZERO32, []))
        return Move(key, Call("decide", (batches,)), errors, emits)

    def _well_formed(self, word: int) -> bool:
        codes = (word & 0xFF) < 16 and (word >> 8 & 0xFF) < 8 and (word >> 16 & 0xFF) < 3
        if word >> 208 or not codes or (word >> 24 & 0xFF) > max(Level):
            return False
        terms = unpack_terms(word)
        return bool(
            terms.categories
            and terms.emergency_id <= len(self.state.emergencies)
            and terms.controller_id <= len(self.state.members)
            and (terms.operation is Operation.INCLUDE) == (terms.dataset_id != 0)
            and terms.dataset_id <= len(self.state.datasets)
            and (terms.last_day == 0 or terms.first_day <= terms.last_day)
        )

    def review_request(self, key: Key, request: Request, member_id: int, seq: int, *, approved: bool) -> Move:
        opinion, caller = b"\x13" * 32, self.member_of(key)
        compelled = request.terms.basis is Basis.COMPELLED
        place = request.passport_id, seq
        errors = self.caller(key, Role.REGULATOR if compelled else Role.ETHICS)
        errors |= forbids(
            Reviews_NotWaiting=self.waiting.get(place) != (request, member_id),
            Reviews_NotIndependent=caller in (member_id, request.terms.controller_id),
            Reviews_NoInstrument=compelled and request.commitment == ZERO32,
        )

        def emits() -> Iterable[Named]:
            del self.waiting[place]
            until = self.now + self.state.law.emergencies.review_seconds if approved else 0
            if approved:
                self.approved.append((request, member_id))
            words = {"passportId": request.passport_id, "seq": seq, "reviewer": caller}
            yield "RequestReviewed", {**words, "approvedUntil": until, "opinion": opinion}

        values = (request.passport_id, request.grant_id, request.commitment, pack_terms(request.terms))
        call = Call("reviewRequest", (values, member_id, seq, approved, opinion))
        return Move(key, call, errors, emits)

    def record_release(self, key: Key, passport_id: PassportId, seq: int) -> Move:
        commitment = b"\x14" * 32
        passport = self.state.passports.get(passport_id)
        errors = self.caller(key, active=False) | forbids(Passports_Unknown=passport is None)
        if passport is not None:
            errors |= forbids(
                Passports_NotCustodian=passport.custodian != self.member_of(key),
                Releases_Unknown=seq >= passport.size,
                Releases_AlreadyRecorded=(passport_id, seq) in self.released,
            )

        def emits() -> Iterable[Named]:
            self.released.add((passport_id, seq))
            words = {"passportId": passport_id, "seq": seq, "custodian": self.member_of(key)}
            yield "ReleaseRecorded", {**words, "commitment": commitment}

        return Move(key, Call("recordRelease", (passport_id, seq, commitment)), errors, emits)

    # Agreements and borders

    def agreement_stands(self, number: int) -> bool:
        """Tell whether an agreement is in force, restated from `IAgreements`."""
        entry = self.state.agreements.get(number)
        if entry is None or entry.agreement.status is not AgreementStatus.SIGNED:
            return False
        sides = entry.agreement.provider, entry.agreement.limits.recipient
        return self.now < entry.agreement.limits.valid_to and all(self.is_active(side) for side in sides)

    def propose_agreement(self, key: Key, limits: Limits, text: bytes) -> Move:
        provider = self.member_of(key)
        complete = (
            limits.recipient != provider
            and limits.purposes
            and not limits.purposes & self.state.law.banned_purposes
            and limits.categories
            and self.now < limits.valid_to
            and limits.retention_seconds
            and text != ZERO32
        )
        known = limits.recipient in self.state.members
        errors = self.caller(key) | forbids(
            Agreements_Incomplete=not complete,
            Members_Unknown=not known,
            Members_NotActive=known and not self.is_active(limits.recipient),
        )
        words = {
            "agreementId": len(self.state.agreements) + 1,
            "provider": provider,
            "recipient": limits.recipient,
            "limits": limits_values(limits),
            "text": text,
        }
        call = Call("proposeAgreement", (limits_values(limits), text))
        return Move(key, call, errors, lambda: [("AgreementProposed", words)])

    def sign_agreement(self, key: Key, number: int, text: bytes) -> Move:
        entry, caller = self.state.agreements.get(number), self.member_of(key)
        errors = self.caller(key) | forbids(Agreements_Unknown=entry is None)
        if entry is not None:
            agreement = entry.agreement
            open_ = agreement.status is AgreementStatus.PROPOSED and self.now < agreement.limits.valid_to
            errors |= forbids(
                Agreements_NotParty=agreement.limits.recipient != caller,
                Agreements_WrongStatus=not open_,
                Agreements_OtherText=text != entry.text,
            )
        words = {"agreementId": number, "recipient": caller, "text": text}
        call = Call("signAgreement", (number, text))
        return Move(key, call, errors, lambda: [("AgreementSigned", words)])

    def end_agreement(self, key: Key, number: int) -> Move:
        reasons = b"\x16" * 32
        entry, caller = self.state.agreements.get(number), self.member_of(key)
        errors = self.caller(key, active=False) | forbids(Agreements_Unknown=entry is None)
        if entry is not None:
            agreement = entry.agreement
            errors |= forbids(
                Agreements_NotParty=caller not in (agreement.provider, agreement.limits.recipient),
                Agreements_WrongStatus=agreement.status is AgreementStatus.ENDED,
            )
        words = {"agreementId": number, "memberId": caller, "reasons": reasons}
        call = Call("endAgreement", (number, reasons))
        return Move(key, call, errors, lambda: [("AgreementEnded", words)])

    def set_border_access(self, key: Key, member_id: int, valid_to: int) -> Move:
        caller = self.member_of(key)
        errors = self.caller(key, Role.REGULATOR) | forbids(
            Members_Unknown=member_id not in self.state.members, Borders_NotQualified=member_id == caller
        )
        words = {"memberId": member_id, "regulator": caller, "validTo": valid_to}
        call = Call("setBorderAccess", (member_id, valid_to))
        return Move(key, call, errors, lambda: [("BorderAccessSet", words)])

    def clear(self, key: Key, given: Clearance, filing: bytes) -> Move:
        """*given*: its number, issuer and persons are not read."""
        certified, caller = given.path is Path.CERTIFICATION, self.member_of(key)
        errors = self.caller(key, Role.VERIFIER if certified else Role.REGULATOR)
        project = self.state.projects.get(given.project_id)
        exporter = self.state.members.get(given.exporter)
        errors |= forbids(Projects_Unknown=project is None, Members_Unknown=exporter is None)
        if project is not None and exporter is not None:
            member, importer = self.state.members.get(caller), project.member_id
            near = member is not None and member.jurisdiction == exporter.jurisdiction
            errors |= forbids(
                Borders_NotQualified=not near or caller in (importer, given.exporter),
                Borders_Incomplete=not self._clears(given, importer) or filing == ZERO32,
                Borders_Standing=certified and self._stands(given.project_id, given.exporter),
            )

        def emits() -> Iterable[Named]:
            number = len(self.state.clearances) + 1
            words = {"clearanceId": number, "projectId": given.project_id, "exporter": given.exporter}
            kept = clearance_values(replace(given, issuer=caller, persons=0))
            yield "ClearanceIssued", {**words, "clearance": kept, "filing": filing}

        return Move(key, Call("clear", (clearance_values(given), filing)), errors, emits)

    def _stands(self, project_id: int, exporter: int) -> bool:
        """Tell whether a clearance that a regulator gave is in force: a certification does not take its place."""
        entry = self.state.clearances.get(self.state.clearance_for.get((project_id, exporter), 0))
        if entry is None or self.now >= entry.clearance.valid_to:
            return False
        by_contract = entry.clearance.path is Path.CONTRACT and self.agreement_stands(
            entry.clearance.agreement
        )
        return by_contract or entry.clearance.path is Path.ASSESSMENT

    def _clears(self, given: Clearance, importer: int) -> bool:
        by_contract = given.path is Path.CONTRACT
        contract = self.state.agreements.get(given.agreement)
        between = contract is not None and (
            (contract.agreement.provider, contract.agreement.limits.recipient) == (given.exporter, importer)
        )
        return bool(
            given.path is not Path.NONE
            and importer != given.exporter
            and given.valid_from < given.valid_to
            and self.now < given.valid_to
            and given.max_persons
            and (given.agreement != 0) == by_contract
            and (not by_contract or (between and self.agreement_stands(given.agreement)))
        )

    def withdraw_clearance(self, key: Key, number: int) -> Move:
        reasons = b"\x17" * 32
        entry, caller = self.state.clearances.get(number), self.member_of(key)
        errors = self.caller(key) | forbids(Borders_Unknown=entry is None)
        member = self.state.members.get(caller)
        if entry is not None and member is not None:
            near = member.jurisdiction == self.state.members[entry.clearance.exporter].jurisdiction
            may = entry.clearance.issuer == caller or (Role.REGULATOR in member.roles and near)
            errors |= forbids(Borders_NotQualified=not may, Borders_Over=self.now >= entry.clearance.valid_to)
        words = {"clearanceId": number, "memberId": caller, "reasons": reasons}
        call = Call("withdrawClearance", (number, reasons))
        return Move(key, call, errors, lambda: [("ClearanceWithdrawn", words)])

    def set_thresholds(self, persons: int, sensitive_persons: int) -> Move:
        values = persons, sensitive_persons
        return self.act(
            Call("setThresholds", (values,)),
            forbids(Borders_Incomplete=0 in values),
            lambda: [("ThresholdsSet", {"thresholds": values})],
        )

    # Transfers

    def permit(self, passport_id: PassportId, seq: int) -> int:
        """Return the recipient of an unused permit to transfer that still stands, restated from `ITransfers`."""
        entry = self.state.transfer_permits.get((passport_id, seq))
        if entry is None or self.now > entry.position.time + PERMIT_SECONDS:
            return 0
        stands = self._parties_stand(entry) and self._grounds_stand(entry)
        return entry.member_id if stands else 0

    def _parties_stand(self, entry: DecisionEntry) -> bool:
        recipient, principal = entry.member_id, entry.terms.controller_id or entry.member_id
        if entry.terms.controller_id and not self._entrusts(principal, recipient, entry.terms.purpose):
            return False
        controlled = self.state.members[principal].control == self.controls[entry.passport_id, entry.seq]
        return controlled and self.is_active(recipient) and self.is_active(principal)

    def _entrusts(self, controller: int, processor: int, purpose: Purpose) -> bool:
        order = self.state.entrustments.get((controller, processor))
        return order is not None and bool(order.purposes >> purpose & 1) and self.now < order.valid_to

    def _control(self, request: Request, member_id: int) -> int | None:
        """Return `control` of the member in whose right a request is made; None if in nobody's."""
        controller = request.terms.controller_id
        if controller and not self._entrusts(controller, member_id, request.terms.purpose):
            return None
        return self.state.members[controller or member_id].control

    def _grounds_stand(self, entry: DecisionEntry) -> bool:
        terms, passport = entry.terms, self.state.passports[entry.passport_id]
        table = self.state.policies[entry.verdict.policy_version]
        required = table.required_for(entry.verdict.data_class, terms.purpose, terms.basis)
        if Fact.EMERGENCY_IN_FORCE in required or (Fact.UNLOCKED in required and passport.lock != 0):
            urgent = self.state.emergencies.get(terms.emergency_id)
            if urgent is not None and self.now >= urgent.emergency.until:
                return False
        if terms.basis is not Basis.CONSENT:
            return True
        return grant_is_live(self.state.grants[entry.passport_id, entry.grant_id].state, self.now)

    def ship(
        self, key: Key, transfer_id: TransferId, passport_id: PassportId, seq: int, content: bytes
    ) -> Move:
        recipient = self.permit(passport_id, seq)
        errors = self.custodian(key, passport_id) | self.closed(passport_id)
        errors |= forbids(
            Transfers_NotPermitted=recipient == 0,
            Transfers_NoContent=content == ZERO32,
            Transfers_Exists=transfer_id == ZERO32 or transfer_id in self.state.transfers,
        )
        words = {"transferId": transfer_id, "passportId": passport_id, "recipient": recipient, "seq": seq}

        def emits() -> Iterable[Named]:
            self.shipped_at[transfer_id] = self.now
            yield "TransferShipped", {**words, "sender": self.member_of(key), "content": content}

        return Move(key, Call("ship", (transfer_id, passport_id, seq, content)), errors, emits)

    def receive(self, key: Key, transfer_id: TransferId, content: bytes) -> Move:
        entry = self.state.transfers.get(transfer_id)
        errors = self.caller(key) | forbids(Transfers_NoContent=content == ZERO32)
        errors |= forbids(Transfers_Unknown=entry is None)
        if entry is not None:
            errors |= forbids(
                Transfers_NotRecipient=entry.transfer.recipient != self.member_of(key),
                Transfers_AlreadyReceived=entry.transfer.status is not TransferStatus.SHIPPED,
            )

        def emits() -> Iterable[Named]:
            assert entry is not None
            self.received_at[transfer_id] = self.now
            words = {"transferId": transfer_id, "passportId": entry.transfer.passport_id}
            words |= {"recipient": entry.transfer.recipient, "content": content}
            yield "TransferReceived", {**words, "matched": content == entry.transfer.content}

        return Move(key, Call("receiveTransfer", (transfer_id, content)), errors, emits)

    # Datasets

    def declare(self, key: Key, plan: Plan, description: bytes) -> Move:
        complete = (
            plan.purposes
            and not plan.purposes & self.state.law.banned_purposes
            and plan.categories
            and self.now < plan.retain_until
            and description != ZERO32
        )
        words = {"datasetId": len(self.state.datasets) + 1, "owner": self.member_of(key)}
        return Move(
            key,
            Call("declareDataset", (plan_values(plan), description)),
            self.caller(key) | forbids(Datasets_Incomplete=not complete),
            lambda: [("DatasetDeclared", {**words, "plan": plan_values(plan), "description": description})],
        )

    def _dataset(self, number: int) -> tuple[Dataset | None, set[str]]:
        dataset = self.state.datasets.get(number)
        return dataset, forbids(Datasets_Unknown=dataset is None)

    def excuse(self, key: Key, number: int, opinion: bytes, *, off: int = 0) -> Move:
        """*off*: how many withdrawals more than there are the opinion is about."""
        dataset, errors = self._dataset(number)
        caller = self.member_of(key)
        withdrawals = (len(dataset.withdrawals) if dataset else 0) + off
        if dataset is not None:
            errors |= forbids(
                Datasets_NotQualified=dataset.owner == caller or opinion == ZERO32,
                Datasets_OtherWithdrawals=off != 0,
                Datasets_WrongStatus=dataset.excused == len(dataset.withdrawals),
            )
        words = {"datasetId": number, "reviewer": caller, "withdrawals": withdrawals, "opinion": opinion}
        return Move(
            key,
            Call("excuseWithdrawals", (number, withdrawals, opinion)),
            errors | self.caller(key, Role.ETHICS),
            lambda: [("DatasetExcused", words)],
        )

    def seal_dataset(self, key: Key, number: int) -> Move:
        reasons = b"\x15" * 32
        dataset, errors = self._dataset(number)
        member = self.state.members.get(self.member_of(key))
        if dataset is not None and member is not None:
            may = dataset.owner == member.member_id or Role.REGULATOR in member.roles
            errors |= forbids(
                Datasets_NotQualified=not may, Datasets_WrongStatus=dataset.status >= DatasetStatus.SEALED
            )
        words = {"datasetId": number, "memberId": self.member_of(key), "reasons": reasons}
        return Move(
            key,
            Call("sealDataset", (number, reasons)),
            errors | self.caller(key),
            lambda: [("DatasetSealed", words)],
        )

    def unseal_dataset(self, key: Key, number: int) -> Move:
        dataset, errors = self._dataset(number)
        if dataset is not None:
            errors |= forbids(
                Datasets_NotQualified=dataset.owner == self.member_of(key),
                Datasets_WrongStatus=dataset.status is not DatasetStatus.SEALED,
            )
        return Move(
            key,
            Call("unsealDataset", (number,)),
            errors | self.caller(key, Role.REGULATOR),
            lambda: [("DatasetUnsealed", {"datasetId": number, "memberId": self.member_of(key)})],
        )

    # Lineage

    def record_step(self, key: Key, step: Step, parts: Sequence[JointPart] | None = None) -> Move:
        """*parts*: of a joint step, of those who signed."""
        member_id, joint = self.member_of(key), parts is not None
        parts = tuple(parts or ())
        errors = self.caller(key, active=False) | self._malformed(step)
        if joint:
            errors |= self._bad_parts(step, parts, member_id)
            errors |= forbids(Lineage_Repeated=(member_id, step) in self.joint_steps)
        if not errors:
            team = (member_id, *(part.member_id for part in parts))
            situation = self.state.step_situation(step, team, self.now)
            missing = missing_of(step, situation)
            twice = not missing and len(set(step.outputs)) < len(step.outputs)
            errors |= forbids(
                Lineage_Malformed=len(origins_behind(step, situation)) > MAX_ORIGINS, Lineage_Exists=twice
            )

        def emits() -> Iterable[Named]:
            number = len(self.state.steps) + 1
            if joint:
                self.joint_steps.add((member_id, step))
            for part in parts:
                words = {"stepId": number, "memberId": part.member_id, "contribution": part.contribution}
                self.contributions[number, part.member_id] = part.contribution
                yield "PartSigned", words
            words = {"stepId": number, "memberId": member_id, "kind": int(step.kind)}
            yield "StepRecorded", {**words, "missing": int(missing), "step": step_values(step)}

        if joint:
            signed = [(part.member_id, part.contribution, part.signature) for part in parts]
            return Move(key, Call("recordJointStep", (step_values(step), signed)), errors, emits)
        return Move(key, Call("recordStep", (step_values(step),)), errors, emits)

    def part(self, step: Step, signer: Key, recorder: int, member_id: int, contribution: bytes) -> JointPart:
        """Return a part in a step as *signer* signs it."""
        typed = part_typed_data(
            self.domain, step, recorder=recorder, member_id=member_id, contribution=contribution
        )
        return JointPart(member_id, Commitment(contribution), signer.sign(digest(typed)))

    def _bad_parts(self, step: Step, parts: Sequence[JointPart], recorder: int) -> set[str]:
        former, bad = 0, False
        for part in parts:
            member = self.state.members.get(part.member_id)
            typed = part_typed_data(
                self.domain,
                step,
                recorder=recorder,
                member_id=part.member_id,
                contribution=part.contribution,
            )
            signed = member is not None and recover(typed, part.signature) == member.signer.lower()
            bad = bad or part.member_id <= former or part.contribution == ZERO32 or not signed
            former = part.member_id
        malformed = not 0 < len(parts) <= MAX_LINKS or not step.outputs
        return forbids(Lineage_BadPart=bad, Lineage_Malformed=malformed)

    def register(self, key: Key, content: bytes, kind: VersionKind, purposes: int, statement: bytes) -> Move:
        name = VersionId(external_id(self.member_of(key), Commitment(content)))
        known = self.state.versions.keys() | self.state.passports.keys() | {ZERO32}
        complete = (
            kind in (VersionKind.DATA, VersionKind.MODEL)
            and purposes
            and not purposes & self.state.law.banned_purposes
            and ZERO32 not in (statement, content)
        )
        words = {"versionId": name, "owner": self.member_of(key), "kind": int(kind), "purposes": purposes}
        return Move(
            key,
            Call("registerExternal", (content, int(kind), purposes, statement)),
            self.caller(key) | forbids(Lineage_Exists=name in known, Lineage_Incomplete=not complete),
            lambda: [("ExternalRegistered", {**words, "statement": statement})],
        )

    def _malformed(self, step: Step) -> set[str]:
        least, most = _INPUTS.get(step.kind, (1, 1))
        on_dataset = step.kind in _ON_DATASET
        known = self.state.versions.keys() | self.state.passports.keys() | {ZERO32}
        formed = (
            least <= len(step.inputs) <= most
            and len(step.outputs) <= MAX_LINKS
            and (not step.outputs) == (step.kind in _MAKES_NOTHING)
            and (step.kind is StepKind.SPLIT or len(step.outputs) <= 1)
            and on_dataset == (step.dataset_id != 0)
            and not (on_dataset and step.epsilon)
            and (step.kind is StepKind.TRAIN) == (step.purposes != 0)
            and step.project_id <= len(self.state.projects)
            and step.parameters != ZERO32
        )
        return forbids(
            Lineage_Malformed=not formed,
            Datasets_Unknown=on_dataset and step.dataset_id not in self.state.datasets,
            Lineage_Exists=any(name in known for name in step.outputs),
        )

    def _version(self, name: VersionId, *, model: bool = False) -> tuple[Version | None, set[str]]:
        version = self.state.versions.get(name)
        if version is not None and model and version.kind is not VersionKind.MODEL:
            version = None
        return version, forbids(Lineage_Unknown=version is None)

    def verify(self, key: Key, name: VersionId, report: bytes, *, passed: bool) -> Move:
        version, errors = self._version(name)
        caller = self.member_of(key)
        if version is not None:
            involved = version.owner == caller or (name, caller) in self.state.shares
            involved = involved or (version.step_id, caller) in self.contributions
            errors |= forbids(
                Lineage_NotQualified=involved or report == ZERO32,
                Lineage_AlreadyVerified=version.check is not Check.PENDING,
            )
        words = {
            "versionId": name,
            "verifier": caller,
            "check": int(Check.PASSED if passed else Check.FAILED),
        }
        return Move(
            key,
            Call("verifyVersion", (name, passed, report)),
            errors | self.caller(key, Role.VERIFIER),
            lambda: [("VersionVerified", {**words, "report": report})],
        )

    def share(self, key: Key, name: VersionId, recipient: int, agreement_id: int, project_id: int) -> Move:
        version, errors = self._version(name)
        caller = self.member_of(key)
        found = self.state.agreements.get(agreement_id)
        errors |= forbids(
            Members_Unknown=recipient not in self.state.members,
            Members_NotActive=not self.is_active(recipient),
        )
        exported: list[Named] = []
        if version is not None:
            data = version.kind is VersionKind.DATA
            behind = [self.state.datasets[origin.dataset_id] for origin in version.origins]
            kept = [one for one in behind if one.no_onward and one.owner != recipient]
            stale = any(is_stale(origin, one) for origin, one in zip(version.origins, behind, strict=True))
            over = any(self.now >= min(one.retain_until, one.usable_until) for one in behind)
            errors |= forbids(
                Shares_NotVerified=version.check is not Check.PASSED,
                Shares_NotQualified=version.owner != caller or recipient in (caller, version.verifier),
                Datasets_WrongStatus=data and any(one.status >= DatasetStatus.SEALED for one in behind),
                Shares_NotCurrent=data and (stale or over),
                Shares_OnwardForbidden=version.only_to not in (0, recipient) or (data and kept),
                Agreements_NotCovered=not self._agreed(agreement_id, version, behind, recipient),
            )
            if self._is_abroad(caller, recipient):
                cleared, exported = self._exports(behind if data else [], caller, recipient, project_id)
                errors |= forbids(Borders_NotCleared=not cleared)
        seconds = found.agreement.limits.retention_seconds if found else 0
        words = {
            "versionId": name,
            "owner": caller,
            "recipient": recipient,
            "agreementId": agreement_id,
            "projectId": project_id,
            "keepUntil": min(self.now + seconds, 2**32 - 1),
        }
        return Move(
            key,
            Call("shareVersion", (name, recipient, agreement_id, project_id)),
            errors | self.caller(key),
            lambda: [*exported, ("VersionShared", words)],
        )

    def _agreed(self, agreement_id: int, version: Version, behind: Sequence[Dataset], recipient: int) -> bool:
        found = self.state.agreements.get(agreement_id)
        if found is None or not self.agreement_stands(agreement_id):
            return False
        limits = found.agreement.limits
        return (
            (found.agreement.provider, limits.recipient) == (version.owner, recipient)
            and bool(limits.purposes & version.purposes)
            and all(one.categories in limits.categories for one in behind)
        )

    def _is_abroad(self, owner: int, recipient: int) -> bool:
        one, other = self.state.members.get(owner), self.state.members.get(recipient)
        return one is not None and other is not None and one.jurisdiction != other.jurisdiction

    def _exports(
        self, behind: Sequence[Dataset], owner: int, recipient: int, project_id: int
    ) -> tuple[bool, list[Named]]:
        """Tell whether all may go abroad, and what is emitted of it: who is in a dataset counts once a year."""
        state, project = self.state, self.state.projects.get(project_id)
        crossing = state.crossing(project_id, owner, recipient, self.now)
        clearance = crossing.clearance
        if project is None or project.member_id != recipient or clearance is None:
            return False, []
        if not is_cleared(crossing, self.now):
            return False, []
        year, number = year_of(self.now), clearance.clearance_id
        persons, sensitive = crossing.exports.persons, crossing.exports.sensitive_persons
        crossed, told = clearance.persons, []
        for dataset in {one.dataset_id: one for one in behind}.values():
            name = dataset.dataset_id
            fresh = dataset.included - state.dataset_exports.get((owner, year, name), 0)
            anew = dataset.included - state.dataset_crossings.get((number, name), 0)
            touchy = is_sensitive(state.law, dataset.categories)
            if not fresh and not anew:
                continue
            persons, sensitive, crossed = persons + fresh, sensitive + fresh * touchy, crossed + anew
            over = persons > state.thresholds.persons
            over = over or (touchy and sensitive > state.thresholds.sensitive_persons)
            if crossed > clearance.max_persons:
                return False, []
            if clearance.path is not Path.ASSESSMENT and fresh and over:
                return False, []
            words = {"datasetId": name, "exporter": owner, "clearanceId": number, "persons": fresh}
            told.append(("DatasetExported", {**words, "crossed": anew, "sensitive": touchy}))
        return True, told

    def answer(self, key: Key, name: VersionId, answer: Answer, *, successor: bytes, evidence: bytes) -> Move:
        version, errors = self._version(name, model=True)
        caller = self.member_of(key)
        replaced = answer in (Answer.RETRAINED, Answer.UNLEARNED)
        follows = self._may_follow(VersionId(successor), caller) if replaced else successor == ZERO32
        errors |= forbids(Lineage_NoAnswer=answer is Answer.NONE or evidence == ZERO32 or not follows)
        if version is not None:
            serves = version.status is ModelStatus.ACTIVE
            owes = version.status is ModelStatus.SUSPENDED or (serves and self.due(version) is not None)
            errors |= forbids(Lineage_NotQualified=version.owner != caller, Lineage_NothingOwed=not owes)
        words = {"versionId": name, "owner": caller, "answer": int(answer), "successor": successor}
        return Move(
            key,
            Call("answerWithdrawal", (name, int(answer), successor, evidence)),
            errors | self.caller(key, active=False),
            lambda: [("WithdrawalAnswered", {**words, "evidence": evidence})],
        )

    def due(self, version: Version) -> int | None:
        return due_of(version, self.state.datasets)

    def _may_follow(self, name: VersionId, owner: int) -> bool:
        version = self.state.versions.get(name)
        if version is None or version.kind is not VersionKind.MODEL or version.owner != owner:
            return False
        stale = any(is_stale(origin, self.state.datasets[origin.dataset_id]) for origin in version.origins)
        return version.status is ModelStatus.ACTIVE and not stale and not version.is_quarantined

    def suspend_overdue(self, key: Key, name: VersionId) -> Move:
        version, errors = self._version(name, model=True)
        if version is not None:
            due = self.due(version)
            overdue = version.status is ModelStatus.ACTIVE and due is not None and self.now > due
            errors |= forbids(Lineage_NothingOwed=not overdue)
        return Move(
            key,
            Call("suspendOverdue", (name,)),
            errors | self.caller(key, active=False),
            lambda: [("ModelSuspended", {"versionId": name, "memberId": self.member_of(key)})],
        )


def batched(requests: Sequence[tuple[Request, int]]) -> list[tuple[int, bytes, list[tuple[bytes, bytes]]]]:
    """Return requests as batches of `IDecisions`: those that follow each other with the same words share them."""
    batches: list[tuple[int, bytes, list[tuple[bytes, bytes]]]] = []
    for request, terms in requests:
        if not batches or batches[-1][:2] != (terms, request.commitment):
            batches.append((terms, request.commitment, []))
        batches[-1][2].append((request.passport_id, request.grant_id))
    return batches


def grant_values(state: GrantState) -> tuple[Any, ...]:
    """Return a grant as `IConsents.GrantState`."""
    return (
        state.recipient,
        state.recipient_kinds,
        state.purposes,
        int(state.categories),
        state.use_from,
        state.use_to,
        state.data_from,
        state.data_to,
        state.max_uses,
        state.uses,
        state.control,
        int(state.level),
        int(state.flags),
        int(state.status),
        int(state.assurance),
    )


def given_values(given: Grant) -> tuple[Any, ...]:
    """Return what a holder signs as `IConsents.Grant`."""
    return (
        given.grant_id,
        given.passport_id,
        given.recipient,
        given.recipient_kinds,
        given.purposes,
        int(given.categories),
        given.use_from,
        given.use_to,
        given.data_from,
        given.data_to,
        given.max_uses,
        int(given.level),
        int(given.flags),
        given.template,
        given.terms,
        given.supersedes,
        given.deadline,
    )
