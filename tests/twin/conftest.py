"""A devnet whose time is the same in every run, and a ledger on it from which every history begins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.twin.chain import Chain
from tests.twin.machine import Stage, devnet


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Return a connection to a devnet of its own."""
    with devnet(tmp_path_factory.mktemp("twin")) as connection:
        yield connection


@pytest.fixture(scope="session")
def stage(chain: Chain) -> Stage:
    """Return a founded ledger."""
    return Stage(chain)
