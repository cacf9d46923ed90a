"""Releases: what a recipient gets after a permit."""

from __future__ import annotations

import base64

from pydantic import Field

from api.schemas.base import ID2_EXAMPLE, ID_EXAMPLE, Model
from ledger.encoding.hexadecimal import to_hex
from ledger.service.releases import Release


class ReleasedCategoryOut(Model):
    """One category, sealed, with its key sealed to the recipient."""

    category: str = Field(examples=["DIAGNOSIS"])
    entries: int = Field(examples=[4])
    ciphertext: str = Field(description="Base64.", examples=["c2VhbGVk"])
    sealed_key: str = Field(
        description="Base64; a sealed box for the recipient's X25519 key.", examples=["a2V5"]
    )
    commitment: str = Field(examples=[ID_EXAMPLE])
    salt: str = Field(examples=[ID2_EXAMPLE])


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
    categories: list[ReleasedCategoryOut]


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
    )
