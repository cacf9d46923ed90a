"""Data that crosses a border: agreements, clearances by three paths, persons counted once, thresholds; on a real chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest

from ledger.domain.records import Clearance, Commitment, Exports, Limits, PassportId, Thresholds, Verdict
from ledger.domain.vocabulary import Category, Fact, Outcome, Path, Purpose, Role, purpose_set
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import sign
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.policy import year_of
from ledger.ports import Call
from ledger.wallet import holder_address
from tests.support.world import STUDY, Actor, World, event_named

DAY = 86_400
BORDER = Fact.BORDER_CLEARED
THRESHOLDS = Thresholds(1_000_000, 10_000)
_names = count(1)


@dataclass(frozen=True)
class Cast:
    regulator: Actor
    verifier: Actor
    foreign: Actor


@dataclass
class Trade:
    """A hospital, a laboratory abroad with a project, and who oversees the hospital."""

    world: World
    cast: Cast
    hospital: Actor
    lab: Actor
    project: int

    def patient(self, holder: str | None = None) -> PassportId:
        """Register a patient of the hospital's who consents to the laboratory's project."""
        return self.world.register(self.hospital, 1, holder=holder)

    def ask(self, passport: PassportId, **changes: Any) -> Verdict:
        """Ask by a consent of the patient's that this request is the first under."""
        grant = self.world.grant(self.hospital, passport, self.lab)
        return self.world.ask(self.lab, passport, grant_id=grant, project_id=self.project, **changes)

    def crosses(self, passport: PassportId, **changes: Any) -> bool:
        """Tell whether the data crosses; if not, nothing but the border is what it lacks."""
        verdict = self.ask(passport, **changes)
        assert verdict.missing in (Fact(0), BORDER)
        assert (verdict.outcome is Outcome.PERMIT) == (not verdict.missing)
        return not verdict.missing

    def listed(self, until: int = 30 * DAY) -> None:
        """Put the laboratory on the list for crossing borders."""
        borders = self.world.service.borders
        valid_to = self.world.now() + until
        self.world.done(borders.set_access(self.cast.regulator.member, self.lab.member.member_id, valid_to))

    def agree(self, *, signed: bool = True) -> int:
        """Let the hospital propose the standard contract, and the laboratory sign it."""
        agreements, text = self.world.service.agreements, f"Contract {next(_names)}"
        limits = Limits(
            recipient=self.lab.member.member_id,
            purposes=purpose_set([Purpose.AI_TRAINING]),
            categories=STUDY,
            valid_to=self.world.now() + 60 * DAY,
            retention_seconds=DAY,
        )
        operation = self.world.done(agreements.propose(self.hospital.member, limits, text))
        number = int(event_named(operation, "AgreementProposed").arguments["agreementId"])
        if signed:
            record = agreements.get(number)
            self.world.done(agreements.sign(self.lab.member, number, record.text))
        return number

    def clearance(self, path: Path = Path.ASSESSMENT, **changes: Any) -> Clearance:
        """Return what is to clear the hospital's data for the project."""
        now = self.world.now()
        given = Clearance(
            clearance_id=0,
            project_id=self.project,
            exporter=self.hospital.member.member_id,
            issuer=0,
            path=path,
            valid_from=now,
            valid_to=now + 30 * DAY,
            max_persons=100,
        )
        return replace(given, **changes)

    def clear(self, path: Path = Path.ASSESSMENT, **changes: Any) -> int:
        """Have the data cleared by who may, and list the laboratory; returns the clearance's number."""
        self.listed()
        issuer = self.cast.verifier if path is Path.CERTIFICATION else self.cast.regulator
        if path is Path.CONTRACT:
            changes = {"agreement": self.agree(), **changes}
        operation = self.world.service.borders.clear(
            issuer.member, self.clearance(path, **changes), "Filing 2026-31"
        )
        return int(event_named(self.world.done(operation), "ClearanceIssued").arguments["clearanceId"])

    def exported(self) -> Exports:
        """Return what the contract counts of the hospital this year."""
        return self.world.service.borders.exports(self.hospital.member.member_id)[1]


@pytest.fixture(scope="module")
def cast(timed_world: World) -> Cast:
    return Cast(
        regulator=timed_world.admit("Provincial office", Role.REGULATOR),
        verifier=timed_world.admit("Certification body", Role.VERIFIER),
        foreign=timed_world.admit("Foreign office", Role.REGULATOR | Role.VERIFIER, jurisdiction=156),
    )


