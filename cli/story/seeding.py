"""The story told in a sandbox: what `passport demo` shows and `passport up --sandbox` begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli.progress import Report, progress
from cli.sandbox import Sandbox
from cli.story.story import Story
from ledger.client import MemberKeys


def seed(sandbox: Sandbox, data: Path, report: Report | None = None) -> dict[str, Any]:
    """
    Tell the story in a sandbox that runs, or what is left of it.

    Args:
        sandbox: The sandbox, started.
        data: Folder of FHIR R4 patient bundles.
        report: Told how far it has come; by default bars on the terminal.

    Returns:
        What happened, as `Story.result`.

    Raises:
        LedgerError: Something did not come out as it must; says what.
    """
    if report is None:
        with progress() as bars:
            return seed(sandbox, data, bars)
    facts = sandbox.facts()
    story = Story(
        url=sandbox.url,
        data=data,
        directory=sandbox.folder,
        committee=MemberKeys.load(sandbox.committee_keys),
        rpc=sandbox.rpc,
        ledger=facts["ledger"],
        from_block=int(facts["deployedBlock"]),
        database=sandbox.database_file,
    )
    try:
        return story.run(report)
    finally:
        story.close()
