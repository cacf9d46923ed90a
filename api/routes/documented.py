"""The answers besides success that the OpenAPI file lists for reads and for writes."""

from __future__ import annotations

from typing import Any, Final

from api.problems import responses
from api.schemas.operations import OperationOut
from ledger.errors import (
    ChainError,
    Conflict,
    MalformedRecord,
    NodeUnreachable,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    SignatureExpired,
    SignatureRejected,
    SignatureReplayed,
    StoreUnavailable,
    TooLarge,
    UnknownCode,
)

Documented = dict[int | str, dict[str, Any]]

_SIGNED = (NotAuthenticated, SignatureRejected, SignatureExpired, SignatureReplayed)

#: For everybody.
PUBLIC: Final[Documented] = responses(NotFound)
#: For reads by those who are known.
READ: Final[Documented] = responses(*_SIGNED, NotPermitted, NotFound, StoreUnavailable, "unknown-host")
#: For reads that ask the chain itself.
READ_CHAIN: Final[Documented] = responses(
    *_SIGNED, NotPermitted, NotFound, Conflict, NodeUnreachable, "unknown-host"
)
#: For words that are checked and kept, without a write to the ledger.
PREPARE: Final[Documented] = responses(
    *_SIGNED,
    NotPermitted,
    NotFound,
    UnknownCode,
    TooLarge,
    NodeUnreachable,
    "malformed-body",
    "too-slow",
    "unknown-host",
)
#: For writes.
WRITE: Final[Documented] = {
    202: {
        "model": OperationOut,
        "description": "Written down and on its way: ask the operation. Or proposed to the committee: `Location` is the act that waits, `advice` says what to do.",
    },
    **responses(
        *_SIGNED,
        NotPermitted,
        NotFound,
        Conflict,
        UnknownCode,
        MalformedRecord,
        TooLarge,
        ChainError,
        NodeUnreachable,
        StoreUnavailable,
        "malformed-body",
        "too-slow",
        "idempotency-key-missing",
        "idempotency-key-reused",
        "unknown-host",
    ),
}
