"""
The index: what pages and lists are read from. Implements `ledger.ports.Index` and the indexer's store.

A projection of the chain: it can be thrown away and made again. No permit and no release rests on its word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    tuple_,
    update,
)

from ledger.domain.records import (
    ZERO32,
    Address,
    Attestation,
    BlockHeader,
    Caps,
    Commitment,
    Emergency,
    EmergencyLimits,
    EmergencyRight,
    Entrustment,
    Event,
    GrantId,
    GrantState,
    HolderKey,
    Member,
    Passport,
    PassportId,
    PolicyTable,
    Position,
    Project,
    Template,
    Transfer,
    TransferId,
    TransferItem,
    TransferNote,
)
from ledger.domain.vocabulary import (
    ActKind,
    Assurance,
    AttestationKind,
    Basis,
    Category,
    Custody,
    DataClass,
    EmergencyFinding,
    EmergencyKind,
    GrantFlag,
    GrantStatus,
    Level,
    MemberKind,
    MemberStatus,
    PassportStatus,
    Role,
    SeatKind,
    Technique,
    TransferFact,
    TransferStatus,
)
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.encoding.structs import consignment
from ledger.encoding.words import fold_decision, unpack_terms, unpack_verdict
from ledger.ports import (
    ActRecord,
    DecisionCount,
    DecisionRecord,
    EmergencyRecord,
    GrantRecord,
    GrantStage,
    IndexState,
    PassportRecord,
    RecoveryRecord,
    ReviewRecord,
    Rule,
    TransferRecord,
)
from ledger.ports.cursors import cursor_at, number_of, place_of
from ledger.store import projection, register_rows
from ledger.store.border_index import SqlBorders
from ledger.store.database import Database
from ledger.store.lineage_index import SqlLineage
from ledger.store.tables import (
    PROJECTION,
    blocks,
    cursor,
    decisions,
    events,
    grants,
    members,
    metadata,
    passports,
    policies,
    projects,
    registers,
    releases,
    transfer_items,
    transfers,
)
from ledger.store.values import dumps, loads, position_columns, position_of

#: How many recent block hashes are kept to find where a reorganised chain forks.
_KEPT_BLOCKS: Final = 4_096
#: Events folded at once when the rows are made again.
_PAGE_EVENTS: Final = 5_000
#: Where the basis stands in the 32 bytes of the terms, counted from 1.
_BASIS_BYTE: Final = 31
#: A cursor's numbers: ASCII digits that fit a column.


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the index has come: the last block, the fold of all decisions, and what is wrong if anything is."""

    block_number: int
    block_hash: bytes
    head: bytes
    error: str | None


