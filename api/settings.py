"""What the web side needs to be told. It reads no environment: whoever starts the service fills this in."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import InvalidInput
from ledger.ports import MAX_LAG_BLOCKS

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """
    Settings of the REST service and the pages.

    Attributes:
        origin: Where this service is reached, `scheme://host[:port]`, no path. Signatures and sign-ins name it.
        other_origins: More origins under which the same service is reached, for example `http://localhost:8000`.
        rpc_url: The Ethereum node that pages suggest for checking against the chain; shown to everybody, so it must
            not hold a credential.
        deployed_block: Number of the block in which the ledger was deployed: where a replay starts.
        max_index_lag: How many blocks the index may be behind before the service says that it is not ready.
        wait_seconds: How long a write waits for the chain unless the caller prefers otherwise.
        max_wait_seconds: Longest wait that a caller can ask for.
        session_seconds: How long a sign-in lasts.
        challenge_seconds: How long a sign-in challenge can be answered.
        max_body_bytes: Largest body taken.
        max_bundle_bytes: Largest body taken by POST /v1/passports, signed by an active custodian.
        body_seconds: How long a body may take to arrive.
        max_waits: How many writes of one caller wait at the same time; all together take three threads in four.
        threads: Requests that can wait for the chain or the database at the same time.
    """

    origin: str
    other_origins: tuple[str, ...] = ()
    rpc_url: str = ""
    deployed_block: int = 0
    max_index_lag: int = MAX_LAG_BLOCKS
    wait_seconds: float = 20.0
    max_wait_seconds: float = 60.0
    session_seconds: int = 3600
    challenge_seconds: int = 300
    max_body_bytes: int = 256 * KIB
    max_bundle_bytes: int = 32 * MIB
    body_seconds: float = 60.0
    max_waits: int = 32
    threads: int = 128

    @property
    def origins(self) -> tuple[str, ...]:
        """Return every origin under which the service is reached, the canonical one first."""
        return (self.origin, *self.other_origins)

    @property
    def secure(self) -> bool:
        """Tell whether the service is reached over TLS, so that cookies can insist on it."""
        return self.origin.startswith("https://")

    def origin_for(self, host: str) -> str:
        """
        Return the origin that a request's Host header stands for.

        Raises:
            InvalidInput: The service does not know itself by that name.
        """
        for origin in self.origins:
            if origin.partition("://")[2].lower() == host.lower():
                return origin
        raise InvalidInput(
            "the request is addressed to a host name that this service does not go by",
            fix=f"Use {' or '.join(self.origins)}.",
            code="unknown-host",
        )
