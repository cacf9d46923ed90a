"""
Attestations: what qualified members state of a passport, a project, a version or a tool.

Each expires and can be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.domain.lineage import VersionId
from ledger.domain.records import Attestation, Member, PassportId
from ledger.domain.vocabulary import ATTESTATION_LABELS, AttestationKind, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import project_subject
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.ports import Call, Chain, Index, Operation, Vault, Writer
from ledger.service.authority import require_active, require_passport, signer_of
from ledger.service.statements import keep, require_words

#: What each kind is about.
_ABOUT: Final = {
    AttestationKind.ENCRYPTION: ("passport", "version"),
    AttestationKind.DEIDENTIFICATION: ("passport",),
    AttestationKind.SOURCE: ("passport",),
    AttestationKind.LICENCE: ("project",),
    AttestationKind.TOOL: ("tool",),
}
_FIELDS: Final = {"passport": "passportId", "project": "projectId", "version": "versionId", "tool": "tool"}
_QUALIFIED: Final = {
    AttestationKind.ENCRYPTION: "a member with the role VERIFIER that neither keeps nor owns the data",
    AttestationKind.DEIDENTIFICATION: "a member with the role VERIFIER that does not keep the data",
    AttestationKind.SOURCE: "the custodian that keeps the data",
    AttestationKind.LICENCE: "a member with the role REGULATOR that did not file the project",
    AttestationKind.TOOL: "a member with the role ALLIANCE",
}


@dataclass(frozen=True, slots=True)
class About:
    """
    What a statement is about: one of these.

    Attributes:
        project_id: Number of a project; 0 for none.
        tool: Digest of a tool, 32 bytes that are not zero.
    """

    passport_id: PassportId | None = None
    project_id: int = 0
    version_id: VersionId | None = None
    tool: bytes | None = None

    def named(self) -> list[str]:
        """Return what it names."""
        given = {
            "passport": self.passport_id is not None,
            "project": bool(self.project_id),
            "version": self.version_id is not None,
            "tool": self.tool is not None,
        }
        return [name for name, is_given in given.items() if is_given]

    def subject(self) -> bytes:
        """Return what it names as the ledger names it in statements."""
        if self.project_id:
            return project_subject(self.project_id)
        return self.passport_id or self.version_id or self.tool or b""


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
        version_id: VersionId | None = None,
        tool: bytes | None = None,
        valid_to: int = 0,
        statement: str = "",
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        State something of a passport, a project, a version or a tool, or take back what the caller stated.

        Args:
            actor: A member that is qualified for the kind.
            kind: What is stated.
            passport_id: The passport, for kinds about passports.
            project_id: The project, for kinds about projects.
            version_id: The version, for ENCRYPTION of a version in the place of a passport.
            tool: The tool's digest, for TOOL.
            valid_to: Until when, seconds since the Unix epoch, exclusive; 0 to take it back.
            statement: The statement in words; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            InvalidInput: The subject is missing or of the other sort, the end lies in the past, or words are missing.
            NotFound: There is no such passport, project or version, or nothing of the caller's to take back.
            NotPermitted: *actor* is not qualified; the message says who is.
            Conflict: Another member's statement is in force.
        """
        now = self.chain.now()
        require_active(actor, now)
        about = About(passport_id, project_id, version_id, tool)
        _check_subject(kind, about)
        self._require_qualified(actor, kind, about)
        subject = about.subject()
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
        if valid_to:
            require_words(statement, "statement")
        words = {"kind": kind.name, "subject": to_hex(subject), "statement": statement}
        call = Call(
            "attest",
            (
                to_hex(subject),
                int(kind),
                valid_to,
                to_hex(keep(self.vault, "attestation", words, owner=actor.member_id)),
            ),
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

    def of_version(self, version_id: VersionId) -> dict[AttestationKind, Attestation]:
        """
        Return the latest statements about a version.

        Raises:
            NotFound: There is no such version.
        """
        self._owned_by(version_id)
        return self.index.attestations(version_id)

    def of_tool(self, tool: bytes) -> dict[AttestationKind, Attestation]:
        """Return the latest statements about a tool, by its digest."""
        return self.index.attestations(tool)

    def of_project(self, project_id: int) -> dict[AttestationKind, Attestation]:
        """
        Return the latest statements about a project.

        Raises:
            NotFound: There is no such project.
        """
        self._filed_by(project_id)
        return self.index.attestations(project_subject(project_id))

    def _require_qualified(self, actor: Member, kind: AttestationKind, about: About) -> None:
        if not self._is_qualified(actor, kind, about):
            raise NotPermitted(
                f"{actor.name} may not state {kind.name} of this: {_QUALIFIED[kind]} may",
                fix=f"Ask {_QUALIFIED[kind]}.",
            )

    def _is_qualified(self, actor: Member, kind: AttestationKind, about: About) -> bool:
        if about.tool is not None:
            return Role.ALLIANCE in actor.roles
        if about.project_id:
            return Role.REGULATOR in actor.roles and self._filed_by(about.project_id) != actor.member_id
        if about.version_id is not None:
            return Role.VERIFIER in actor.roles and self._owned_by(about.version_id) != actor.member_id
        passport_id = about.passport_id or PassportId(b"")
        keeps = require_passport(self.index, passport_id).passport.custodian == actor.member_id
        return keeps if kind is AttestationKind.SOURCE else Role.VERIFIER in actor.roles and not keeps

    def _owned_by(self, version_id: VersionId) -> int:
        record = self.index.version(version_id)
        if record is None:
            raise NotFound(f"there is no version {to_hex(version_id)}", fix="GET /v1/steps lists the steps.")
        return record.version.owner

    def _filed_by(self, project_id: int) -> int:
        project = self.index.project(project_id)
        if project is None:
            raise NotFound(f"there is no project {project_id}", fix="GET /v1/projects lists the projects.")
        return project.member_id


def _check_subject(kind: AttestationKind, about: About) -> None:
    wanted, named = _ABOUT[kind], about.named()
    if len(named) != 1 or named[0] not in wanted:
        raise InvalidInput(
            f"{kind.name} is stated of one {' or '.join(wanted)} and nothing else", field=_FIELDS[wanted[0]]
        )
    if about.tool is not None and not any(about.tool):
        raise InvalidInput("tool must be the digest of a tool", field="tool")
