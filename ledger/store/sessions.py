"""Sessions, seen nonces and sign-in challenges: short-lived, safe to lose."""

from __future__ import annotations

import hashlib
import secrets
import time

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.store.database import Database
from ledger.store.tables import challenges, nonces, sessions


class SessionStore:
    """Sessions in SQL. A session code is kept as its hash alone."""

    def __init__(self, database: Database) -> None:
        """Keep sessions in a migrated database."""
        self._database = database

    def create(self, kind: str, subject: str, *, ttl_seconds: int) -> tuple[str, float]:
        """Begin a session; returns its code (43 characters) and when it ends, seconds since the Unix epoch."""
        code, expires_at = secrets.token_urlsafe(32), time.time() + ttl_seconds
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at < time.time()))
            connection.execute(
                insert(sessions).values(
                    code_hash=_hash(code), kind=kind, subject=subject, expires_at=expires_at
                )
            )
        return code, expires_at

    def lookup(self, code: str) -> tuple[str, str] | None:
        """Return the kind and subject of a session; None if it is unknown or over."""
        query = select(sessions).where(
            sessions.c.code_hash == _hash(code), sessions.c.expires_at > time.time()
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return (row.kind, row.subject) if row else None

    def delete(self, code: str) -> None:
        """End a session."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.code_hash == _hash(code)))

    def claim_nonce(self, scope: str, nonce: str, expires_at: float) -> bool:
        """Remember a nonce until *expires_at*; False if it was claimed before."""
        try:
            with self._database.write() as connection:
                connection.execute(delete(nonces).where(nonces.c.expires_at < time.time()))
                connection.execute(insert(nonces).values(scope=scope, nonce=nonce, expires_at=expires_at))
        except IntegrityError:
            return False
        return True

    def issue_challenge(self, holder: str, *, ttl_seconds: int) -> tuple[bytes, int]:
        """Return 32 random bytes for a holder to sign, and when they expire."""
        challenge, expires_at = secrets.token_bytes(32), int(time.time()) + ttl_seconds
        with self._database.write() as connection:
            connection.execute(delete(challenges).where(challenges.c.expires_at < int(time.time())))
            connection.execute(
                insert(challenges).values(challenge=challenge, holder=holder, expires_at=expires_at)
            )
        return challenge, expires_at

    def consume_challenge(self, challenge: bytes) -> tuple[str, int] | None:
        """Take a challenge out; returns its holder and end, None if it is unknown, used or over."""
        with self._database.write() as connection:
            row = connection.execute(
                select(challenges).where(challenges.c.challenge == challenge)
            ).one_or_none()
            connection.execute(delete(challenges).where(challenges.c.challenge == challenge))
        if row is None or row.expires_at < time.time():
            return None
        return row.holder, row.expires_at


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
