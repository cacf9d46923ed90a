"""Transfers: copies of records move from one member to another, recorded by both; of one record, or of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger.domain.records import (
    Agreement,
    Commitment,
    Consignment,
    Member,
    PassportId,
    TransferId,
    TransferItem,
    TransferNote,
)
from ledger.domain.vocabulary import (
    Category,
    Operation,
    Purpose,
    Role,
    TransferStatus,
    purpose_set,
)
from ledger.encoding import merkle
from ledger.encoding.commitments import new_id
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.structs import consignment_values
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.policy import PERMIT_SECONDS, member_is_active
from ledger.ports import Call, Chain, Index, TransferRecord, Vault, Writer
from ledger.ports import Operation as WriteOperation
from ledger.service.authority import require_active, require_custodian, require_role, signer_of
from ledger.service.excerpts import require_whole
from ledger.service.releases import Release, current_permit, hand_over
from ledger.service.statements import keep, require_words, words_of
from ledger.transfers import ANSWER_SECONDS, MAX_COUNTRIES, RUNNING, is_reporting

#: How many records one call loads, and one answer hands over.
MAX_ITEMS = 100
_NO_PERMIT = (
    "Let the recipient ask with operation TRANSFER; a permit is good for one transfer within an hour, while its "
    "recipient is active and its consent in force."
)
#: What members say of a transfer of many records, by the events that commit to it.
_SAID: Final = {
    "TransferInspected": "report",
    "TransferHalted": "reasons",
    "TransferTerminated": "reasons",
    "TransferReported": "report",
    "TransferClosed": "evidence",
}
_Identity = tuple[str, str, str] | None


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """
    What is declared of a transfer of many records.

    Attributes:
        agreement_id: Names the recipient and the limits.
        count: How many records.
        purposes: What they may serve; at least one. `categories` too.
        places: Countries in which they will be stored, ISO 3166-1 numeric; at least one.
        description: What it is, in words; stays in the vault, the chain holds a commitment.
        project_id: The recipient's project that is cleared for the border, or 0.
        parent: Transfer by which the caller received them; None if it keeps them itself.
        route: Countries that they pass.
    """

    agreement_id: int
    count: int
    purposes: Sequence[Purpose]
    categories: Category
    places: Sequence[int]
    description: str
    project_id: int = 0
    parent: TransferId | None = None
    route: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """
    Where one record stands in a transfer of many.

    Attributes:
        root: As the ledger has it, or 32 zero bytes while it is not shipped.
        size: How many leaves the tree has.
        path: The hashes beside the way from the leaf to the root, from below; empty while it is not shipped.
    """

    record: TransferRecord
    item: TransferItem
    root: Commitment
    size: int
    path: tuple[bytes, ...]


class DiscrepancyKind(StrEnum):
    """How the two halves of a transfer do not fit."""

    UNANSWERED = "unanswered"
    DISPUTED = "disputed"
    REPORT_OVERDUE = "report-overdue"
    WRONG_ROOT = "wrong-root"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """
    A transfer that its two sides do not tell alike, or on which a report is overdue.

    Attributes:
        member_id: Whose turn it is: the recipient, or the sender of what was disputed or has a wrong root.
        since: Since when, seconds since the Unix epoch.
    """

    kind: DiscrepancyKind
    record: TransferRecord
    member_id: int
    since: int


@dataclass(frozen=True, slots=True)
class NoteInWords:
    """What a member did about a transfer, with what it said, if this service's vault has it."""

    note: TransferNote
    words: str | None


