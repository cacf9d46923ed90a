"""Borders: who may receive data from abroad, what clears it, and how many persons' data has left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ledger.domain.records import Clearance, Exports, Member, Project, Thresholds
from ledger.domain.vocabulary import PATH_LABELS, Path, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.structs import clearance_values
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.policy import year_of
from ledger.ports import Call, Chain, ClearanceRecord, Index, Operation, Vault, Writer
from ledger.service.agreements import Agreements
from ledger.service.authority import require_active, require_member, require_role, signer_of
from ledger.service.committee import Committee
from ledger.service.statements import keep, require_words

#: Who clears by each path, in words.
_ISSUERS: Final = {
    Role.REGULATOR: "a member with the role REGULATOR",
    Role.VERIFIER: "a member with the role VERIFIER",
}


@dataclass(frozen=True, slots=True)
class Borders:
    """The list for crossing borders, clearances and thresholds."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault
    committee: Committee
    agreements: Agreements

    def set_access(
        self,
        actor: Member,
        member_id: int,
        valid_to: int,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Put a member on the list of those that may receive data from abroad, or take it off.

        Args:
            actor: A regulator, not for itself.
            member_id: The member.
            valid_to: Until when, seconds since the Unix epoch, exclusive; 0 to take it off.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* is no regulator, is the member itself, or is suspended.
            NotFound: There is no such member.
            InvalidInput: The end lies in the past.
        """
        now = self.chain.now()
        require_role(actor, Role.REGULATOR)
        require_active(actor, now)
        require_member(self.index, member_id)
        if member_id == actor.member_id:
            raise NotPermitted(
                f"{actor.name} cannot put itself on the list",
                fix="Ask another member with the role REGULATOR.",
            )
        if valid_to and valid_to <= now:
            raise InvalidInput("validTo must lie in the future", field="validTo")
        call = Call("setBorderAccess", (member_id, valid_to))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def clear(
        self,
        actor: Member,
        given: Clearance,
        filing: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Clear an exporter's data for a project. It takes the place of the clearance before it.

        Args:
            actor: Of the exporter's jurisdiction and neither exporter nor importer: a regulator; a verifier for the path
                CERTIFICATION.
            given: What clears; its number, issuer and persons are not read.
            filing: What was filed, in words; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* may not clear this; the message says who may.
            NotFound: There is no such project, exporter or agreement.
            InvalidInput: Something is missing or does not fit; says what.
            Conflict: The standard contract is not in force.
        """
        now = self.chain.now()
        role = Role.VERIFIER if given.path is Path.CERTIFICATION else Role.REGULATOR
        project, exporter = self._project(given.project_id), require_member(self.index, given.exporter)
        third = actor.member_id not in (project.member_id, given.exporter)
        if role not in actor.roles or not third or actor.jurisdiction != exporter.jurisdiction:
            who = f"{_ISSUERS[role]}, of the exporter's jurisdiction and neither exporter nor importer"
            raise NotPermitted(
                f"{actor.name} may not clear this by {PATH_LABELS[given.path].en}: {who} may",
                fix=f"Ask {who}.",
            )
        require_active(actor, now)
        self._check(given, project, now)
        require_words(filing, "filing")
        words = {"project": given.project_id, "exporter": given.exporter, "filing": filing}
        values = clearance_values(replace(given, issuer=0, persons=0))
        call = Call("clear", (values, to_hex(keep(self.vault, "clearance", words, owner=actor.member_id))))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def withdraw(
        self,
        actor: Member,
        clearance_id: int,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Take a clearance back.

        Args:
            actor: Its issuer, or a regulator of the exporter's jurisdiction.
            clearance_id: The clearance.
            reason: Why; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such clearance.
            NotPermitted: *actor* is none of these, or is suspended.
            Conflict: It has ended.
        """
        now = self.chain.now()
        clearance = self.get(clearance_id).clearance
        near = actor.jurisdiction == require_member(self.index, clearance.exporter).jurisdiction
        if actor.member_id != clearance.issuer and not (near and Role.REGULATOR in actor.roles):
            raise NotPermitted(
                f"{actor.name} may not take clearance {clearance_id} back",
                fix="Ask its issuer, or a member with the role REGULATOR of the exporter's jurisdiction.",
            )
        require_active(actor, now)
        if now >= clearance.valid_to:
            raise Conflict(f"clearance {clearance_id} has ended")
        reasons = keep(
            self.vault, "clearance-end", {"clearance": clearance_id, "reason": reason}, owner=actor.member_id
        )
        call = Call("withdrawClearance", (clearance_id, to_hex(reasons)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def set_thresholds(
        self,
        actor: Member,
        thresholds: Thresholds,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose from how many persons in a calendar year on nothing but an assessment clears.

        Raises:
            NotPermitted: *actor* has no seat.
            InvalidInput: One of them is zero.
        """
        if not thresholds.persons:
            raise InvalidInput("persons must be at least 1", field="persons")
        if not thresholds.sensitive_persons:
            raise InvalidInput("sensitivePersons must be at least 1", field="sensitivePersons")
        values = (thresholds.persons, thresholds.sensitive_persons)
        return self.committee.propose(
            actor, Call("setThresholds", (values,)), reason, idempotency=idempotency
        )

    def get(self, clearance_id: int) -> ClearanceRecord:
        """
        Return a clearance.

        Raises:
            NotFound: There is none with this number.
        """
        record = self.index.clearance(clearance_id)
        if record is None:
            raise NotFound(
                f"there is no clearance {clearance_id}", fix="GET /v1/clearances lists the clearances."
            )
        return record

    def all(self, *, project_id: int | None = None, exporter: int | None = None) -> list[ClearanceRecord]:
        """Return clearances, oldest first."""
        return self.index.clearances(project_id=project_id, exporter=exporter)

    def is_in_force(self, record: ClearanceRecord, at: int) -> bool:
        """Tell whether a clearance counts at a time (seconds since the Unix epoch), its contract with it."""
        clearance = record.clearance
        if not record.is_latest or not clearance.valid_from <= at < clearance.valid_to:
            return False
        if clearance.path is not Path.CONTRACT:
            return True
        return self.agreements.is_in_force(self.agreements.get(clearance.agreement), at)

    def access(self, member_id: int) -> int:
        """
        Return until when a member may receive data from abroad, seconds since the Unix epoch; 0 if it may not.

        Raises:
            NotFound: There is no such member.
        """
        require_member(self.index, member_id)
        return self.index.border_access(member_id)

    def exports(self, member_id: int, year: int | None = None) -> tuple[int, Exports]:
        """
        Return how many persons' data a member has exported in a calendar year (UTC+8), as the contract holds it.

        Returns:
            The year, this one if none was given, and the counts.

        Raises:
            NotFound: There is no such member.
        """
        require_member(self.index, member_id)
        wanted = year_of(self.chain.now()) if year is None else year
        return wanted, self.chain.exports(member_id, wanted)

    def thresholds(self) -> Thresholds:
        """Return the thresholds in force."""
        return self.index.thresholds()

    def _check(self, given: Clearance, project: Project, now: int) -> None:
        if given.path is Path.NONE:
            raise InvalidInput("path must be ASSESSMENT, CONTRACT or CERTIFICATION", field="path")
        if project.member_id == given.exporter:
            raise InvalidInput("the project is the exporter's own: nothing crosses", field="projectId")
        if given.valid_from >= given.valid_to or given.valid_to <= now:
            raise InvalidInput("validTo must be after validFrom and lie in the future", field="validTo")
        if not given.max_persons:
            raise InvalidInput("maxPersons must be at least 1", field="maxPersons")
        if (given.path is Path.CONTRACT) != (given.agreement != 0):
            raise InvalidInput("agreement is the standard contract of the path CONTRACT", field="agreement")
        if not given.agreement:
            return
        record = self.agreements.get(given.agreement)
        if (record.agreement.provider, record.agreement.recipient) != (given.exporter, project.member_id):
            raise InvalidInput("the agreement is not between exporter and importer", field="agreement")
        if not self.agreements.is_in_force(record, now):
            raise Conflict(
                f"agreement {given.agreement} is not in force",
                fix="Both sides sign it, and both are active members.",
            )

    def _project(self, project_id: int) -> Project:
        project = self.index.project(project_id)
        if project is None:
            raise NotFound(f"there is no project {project_id}", fix="GET /v1/projects lists the projects.")
        return project