class SqlIndex(SqlLineage, SqlBorders):
    """The index in SQL."""

    def __init__(self, database: Database) -> None:
        """Keep the index in a migrated database."""
        self._database = database
        self._progress = threading.Condition()
        self._chain_head = 0
        self._counted: tuple[bytes, list[DecisionCount]] | None = None

    # --- what the indexer does -------------------------------------------------

    def cursor(self) -> Cursor | None:
        """Return how far the index has come; None before the first block."""
        with self._database.read() as connection:
            return _cursor(connection)

    def known_block(self, number: int) -> bytes | None:
        """Return the hash under which a recent block was indexed."""
        with self._database.read() as connection:
            return connection.execute(
                select(blocks.c.block_hash).where(blocks.c.block_number == number)
            ).scalar_one_or_none()

    def extend(self, headers: list[BlockHeader], found: Iterable[Event]) -> Cursor:
        """Add blocks and their events, rows and cursor in one transaction; returns the new cursor."""
        with self._database.write() as connection:
            before = _cursor(connection)
            found = list(found)
            _insert_events(connection, found)
            projection.apply(connection, found)
            head = _fold(before.head if before else ZERO32, found)
            last = headers[-1]
            connection.execute(
                insert(blocks), [{"block_number": h.number, "block_hash": h.block_hash} for h in headers]
            )
            connection.execute(delete(blocks).where(blocks.c.block_number < last.number - _KEPT_BLOCKS))
            _set_cursor(connection, last.number, last.block_hash, head)
        with self._progress:
            self._progress.notify_all()
        return Cursor(last.number, last.block_hash, head, None)

    def roll_back(self, to_block: int) -> None:
        """Forget every block above *to_block* and fold the rows again from the events that are left."""
        with self._database.write() as connection:
            connection.execute(delete(events).where(events.c.block_number > to_block))
            connection.execute(delete(blocks).where(blocks.c.block_number > to_block))
            for table in PROJECTION:
                connection.execute(delete(table))
            head = ZERO32
            for page in _pages(connection):
                projection.apply(connection, page)
                head = _fold(head, page)
            block_hash = connection.execute(
                select(blocks.c.block_hash).where(blocks.c.block_number == to_block)
            ).scalar_one_or_none()
            connection.execute(delete(cursor))
            if block_hash is not None:
                _set_cursor(connection, to_block, block_hash, head)
            else:
                connection.execute(delete(events))
                connection.execute(delete(blocks))
                for table in PROJECTION:
                    connection.execute(delete(table))

    def clear(self) -> None:
        """
        Forget everything that came from the chain, so that the indexer begins at the ledger's deployment.

        Tables that somebody dropped come back; the journal and the sessions beside them stay.
        """
        from_chain = [*PROJECTION, events, blocks, cursor]
        with self._database.write() as connection:
            metadata.create_all(connection, tables=from_chain)
            for table in from_chain:
                connection.execute(delete(table))

    def report(self, error: str | None) -> None:
        """Remember what is wrong with the index, or that nothing is."""
        with self._database.write() as connection:
            connection.execute(update(cursor).values(error=error))

    def saw_head(self, number: int) -> None:
        """Remember how long the chain is."""
        self._chain_head = number

    # --- what is read ----------------------------------------------------------

    def state(self) -> IndexState:
        """Return how far the index has come, and whether it agrees with the contract."""
        found = self.cursor()
        if found is None:
            return IndexState(-1, ZERO32, self._chain_head, consistent=False, error="nothing is indexed yet")
        return IndexState(
            found.block_number, found.block_hash, self._chain_head, found.error is None, found.error
        )

    def wait_for(self, block_number: int, *, timeout: float) -> bool:
        """Wait until the index has reached a block; False after *timeout* seconds."""
        deadline = time.monotonic() + timeout
        with self._progress:
            while True:
                found = self.cursor()
                if found is not None and found.block_number >= block_number:
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._progress.wait(min(left, 0.25))

    def members(self) -> list[Member]:
        """Return all members in the order of admission."""
        return [_member(row) for row in self._all(select(members).order_by(members.c.member_id))]

    def member(self, member_id: int) -> Member | None:
        """Return a member."""
        row = self._one(select(members).where(members.c.member_id == member_id))
        return _member(row) if row else None

    def member_by_signing_key(self, signing_key: bytes) -> Member | None:
        """Return the member with an Ed25519 key."""
        row = self._one(select(members).where(members.c.signing_key == signing_key))
        return _member(row) if row else None

    def passport(self, passport_id: PassportId) -> PassportRecord | None:
        """Return a passport."""
        row = self._one(select(passports).where(passports.c.passport_id == passport_id))
        return _passport(row) if row else None

    def known_passports(self, passport_ids: Collection[PassportId]) -> set[PassportId]:
        """Return those of some passports that there are."""
        rows = self._named(select(passports.c.passport_id), passports.c.passport_id, list(passport_ids))
        return {PassportId(row.passport_id) for row in rows}

    def passports(
        self,
        *,
        custodian: int | None = None,
        holder: HolderKey | None = None,
        also: Collection[PassportId] = (),
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[PassportRecord], str | None]:
        """Return passports, those *also* named by a holder's among them, oldest first, and the next page's cursor."""
        query = select(passports)
        if custodian is not None:
            query = query.where(passports.c.custodian == custodian)
        if holder is not None:
            query = query.where(or_(passports.c.holder == holder, passports.c.passport_id.in_(also)))
        rows, following = self._chain_ordered(query, passports, after, limit)
        return [_passport(row) for row in rows], following

    def grant(self, grant_id: GrantId, *, passport_id: PassportId | None = None) -> GrantRecord | None:
        """Return a grant, of a passport or the one that was given; see `ledger.ports.Index`."""
        query = select(grants).where(grants.c.grant_id == grant_id)
        if passport_id is not None:
            query = query.where(grants.c.passport_id == passport_id)
        row = self._one(query.order_by(grants.c.assurance.desc(), grants.c.block_number).limit(1))
        return _grant(row) if row else None

    def grants_named(
        self, names: Collection[tuple[PassportId, GrantId]]
    ) -> dict[tuple[PassportId, GrantId], GrantRecord]:
        """Return those of some passports' grants that there are, by passport and id."""
        column = tuple_(grants.c.passport_id, grants.c.grant_id)
        found = [_grant(row) for row in self._named(select(grants), column, list(names))]
        return {(record.passport_id, record.grant_id): record for record in found}

    def grants(
        self,
        *,
        passport_id: PassportId | None = None,
        recipient: Member | None = None,
        by_kind: bool = True,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[GrantRecord], str | None]:
        """Return grants, oldest first, and the cursor of the next page; see `ledger.ports.Index`."""
        query = select(grants)
        if passport_id is not None:
            query = query.where(grants.c.passport_id == passport_id)
        if recipient is not None:
            asked = and_(
                grants.c.recipient == 0,
                grants.c.recipient_kinds == 0,
                grants.c.requested_by == recipient.member_id,
            )
            of_kind = grants.c.recipient_kinds.bitwise_and(1 << recipient.kind) != 0
            named = [grants.c.recipient == recipient.member_id, asked]
            query = query.where(or_(*named, of_kind) if by_kind else or_(*named))
        rows, following = self._chain_ordered(query, grants, after, limit)
        return [_grant(row) for row in rows], following

    def grants_at(
        self,
        passport_id: PassportId,
        stage: GrantStage,
        *,
        at: int,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[GrantRecord], str | None]:
        """Return a passport's grants that have come to a stage at a time, newest first, and the cursor of the next page."""
        waits = grants.c.status == GrantStatus.REQUESTED
        lives = and_(grants.c.status == GrantStatus.ACTIVE, grants.c.use_to > at)
        stages = {
            GrantStage.WAITING: waits,
            GrantStage.LIVE: lives,
            GrantStage.ENDED: and_(not_(waits), not_(lives)),
        }
        query = select(grants).where(grants.c.passport_id == passport_id, stages[stage])
        rows, following = self._chain_ordered(query, grants, after, limit, newest_first=True)
        return [_grant(row) for row in rows], following

    def project(self, project_id: int) -> Project | None:
        """Return a project."""
        row = self._one(select(projects).where(projects.c.project_id == project_id))
        return _project(row) if row else None

    def projects(self, *, member_id: int | None = None) -> list[Project]:
        """Return projects in the order of filing."""
        query = select(projects).order_by(projects.c.project_id)
        if member_id is not None:
            query = query.where(projects.c.member_id == member_id)
        return [_project(row) for row in self._all(query)]

    def decision(self, passport_id: PassportId, seq: int) -> DecisionRecord | None:
        """Return a decision."""
        row = self._one(
            select(decisions).where(decisions.c.passport_id == passport_id, decisions.c.seq == seq)
        )
        return _decision(row) if row else None

    def decisions_named(
        self, names: Collection[tuple[PassportId, int]]
    ) -> dict[tuple[PassportId, int], DecisionRecord]:
        """Return those of some decisions that there are, by passport and number."""
        column = tuple_(decisions.c.passport_id, decisions.c.seq)
        found = [_decision(row) for row in self._named(select(decisions), column, list(names))]
        return {(record.passport_id, record.verdict.seq): record for record in found}

    def decisions(
        self,
        *,
        passport_id: PassportId | None = None,
        member_id: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[DecisionRecord], str | None]:
        """Return decisions, newest first, and the cursor of the next page."""
        query = select(decisions)
        if passport_id is not None:
            query = query.where(decisions.c.passport_id == passport_id)
        if member_id is not None:
            query = query.where(decisions.c.member_id == member_id)
        if after is not None:
            query = query.where(decisions.c.serial < number_of(after))
        rows = self._all(query.order_by(decisions.c.serial.desc()).limit(limit + 1))
        following = str(rows[limit - 1].serial) if len(rows) > limit else None
        return [_decision(row) for row in rows[:limit]], following

    def releases_named(
        self, names: Collection[tuple[PassportId, int]]
    ) -> dict[tuple[PassportId, int], Position]:
        """Return where those of some decisions that were released were recorded as released, by passport and number."""
        column = tuple_(releases.c.passport_id, releases.c.seq)
        rows = self._named(select(releases), column, list(names))
        return {(PassportId(row.passport_id), row.seq): position_of(row) for row in rows}

    def transfer(self, transfer_id: TransferId) -> TransferRecord | None:
        """Return a transfer."""
        row = self._one(select(transfers).where(transfers.c.transfer_id == transfer_id))
        return _transfer(row) if row else None

    def transfers(
        self,
        *,
        member_id: int | None = None,
        passport_id: PassportId | None = None,
        status: TransferStatus | None = None,
        limit: int | None = 100,
    ) -> list[TransferRecord]:
        """Return transfers, newest first; all of them without a limit."""
        query = select(transfers)
        if member_id is not None:
            query = query.where((transfers.c.sender == member_id) | (transfers.c.recipient == member_id))
        if passport_id is not None:
            holding = select(transfer_items.c.transfer_id).where(transfer_items.c.passport_id == passport_id)
            query = query.where(
                (transfers.c.passport_id == passport_id) | transfers.c.transfer_id.in_(holding)
            )
        if status is not None:
            query = query.where(transfers.c.status == status)
        query = query.order_by(transfers.c.block_number.desc(), transfers.c.log_index.desc()).limit(limit)
        return [_transfer(row) for row in self._all(query)]

    def transfers_of_member(
        self, member_id: int, *, after: str | None = None, limit: int = 100
    ) -> tuple[list[TransferRecord], str | None]:
        """Return what a member sent and received, newest first, and the cursor of the next page."""
        columns = transfers.c
        query = select(transfers).where((columns.sender == member_id) | (columns.recipient == member_id))
        rows, following = self._chain_ordered(query, transfers, after, limit, newest_first=True)
        return [_transfer(row) for row in rows], following

    def onward_transfers(self, parent: TransferId) -> list[TransferRecord]:
        """Return the transfers that pass on what *parent* brought, newest first."""
        # The parent is the only name of 32 bytes in a consignment.
        query = (
            select(transfers)
            .where(transfers.c.consignment.contains(parent.hex(), autoescape=True))
            .order_by(transfers.c.block_number.desc(), transfers.c.log_index.desc())
        )
        return [_transfer(row) for row in self._all(query)]

    def transfer_items(
        self, transfer_id: TransferId, *, after: int = -1, limit: int | None = None
    ) -> list[TransferItem]:
        """Return the records loaded into a transfer, in the order of its tree; all of them without a limit."""
        query = (
            select(transfer_items)
            .where(transfer_items.c.transfer_id == transfer_id, transfer_items.c.place > after)
            .order_by(transfer_items.c.place)
            .limit(limit)
        )
        return [_item(row) for row in self._all(query)]

    def items_of(self, passport_id: PassportId) -> list[tuple[TransferId, TransferItem]]:
        """Return where a passport was loaded into transfers of many, oldest first."""
        query = (
            select(transfer_items)
            .where(transfer_items.c.passport_id == passport_id)
            .order_by(transfer_items.c.block_number, transfer_items.c.log_index)
        )
        return [(TransferId(row.transfer_id), _item(row)) for row in self._all(query)]

    def unsettled_transfers(self, *, shipped_before: int, due_before: int) -> list[TransferRecord]:
        """
        Return transfers that two members do not tell alike, oldest first.

        Args:
            shipped_before: What was shipped before this time and not answered is among them.
            due_before: What had to be reported on before this time and was not is among them.
        """
        columns = transfers.c
        is_shipped = columns.shipped.is_not(None) | columns.consignment.is_(None)
        is_out = columns.status != TransferStatus.CLOSED
        query = (
            select(transfers)
            .where(
                (is_shipped & columns.received.is_(None))
                | (columns.received_content != columns.content)
                | ((columns.report_due > 0) & (columns.report_due <= due_before) & is_out)
                | ~columns.root_matches
            )
            .order_by(columns.block_number, columns.log_index)
        )
        found = [_transfer(row) for row in self._all(query)]
        # Of many, the row's own time is that of the declaration.
        return [
            record
            for record in found
            if record.received is not None
            or not record.root_matches
            or 0 < record.transfer.report_due <= due_before
            or (record.shipped is not None and record.shipped.time < shipped_before)
        ]

    def caps(self, member_id: int, day: int) -> Caps:
        """Return a member's daily caps, and what counts against them on a day (days since the Unix epoch)."""
        caps = self._body("caps", member_id) or {"caps": 0}
        used = self._body("cap-use", f"{member_id}/{day}") or {"used": 0}
        return Caps(caps["caps"], day, used["used"])

    def entrustment(self, controller: int, processor: int) -> Entrustment | None:
        """Return what a controller entrusted a processor with."""
        body = self._body("entrustment", f"{controller}/{processor}")
        return Entrustment(body["purposes"], body["validTo"]) if body else None

    def entrustments(self, member_id: int) -> dict[tuple[int, int], Entrustment]:
        """Return what a member entrusted others with, or was entrusted with, by controller and processor."""
        found = {}
        for key, body in self._bodies("entrustment"):
            controller, processor = (int(number) for number in key.split("/"))
            if member_id in {controller, processor}:
                found[controller, processor] = Entrustment(body["purposes"], body["validTo"])
        return dict(sorted(found.items()))

    def template(self, number: int) -> Template | None:
        """Return a template."""
        body = self._body("template", number)
        return _template(str(number), body) if body else None

    def templates(self) -> list[Template]:
        """Return all templates in the order of issue."""
        found = [_template(key, body) for key, body in self._bodies("template")]
        return sorted(found, key=lambda template: template.template)

    def attestations(self, subject: bytes) -> dict[AttestationKind, Attestation]:
        """Return the latest statements about a passport (its id) or a project (its number as 32 bytes)."""
        found = self._bodies("attestation", prefix=f"{to_hex(subject)}/")
        return {
            AttestationKind(int(key.rpartition("/")[2])): Attestation(body["issuer"], body["validTo"])
            for key, body in found
        }

    def emergency(self, emergency_id: int) -> EmergencyRecord | None:
        """Return an emergency."""
        body = self._body("emergency", emergency_id)
        return _emergency(str(emergency_id), body) if body else None

    def emergencies(
        self, *, member_id: int | None = None, passport_id: PassportId | None = None
    ) -> list[EmergencyRecord]:
        """Return emergencies, oldest first."""
        name = to_hex(passport_id) if passport_id is not None else ""
        found = [_emergency(key, body) for key, body in self._bodies("emergency", naming=name)]
        if member_id is not None:
            found = [record for record in found if record.emergency.member_id == member_id]
        if passport_id is not None:
            found = [record for record in found if record.emergency.passport_id == passport_id]
        return sorted(found, key=lambda record: record.emergency.emergency_id)

    def emergency_right(self, member_id: int) -> EmergencyRight:
        """Return a member's right to emergencies; what is owed is owed in the order of opening."""
        body = self._body("right", member_id) or {}
        lost = body.get("lost", False)
        for emergency_id in body.get("opened", [])[body.get("settled", 0) :]:
            record = self.emergency(emergency_id)
            if record is not None and record.emergency.finding is EmergencyFinding.PENDING:
                return EmergencyRight(lost, record.emergency.review_due)
        return EmergencyRight(lost)

    def review(self, passport_id: PassportId, seq: int) -> ReviewRecord | None:
        """Return the review of a request that only a human's look was missing for; None for other requests."""
        key = f"{to_hex(passport_id)}/{seq}"
        body = self._body("review", key)
        return _review(key, body) if body else None

    def waiting_reviews(self) -> list[ReviewRecord]:
        """Return the requests that wait for a human, by passport and number."""
        bodies = self._bodies("review", naming='"reviewer":0')
        found = [_review(key, body) for key, body in bodies if not body["reviewer"]]
        return sorted(found, key=lambda record: (record.passport_id, record.seq))

    def decision_counts(self) -> list[DecisionCount]:
        """Return how many decisions there are, by member and basis; counted anew when there are other decisions."""
        found = self.cursor()
        head = found.head if found else ZERO32
        if self._counted is None or self._counted[0] != head:
            self._counted = head, self._count_decisions()
        return self._counted[1]

    def seats(self) -> dict[int, SeatKind]:
        """Return the kind of each member's seat, by member."""
        found = {int(key): SeatKind(body["kind"]) for key, body in self._bodies("seat")}
        return dict(sorted(found.items()))

    def rules(self) -> list[Rule]:
        """Return what acts of each kind need."""
        found = [
            Rule(ActKind(int(key)), body["quorum"], body["seats"], body["delaySeconds"])
            for key, body in self._bodies("rule")
        ]
        return sorted(found, key=lambda rule: rule.kind)

    def act(self, act_id: int) -> ActRecord | None:
        """Return an act of the committee."""
        body = self._body("act", act_id)
        return _act(str(act_id), body) if body else None

    def acts(self) -> list[ActRecord]:
        """Return all acts, oldest first."""
        return sorted(
            (_act(key, body) for key, body in self._bodies("act")), key=lambda record: record.act_id
        )

    def guardians(self, passport_id: PassportId) -> bytes | None:
        """Return the commitment to those who can replace a lost key together."""
        body = self._body("guardians", to_hex(passport_id))
        return bytes.fromhex(body["guardians"].removeprefix("0x")) if body else None

    def recovery(self, passport_id: PassportId) -> RecoveryRecord | None:
        """Return the replacement of a lost key that waits for an objection."""
        body = self._body("recovery", to_hex(passport_id))
        if body is None:
            return None
        return RecoveryRecord(body["holder"], Custody(body["custody"]), body["readyAt"], body["byCustodian"])

    def destroyed_passports(self) -> set[PassportId]:
        """Return the passports whose data is destroyed."""
        query = select(passports.c.passport_id).where(passports.c.status == PassportStatus.DESTROYED)
        return {PassportId(row.passport_id) for row in self._all(query)}

    def delegations(self, delegate: HolderKey) -> dict[PassportId, int]:
        """Return until when a key may speak for each subject that let it."""
        query = select(registers).where(
            registers.c.kind == "delegate", registers.c.key.endswith(f"/{delegate}")
        )
        return {
            PassportId(from_hex(row.key.partition("/")[0])): loads(row.body)["validTo"]
            for row in self._all(query)
        }

    def delegates(self, passport_id: PassportId) -> dict[HolderKey, int]:
        """Return until when each key may speak for the subject besides the holder's."""
        found = self._bodies("delegate", prefix=f"{to_hex(passport_id)}/")
        return {key.rpartition("/")[2]: body["validTo"] for key, body in found}

    def policy(self, version: int | None = None) -> PolicyTable | None:
        """Return a version of the law, or the one in force."""
        query = select(policies).order_by(policies.c.version.desc()).limit(1)
        if version is not None:
            query = select(policies).where(policies.c.version == version)
        row = self._one(query)
        return _policy(row) if row else None

    def events(
        self, *, passport_id: PassportId | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[Event], str | None]:
        """Return events in the order of the chain, and the cursor of the next page."""
        query = select(events).order_by(events.c.serial).limit(limit + 1)
        if passport_id is not None:
            query = query.where(events.c.passport_id == passport_id)
        if after is not None:
            query = query.where(events.c.serial > number_of(after))
        rows = self._all(query)
        following = str(rows[limit - 1].serial) if len(rows) > limit else None
        return [_event(row) for row in rows[:limit]], following

    def events_since(self, last: Position | None, *, limit: int) -> list[Event] | None:
        """Return events after the one at *last*, or from the first on; None if the index has none there (any more)."""
        query = select(events).order_by(events.c.serial).limit(limit)
        if last is None:
            return [_event(row) for row in self._all(query)]
        place = select(events.c.serial).where(
            events.c.block_hash == last.block_hash, events.c.log_index == last.log_index
        )
        # One statement: between two the chain could take another branch.
        rows = self._all(query.where(events.c.serial >= place.scalar_subquery()).limit(limit + 1))
        return [_event(row) for row in rows[1:]] if rows else None

    def first_event_naming(self, word: bytes) -> Event | None:
        """Return the first event of the chain of which an argument, or a part of one, is a word of 32 bytes."""
        written = events.c.arguments.contains(dumps(word), autoescape=True)
        rows = self._all(select(events).where(written).order_by(events.c.serial).limit(1))
        return _event(rows[0]) if rows else None

    def _count_decisions(self) -> list[DecisionCount]:
        basis = func.substr(decisions.c.terms, _BASIS_BYTE, 1)
        query = select(decisions.c.member_id, basis.label("basis"), func.count().label("number")).group_by(
            decisions.c.member_id, basis
        )
        found = [DecisionCount(row.member_id, Basis(row.basis[0]), row.number) for row in self._all(query)]
        return sorted(found, key=lambda count: (count.member_id, count.basis))

    def _chain_ordered(
        self,
        query: Select[Any],
        table: Any,
        after: str | None,
        limit: int,
        *,
        newest_first: bool = False,
    ) -> tuple[list[Row[Any]], str | None]:
        place = tuple_(table.c.block_number, table.c.log_index)
        if after is not None:
            start = tuple_(*(literal(number) for number in place_of(after)))
            query = query.where(place < start if newest_first else place > start)
        columns = (table.c.block_number, table.c.log_index)
        order = [column.desc() for column in columns] if newest_first else columns
        rows = self._all(query.order_by(*order).limit(limit + 1))
        last = rows[limit - 1] if len(rows) > limit else None
        return rows[:limit], cursor_at(last.block_number, last.log_index) if last is not None else None

    def _body(self, kind: str, key: int | str) -> dict[str, Any] | None:
        with self._database.read() as connection:
            return register_rows.body(connection, kind, key) or None

    def _bodies(self, kind: str, *, prefix: str = "", naming: str = "") -> list[tuple[str, dict[str, Any]]]:
        with self._database.read() as connection:
            return list(register_rows.entries(connection, kind, prefix=prefix, naming=naming).items())

    def _one(self, query: Select[Any]) -> Row[Any] | None:
        with self._database.read() as connection:
            return connection.execute(query).one_or_none()

    def _all(self, query: Select[Any]) -> list[Row[Any]]:
        with self._database.read() as connection:
            return list(connection.execute(query).all())


