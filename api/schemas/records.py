"""Records as their custodian keeps them."""

from __future__ import annotations

from pydantic import Field

from api.schemas.base import ID_EXAMPLE, Model
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import RecordSummary


class RecordOut(Model):
    """What a custodian keeps, with its own name for the patient."""

    passport_id: str = Field(examples=[ID_EXAMPLE])
    local_reference: str = Field(examples=["p-17"])
    entries: dict[str, int] = Field(examples=[{"DIAGNOSIS": 4}])


class RecordList(Model):
    """Records that the caller keeps."""

    items: list[RecordOut]
    next: str | None = None


def record_out(summary: RecordSummary) -> RecordOut:
    """Write what a custodian keeps."""
    return RecordOut(
        passport_id=to_hex(summary.passport_id),
        local_reference=summary.local_reference,
        entries={str(category.name): count for category, count in summary.entries.items()},
    )
