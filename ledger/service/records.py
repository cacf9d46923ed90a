"""Registering records: split, de-identified, sealed in the vault, committed to, and given a passport."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ledger.domain.records import Address, Member, PassportId
from ledger.domain.vocabulary import RECORD_LEVELS, Custody, Level, Purpose, Role, purpose_set
from ledger.encoding.commitments import new_id
from ledger.encoding.hexadecimal import address, to_hex
from ledger.errors import Conflict, InvalidInput
from ledger.interop.deidentification import Content, deidentify
from ledger.interop.fhir import read_bundle
from ledger.ports import Call, Chain, Index, Operation, RecordSummary, SealedRecord, Vault, Writer
from ledger.service.authority import require_role, signer_of
from ledger.wallet import holder_address, holder_key, new_seed

#: Of the pseudonyms of one record.
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Records:
    """What custodians keep."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault

    def register(
        self,
        actor: Member,
        bundle: Any,
        *,
        purposes: list[Purpose],
        holder: str | None = None,
        idempotency: tuple[str, str, str] | None = None,
    ) -> tuple[SealedRecord, Operation]:
        """
        Register one patient's record.

        Args:
            actor: The custodian.
            bundle: A FHIR R4 Bundle with exactly one Patient.
            purposes: What the data may ever be used for; can be narrowed later, never widened.
            holder: Address of the holder key that the patient keeps for this custodian. Without one the custodian
                keeps a key on the patient's behalf, and the ledger shows that.
            idempotency: Scope, key and fingerprint of the request.

        Returns:
            The sealed record and the operation that issues its passport.

        Raises:
            NotPermitted: *actor* is not a custodian.
            MalformedRecord: The bundle cannot be read.
            Conflict: The custodian has registered this patient before; the message names the passport.
        """
        require_role(actor, Role.CUSTODIAN)
        signer = signer_of(self.writer, actor)
        if not purposes:
            raise InvalidInput("purposes must name at least one purpose", field="purposes")
        patient = read_bundle(bundle)
        sealed = self._sealed_before(actor, patient.reference)
        if sealed is None:
            seed = None if holder else new_seed()
            sealed = self.vault.seal(
                PassportId(new_id()),
                custodian=actor.member_id,
                local_reference=patient.reference,
                content=_at_each_level(patient.content),
                holder_seed=holder_key(seed, custodian=actor.member_id) if seed else None,
            )
        call = _issue_call(
            sealed, holder=self._holder(sealed, holder), assisted=holder is None, purposes=purposes
        )
        return sealed, self.writer.submit(signer, call, idempotency=idempotency)

    def kept_by(self, actor: Member) -> list[RecordSummary]:
        """Return what a custodian keeps here, with its own references."""
        require_role(actor, Role.CUSTODIAN)
        return self.vault.summaries(actor.member_id)

    def _sealed_before(self, actor: Member, reference: str) -> SealedRecord | None:
        """Return a record that was sealed but, after a crash, never got its passport."""
        passport_id = self.vault.find(actor.member_id, reference)
        if passport_id is None:
            return None
        if self.chain.passport(passport_id) is not None:
            raise Conflict(
                f"{actor.name} has registered this patient as passport {to_hex(passport_id)}",
                fix="Use that passport.",
                passport=to_hex(passport_id),
            )
        return self.vault.record(passport_id)

    def _holder(self, sealed: SealedRecord, holder: str | None) -> Address:
        if holder is not None:
            return Address(address(holder, field="holder"))
        key = self.vault.holder_key(sealed.passport_id)
        if key is None:
            raise Conflict(
                "this record was sealed for a patient who keeps the holder key",
                fix="Send the address of the patient's holder key in 'holder'.",
            )
        return holder_address(key)


def _at_each_level(content: Content) -> dict[Level, Content]:
    """De-identify a record to each of its levels; the secret of its pseudonyms is kept nowhere."""
    secret, year = secrets.token_bytes(_SECRET_BYTES), datetime.now(UTC).year
    return {level: deidentify(content, level=level, secret=secret, year=year) for level in RECORD_LEVELS}


def _issue_call(sealed: SealedRecord, *, holder: Address, assisted: bool, purposes: list[Purpose]) -> Call:
    custody = Custody.ASSISTED if assisted else Custody.SELF
    item = [
        to_hex(sealed.passport_id),
        holder,
        int(custody),
        purpose_set(purposes),
        int(Level.IDENTIFIED),
        0,
        to_hex(sealed.content),
    ]
    return Call("issue", ([item],))