def _cursor(connection: Connection) -> Cursor | None:
    row = connection.execute(select(cursor)).one_or_none()
    return Cursor(row.block_number, row.block_hash, row.head, row.error) if row else None


def _set_cursor(connection: Connection, number: int, block_hash: bytes, head: bytes) -> None:
    connection.execute(delete(cursor))
    connection.execute(
        insert(cursor).values(only=1, block_number=number, block_hash=block_hash, head=head, error=None)
    )


def _insert_events(connection: Connection, found: list[Event]) -> None:
    rows = [
        {
            "name": event.name,
            "passport_id": event.arguments.get("passportId"),
            "arguments": dumps(event.arguments),
            **position_columns(event.position),
        }
        for event in found
    ]
    if rows:
        connection.execute(insert(events), rows)


def _pages(connection: Connection) -> Iterator[list[Event]]:
    """Yield all events in the order of the chain, so many at once that a ledger's whole life fits into the memory."""
    last = -1
    while True:
        query = select(events).where(events.c.serial > last).order_by(events.c.serial).limit(_PAGE_EVENTS)
        rows = connection.execute(query).all()
        if not rows:
            return
        yield [_event(row) for row in rows]
        last = rows[-1].serial


def _fold(head: bytes, found: Iterable[Event]) -> bytes:
    for event in found:
        if event.name != "DecisionRecorded":
            continue
        a = event.arguments
        head = fold_decision(
            head,
            passport_id=a["passportId"],
            grant_id=a["grantId"],
            member_id=a["memberId"],
            terms_word=a["terms"],
            verdict_word=a["verdict"],
            commitment=a["commitment"],
        )
    return head