@pytest.fixture
def trade(timed_world: World, cast: Cast) -> Trade:
    """Return a hospital whose counts are empty."""
    number = next(_names)
    hospital = timed_world.admit(f"Hospital {number}", Role.CUSTODIAN)
    lab = timed_world.admit(f"Laboratory abroad {number}", Role.PROCESSOR, jurisdiction=156)
    return Trade(timed_world, cast, hospital, lab, timed_world.project(lab))


@pytest.fixture
def low(timed_world: World) -> Any:
    """Return what lowers the thresholds, until the test is over."""
    borders, committee = timed_world.service.borders, timed_world.committee.member

    def lower(persons: int, sensitive: int) -> None:
        timed_world.done(borders.set_thresholds(committee, Thresholds(persons, sensitive), "fewer"))

    yield lower
    lower(THRESHOLDS.persons, THRESHOLDS.sensitive_persons)


@pytest.mark.parametrize("path", list(Path)[1:])
def test_each_path_clears_with_its_issuer(trade: Trade, path: Path) -> None:
    """Not before; and the person is counted, once under the clearance and once in the year."""
    passport = trade.patient()
    assert not trade.crosses(passport)
    number = trade.clear(path)
    assert trade.crosses(passport)
    assert trade.crosses(passport)
    record = trade.world.service.borders.get(number)
    assert (record.clearance.path, record.clearance.persons, record.is_latest) == (path, 1, True)
    every = trade.world.service.index.clearances()
    assert record in every
    assert [trade.world.service.index.clearance(one.clearance.clearance_id) for one in every] == every
    assert trade.world.service.borders.is_in_force(record, trade.world.now())
    assert trade.exported() == Exports(1, 1)


@pytest.mark.parametrize(
    ("path", "by", "who"),
    [
        (Path.ASSESSMENT, "verifier", "the role REGULATOR"),
        (Path.CONTRACT, "verifier", "the role REGULATOR"),
        (Path.CERTIFICATION, "regulator", "the role VERIFIER"),
        (Path.ASSESSMENT, "foreign", "of the exporter's jurisdiction"),
        (Path.CERTIFICATION, "foreign", "of the exporter's jurisdiction"),
    ],
)
def test_nobody_else_clears(trade: Trade, path: Path, by: str, who: str) -> None:
    """The service says who may; the contract refuses too, whatever the service says."""
    world, actor = trade.world, getattr(trade.cast, by)
    given = trade.clearance(path, agreement=trade.agree() if path is Path.CONTRACT else 0)
    with pytest.raises(NotPermitted, match=who):
        world.service.borders.clear(actor.member, given, "Filing")
    values = [
        given.exporter,
        0,
        given.agreement,
        given.valid_from,
        given.valid_to,
        given.max_persons,
        0,
        int(path),
        given.project_id,
    ]
    call = Call("clear", (values, "0x" + "01" * 32))
    problem = world.failed(world.service.writer.submit(actor.member.signer, call))
    assert problem["code"] == "not-permitted", problem


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"path": Path.NONE}, "path"),
        ({"max_persons": 0}, "maxPersons"),
        ({"valid_to": 1}, "validTo"),
        ({"agreement": 1}, "agreement"),
        ({"path": Path.CONTRACT}, "agreement"),
    ],
)
def test_a_clearance_is_whole(trade: Trade, changes: dict[str, Any], field: str) -> None:
    given = trade.clearance(**{"path": Path.ASSESSMENT, **changes})
    with pytest.raises(InvalidInput, match=f"^{field} "):
        trade.world.service.borders.clear(trade.cast.regulator.member, given, "Filing")


def test_a_contract_must_stand_when_it_is_filed(trade: Trade) -> None:
    given = trade.clearance(Path.CONTRACT, agreement=trade.agree(signed=False))
    with pytest.raises(Conflict, match="not in force"):
        trade.world.service.borders.clear(trade.cast.regulator.member, given, "Filing")


def test_a_clearance_that_has_ended_clears_nothing(trade: Trade) -> None:
    """By its time."""
    passport, world = trade.patient(), trade.world
    number = trade.clear(valid_to=world.now() + DAY)
    assert trade.crosses(passport)
    world.until(world.service.borders.get(number).clearance.valid_to)
    assert not trade.crosses(passport)
    with pytest.raises(Conflict, match="has ended"):
        world.service.borders.withdraw(trade.cast.regulator.member, number, "too late")


