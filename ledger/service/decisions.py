"""Asking for access. The contract decides; a refusal is as much an answer as a permit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from ledger.domain.records import NO_GRANT, ZERO32, Commitment, GrantId, Member, PassportId, Terms
from ledger.domain.vocabulary import Basis, Category, Level, Operation, Purpose
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import pack_terms
from ledger.errors import InvalidInput, NotFound, TooLarge
from ledger.ports import Call, DecisionRecord, Index, Vault, Writer
from ledger.ports import Operation as WriteOperation
from ledger.service.authority import require_passport, signer_of
from ledger.service.statements import keep

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
        statement: The requester's own words: who asks, on what system, why. Stays in the vault.
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
            InvalidInput: A request asks for nothing.
            TooLarge: More than `MAX_REQUESTS`.
            NotFound: A passport does not exist.
        """
        if not requests:
            raise InvalidInput("there must be at least one request", field="requests")
        if len(requests) > MAX_REQUESTS:
            raise TooLarge(f"at most {MAX_REQUESTS} requests at once, these are {len(requests)}")
        for index, asked in enumerate(requests):
            if not asked.categories:
                raise InvalidInput(f"request {index} names no category", field="categories")
            require_passport(self.index, asked.passport_id)
        signer = signer_of(self.writer, actor)
        return self.writer.submit(signer, Call("decide", (self._batches(requests),)), idempotency=idempotency)

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

    def _batches(self, requests: list[AccessRequest]) -> list[list[object]]:
        """Put neighbours that ask the same in the same words into one batch; the order stays."""
        commitments = {"": Commitment(ZERO32)}
        batches: list[list[object]] = []
        for (terms, statement), alike in groupby(
            requests, key=lambda asked: (_terms(asked), asked.statement)
        ):
            if statement not in commitments:
                commitments[statement] = keep(self.vault, "statement", {"statement": statement})
            targets = [[to_hex(asked.passport_id), to_hex(asked.grant_id)] for asked in alike]
            batches.append([pack_terms(terms), to_hex(commitments[statement]), targets])
        return batches


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
    )