def _event(row: Row[Any]) -> Event:
    return Event(row.name, loads(row.arguments), position_of(row))


def _member(row: Row[Any]) -> Member:
    return Member(
        member_id=row.member_id,
        name=row.name,
        signer=Address(row.signer),
        roles=Role(row.roles),
        purposes=row.purposes,
        jurisdiction=row.jurisdiction,
        valid_to=row.valid_to,
        status=MemberStatus(row.status),
        signing_key=row.signing_key,
        sealing_key=row.sealing_key,
        kind=MemberKind(row.kind),
        control=row.control,
    )


def _passport(row: Row[Any]) -> PassportRecord:
    passport = Passport(
        passport_id=PassportId(row.passport_id),
        custodian=row.custodian,
        purposes=row.purposes,
        status=PassportStatus(row.status),
        custody=Custody(row.custody),
        holder=row.holder,
        content=Commitment(row.content),
        size=row.size,
        level=Level(row.level),
        lock=row.lock,
        epoch=row.epoch,
    )
    return PassportRecord(passport, position_of(row))


def _grant(row: Row[Any]) -> GrantRecord:
    state = GrantState(
        recipient=row.recipient,
        purposes=row.purposes,
        categories=Category(row.categories),
        use_from=row.use_from,
        use_to=row.use_to,
        max_uses=row.max_uses,
        uses=row.uses,
        flags=GrantFlag(row.flags),
        status=GrantStatus(row.status),
        recipient_kinds=row.recipient_kinds,
        data_from=row.data_from,
        data_to=row.data_to,
        control=row.control,
        level=Level(row.level),
        assurance=Assurance(row.assurance),
    )
    return GrantRecord(
        grant_id=GrantId(row.grant_id),
        passport_id=PassportId(row.passport_id),
        state=state,
        terms=Commitment(row.terms),
        supersedes=GrantId(row.supersedes),
        successor=GrantId(row.successor) if row.successor else None,
        position=position_of(row),
        template=row.template,
        requested_by=row.requested_by,
        evidence=Commitment(row.evidence) if row.evidence else None,
        ended_at=row.ended_at,
    )


