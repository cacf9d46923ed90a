"""Releases: what a recipient gets after a permit."""

from __future__ import annotations

import base64

from pydantic import Field

from api.schemas.base import ID2_EXAMPLE, ID_EXAMPLE, Model
from ledger.encoding.hexadecimal import to_hex
from ledger.service.releases import Excerpted, Release


class ReleasedCategoryOut(Model):
    """One category, or an excerpt of it, sealed, with its key sealed to the recipient."""

    category: str = Field(examples=["DIAGNOSIS"])
    entries: int = Field(description="How many resources are in what came.", examples=[4])
    ciphertext: str = Field(description="Base64.", examples=["c2VhbGVk"])
    sealed_key: str = Field(
        description="Base64; a sealed box for the recipient's X25519 key.", examples=["a2V5"]
    )
    commitment: str = Field(
        description="To the category, under the domain `category`: the manifest has it. To an excerpt, under the domain "
        "`excerpt`: the receipt has it.",
        examples=[ID_EXAMPLE],
    )
    salt: str = Field(examples=[ID2_EXAMPLE])


class ExcerptedOut(Model):
    """
    Says that of each category only an excerpt came: what is wholly from the days that the decision names.

    An excerpt is checked against the receipt that the ledger has of this hand-over. That nothing else of these days is in the
    record is the custodian's word.
    """

    first_day: str | None = Field(
        description="First day, included; null for all before the last.", examples=["2020-01-01"]
    )
    last_day: str | None = Field(
        description="Last day, included; null for all after the first.", examples=["2020-12-31"]
    )
    receipt: str = Field(
        description="The commitment in the event ReleaseRecorded of this decision.", examples=[ID_EXAMPLE]
    )
    receipt_salt: str = Field(examples=[ID2_EXAMPLE])


class ReleaseOut(Model):
    """What a recipient gets after a permit."""

    passport_id: str = Field(examples=[ID_EXAMPLE])
    seq: int = Field(examples=[0])
    level: str = Field(description="How far the data is de-identified.", examples=["PSEUDONYMISED"])
    content: str = Field(examples=[ID2_EXAMPLE])
    levels: dict[str, str] = Field(description="For each level the commitment to its manifest.")
    levels_salt: str = Field(examples=[ID2_EXAMPLE])
    manifest: dict[str, str] = Field(description="For each category the commitment to it at this level.")
    manifest_salt: str = Field(examples=[ID2_EXAMPLE])
    categories: list[ReleasedCategoryOut] = Field(description="Those that are permitted and in the record.")
    excerpted: ExcerptedOut | None = Field(
        default=None, description="Null if the categories are whole: the decision names no days."
    )


def release_out(release: Release) -> ReleaseOut:
    """Write what a recipient gets."""
    return ReleaseOut(
        passport_id=to_hex(release.passport_id),
        seq=release.seq,
        level=release.level.name,
        content=to_hex(release.content),
        levels=release.levels,
        levels_salt=to_hex(release.levels_salt),
        manifest=release.manifest,
        manifest_salt=to_hex(release.manifest_salt),
        categories=[
            ReleasedCategoryOut(
                category=str(item.category.name),
                entries=item.entries,
                ciphertext=base64.b64encode(item.ciphertext).decode(),
                sealed_key=base64.b64encode(item.sealed_key).decode(),
                commitment=to_hex(item.commitment),
                salt=to_hex(item.salt),
            )
            for item in release.categories
        ],
        excerpted=_excerpted_out(release.excerpted) if release.excerpted else None,
    )


def _excerpted_out(excerpted: Excerpted) -> ExcerptedOut:
    return ExcerptedOut(
        first_day=excerpted.first_day.isoformat() if excerpted.first_day else None,
        last_day=excerpted.last_day.isoformat() if excerpted.last_day else None,
        receipt=to_hex(excerpted.receipt),
        receipt_salt=to_hex(excerpted.receipt_salt),
    )
