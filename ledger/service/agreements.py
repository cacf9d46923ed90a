"""Agreements between two members, which state the limits of what one gives the other."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.records import Commitment, Limits, Member
from ledger.domain.vocabulary import AgreementStatus, purposes_of
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.structs import limits_values
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.policy import agreement_is_in_force
from ledger.ports import AgreementRecord, Call, Chain, Index, Operation, Vault, Writer
from ledger.service.authority import require_active, require_member, signer_of
from ledger.service.statements import keep, require_words, words_of


@dataclass(frozen=True, slots=True)
class Agreements:
    """What members agreed on. Each side signs with a transaction of its own."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault

    def propose(
        self, actor: Member, limits: Limits, text: str, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Propose an agreement under which *actor* will give data, and so sign it.

        Args:
            actor: The member that gives.
            limits: What is agreed.
            text: Its text; stays in the vault, the chain holds a commitment that both sides sign.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* is suspended, or its membership has ended.
            NotFound: There is no such recipient.
            InvalidInput: Something is missing or banned; says what.
        """
        now = self.chain.now()
        require_active(actor, now)
        self._check(actor, limits, now)
        require_words(text, "text")
        commitment = keep(self.vault, "agreement", {"text": text}, owner=actor.member_id)
        call = Call("proposeAgreement", (limits_values(limits), to_hex(commitment)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def sign(
        self,
        actor: Member,
        agreement_id: int,
        text: Commitment,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Sign what was proposed to *actor*: the agreement is in force from then on.

        Args:
            actor: The recipient.
            agreement_id: The agreement.
            text: Commitment to the text that *actor* read.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such agreement.
            NotPermitted: It was proposed to somebody else, or *actor* is suspended.
            Conflict: It was signed or ended before, its time is over, or it was proposed with another text.
        """
        now = self.chain.now()
        require_active(actor, now)
        record = self.get(agreement_id)
        agreement = record.agreement
        if agreement.recipient != actor.member_id:
            raise NotPermitted(
                f"agreement {agreement_id} was proposed to another member",
                fix="Only its recipient signs it; who proposed it has signed by that.",
            )
        if agreement.status is not AgreementStatus.PROPOSED or now >= agreement.limits.valid_to:
            raise Conflict(f"agreement {agreement_id} was signed or ended before, or its time is over")
        if text != record.text:
            raise Conflict(
                f"agreement {agreement_id} was proposed with another text",
                fix="Read the text that its commitment is of, and give that commitment.",
            )
        call = Call("signAgreement", (agreement_id, to_hex(text)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def end(
        self,
        actor: Member,
        agreement_id: int,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        End an agreement, or decline what was proposed: nothing more is given under it.

        Args:
            actor: One of its sides.
            agreement_id: The agreement.
            reason: Why; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such agreement.
            NotPermitted: *actor* is none of its sides.
            Conflict: It was ended before.
        """
        agreement = self.get(agreement_id).agreement
        if actor.member_id not in (agreement.provider, agreement.recipient):
            raise NotPermitted(f"{actor.name} is no side of agreement {agreement_id}")
        if agreement.status is AgreementStatus.ENDED:
            raise Conflict(f"agreement {agreement_id} was ended before")
        reasons = keep(
            self.vault, "agreement-end", {"agreement": agreement_id, "reason": reason}, owner=actor.member_id
        )
        call = Call("endAgreement", (agreement_id, to_hex(reasons)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def get(self, agreement_id: int) -> AgreementRecord:
        """
        Return an agreement.

        Raises:
            NotFound: There is none with this number.
        """
        record = self.index.agreement(agreement_id)
        if record is None:
            raise NotFound(
                f"there is no agreement {agreement_id}", fix="GET /v1/agreements lists the agreements."
            )
        return record

    def all(self, *, member_id: int | None = None) -> list[AgreementRecord]:
        """Return agreements, oldest first; those of a member on either side."""
        return self.index.agreements(member_id=member_id)

    def text_for(self, reader: Member, record: AgreementRecord) -> str | None:
        """Return the text of an agreement for one of its sides; None for others, or if this service does not have it."""
        if reader.member_id not in (record.agreement.provider, record.agreement.recipient):
            return None
        owner = record.agreement.provider
        return words_of(self.vault, self.index, record.text, "text", domain="agreement", owner=owner)

    def is_in_force(self, record: AgreementRecord, at: int) -> bool:
        """Tell whether an agreement is in force at a time (seconds since the Unix epoch)."""
        sides = [
            self.index.member(number) for number in (record.agreement.provider, record.agreement.recipient)
        ]
        provider, recipient = sides
        if provider is None or recipient is None:
            return False
        return agreement_is_in_force(record.agreement, provider, recipient, at)

    def _check(self, actor: Member, limits: Limits, now: int) -> None:
        recipient = require_member(self.index, limits.recipient)
        if recipient.member_id == actor.member_id:
            raise InvalidInput("recipient must be another member", field="recipient")
        law = self.index.policy()
        banned = limits.purposes & (law.banned_purposes if law else 0)
        if banned:
            told = ", ".join(purpose.name for purpose in purposes_of(banned))
            raise InvalidInput(f"the law bans these purposes: {told}", field="purposes")
        if not limits.purposes:
            raise InvalidInput("purposes must name at least one purpose", field="purposes")
        if not limits.categories:
            raise InvalidInput("categories must name at least one category", field="categories")
        if limits.valid_to <= now:
            raise InvalidInput("validTo must lie in the future", field="validTo")
        if not limits.retention_seconds:
            raise InvalidInput("retentionSeconds must be more than 0", field="retentionSeconds")
        require_active(recipient, now)
