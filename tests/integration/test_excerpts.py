"""Consents that name days, on a real chain: what is handed over is from these days, and nothing else leaves."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cli.verification import LedgerReader
from ledger.client import content_received, open_release
from ledger.client.releases import receipt_of
from ledger.domain.days import day_of
from ledger.domain.records import Commitment, PassportId, Verdict
from ledger.domain.vocabulary import Category, Fact, Level, Operation, Outcome, Role
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import Conflict, NotFound, VerificationError
from ledger.interop.deidentification import Content
from ledger.interop.fhir import read_bundle
from ledger.ports import Call, DecisionRecord
from ledger.service.excerpts import Days, days_of, places_within, require_whole
from ledger.service.releases import hand_over
from ledger.store.database import Database
from ledger.store.vault_rows import SqlVaultRows
from ledger.vault import SealedVault
from tests.support.data import bundle
from tests.support.releases import sent
from tests.support.transfers import Exchange
from tests.support.world import Actor, World

#: On the first day this patient's blood was taken, on the last one an illness was over.
FIRST, LAST = date(2014, 2, 17), date(2014, 7, 8)
SPAN = {"first_day": day_of(FIRST), "last_day": day_of(LAST)}
ISO = (FIRST.isoformat(), LAST.isoformat())
ASKED = Category.DIAGNOSIS | Category.LABORATORY | Category.MEDICATION
HIDING = pytest.mark.parametrize("level", [Level.PSEUDONYMISED, Level.DEIDENTIFIED])


@dataclass(frozen=True)
class Study:
    """A patient who lets a laboratory use what is from some days, and the record as it was registered."""

    world: World
    hospital: Actor
    recipient: Actor
    passport: PassportId
    original: Content
    grant: bytes
    project: int

    def ask(self, **changes: Any) -> Verdict:
        """Ask for the days of the consent, unless told otherwise."""
        words = {"grant_id": self.grant, "project_id": self.project, "categories": ASKED, **SPAN, **changes}
        return self.world.ask(self.recipient, self.passport, **words)

    def permit(self, **changes: Any) -> DecisionRecord:
        """Ask, and be permitted."""
        verdict = self.ask(**changes)
        assert verdict.outcome is Outcome.PERMIT, verdict.missing
        decision = self.world.service.chain.decision(self.passport, verdict.seq)
        assert decision is not None
        return decision

    def release(self, decision: DecisionRecord) -> dict[str, Any]:
        """Return what is released under a decision, as the recipient gets it."""
        seq = decision.verdict.seq
        return sent(self.world.service.releases.release(self.recipient.member, self.passport, seq))

    def hand_over(self, decision: DecisionRecord, level: Level) -> dict[str, Any]:
        """Hand over at a level that is not asked for, as for another law."""
        service = self.world.service
        return sent(
            hand_over(
                service.index,
                service.writer,
                service.vault,
                decision=decision,
                level=level,
                recipient=self.recipient.member,
            )
        )

    def kept(self, receipt: bytes) -> Any:
        """Return what the vault keeps of a receipt."""
        owner = self.hospital.member.member_id
        return self.world.service.vault.recall(Commitment(receipt), domain="release", owner=owner)

    def receipt(self, decision: DecisionRecord) -> bytes:
        """Return the receipt on the chain."""
        assert self.world.runtime.deployment is not None
        reader = LedgerReader(self.world.settings.rpc, self.world.runtime.deployment.ledger)
        found = reader.receipt_of(self.passport, decision.verdict.seq, timeout=30)
        assert found is not None
        return found

    @property
    def content(self) -> bytes:
        """Return the content commitment that the chain holds."""
        passport = self.world.service.chain.passport(self.passport)
        assert passport is not None
        return passport.content

    def of_these_days(self) -> dict[str, list[dict[str, Any]]]:
        """Tell by the elements that this record has, not by the code under test, what is from the days."""
        found = {
            category.name: [
                each
                for each in self.original[category]
                if ISO[0] <= min(told(each)) and max(told(each)) <= ISO[1]
            ]
            for category in Category
            if category in ASKED
        }
        return {name: resources for name, resources in found.items() if resources}


def told(resource: dict[str, Any]) -> list[str]:
    """Return the days that an observation, a report, a condition or a prescription of Synthea tells."""
    names = (
        "effectiveDateTime",
        "issued",
        "onsetDateTime",
        "abatementDateTime",
        "recordedDate",
        "authoredOn",
    )
    return [resource[name][:10] for name in names if name in resource]


@pytest.fixture(scope="module")
def study(world: World) -> Study:
    """Register a patient, who consents to the use of what is from the days."""
    hospital = world.admit("Excerpt hospital", Role.CUSTODIAN)
    recipient = world.admit("Excerpt laboratory", Role.PROCESSOR)
    document = bundle(2, reference="excerpt-patient")
    passport = world.register(hospital, document=document)
    days = {"data_from": SPAN["first_day"], "data_to": SPAN["last_day"]}
    grant = world.grant(hospital, passport, recipient, **days)
    project = world.project(recipient)
    return Study(world, hospital, recipient, passport, read_bundle(document).content, grant, project)


def test_the_ledger_permits_the_days_of_the_consent_alone(study: Study) -> None:
    """All days, and a day more at either end, are refused for that reason alone."""
    for wider in (
        {"first_day": 0},
        {"last_day": 0},
        {"first_day": SPAN["first_day"] - 1},
        {"last_day": SPAN["last_day"] + 1},
    ):
        verdict = study.ask(**wider)
        assert (verdict.outcome, verdict.missing) == (Outcome.DENY, Fact.GRANT_PERIOD)


@HIDING
def test_a_release_holds_what_is_from_the_days_and_nothing_else(study: Study, level: Level) -> None:
    """Resource for resource, in their order, at a level whose dates do not tell; opened and checked by the recipient."""
    decision = study.permit(level=level)
    release = study.release(decision)

    opened = open_release(
        release,
        study.recipient.keys,
        level=level,
        content=study.content,
        days=ISO,
        receipt=study.receipt(decision),
    )

    expected = study.of_these_days()
    assert {"DIAGNOSIS": 1, "LABORATORY": 12} == {
        name: len(resources) for name, resources in expected.items()
    }
    assert {name: list(map(nature, resources)) for name, resources in expected.items()} == {
        name: list(map(nature, resources)) for name, resources in opened.items()
    }
    assert (release["excerpted"]["firstDay"], release["excerpted"]["lastDay"]) == ISO
    assert {item["category"]: item["entries"] for item in release["categories"]} == {
        name: len(resources) for name, resources in expected.items()
    }


def nature(resource: dict[str, Any]) -> tuple[Any, ...]:
    """Return what every level leaves of a resource: its type, its codes, its value and its year."""
    value = resource.get("valueQuantity", {})
    return (
        resource["resourceType"],
        [coding["code"] for coding in resource["code"]["coding"]],
        value.get("value"),
        min(told(resource))[:4],
    )


def test_the_identified_level_is_what_was_registered(study: Study) -> None:
    opened = open_release(
        study.hand_over(study.permit(), Level.IDENTIFIED),
        study.recipient.keys,
        content=study.content,
        days=ISO,
    )

    assert study.of_these_days() == opened


def test_a_release_without_days_is_whole_as_ever(study: Study) -> None:
    """Each category is in the manifest; the receipt says what it always said."""
    grant = study.world.grant(study.hospital, study.passport, study.recipient)
    decision = study.permit(grant_id=grant, first_day=0, last_day=0)
    release = study.release(decision)

    opened = open_release(release, study.recipient.keys, content=study.content, days=(None, None))

    assert release["excerpted"] is None
    assert receipt_of(release) is None
    assert {name: len(entries) for name, entries in opened.items()} == {
        category.name: len(study.original[category]) for category in Category if category in ASKED
    }
    record = study.kept(study.receipt(decision))
    assert record == {
        "passport": to_hex(study.passport),
        "seq": decision.verdict.seq,
        "level": "PSEUDONYMISED",
        "categories": list(opened),
    }
    with pytest.raises(VerificationError, match="more may have come than was permitted"):
        open_release(release, study.recipient.keys, days=ISO)


def test_the_receipt_commits_to_what_left(study: Study) -> None:
    """And anybody who has the release computes it, without keys."""
    decision = study.permit()
    release = study.release(decision)
    receipt = study.receipt(decision)

    record = study.kept(receipt)

    assert receipt == receipt_of(release) == bytes32(release["excerpted"]["receipt"])
    assert record is not None
    assert record["categories"] == ["DIAGNOSIS", "LABORATORY"]
    assert record["days"] == {"firstDay": ISO[0], "lastDay": ISO[1]}
    assert record["excerpts"] == {
        item["category"]: {"commitment": item["commitment"], "entries": item["entries"]}
        for item in release["categories"]
    }


def test_asked_for_again_it_is_the_same_under_other_keys(study: Study) -> None:
    """So one receipt holds for both; another decision's excerpts have nothing in common that could be linked."""
    decision = study.permit()
    first, second, other = study.release(decision), study.release(decision), study.release(study.permit())

    assert first["excerpted"] == second["excerpted"]
    for field in ("commitment", "salt"):
        assert [item[field] for item in first["categories"]] == [item[field] for item in second["categories"]]
        assert not {item[field] for item in first["categories"]} & {
            item[field] for item in other["categories"]
        }
    for field in ("ciphertext", "sealedKey"):
        assert not {item[field] for item in first["categories"]} & {
            item[field] for item in second["categories"]
        }
    for item in first["categories"]:
        assert item["commitment"] != first["manifest"][item["category"]]


