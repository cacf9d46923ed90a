"""Attestations: what qualified members state of a passport or a project; each expires and can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.domain.records import Attestation, Member, PassportId
from ledger.domain.vocabulary import ATTESTATION_LABELS, AttestationKind, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.ports import Call, Chain, Index, Operation, Vault, Writer
from ledger.service.authority import require_active, require_passport, signer_of
from ledger.service.statements import keep

#: The kinds that are about a project; the others are about a passport.
OF_PROJECTS: Final = frozenset({AttestationKind.LICENCE, AttestationKind.CLEARANCE})
_QUALIFIED: Final = {
    AttestationKind.ENCRYPTION: "a member with the role VERIFIER that does not keep the data",
    AttestationKind.DEIDENTIFICATION: "a member with the role VERIFIER that does not keep the data",
    AttestationKind.SOURCE: "the custodian that keeps the data",
    AttestationKind.LICENCE: "a member with the role REGULATOR that did not file the project",
    AttestationKind.CLEARANCE: "a member with the role REGULATOR that did not file the project",
}


@dataclass(frozen=True, slots=True)
class Attestations:
    """Statements of qualified members."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault

    def attest(
        self,
        actor: Member,
        kind: AttestationKind,
        *,
        passport_id: PassportId | None = None,
        project_id: int = 0,
        valid_to: int = 0,
        statement: str = "",
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        State something of a passport or of a project, or take back what the caller stated.

        Args:
            actor: A member that is qualified for the kind.
            kind: What is stated.
            passport_id: The passport, for kinds about passports.
            project_id: The project, for kinds about projects.
            valid_to: Until when, seconds since the Unix epoch, exclusive; 0 to take it back.
            statement: The statement in words; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            InvalidInput: The subject is missing or of the other sort, the end lies in the past, or words are missing.
            NotFound: There is no such passport or project, or nothing of the caller's to take back.
            NotPermitted: *actor* is not qualified; the message says who is.
            Conflict: Another member's statement is in force.
        """
        now = self.chain.now()
        require_active(actor, now)
        subject = self._subject(kind, passport_id, project_id)
        self._require_qualified(actor, kind, passport_id, project_id)
        former = self.index.attestations(subject).get(kind)
        standing = former is not None and now < former.valid_to
        mine = former is not None and former.issuer == actor.member_id
        if standing and not mine:
            raise Conflict(
                f"another member's statement is in force: {ATTESTATION_LABELS[kind].en}",
                fix="Wait until it ends, or let its issuer take it back.",
            )
        if not valid_to and not (standing and mine):
            raise NotFound(f"{actor.name} has no such statement in force to take back")
        if valid_to and valid_to <= now:
            raise InvalidInput("validTo must lie in the future", field="validTo")
        if valid_to and not statement.strip():
            raise InvalidInput("statement must say it in words", field="statement")
        words = {"kind": kind.name, "subject": to_hex(subject), "statement": statement}
        call = Call(
            "attest",
            (to_hex(subject), int(kind), valid_to, to_hex(keep(self.vault, "attestation", words))),
        )
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def of_passport(self, passport_id: PassportId) -> dict[AttestationKind, Attestation]:
        """
        Return the latest statements about a passport.

        Raises:
            NotFound: There is no such passport.
        """
        require_passport(self.index, passport_id)
        return self.index.attestations(passport_id)

    def of_project(self, project_id: int) -> dict[AttestationKind, Attestation]:
        """
        Return the latest statements about a project.

        Raises:
            NotFound: There is no such project.
        """
        self._filed_by(project_id)
        return self.index.attestations(project_subject(project_id))

    def _subject(self, kind: AttestationKind, passport_id: PassportId | None, project_id: int) -> bytes:
        if (kind in OF_PROJECTS) != bool(project_id) or (kind in OF_PROJECTS) == (passport_id is not None):
            field = "projectId" if kind in OF_PROJECTS else "passportId"
            raise InvalidInput(f"{kind.name} is stated of one {field[:-2]} and nothing else", field=field)
        return project_subject(project_id) if passport_id is None else passport_id

    def _require_qualified(
        self, actor: Member, kind: AttestationKind, passport_id: PassportId | None, project_id: int
    ) -> None:
        if passport_id is None:
            qualified = Role.REGULATOR in actor.roles and self._filed_by(project_id) != actor.member_id
        else:
            keeps = require_passport(self.index, passport_id).passport.custodian == actor.member_id
            verifies = Role.VERIFIER in actor.roles and not keeps
            qualified = keeps if kind is AttestationKind.SOURCE else verifies
        if not qualified:
            raise NotPermitted(
                f"{actor.name} may not state {kind.name} of this: {_QUALIFIED[kind]} may",
                fix=f"Ask {_QUALIFIED[kind]}.",
            )

    def _filed_by(self, project_id: int) -> int:
        project = self.index.project(project_id)
        if project is None:
            raise NotFound(f"there is no project {project_id}", fix="GET /v1/projects lists the projects.")
        return project.member_id


def project_subject(project_id: int) -> bytes:
    """Return a project's number as the ledger names it in statements: 32 bytes."""
    return project_id.to_bytes(32, "big")
