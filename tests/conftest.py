"""Fixtures that every suite may use: a real devnet, and a consortium on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain.devnet import Devnet
from tests.support.world import World


@pytest.fixture(scope="session")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Return a devnet that lives as long as the test run. Suites that kill a devnet start one of their own."""
    node = Devnet(tmp_path_factory.mktemp("devnet"))
    node.start()
    yield node
    node.stop()


@pytest.fixture(scope="module")
def world(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service with a ledger of its own on the shared devnet, one for each test module."""
    consortium = World(tmp_path_factory.mktemp("world"), devnet.spec.url)
    yield consortium
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