def test_what_the_recipient_gets_tells_nothing_of_other_days(study: Study) -> None:
    """Neither the salt nor the key of the whole category, nor how much of it there is."""
    release = study.release(study.permit())
    level = study.world.service.vault.level(study.passport, Level.PSEUDONYMISED)
    assert level is not None

    text = json.dumps(release)

    assert {item["category"]: item["entries"] for item in release["categories"]} == {
        name: len(resources) for name, resources in study.of_these_days().items()
    }
    assert set(release["excerpted"]) == {"firstDay", "lastDay", "receipt", "receiptSalt"}
    assert not any(to_hex(item.salt) in text for item in level.categories)
    whole = {base64.b64encode(item.ciphertext).decode() for item in level.categories}
    assert not whole & {item["ciphertext"] for item in release["categories"]}


def test_nothing_from_the_days_is_said_in_words(study: Study) -> None:
    """Nothing leaves, and no receipt says that anything did."""
    day = day_of(date(2014, 3, 1))
    decision = study.permit(first_day=day, last_day=day)

    with pytest.raises(
        Conflict, match="nothing of the permitted categories that is wholly of 2014-03-01"
    ) as refused:
        study.release(decision)

    assert "Ask for more days" in refused.value.advice
    assert (
        study.world.service.writer.find(f"release:{to_hex(study.passport)}", str(decision.verdict.seq))
        is None
    )