def _project(row: Row[Any]) -> Project:
    return Project(
        project_id=row.project_id,
        member_id=row.member_id,
        purposes=row.purposes,
        categories=Category(row.categories),
        techniques=Technique(row.techniques),
        highest_class=DataClass(row.highest_class),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        agreement=row.agreement,
        withdrawn=row.withdrawn,
        ethics=row.ethics,
        compliance=row.compliance,
    )


def _decision(row: Row[Any]) -> DecisionRecord:
    return DecisionRecord(
        passport_id=PassportId(row.passport_id),
        grant_id=GrantId(row.grant_id),
        member_id=row.member_id,
        terms=unpack_terms(int.from_bytes(row.terms, "big")),
        verdict=unpack_verdict(int.from_bytes(row.verdict, "big")),
        commitment=Commitment(row.commitment),
        position=position_of(row),
    )


def _transfer(row: Row[Any]) -> TransferRecord:
    declared = consignment(tuple(loads(row.consignment))) if row.consignment else None
    transfer = Transfer(
        transfer_id=TransferId(row.transfer_id),
        passport_id=PassportId(row.passport_id),
        sender=row.sender,
        recipient=row.recipient,
        seq=row.seq,
        status=TransferStatus(row.status),
        content=Commitment(row.content),
        received_content=Commitment(row.received_content) if row.received_content else None,
        consignment=declared,
        missing=TransferFact(row.missing),
        crosses=row.crosses,
        loaded=row.loaded,
        report_due=row.report_due,
        halted_by=row.halted_by,
        halted_from=TransferStatus(row.halted_from),
    )
    shipped = _position(row.shipped) if declared else position_of(row)
    return TransferRecord(
        transfer=transfer,
        shipped=shipped,
        received=_position(row.received),
        declared=position_of(row) if declared else None,
        description=Commitment(row.description) if row.description else None,
        root_matches=row.root_matches,
        notes=tuple(_note(note) for note in loads(row.notes)),
    )


