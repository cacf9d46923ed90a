"""A devnet whose time is the same in every run, and a ledger on it from which every history begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger.chain.devnet import Devnet
from tests.twin.chain import Chain
from tests.twin.machine import START, Stage


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Return a connection to a devnet of its own: here time goes as the test wants it to."""
    node = Devnet(tmp_path_factory.mktemp("twin"))
    node.spec = replace(node.spec, genesis_time=START - 10)
    node.start()
    connection = Chain(node.spec.url, node.spec.chain_id)
    yield connection
    connection.close()
    node.stop()


@pytest.fixture(scope="session")
def stage(chain: Chain) -> Stage:
    """Return a founded ledger."""
    return Stage(chain)