def test_what_reaches_beyond_a_day_stays(study: Study) -> None:
    """The illness began on the day asked for last, and went on."""
    first, last = day_of(FIRST), day_of(date(2014, 7, 7))
    opened = open_release(study.release(study.permit(first_day=first, last_day=last)), study.recipient.keys)

    assert list(opened) == ["LABORATORY"]


def test_a_receipt_of_something_else_is_not_passed_over(study: Study) -> None:
    """A receipt that was written before, of more or of less, never stands for an excerpt."""
    decision = study.permit()
    seq = decision.verdict.seq
    call = Call("recordRelease", (to_hex(study.passport), seq, to_hex(b"\x07" * 32)))
    study.world.done(study.world.service.writer.submit(study.hospital.member.signer, call))

    with pytest.raises(Conflict, match="is of something else than what of the record is of 2014-02-17"):
        study.release(decision)


def test_a_service_that_hands_over_more_is_found_out(study: Study) -> None:
    """By other days than the decision's, and by another receipt than the ledger's."""
    keys = study.recipient.keys
    decision = study.permit()
    release = study.release(decision)
    for days in ((None, ISO[1]), (ISO[0], "2014-07-09"), (None, None)):
        with pytest.raises(VerificationError, match="other days than the decision names"):
            open_release(release, keys, days=days)
    with pytest.raises(VerificationError, match="not what the receipt on the ledger commits to"):
        open_release(release, keys, days=ISO, receipt=b"\x07" * 32)
    for changed in ({"firstDay": None}, {"receiptSalt": "0x" + "07" * 32}, {"receipt": "0x" + "07" * 32}):
        with pytest.raises(VerificationError, match="not what the receipt on the ledger commits to"):
            open_release({**release, "excerpted": {**release["excerpted"], **changed}}, keys)
    fewer = {**release, "categories": release["categories"][:1]}
    with pytest.raises(VerificationError, match="not what the receipt on the ledger commits to"):
        open_release(fewer, keys)
    whole = {**release, "excerpted": None}
    with pytest.raises(VerificationError, match="not those that were committed to"):
        open_release(whole, keys)
    with pytest.raises(VerificationError, match="the release is of excerpts"):
        content_received(release, keys)


