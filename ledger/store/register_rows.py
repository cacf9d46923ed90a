"""Entries of the registers: what there is little of, each a JSON object."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ledger.domain.records import Agreement, Limits
from ledger.domain.vocabulary import AgreementStatus, Category
from ledger.store.tables import registers
from ledger.store.values import dumps, loads


def register(connection: Connection, kind: str, key: int | str, /, **values: Any) -> None:
    """Set values of a register's entry, which may be new."""
    former = body(connection, kind, key)
    unregister(connection, kind, key)
    connection.execute(insert(registers).values(kind=kind, key=str(key), body=dumps(former | values)))


def unregister(connection: Connection, kind: str, key: int | str) -> None:
    """Forget an entry."""
    connection.execute(delete(registers).where(registers.c.kind == kind, registers.c.key == str(key)))


def body(connection: Connection, kind: str, key: int | str) -> dict[str, Any]:
    """Return an entry; empty if there is none."""
    text = connection.execute(
        select(registers.c.body).where(registers.c.kind == kind, registers.c.key == str(key))
    ).scalar_one_or_none()
    found: dict[str, Any] = loads(text) if text else {}
    return found


def entries(
    connection: Connection, kind: str, *, prefix: str = "", naming: str = ""
) -> dict[str, dict[str, Any]]:
    """Return the entries of a kind by their keys, or those whose keys have a prefix, or whose bodies name something."""
    query = select(registers).where(registers.c.kind == kind)
    if prefix:
        # Not LIKE, which takes no index: keys are in ASCII.
        query = query.where(registers.c.key >= prefix, registers.c.key < f"{prefix}\x7f")
    if naming:
        query = query.where(registers.c.body.contains(naming, autoescape=True))
    return {row.key: loads(row.body) for row in connection.execute(query)}


def agreement_of(number: int, body: dict[str, Any]) -> Agreement:
    """Read an agreement from its entry."""
    limits = Limits(
        recipient=body["recipient"],
        purposes=body["purposes"],
        categories=Category(body["categories"]),
        valid_to=body["validTo"],
        retention_seconds=body["retentionSeconds"],
        response_hours=body["responseHours"],
        onward=body["onward"],
        linkage=body["linkage"],
    )
    return Agreement(number, body["provider"], limits, AgreementStatus(body["status"]))
