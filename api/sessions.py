"""Sign-ins, challenges and nonces: what must be remembered between requests."""

from __future__ import annotations

from typing import Final, Protocol

#: Kinds of subject that a session stands for.
MEMBER: Final = "member"
HOLDER: Final = "holder"


class Sessions(Protocol):
    """What `ledger.store` keeps for the web side. Codes and challenges are random; both end by themselves."""

    def create(self, kind: str, subject: str, *, ttl_seconds: int) -> tuple[str, float]:
        """
        Sign a subject in: a holder by the holder key, a member by its signing key.

        Returns:
            The code that stands for it, and when it ends (seconds, Unix epoch).
        """

    def lookup(self, code: str) -> tuple[str, str] | None:
        """Return the kind and subject that a code stands for; None if there is none or it has ended."""

    def delete(self, code: str) -> None:
        """Forget a code; nothing happens if there is none."""

    def claim_nonce(self, scope: str, nonce: str, expires_at: float) -> bool:
        """Take a nonce for a scope until a time; False if it was taken before."""

    def issue_challenge(self, holder: str, *, ttl_seconds: int) -> tuple[bytes, int]:
        """Return 32 random bytes for a holder to sign, and when they end."""

    def consume_challenge(self, challenge: bytes) -> tuple[str, int] | None:
        """Return the holder and the end of a challenge, once; None if there is none."""