@dataclass(frozen=True, slots=True)
class Transfers:
    """Custody moving between members."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault

    # Of one record

    def ship(
        self,
        actor: Member,
        passport_id: PassportId,
        seq: int,
        *,
        idempotency: _Identity = None,
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
            Conflict: The permit was used before, or names days and the record holds something of others.
        """
        require_custodian(self.index, actor, passport_id)
        recipient = self.index.member(self.chain.transfer_permit(passport_id, seq))
        if recipient is None:
            raise NotPermitted(
                f"decision {to_hex(passport_id)}/{seq} is no unused permit to transfer that still stands",
                fix=_NO_PERMIT,
            )
        decision, _ = current_permit(self.chain, recipient, passport_id, seq, Operation.TRANSFER)
        require_whole(self.vault, passport_id, decision.terms, decision.terms.level)
        transfer_id = TransferId(new_id())
        content = to_hex(self._content(passport_id))
        call = Call("ship", (to_hex(transfer_id), to_hex(passport_id), seq, content))
        return transfer_id, self._submit(actor, call, idempotency)

    def collect(self, actor: Member, transfer_id: TransferId) -> Release:
        """
        Return what was shipped to a member, its keys sealed to that member.

        Raises:
            NotFound: There is no such transfer, or this service does not keep the record.
            NotPermitted: It was shipped to somebody else, or the permit no longer stands.
            Conflict: It was received before, is of many records, or the record holds something of other days than permitted.
        """
        record = self._to_be_received(actor, transfer_id)
        transfer = record.transfer
        if transfer.consignment is not None:
            raise Conflict(
                f"transfer {to_hex(transfer_id)} is of many records", fix="GET /v1/transfers/{id}/contents."
            )
        return self._hand_over(actor, transfer.passport_id, transfer.seq)

    def receive(
        self,
        actor: Member,
        transfer_id: TransferId,
        content: Commitment,
        *,
        idempotency: _Identity = None,
    ) -> WriteOperation:
        """
        State what was received. A difference is recorded as a dispute, not refused; so is what was stopped meanwhile.

        Args:
            actor: The recipient.
            transfer_id: The transfer.
            content: The commitment that the recipient computed over what it decrypted; of many records the Merkle root
                over them.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such transfer.
            NotPermitted: It was shipped to somebody else.
            Conflict: The recipient answered before, or it was never shipped.
        """
        self._unanswered(actor, transfer_id)
        call = Call("receiveTransfer", (to_hex(transfer_id), to_hex(content)))
        return self._submit(actor, call, idempotency)

    # Of many records

    def declare(
        self, actor: Member, plan: TransferPlan, *, idempotency: _Identity = None
    ) -> tuple[TransferId, WriteOperation]:
        """
        Declare a transfer of many records under an agreement. What breaks a rule is recorded too, and refused.

        Args:
            actor: The provider of the agreement.
            plan: What is declared.
            idempotency: Scope, key and fingerprint of the request.

        Returns:
            The new transfer's id and the operation.

        Raises:
            InvalidInput: Something is missing.
            NotFound: There is no such parent.
        """
        if not (plan.count and plan.purposes and plan.categories and plan.places):
            raise InvalidInput(
                "a transfer of many records needs a number of records, purposes, categories and places",
                field="places" if plan.count and plan.purposes and plan.categories else "count",
            )
        for field, countries in (("places", plan.places), ("route", plan.route)):
            if len(countries) > MAX_COUNTRIES:
                raise InvalidInput(f"{field} names more than {MAX_COUNTRIES} countries", field=field)
        require_words(plan.description, "description")
        if plan.parent is not None:
            self.get(plan.parent)
        declared = Consignment(
            agreement_id=plan.agreement_id,
            project_id=plan.project_id,
            count=plan.count,
            purposes=purpose_set(list(plan.purposes)),
            categories=plan.categories,
            parent=plan.parent,
            route=tuple(plan.route),
            places=tuple(plan.places),
        )
        values = [
            to_hex(value) if isinstance(value, bytes) else value for value in consignment_values(declared)
        ]
        transfer_id = TransferId(new_id())
        description = to_hex(
            keep(self.vault, "transfer", {"description": plan.description}, owner=actor.member_id)
        )
        call = Call("declareTransfer", (to_hex(transfer_id), values, description))
        return transfer_id, self._submit(actor, call, idempotency)

    def inspect(
        self,
        actor: Member,
        transfer_id: TransferId,
        *,
        released: bool,
        report: str,
        idempotency: _Identity = None,
    ) -> WriteOperation:
        """
        Release a transfer that crosses a border after an inspection, or refuse it.

        Args:
            actor: A regulator of the sender's country that is no side of it.
            transfer_id: The transfer.
            released: Whether it may go on; else it is over.
            report: What the inspection found, in words; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* may not inspect it.
            NotFound: There is no such transfer.
            Conflict: It does not wait for an inspection, or what it rests on has lapsed.
            InvalidInput: The report is empty.
        """
        require_role(actor, Role.REGULATOR)
        self._require(transfer_id, {TransferStatus.DECLARED})
        words = self._words(actor, report, "report")
        return self._submit(
            actor, Call("inspectTransfer", (to_hex(transfer_id), released, words)), idempotency
        )

    def load(
        self,
        actor: Member,
        transfer_id: TransferId,
        permits: Sequence[tuple[PassportId, int]],
        *,
        idempotency: _Identity = None,
    ) -> WriteOperation:
        """
        Load records into a cleared transfer: each uses up the permit of its recipient.

        Of records that the caller keeps, the vault gives the commitment; of those that it received by the parent, what it
        received then, with the proof that it did.

        Args:
            actor: The sender.
            transfer_id: The transfer.
            permits: The passport and the number of the decision of each record; 1 to `MAX_ITEMS`.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            InvalidInput: None, too many, or one twice.
            NotPermitted: *actor* is not the sender, does not keep a record, or a permit does not stand.
            NotFound: There is no such transfer, or this service does not keep a record.
            Conflict: It is not cleared, what it rests on has lapsed, it would hold more than was declared, or a permit names
                days and its record holds something of others.
        """
        if not 0 < len(permits) <= MAX_ITEMS:
            raise InvalidInput(f"load 1 to {MAX_ITEMS} records at once", field="items")
        if len(set(permits)) != len(permits):
            raise InvalidInput("the same decision is named twice", field="items")
        record = self._require(transfer_id, {TransferStatus.CLEARED})
        self._require_sender(actor, record)
        require_active(actor, self.chain.now())
        self._require_standing(transfer_id)
        for passport_id, seq in permits:
            if self.chain.transfer_permit(passport_id, seq) != record.transfer.recipient:
                raise NotPermitted(
                    f"decision {to_hex(passport_id)}/{seq} is no unused permit of the recipient's that still stands",
                    fix=_NO_PERMIT,
                )
        self._require_whole(permits)
        declared = record.transfer.consignment
        parent = declared.parent if declared else None
        if parent is not None:
            call = self._onward(transfer_id, parent, permits)
        else:
            for passport_id, _ in permits:
                require_custodian(self.index, actor, passport_id)
            items = [
                [to_hex(passport_id), seq, to_hex(self._content(passport_id))] for passport_id, seq in permits
            ]
            call = Call("loadTransfer", (to_hex(transfer_id), items))
        return self._submit(actor, call, idempotency)

    def ship_all(
        self, actor: Member, transfer_id: TransferId, *, idempotency: _Identity = None
    ) -> WriteOperation:
        """
        Ship what was loaded, all that was declared: its Merkle root is on the ledger from then on.

        Raises:
            NotPermitted: *actor* is not the sender.
            NotFound: There is no such transfer.
            Conflict: It is not cleared, not whole, or what it rests on has lapsed.
        """
        record = self._require(transfer_id, {TransferStatus.CLEARED})
        self._require_sender(actor, record)
        self._require_standing(transfer_id)
        return self._submit(actor, Call("shipTransfer", (to_hex(transfer_id),)), idempotency)

    def collect_many(
        self, actor: Member, transfer_id: TransferId, *, after: int = -1, limit: int = MAX_ITEMS
    ) -> list[tuple[TransferItem, Release]]:
        """
        Return records of a transfer of many, their keys sealed to its recipient. Each decision is checked again.

        Args:
            actor: The recipient.
            transfer_id: The transfer.
            after: Number of the last leaf that the caller has; -1 for none.
            limit: At most so many, 1 to `MAX_ITEMS`.

        Returns:
            The records in the order of the tree.

        Raises:
            NotFound: There is no such transfer, or this service does not keep a record.
            NotPermitted: It was shipped to somebody else, or a permit no longer stands.
            Conflict: It is not on its way, is of one record, or what it rests on has lapsed.
        """
        record = self._to_be_received(actor, transfer_id)
        if record.transfer.consignment is None:
            raise Conflict(
                f"transfer {to_hex(transfer_id)} is of one record", fix="GET /v1/transfers/{id}/content."
            )
        status = self.chain.transfer_status(transfer_id)
        if status is not TransferStatus.SHIPPED:
            raise Conflict(f"transfer {to_hex(transfer_id)} is {status.name}")
        self._require_standing(transfer_id)
        items = self.index.transfer_items(transfer_id, after=after, limit=min(limit, MAX_ITEMS))
        return [(item, self._hand_over(actor, item.passport_id, item.seq)) for item in items]

    def halt(
        self, actor: Member, transfer_id: TransferId, reasons: str, *, idempotency: _Identity = None
    ) -> WriteOperation:
        """
        Stop a transfer of many records for the time being.

        Args:
            actor: Its sender, or a regulator of the sender's country that is no side of it.
            transfer_id: The transfer.
            reasons: In words; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such transfer.
            Conflict: It is not running; nor did its sender halt it and a regulator takes over.
            InvalidInput: The reasons are empty.
        """
        transfer = self.get(transfer_id).transfer
        takes_over = transfer.halted_by == transfer.sender != actor.member_id
        self._require(transfer_id, RUNNING | ({TransferStatus.HALTED} if takes_over else set()))
        call = Call("haltTransfer", (to_hex(transfer_id), self._words(actor, reasons, "reasons")))
        return self._submit(actor, call, idempotency)

    def resume(
        self, actor: Member, transfer_id: TransferId, *, idempotency: _Identity = None
    ) -> WriteOperation:
        """
        Let a halted transfer go on: for whoever halted it, or a regulator of the sender's country that is no side.

        Raises:
            NotFound: There is no such transfer.
            Conflict: It is not halted, or what it rests on has lapsed.
        """
        self._require(transfer_id, {TransferStatus.HALTED})
        self._require_standing(transfer_id)
        return self._submit(actor, Call("resumeTransfer", (to_hex(transfer_id),)), idempotency)

    def terminate(
        self, actor: Member, transfer_id: TransferId, reasons: str, *, idempotency: _Identity = None
    ) -> WriteOperation:
        """
        Stop a transfer of many records for good, before it is received.

        Args:
            actor: One of its sides, a regulator of the sender's country, or anybody once what it rests on has lapsed.
            transfer_id: The transfer.
            reasons: In words; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such transfer.
            Conflict: It is over.
            InvalidInput: The reasons are empty.
        """
        self._require(transfer_id, RUNNING | {TransferStatus.HALTED})
        call = Call("terminateTransfer", (to_hex(transfer_id), self._words(actor, reasons, "reasons")))
        return self._submit(actor, call, idempotency)

    def report(
        self, actor: Member, transfer_id: TransferId, report: str, *, idempotency: _Identity = None
    ) -> WriteOperation:
        """
        Report on data from abroad that was shipped to the caller; the next report is due 90 days later.

        Raises:
            NotFound: There is no such transfer.
            NotPermitted: *actor* is not its recipient.
            Conflict: Nothing is to be reported on.
            InvalidInput: The report is empty.
        """
        record = self._incoming(actor, transfer_id)
        if not is_reporting(record.transfer):
            raise Conflict(f"nothing is to be reported on transfer {to_hex(transfer_id)}")
        call = Call("reportTransfer", (to_hex(transfer_id), self._words(actor, report, "report")))
        return self._submit(actor, call, idempotency)

    def end_border_access(
        self, actor: Member, transfer_id: TransferId, *, idempotency: _Identity = None
    ) -> WriteOperation:
        """
        Take a recipient whose report is overdue off the list of those that may receive data from abroad. For any member.

        Raises:
            NotFound: There is no such transfer.
            Conflict: No report is overdue.
        """
        record = self.get(transfer_id)
        if not is_reporting(record.transfer) or self.chain.now() < record.transfer.report_due:
            raise Conflict(f"no report on transfer {to_hex(transfer_id)} is overdue")
        return self._submit(actor, Call("endBorderAccess", (to_hex(transfer_id),)), idempotency)

    def close(
        self, actor: Member, transfer_id: TransferId, evidence: str, *, idempotency: _Identity = None
    ) -> WriteOperation:
        """
        State that the caller destroyed or returned what was shipped to it.

        Args:
            actor: The recipient.
            transfer_id: The transfer, of one record or of many.
            evidence: In words; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such transfer.
            NotPermitted: *actor* is not its recipient.
            Conflict: It has nothing of it.
            InvalidInput: The evidence is empty.
        """
        record = self._incoming(actor, transfer_id)
        status = record.transfer.status
        if record.shipped is None or status is TransferStatus.CLOSED:
            raise Conflict(f"transfer {to_hex(transfer_id)} is {status.name}")
        call = Call("closeTransfer", (to_hex(transfer_id), self._words(actor, evidence, "evidence")))
        return self._submit(actor, call, idempotency)

    # Reading

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

    def of(
        self, actor: Member, *, after: str | None = None, limit: int = 100
    ) -> tuple[list[TransferRecord], str | None]:
        """Return the transfers that a member sent or received, newest first, and the cursor of the next page."""
        return self.index.transfers_of_member(actor.member_id, after=after, limit=limit)

    def awaiting(self, actor: Member, at: int) -> list[TransferRecord]:
        """Return the transfers that wait for an inspection by a member, oldest first; none unless it may inspect at a time."""
        if Role.REGULATOR not in actor.roles or not member_is_active(actor, at):
            return []
        near = {
            member.member_id for member in self.index.members() if member.jurisdiction == actor.jurisdiction
        }
        found = self.index.transfers(status=TransferStatus.DECLARED, limit=None)
        return [
            record
            for record in reversed(found)
            if record.transfer.sender in near
            and actor.member_id not in (record.transfer.sender, record.transfer.recipient)
        ]

    def onward(self, transfer_id: TransferId) -> list[TransferRecord]:
        """Return the transfers by which a recipient passed on what it received, newest first; those refused too."""
        return self.index.onward_transfers(transfer_id)

    def under(self, agreement: Agreement) -> list[TransferRecord]:
        """Return the transfers that were declared under an agreement, newest first."""
        return [
            record
            for record in self.index.transfers(member_id=agreement.provider, limit=None)
            if (declared := record.transfer.consignment) and declared.agreement_id == agreement.agreement_id
        ]

    def reports_owed(self, actor: Member) -> list[TransferRecord]:
        """Return the transfers from abroad on which a member must report, the one due first first."""
        owed = [
            record
            for record in self.index.transfers(member_id=actor.member_id, limit=None)
            if record.transfer.recipient == actor.member_id and is_reporting(record.transfer)
        ]
        return sorted(owed, key=lambda record: record.transfer.report_due)

    def description_of(self, record: TransferRecord) -> str | None:
        """Return what was said of a transfer of many records; None if this service's vault does not have it."""
        return self._told(record.description, "description", record.transfer.sender)

    def notes_of(self, record: TransferRecord) -> list[NoteInWords]:
        """Return what members did about a transfer, oldest first, with what they said."""
        return [NoteInWords(note, self._said(note)) for note in record.notes]

    def proofs_of(self, passport_id: PassportId) -> list[Proof]:
        """Return where a record stands in transfers of many, oldest first, each with its Merkle proof."""
        return [self.proof(transfer_id, item) for transfer_id, item in self.index.items_of(passport_id)]

    def proof(self, transfer_id: TransferId, item: TransferItem) -> Proof:
        """Return the Merkle proof of one record in a transfer of many."""
        record = self.get(transfer_id)
        if record.shipped is None:
            return Proof(record, item, record.transfer.content, 0, ())
        leaves = [merkle.leaf_of(other) for other in self.index.transfer_items(transfer_id)]
        path = merkle.path(leaves, item.place)
        return Proof(record, item, record.transfer.content, len(leaves), path)

    def discrepancies(self, at: int) -> list[Discrepancy]:
        """
        Return transfers that their two sides do not tell alike, and those on which a report is overdue, oldest first.

        Args:
            at: Seconds since the Unix epoch.
        """
        found: list[Discrepancy] = []
        for record in self.index.unsettled_transfers(shipped_before=at - ANSWER_SECONDS, due_before=at):
            found.extend(discrepancies_of(record, at))
        return found

    # Helpers

    def _incoming(self, actor: Member, transfer_id: TransferId) -> TransferRecord:
        record = self.get(transfer_id)
        if record.transfer.recipient != actor.member_id:
            raise NotPermitted(f"transfer {to_hex(transfer_id)} was shipped to another member")
        return record

    def _unanswered(self, actor: Member, transfer_id: TransferId) -> TransferRecord:
        record = self._incoming(actor, transfer_id)
        if record.received is not None:
            raise Conflict(f"transfer {to_hex(transfer_id)} was received before")
        if record.shipped is None:
            status = record.transfer.status.name
            raise Conflict(f"transfer {to_hex(transfer_id)} is {status}, not on its way")
        return record

    def _to_be_received(self, actor: Member, transfer_id: TransferId) -> TransferRecord:
        record = self._unanswered(actor, transfer_id)
        status = record.transfer.status
        if status is not TransferStatus.SHIPPED:
            raise Conflict(f"transfer {to_hex(transfer_id)} is {status.name}, not on its way")
        return record

    def _require(
        self, transfer_id: TransferId, statuses: frozenset[TransferStatus] | set[TransferStatus]
    ) -> TransferRecord:
        record = self.get(transfer_id)
        status = record.transfer.status
        if status not in statuses or record.transfer.consignment is None:
            allowed = ", ".join(sorted(each.name for each in statuses))
            raise Conflict(
                f"transfer {to_hex(transfer_id)} is {status.name}"
                + (", of one record" if record.transfer.consignment is None else ""),
                fix=f"This can be done to one of many records that is {allowed}.",
            )
        return record

    def _require_standing(self, transfer_id: TransferId) -> None:
        if not self.chain.transfer_stands(transfer_id):
            raise Conflict(
                f"what transfer {to_hex(transfer_id)} rests on has lapsed: agreement, clearance, parent or a membership",
                fix="It can only be terminated: POST /v1/transfers/{id}/termination.",
            )

    @staticmethod
    def _require_sender(actor: Member, record: TransferRecord) -> None:
        if record.transfer.sender != actor.member_id:
            raise NotPermitted(
                f"{actor.name} is not the sender of transfer {to_hex(record.transfer.transfer_id)}"
            )

    def _onward(
        self, transfer_id: TransferId, parent: TransferId, permits: Sequence[tuple[PassportId, int]]
    ) -> Call:
        received = self.index.transfer_items(parent)
        by_passport = {item.passport_id: item for item in received}
        passed_on = []
        for passport_id, seq in permits:
            item = by_passport.get(passport_id)
            if item is None:
                raise NotPermitted(
                    f"record {to_hex(passport_id)} is not in transfer {to_hex(parent)}, by which it was to be received"
                )
            passed_on.append((seq, item))
        paths = merkle.paths(
            [merkle.leaf_of(item) for item in received], [item.place for _, item in passed_on]
        )
        items = [[to_hex(item.passport_id), seq, to_hex(item.content)] for seq, item in passed_on]
        provenances = [
            [item.seq, to_hex(item.content), item.place, [to_hex(beside) for beside in path]]
            for (_, item), path in zip(passed_on, paths, strict=True)
        ]
        return Call("loadOnward", (to_hex(transfer_id), items, provenances))

    def _require_whole(self, permits: Sequence[tuple[PassportId, int]]) -> None:
        """Check of permits that name days that the records hold nothing of others; handing over checks it again."""
        known = self.index.decisions_named(permits)
        for passport_id, seq in permits:
            decision = known.get((passport_id, seq)) or self.chain.decision(
                passport_id, seq, newer_than=self.chain.now() - PERMIT_SECONDS
            )
            if decision is not None:
                require_whole(self.vault, passport_id, decision.terms, decision.terms.level)

    def _content(self, passport_id: PassportId) -> Commitment:
        sealed = self.vault.record(passport_id)
        if sealed is None:
            raise NotFound("this service does not keep that record")
        return sealed.content

    def _hand_over(self, actor: Member, passport_id: PassportId, seq: int) -> Release:
        decision, recipient = current_permit(self.chain, actor, passport_id, seq, Operation.TRANSFER)
        level = decision.terms.level
        return hand_over(
            self.index, self.writer, self.vault, decision=decision, level=level, recipient=recipient
        )

    def _words(self, actor: Member, words: str, field: str) -> str:
        require_words(words, field)
        return to_hex(keep(self.vault, "transfer", {field: words}, owner=actor.member_id))

    def _said(self, note: TransferNote) -> str | None:
        field = _SAID.get(note.event)
        return self._told(note.commitment, field, note.member_id) if field else None

    def _told(self, commitment: Commitment | None, field: str, owner: int) -> str | None:
        return words_of(self.vault, self.index, commitment, field, domain="transfer", owner=owner)

    def _submit(self, actor: Member, call: Call, idempotency: _Identity) -> WriteOperation:
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)


def discrepancies_of(record: TransferRecord, at: int) -> list[Discrepancy]:
    """Return how the two halves of a transfer do not fit at a time, seconds since the Unix epoch."""
    transfer, found = record.transfer, []
    shipped = record.shipped.time if record.shipped else 0
    if record.shipped and record.received is None and shipped < at - ANSWER_SECONDS:
        found.append(Discrepancy(DiscrepancyKind.UNANSWERED, record, transfer.recipient, shipped))
    if transfer.received_content not in {None, transfer.content}:
        since = record.received.time if record.received else shipped
        found.append(Discrepancy(DiscrepancyKind.DISPUTED, record, transfer.sender, since))
    if is_reporting(transfer) and transfer.report_due <= at:
        found.append(
            Discrepancy(DiscrepancyKind.REPORT_OVERDUE, record, transfer.recipient, transfer.report_due)
        )
    if not record.root_matches:
        found.append(Discrepancy(DiscrepancyKind.WRONG_ROOT, record, transfer.sender, shipped))
    return found
