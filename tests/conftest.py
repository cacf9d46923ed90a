"""Fixtures that every suite may use: a real devnet, and a consortium on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain.devnet import Devnet
from tests.support.replaying import replay_ledger, replay_ledgers
from tests.support.world import World


@pytest.fixture(scope="session")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """
    Return a devnet that lives as long as the test run. Suites that kill a devnet start one of their own.

    In the end every ledger that was made on it is replayed.
    """
    node = Devnet(tmp_path_factory.mktemp("devnet"))
    node.start()
    yield node
    try:
        if node.alive():
            replay_ledgers(node.spec.url)
    finally:
        node.stop()


@pytest.fixture(scope="module")
def world(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service with a ledger of its own on the shared devnet, one for each test module; it is replayed in the end."""
    consortium = World(tmp_path_factory.mktemp("world"), devnet.spec.url)
    yield consortium
    try:
        deployment = consortium.runtime.deployment
        assert deployment is not None
        replay_ledger(consortium.runtime.node, deployment.ledger, from_block=deployment.block_number)
    finally:
        consortium.stop()


@pytest.fixture(scope="module")
def timed_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service on a devnet of its own, whose clock the tests of the module may move."""
    node = Devnet(tmp_path_factory.mktemp("timed-devnet"))
    node.start()
    consortium = World(tmp_path_factory.mktemp("timed-world"), node.spec.url)
    yield consortium
    consortium.stop()
    node.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder."""
    return tmp_path