def _position(text: str | None) -> Position | None:
    return Position(**loads(text)) if text else None


def _note(note: dict[str, Any]) -> TransferNote:
    commitment = note["commitment"]
    return TransferNote(
        note["event"],
        note["member_id"],
        Position(**note["position"]),
        Commitment(commitment) if commitment else None,
        note["released"],
    )


def _item(row: Row[Any]) -> TransferItem:
    return TransferItem(PassportId(row.passport_id), row.seq, Commitment(row.content), row.place)


def _policy(row: Row[Any]) -> PolicyTable:
    required, necessary, levels, core, sensitive, banned, max_seconds, emergencies = loads(row.law)
    seconds, categories, quota, review, declaration, recovery = emergencies
    return PolicyTable(
        version=row.version,
        required=tuple(required),
        necessary=necessary,
        levels=levels,
        core_categories=Category(core),
        sensitive_categories=Category(sensitive),
        banned_purposes=banned,
        max_grant_seconds=max_seconds,
        emergencies=EmergencyLimits(seconds, Category(categories), quota, review, declaration, recovery),
    )


def _template(key: str, body: dict[str, Any]) -> Template:
    return Template(
        template=int(key),
        purposes=body["purposes"],
        categories=Category(body["categories"]),
        recipient_kinds=body["recipientKinds"],
        max_seconds=body["maxSeconds"],
        notice=bytes.fromhex(body["notice"].removeprefix("0x")),
        withdrawn=body["withdrawn"],
    )


