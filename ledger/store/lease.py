"""The write lease: one process at a time writes. Implements `ledger.ports.Lease`."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from typing import Final

import structlog
from sqlalchemy import delete, insert, select, update

from ledger.errors import ConfigurationError, StoreUnavailable
from ledger.store.database import Database
from ledger.store.tables import leases

#: How long a dead process blocks the next one, in seconds.
LEASE_SECONDS: Final = 6.0
_RENEW_SECONDS: Final = 1.5
_NAME: Final = "writer"

log = structlog.get_logger(__name__)


class WriteLease:
    """A lease in the database, renewed while the process lives."""

    def __init__(self, database: Database) -> None:
        """Prepare; `acquire` takes it."""
        self._database = database
        self._holder = f"process {os.getpid()} on {socket.gethostname()} {secrets.token_hex(4)}"
        self._expires_at = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self) -> None:
        """
        Take the lease, waiting for that of a dead process to run out.

        Raises:
            ConfigurationError: A living process keeps renewing it.
        """
        deadline = time.monotonic() + LEASE_SECONDS + _RENEW_SECONDS
        while not self._take():
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"another service writes to this database ({self._other()})",
                    fix="Stop the other service first, or give this one a database of its own (PASSPORT_DATA).",
                )
            time.sleep(0.2)
        self._thread = threading.Thread(target=self._renew, name="write-lease", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Give the lease back."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=5)
        with self._database.write() as connection:
            connection.execute(delete(leases).where(leases.c.name == _NAME, leases.c.holder == self._holder))
        self._expires_at = 0.0

    def held(self) -> bool:
        """Tell whether the lease is still ours."""
        return time.time() < self._expires_at

    def _take(self) -> bool:
        now = time.time()
        with self._database.write() as connection:
            row = connection.execute(select(leases).where(leases.c.name == _NAME)).one_or_none()
            if row is not None and self._is_taken(row.holder, row.expires_at, now):
                return False
            values = {"holder": self._holder, "expires_at": now + LEASE_SECONDS}
            if row is None:
                connection.execute(insert(leases).values(name=_NAME, **values))
            else:
                connection.execute(update(leases).where(leases.c.name == _NAME).values(values))
        self._expires_at = now + LEASE_SECONDS
        return True

    def _is_taken(self, holder: str, expires_at: float, now: float) -> bool:
        return holder != self._holder and expires_at > now and not _is_dead(holder)

    def _renew(self) -> None:
        while not self._stop.wait(_RENEW_SECONDS):
            try:
                if not self._take():
                    log.error("the write lease was lost", holder=self._other())
            except StoreUnavailable as error:
                log.warning("the write lease could not be renewed", reason=error.message)

    def _other(self) -> str:
        with self._database.read() as connection:
            row = connection.execute(select(leases).where(leases.c.name == _NAME)).one_or_none()
        return row.holder if row else "nobody"


def _is_dead(holder: str) -> bool:
    """Tell whether a holder is a process of this machine that is gone: its lease need not run out first."""
    words = holder.split()
    if len(words) != 5 or words[3] != socket.gethostname() or not words[1].isdigit():  # noqa: PLR2004 - see __init__
        return False
    try:
        os.kill(int(words[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
