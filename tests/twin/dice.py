"""Choices that follow from one number, evenly spread, so that few steps make rich histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final, TypeVar

from ledger.domain.records import EmergencyLimits, PolicyTable
from ledger.domain.vocabulary import (
    ASKED_ON_DEMAND,
    Basis,
    Category,
    DataClass,
    Fact,
    Purpose,
)
from tests.twin.model import floor_of

_T = TypeVar("_T")

_BYTES: Final = 3
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400


class Dice:
    """A stream of choices that follows from one number, or two."""

    def __init__(self, seed: int, salt: int = 0, *, clumsy: bool = True) -> None:
        self._seed, self._count, self._noise = seed << 16 | salt, 0, b""
        self._clumsy = clumsy and self.below(4) == 0

    def below(self, bound: int) -> int:
        """Return a number from 0 to bound - 1; bound is at most 2^16."""
        if len(self._noise) < _BYTES:
            self._count += 1
            self._noise = blake2b(
                self._seed.to_bytes(16, "big"), salt=self._count.to_bytes(8, "big")
            ).digest()
        value, self._noise = int.from_bytes(self._noise[:_BYTES], "big"), self._noise[_BYTES:]
        return value % bound

    def pick(self, options: Sequence[_T]) -> _T:
        """Return one of some options."""
        return options[self.below(len(options))]

    def rarely(self, one_in: int) -> bool:
        """Return True once in a while."""
        return self.below(one_in) == one_in - 1

    def slips(self, one_in: int) -> bool:
        """Return True once in a while with a quarter of all dice: for what goes wrong."""
        return self._clumsy and self.below(max(2, one_in // 3)) == 1

    def part(self, whole: int) -> int:
        """Return a part of a set of 16, not empty if the set is not: mostly all of it, or one, or any."""
        kind = self.below(4)
        if kind < 2 or not whole:
            return whole
        bits = [bit for bit in range(16) if whole >> bit & 1]
        if kind == 2:
            return 1 << self.pick(bits)
        return whole & self.below(1 << 16) or 1 << bits[0]


def law_from(dice: Dice, law: PolicyTable) -> PolicyTable:
    """
    Return another law, above the floors but for once in a while.

    Entries require the floor and, with the law's own strictness, further facts. A strictness of zero permits much.
    """
    strictness, empty = dice.pick((0, 0, 0, 1, 3, 12, 48)), dice.pick((0, 0, 24))
    required = []
    for _ in DataClass:
        for _ in Purpose:
            word = 0
            for basis in Basis:
                entry = floor_of(basis)
                for fact in Fact:
                    # What is established on demand alone is asked for more often.
                    more = 32 if fact in ASKED_ON_DEMAND and strictness else 0
                    if fact is not Fact.LAWFUL and dice.below(256) < strictness + more:
                        entry |= fact
                if dice.below(256) >= empty:
                    word |= int(entry) << 32 * basis
            required.append(word)
    if dice.slips(12):
        required[dice.below(48)] ^= 1 << 32 * dice.below(8)  # MEMBER_ACTIVE is in every floor
    core = Category(dice.part(0xFFFF) & dice.below(1 << 16) & dice.below(1 << 16))
    sensitive = Category(dice.below(1 << 16) & dice.below(1 << 16) & ~core)
    if dice.slips(12):
        sensitive |= core
    necessary = 0
    for purpose in Purpose:
        necessary |= (
            0xFFFF if dice.below(256) < 128 else dice.below(1 << 16) | dice.below(1 << 16)
        ) << 16 * purpose
    return replace(
        law,
        required=tuple(required),
        necessary=necessary,
        levels=int.from_bytes(bytes(dice.below(256) & dice.below(256) for _ in range(12)), "big"),
        core_categories=core,
        sensitive_categories=sensitive,
        banned_purposes=dice.below(1 << 16) & dice.below(1 << 16) & dice.below(1 << 16) & dice.below(1 << 16)
        if dice.below(256) < 96
        else 0,
        max_grant_seconds=dice.pick(
            (3650 * DAY, 3650 * DAY, 365 * DAY, 30 * DAY, DAY, 0 if dice.slips(12) else HOUR)
        ),
        emergencies=EmergencyLimits(
            seconds=dice.pick((4 * HOUR, HOUR, MINUTE)),
            categories=Category(dice.below(1 << 16) | dice.below(1 << 16)),
            monthly_quota=dice.pick((20, 2, 1, 0)),
            review_seconds=dice.pick((72 * HOUR, HOUR, MINUTE)),
            max_declaration_seconds=dice.pick((90 * DAY, DAY)),
            recovery_seconds=dice.pick((7 * DAY, MINUTE)),
        ),
    )


def flip(dice: Dice, word: int) -> int:
    """Return packed terms with one field changed, perhaps to what does not exist."""
    place, width = dice.pick(
        (
            (32, 16),
            (0, 4),
            (8, 3),
            (24, 2),
            (144, 3),
            (160, 3),
            (48, 2),
            (80, 2),
            (112, 4),
            (16, 2),
            (0, 8),
            (24, 3),
            (176, 2),
            (208, 1),
        )
    )
    value = dice.below(1 << width)
    return word & ~(((1 << width) - 1) << place) | value << place
