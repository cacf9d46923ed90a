"""Admitting, suspending and listing members."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ledger.domain.records import Address, Admission, Caps, Entrustment, Member
from ledger.domain.vocabulary import MemberStatus, Purpose, Role, purpose_set
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound
from ledger.ports import Call, Chain, Index, Operation, Vault, Writer
from ledger.service.authority import require_active, require_member, signer_of
from ledger.service.committee import Committee, require_seat
from ledger.service.statements import keep

#: Longest name of a member, in bytes of UTF-8.
MAX_NAME_BYTES: Final = 64
#: Roles that only the committee gives.
COMMITTEE_ROLES: Final = Role.COMMITTEE | Role.ALLIANCE | Role.REGULATOR | Role.EMERGENCY
#: Most permits a day that a cap can name.
MAX_CAP: Final = 2**16 - 1
_KEY_BYTES: Final = 32
_MAX_JURISDICTION: Final = 999
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class MemberDetail:
    """
    A member with its daily caps, what counts against them today (UTC), and who acts for whom.

    Attributes:
        entrustments: By controller and processor; the member is one of the two.
    """

    member: Member
    caps: Caps
    entrustments: dict[tuple[int, int], Entrustment]


@dataclass(frozen=True, slots=True)
class Members:
    """The whitelist. The committee changes it; the alliance admits units and suspends them."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault
    committee: Committee

    def admit(
        self, actor: Member, admission: Admission, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Admit an institution, or propose it to the committee.

        Args:
            actor: The alliance, for members without a role that governs; a member with a seat for all.
            admission: What is stated. With an empty `signer` the service makes and keeps the member's chain key,
                and the actor pays it an allowance.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* is neither, or the alliance would give a role that only the committee gives.
            InvalidInput: Something is missing; says what.
        """
        _check(admission, now=self.chain.now())
        by_alliance = Role.ALLIANCE in actor.roles and not admission.roles & COMMITTEE_ROLES
        if not by_alliance:
            require_seat(self.index, actor)
        if self.index.member_by_signing_key(admission.signing_key) is not None:
            raise Conflict(
                "a member already uses this signing key", fix="Give each member a key pair of its own."
            )
        signer = signer_of(self.writer, actor)
        if not admission.signer:
            admission = replace(admission, signer=self.writer.new_key())
            self.writer.submit(signer, Call("", to=admission.signer, value=self.chain.allowance(signer)))
        if by_alliance:
            return self.writer.submit(signer, admit_call(admission), idempotency=idempotency)
        return self.committee.propose(actor, admit_call(admission), "admission", idempotency=idempotency)

    def suspend(
        self, actor: Member, member_id: int, reason: str, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Suspend a member: its new requests are denied and recorded; grants it holds stay stored.

        Args:
            actor: A regulator or the alliance, unless the member holds a seat; a member with a seat proposes it.
            member_id: The member.
            reason: Why; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* is none of these.
            NotFound: There is no such member.
            Conflict: It is suspended already, or was expelled.
        """
        if self.get(member_id).status is not MemberStatus.ACTIVE:
            raise Conflict(f"member {member_id} is suspended already, or was expelled")
        commitment = keep(
            self.vault, "suspension", {"member": member_id, "reason": reason}, owner=actor.member_id
        )
        call = Call("suspend", (member_id, to_hex(commitment)))
        if actor.roles & (Role.ALLIANCE | Role.REGULATOR) and member_id not in self.index.seats():
            return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)
        return self.committee.propose(actor, call, reason, idempotency=idempotency)

    def reinstate(
        self, actor: Member, member_id: int, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Propose to let a suspended member act again. Grants that ended meanwhile stay ended.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such member.
            Conflict: It is not suspended.
        """
        if self.get(member_id).status is not MemberStatus.SUSPENDED:
            raise Conflict(f"member {member_id} is not suspended")
        return self.committee.propose(
            actor, Call("reinstate", (member_id,)), "reinstatement", idempotency=idempotency
        )

    def expel(
        self, actor: Member, member_id: int, reason: str, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Propose to expel a member, for good: what was granted to it never permits again.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such member.
            Conflict: It was expelled before.
        """
        self._changeable(member_id)
        commitment = keep(
            self.vault, "expulsion", {"member": member_id, "reason": reason}, owner=actor.member_id
        )
        call = Call("expel", (member_id, to_hex(commitment)))
        return self.committee.propose(actor, call, reason, idempotency=idempotency)

    def license(
        self,
        actor: Member,
        member_id: int,
        *,
        purposes: list[Purpose],
        valid_to: int,
        reason: str,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose another licence scope and end of a membership.

        Args:
            actor: A member with a seat.
            member_id: The member.
            purposes: The new scope; the empty list for none.
            valid_to: The new end, seconds since the Unix epoch, exclusive.
            reason: Why; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such member.
            Conflict: It was expelled.
        """
        self._changeable(member_id)
        call = Call("license", (member_id, purpose_set(purposes), valid_to))
        return self.committee.propose(actor, call, reason, idempotency=idempotency)

    def change_control(
        self, actor: Member, member_id: int, reason: str, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Record that control of a member changed hands: consents that name it are frozen until each patient confirms.

        Args:
            actor: The alliance, at once; a member with a seat proposes it.
            member_id: The member.
            reason: What happened; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* is neither.
            NotFound: There is no such member.
        """
        self.get(member_id)
        commitment = keep(
            self.vault, "control", {"member": member_id, "reason": reason}, owner=actor.member_id
        )
        call = Call("changeControl", (member_id, to_hex(commitment)))
        if Role.ALLIANCE in actor.roles:
            return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)
        return self.committee.propose(actor, call, reason, idempotency=idempotency)

    def set_caps(
        self,
        actor: Member,
        member_id: int,
        caps: dict[Purpose, int],
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose how many permits a member may get in a day (UTC), by purpose.

        Args:
            actor: A member with a seat.
            member_id: The member.
            caps: 1 to `MAX_CAP` for each purpose that is capped; purposes left out have no cap.
            reason: Why; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such member.
            InvalidInput: A cap is out of range.
        """
        self.get(member_id)
        for purpose, cap in caps.items():
            if not 1 <= cap <= MAX_CAP:
                raise InvalidInput(f"the cap for {purpose.name} must be 1 to {MAX_CAP}", field="caps")
        word = sum(cap << (16 * purpose) for purpose, cap in caps.items())
        return self.committee.propose(
            actor, Call("setCaps", (member_id, word)), reason, idempotency=idempotency
        )

    def rotate_keys(
        self,
        actor: Member,
        member_id: int,
        *,
        signing_key: bytes,
        sealing_key: bytes,
        signer: Address | None = None,
        reason: str,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose to replace a member's keys; the old ones are dead at once.

        Args:
            actor: A member with a seat.
            member_id: The member.
            signing_key: The new Ed25519 public key, 32 bytes.
            sealing_key: The new X25519 public key, 32 bytes.
            signer: The new chain account; None if the service is to make and keep it, and the actor to pay it an
                allowance.
            reason: Why; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such member.
            Conflict: A member uses the signing key already.
            InvalidInput: A key is none.
        """
        self.get(member_id)
        require_seat(self.index, actor)
        _check_keys(signing_key, sealing_key)
        if self.index.member_by_signing_key(signing_key) is not None:
            raise Conflict(
                "a member already uses this signing key", fix="Give each member a key pair of its own."
            )
        payer = signer_of(self.writer, actor)
        if signer is None:
            signer = self.writer.new_key()
            self.writer.submit(payer, Call("", to=signer, value=self.chain.allowance(payer)))
        call = Call("rotateKeys", (member_id, signer, to_hex(signing_key), to_hex(sealing_key)))
        return self.committee.propose(actor, call, reason, idempotency=idempotency)

    def entrust(
        self,
        actor: Member,
        processor: int,
        *,
        purposes: list[Purpose],
        valid_to: int,
        agreement: str,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Entrust another member with acting for the caller; both are recorded with each request.

        Args:
            actor: The controller.
            processor: Who will act.
            purposes: For what; at least one.
            valid_to: Until when, seconds since the Unix epoch, exclusive.
            agreement: The agreement in words; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* is suspended.
            NotFound: There is no such member.
            InvalidInput: It is the caller itself, or purposes, agreement or a future end are missing.
        """
        now = self.chain.now()
        require_active(actor, now)
        if self.get(processor).member_id == actor.member_id:
            raise InvalidInput("nobody entrusts itself", field="memberId", fix="Name another member.")
        if not purposes:
            raise InvalidInput("purposes must name at least one purpose", field="purposes")
        if valid_to <= now:
            raise InvalidInput("validTo must lie in the future", field="validTo")
        if not agreement.strip():
            raise InvalidInput("agreement must not be empty", field="agreement")
        words = {"controller": actor.member_id, "processor": processor, "text": agreement}
        agreed = to_hex(keep(self.vault, "entrustment", words, owner=actor.member_id))
        call = Call("entrust", (processor, purpose_set(purposes), valid_to, agreed))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def end_entrustment(
        self,
        actor: Member,
        processor: int,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        End what the caller entrusted a member with.

        Raises:
            NotPermitted: *actor* is suspended.
            NotFound: The caller has entrusted this member with nothing.
        """
        require_active(actor, self.chain.now())
        order = self.index.entrustment(actor.member_id, processor)
        if order is None or not order.purposes:
            raise NotFound(
                f"{actor.name} has entrusted member {processor} with nothing",
                fix="GET /v1/members/{id} lists what you entrusted others with.",
            )
        call = Call("entrust", (processor, 0, 0, to_hex(bytes(_KEY_BYTES))))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def detail(self, member_id: int, *, at: int | None = None) -> MemberDetail:
        """
        Return a member with its caps, what counts against them on a day, and who acts for whom.

        Args:
            member_id: The member.
            at: A time of that day, seconds since the Unix epoch; None for now.

        Raises:
            NotFound: There is no such member.
        """
        member = self.get(member_id)
        day = (self.chain.now() if at is None else at) // _DAY_SECONDS
        caps = self.index.caps(member_id, day)
        orders = self.index.entrustments(member_id).items()
        return MemberDetail(member, caps, {pair: order for pair, order in orders if order.purposes})

    def get(self, member_id: int) -> Member:
        """
        Return a member.

        Raises:
            NotFound: There is no such member.
        """
        return require_member(self.index, member_id)

    def all(self) -> list[Member]:
        """Return all members in the order of admission."""
        return self.index.members()

    def names(self) -> dict[int, str]:
        """Return what all members are called, by number."""
        return {member.member_id: member.name for member in self.index.members()}

    def _changeable(self, member_id: int) -> Member:
        member = self.get(member_id)
        if member.status is MemberStatus.EXPELLED:
            raise Conflict(f"{member.name} was expelled", fix="Expulsion is final.")
        return member


def admit_call(admission: Admission) -> Call:
    """Return the contract call that admits an institution."""
    return Call("admit", (admission_argument(admission),))


def admission_argument(admission: Admission) -> list[object]:
    """Return an admission as the contract's struct."""
    return [
        admission.signer,
        int(admission.roles),
        admission.purposes,
        admission.jurisdiction,
        admission.valid_to,
        int(admission.kind),
        to_hex(admission.signing_key),
        to_hex(admission.sealing_key),
        admission.name,
    ]


def _check(admission: Admission, *, now: int) -> None:
    if not 0 < len(admission.name.encode()) <= MAX_NAME_BYTES:
        raise InvalidInput(f"name must have 1 to {MAX_NAME_BYTES} bytes of UTF-8", field="name")
    if not admission.roles:
        raise InvalidInput("roles must name at least one role", field="roles")
    if not 0 <= admission.jurisdiction <= _MAX_JURISDICTION:
        raise InvalidInput("jurisdiction must be an ISO 3166-1 numeric code", field="jurisdiction")
    if admission.valid_to <= now:
        raise InvalidInput("validTo must lie in the future", field="validTo")
    _check_keys(admission.signing_key, admission.sealing_key)


def _check_keys(signing_key: bytes, sealing_key: bytes) -> None:
    for field, key in (("signingKey", signing_key), ("sealingKey", sealing_key)):
        if len(key) != _KEY_BYTES or not any(key):
            raise InvalidInput(f"{field} must be a public key of {_KEY_BYTES} bytes", field=field)
