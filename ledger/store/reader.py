"""The index read as it is, in one snapshot, for an auditor who compares it with the chain. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import make_url

from ledger.domain.records import Event
from ledger.errors import ConfigurationError
from ledger.store.database import Database
from ledger.store.tables import PROJECTION, cursor, events
from ledger.store.values import loads, position_of


class SqlIndexReader:
    """A snapshot of the index: everything it yields is of one moment."""

    def __init__(self, url: str) -> None:
        """
        Open the snapshot.

        Raises:
            ConfigurationError: There is no such database file, or nothing is indexed in it.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
            raise ConfigurationError(
                f"there is no database {parsed.database}", fix="Give the service's ledger.db."
            )
        self._snapshot = Database(url, migrations="ledger").read()
        self._connection = self._snapshot.__enter__()
        row = self._connection.execute(select(cursor)).one_or_none()
        if row is None:
            raise ConfigurationError(
                f"nothing is indexed in {url}", fix="Give the database of a service that ran."
            )
        self._block_number: int = row.block_number

    def block_number(self) -> int:
        """Return the last block that the index holds."""
        return self._block_number

    def tables(self) -> Iterator[tuple[str, Mapping[Any, Any]]]:
        """Yield every row of every projected table, with the table's name."""
        for table in PROJECTION:
            for row in self._connection.execute(select(table)).mappings():
                yield table.name, row

    def events(self) -> Iterator[Event]:
        """Yield every event, in the order of the chain."""
        for row in self._connection.execute(
            select(events).order_by(events.c.block_number, events.c.log_index)
        ):
            yield Event(row.name, loads(row.arguments), position_of(row))
