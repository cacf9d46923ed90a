"""What time it is, though the node be away."""

from __future__ import annotations

import time

from ledger.errors import ChainError
from ledger.ports import Chain


def time_of(chain: Chain) -> int:
    """
    Return the chain's time in seconds since the Unix epoch; while the node does not answer, the time of the clock.

    For answers and early checks: what is sent to the ledger it decides by its own time.
    """
    try:
        return chain.now()
    except ChainError:
        return int(time.time())
