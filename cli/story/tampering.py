"""An insider alters one row of the service's index, in a copy of it; the auditor finds the row."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cli.auditing import replay
from cli.story.world import World
from ledger.domain.vocabulary import Outcome
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import pack_verdict, unpack_verdict
from ledger.errors import Conflict, NotFound, VerificationError

ALTERED_INDEX: Final = "altered-index.db"
#: What a node answers that lost its blocks and is being filled again: not yet is not wrong.
_FILLING: Final = (NotFound, Conflict, VerificationError)


def find_altered_row(world: World) -> None:
    """
    Turn one refusal in a copy of the index into a permit, and let the auditor compare the copy with the chain.

    Does nothing where the service's database is out of reach.

    Raises:
        VerificationError: The altered row was not found, or another one was accused.
    """
    if world.place.database is None:
        return
    copy = world.place.directory / ALTERED_INDEX
    _copy(world.place.database, copy)
    passport = _turn_a_refusal_into_a_permit(copy)
    report: dict[str, Any] = world.persist(
        lambda: replay(
            world.place.rpc,
            world.place.ledger,
            from_block=world.place.from_block,
            index_url=f"sqlite:///{copy}",
            report=world.report,
        ).as_json(),
        also=_FILLING,
    )
    found = [finding for finding in report["findings"] if finding["rule"] == "index-altered"]
    if [finding["passport"] for finding in found] != [passport]:
        raise VerificationError("the auditor did not find the one altered row of the index")
    world.notebook.act("tampering", lambda *_: {"findings": found})


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)


def _turn_a_refusal_into_a_permit(database: Path) -> str:
    """Alter the first refusal; returns its passport."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for serial, passport, word in connection.execute(
            "SELECT serial, passport_id, verdict FROM decisions"
        ):
            verdict = unpack_verdict(int.from_bytes(word, "big"))
            if verdict.outcome is Outcome.DENY:
                altered = pack_verdict(replace(verdict, outcome=Outcome.PERMIT)).to_bytes(32, "big")
                connection.execute("UPDATE decisions SET verdict = ? WHERE serial = ?", (altered, serial))
                return to_hex(passport)
    raise VerificationError("the index has no refusal")