def test_a_clearance_that_was_taken_back_clears_nothing(trade: Trade) -> None:
    """By a regulator of the exporter's jurisdiction, though a verifier gave it; not by one from elsewhere."""
    passport, borders = trade.patient(), trade.world.service.borders
    number = trade.clear(Path.CERTIFICATION)
    assert trade.crosses(passport)
    with pytest.raises(NotPermitted, match="may not take clearance"):
        borders.withdraw(trade.cast.foreign.member, number, "ours")
    trade.world.done(borders.withdraw(trade.cast.regulator.member, number, "An incident"))
    assert not trade.crosses(passport)
    record = borders.get(number)
    assert (record.withdrawn_by, record.clearance.persons) == (trade.cast.regulator.member.member_id, 1)
    assert not borders.is_in_force(record, trade.world.now())


def test_one_person_counts_once_and_one_too_many_is_denied(trade: Trade) -> None:
    """Two passports under one holder's key are one person; a new clearance takes the place of the full one."""
    trade.clear(max_persons=2)
    key = holder_address(b"\x21" * 32)
    world = trade.world
    own = [trade.patient(key), trade.patient(key)]
    second, third = trade.patient(), trade.patient()
    signed = replace_consents(world, trade, own, b"\x21" * 32)
    assert [world.ask(trade.lab, p, grant_id=g, project_id=trade.project).outcome for p, g in signed] == [
        Outcome.PERMIT,
        Outcome.PERMIT,
    ]
    assert trade.crosses(second)
    assert not trade.crosses(third)
    assert trade.crosses(second), "counted before"
    assert trade.exported().persons == 2
    number = trade.clear(max_persons=1)
    assert trade.crosses(third)
    assert trade.exported().persons == 3
    former, latest = world.service.borders.all(project_id=trade.project)
    assert (former.is_latest, former.clearance.persons) == (False, 2)
    assert (latest.clearance.clearance_id, latest.clearance.persons) == (number, 1)


def replace_consents(world: World, trade: Trade, passports: list[PassportId], key: bytes) -> list[Any]:
    """Have a holder consent with the own key; returns each passport with its grant."""
    found = []
    for passport in passports:
        prepared = world.service.consents.prepare(
            passport,
            recipient=trade.lab.member.member_id,
            purposes=[Purpose.AI_TRAINING],
            categories=STUDY,
            use_from=None,
            use_to=world.now() + 100 * DAY,
        )
        signature = sign(prepared.typed_data, private_key=key)
        world.done(world.service.consents.relay(trade.hospital.member, prepared.grant, signature))
        found.append((passport, prepared.grant.grant_id))
    return found


def test_splitting_what_is_asked_does_not_help(trade: Trade, low: Any) -> None:
    """Category by category, project by project: the persons of the year are what is counted."""
    low(1, 1)
    trade.clear(Path.CERTIFICATION)
    first, second = trade.patient(), trade.patient()
    for category in (Category.DIAGNOSIS, Category.MEDICATION, Category.LABORATORY):
        assert trade.crosses(first, categories=category)
        assert not trade.crosses(second, categories=category)
    trade.project = trade.world.project(trade.lab)
    trade.clear(Path.CONTRACT)
    assert not trade.crosses(second)
    assert trade.crosses(first)
    assert trade.exported() == Exports(1, 1)


def test_lowered_thresholds_leave_only_the_assessment(trade: Trade, low: Any) -> None:
    """For whoever is new; the year's own go on."""
    trade.clear(Path.CERTIFICATION)
    first, second = trade.patient(), trade.patient()
    assert trade.crosses(first)
    low(1_000_000, 1)
    assert trade.crosses(first)
    assert not trade.crosses(second)
    trade.clear(Path.ASSESSMENT)
    assert trade.crosses(second)
    assert trade.exported() == Exports(2, 2)


def test_a_contract_that_ended_clears_nothing(trade: Trade) -> None:
    """At the word of one side."""
    passport, agreements = trade.patient(), trade.world.service.agreements
    agreement = trade.agree()
    number = trade.clear(Path.CONTRACT, agreement=agreement)
    assert trade.crosses(passport)
    trade.world.done(agreements.end(trade.lab.member, agreement, "We have finished."))
    assert not trade.crosses(passport)
    borders = trade.world.service.borders
    assert not borders.is_in_force(borders.get(number), trade.world.now())


def test_who_is_off_the_list_receives_nothing(trade: Trade) -> None:
    """Taken off, or its time is over; nobody lists itself."""
    passport, borders = trade.patient(), trade.world.service.borders
    trade.clear()
    lab, regulator = trade.lab.member.member_id, trade.cast.regulator.member
    assert trade.crosses(passport)
    trade.world.done(borders.set_access(regulator, lab, 0))
    assert borders.access(lab) == 0
    assert not trade.crosses(passport)
    trade.listed(DAY)
    assert trade.crosses(passport)
    trade.world.until(borders.access(lab))
    assert not trade.crosses(passport)
    with pytest.raises(NotPermitted, match="cannot put itself"):
        borders.set_access(regulator, regulator.member_id, trade.world.now() + DAY)
    with pytest.raises(NotPermitted, match="REGULATOR"):
        borders.set_access(trade.hospital.member, lab, trade.world.now() + DAY)


