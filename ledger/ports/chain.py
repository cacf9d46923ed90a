"""The chain: what the contract holds at the head."""

from __future__ import annotations

from typing import Any, Protocol

from ledger.domain.records import (
    Address,
    BlockHeader,
    Entrustment,
    Exports,
    GrantId,
    GrantState,
    HolderKey,
    Member,
    Passport,
    PassportId,
    TransferId,
)
from ledger.domain.vocabulary import TransferStatus
from ledger.encoding.typed_data import LedgerDomain
from ledger.ports.index import DecisionRecord


class Chain(Protocol):
    """The ledger contract on its chain. Reads answer at the head, never from the index."""

    def domain(self) -> LedgerDomain:
        """Return which ledger on which chain this is."""

    def now(self) -> int:
        """Return the time a transaction would see: the later of the head block's time and the clock, in seconds."""

    def head(self) -> BlockHeader:
        """Return the newest block."""

    def member(self, member_id: int) -> Member | None:
        """Return a member as the contract holds it (its name is empty: names are in the events alone)."""

    def passport(self, passport_id: PassportId) -> Passport | None:
        """Return a passport as the contract holds it."""

    def grant(self, passport_id: PassportId, grant_id: GrantId) -> GrantState | None:
        """Return a grant as the contract holds it."""

    def entrustment(self, controller: int, processor: int) -> Entrustment:
        """Return what a controller entrusted a processor with; no purpose if nothing."""

    def emergency_until(self, emergency_id: int) -> int:
        """Return when an emergency ends, seconds since the Unix epoch, exclusive; 0 if there is none."""

    def decision(self, passport_id: PassportId, seq: int, *, newer_than: int = 0) -> DecisionRecord | None:
        """
        Return a decision from the node's own log, which is read from its end.

        Args:
            passport_id: The data.
            seq: Its number.
            newer_than: Seconds since the Unix epoch; blocks from before are not read.
        """

    def transfer_permit(self, passport_id: PassportId, seq: int) -> int:
        """Return the member that an unused permit to transfer names; 0 if there is none that still stands."""

    def transfer_status(self, transfer_id: TransferId) -> TransferStatus:
        """Return where a transfer stands as the contract holds it; NONE if there is none."""

    def transfer_stands(self, transfer_id: TransferId) -> bool:
        """Tell whether what a transfer of many records rests on is in force."""

    def holder_nonce(self, passport_id: PassportId) -> int:
        """Return the number that the next signature names which is good once: on delegates, guardians, a recovery."""

    def stands_by(self, key: HolderKey, digest: bytes, signature: bytes) -> bool:
        """Tell whether a key that is not a bare account stands by a digest now: by ERC-1271 or ERC-7913."""

    def reading_of(self, call: bytes) -> tuple[str, dict[str, Any]]:
        """Return the ledger's function that calldata calls, and its arguments by name; none if they cannot be read."""

    def act_approved_at(self, act_id: int) -> int:
        """Return when an act of the committee had what its rule needs, seconds since the Unix epoch; 0 before."""

    def exports(self, exporter: int, year: int) -> Exports:
        """Return how many persons' data a member has exported in a calendar year (UTC+8)."""

    def allowance(self, payer: Address) -> int:
        """Return what *payer* gives a new signer for its transactions, in wei: a thousandth of what it has."""
