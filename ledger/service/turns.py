"""Taking turns: what must not happen twice at once in this process, by name."""

from __future__ import annotations

import threading
from collections.abc import Hashable


class Turns:
    """Locks by name, one for some names each: as many as there are, however many names there come to be."""

    def __init__(self, number: int) -> None:
        """Make this many locks: names that share one wait for each other, which is harmless and rare."""
        self._locks = tuple(threading.Lock() for _ in range(number))

    def of(self, *name: Hashable) -> threading.Lock:
        """Return the lock that whoever does something under a name holds."""
        return self._locks[hash(name) % len(self._locks)]
