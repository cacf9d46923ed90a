"""A sandbox in which the whole story was told, with everything killed on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cli.sandbox import Sandbox
from cli.story.story import Story
from ledger.client import MemberKeys
from tests.support.data import SYNTHEA


@dataclass(frozen=True)
class Told:
    """A sandbox that still runs, the story told in it, and what came of it."""

    sandbox: Sandbox
    story: Story
    result: dict[str, Any]
    facts: dict[str, Any]


def story_in(sandbox: Sandbox) -> Story:
    """Return the story for a sandbox that runs."""
    facts = sandbox.facts()
    return Story(
        url=sandbox.url,
        data=SYNTHEA,
        directory=sandbox.folder,
        committee=MemberKeys.load(sandbox.committee_keys),
        rpc=sandbox.rpc,
        ledger=facts["ledger"],
        from_block=int(facts["deployedBlock"]),
        database=sandbox.database_file,
    )


def tell(sandbox: Sandbox, between: Callable[[Sandbox], None], within: str | None = None) -> Told:
    """
    Tell the story; call *between* before each step, and kill the service in the middle of the step *within*.

    Each step is told twice: what is done must stay done once.
    """
    sandbox.start()
    story = story_in(sandbox)
    for step in story.steps:
        between(sandbox)
        if step.name == within:
            killer = threading.Timer(0.7, restart_service, [sandbox])
            killer.start()
            story.run_step(step.name)
            killer.join()
        story.run_step(step.name)
    return Told(sandbox, story, story.result(), sandbox.facts())


def restart_service(sandbox: Sandbox) -> None:
    """Kill the service as a crash would, and start it again."""
    sandbox.kill_service()
    sandbox.start_service()


def restart_devnet(sandbox: Sandbox) -> None:
    """Kill the devnet, which forgets everything, and start it again."""
    assert sandbox.devnet is not None
    sandbox.devnet.kill()
    sandbox.restart_devnet()


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Return the story, told while the service was killed before every step and once in the middle of one."""
    sandbox = Sandbox(tmp_path_factory.mktemp("told"))
    try:
        told = tell(sandbox, restart_service, within="consents")
        yield told
        told.story.close()
    finally:
        sandbox.stop()


@pytest.fixture(scope="session")
def told_on_a_forgetful_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Return the story, told while the devnet was killed before every step."""
    sandbox = Sandbox(tmp_path_factory.mktemp("forgetful"))
    try:
        told = tell(sandbox, restart_devnet)
        yield told
        told.story.close()
    finally:
        sandbox.stop()
