"""
Releasing records: evidence first, then the key.

The decision is read from the node, the grant is checked again at the head of the chain, and only then is the data
key re-sealed to the recipient. The completion receipt is written down before the answer leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.domain.records import Commitment, Member, PassportId, Salt
from ledger.domain.vocabulary import (
    RECORD_LEVELS,
    Basis,
    Category,
    Level,
    Operation,
    Outcome,
    PassportStatus,
    names,
)
from ledger.encoding.commitments import (
    commit_record,
    derived_salt,
    excerpts_record,
    release_record,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, NotFound, NotPermitted
from ledger.policy import PERMIT_SECONDS, grant_is_live, grant_names, is_entrusted, member_is_active
from ledger.ports import (
    Call,
    Chain,
    DecisionRecord,
    Excerpt,
    Index,
    OperationStatus,
    SealedCategory,
    Vault,
    Writer,
)
from ledger.service.authority import require_passport
from ledger.service.excerpts import Days, days_of, permitted_of, places_within, require_whole
from ledger.service.statements import keep


@dataclass(frozen=True, slots=True)
class ReleasedCategory:
    """
    One category, or an excerpt of it, as the recipient gets it: ciphertext, its key sealed to the recipient, what to check.
    """

    category: Category
    ciphertext: bytes
    sealed_key: bytes
    commitment: Commitment
    salt: Salt
    entries: int


@dataclass(frozen=True, slots=True)
class Excerpted:
    """
    Says that of each category only an excerpt is handed over: what is from the days that the decision names.

    Attributes:
        first_day: The first one, included; None for all before `last_day`.
        last_day: The last one, included; None for all after `first_day`.
        receipt: The receipt on the chain, which commits to every excerpt; no manifest does.
        receipt_salt: Its salt.
    """

    first_day: date | None
    last_day: date | None
    receipt: Commitment
    receipt_salt: Salt


@dataclass(frozen=True, slots=True)
class Release:
    """
    What a recipient gets after a permit.

    Attributes:
        content: What the passport carries: the commitment to `levels`, with its salt.
        levels: For each level the commitment to its manifest, as hexadecimal.
        manifest: The manifest of `level`, with its salt; of the other levels nothing is told.
        categories: The permitted categories at `level`.
        excerpted: None if they are whole.
    """

    passport_id: PassportId
    seq: int
    level: Level
    content: Commitment
    levels: dict[str, str]
    levels_salt: Salt
    manifest: dict[str, str]
    manifest_salt: Salt
    categories: tuple[ReleasedCategory, ...]
    excerpted: Excerpted | None = None


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

        If the decision names days, only what of them is wholly from these days.

        Args:
            actor: The recipient.
            passport_id: The data.
            seq: The decision that permits it.

        Raises:
            NotFound: There is no such decision, or this service does not keep the record.
            NotPermitted: The decision is somebody else's, is not a permit to read, is too old, or consent or
                membership has ended since.
            Conflict: The record has nothing of the permitted categories, or nothing of them from the days permitted.
        """
        decision, recipient = current_permit(self.chain, actor, passport_id, seq, Operation.READ)
        level = decision.terms.level
        return hand_over(
            self.index, self.writer, self.vault, decision=decision, level=level, recipient=recipient
        )


def current_permit(
    chain: Chain, actor: Member, passport_id: PassportId, seq: int, operation: Operation
) -> tuple[DecisionRecord, Member]:
    """
    Find a permit on the chain and check that it still stands at the head.

    Returns:
        The decision and the recipient, both as the node has them: data is sealed to no key that the index names.

    Raises:
        NotFound: The chain has no such decision.
        NotPermitted: It is not this member's, not a permit for this operation, too old, or what it rested on has
            ended since.
    """
    name, now = f"{to_hex(passport_id)}/{seq}", chain.now()
    decision = chain.decision(passport_id, seq, newer_than=now - PERMIT_SECONDS)
    if decision is None:
        passport = chain.passport(passport_id)
        if passport is None or seq >= passport.size:
            raise NotFound(
                f"the chain has no decision {name}", fix="Ask for access first: POST /v1/decisions."
            )
        raise _too_old(name)
    terms, verdict = decision.terms, decision.verdict
    if decision.member_id != actor.member_id:
        raise NotPermitted(f"decision {name} answers another member's request")
    if verdict.outcome is not Outcome.PERMIT:
        raise NotPermitted(
            f"decision {name} is not a permit; missing: {', '.join(names(verdict.missing))}",
            fix="GET /v1/decisions/{passport}/{seq} gives the reasons in words.",
        )
    if terms.operation is not operation:
        raise NotPermitted(f"decision {name} permits to {terms.operation.name}, not to {operation.name}")
    if now - decision.position.time > PERMIT_SECONDS:
        raise _too_old(name)
    return decision, _still_stands(chain, actor, decision, now)


