"""Transfers: copies of one record or of many, shipped and received, and what does not fit together."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import ID2_EXAMPLE, ID_EXAMPLE, Model, unhex, utc
from api.schemas.chain import PositionOut, position_out
from api.schemas.releases import ReleaseOut, release_out
from api.schemas.words import CategoriesIn, Hex32, PurposesIn, Seq, purpose_names
from ledger.domain.records import ZERO32, PassportId, TransferId, TransferItem
from ledger.domain.vocabulary import (
    MISSING_TRANSFER_LABELS,
    TRANSFER_STATUS_LABELS,
    TransferFact,
    names,
)
from ledger.encoding import merkle
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import TransferRecord
from ledger.service.releases import Release
from ledger.service.transfers import (
    MAX_ITEMS,
    Discrepancy,
    DiscrepancyKind,
    NoteInWords,
    Proof,
    TransferPlan,
)
from ledger.transfers import MAX_COUNTRIES

_Number = Annotated[int, Field(ge=1, le=2**32 - 1)]
_Country = Annotated[int, Field(ge=1, le=999, description="ISO 3166-1 numeric.", examples=[156])]
_Words = Annotated[
    str,
    Field(min_length=1, max_length=4000, description="Stays in the vault; the chain holds a commitment."),
]
_DISCREPANCY_WORDS = {
    DiscrepancyKind.UNANSWERED: "{sender} shipped it and {recipient} has not stated what it received",
    DiscrepancyKind.DISPUTED: "what {recipient} received is not what {sender} shipped",
    DiscrepancyKind.REPORT_OVERDUE: "{recipient} owes a report on data from abroad",
    DiscrepancyKind.WRONG_ROOT: "what {sender} shipped is not what it had loaded",
}


class ShipmentIn(Model):
    """A record to be shipped under a permit to transfer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"passportId": ID_EXAMPLE, "decision": 1}]})

    passport_id: Hex32
    decision: Seq


class ReceiptIn(Model):
    """What the recipient computed over what it decrypted; of many records the Merkle root over them."""

    content: Hex32


class ConsignmentIn(Model):
    """A transfer of many records to be declared under an agreement."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "agreementId": 1,
                    "count": 250,
                    "purposes": ["AI_TRAINING"],
                    "categories": ["DIAGNOSIS", "LABORATORY"],
                    "places": [156],
                    "description": "The sepsis cohort of 2026, for the model of the northern laboratory",
                }
            ]
        }
    )

    agreement_id: _Number = Field(description="Names the recipient and the limits.", examples=[1])
    project_id: int = Field(
        default=0,
        ge=0,
        le=2**32 - 1,
        description="The recipient's project that is cleared for the border; left out, none.",
        examples=[1],
    )
    count: _Number = Field(description="How many records.", examples=[250])
    purposes: PurposesIn = Field(description="What they may serve.")
    categories: CategoriesIn
    parent: Hex32 | None = Field(
        default=None,
        description="The transfer by which the sender received them; left out, it keeps them itself.",
    )
    route: list[_Country] = Field(
        default_factory=list, max_length=MAX_COUNTRIES, description="Countries that they pass."
    )
    places: list[_Country] = Field(
        min_length=1, max_length=MAX_COUNTRIES, description="Countries in which they will be stored."
    )
    description: _Words

    def to_plan(self) -> TransferPlan:
        """Return what is declared as a value of the ledger."""
        return TransferPlan(
            agreement_id=self.agreement_id,
            count=self.count,
            purposes=self.purposes,
            categories=self.categories,
            places=self.places,
            description=self.description,
            project_id=self.project_id,
            parent=TransferId(unhex(self.parent)) if self.parent else None,
            route=self.route,
        )


class InspectionIn(Model):
    """What a regulator found at the border."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"released": True, "report": "Encrypted, 250 records, as declared"}]}
    )

    released: bool = Field(description="Whether the transfer may go on; else it is over.")
    report: _Words


class LoadIn(Model):
    """Records to be loaded, each under a permit of the recipient's."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"passportId": ID_EXAMPLE, "decision": 1}]}]}
    )

    items: list[ShipmentIn] = Field(min_length=1, max_length=MAX_ITEMS)

    def to_permits(self) -> list[tuple[PassportId, int]]:
        """Return the decisions that permit it."""
        return [(PassportId(unhex(item.passport_id)), item.decision) for item in self.items]


class ReasonsIn(Model):
    """Why a transfer is stopped."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reasons": "The carrier lost a seal"}]})

    reasons: _Words


