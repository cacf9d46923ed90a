"""The index of agreements and borders in SQL. Implements `ledger.ports.BorderIndex`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from ledger.domain.records import Clearance, Commitment, Position, Thresholds
from ledger.domain.vocabulary import Path
from ledger.encoding.hexadecimal import from_hex
from ledger.ports import AgreementRecord, ClearanceRecord
from ledger.store import register_rows
from ledger.store.database import Database
from ledger.store.tables import crossings


class SqlBorders:
    """Agreements, clearances and the list for crossing borders, read in SQL."""

    _database: Database

    def agreement(self, agreement_id: int) -> AgreementRecord | None:
        """Return an agreement."""
        with self._database.read() as connection:
            found = register_rows.body(connection, "agreement", agreement_id)
        return _agreement(agreement_id, found) if found else None

    def agreements(self, *, member_id: int | None = None) -> list[AgreementRecord]:
        """Return agreements, oldest first; those of a member on either side."""
        with self._database.read() as connection:
            bodies = register_rows.entries(connection, "agreement")
        found = (_agreement(int(key), body) for key, body in bodies.items())
        return [
            one
            for one in sorted(found, key=lambda record: record.agreement.agreement_id)
            if member_id is None or member_id in (one.agreement.provider, one.agreement.recipient)
        ]

    def clearance(self, clearance_id: int) -> ClearanceRecord | None:
        """Return a clearance."""
        with self._database.read() as connection:
            body = register_rows.body(connection, "clearance", clearance_id)
            if not body:
                return None
            crossed = select(func.count()).where(crossings.c.clearance_id == clearance_id)
            persons = connection.execute(crossed).scalar_one()
            shared = register_rows.entries(connection, "dataset-crossing", prefix=f"{clearance_id}/").values()
            pair = f"{body['projectId']}/{body['exporter']}"
            latest = register_rows.body(connection, "clearance-for", pair)["clearanceId"]
        persons += sum(one["persons"] for one in shared)
        return _clearance(clearance_id, body, persons=persons, is_latest=latest == clearance_id)

    def clearances(
        self, *, project_id: int | None = None, exporter: int | None = None
    ) -> list[ClearanceRecord]:
        """Return clearances, oldest first."""
        with self._database.read() as connection:
            bodies = register_rows.entries(connection, "clearance")
            latest = {
                body["clearanceId"] for body in register_rows.entries(connection, "clearance-for").values()
            }
            counts = select(crossings.c.clearance_id, func.count()).group_by(crossings.c.clearance_id)
            persons: dict[int, int] = {row[0]: row[1] for row in connection.execute(counts)}
            for key, body in register_rows.entries(connection, "dataset-crossing").items():
                number = int(key.partition("/")[0])
                persons[number] = persons.get(number, 0) + body["persons"]
        found = [
            _clearance(number, body, persons=persons.get(number, 0), is_latest=number in latest)
            for number, body in sorted((int(key), body) for key, body in bodies.items())
        ]
        return [
            one
            for one in found
            if project_id in (None, one.clearance.project_id) and exporter in (None, one.clearance.exporter)
        ]

    def border_access(self, member_id: int) -> int:
        """Return until when a member may receive data from abroad, seconds since the Unix epoch; 0 if never."""
        with self._database.read() as connection:
            until: int = register_rows.body(connection, "border-access", member_id).get("validTo", 0)
        return until

    def thresholds(self) -> Thresholds:
        """Return the thresholds in force."""
        with self._database.read() as connection:
            body = register_rows.body(connection, "thresholds", 0)
        return Thresholds(body.get("persons", 0), body.get("sensitivePersons", 0))


def _agreement(number: int, body: dict[str, Any]) -> AgreementRecord:
    return AgreementRecord(
        agreement=register_rows.agreement_of(number, body),
        text=Commitment(from_hex(body["text"])),
        position=Position(**body["position"]),
        signed_at=body["signedAt"],
        ended_at=body["endedAt"],
        ended_by=body["endedBy"],
        reasons=Commitment(from_hex(body["reasons"])),
    )


def _clearance(number: int, body: dict[str, Any], *, persons: int, is_latest: bool) -> ClearanceRecord:
    clearance = Clearance(
        clearance_id=number,
        project_id=body["projectId"],
        exporter=body["exporter"],
        issuer=body["issuer"],
        path=Path(body["path"]),
        valid_from=body["validFrom"],
        valid_to=body["validTo"],
        max_persons=body["maxPersons"],
        persons=persons,
        agreement=body["agreement"],
    )
    return ClearanceRecord(
        clearance=clearance,
        filing=Commitment(from_hex(body["filing"])),
        position=Position(**body["position"]),
        is_latest=is_latest,
        withdrawn_at=body["withdrawnAt"],
        withdrawn_by=body["withdrawnBy"],
        reasons=Commitment(from_hex(body["reasons"])),
    )
