"""
One database: engine, transactions, migrations.

SQLite in WAL mode by default. A write begins as a write (`BEGIN IMMEDIATE`): a read transaction that turns into a
write would fail at once when another writer came between.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from ledger.errors import ConfigurationError, StoreUnavailable

_BUSY_MILLISECONDS: Final = 15_000
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Database:
    """A database by its URL. Safe to share between threads."""

    def __init__(self, url: str, *, migrations: str) -> None:
        """
        Name the database; nothing is opened yet.

        Args:
            url: SQLAlchemy URL, for example `sqlite:////srv/passport/ledger.db`.
            migrations: Which migrations make its tables: `ledger` or `vault`.
        """
        self._url = make_url(url)
        self._migrations = migrations
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self._write_lock = threading.Lock()
        self._engine = create_engine(self._url, pool_size=16, max_overflow=32, hide_parameters=True)
        if self._sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)

    def migrate(self) -> None:
        """
        Bring the tables up to this version.

        Raises:
            ConfigurationError: The file is not such a database, or a newer version made it.
        """
        if self._sqlite and self._url.database:
            path = Path(self._url.database)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Only the service reads it; SQLite gives the same mode to the files beside it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS / self._migrations))
        try:
            with self.write() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except StoreUnavailable:
            raise
        except Exception as error:
            raise ConfigurationError(
                f"the database {self._url.render_as_string(hide_password=True)} cannot be brought up to date: {error}",
                fix="Check the URL; a database made by a newer version needs that version.",
            ) from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """
        Run one write transaction: all of it or nothing.

        Raises:
            StoreUnavailable: The database is locked, full or gone.
        """
        with self._write_lock, self._translated(), self._engine.connect() as connection:
            writer = connection.execution_options(passport_write=True)
            with writer.begin():
                yield writer

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """
        Run one read transaction over an unchanging state.

        Raises:
            StoreUnavailable: The database is locked or gone.
        """
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except (OperationalError, DatabaseError) as error:
            raise StoreUnavailable(f"the database did not answer: {error.orig}") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_MILLISECONDS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("passport_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
