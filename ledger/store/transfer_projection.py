"""The index's rows about transfers, folded from the ledger's events: one function per event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from ledger.domain.records import ZERO32, Event
from ledger.domain.vocabulary import TransferStatus
from ledger.encoding import merkle
from ledger.encoding.structs import consignment
from ledger.store import border_projection
from ledger.store.tables import members, transfer_items, transfers
from ledger.store.values import dumps, loads, position_columns
from ledger.transfers import REPORT_SECONDS, first_report_due, status_received


def _shipped(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    sides = members.c.member_id.in_((a["sender"], a["recipient"]))
    countries = connection.execute(select(members.c.jurisdiction).where(sides)).scalars()
    crosses = len(set(countries)) > 1
    connection.execute(
        insert(transfers).values(
            transfer_id=a["transferId"],
            passport_id=a["passportId"],
            sender=a["sender"],
            recipient=a["recipient"],
            seq=a["seq"],
            status=TransferStatus.SHIPPED,
            content=a["content"],
            crosses=crosses,
            report_due=first_report_due(event.position.time, crosses=crosses),
            **position_columns(event.position),
        )
    )


def _received(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    former = TransferStatus(_row(connection, a).status)
    _change(
        connection,
        a,
        status=status_received(former, matched=a["matched"]),
        received_content=a["content"],
        received=dumps(position_columns(event.position)),
    )


def _declared(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    if a["missing"]:
        status = TransferStatus.REFUSED
    else:
        status = TransferStatus.DECLARED if a["crosses"] else TransferStatus.CLEARED
    connection.execute(
        insert(transfers).values(
            transfer_id=a["transferId"],
            passport_id=ZERO32,
            sender=a["sender"],
            recipient=a["recipient"],
            seq=0,
            status=status,
            content=ZERO32,
            consignment=dumps(a["consignment"]),
            description=a["description"],
            missing=a["missing"],
            crosses=a["crosses"],
            **position_columns(event.position),
        )
    )


def _inspected(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    status = TransferStatus.CLEARED if a["released"] else TransferStatus.TERMINATED
    _note(connection, event, a, a["regulator"], commitment=a["report"], released=a["released"], status=status)


def _loaded(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(transfer_items).values(
            transfer_id=a["transferId"],
            place=a["index"],
            passport_id=a["passportId"],
            seq=a["seq"],
            content=a["content"],
            **position_columns(event.position),
        )
    )
    row = _row(connection, a)
    if row.crosses:
        declared = consignment(tuple(loads(row.consignment)))
        border_projection.cross_loaded(connection, event, row.sender, declared.project_id)
    _change(connection, a, loaded=a["index"] + 1)


def _dispatched(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    items = connection.execute(
        select(transfer_items)
        .where(transfer_items.c.transfer_id == a["transferId"])
        .order_by(transfer_items.c.place)
    ).all()
    leaves = [merkle.leaf(item.passport_id, item.seq, item.content) for item in items]
    _change(
        connection,
        a,
        status=TransferStatus.SHIPPED,
        content=a["root"],
        shipped=dumps(position_columns(event.position)),
        report_due=first_report_due(event.position.time, crosses=_row(connection, a).crosses),
        root_matches=bool(leaves) and merkle.root(leaves) == a["root"],
    )


def _halted(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    row = _row(connection, a)
    former = row.halted_from if row.status == TransferStatus.HALTED else row.status
    _note(
        connection,
        event,
        a,
        a["memberId"],
        commitment=a["reasons"],
        status=TransferStatus.HALTED,
        halted_by=a["memberId"],
        halted_from=former,
    )


def _resumed(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    former = _row(connection, a).halted_from
    _note(connection, event, a, a["memberId"], status=former, halted_by=0, halted_from=TransferStatus.NONE)


def _terminated(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    status = TransferStatus.TERMINATED
    _note(connection, event, a, a["memberId"], commitment=a["reasons"], status=status)


def _reported(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    due = event.position.time + REPORT_SECONDS
    _note(connection, event, a, a["memberId"], commitment=a["report"], report_due=due)


def _closed(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    status = TransferStatus.CLOSED
    _note(connection, event, a, a["memberId"], commitment=a["evidence"], status=status)


def _note(
    connection: Connection,
    event: Event,
    a: dict[str, Any],
    member_id: int,
    *,
    commitment: bytes | None = None,
    released: bool | None = None,
    **values: Any,
) -> None:
    """Change a transfer, and keep who did it."""
    note = {
        "event": event.name,
        "member_id": member_id,
        "commitment": commitment,
        "released": released,
        "position": position_columns(event.position),
    }
    notes = [*loads(_row(connection, a).notes), note]
    _change(connection, a, notes=dumps(notes), **values)


def _row(connection: Connection, a: dict[str, Any]) -> Row[Any]:
    return connection.execute(select(transfers).where(transfers.c.transfer_id == a["transferId"])).one()


def _change(connection: Connection, a: dict[str, Any], **values: Any) -> None:
    connection.execute(update(transfers).where(transfers.c.transfer_id == a["transferId"]).values(**values))


HANDLERS: Final[dict[str, Callable[[Connection, Event, dict[str, Any]], None]]] = {
    "TransferShipped": _shipped,
    "TransferReceived": _received,
    "TransferDeclared": _declared,
    "TransferInspected": _inspected,
    "TransferLoaded": _loaded,
    "TransferDispatched": _dispatched,
    "TransferHalted": _halted,
    "TransferResumed": _resumed,
    "TransferTerminated": _terminated,
    "TransferReported": _reported,
    "TransferClosed": _closed,
}