class TestCopies:
    """A copy is sent whole, so it goes only if all of it is from the days."""

    def test_a_copy_with_something_of_other_days_is_not_shipped(self, study: Study) -> None:
        """And nothing is on record of it; the permit stays good for nothing else."""
        before = study.world.service.index.transfers(passport_id=study.passport)
        verdict = study.ask(operation=Operation.TRANSFER)
        transfers = study.world.service.transfers

        with pytest.raises(Conflict, match="a copy is sent whole, and not all that is permitted") as refused:
            transfers.ship(study.hospital.member, study.passport, verdict.seq)

        assert "Let the recipient ask to READ" in refused.value.advice
        assert study.world.service.index.transfers(passport_id=study.passport) == before

    def test_nor_handed_over_if_the_ledger_has_it_shipped(self, study: Study) -> None:
        """Whoever ships past the service's own check finds the same answer at the collection."""
        verdict = study.ask(operation=Operation.TRANSFER)
        name = os.urandom(32)
        call = Call("ship", (to_hex(name), to_hex(study.passport), verdict.seq, to_hex(study.content)))
        study.world.done(study.world.service.writer.submit(study.hospital.member.signer, call))

        with pytest.raises(Conflict, match="a copy is sent whole"):
            study.world.service.transfers.collect(study.recipient.member, name)

    def test_a_copy_that_is_all_of_the_days_goes_whole(self, study: Study) -> None:
        """Its content is that of the passport: both sides agree."""
        transfers = study.world.service.transfers
        wide = {"first_day": day_of(date(2008, 10, 30)), "last_day": day_of(date(2026, 1, 1))}
        grant = study.world.grant(study.hospital, study.passport, study.recipient)
        verdict = study.ask(grant_id=grant, operation=Operation.TRANSFER, **wide)
        name, operation = transfers.ship(study.hospital.member, study.passport, verdict.seq)
        study.world.done(operation)

        release = sent(transfers.collect(study.recipient.member, name))

        assert release["excerpted"] is None
        assert study.content == content_received(release, study.recipient.keys)
        later = study.ask(
            grant_id=grant, operation=Operation.TRANSFER, **{**wide, "first_day": wide["first_day"] + 1}
        )
        with pytest.raises(Conflict, match="a copy is sent whole"):
            transfers.ship(study.hospital.member, study.passport, later.seq)

    def test_nor_is_it_loaded_among_many(self, world: World) -> None:
        """One of two permits names days: the two are not loaded, and the other one alone is."""
        exchange = Exchange(world)
        passports = exchange.records(2)
        (free,) = exchange.permits(passports[:1])
        (bound,) = exchange.permits(passports[1:], **SPAN)
        name = exchange.declare(exchange.plan(2))

        with pytest.raises(Conflict, match=f"record {to_hex(passports[1])} is of 2014-02-17 to 2014-07-08"):
            world.service.transfers.load(exchange.hospital.member, name, [free, bound])

        assert exchange.get(name).transfer.loaded == 0
        world.done(world.service.transfers.load(exchange.hospital.member, name, [free]))

    def test_nor_collected_if_the_ledger_has_it_loaded(self, world: World) -> None:
        exchange = Exchange(world)
        passports = exchange.records(1)
        ((passport, seq),) = exchange.permits(passports, **SPAN)
        name = exchange.declare(exchange.plan(1))
        sealed = world.service.vault.record(passport)
        assert sealed is not None
        exchange.submit(
            exchange.hospital, "loadTransfer", to_hex(name), [[to_hex(passport), seq, to_hex(sealed.content)]]
        )
        world.done(world.service.transfers.ship_all(exchange.hospital.member, name))

        with pytest.raises(Conflict, match="a copy is sent whole"):
            world.service.transfers.collect_many(exchange.lab.member, name)

    def test_what_is_not_kept_here_cannot_be_told(self, study: Study) -> None:
        """As of a record that is passed on from another service."""
        decision = study.permit(operation=Operation.TRANSFER)

        with pytest.raises(NotFound, match="so it cannot tell what is of 2014-02-17"):
            require_whole(
                study.world.service.vault, PassportId(b"\x09" * 32), decision.terms, Level.PSEUDONYMISED
            )