def _emergency(key: str, body: dict[str, Any]) -> EmergencyRecord:
    emergency = Emergency(
        emergency_id=int(key),
        kind=EmergencyKind(body["kind"]),
        categories=Category(body["categories"]),
        valid_from=body["from"],
        until=body["until"],
        finding=EmergencyFinding(body["finding"]),
        member_id=body["memberId"],
        purposes=body["purposes"],
        review_due=body["reviewDue"],
        max_records=body["maxRecords"],
        used=body["used"],
        jurisdiction=body["jurisdiction"],
        passport_id=PassportId(bytes.fromhex(body["passportId"].removeprefix("0x"))),
    )
    return EmergencyRecord(
        emergency=emergency,
        position=Position(**body["position"]),
        reason=body["reason"],
        sealed_until=body["sealedUntil"],
        reviewer=body["reviewer"],
        statement=_commitment(body["statement"]),
        opinion=_commitment(body["opinion"]),
        reviewed_at=body["reviewedAt"],
    )


def _review(key: str, body: dict[str, Any]) -> ReviewRecord:
    passport, _, seq = key.partition("/")
    return ReviewRecord(
        passport_id=PassportId(bytes.fromhex(passport.removeprefix("0x"))),
        seq=int(seq),
        reviewer=body["reviewer"],
        approved_until=body["approvedUntil"],
        opinion=_commitment(body["opinion"]),
        reviewed_at=body["reviewedAt"],
    )


def _commitment(text: str) -> Commitment:
    return Commitment(bytes.fromhex(text.removeprefix("0x")))


def _act(key: str, body: dict[str, Any]) -> ActRecord:
    return ActRecord(
        act_id=int(key),
        kind=ActKind(body["kind"]),
        call=bytes.fromhex(body["call"].removeprefix("0x")),
        approvers=tuple(body["approvers"]),
        proposed=Position(**body["proposed"]),
        executed_at=body["executedAt"],
    )