class ReportIn(Model):
    """What the recipient reports on data from abroad."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"report": "Kept as agreed; nobody else has seen it"}]}
    )

    report: _Words


class EvidenceIn(Model):
    """What shows that the recipient destroyed or returned what it received."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"evidence": "Certificate of destruction 17"}]})

    evidence: _Words


class NoteOut(Model):
    """What a member did about a transfer of many records."""

    event: str = Field(examples=["TransferHalted"])
    member_id: int = Field(examples=[2])
    words: str | None = Field(description="What it said, if this service's vault has it.")
    released: bool | None = Field(description="Of an inspection: whether the transfer may go on.")
    position: PositionOut


class ConsignmentOut(Model):
    """What is special to a transfer of many records."""

    agreement_id: int = Field(examples=[1])
    project_id: int | None = Field(examples=[1])
    count: int = Field(examples=[250])
    loaded: int = Field(examples=[250])
    purposes: list[str] = Field(examples=[["AI_TRAINING"]])
    categories: list[str] = Field(examples=[["DIAGNOSIS", "LABORATORY"]])
    parent: str | None = Field(examples=[ID2_EXAMPLE])
    route: list[int] = Field(examples=[[156]])
    places: list[int] = Field(examples=[[156]])
    crosses: bool = Field(description="Whether it crosses a border.")
    missing: list[str] = Field(description="The rules that it broke.", examples=[[]])
    reasons: list[str] = Field(description="The same in words.", examples=[[]])
    description: str | None
    declared: PositionOut
    report_due: str | None = Field(description="Until when the recipient must report again.")
    halted_by: int | None = Field(examples=[2])
    notes: list[NoteOut] = Field(description="What members did about it, oldest first.")


class TransferOut(Model):
    """A copy of one record, or of many, on its way from one member to another, as both recorded it."""

    transfer_id: str = Field(examples=[ID2_EXAMPLE])
    passport_id: str | None = Field(description="Of one record.", examples=[ID_EXAMPLE])
    sender: int = Field(examples=[2])
    recipient: int = Field(examples=[3])
    decision: int | None = Field(description="Of one record: what permitted it.", examples=[1])
    status: str = Field(examples=["RECEIVED"])
    status_text: str = Field(examples=["received as sent"])
    content: str | None = Field(
        description="What the sender committed to; of many records the Merkle root, once they are shipped.",
        examples=[ID_EXAMPLE],
    )
    received_content: str | None = Field(examples=[ID_EXAMPLE])
    shipped: PositionOut | None
    received: PositionOut | None
    consignment: ConsignmentOut | None = Field(default=None, description="Of many records.")


class TransferList(Model):
    """Transfers, newest first."""

    items: list[TransferOut]
    next: str | None = None


class ItemOut(Model):
    """One record in a transfer of many."""

    place: int = Field(description="Number of its leaf, from 0.", examples=[0])
    passport_id: str = Field(examples=[ID_EXAMPLE])
    decision: int = Field(examples=[1])
    content: str = Field(examples=[ID2_EXAMPLE])
    leaf: str = Field(examples=[ID2_EXAMPLE])


class ItemList(Model):
    """The records of a transfer, in the order of its tree."""

    items: list[ItemOut]
    next: str | None = None


class ContentOut(Model):
    """One record of many, sealed to the recipient."""

    place: int = Field(examples=[0])
    release: ReleaseOut


class ContentList(Model):
    """Records of a transfer of many, sealed to the recipient, in the order of its tree."""

    items: list[ContentOut]
    next: str | None = None


class ProofOut(Model):
    """Where one record stands in a transfer of many: its leaf, and the way from it to the root."""

    transfer_id: str = Field(examples=[ID2_EXAMPLE])
    sender: int = Field(examples=[2])
    recipient: int = Field(examples=[3])
    status: str = Field(examples=["RECEIVED"])
    status_text: str = Field(examples=["received as sent"])
    item: ItemOut
    root: str | None = Field(
        description="As the ledger has it; none while it is not shipped.", examples=[ID2_EXAMPLE]
    )
    size: int = Field(description="How many leaves the tree has.", examples=[250])
    path: list[str] = Field(
        description="The hashes beside the way from the leaf to the root, from below (RFC 9162, 2.1.3.2).",
        examples=[[ID2_EXAMPLE]],
    )


class PassportTransfers(Model):
    """Where copies of a passport's data were sent."""

    items: list[TransferOut] = Field(description="Of this record alone, newest first.")
    among_many: list[ProofOut] = Field(description="Together with others, oldest first.")


