"""Datasets: declared before anything is in them, filled with those who consent, and told of every withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.domain.records import NO_GRANT, Commitment, GrantId, Member, PassportId
from ledger.domain.vocabulary import (
    Basis,
    Category,
    DatasetStatus,
    Level,
    Purpose,
    Role,
    purpose_set,
)
from ledger.domain.vocabulary import Operation as What
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotPermitted
from ledger.ports import Call, Chain, DatasetRecord, InclusionRecord, Index, Operation, Vault, Writer
from ledger.service.authority import require_active, require_dataset, require_role, signer_of
from ledger.service.decisions import AccessRequest, Decisions
from ledger.service.statements import keep, recall


@dataclass(frozen=True, slots=True)
class Description:
    """What a dataset is, in words: where its data is from, how it is collected, de-identified and stored."""

    title: str
    source: str
    method: str
    standard: str
    storage: str


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """
    What a dataset is for.

    Attributes:
        purposes: What it and everything made of it may serve at most; at least one.
        categories: At least one.
        retain_until: When it must be destroyed, seconds since the Unix epoch.
        budget: Privacy budget in millionths of epsilon; 0 if none is kept.
        description: Stays in the vault; the chain holds a commitment.
    """

    purposes: list[Purpose]
    categories: Category
    retain_until: int
    budget: int
    description: Description


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to be included: a passport, and the consent to it."""

    passport_id: PassportId
    grant_id: GrantId = NO_GRANT


