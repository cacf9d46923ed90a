"""Admitting, suspending and listing members."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ledger.domain.records import Admission, Member
from ledger.domain.vocabulary import MemberStatus, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound
from ledger.ports import Call, Chain, Index, Operation, Vault, Writer
from ledger.service.authority import signer_of
from ledger.service.committee import Committee, require_seat
from ledger.service.statements import keep

#: Longest name of a member, in bytes of UTF-8.
MAX_NAME_BYTES: Final = 64
#: Roles that only the committee gives.
COMMITTEE_ROLES: Final = Role.COMMITTEE | Role.ALLIANCE | Role.REGULATOR | Role.EMERGENCY
_KEY_BYTES: Final = 32
_MAX_JURISDICTION: Final = 999


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
        commitment = keep(self.vault, "suspension", {"member": member_id, "reason": reason})
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

    def get(self, member_id: int) -> Member:
        """
        Return a member.

        Raises:
            NotFound: There is no such member.
        """
        member = self.index.member(member_id)
        if member is None:
            raise NotFound(f"there is no member {member_id}", fix="GET /v1/members lists the members.")
        return member

    def all(self) -> list[Member]:
        """Return all members in the order of admission."""
        return self.index.members()


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
    for field, key in (("signingKey", admission.signing_key), ("sealingKey", admission.sealing_key)):
        if len(key) != _KEY_BYTES or not any(key):
            raise InvalidInput(f"{field} must be a public key of {_KEY_BYTES} bytes", field=field)
