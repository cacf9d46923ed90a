"""Transfers: a copy of a record moves from its custodian to another member, recorded by both."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.records import Commitment, Member, PassportId, TransferId
from ledger.domain.vocabulary import Operation, TransferStatus
from ledger.encoding.commitments import new_id
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, NotFound, NotPermitted
from ledger.ports import Call, Chain, Index, TransferRecord, Vault, Writer
from ledger.ports import Operation as WriteOperation
from ledger.service.authority import require_custodian, signer_of
from ledger.service.releases import Release, current_permit, hand_over


@dataclass(frozen=True, slots=True)
class Transfers:
    """Custody moving between members."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault

    def ship(
        self,
        actor: Member,
        passport_id: PassportId,
        seq: int,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> tuple[TransferId, WriteOperation]:
        """
        Ship a record under a permit to transfer.

        Args:
            actor: The custodian.
            passport_id: The data.
            seq: The decision that permits the recipient to receive a copy.
            idempotency: Scope, key and fingerprint of the request.

        Returns:
            The new transfer's id and the operation.

        Raises:
            NotPermitted: *actor* is not the custodian, or the permit does not stand.
            NotFound: There is no such decision, or this service does not keep the record.
            Conflict: The permit was used before.
        """
        require_custodian(self.index, actor, passport_id)
        recipient = self.index.member(self.chain.transfer_permit(passport_id, seq))
        if recipient is None:
            raise NotPermitted(
                f"decision {to_hex(passport_id)}/{seq} is no unused permit to transfer that still stands",
                fix="Let the recipient ask with operation TRANSFER; a permit is good for one transfer within an hour, "
                "while its recipient is active and its consent in force.",
            )
        current_permit(self.chain, recipient, passport_id, seq, Operation.TRANSFER)
        sealed = self.vault.record(passport_id)
        if sealed is None:
            raise NotFound("this service does not keep that record")
        transfer_id = TransferId(new_id())
        call = Call("ship", (to_hex(transfer_id), to_hex(passport_id), seq, to_hex(sealed.content)))
        return transfer_id, self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def collect(self, actor: Member, transfer_id: TransferId) -> Release:
        """
        Return what was shipped to a member, its keys sealed to that member.

        Raises:
            NotFound: There is no such transfer, or this service does not keep the record.
            NotPermitted: It was shipped to somebody else, or the permit no longer stands.
            Conflict: It was received before.
        """
        transfer = self._incoming(actor, transfer_id).transfer
        if transfer.status is not TransferStatus.SHIPPED:
            raise Conflict(f"transfer {to_hex(transfer_id)} was received before")
        decision, recipient = current_permit(
            self.chain, actor, transfer.passport_id, transfer.seq, Operation.TRANSFER
        )
        level = decision.terms.level
        return hand_over(
            self.index, self.writer, self.vault, decision=decision, level=level, recipient=recipient
        )

    def receive(
        self,
        actor: Member,
        transfer_id: TransferId,
        content: Commitment,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> WriteOperation:
        """
        State what was received. A difference is recorded as a dispute, not refused.

        Args:
            actor: The recipient.
            transfer_id: The transfer.
            content: The commitment that the recipient computed over what it decrypted.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such transfer.
            NotPermitted: It was shipped to somebody else.
            Conflict: The recipient answered before.
        """
        if self._incoming(actor, transfer_id).transfer.status is not TransferStatus.SHIPPED:
            raise Conflict(f"transfer {to_hex(transfer_id)} was received before")
        call = Call("receiveTransfer", (to_hex(transfer_id), to_hex(content)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def get(self, transfer_id: TransferId) -> TransferRecord:
        """
        Return a transfer.

        Raises:
            NotFound: There is no such transfer.
        """
        record = self.index.transfer(transfer_id)
        if record is None:
            raise NotFound(f"there is no transfer {to_hex(transfer_id)}")
        return record

    def of(self, actor: Member, *, limit: int = 100) -> list[TransferRecord]:
        """Return the transfers that a member sent or received, newest first."""
        return self.index.transfers(member_id=actor.member_id, limit=limit)

    def _incoming(self, actor: Member, transfer_id: TransferId) -> TransferRecord:
        record = self.get(transfer_id)
        if record.transfer.recipient != actor.member_id:
            raise NotPermitted(f"transfer {to_hex(transfer_id)} was shipped to another member")
        return record
