"""Projects: what members file before they use data."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.records import ZERO32, Commitment, Member, Project
from ledger.domain.vocabulary import Approval, Category, DataClass, Purpose, Role, Technique, purpose_set
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import InvalidInput, NotFound, NotPermitted
from ledger.ports import Call, Index, Operation, Vault, Writer
from ledger.service.authority import require_role, signer_of
from ledger.service.statements import keep


@dataclass(frozen=True, slots=True)
class Projects:
    """Undertakings on file."""

    index: Index
    writer: Writer
    vault: Vault

    def file(
        self,
        actor: Member,
        *,
        title: str,
        purposes: list[Purpose],
        categories: Category,
        techniques: Technique,
        highest_class: DataClass,
        valid_from: int,
        valid_to: int,
        agreement: str | None = None,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        File a project.

        Args:
            actor: The member that undertakes it.
            title: What it is; stays in the vault, the chain holds a commitment.
            purposes: At least one.
            categories: At least one.
            techniques: Privacy-enhancing techniques it uses.
            highest_class: The most sensitive data class it may touch.
            valid_from: Seconds since the Unix epoch, inclusive.
            valid_to: Exclusive.
            agreement: Text of the agreement that states its limits, if there is one.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            InvalidInput: Something is missing; says what.
        """
        if not title.strip():
            raise InvalidInput("title must not be empty", field="title")
        if not purposes:
            raise InvalidInput("purposes must name at least one purpose", field="purposes")
        if not categories:
            raise InvalidInput("categories must name at least one category", field="categories")
        if valid_from >= valid_to:
            raise InvalidInput("validTo must be after validFrom", field="validTo")
        signer = signer_of(self.writer, actor)
        description = keep(
            self.vault, "project", {"member": actor.member_id, "title": title}, owner=actor.member_id
        )
        agreed = (
            keep(self.vault, "agreement", {"text": agreement}, owner=actor.member_id)
            if agreement
            else Commitment(ZERO32)
        )
        filing = [
            purpose_set(purposes),
            int(categories),
            int(techniques),
            int(highest_class),
            valid_from,
            valid_to,
            to_hex(agreed),
        ]
        call = Call("fileProject", (filing, to_hex(description)))
        return self.writer.submit(signer, call, idempotency=idempotency)

    def withdraw(
        self, actor: Member, project_id: int, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Withdraw a project: it justifies nothing any more.

        Raises:
            NotFound: There is no such project.
            NotPermitted: Another member filed it.
        """
        if self.get(project_id).member_id != actor.member_id:
            raise NotPermitted(f"project {project_id} was filed by another member")
        call = Call("withdrawProject", (project_id,))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def review(
        self,
        actor: Member,
        project_id: int,
        approval: Approval,
        *,
        approved: bool,
        opinion: str,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Approve a project as an ethics or a compliance body, or take the approval back.

        Args:
            actor: A member with the role of the review, other than the one that filed it.
            project_id: The project.
            approval: Which of the two reviews.
            approved: False to take back what *actor* approved.
            opinion: The opinion in words; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such project.
            NotPermitted: *actor* lacks the role, filed the project, or gave the other approval.
        """
        require_role(actor, Role.ETHICS if approval is Approval.ETHICS else Role.COMPLIANCE)
        project = self.get(project_id)
        other = project.compliance if approval is Approval.ETHICS else project.ethics
        if actor.member_id in {project.member_id, other}:
            raise NotPermitted(
                f"{actor.name} filed project {project_id} or gave its other approval",
                fix="Two bodies, neither of them the one that files, approve a project.",
            )
        commitment = keep(
            self.vault, "opinion", {"project": project_id, "opinion": opinion}, owner=actor.member_id
        )
        call = Call("reviewProject", (project_id, int(approval), approved, to_hex(commitment)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def get(self, project_id: int) -> Project:
        """
        Return a project.

        Raises:
            NotFound: There is no such project.
        """
        project = self.index.project(project_id)
        if project is None:
            raise NotFound(f"there is no project {project_id}", fix="GET /v1/projects lists the projects.")
        return project

    def all(self, *, member_id: int | None = None) -> list[Project]:
        """Return projects in the order of filing."""
        return self.index.projects(member_id=member_id)
