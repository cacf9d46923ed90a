"""Walks over an index that says what cannot be: circles, steps without versions, versions without steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from ledger.domain.lineage import VersionId
from ledger.domain.vocabulary import Check, ModelStatus, StepKind, VersionKind
from ledger.service.walks import Walks
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.index import SqlIndex
from ledger.store.tables import step_inputs, step_outputs, steps, versions

ONE, TWO, THREE = (VersionId(bytes([number]) * 32) for number in (1, 2, 3))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(Settings(data=tmp_path).database_url(), migrations="ledger")
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def walks(database: Database) -> Walks:
    return Walks(index=SqlIndex(database))


def _add(
    database: Database,
    number: int,
    inputs: tuple[VersionId, ...],
    output: VersionId,
    *,
    made: bool = True,
    check: Check = Check.PENDING,
) -> None:
    """Write down a step that uses some versions and makes one."""
    word, position = bytes(32), {"block_number": number, "log_index": 0, "time": number}
    row = {
        "step_id": number,
        "member_id": 2,
        "kind": int(StepKind.MERGE),
        "dataset_id": 0,
        "project_id": 0,
        "purposes": 0,
        "epsilon": bytes(8),
        "inputs": b"".join(inputs),
        "outputs": output,
        "tool": word,
        "parameters": word,
        "missing": 0,
        "block_hash": word,
        "transaction_hash": word,
        **position,
    }
    version = {
        "version_id": output,
        "step_id": number,
        "owner": 2,
        "kind": int(VersionKind.DATA),
        "purposes": 1,
        "check": int(check),
        "verifier": 0,
        "status": int(ModelStatus.ACTIVE),
        "evaluated": False,
        "deployed": False,
        "only_to": 0,
    }
    with database.write() as connection:
        connection.execute(insert(steps).values(**row))
        for name in inputs:
            connection.execute(insert(step_inputs).values(version_id=name, step_id=number, stands=True))
        connection.execute(insert(step_outputs).values(version_id=output, step_id=number, stands=True))
        if made:
            connection.execute(insert(versions).values(**version))


def test_a_circle_is_walked_once(database: Database, walks: Walks) -> None:
    """Each of three is made of the one before it, and the first of the last; one failed its check."""
    _add(database, 1, (THREE,), ONE)
    _add(database, 2, (ONE,), TWO, check=Check.FAILED)
    _add(database, 3, (TWO,), THREE)

    for walk in (walks.forward_of_version(ONE), walks.back(ONE)):
        assert [entry.record.step_id for entry in walk.steps] == [1, 2, 3]
        assert [record.version.version_id for record in walk.versions] == [ONE, TWO, THREE]
        assert walk.complete
    blame, complete = walks.blame(THREE)
    assert blame is not None
    assert (blame.step.record.step_id, complete) == (2, True)
    links, complete = walks.trace(THREE)
    assert len(links) == 4
    assert complete


def test_a_step_that_uses_what_it_makes_is_walked_once(database: Database, walks: Walks) -> None:
    _add(database, 1, (ONE, TWO), ONE)

    assert len(walks.forward_of_version(ONE).steps) == len(walks.back(ONE).steps) == 1


def test_what_is_missing_ends_a_walk(database: Database, walks: Walks) -> None:
    """A step whose output is on no list of versions, and an input that nothing made."""
    _add(database, 1, (), ONE)
    _add(database, 2, (ONE, THREE), TWO, made=False)

    walk = walks.forward_of_version(ONE)

    assert [entry.record.step_id for entry in walk.steps] == [2]
    assert [record.version.version_id for record in walk.versions] == [ONE]
    assert walks.back(ONE).complete