def _too_old(name: str) -> NotPermitted:
    return NotPermitted(
        f"decision {name} is older than {PERMIT_SECONDS} seconds", fix="Ask for access again."
    )


def _still_stands(chain: Chain, actor: Member, decision: DecisionRecord, now: int) -> Member:
    member = chain.member(decision.member_id)
    if member is None or not member_is_active(member, now):
        raise NotPermitted("the membership has been suspended or has ended since the permit")
    if member.signing_key != actor.signing_key:
        raise NotPermitted(
            "the member's keys were rotated", fix="Sign with the key that the ledger holds now."
        )
    passport = chain.passport(decision.passport_id)
    if passport is None or passport.status is not PassportStatus.OPEN:
        raise NotPermitted("the data has been sealed or destroyed since the permit")
    if decision.terms.basis is Basis.CONSENT:
        grant = chain.grant(decision.passport_id, decision.grant_id)
        if grant is None or not grant_is_live(grant, now):
            raise NotPermitted(
                "the consent has ended since the permit", fix="Ask the patient for a new consent."
            )
        principal = chain.member(decision.terms.controller_id) if decision.terms.controller_id else member
        if principal is None or not grant_names(grant, principal):
            raise NotPermitted(
                "control of the recipient has changed hands since the permit",
                fix="Ask the patient to confirm.",
            )
    terms = decision.terms
    if terms.controller_id:
        controller = chain.member(terms.controller_id)
        order = chain.entrustment(terms.controller_id, decision.member_id)
        if controller is None or not (
            member_is_active(controller, now) and is_entrusted(order, terms.purpose, now)
        ):
            raise NotPermitted("the controller on whose behalf it was asked does not entrust it any more")
    if decision.terms.emergency_id and now >= chain.emergency_until(decision.terms.emergency_id):
        raise NotPermitted("the emergency has ended since the permit")
    return member


def hand_over(
    index: Index, writer: Writer, vault: Vault, *, decision: DecisionRecord, level: Level, recipient: Member
) -> Release:
    """
    Write the receipt down, then re-seal the keys of the permitted categories at a level to the recipient.

    Categories that the record lacks are left out; the manifest lets the recipient check each one that came. If the
    decision names days, a copy goes only if all of it is from these days; who reads gets an excerpt of each category.

    Raises:
        NotFound: This service does not keep the record, or not the custodian's chain key.
        Conflict: A record has no form at that level, this one has none of the permitted categories, nothing of them from
            the days permitted, or, for a copy, something from other days.
    """
    sealed = vault.record(decision.passport_id)
    if sealed is None:
        raise NotFound("this service does not keep that record", fix="Ask the custodian's own service.")
    found = vault.level(decision.passport_id, level)
    if found is None:
        raise Conflict(
            f"a record has no form that is {level.name}",
            fix=f"Ask for access at one of {', '.join(known.name for known in RECORD_LEVELS)}.",
        )
    permitted = permitted_of(found, decision.terms)
    if not permitted:
        raise Conflict("the record holds nothing of the permitted categories")
    days = days_of(decision.terms)
    excerpted = None
    if days is None or decision.terms.operation is Operation.TRANSFER:
        require_whole(vault, decision.passport_id, decision.terms, level)
        handed_over = _whole(index, writer, vault, decision, level, permitted, recipient)
    else:
        excerpts = _excerpts(vault, decision, level, permitted, days, recipient)
        excerpted = _write_receipt_of_excerpts(index, writer, vault, decision, level, excerpts, days)
        handed_over = tuple(_released(item, item.sealed_key) for item in excerpts)
    return Release(
        passport_id=sealed.passport_id,
        seq=decision.verdict.seq,
        level=level,
        content=sealed.content,
        levels=sealed.levels,
        levels_salt=sealed.salt,
        manifest=found.manifest,
        manifest_salt=found.salt,
        categories=handed_over,
        excerpted=excerpted,
    )


def _whole(
    index: Index,
    writer: Writer,
    vault: Vault,
    decision: DecisionRecord,
    level: Level,
    permitted: Sequence[SealedCategory],
    recipient: Member,
) -> tuple[ReleasedCategory, ...]:
    """Write the receipt of whole categories down, then re-seal their keys."""
    _write_receipt(index, writer, vault, decision, _record(decision, level, permitted))
    keys = [
        vault.seal_key_to(decision.passport_id, level, item.category, recipient.sealing_key)
        for item in permitted
    ]
    return tuple(_released(item, key) for item, key in zip(permitted, keys, strict=True))


def _excerpts(
    vault: Vault,
    decision: DecisionRecord,
    level: Level,
    permitted: Sequence[SealedCategory],
    days: Days,
    recipient: Member,
) -> list[Excerpt]:
    """Seal what of each category is from the days permitted; a category without any is left out like one that is not there."""
    found = [
        vault.seal_excerpt(
            decision.passport_id,
            level,
            item.category,
            places=places,
            seq=decision.verdict.seq,
            sealing_key=recipient.sealing_key,
        )
        for item in permitted
        if (places := places_within(vault, decision.passport_id, level, item.category, days))
    ]
    if not found:
        raise Conflict(
            f"the record holds nothing of the permitted categories that is wholly{days.words}",
            fix="What reaches beyond the days asked for, or has no date, stays behind. Ask for more days, if the consent "
            "allows it.",
        )
    return found


def _write_receipt_of_excerpts(
    index: Index,
    writer: Writer,
    vault: Vault,
    decision: DecisionRecord,
    level: Level,
    excerpts: Sequence[Excerpt],
    days: Days,
) -> Excerpted:
    """Write the receipt down that commits to every excerpt; asked for again, they are the same, and so is it."""
    record = excerpts_record(
        _record(decision, level, excerpts),
        first_day=days.first.isoformat() if days.first else None,
        last_day=days.last.isoformat() if days.last else None,
        excerpts={str(item.category.name): (item.commitment, item.entries) for item in excerpts},
    )
    salt = derived_salt(b"".join(item.salt for item in excerpts), "release")
    receipt = commit_record("release", record, salt=salt)
    _write_receipt(index, writer, vault, decision, record, salt)
    custodian = require_passport(index, decision.passport_id).passport.custodian
    if vault.recall(receipt, domain="release", owner=custodian) is None:
        raise Conflict(
            f"the receipt of decision {to_hex(decision.passport_id)}/{decision.verdict.seq} is of something else than "
            f"what of the record is{days.words}",
            fix="Ask for access again.",
        )
    return Excerpted(days.first, days.last, receipt, salt)


def _record(
    decision: DecisionRecord, level: Level, handed_over: Sequence[SealedCategory] | Sequence[Excerpt]
) -> dict[str, Any]:
    words = [str(item.category.name) for item in handed_over]
    return release_record(to_hex(decision.passport_id), decision.verdict.seq, level, words)


def _write_receipt(
    index: Index,
    writer: Writer,
    vault: Vault,
    decision: DecisionRecord,
    record: dict[str, Any],
    salt: Salt | None = None,
) -> None:
    """Accept the receipt into the journal, once; one that failed is written anew."""
    passport_id, seq = decision.passport_id, decision.verdict.seq
    if index.releases_named([(passport_id, seq)]):
        return
    custodian = index.member(require_passport(index, passport_id).passport.custodian)
    if custodian is None or not writer.has_key(custodian.signer):
        raise NotFound("this service does not hold the custodian's chain key")
    scope, key = f"release:{to_hex(passport_id)}", str(seq)
    while (known := writer.find(scope, key)) is not None:
        if known[0].status is not OperationStatus.FAILED:
            return
        key += "+"
    commitment = keep(vault, "release", record, owner=custodian.member_id, salt=salt)
    call = Call("recordRelease", (to_hex(passport_id), seq, to_hex(commitment)))
    writer.submit(custodian.signer, call, idempotency=(scope, key, "release"))


def _released(item: SealedCategory | Excerpt, sealed_key: bytes) -> ReleasedCategory:
    return ReleasedCategory(
        category=item.category,
        ciphertext=item.ciphertext,
        sealed_key=sealed_key,
        commitment=item.commitment,
        salt=item.salt,
        entries=item.entries,
    )