def test_at_home_nothing_is_counted(trade: Trade) -> None:
    """Nor where the law asks for no clearance."""
    near = trade.world.admit(f"Laboratory at home {next(_names)}", Role.PROCESSOR)
    home = replace_lab(trade, near)
    assert home.crosses(home.patient())
    assert home.exported() == Exports(0, 0)


def replace_lab(trade: Trade, lab: Actor) -> Trade:
    return Trade(trade.world, trade.cast, trade.hospital, lab, trade.world.project(lab))


def test_counts_are_of_one_year(trade: Trade) -> None:
    trade.clear()
    assert trade.crosses(trade.patient())
    borders, hospital = trade.world.service.borders, trade.hospital.member.member_id
    year = year_of(trade.world.now())
    assert borders.exports(hospital) == (year, Exports(1, 1))
    assert borders.exports(hospital, year - 1) == (year - 1, Exports(0, 0))
    with pytest.raises(NotFound, match="no member"):
        borders.exports(9999)


def test_thresholds_are_the_committees(trade: Trade) -> None:
    """And never zero."""
    borders = trade.world.service.borders
    assert borders.thresholds() == THRESHOLDS
    with pytest.raises(NotPermitted, match="no seat"):
        borders.set_thresholds(trade.cast.regulator.member, Thresholds(1, 1), "fewer")
    for thresholds in (Thresholds(0, 1), Thresholds(1, 0)):
        with pytest.raises(InvalidInput, match="at least 1"):
            borders.set_thresholds(trade.world.committee.member, thresholds, "none")


def test_an_agreement_is_signed_by_both_over_one_text(trade: Trade) -> None:
    """Who gives proposes, who receives signs what it read; others neither sign nor end it."""
    agreements, world = trade.world.service.agreements, trade.world
    number = trade.agree(signed=False)
    record = agreements.get(number)
    assert not agreements.is_in_force(record, world.now())
    with pytest.raises(NotPermitted, match="proposed to another"):
        agreements.sign(trade.hospital.member, number, record.text)
    with pytest.raises(Conflict, match="another text"):
        agreements.sign(trade.lab.member, number, Commitment(b"\x01" * 32))
    world.done(agreements.sign(trade.lab.member, number, record.text))
    assert agreements.is_in_force(agreements.get(number), world.now())
    with pytest.raises(Conflict, match="signed or ended before"):
        agreements.sign(trade.lab.member, number, record.text)
    with pytest.raises(NotPermitted, match="no side"):
        agreements.end(trade.cast.regulator.member, number, "no")
    assert str(agreements.text_for(trade.lab.member, record)).startswith("Contract")
    assert agreements.text_for(trade.cast.regulator.member, record) is None
    world.done(agreements.end(trade.hospital.member, number, "enough"))
    ended = agreements.get(number)
    assert ended.ended_by == trade.hospital.member.member_id
    assert not agreements.is_in_force(ended, world.now())
    with pytest.raises(Conflict, match="ended before"):
        agreements.end(trade.lab.member, number, "enough")
    assert [one.agreement.agreement_id for one in agreements.all(member_id=trade.lab.member.member_id)] == [
        number
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"recipient": 9999}, "no member"),
        ({"purposes": 0}, "purpose"),
        ({"purposes": 1 << Purpose.MARKETING}, "bans"),
        ({"categories": Category(0)}, "category"),
        ({"valid_to": 1}, "future"),
        ({"retention_seconds": 0}, "retentionSeconds"),
    ],
)
def test_an_agreement_is_whole(trade: Trade, changes: dict[str, Any], error: str) -> None:
    limits = Limits(trade.lab.member.member_id, 1 << Purpose.AI_TRAINING, STUDY, trade.world.now() + DAY, DAY)
    with pytest.raises((InvalidInput, NotFound), match=error):
        trade.world.service.agreements.propose(trade.hospital.member, replace(limits, **changes), "Text")


def test_the_index_says_what_the_contract_counts(trade: Trade) -> None:
    """Persons of clearances are counted in the index from the decisions; the contract has them too."""
    number = trade.clear(Path.CONTRACT)
    for _ in range(2):
        assert trade.crosses(trade.patient())
    record = trade.world.service.borders.get(number)
    assert to_hex(record.filing) != to_hex(bytes(32))
    assert record.clearance.persons == trade.exported().persons == 2
