"""Decisions that put people into a dataset, told in short: how many, a digest of all, and the first ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from eth_hash.auto import keccak

from ledger.domain.records import GrantId, PassportId

#: How many decisions a list names before it only counts them.
MAX_NAMED: Final = 100
_WORD_BYTES: Final = 32

#: One decision: the passport, its number, and the grant that it rests on (32 zero bytes if on none).
Included = tuple[PassportId, int, GrantId]


@dataclass(frozen=True, slots=True)
class InclusionList:
    """
    Decisions in the order of the chain.

    Attributes:
        count: How many.
        digest: keccak256 over passport, seq and grant of each, one word each: whoever replays the chain gets the same.
        named: The first ones, at most `MAX_NAMED`.
    """

    count: int
    digest: bytes
    named: tuple[Included, ...]

    def counted(self) -> InclusionList:
        """Return it without the names, for whoever may not know who was in it."""
        return replace(self, named=())


def inclusion_list(decisions: Iterable[Included]) -> InclusionList:
    """Tell decisions in short."""
    count, fold, named = 0, keccak.new(b""), list[Included]()
    for passport_id, seq, grant_id in decisions:
        fold.update(passport_id + seq.to_bytes(_WORD_BYTES, "big") + grant_id)
        if count < MAX_NAMED:
            named.append((passport_id, seq, grant_id))
        count += 1
    return InclusionList(count, fold.digest(), tuple(named))
