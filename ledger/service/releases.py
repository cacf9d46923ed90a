"""
Releasing records: evidence first, then the key.

The decision is read from the node, the grant is checked again at the head of the chain, and only then is the data
key re-sealed to the recipient. The completion receipt is written down before the answer leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.records import Commitment, Member, PassportId, Salt
from ledger.domain.vocabulary import Basis, Category, Operation, Outcome, PassportStatus, names
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, NotFound, NotPermitted
from ledger.policy import PERMIT_SECONDS, grant_is_live, member_is_active
from ledger.ports import Call, Chain, DecisionRecord, Index, SealedCategory, SealedRecord, Vault, Writer
from ledger.service.authority import require_passport
from ledger.service.statements import keep


@dataclass(frozen=True, slots=True)
class ReleasedCategory:
    """One category as the recipient gets it: ciphertext, its key sealed to the recipient, and what to check."""

    category: Category
    ciphertext: bytes
    sealed_key: bytes
    commitment: Commitment
    salt: Salt
    entries: int


@dataclass(frozen=True, slots=True)
class Release:
    """What a recipient gets after a permit."""

    passport_id: PassportId
    seq: int
    content: Commitment
    manifest_salt: Salt
    manifest: dict[str, str]
    categories: tuple[ReleasedCategory, ...]


@dataclass(frozen=True, slots=True)
class Releases:
    """Keys handed over."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault

    def release(self, actor: Member, passport_id: PassportId, seq: int) -> Release:
        """
        Hand the permitted categories of a record over to the member that was permitted.

        Args:
            actor: The recipient.
            passport_id: The data.
            seq: The decision that permits it.

        Raises:
            NotFound: There is no such decision, or this service does not keep the record.
            NotPermitted: The decision is somebody else's, is not a permit to read, is too old, or consent or
                membership has ended since.
        """
        decision = self._permit(actor, passport_id, seq, Operation.READ)
        sealed = self.vault.record(passport_id)
        if sealed is None:
            raise NotFound("this service does not keep that record", fix="Ask the custodian's own service.")
        released = hand_over(self.vault, sealed, decision.verdict.categories, actor.sealing_key)
        self._receipt(passport_id, seq, released)
        return released_of(sealed, seq, released)

    def _permit(
        self, actor: Member, passport_id: PassportId, seq: int, operation: Operation
    ) -> DecisionRecord:
        return current_permit(self.chain, actor, passport_id, seq, operation)

    def _receipt(self, passport_id: PassportId, seq: int, released: tuple[ReleasedCategory, ...]) -> None:
        if seq in self.index.releases(passport_id):
            return
        custodian = self.index.member(require_passport(self.index, passport_id).passport.custodian)
        if custodian is None or not self.writer.has_key(custodian.signer):
            raise NotFound("this service does not hold the custodian's chain key")
        words = [item.category.name for item in released]
        scope, key = f"release:{to_hex(passport_id)}", str(seq)
        if self.writer.find(scope, key) is not None:
            return
        commitment = keep(
            self.vault, "release", {"passport": to_hex(passport_id), "seq": seq, "categories": words}
        )
        call = Call("recordRelease", (to_hex(passport_id), seq, to_hex(commitment)))
        self.writer.submit(custodian.signer, call, idempotency=(scope, key, "release"))


def current_permit(
    chain: Chain, actor: Member, passport_id: PassportId, seq: int, operation: Operation
) -> DecisionRecord:
    """
    Find a permit on the chain and check that it still stands at the head.

    Raises:
        NotFound: The chain has no such decision.
        NotPermitted: It is not this member's, not a permit for this operation, too old, or what it rested on has
            ended since.
    """
    name = f"{to_hex(passport_id)}/{seq}"
    decision = chain.decision(passport_id, seq)
    if decision is None:
        raise NotFound(f"the chain has no decision {name}", fix="Ask for access first: POST /v1/decisions.")
    verdict = decision.verdict
    if decision.member_id != actor.member_id:
        raise NotPermitted(f"decision {name} answers another member's request")
    if verdict.outcome is not Outcome.PERMIT:
        raise NotPermitted(
            f"decision {name} is not a permit; missing: {', '.join(names(verdict.missing))}",
            fix="GET /v1/decisions/{passport}/{seq} gives the reasons in words.",
        )
    if verdict.operation is not operation:
        raise NotPermitted(f"decision {name} permits to {verdict.operation.name}, not to {operation.name}")
    now = chain.now()
    if now - decision.position.time > PERMIT_SECONDS:
        raise NotPermitted(
            f"decision {name} is older than {PERMIT_SECONDS} seconds", fix="Ask for access again."
        )
    _still_stands(chain, decision, now)
    return decision


def _still_stands(chain: Chain, decision: DecisionRecord, now: int) -> None:
    member = chain.member(decision.member_id)
    if member is None or not member_is_active(member, now):
        raise NotPermitted("the membership has been suspended or has ended since the permit")
    passport = chain.passport(decision.passport_id)
    if passport is None or passport.status is not PassportStatus.OPEN:
        raise NotPermitted("the data has been sealed or destroyed since the permit")
    if decision.verdict.basis is Basis.CONSENT:
        grant = chain.grant(decision.passport_id, decision.grant_id)
        if grant is None or not grant_is_live(grant, now):
            raise NotPermitted(
                "the consent has ended since the permit", fix="Ask the patient for a new consent."
            )


def hand_over(
    vault: Vault, sealed: SealedRecord, permitted: Category, sealing_key: bytes
) -> tuple[ReleasedCategory, ...]:
    """
    Re-seal the keys of the permitted categories to a recipient; categories the record lacks are left out.

    Raises:
        Conflict: The record has none of the permitted categories.
    """
    found = tuple(
        _hand_over(vault, sealed, item, sealing_key)
        for item in sealed.categories
        if item.category in permitted
    )
    if not found:
        raise Conflict("the record holds nothing of the permitted categories")
    return found


def released_of(sealed: SealedRecord, seq: int, released: tuple[ReleasedCategory, ...]) -> Release:
    """Put together what a recipient gets, with the manifest against which each category can be checked."""
    return Release(sealed.passport_id, seq, sealed.content, sealed.manifest_salt, sealed.manifest, released)


def _hand_over(
    vault: Vault, sealed: SealedRecord, item: SealedCategory, sealing_key: bytes
) -> ReleasedCategory:
    return ReleasedCategory(
        category=item.category,
        ciphertext=item.ciphertext,
        sealed_key=vault.seal_key_to(sealed.passport_id, item.category, sealing_key),
        commitment=item.commitment,
        salt=item.salt,
        entries=item.entries,
    )