class TestPlaces:
    """Which resources of a level are from the days, as the vault keeps them."""

    @pytest.fixture
    def seal(self, folder: Path) -> Callable[[Content, Content], tuple[SealedVault, PassportId]]:
        """Seal a record in a vault of its own: what was registered, and what was made of it."""

        def sealed(registered: Content, made: Content) -> tuple[SealedVault, PassportId]:
            database = Database(f"sqlite:///{folder / 'vault.db'}", migrations="vault")
            database.migrate()
            vault, passport = (
                SealedVault(SqlVaultRows(database), key=os.urandom(32)),
                PassportId(os.urandom(32)),
            )
            levels = {Level.IDENTIFIED: registered, Level.PSEUDONYMISED: made, Level.DEIDENTIFIED: made}
            vault.seal(passport, custodian=2, local_reference="a", content=levels, holder_seed=None)
            return vault, passport

        return sealed

    def test_what_a_level_leaves_out_shifts_nothing(self, seal: Any) -> None:
        """A resource with a modifier is in no level but the identified one."""
        inside, outside = ({"resourceType": "Basic", "created": day} for day in ("2014-05-05", "2015-05-05"))
        lost = {**inside, "modifierExtension": [{"url": "urn:x"}]}
        year = {"resourceType": "Basic", "created": "2014"}
        vault, passport = seal(
            {Category.OTHER: [lost, outside, inside, outside, lost]}, {Category.OTHER: [year, year, year]}
        )
        days = Days(FIRST, LAST, "")

        for level, places in ((Level.IDENTIFIED, [0, 2, 4]), (Level.DEIDENTIFIED, [1])):
            assert places_within(vault, passport, level, Category.OTHER, days) == places

    @pytest.mark.parametrize(
        "made",
        [
            [{"resourceType": "Basic"}],
            [{"resourceType": "Basic"}, {"resourceType": "Goal"}],
            [],
        ],
    )
    def test_levels_that_do_not_fit_are_refused(self, seal: Any, made: list[dict[str, Any]]) -> None:
        """Rather nothing than what cannot be shown to be from the days."""
        registered = [{"resourceType": "Basic", "created": "2014-05-05"}] * 2
        vault, passport = seal({Category.OTHER: registered}, {Category.OTHER: made})

        with pytest.raises(
            Conflict, match="which OTHER at the level DEIDENTIFIED are of May cannot be told"
        ) as refused:
            places_within(vault, passport, Level.DEIDENTIFIED, Category.OTHER, Days(FIRST, LAST, " of May"))

        assert "register the record anew" in refused.value.advice

    def test_a_patient_is_of_all_days(self, seal: Any) -> None:
        (patient,) = read_bundle(bundle(2)).content[Category.DEMOGRAPHICS]
        vault, passport = seal({Category.DEMOGRAPHICS: [patient]}, {Category.DEMOGRAPHICS: [patient]})

        assert places_within(
            vault, passport, Level.DEIDENTIFIED, Category.DEMOGRAPHICS, Days(FIRST, LAST, "")
        ) == [0]


def test_terms_name_days_or_none(study: Study) -> None:
    """One border alone names days, too."""
    terms = study.permit().terms

    def named(first: int, last: int) -> Days | None:
        return days_of(replace(terms, first_day=first, last_day=last))

    assert named(0, 0) is None
    assert named(1, 0) == Days(date(1900, 1, 1), None, " since 1900-01-01")
    assert named(0, 65_535) == Days(None, date(2079, 6, 5), " up to 2079-06-05")
