"""
Every error the ledger raises, and what to do about each.

::

    LedgerError
    ├── InvalidInput            the caller's words are wrong: correct them and send again
    │   ├── UnknownCode         a purpose, category, basis or operation that does not exist
    │   ├── MalformedRecord     FHIR that cannot be read, or a bundle without a patient
    │   └── TooLarge            more than the stated bound
    ├── SignatureRejected       the signature does not say what it should
    │   ├── SignatureExpired    past its deadline, or created too long ago
    │   └── SignatureReplayed   the same signed request came before
    ├── NotAuthenticated        nobody we know signed this
    ├── NotPermitted            known, but not allowed
    ├── NotFound                nothing by that name
    ├── Conflict                the state does not allow it (any more)
    ├── VerificationError       what was found is not what the ledger says
    ├── ChainError              the chain did not do it
    │   ├── NodeUnreachable     no answer from the node; safe to try again
    │   ├── TransactionPending  written down and on its way, not mined yet
    │   └── UnknownRevert       the contract refused for a reason this version does not know
    ├── StoreUnavailable        the database did not take it; safe to try again
    └── ConfigurationError      start-up: the message says what to set

Nothing here knows about HTTP: `api/problems.py` maps these to status codes.
"""

from __future__ import annotations

from typing import Any, ClassVar


class LedgerError(Exception):
    """
    The one class a caller needs to catch.

    Attributes:
        code: Stable name of the kind of error, kebab-case; the last part of the problem type URI.
        retryable: True if the very same call may succeed later.
        fix: What the caller can do about it, one sentence.
        details: Values that help to find the cause; never a key, salt, record or name of a person.
    """

    code: ClassVar[str] = "ledger-error"
    retryable: ClassVar[bool] = False
    fix: ClassVar[str] = "Read the message; if it does not help, run `passport doctor`."

    def __init__(
        self, message: str, *, fix: str | None = None, code: str | None = None, **details: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = fix or type(self).fix
        self.kind = code or type(self).code
        self.details = details


class InvalidInput(LedgerError):
    """The caller's words are wrong."""

    code = "invalid-input"
    fix = "Correct the named field and send again."


class UnknownCode(InvalidInput):
    """A purpose, category, basis, kind of step or other code that does not exist; the message lists those that do."""

    code = "unknown-code"
    fix = "Use one of the known codes that the message lists."


class MalformedRecord(InvalidInput):
    """FHIR that cannot be read."""

    code = "malformed-record"
    fix = "Send one FHIR R4 Bundle with exactly one Patient."


class TooLarge(InvalidInput):
    """More than the stated bound."""

    code = "too-large"
    fix = "Send less at once; the message names the bound."


class SignatureRejected(LedgerError):
    """The signature does not say what it should."""

    code = "signature-rejected"
    fix = "Sign exactly these words with the right key, for this ledger and this chain."


class SignatureExpired(SignatureRejected):
    """Past its deadline, or created too long ago."""

    code = "signature-expired"
    fix = "Sign again with a later deadline, and check the clock."


class SignatureReplayed(SignatureRejected):
    """The same signed request came before."""

    code = "signature-replayed"
    fix = "Sign every request anew, with a nonce of its own."


class NotAuthenticated(LedgerError):
    """Nobody we know signed this."""

    code = "not-authenticated"
    fix = "Sign the request with the Ed25519 key that the ledger holds for your institution, or sign in as a holder."


class NotPermitted(LedgerError):
    """Known, but not allowed."""

    code = "not-permitted"
    fix = "Ask a member that holds the role named in the message."


class NotFound(LedgerError):
    """Nothing by that name."""

    code = "not-found"
    fix = "Check the id; ids are 0x and 64 hexadecimal digits."


class Conflict(LedgerError):
    """The state does not allow it (any more)."""

    code = "conflict"
    fix = "Read the current state, then decide whether the change is still wanted."


class VerificationError(LedgerError):
    """What was found is not what the ledger says."""

    code = "verification-failed"
    fix = "Do not use this data; report the difference to the committee."


class ChainError(LedgerError):
    """The chain did not do it."""

    code = "chain-error"


class NodeUnreachable(ChainError):
    """No answer from the node."""

    code = "node-unreachable"
    retryable = True
    fix = "Start the node or correct its URL; what was accepted is kept and goes out when the node is back."


class TransactionPending(ChainError):
    """Written down and on its way, not mined yet."""

    code = "transaction-pending"
    retryable = True
    fix = "Ask for the operation again in a moment; it is not lost and must not be sent twice."


class UnknownRevert(ChainError):
    """The contract refused for a reason this version does not know."""

    code = "unknown-revert"
    fix = "Compare the ledger's code with this version: run `passport doctor`."


class StoreUnavailable(LedgerError):
    """The database did not take it."""

    code = "store-unavailable"
    retryable = True
    fix = "Try again; if it stays so, see whether another program holds the database or the disk is full."


class ConfigurationError(LedgerError):
    """Start-up: something must be set."""

    code = "configuration"
    fix = "Set what the message names, then start again."
