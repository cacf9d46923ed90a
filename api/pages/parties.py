"""Whom the pages of what moves between members tell of, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.domain.records import Member


@dataclass(frozen=True, slots=True)
class Parties:
    """
    Members, and when they are told of.

    Attributes:
        members: All members by number.
        at: The time of reading, seconds since the Unix epoch.
        origin: Where this service is reached.
    """

    members: Mapping[int, Member]
    at: int
    origin: str

    def name(self, number: int) -> str:
        """Return what a member is called."""
        member = self.members.get(number)
        return member.name if member else f"member {number}"

    @property
    def names(self) -> dict[int, str]:
        """Return what all members are called, by number."""
        return {number: member.name for number, member in self.members.items()}
