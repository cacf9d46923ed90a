"""The migrations make the tables that the code knows, and what is read often is found by an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from ledger.store import tables, vault_tables
from ledger.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path}/ledger.db", migrations="ledger")
    found.migrate()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("migrations", "metadata"), [("ledger", tables.metadata), ("vault", vault_tables.metadata)]
)
def test_the_migrations_make_the_tables(tmp_path, migrations, metadata):
    """Column for column, with types, lengths and indexes."""
    database = Database(f"sqlite:///{tmp_path}/{migrations}.db", migrations=migrations)
    database.migrate()
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            (
                "SELECT * FROM transactions WHERE block_number IS NOT NULL "
                "ORDER BY block_number DESC, transaction_index DESC LIMIT 1"
            ),
            "transactions_by_block",
        ),
        ("DELETE FROM nonces WHERE expires_at < 1", "nonces_by_end"),
        ("DELETE FROM challenges WHERE expires_at < 1", "challenges_by_end"),
    ],
)
def test_what_each_request_reads_is_found_by_an_index(database, query, index):
    """The last mined transaction before each answer of the chain, what expired before each signed request."""
    with database.read() as connection:
        plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
    assert any(f"INDEX {index}" in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan
