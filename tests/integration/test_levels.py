"""One record at each of its levels: registered, permitted, handed over, opened, and checked against the chain."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.client import content_received, open_release
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import RECORD_LEVELS, Category, Level, Operation, Role, names
from ledger.errors import Conflict, VerificationError
from ledger.interop.deidentification import Content, deidentify, is_labelled
from ledger.interop.fhir import read_bundle
from ledger.ports import DecisionRecord
from ledger.service.releases import Release, hand_over
from tests.support.data import bundle
from tests.support.releases import sent
from tests.support.world import Actor, World

ASKED = Category.DIAGNOSIS | Category.MEDICATION
EVERY_LEVEL = pytest.mark.parametrize("level", RECORD_LEVELS)


@dataclass(frozen=True)
class Permitted:
    """A record, and somebody who may read it and receive a copy."""

    world: World
    recipient: Actor
    passport: PassportId
    original: Content
    decisions: dict[Operation, DecisionRecord]

    def release(self, level: Level, operation: Operation = Operation.READ) -> Release:
        """Hand the record over at a level."""
        service = self.world.service
        return hand_over(
            service.index,
            service.writer,
            service.vault,
            decision=self.decisions[operation],
            level=level,
            recipient=self.recipient.member,
        )

    @property
    def content(self) -> bytes:
        """Return the content commitment that the chain holds."""
        passport = self.world.service.chain.passport(self.passport)
        assert passport is not None
        return passport.content


def without_pseudonyms(content: dict[str, list[dict[str, Any]]]) -> str:
    """Return resources with the same word for every pseudonym."""
    return re.sub(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "pseudonym", json.dumps(content, sort_keys=True)
    )


@pytest.fixture(scope="module")
def permitted(world: World) -> Permitted:
    """Register a patient, and permit a laboratory to read and to receive diagnoses and medication."""
    hospital = world.admit("Level hospital", Role.CUSTODIAN)
    laboratory = world.admit("Level laboratory", Role.PROCESSOR)
    document = bundle(4, reference="level-patient")
    passport = world.register(hospital, document=document)
    words = {"grant_id": world.grant(hospital, passport, laboratory), "project_id": world.project(laboratory)}
    decisions = {}
    for operation in (Operation.READ, Operation.TRANSFER):
        verdict = world.ask(laboratory, passport, operation=operation, categories=ASKED, **words)
        decision = world.service.chain.decision(passport, verdict.seq)
        assert decision is not None
        decisions[operation] = decision
    return Permitted(world, laboratory, passport, read_bundle(document).content, decisions)


@EVERY_LEVEL
def test_each_level_is_checked_against_the_chain(permitted: Permitted, level: Level) -> None:
    """The recipient of any level finds it in the one content commitment, and the label in every resource."""
    release = sent(permitted.release(level))

    opened = open_release(release, permitted.recipient.keys, level=level, content=permitted.content)

    assert names(ASKED) == list(opened)
    assert all(is_labelled(item, level) for entries in opened.values() for item in entries)
    assert {name: len(permitted.original[Category[name]]) for name in opened} == {
        name: len(entries) for name, entries in opened.items()
    }
    for other in set(RECORD_LEVELS) - {level}:
        with pytest.raises(VerificationError, match=f"the decision says {other.name}"):
            open_release(release, permitted.recipient.keys, level=other)


def test_the_identified_level_is_what_was_registered(permitted: Permitted) -> None:
    """Resource for resource."""
    opened = open_release(sent(permitted.release(Level.IDENTIFIED)), permitted.recipient.keys)

    assert {name: permitted.original[Category[name]] for name in names(ASKED)} == opened


@pytest.mark.parametrize("level", [Level.PSEUDONYMISED, Level.DEIDENTIFIED])
def test_the_other_levels_are_the_same_but_for_the_pseudonyms(permitted: Permitted, level: Level) -> None:
    """What was sealed is what de-identification leaves; only the secret of the pseudonyms is the registration's own."""
    opened = open_release(sent(permitted.release(level)), permitted.recipient.keys)
    made = deidentify(permitted.original, level=level, secret=b"s" * 32, year=datetime.now(UTC).year)
    expected = {name: made[Category[name]] for name in names(ASKED)}

    assert "level-patient" not in json.dumps(opened)
    assert opened != expected
    assert without_pseudonyms(expected) == without_pseudonyms(opened)


def test_a_release_tells_nothing_of_the_other_levels(permitted: Permitted) -> None:
    """Of manifests, salts and keys two levels share only the top of the record."""
    first, second = (sent(permitted.release(level)) for level in (Level.PSEUDONYMISED, Level.DEIDENTIFIED))

    assert (first["levels"], first["levelsSalt"]) == (second["levels"], second["levelsSalt"])
    assert not set(first["manifest"].values()) & set(second["manifest"].values())
    assert first["manifestSalt"] != second["manifestSalt"]
    for field in ("ciphertext", "salt", "commitment"):
        assert not {item[field] for item in first["categories"]} & {
            item[field] for item in second["categories"]
        }


@EVERY_LEVEL
def test_the_recipient_of_a_copy_reports_the_same_content_at_any_level(
    permitted: Permitted, level: Level
) -> None:
    """Both sides of a transfer agree, whatever level was handed over; and disagree if one resource differs."""
    release = sent(permitted.release(level, Operation.TRANSFER))
    other = sent(permitted.release(RECORD_LEVELS[level - 1], Operation.TRANSFER))
    exchanged = {**release, "categories": other["categories"]}

    assert permitted.content == content_received(release, permitted.recipient.keys)
    assert permitted.content != content_received(exchanged, permitted.recipient.keys)


def test_a_record_is_not_released_as_an_aggregate(permitted: Permitted) -> None:
    """Nothing is handed over; the message says at which levels there is something."""
    with pytest.raises(Conflict, match="no form that is AGGREGATE") as refused:
        permitted.release(Level.AGGREGATE)

    assert "PSEUDONYMISED" in refused.value.advice


def test_the_use_cases_release_at_the_level_of_the_decision(permitted: Permitted) -> None:
    """The level that the recipient gets is the one that was asked for and permitted."""
    decision = permitted.decisions[Operation.READ]
    release = permitted.world.service.releases.release(
        permitted.recipient.member, permitted.passport, decision.verdict.seq
    )

    assert Level.PSEUDONYMISED is decision.terms.level is release.level


def test_the_receipt_says_the_level(permitted: Permitted) -> None:
    """What the receipt on chain commits to names level and categories."""
    permitted.release(Level.PSEUDONYMISED)
    vault, writer = permitted.world.service.vault, permitted.world.service.writer
    seq = permitted.decisions[Operation.READ].verdict.seq
    found = writer.find(f"release:0x{permitted.passport.hex()}", str(seq))
    assert found is not None
    receipt = permitted.world.done(found[0]).events[0].arguments

    passport = permitted.world.service.index.passport(permitted.passport)
    assert passport is not None
    record = vault.recall(receipt["commitment"], domain="release", owner=passport.passport.custodian)

    assert record is not None
    assert record["level"] in [level.name for level in RECORD_LEVELS]
    assert names(ASKED) == record["categories"]
