"""Asking for access. The contract decides; a refusal is as much an answer as a permit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from ledger.domain.records import NO_GRANT, ZERO32, Commitment, GrantId, Member, PassportId, Terms
from ledger.domain.vocabulary import Basis, Category, Level, Operation, Outcome, Purpose, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import pack_terms
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted, TooLarge
from ledger.policy import member_is_active
from ledger.ports import Call, DecisionRecord, Index, Vault, Writer
from ledger.ports import Operation as WriteOperation
from ledger.service.authority import (
    require_dataset,
    require_member,
    require_passports,
    require_role,
    signer_of,
)
from ledger.service.statements import keep, words_of

#: Most requests in one call.
MAX_REQUESTS = 100


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """
    What a member asks for.

    Attributes:
        level: Level of de-identification at which the data is to be handed over.
        emergency_id: Emergency it is made under, or 0.
        controller_id: Member on whose behalf it is made, or 0.
        first_day: First day of the data asked for, days since 1900-01-01; 0 for no limit.
        last_day: Last day; 0 for no limit.
        dataset_id: Dataset to include the data into; 0 unless the operation is INCLUDE.
        statement: The requester's own words: who asks, on what system, why. Stays in the vault. On the basis
            COMPELLED the text of the instrument that compels it.
    """

    passport_id: PassportId
    purpose: Purpose
    basis: Basis
    operation: Operation
    categories: Category
    grant_id: GrantId = NO_GRANT
    level: Level = Level.IDENTIFIED
    project_id: int = 0
    emergency_id: int = 0
    controller_id: int = 0
    first_day: int = 0
    last_day: int = 0
    dataset_id: int = 0
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Requests for access and their answers."""

    index: Index
    writer: Writer
    vault: Vault

    def request(
        self,
        actor: Member,
        requests: list[AccessRequest],
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> WriteOperation:
        """
        Ask for access.

        Args:
            actor: The requester.
            requests: 1 to `MAX_REQUESTS`; answered in this order, in one transaction.
            idempotency: Scope, key and fingerprint of the request.

        Returns:
            The operation; once mined, its events are the decisions in the order of the requests.

        Raises:
            InvalidInput: A request asks for nothing, for days that are none, or is compelled without the text of an
                instrument.
            TooLarge: More than `MAX_REQUESTS`.
            NotFound: A passport, the controller, the emergency or the dataset does not exist.
        """
        if not requests:
            raise InvalidInput("there must be at least one request", field="requests")
        if len(requests) > MAX_REQUESTS:
            raise TooLarge(f"at most {MAX_REQUESTS} requests at once, these are {len(requests)}")
        for index, asked in enumerate(requests):
            if not asked.categories:
                raise InvalidInput(f"request {index} names no category", field="categories")
            if 0 < asked.last_day < asked.first_day:
                raise InvalidInput(f"request {index}: dataTo is before dataFrom", field="dataTo")
            if (asked.operation is Operation.INCLUDE) != bool(asked.dataset_id):
                raise InvalidInput(
                    f"request {index}: a dataset is named to INCLUDE data into it, and for nothing else",
                    field="datasetId",
                )
            if asked.basis is Basis.COMPELLED and not asked.statement.strip():
                raise InvalidInput(
                    f"request {index} is compelled, but does not give the instrument",
                    field="statement",
                    fix="Put the text or the reference of the warrant or order into the statement.",
                )
        self._require_named(requests)
        signer = signer_of(self.writer, actor)
        return self.writer.submit(
            signer, Call("decide", (self._batches(actor, requests),)), idempotency=idempotency
        )

    def review(
        self,
        actor: Member,
        passport_id: PassportId,
        seq: int,
        *,
        approved: bool,
        opinion: str,
        idempotency: tuple[str, str, str] | None = None,
    ) -> WriteOperation:
        """
        Answer a request that only a human's look was missing for.

        Approved, the same request of the same member, made again in time, is permitted if all else still holds.

        Args:
            actor: An ethics body, or a regulator if the request is compelled; neither requester nor controller.
            passport_id: The data.
            seq: The decision that waits.
            approved: The answer.
            opinion: The opinion in words; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such decision.
            NotPermitted: *actor* lacks the role, or had a part in the request.
            Conflict: It does not wait for a human, or was answered before.
            InvalidInput: The opinion is empty.
        """
        record = self.get(passport_id, seq)
        require_role(actor, reviewing_role(record))
        if not _is_independent(actor, record):
            raise NotPermitted(
                f"{actor.name} had a part in request {to_hex(passport_id)}/{seq}",
                fix="Let another body with the role review it.",
            )
        waiting = self.index.review(passport_id, seq)
        if waiting is None or waiting.reviewer:
            raise Conflict(
                f"request {to_hex(passport_id)}/{seq} does not wait for a human",
                fix="GET /v1/reviews lists what waits for you.",
            )
        if not opinion.strip():
            raise InvalidInput("opinion must not be empty", field="opinion")
        words = {"passport": to_hex(passport_id), "seq": seq, "opinion": opinion}
        commitment = to_hex(keep(self.vault, "opinion", words, owner=actor.member_id))
        call = Call("reviewRequest", (_words_of(record), record.member_id, seq, approved, commitment))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def repeat(
        self,
        actor: Member,
        passport_id: PassportId,
        seq: int,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> WriteOperation:
        """
        Ask again, word for word: the same terms, consent and commitment, so that an approval is found.

        Args:
            actor: The requester.
            passport_id: The data.
            seq: The decision whose request is repeated.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such decision.
            NotPermitted: Another member asked.
        """
        record = self.get(passport_id, seq)
        if record.member_id != actor.member_id:
            raise NotPermitted(
                f"request {to_hex(passport_id)}/{seq} is another member's", fix="Ask in your own words."
            )
        call = Call("decide", ([_batch_of(record)],))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def awaiting(self, actor: Member, at: int) -> list[DecisionRecord]:
        """Return the requests that wait for a human and that a member may answer at a time, oldest first."""
        waiting = [self.index.decision(item.passport_id, item.seq) for item in self.index.waiting_reviews()]
        found = [record for record in waiting if record is not None and may_review(actor, record, at)]
        return sorted(found, key=lambda record: (record.position.block_number, record.position.log_index))

    def statement(self, record: DecisionRecord) -> str | None:
        """Return a requester's own words; None if there are none or this service does not keep them."""
        owner = record.member_id
        return words_of(
            self.vault, self.index, record.commitment, "statement", domain="statement", owner=owner
        )

    def get(self, passport_id: PassportId, seq: int) -> DecisionRecord:
        """
        Return a decision.

        Raises:
            NotFound: The passport has no such decision.
        """
        record = self.index.decision(passport_id, seq)
        if record is None:
            raise NotFound(f"passport {to_hex(passport_id)} has no decision {seq}")
        return record

    def _require_named(self, requests: list[AccessRequest]) -> None:
        """Check that there is what the requests name; each thing once, for most of them name the same."""
        for controller in sorted({asked.controller_id for asked in requests if asked.controller_id}):
            require_member(self.index, controller)
        for emergency in sorted({asked.emergency_id for asked in requests if asked.emergency_id}):
            if self.index.emergency(emergency) is None:
                raise NotFound(f"there is no emergency {emergency}")
        for dataset in sorted({asked.dataset_id for asked in requests if asked.dataset_id}):
            require_dataset(self.index, dataset)
        require_passports(self.index, [asked.passport_id for asked in requests])

    def _batches(self, actor: Member, requests: list[AccessRequest]) -> list[list[object]]:
        """Put neighbours that ask the same in the same words into one batch; the order stays."""
        commitments = {"": Commitment(ZERO32)}
        batches: list[list[object]] = []
        for (terms, statement), alike in groupby(
            requests, key=lambda asked: (_terms(asked), asked.statement)
        ):
            if statement not in commitments:
                commitments[statement] = keep(
                    self.vault, "statement", {"statement": statement}, owner=actor.member_id
                )
            targets = [[to_hex(asked.passport_id), to_hex(asked.grant_id)] for asked in alike]
            batches.append([pack_terms(terms), to_hex(commitments[statement]), targets])
        return batches


def reviewing_role(record: DecisionRecord) -> Role:
    """Return the role of who reviews a request: an ethics body, or a regulator what an authority compels."""
    return Role.REGULATOR if record.terms.basis is Basis.COMPELLED else Role.ETHICS


def may_review(actor: Member, record: DecisionRecord, at: int) -> bool:
    """Tell whether a decision was left to a human, and a member's role and independence make it one to answer at a time."""
    if record.verdict.outcome is not Outcome.REVIEW or not member_is_active(actor, at):
        return False
    return reviewing_role(record) in actor.roles and _is_independent(actor, record)


def _is_independent(actor: Member, record: DecisionRecord) -> bool:
    return actor.member_id not in {record.member_id, record.terms.controller_id}


def _words_of(record: DecisionRecord) -> list[object]:
    """Return the request behind a decision, word for word, as the contract takes it for a review."""
    return [
        to_hex(record.passport_id),
        to_hex(record.grant_id),
        to_hex(record.commitment),
        pack_terms(record.terms),
    ]


def _batch_of(record: DecisionRecord) -> list[object]:
    """Return the request behind a decision, word for word, as a batch of one."""
    target = [to_hex(record.passport_id), to_hex(record.grant_id)]
    return [pack_terms(record.terms), to_hex(record.commitment), [target]]


def _terms(asked: AccessRequest) -> Terms:
    return Terms(
        purpose=asked.purpose,
        basis=asked.basis,
        operation=asked.operation,
        categories=asked.categories,
        level=asked.level,
        project_id=asked.project_id,
        emergency_id=asked.emergency_id,
        controller_id=asked.controller_id,
        first_day=asked.first_day,
        last_day=asked.last_day,
        dataset_id=asked.dataset_id,
    )
