"""Who speaks for a subject: keys, guardians, delegates, and the recovery of a lost key."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, model_validator

from api.schemas.base import ADDRESS_EXAMPLE, ID_EXAMPLE, SIGNATURE_EXAMPLE, Model, utc
from api.schemas.passports import RecoveryOut, recovery_out
from api.schemas.words import KeyIn, SignatureIn, TimeIn
from ledger.encoding.hexadecimal import to_hex
from ledger.service.holders import MAX_GUARDIANS, HolderRecord

_KEYS_EXAMPLE: Final[list[Any]] = [ADDRESS_EXAMPLE, "0x9ba1f109551bd432803012645ac136ddd64dba73"]
KeysIn = Annotated[
    list[KeyIn],
    Field(max_length=MAX_GUARDIANS, description="Guardians, each once.", examples=[_KEYS_EXAMPLE]),
]
ThresholdIn = Annotated[int, Field(ge=0, le=MAX_GUARDIANS, description="How many must sign.", examples=[2])]


class HolderSignatureIn(Model):
    """The holder's word: a signature, or the custodian's that keeps the key. A delegate cannot give it."""

    signature: SignatureIn | None = None
    assisted: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_voice(self) -> Self:
        if (self.signature is None) == (self.assisted is None):
            raise ValueError("send either the holder's 'signature', or 'assisted': true")
        return self


class RotationIn(HolderSignatureIn):
    """A key of the patient's own in the place of the present one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"holder": ADDRESS_EXAMPLE, "signature": SIGNATURE_EXAMPLE}]}
    )

    holder: KeyIn


class DelegationIn(HolderSignatureIn):
    """Somebody who may speak for the holder until a time."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "delegate": ADDRESS_EXAMPLE,
                    "validTo": "2027-06-30T00:00:00Z",
                    "signature": SIGNATURE_EXAMPLE,
                }
            ]
        }
    )

    delegate: KeyIn
    valid_to: TimeIn | None = Field(default=None, description="Exclusive; left out, it is over at once.")


class GuardiansIn(HolderSignatureIn):
    """Those who can replace a lost key together; no keys for nobody."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"threshold": 2, "keys": _KEYS_EXAMPLE, "signature": SIGNATURE_EXAMPLE}]
        }
    )

    threshold: ThresholdIn
    keys: KeysIn


class ObjectionIn(HolderSignatureIn):
    """The key is not lost."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"signature": SIGNATURE_EXAMPLE}, {"assisted": True}]}
    )


class RecoveryIn(Model):
    """
    A lost key replaced: by guardians with their signatures, or at the custodian's counter without.

    At the counter a holder that is left out means that the custodian keeps a new key.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "holder": ADDRESS_EXAMPLE,
                    "threshold": 1,
                    "keys": _KEYS_EXAMPLE,
                    "signatures": [SIGNATURE_EXAMPLE, "0x"],
                },
                {"holder": ADDRESS_EXAMPLE},
            ]
        }
    )

    holder: KeyIn | None = None
    threshold: ThresholdIn | None = None
    keys: KeysIn | None = None
    signatures: list[SignatureIn | Literal["0x"]] | None = Field(
        default=None,
        max_length=MAX_GUARDIANS,
        description="One for each guardian in the same order; 0x for those who did not sign.",
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        parts = (self.threshold, self.keys, self.signatures)
        if any(part is None for part in parts) != all(part is None for part in parts):
            raise ValueError("guardians send threshold, keys and signatures together")
        if self.keys is not None and self.holder is None:
            raise ValueError("guardians name the key to be in 'holder'")
        return self


class RotationAct(Model):
    """The present key names the one that replaces it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"act": "rotation", "holder": ADDRESS_EXAMPLE}]}
    )

    act: Literal["rotation"]
    holder: KeyIn


class DelegationAct(Model):
    """The holder lets a key speak for it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"act": "delegation", "delegate": ADDRESS_EXAMPLE, "validTo": "2027-06-30T00:00:00Z"}
            ]
        }
    )

    act: Literal["delegation"]
    delegate: KeyIn
    valid_to: TimeIn | None = None


class GuardiansAct(Model):
    """The holder names guardians."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"act": "guardians", "threshold": 2, "keys": _KEYS_EXAMPLE}]}
    )

    act: Literal["guardians"]
    threshold: ThresholdIn
    keys: KeysIn


class RecoveryAct(Model):
    """A guardian names a key in the place of a lost one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"act": "recovery", "holder": ADDRESS_EXAMPLE}]}
    )

    act: Literal["recovery"]
    holder: KeyIn


class ObjectionAct(Model):
    """The holder objects to a recovery."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"act": "objection"}]})

    act: Literal["objection"]


HolderActIn = Annotated[
    RotationAct | DelegationAct | GuardiansAct | RecoveryAct | ObjectionAct, Discriminator("act")
]


class DelegateOut(Model):
    """Somebody who may speak for the holder."""

    delegate: str = Field(examples=[ADDRESS_EXAMPLE])
    valid_to: str = Field(examples=["2027-06-30T00:00:00Z"])


class HolderOut(Model):
    """Who speaks for a passport's subject."""

    passport_id: str = Field(examples=[ID_EXAMPLE])
    holder: str = Field(examples=[ADDRESS_EXAMPLE])
    custody: str = Field(examples=["SELF"])
    epoch: int = Field(
        description="How often the key was replaced; what holders sign names it.", examples=[0]
    )
    nonce: int = Field(
        description="What the next signature names that is good once: on delegates, guardians, a recovery.",
        examples=[0],
    )
    guardians: str | None = Field(
        description="Commitment to those who can replace a lost key together; who they are the ledger does not know."
    )
    delegates: list[DelegateOut]
    recovery: RecoveryOut | None


def holder_out(record: HolderRecord) -> HolderOut:
    """Write who speaks for a passport's subject."""
    passport = record.passport
    return HolderOut(
        passport_id=to_hex(passport.passport_id),
        holder=passport.holder,
        custody=passport.custody.name,
        epoch=passport.epoch,
        nonce=record.nonce,
        guardians=to_hex(record.guardians) if record.guardians else None,
        delegates=[DelegateOut(delegate=key, valid_to=utc(end)) for key, end in record.delegates.items()],
        recovery=recovery_out(record.recovery),
    )
