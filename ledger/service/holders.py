"""Who speaks for a subject: its key replaced, guardians and delegates named, a lost key recovered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.domain.records import Address, HolderKey, Member, Passport, PassportId
from ledger.domain.vocabulary import Custody
from ledger.domain.wording import time_in_words
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import (
    delegation_typed_data,
    guardians_commitment,
    guardians_typed_data,
    objection_typed_data,
    recovery_typed_data,
    rotation_typed_data,
    sign,
)
from ledger.errors import Conflict, InvalidInput, NotFound, SignatureRejected
from ledger.ports import Call, Chain, Index, Operation, RecoveryRecord, Vault, Writer
from ledger.service.authority import require_active, require_custodian, require_passport, signer_of
from ledger.service.consents import Consents
from ledger.service.records import ACCOUNT_BYTES, MAX_KEY_BYTES
from ledger.service.signatures import Signatures
from ledger.wallet import holder_address, holder_key, new_seed

#: Most guardians of one passport, as the contract has it.
MAX_GUARDIANS: Final = 16

Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class HolderRecord:
    """
    Who speaks for a subject, as the index knows it.

    Attributes:
        guardians: Commitment to those who can replace a lost key together; None for nobody.
        delegates: Until when each key may speak besides the holder's, seconds since the Unix epoch, exclusive.
        recovery: A replacement of the key that waits for an objection.
        nonce: What the next signature names that is good once: on delegates, guardians, a recovery.
    """

    passport: Passport
    nonce: int
    guardians: bytes | None
    delegates: dict[HolderKey, int]
    recovery: RecoveryRecord | None


@dataclass(frozen=True, slots=True)
class Holders:
    """The keys of patients."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault
    signatures: Signatures
    consents: Consents

    def get(self, passport_id: PassportId) -> HolderRecord:
        """
        Return who speaks for a passport's subject.

        Raises:
            NotFound: There is no such passport.
        """
        passport = require_passport(self.index, passport_id).passport
        guardians = self.index.guardians(passport_id)
        now = self.chain.now()
        return HolderRecord(
            passport=passport,
            nonce=self.chain.holder_nonce(passport_id),
            guardians=guardians if guardians and any(guardians) else None,
            delegates={key: end for key, end in self.index.delegates(passport_id).items() if now < end},
            recovery=self.index.recovery(passport_id),
        )

    # What is signed

    def rotation(self, passport_id: PassportId, holder: HolderKey, custody: Custody) -> dict[str, Any]:
        """Return the typed data with which the present key names the one that replaces it."""
        epoch = require_passport(self.index, passport_id).passport.epoch
        return rotation_typed_data(
            self.chain.domain(),
            passport_id=passport_id,
            holder=raw_key(holder),
            custody=int(custody),
            epoch=epoch,
        )

    def delegation(self, passport_id: PassportId, delegate: HolderKey, valid_to: int) -> dict[str, Any]:
        """Return the typed data that lets a key speak for the holder until a time; 0 ends it at once."""
        epoch = require_passport(self.index, passport_id).passport.epoch
        return delegation_typed_data(
            self.chain.domain(),
            passport_id=passport_id,
            delegate=raw_key(delegate),
            valid_to=valid_to,
            epoch=epoch,
            nonce=self.chain.holder_nonce(passport_id),
        )

    def guardianship(
        self, passport_id: PassportId, threshold: int, keys: Sequence[HolderKey]
    ) -> dict[str, Any]:
        """
        Return the typed data that names those who can replace a lost key together; no keys for nobody.

        Raises:
            InvalidInput: The threshold or the keys are not possible.
        """
        epoch = require_passport(self.index, passport_id).passport.epoch
        return guardians_typed_data(
            self.chain.domain(),
            passport_id=passport_id,
            guardians=checked_guardians(threshold, keys),
            epoch=epoch,
            nonce=self.chain.holder_nonce(passport_id),
        )

    def recovery(self, passport_id: PassportId, holder: HolderKey) -> dict[str, Any]:
        """Return the typed data with which guardians name a key in the place of a lost one."""
        epoch = require_passport(self.index, passport_id).passport.epoch
        return recovery_typed_data(
            self.chain.domain(),
            passport_id=passport_id,
            holder=raw_key(holder),
            epoch=epoch,
            nonce=self.chain.holder_nonce(passport_id),
        )

    def objection(self, passport_id: PassportId) -> dict[str, Any]:
        """
        Return the typed data with which the holder objects to a recovery: the key is not lost.

        Raises:
            NotFound: No recovery is under way.
        """
        epoch = require_passport(self.index, passport_id).passport.epoch
        under_way = self._recovery(passport_id)
        return objection_typed_data(
            self.chain.domain(), passport_id=passport_id, ready_at=under_way.ready_at, epoch=epoch
        )

    # With the holder's signature

    def rotate(
        self,
        relayer: Member,
        passport_id: PassportId,
        holder: HolderKey,
        custody: Custody,
        signature: bytes | None,
        *,
        idempotency: Identity | None = None,
    ) -> Operation:
        """
        Replace the holder's key. The old one, and everybody it had named to speak for it, is dead at once.

        Args:
            relayer: Who brings it.
            passport_id: The passport.
            holder: The new key.
            custody: Who keeps it.
            signature: The old key's over `rotation`; None if the custodian keeps it: the patient takes over.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such passport.
            NotPermitted: Without a signature: *relayer* does not keep the holder's key.
            SignatureRejected: Not the holder's signature.
            InvalidInput: *holder* is no key, or the one there is; or a custodian cannot be given somebody else's key.
        """
        if custody is not Custody.SELF:
            raise InvalidInput(
                "a patient's key is the patient's: only recovery gives it away", field="custody"
            )
        passport = require_passport(self.index, passport_id).passport
        if holder.lower() == passport.holder:
            raise InvalidInput("this is the key there is", field="holder")
        signature = self._signature(relayer, passport, self.rotation(passport_id, holder, custody), signature)
        call = Call("rotateHolder", (to_hex(passport_id), holder.lower(), int(custody), to_hex(signature)))
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    def name_delegate(
        self,
        relayer: Member,
        passport_id: PassportId,
        delegate: HolderKey,
        valid_to: int,
        signature: bytes | None,
        *,
        idempotency: Identity | None = None,
    ) -> Operation:
        """
        Let somebody speak for the subject until a time; 0 ends it at once. Arguments and errors as for `rotate`.

        Raises:
            InvalidInput: The end is over already, or *delegate* is the holder.
        """
        passport = require_passport(self.index, passport_id).passport
        if valid_to and valid_to <= self.chain.now():
            raise InvalidInput("validTo must be in the future", field="validTo")
        if delegate.lower() == passport.holder:
            raise InvalidInput("the holder speaks for itself", field="delegate")
        signature = self._signature(
            relayer, passport, self.delegation(passport_id, delegate, valid_to), signature
        )
        call = Call("nameDelegate", (to_hex(passport_id), delegate.lower(), valid_to, to_hex(signature)))
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    def name_guardians(
        self,
        relayer: Member,
        passport_id: PassportId,
        threshold: int,
        keys: Sequence[HolderKey],
        signature: bytes | None,
        *,
        idempotency: Identity | None = None,
    ) -> Operation:
        """
        Name those who can replace a lost key together. Arguments and errors as for `rotate`.

        The chain holds a commitment alone: who they are the holder and they themselves must remember.

        Raises:
            InvalidInput: The threshold or the keys are not possible.
        """
        passport = require_passport(self.index, passport_id).passport
        signature = self._signature(
            relayer, passport, self.guardianship(passport_id, threshold, keys), signature
        )
        named = to_hex(checked_guardians(threshold, keys))
        call = Call("nameGuardians", (to_hex(passport_id), named, to_hex(signature)))
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    def object(
        self,
        relayer: Member,
        passport_id: PassportId,
        signature: bytes | None,
        *,
        idempotency: Identity | None = None,
    ) -> Operation:
        """
        Object to a recovery: the key is not lost. Arguments and errors as for `rotate`.

        Raises:
            NotFound: No recovery is under way.
        """
        passport = require_passport(self.index, passport_id).passport
        signature = self._signature(relayer, passport, self.objection(passport_id), signature)
        call = Call("cancelRecovery", (to_hex(passport_id), to_hex(signature)))
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    # Recovery

    def recover(
        self,
        relayer: Member,
        passport_id: PassportId,
        holder: HolderKey,
        *,
        threshold: int,
        keys: Sequence[HolderKey],
        signatures: Sequence[bytes],
        idempotency: Identity | None = None,
    ) -> Operation:
        """
        Begin to replace a lost key, as its guardians. The holder is told, and can object until it is ready.

        Args:
            relayer: Who brings it.
            passport_id: The passport.
            holder: The key to be; the patient keeps it.
            threshold: How many must sign, as named.
            keys: All guardians, as named.
            signatures: One per guardian in the same order over `recovery`, empty for those who did not sign.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such passport.
            SignatureRejected: These are not the guardians, or too few of them signed; a signature is not a guardian's.
        """
        if self.index.guardians(passport_id) != checked_guardians(threshold, keys) or not keys:
            raise SignatureRejected(
                "these are not the guardians that the holder has named",
                fix="Give the threshold and all keys in the order in which they were named.",
            )
        if len(signatures) != len(keys) or sum(map(bool, signatures)) < threshold:
            raise SignatureRejected(
                f"{threshold} of {len(keys)} guardians must sign", fix="Send one signature or 0x for each."
            )
        typed_data = self.recovery(passport_id, holder)
        for key, signature in zip(keys, signatures, strict=True):
            if signature:
                self.signatures.check(key.lower(), typed_data, signature)
        call = Call(
            "recover",
            (
                to_hex(passport_id),
                holder.lower(),
                threshold,
                [key.lower() for key in keys],
                [to_hex(signature) for signature in signatures],
            ),
        )
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    def recover_at_counter(
        self,
        actor: Member,
        passport_id: PassportId,
        holder: HolderKey | None,
        *,
        idempotency: Identity | None = None,
    ) -> Operation:
        """
        Begin to replace a lost key at the custodian's counter, for a patient that named no guardians.

        Args:
            actor: The passport's custodian; it has made sure who the patient is.
            passport_id: The passport.
            holder: The key to be, kept by the patient; None to let the custodian keep a new one.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* does not keep this passport, or is suspended.
            Conflict: The holder named guardians: they do this.
        """
        require_custodian(self.index, actor, passport_id)
        require_active(actor, self.chain.now())
        if any(self.index.guardians(passport_id) or b""):
            raise Conflict(
                "the holder named guardians: they replace a lost key", fix="Let the guardians sign."
            )
        custody = Custody.SELF if holder else Custody.ASSISTED
        if not holder and require_passport(self.index, passport_id).passport.custody is Custody.ASSISTED:
            raise Conflict(
                "the custodian keeps this key already: it is not lost", fix="Name the patient's own key."
            )
        key = holder.lower() if holder else self._new_assisted_key(actor, passport_id)
        raw_key(key)
        call = Call("recoverAtCounter", (to_hex(passport_id), key, int(custody)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def complete(
        self, relayer: Member, passport_id: PassportId, *, idempotency: Identity | None = None
    ) -> Operation:
        """
        Complete a recovery that nobody objected to in time. Anyone may.

        Raises:
            NotFound: No recovery is under way.
            Conflict: The time for objections is not over.
        """
        under_way = self._recovery(passport_id)
        if self.chain.now() < under_way.ready_at:
            raise Conflict(
                f"the holder can object until {time_in_words(under_way.ready_at)}", fix="Complete it then."
            )
        call = Call("completeRecovery", (to_hex(passport_id),))
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    def _recovery(self, passport_id: PassportId) -> RecoveryRecord:
        require_passport(self.index, passport_id)
        found = self.index.recovery(passport_id)
        if found is None:
            raise NotFound("no recovery of this passport's key is under way")
        return found

    def _signature(
        self, relayer: Member, passport: Passport, typed_data: dict[str, Any], signature: bytes | None
    ) -> bytes:
        """Return the holder's signature, checked; made here if the custodian keeps the key."""
        if signature is None:
            key = self.consents.assisted_key(relayer, passport.passport_id)
            return sign(typed_data, private_key=key)
        self.signatures.check(passport.holder, typed_data, signature)
        return signature

    def _new_assisted_key(self, actor: Member, passport_id: PassportId) -> Address:
        key = holder_key(new_seed(), custodian=actor.member_id)
        self.vault.keep_holder_key(passport_id, key)
        return holder_address(key)


def raw_key(key: HolderKey) -> bytes:
    """
    Return the bytes of a key.

    Raises:
        InvalidInput: Fewer bytes than an account has, or more than anybody's key.
    """
    raw = bytes.fromhex(key[2:])
    if not ACCOUNT_BYTES <= len(raw) <= MAX_KEY_BYTES:
        raise InvalidInput(f"a key has {ACCOUNT_BYTES} to {MAX_KEY_BYTES} bytes", field="holder")
    return raw


def checked_guardians(threshold: int, keys: Sequence[HolderKey]) -> bytes:
    """
    Return the commitment to guardians; 32 zero bytes for nobody.

    Raises:
        InvalidInput: The threshold or the keys are not possible.
    """
    lower = [key.lower() for key in keys]
    for key in lower:
        raw_key(key)
    if len(lower) > MAX_GUARDIANS or len(set(lower)) != len(lower):
        raise InvalidInput(f"there may be {MAX_GUARDIANS} guardians at most, each named once", field="keys")
    if lower and not 1 <= threshold <= len(lower):
        raise InvalidInput(f"threshold must be 1 to {len(lower)}, the number of guardians", field="threshold")
    return guardians_commitment(threshold, lower)