class DiscrepancyOut(Model):
    """A transfer that its two sides do not tell alike, or on which a report is overdue."""

    kind: str = Field(examples=["unanswered"])
    transfer_id: str = Field(examples=[ID2_EXAMPLE])
    sender: int = Field(examples=[2])
    recipient: int = Field(examples=[3])
    records: int = Field(description="How many it is of.", examples=[250])
    member_id: int = Field(description="Who has to explain it.", examples=[3])
    since: str = Field(examples=["2026-11-26T00:00:00Z"])
    status: str = Field(examples=["SHIPPED"])
    text: str = Field(
        examples=["Riverside Hospital shipped it and Northern Laboratory has not stated what it received"]
    )


class DiscrepancyList(Model):
    """Discrepancies, oldest first."""

    items: list[DiscrepancyOut]
    next: str | None = None


def transfer_out(
    record: TransferRecord, *, description: str | None = None, notes: list[NoteInWords] | None = None
) -> TransferOut:
    """Write a transfer; of many records with what was said of it, as far as the vault has it."""
    transfer = record.transfer
    many = transfer.consignment is not None
    return TransferOut(
        transfer_id=to_hex(transfer.transfer_id),
        passport_id=None if many else to_hex(transfer.passport_id),
        sender=transfer.sender,
        recipient=transfer.recipient,
        decision=None if many else transfer.seq,
        status=transfer.status.name,
        status_text=TRANSFER_STATUS_LABELS[transfer.status].en,
        content=to_hex(transfer.content) if transfer.content != ZERO32 else None,
        received_content=to_hex(transfer.received_content) if transfer.received_content else None,
        shipped=position_out(record.shipped) if record.shipped else None,
        received=position_out(record.received) if record.received else None,
        consignment=_consignment_out(record, description, notes or []),
    )


def _consignment_out(
    record: TransferRecord, description: str | None, notes: list[NoteInWords]
) -> ConsignmentOut | None:
    transfer, declared = record.transfer, record.transfer.consignment
    if declared is None or record.declared is None:
        return None
    return ConsignmentOut(
        agreement_id=declared.agreement_id,
        project_id=declared.project_id or None,
        count=declared.count,
        loaded=transfer.loaded,
        purposes=purpose_names(declared.purposes),
        categories=names(declared.categories),
        parent=to_hex(declared.parent) if declared.parent else None,
        route=list(declared.route),
        places=list(declared.places),
        crosses=transfer.crosses,
        missing=names(transfer.missing),
        reasons=[MISSING_TRANSFER_LABELS[fact] for fact in TransferFact if fact in transfer.missing],
        description=description,
        declared=position_out(record.declared),
        report_due=utc(transfer.report_due) if transfer.report_due else None,
        halted_by=transfer.halted_by or None,
        notes=[
            NoteOut(
                event=said.note.event,
                member_id=said.note.member_id,
                words=said.words,
                released=said.note.released,
                position=position_out(said.note.position),
            )
            for said in notes
        ],
    )


def item_out(item: TransferItem) -> ItemOut:
    """Write one record in a transfer of many."""
    return ItemOut(
        place=item.place,
        passport_id=to_hex(item.passport_id),
        decision=item.seq,
        content=to_hex(item.content),
        leaf=to_hex(merkle.leaf_of(item)),
    )


def content_out(item: TransferItem, release: Release) -> ContentOut:
    """Write one record of many as its recipient gets it."""
    return ContentOut(place=item.place, release=release_out(release))


def proof_out(proof: Proof) -> ProofOut:
    """Write where a record stands in a transfer of many."""
    transfer = proof.record.transfer
    return ProofOut(
        transfer_id=to_hex(transfer.transfer_id),
        sender=transfer.sender,
        recipient=transfer.recipient,
        status=transfer.status.name,
        status_text=TRANSFER_STATUS_LABELS[transfer.status].en,
        item=item_out(proof.item),
        root=to_hex(proof.root) if proof.root != ZERO32 else None,
        size=proof.size,
        path=[to_hex(beside) for beside in proof.path],
    )


def discrepancy_out(found: Discrepancy, *, sender: str, recipient: str) -> DiscrepancyOut:
    """Write a discrepancy; it names institutions, and no record."""
    transfer = found.record.transfer
    return DiscrepancyOut(
        kind=found.kind,
        transfer_id=to_hex(transfer.transfer_id),
        sender=transfer.sender,
        recipient=transfer.recipient,
        records=transfer.consignment.count if transfer.consignment else 1,
        member_id=found.member_id,
        since=utc(found.since),
        status=transfer.status.name,
        text=_DISCREPANCY_WORDS[found.kind].format(sender=sender, recipient=recipient),
    )
