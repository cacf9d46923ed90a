"""Sign-ins of holders."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from api.schemas.base import ADDRESS_EXAMPLE, ID_EXAMPLE, SIGNATURE_EXAMPLE, Model
from api.schemas.words import Hex32, KeyIn, SignatureIn


class ChallengeIn(Model):
    """Who wants to sign in."""

    holder: KeyIn


class ChallengeOut(Model):
    """What the holder signs to sign in."""

    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")
    challenge: str = Field(examples=[ID_EXAMPLE])
    expires_at: str = Field(examples=["2026-12-01T08:05:00Z"])


class SignInIn(Model):
    """A holder's answer to a challenge."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"holder": ADDRESS_EXAMPLE, "challenge": ID_EXAMPLE, "signature": SIGNATURE_EXAMPLE}]
        }
    )

    holder: KeyIn
    challenge: Hex32
    signature: SignatureIn


class SessionOut(Model):
    """A sign-in code: send it as `Authorization: Bearer CODE`, or paste it on the sign-in page."""

    code: str = Field(examples=["q3VZk0m0c8l2n5sT7wXy"])
    expires_at: str = Field(examples=["2026-12-01T09:00:00Z"])
