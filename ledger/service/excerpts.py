"""
Excerpts: of what a decision permits, only what is from the days that it names.

The contract sees days, not data: that a request stays within the days of a consent is its work, that no more leaves than
was permitted is this service's. The days are decided on the record as it was registered, whatever level is handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.domain.days import date_of
from ledger.domain.records import PassportId, Terms
from ledger.domain.vocabulary import Category, Level
from ledger.domain.wording import days_in_words
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, NotFound
from ledger.interop.dating import is_within
from ledger.interop.deidentification import is_kept
from ledger.ports import SealedCategory, SealedLevel, Vault


@dataclass(frozen=True, slots=True)
class Days:
    """
    Which days' data a decision permits.

    Attributes:
        first: Included; None for all before `last`.
        last: Included; None for all after `first`.
        words: What is put after what data it is: " of 2020-01-01 to 2020-01-31".
    """

    first: date | None
    last: date | None
    words: str


def days_of(terms: Terms) -> Days | None:
    """Return the days that terms name; None if they name none, which is all days."""
    if not (terms.first_day or terms.last_day):
        return None
    words = days_in_words(terms.first_day, terms.last_day)
    return Days(date_of(terms.first_day), date_of(terms.last_day), words)


def places_within(
    vault: Vault, passport_id: PassportId, level: Level, category: Category, days: Days
) -> list[int]:
    """
    Return which resources of a category at a level are wholly from some days, by their place in it from 0.

    Raises:
        Conflict: What the vault keeps at the level cannot be told apart by days.
    """
    originals = vault.resources(passport_id, Level.IDENTIFIED, category)
    if level is not Level.IDENTIFIED:
        originals = [resource for resource in originals if is_kept(resource)]
        written = vault.resources(passport_id, level, category)
        # Levels have the same resources in the same order: the dates of one level are those of the other's originals.
        if [_kind(each) for each in originals] != [_kind(each) for each in written]:
            raise Conflict(
                f"which {category.name} at the level {level.name} are{days.words} cannot be told",
                fix="Let the custodian register the record anew, or ask for all days, if the consent allows it.",
            )
    return [place for place, each in enumerate(originals) if is_within(each, days.first, days.last)]


def require_whole(vault: Vault, passport_id: PassportId, terms: Terms, level: Level) -> None:
    """
    Check that a copy holds nothing but what is from the days that its permit names.

    A copy is sent whole: both sides state the commitment to all that the passport holds.

    Raises:
        NotFound: The permit names days, and this service does not keep the record that it is about.
        Conflict: The record holds something of the permitted categories that is not wholly from these days.
    """
    days = days_of(terms)
    if days is None:
        return
    advice = f"Let the recipient ask to READ: then what is{days.words} alone is handed over."
    if vault.record(passport_id) is None:
        raise NotFound(
            f"this service does not keep record {to_hex(passport_id)}, so it cannot tell what is{days.words}",
            fix=advice,
        )
    found = vault.level(passport_id, level)
    for item in permitted_of(found, terms) if found else ():
        if len(places_within(vault, passport_id, level, item.category, days)) != item.entries:
            raise Conflict(
                f"a copy is sent whole, and not all that is permitted of record {to_hex(passport_id)} is{days.words}",
                fix=advice,
            )


def permitted_of(found: SealedLevel, terms: Terms) -> list[SealedCategory]:
    """Return what a record has of the permitted categories at a level."""
    return [item for item in found.categories if item.category in terms.categories]


def _kind(resource: dict[str, object]) -> object:
    return resource.get("resourceType")
