"""Ids in paths and queries."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path, Query

from ledger.domain.lineage import VersionId
from ledger.domain.records import GrantId, PassportId, TransferId
from ledger.encoding.hexadecimal import bytes32

_PATTERN: Final = r"^0x[0-9a-fA-F]{64}$"
_EXAMPLE: Final = "0x6f1c0d3b9a8e47f2b5d41c7e90a36f58d2e4b7a1c9f03586e7d2a4b6c8f01357"

Id = Annotated[str, Path(pattern=_PATTERN, description="0x and 64 hexadecimal digits.", examples=[_EXAMPLE])]
PassportQuery = Annotated[
    str | None,
    Query(alias="passport", pattern=_PATTERN, description="Only of this passport.", examples=[_EXAMPLE]),
]
SeqPath = Annotated[int, Path(ge=0, le=2**40 - 1, description="Number of the decision.", examples=[0])]
NumberPath = Annotated[int, Path(ge=1, le=2**32 - 1, examples=[1])]


def passport_id(text: str) -> PassportId:
    """Read a passport's id."""
    return PassportId(bytes32(text))


def grant_id(text: str) -> GrantId:
    """Read a grant's id."""
    return GrantId(bytes32(text))


def transfer_id(text: str) -> TransferId:
    """Read a transfer's id."""
    return TransferId(bytes32(text))


def version_id(text: str) -> VersionId:
    """Read a version's name."""
    return VersionId(bytes32(text))