@dataclass(frozen=True, slots=True)
class Compilation:
    """
    What is asked for everybody who is to be included at once.

    Attributes:
        categories: Kinds of data; None for all that the dataset is for.
        controller_id: Member on whose behalf it is asked, or 0.
        statement: The requester's own words; stays in the vault.
    """

    purpose: Purpose
    level: Level
    basis: Basis = Basis.CONSENT
    categories: Category | None = None
    project_id: int = 0
    controller_id: int = 0
    first_day: int = 0
    last_day: int = 0
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Datasets:
    """Collections of data for a purpose."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault
    decisions: Decisions

    def declare(
        self, actor: Member, plan: DatasetPlan, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Declare a dataset of the caller's.

        Raises:
            InvalidInput: Something is missing, a purpose is banned, or the end of retention lies in the past.
            NotPermitted: *actor* is suspended, or its membership has ended.
        """
        now = self.chain.now()
        require_active(actor, now)
        self._check_plan(plan, now)
        words = plan.description
        described = {
            "title": words.title,
            "source": words.source,
            "method": words.method,
            "standard": words.standard,
            "storage": words.storage,
        }
        fields = [purpose_set(plan.purposes), int(plan.categories), plan.retain_until, plan.budget]
        call = Call(
            "declareDataset", (fields, to_hex(keep(self.vault, "dataset", described, owner=actor.member_id)))
        )
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def include(
        self,
        actor: Member,
        dataset_id: int,
        targets: Sequence[Target],
        compilation: Compilation,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Ask to include people into a dataset. Each is decided, and each answer is on record.

        Args:
            actor: The dataset's owner, or who acts for it.
            dataset_id: The dataset.
            targets: 1 to `ledger.service.decisions.MAX_REQUESTS`; answered in this order, in one transaction.
            compilation: What is asked for each.
            idempotency: Scope, key and fingerprint of the request.

        Returns:
            The operation; once mined, its events are the decisions in the order of the targets.

        Raises:
            NotFound: There is no such dataset, passport or controller.
            InvalidInput: There is no target, or the same passport twice.
            TooLarge: There are too many targets.
        """
        dataset = self.get(dataset_id).dataset
        categories = compilation.categories
        if len({target.passport_id for target in targets}) < len(targets):
            raise InvalidInput("each passport is included once", field="targets")
        requests = [
            AccessRequest(
                passport_id=target.passport_id,
                grant_id=target.grant_id,
                purpose=compilation.purpose,
                basis=compilation.basis,
                operation=What.INCLUDE,
                categories=dataset.categories if categories is None else categories,
                level=compilation.level,
                project_id=compilation.project_id,
                controller_id=compilation.controller_id,
                first_day=compilation.first_day,
                last_day=compilation.last_day,
                dataset_id=dataset_id,
                statement=compilation.statement,
            )
            for target in targets
        ]
        return self.decisions.request(actor, requests, idempotency=idempotency)

    def excuse(
        self,
        actor: Member,
        dataset_id: int,
        withdrawals: int,
        opinion: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Excuse the withdrawals so far: what was made of the dataset is current again.

        Args:
            actor: An ethics body that does not own the dataset.
            dataset_id: The dataset.
            withdrawals: How many the opinion is about: as many as there are, so that a late one is not excused unseen.
            opinion: The opinion in words; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such dataset.
            NotPermitted: *actor* lacks the role, or owns the dataset.
            Conflict: No withdrawal waits to be excused, or there are not as many as the opinion is about.
            InvalidInput: The opinion is empty.
        """
        dataset = self.get(dataset_id).dataset
        require_role(actor, Role.ETHICS)
        require_active(actor, self.chain.now())
        _require_other(actor, dataset.owner, dataset_id)
        if dataset.excused == len(dataset.withdrawals):
            raise Conflict(f"no withdrawal of dataset {dataset_id} waits to be excused")
        if withdrawals != len(dataset.withdrawals):
            raise Conflict(
                f"dataset {dataset_id} has {len(dataset.withdrawals)} withdrawals, the opinion is about {withdrawals}",
                fix="Look at the dataset again, and say how many you mean.",
            )
        commitment = self._keep(actor, "opinion", dataset_id, "opinion", opinion)
        call = Call("excuseWithdrawals", (dataset_id, withdrawals, to_hex(commitment)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def seal(
        self,
        actor: Member,
        dataset_id: int,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Seal a dataset: nothing is done with it but its destruction.

        Raises:
            NotFound: There is no such dataset.
            NotPermitted: *actor* neither owns it nor holds the role REGULATOR.
            Conflict: It is sealed or destroyed.
            InvalidInput: The reason is empty.
        """
        dataset = self.get(dataset_id).dataset
        require_active(actor, self.chain.now())
        if dataset.owner != actor.member_id and Role.REGULATOR not in actor.roles:
            raise NotPermitted(
                f"{actor.name} does not own dataset {dataset_id}", fix="Its owner and regulators can seal it."
            )
        if dataset.status >= DatasetStatus.SEALED:
            raise Conflict(f"dataset {dataset_id} is {dataset.status.name.lower()}")
        commitment = self._keep(actor, "reason", dataset_id, "reason", reason)
        call = Call("sealDataset", (dataset_id, to_hex(commitment)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def unseal(
        self, actor: Member, dataset_id: int, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Open a sealed dataset again, as far as it had come.

        Raises:
            NotFound: There is no such dataset.
            NotPermitted: *actor* lacks the role REGULATOR, or owns it.
            Conflict: It is not sealed.
        """
        dataset = self.get(dataset_id).dataset
        require_role(actor, Role.REGULATOR)
        require_active(actor, self.chain.now())
        _require_other(actor, dataset.owner, dataset_id)
        if dataset.status is not DatasetStatus.SEALED:
            raise Conflict(f"dataset {dataset_id} is not sealed")
        call = Call("unsealDataset", (dataset_id,))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def get(self, dataset_id: int) -> DatasetRecord:
        """
        Return a dataset.

        Raises:
            NotFound: There is no such dataset.
        """
        return require_dataset(self.index, dataset_id)

    def description(self, record: DatasetRecord) -> Description | None:
        """Return what a dataset is, in words; None if this service does not keep it."""
        owner = record.dataset.owner
        kept = recall(self.vault, self.index, record.description, domain="dataset", owner=owner)
        return Description(**kept) if kept else None

    def inclusions(
        self, dataset_id: int, *, after: str | None = None, limit: int = 100
    ) -> tuple[list[InclusionRecord], str | None]:
        """
        Return who was included into a dataset, oldest first, and the cursor of the next page.

        Raises:
            NotFound: There is no such dataset.
        """
        self.get(dataset_id)
        return self.index.inclusions(dataset_id=dataset_id, after=after, limit=limit)

    def _check_plan(self, plan: DatasetPlan, now: int) -> None:
        if not plan.purposes:
            raise InvalidInput("purposes must name at least one purpose", field="purposes")
        if not plan.categories:
            raise InvalidInput("categories must name at least one category", field="categories")
        if plan.retain_until <= now:
            raise InvalidInput("retainUntil must lie in the future", field="retainUntil")
        law = self.index.policy()
        banned = [purpose.name for purpose in plan.purposes if law and law.banned_purposes >> purpose & 1]
        if banned:
            raise InvalidInput(f"the law bans {', '.join(banned)}", field="purposes")
        words = plan.description
        for name in ("title", "source", "method", "standard", "storage"):
            if not getattr(words, name).strip():
                raise InvalidInput(f"{name} must say it in words", field=f"description/{name}")

    def _keep(self, actor: Member, domain: str, dataset_id: int, field: str, words: str) -> Commitment:
        if not words.strip():
            raise InvalidInput(f"{field} must not be empty", field=field)
        return keep(self.vault, domain, {"dataset": dataset_id, field: words}, owner=actor.member_id)


def _require_other(actor: Member, owner: int, dataset_id: int) -> None:
    if owner == actor.member_id:
        raise NotPermitted(
            f"{actor.name} owns dataset {dataset_id}", fix="Let another body with the role do it."
        )
