"""Registering records: split, de-identified, sealed in the vault, committed to, and given a passport."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ledger.domain.records import HolderKey, Member, PassportId
from ledger.domain.vocabulary import (
    RECORD_LEVELS,
    Custody,
    EmergencyKind,
    Level,
    PassportStatus,
    Purpose,
    Role,
    purpose_set,
    purposes_of,
)
from ledger.encoding.commitments import new_id
from ledger.encoding.hexadecimal import address, from_hex, to_hex
from ledger.errors import Conflict, InvalidInput, NotFound
from ledger.interop.deidentification import Content, deidentify
from ledger.interop.fhir import read_bundle
from ledger.ports import Call, Chain, Index, Operation, RecordSummary, SealedRecord, Vault, Writer
from ledger.service.authority import (
    require_active,
    require_custodian,
    require_passport,
    require_role,
    signer_of,
)
from ledger.service.clock import time_of
from ledger.service.committee import Committee
from ledger.service.statements import keep
from ledger.service.turns import Turns
from ledger.wallet import holder_address, holder_key, new_seed

ACCOUNT_BYTES: Final = 20
#: The longest key that is taken for a holder's.
MAX_KEY_BYTES: Final = 512
#: Of the pseudonyms of one record.
_SECRET_BYTES: Final = 32
#: One registration of a patient at a time.
_REGISTRATIONS: Final = Turns(64)
_STATES: Final = {PassportStatus.SEALED: "sealed", PassportStatus.DESTROYED: "destroyed"}


@dataclass(frozen=True, slots=True)
class Records:
    """What custodians keep."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault
    committee: Committee

    def register(
        self,
        actor: Member,
        bundle: Any,
        *,
        purposes: list[Purpose],
        holder: str | None = None,
        lock: int = 0,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Register one patient's record.

        Args:
            actor: The custodian.
            bundle: A FHIR R4 Bundle with exactly one Patient.
            purposes: What the data may ever be used for; can be narrowed later, never widened.
            holder: The holder key that the patient keeps for this custodian: an account, or an ERC-7913 verifier and a
                key, as of a passkey. Without one the custodian keeps a key on the patient's behalf, and the ledger shows
                that.
            lock: Public emergency under which the data was obtained: it serves that emergency alone; 0 for none.
            idempotency: Scope, key and fingerprint of the request.

        Returns:
            The operation that issues its passport.

        Raises:
            NotPermitted: *actor* is not a custodian, or is suspended.
            NotFound: The committee declared no such emergency.
            MalformedRecord: The bundle cannot be read.
            Conflict: The custodian has registered this patient before, and the message names the passport; or is
                registering it.
        """
        require_role(actor, Role.CUSTODIAN)
        require_active(actor, time_of(self.chain))
        signer = signer_of(self.writer, actor)
        if not purposes:
            raise InvalidInput("purposes must name at least one purpose", field="purposes")
        self._require_declared(lock)
        patient = read_bundle(bundle)
        key = None if holder else holder_key(new_seed(), custodian=actor.member_id)
        subject = holder_address(key) if key else _checked_holder(str(holder))
        content = _at_each_level(patient.content)
        with _REGISTRATIONS.of(actor.member_id, patient.reference):
            self._clear_away(actor, patient.reference)
            sealed = self.vault.seal(
                PassportId(new_id()),
                custodian=actor.member_id,
                local_reference=patient.reference,
                content=content,
                holder_seed=key,
            )
            call = _issue_call(sealed, holder=subject, assisted=key is not None, purposes=purposes, lock=lock)
            return self.writer.submit(signer, call, idempotency=idempotency)

    def kept_by(self, actor: Member) -> list[RecordSummary]:
        """Return what a custodian keeps here, with its own references."""
        require_role(actor, Role.CUSTODIAN)
        return self.vault.summaries(actor.member_id)

    def seal(
        self,
        actor: Member,
        passport_id: PassportId,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Seal data after an incident: no use and no destruction until the committee unseals it.

        Args:
            actor: Its custodian or a regulator, at once; a member with a seat proposes it to the committee.
            passport_id: The data.
            reason: Why; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such passport.
            NotPermitted: *actor* is none of these.
            Conflict: The data is sealed already, or destroyed.
        """
        passport = require_passport(self.index, passport_id).passport
        self._require_open(passport_id)
        reasons = keep(
            self.vault, "seal", {"passport": to_hex(passport_id), "reason": reason}, owner=actor.member_id
        )
        call = Call("seal", (to_hex(passport_id), to_hex(reasons)))
        if passport.custodian == actor.member_id or Role.REGULATOR in actor.roles:
            return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)
        return self.committee.propose(actor, call, reason, idempotency=idempotency)

    def unseal(
        self,
        actor: Member,
        passport_id: PassportId,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose to the committee to open sealed data again: nobody unseals what was sealed in the own interest.

        Raises:
            NotFound: There is no such passport.
            NotPermitted: *actor* has no seat.
            Conflict: The data is not sealed.
        """
        if require_passport(self.index, passport_id).passport.status is not PassportStatus.SEALED:
            raise Conflict(f"passport {to_hex(passport_id)} is not sealed")
        return self.committee.propose(
            actor, Call("unseal", (to_hex(passport_id),)), reason, idempotency=idempotency
        )

    def narrow(
        self,
        actor: Member,
        passport_id: PassportId,
        purposes: list[Purpose],
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Narrow what data may ever be used for. There is no way back.

        Args:
            actor: Its custodian.
            passport_id: The data.
            purposes: What is left: a smaller part of what it may serve now, and not nothing.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such passport.
            NotPermitted: *actor* does not keep the data.
            Conflict: The data is sealed or destroyed.
            InvalidInput: The purposes are no smaller part.
        """
        passport = require_custodian(self.index, actor, passport_id).passport
        self._require_open(passport_id)
        left = purpose_set(purposes)
        if not left or left == passport.purposes or left & ~passport.purposes:
            now = ", ".join(purpose.name for purpose in purposes_of(passport.purposes))
            raise InvalidInput(
                "purposes must be a smaller part of what the data may serve now, and not nothing",
                field="purposes",
                fix=f"It may serve: {now}. For another purpose register the record anew.",
            )
        call = Call("narrow", (to_hex(passport_id), left))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def destroy(
        self,
        actor: Member,
        passport_id: PassportId,
        statement: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        State on the ledger that data is destroyed; `erase_destroyed` then destroys its keys here. Final.

        Args:
            actor: Its custodian.
            passport_id: The data.
            statement: Why and how, backups included; the evidence committed to names the categories whose keys go.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such passport.
            NotPermitted: *actor* does not keep the data.
            Conflict: The data is sealed, or was destroyed before; then what was still kept of it here is gone now.
            InvalidInput: The statement is empty.
        """
        require_custodian(self.index, actor, passport_id)
        self.erase_destroyed(passport_id)
        self._require_open(passport_id)
        if not statement.strip():
            raise InvalidInput("statement must say why and how", field="statement")
        sealed = self.vault.level(passport_id, Level.IDENTIFIED)
        kinds = [str(item.category.name) for item in sealed.categories] if sealed else []
        record = {
            "passport": to_hex(passport_id),
            "method": "the data keys and salts were destroyed",
            "categories": kinds,
            "statement": statement,
        }
        call = Call(
            "destroy",
            (to_hex(passport_id), to_hex(keep(self.vault, "destruction", record, owner=actor.member_id))),
        )
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def erase_destroyed(self, passport_id: PassportId) -> int:
        """
        Destroy the keys and salts of data that the chain says is destroyed; nothing, if it does not say so.

        Evidence first, then the key: sealed data is never destroyed, whatever happens in between. May be called again.

        Returns:
            How many keys were destroyed.
        """
        passport = self.chain.passport(passport_id)
        if passport is None or passport.status is not PassportStatus.DESTROYED:
            return 0
        return self.vault.erase(passport_id)

    def erase_all_destroyed(self, passport_ids: Collection[PassportId]) -> None:
        """Destroy what is still kept here of passports, as far as the chain says that they are destroyed."""
        for passport_id in passport_ids:
            if self.vault.record(passport_id) is not None:
                self.erase_destroyed(passport_id)

    def _require_declared(self, lock: int) -> None:
        urgent = self.index.emergency(lock) if lock else None
        if lock and (urgent is None or urgent.emergency.kind is not EmergencyKind.PUBLIC):
            raise NotFound(
                f"the committee declared no emergency {lock}",
                fix="GET /v1/emergencies?kind=PUBLIC lists those that it declared.",
            )

    def _require_open(self, passport_id: PassportId) -> None:
        status = require_passport(self.index, passport_id).passport.status
        if status is not PassportStatus.OPEN:
            raise Conflict(
                f"passport {to_hex(passport_id)} is {_STATES[status]}",
                fix="The committee unseals data; what is destroyed stays so.",
            )

    def _clear_away(self, actor: Member, reference: str) -> None:
        """Erase what was sealed of a patient but never got a passport: the ledger refused it, or there was a crash."""
        passport_id = self.vault.find(actor.member_id, reference)
        if passport_id is None:
            return
        name = to_hex(passport_id)
        # Asked before the chain: what is mined in between must not look as if it had never been.
        is_taken = self.writer.is_taken("issue", about=name)
        if self.chain.passport(passport_id) is not None:
            raise Conflict(
                f"{actor.name} has registered this patient as passport {name}",
                fix="Use that passport.",
                passport=name,
            )
        if is_taken:
            raise Conflict(f"{actor.name} is registering this patient", fix="Wait until that is done.")
        self.vault.erase(passport_id)


def _checked_holder(holder: str) -> HolderKey:
    given = from_hex(holder, field="holder", max_bytes=MAX_KEY_BYTES)
    # What is no longer than an account is one.
    return to_hex(given) if len(given) > ACCOUNT_BYTES else address(holder, field="holder")


def _at_each_level(content: Content) -> dict[Level, Content]:
    """De-identify a record to each of its levels; the secret of its pseudonyms is kept nowhere."""
    secret, year = secrets.token_bytes(_SECRET_BYTES), datetime.now(UTC).year
    return {level: deidentify(content, level=level, secret=secret, year=year) for level in RECORD_LEVELS}


def _issue_call(
    sealed: SealedRecord, *, holder: HolderKey, assisted: bool, purposes: list[Purpose], lock: int
) -> Call:
    custody = Custody.ASSISTED if assisted else Custody.SELF
    item = [
        to_hex(sealed.passport_id),
        holder,
        int(custody),
        purpose_set(purposes),
        int(Level.IDENTIFIED),
        lock,
        to_hex(sealed.content),
    ]
    return Call("issue", ([item],))
