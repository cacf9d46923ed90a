"""The index's rows are the same however the events come: one by one, a block at once, or the whole chain at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.audit.index import KEYS, index_findings, key_of
from ledger.domain.records import Event
from ledger.domain.vocabulary import Basis, GrantFlag, Operation, Purpose
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.index import SqlIndex
from ledger.store.projection import apply
from ledger.store.tables import PROJECTION
from tests.unit.chronicle import DAY, LAB, START, Chronicle, crossings, everything

Rows = dict[str, list[tuple[object, ...]]]
Parts = Callable[[list[Event]], Iterator[list[Event]]]


def busy() -> Chronicle:
    """Return a chronicle of crowded blocks: limited grants, caps that run out, two datasets, an emergency, reviews."""
    told = Chronicle.begun()
    project = told.file_project()
    told.emit("MemberCapsSet", memberId=LAB, caps=9 << (16 * Purpose.AI_TRAINING))
    people = [told.issue() for _ in range(8)]
    given = [
        told.give(
            person,
            max_uses=3 if place == 1 else 0,
            use_to=START + (90 - place) * DAY,
            flags=GrantFlag.NO_RELINK if place == 4 else GrantFlag(0),
        )
        for place, person in enumerate(people[:6])
    ]
    first, second = told.declare(), told.declare()
    asked: dict[str, Any] = {"project_id": project, "same_block": True}
    told.place()
    for person, grant in zip(people, given, strict=False):
        told.decide(person, grant_id=grant, operation=Operation.INCLUDE, dataset_id=first, **asked)
    for person in people[6:]:
        told.decide(person, operation=Operation.INCLUDE, dataset_id=first, **asked)
    told.decide(people[0], grant_id=given[0], operation=Operation.INCLUDE, dataset_id=second, **asked)
    for _ in range(4):
        told.decide(people[1], grant_id=given[1], **asked)
    told.decide(people[2], grant_id=given[2], **asked)
    told.withdraw(people[0], given[0])
    told.time += DAY
    told.decide(people[2], grant_id=given[2], operation=Operation.INCLUDE, dataset_id=second, **asked)
    told.emit("MemberCapsSet", memberId=LAB, caps=0)
    declared = told.declare_emergency(max_records=3)
    locked = [told.issue(lock=declared) for _ in range(2)]
    health = told.file_project(purposes=1 << Purpose.PUBLIC_HEALTH, reviewed=False)
    for person in locked * 2:
        told.decide(
            person,
            emergency_id=declared,
            purpose=Purpose.PUBLIC_HEALTH,
            basis=Basis.PUBLIC_EMERGENCY,
            project_id=health,
            same_block=True,
        )
    research = told.file_project(purposes=1 << Purpose.DISEASE_RESEARCH)
    for person in people[3:5]:
        waiting = told.give(person, purposes=1 << Purpose.DISEASE_RESEARCH)
        told.decide(person, grant_id=waiting, project_id=research, purpose=Purpose.DISEASE_RESEARCH)
    return told


def one_by_one(events: list[Event]) -> Iterator[list[Event]]:
    return ([event] for event in events)


def by_block(events: list[Event]) -> Iterator[list[Event]]:
    return (list(found) for _, found in groupby(events, key=lambda event: event.position.block_number))


def at_once(events: list[Event]) -> Iterator[list[Event]]:
    return iter([events])


@pytest.mark.parametrize("history", [busy, everything])
def test_the_rows_do_not_depend_on_how_the_events_are_parted(
    tmp_path: Path, history: Callable[[], Chronicle]
) -> None:
    told = history()
    with folded(tmp_path / "one", told, one_by_one) as database:
        expected = _rows(database)

    for name, parts in (("block", by_block), ("all", at_once)):
        with folded(tmp_path / name, told, parts) as database:
            assert _rows(database) == expected, name


def test_a_crowded_block_uses_up_what_its_permits_use_up(tmp_path: Path) -> None:
    told = busy()
    with folded(tmp_path, told, at_once) as database:
        index = SqlIndex(database)
        found = {number: index.dataset(number) for number in told.state.datasets}
        assert [record.dataset.included for record in found.values() if record] == [6, 2]
        for number, dataset in told.state.datasets.items():
            record = found[number]
            assert record is not None
            assert (record.dataset.no_relink, record.dataset.usable_until) == (
                dataset.no_relink,
                dataset.usable_until,
            )
        uses = {name: grant.state.uses for name, grant in told.state.grants.items()}
        assert set(uses.values()) >= {3, 0}, "no limited grant was used up"
        for (passport, grant_id), count in uses.items():
            kept = index.grant(grant_id, passport_id=passport)
            assert kept is not None
            assert kept.state.uses == count
        today = {event.position.time // DAY for event in told.events if event.name == "DecisionRecorded"}
        used = [index.caps(LAB, day).used >> (16 * Purpose.AI_TRAINING) for day in sorted(today)]
        assert used == [9, 1], "the cap of the first day ran out"
        emergency = index.emergency(1)
        assert emergency is not None
        assert emergency.emergency.used == 3
        assert len(index.waiting_reviews()) == 2


def test_what_permits_across_borders_and_in_an_emergency_leave_is_what_the_chain_says(tmp_path: Path) -> None:
    told = crossings()
    with folded(tmp_path, told, at_once) as database, database.read() as connection:
        rows = [
            (table.name, key_of(table.name, row), row)
            for table in PROJECTION
            if table.name in KEYS
            for row in connection.execute(select(table)).mappings()
        ]
    assert list(index_findings(told.state, rows)) == []


@contextmanager
def folded(folder: Path, told: Chronicle, parts: Parts) -> Iterator[Database]:
    """Fold a chronicle into a database of its own, part by part."""
    folder.mkdir(exist_ok=True)
    database = Database(Settings(data=folder).database_url(), migrations="ledger")
    database.migrate()
    with database.write() as connection:
        for found in parts(told.events):
            apply(connection, found)
    yield database
    database.close()


def _rows(database: Database) -> Rows:
    found = {}
    with database.read() as connection:
        for table in PROJECTION:
            columns = [column for column in table.columns if column.name != "serial"]
            found[table.name] = sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)
    return found
