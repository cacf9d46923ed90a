"""
Contract and twin agree at every edge: the second before a moment, the moment itself, the second after; the last use, the
last record, the last day. Random histories seldom meet these; here each is met, and that the fact changes there is asserted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import Final

import pytest

from ledger.domain.lineage import NO_END, Plan
from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Clearance,
    Commitment,
    Exports,
    Grant,
    GrantId,
    Limits,
    PassportId,
    Request,
    Terms,
)
from ledger.domain.vocabulary import (
    ASKED_ON_DEMAND,
    Approval,
    AttestationKind,
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    Level,
    MemberKind,
    Operation,
    Path,
    Purpose,
)
from ledger.encoding.words import pack_terms, project_subject, unpack_verdict
from tests.twin.chain import Key
from tests.twin.dice import DAY, HOUR
from tests.twin.machine import (
    ALL,
    DELEGATES,
    FOREVER,
    HOLDERS,
    NOTICE,
    OUTSIDER,
    START,
    ContractAndTwin,
    Stage,
)
from tests.twin.model import Move, floor_of

REGULATOR, ETHICS, COMPLIANCE, VERIFIER, HOSPITAL, UNIVERSITY, COMPANY, OVERSEER = 3, 4, 5, 6, 7, 9, 10, 11
PASSPORT: Final = PassportId(b"\x51" * 32)
GRANT: Final = GrantId(b"\x52" * 32)
SOON: Final = START + HOUR
LATER: Final = START + 2 * HOUR
ON_DEMAND: Final = tuple(fact for fact in Fact if fact in ASKED_ON_DEMAND)


@dataclass
class Play:
    """A ledger whose law requires the floors and whatever the test names, with one passport of the hospital's."""

    history: ContractAndTwin

    @property
    def model(self):
        return self.history.model

    def key(self, member_id: int):
        return self.model.keys[member_id]

    def do(self, move: Move, *, refused: str = "") -> None:
        """Make a call that nothing forbids, or that is refused for one reason alone."""
        assert move.errors == ({refused} if refused else set())
        self.history.play(move)

    def at(self, moment: int) -> None:
        self.model.now = moment

    def require(self, facts: Fact, **limits: int) -> None:
        """Put a law into force whose entries require their floor and these facts."""
        law = self.model.state.law
        required = [
            sum(int(floor_of(basis) | facts) << 32 * basis for basis in Basis)
            for _ in product(DataClass, Purpose)
        ]
        exceptions = replace(law.emergencies, categories=Category(ALL), **limits)
        self.do(
            self.model.set_policy(
                replace(
                    law,
                    required=tuple(required),
                    necessary=2**256 - 1,
                    levels=0,
                    banned_purposes=0,
                    emergencies=exceptions,
                )
            )
        )

    def give(self, *, signer=HOLDERS[0], named: bool = False, **changes: object) -> None:
        """Let the holder consent to the university's research."""
        given = Grant(
            grant_id=GRANT,
            passport_id=PASSPORT,
            recipient=UNIVERSITY,
            recipient_kinds=0,
            purposes=1 << Purpose.RESEARCH,
            categories=Category(ALL),
            use_from=START,
            use_to=START + 10 * DAY,
            data_from=0,
            data_to=0,
            max_uses=0,
            level=Level.IDENTIFIED,
            flags=GrantFlag(0),
            template=1,
            terms=Commitment(NOTICE),
            supersedes=NO_GRANT,
            deadline=FOREVER,
        )
        self.do(self.model.grant(OUTSIDER, replace(given, **changes), signer, named=named))

    def ask(self, member_id: int = UNIVERSITY, **changes: object) -> Fact:
        """Ask for research, under the law's lightest basis unless *changes* say otherwise; returns the facts that hold."""
        grant_id, passport_id = changes.pop("grant_id", NO_GRANT), changes.pop("passport_id", PASSPORT)
        terms = Terms(Purpose.RESEARCH, Basis.LEGAL_DUTY, Operation.READ, Category.VITALS)
        request = Request(passport_id, grant_id, Commitment(NOTICE), replace(terms, **changes))
        self.do(self.model.decide(self.key(member_id), [(request, pack_terms(request.terms))]))
        return unpack_verdict(self.model.events[-1].arguments["verdict"]).facts

    def file(self, member_id: int = UNIVERSITY, **changes: int) -> int:
        """File a project, of the university's if nobody else is named; returns its number."""
        begins, ends = changes.get("begins", START), changes.get("ends", FOREVER)
        filing = (ALL, ALL, 1, 1, begins, ends, NOTICE)
        self.do(self.model.file_project(self.key(member_id), filing, NOTICE))
        return len(self.model.state.projects)

    def issue(self, holder: Key, custody: Custody = Custody.SELF) -> PassportId:
        """Issue another passport of the hospital's; returns its id."""
        passport_id = PassportId(self.history.name())
        words = (passport_id, holder.account, int(custody), ALL, 0, 0, NOTICE)
        self.do(self.model.issue(self.key(HOSPITAL), [words], [holder]))
        return passport_id

    def agree(self, *, valid_to: int = FOREVER, signed: bool = True) -> int:
        """Let the hospital agree with the company from abroad on what it gives; returns the agreement's number."""
        limits = Limits(COMPANY, 1 << Purpose.RESEARCH, Category(ALL), valid_to, DAY)
        self.do(self.model.propose_agreement(self.key(HOSPITAL), limits, NOTICE))
        number = len(self.model.state.agreements)
        if signed:
            self.do(self.model.sign_agreement(self.key(COMPANY), number, NOTICE))
        return number

    def clearance(self, project_id: int, **changes: object) -> Clearance:
        """Return what clears the hospital's data for a project."""
        given = Clearance(0, project_id, HOSPITAL, 0, Path.ASSESSMENT, START, FOREVER, 100)
        return replace(given, **changes)

    def clear(
        self, path: Path, issuer: int, *, access_until: int = FOREVER, agreement: int = 0, **changes: int
    ) -> int:
        """Clear the hospital's data for a project of the company's abroad; returns the project's number."""
        number = self.file(COMPANY)
        given = self.clearance(number, path=path, agreement=agreement, **changes)
        self.do(self.model.clear(self.key(issuer), given, NOTICE))
        self.do(self.model.set_border_access(self.key(REGULATOR), COMPANY, access_until))
        return number

    def declare(self, begins: int, ends: int, records: int = 10) -> int:
        """Declare a public emergency; returns its number."""
        self.do(self.model.declare_emergency((ALL, ALL, begins, ends, records, 0), NOTICE))
        return len(self.model.state.emergencies)


@pytest.fixture
def play(stage: Stage) -> Play:
    ContractAndTwin.stage = stage
    world = Play(ContractAndTwin())
    words = (PASSPORT, HOLDERS[0].account, int(Custody.SELF), ALL, 0, 0, NOTICE)
    world.do(world.model.issue(world.key(HOSPITAL), [words], [HOLDERS[0]]))
    return world


def _changes(play: Play, fact: Fact, moment: int, ask: Callable[[], Fact]) -> tuple[bool, bool, bool]:
    """Return whether a fact holds the second before a moment, at it, and after it."""
    found = []
    for second in (moment - 1, moment, moment + 1):
        play.at(second)
        found.append(fact in ask())
    return tuple(found)


BEGINS, ENDS, LASTS = (False, True, True), (True, False, False), (True, True, False)


def test_a_membership_ends(play: Play) -> None:
    play.require(Fact(0))
    play.do(play.model.license(UNIVERSITY, ALL, SOON))
    assert _changes(play, Fact.MEMBER_ACTIVE, SOON, play.ask) == ENDS


def test_a_controllers_membership_and_order_end(play: Play) -> None:
    play.require(Fact(0))
    play.do(play.model.license(HOSPITAL, ALL, SOON + 60))
    play.do(play.model.entrust(play.key(HOSPITAL), UNIVERSITY, ALL, SOON))
    ask = lambda: play.ask(controller_id=HOSPITAL)  # noqa: E731 - said three times otherwise
    assert _changes(play, Fact.REQUESTER_IS_CUSTODIAN, SOON, ask) == ENDS
    assert _changes(play, Fact.MEMBER_ACTIVE, SOON + 60, ask) == ENDS


def test_a_consent_begins_and_ends(play: Play) -> None:
    play.require(Fact(0))
    play.give(use_from=SOON, use_to=LATER)
    ask = lambda: play.ask(basis=Basis.CONSENT, grant_id=GRANT)  # noqa: E731
    assert _changes(play, Fact.GRANT_LIVE, SOON, ask) == BEGINS
    assert _changes(play, Fact.GRANT_LIVE, LATER, ask) == ENDS


def test_a_project_begins_and_ends(play: Play) -> None:
    play.require(Fact(0))
    number = play.file(begins=SOON, ends=LATER)
    ask = lambda: play.ask(project_id=number)  # noqa: E731
    assert _changes(play, Fact.PROJECT_FILED, SOON, ask) == BEGINS
    assert _changes(play, Fact.PROJECT_FILED, LATER, ask) == ENDS


def test_a_public_emergency_begins_and_ends(play: Play) -> None:
    play.require(Fact.EMERGENCY_IN_FORCE)
    number = play.declare(SOON, LATER, 100)
    ask = lambda: play.ask(emergency_id=number)  # noqa: E731
    assert _changes(play, Fact.EMERGENCY_IN_FORCE, SOON, ask) == BEGINS
    assert _changes(play, Fact.EMERGENCY_IN_FORCE, LATER, ask) == ENDS


def test_an_emergency_that_is_ended_early_ends_at_once(play: Play) -> None:
    play.require(Fact.EMERGENCY_IN_FORCE)
    number = play.declare(START, LATER)
    play.at(SOON)
    assert Fact.EMERGENCY_IN_FORCE in play.ask(emergency_id=number)
    play.do(play.model.end_emergency(number))
    assert Fact.EMERGENCY_IN_FORCE not in play.ask(emergency_id=number)


def test_an_individual_emergency_ends_and_its_review_falls_due(play: Play) -> None:
    """The right is there in the last second for the review, and gone in the next."""
    play.require(Fact.EMERGENCY_IN_FORCE | Fact.REVIEWS_CURRENT, seconds=HOUR, review_seconds=2 * HOUR)
    play.do(play.model.open_emergency(play.key(HOSPITAL), PASSPORT, 1, 0))
    number = len(play.model.state.emergencies)
    ask = lambda: play.ask(HOSPITAL, basis=Basis.INDIVIDUAL_EMERGENCY, emergency_id=number)  # noqa: E731
    assert _changes(play, Fact.EMERGENCY_IN_FORCE, SOON, ask) == ENDS
    assert _changes(play, Fact.REVIEWS_CURRENT, LATER, ask) == LASTS
    move = play.model.open_emergency(play.key(HOSPITAL), PASSPORT, 1, 0)
    play.do(move, refused="Emergencies_RightLost")


@pytest.mark.parametrize(("late", "lost"), [(0, False), (1, True)])
def test_a_review_is_late_after_its_last_second(play: Play, late: int, lost: bool) -> None:
    play.require(Fact.REVIEWS_CURRENT, review_seconds=HOUR)
    play.do(play.model.open_emergency(play.key(HOSPITAL), PASSPORT, 1, 0))
    play.at(SOON + late)
    play.do(play.model.review_emergency(play.key(ETHICS), 1, justified=True))
    assert (Fact.REVIEWS_CURRENT in play.ask(HOSPITAL)) is not lost


def test_an_approval_ends(play: Play) -> None:
    play.require(Fact.HUMAN_REVIEWED, review_seconds=HOUR)
    play.ask()
    (place, (request, member_id)), *_ = play.model.waiting.items()
    play.do(play.model.review_request(play.key(ETHICS), request, member_id, place[1], approved=True))
    assert _changes(play, Fact.HUMAN_REVIEWED, SOON, play.ask) == ENDS


@pytest.mark.parametrize(
    ("kind", "fact", "issuer"),
    [
        (AttestationKind.ENCRYPTION, Fact.ENCRYPTED, VERIFIER),
        (AttestationKind.DEIDENTIFICATION, Fact.DEIDENTIFIED, VERIFIER),
        (AttestationKind.SOURCE, Fact.SOURCE_DECLARED, HOSPITAL),
        (AttestationKind.LICENCE, Fact.MODEL_LICENSED, REGULATOR),
    ],
)
def test_a_statement_ends(play: Play, kind: AttestationKind, fact: Fact, issuer: int) -> None:
    play.require(fact)
    number = play.file()
    subject = project_subject(number) if kind is AttestationKind.LICENCE else PASSPORT
    play.do(play.model.attest(play.key(issuer), subject, kind, SOON))
    ask = lambda: play.ask(project_id=number, level=Level.DEIDENTIFIED)  # noqa: E731
    assert _changes(play, fact, SOON, ask) == ENDS


BORDER = Fact.BORDER_CLEARED


def test_a_clearance_begins_and_ends(play: Play) -> None:
    play.require(BORDER)
    number = play.clear(Path.CERTIFICATION, VERIFIER, valid_from=SOON, valid_to=LATER)
    ask = lambda: play.ask(COMPANY, project_id=number)  # noqa: E731
    assert _changes(play, BORDER, SOON, ask) == BEGINS
    assert _changes(play, BORDER, LATER, ask) == ENDS


def test_the_list_for_crossing_borders_ends(play: Play) -> None:
    play.require(BORDER)
    number = play.clear(Path.ASSESSMENT, REGULATOR, access_until=SOON)
    assert _changes(play, BORDER, SOON, lambda: play.ask(COMPANY, project_id=number)) == ENDS


def test_a_contract_ends_and_its_clearance_with_it(play: Play) -> None:
    """With the agreement's term, or a side's membership, or at a side's word."""
    play.require(BORDER)
    number = play.clear(Path.CONTRACT, REGULATOR, agreement=play.agree(valid_to=LATER))
    ask = lambda: play.ask(COMPANY, project_id=number)  # noqa: E731
    play.do(play.model.license(HOSPITAL, ALL, SOON))
    assert _changes(play, BORDER, SOON, ask) == ENDS
    play.do(play.model.license(HOSPITAL, ALL, FOREVER))
    assert _changes(play, BORDER, LATER, ask) == ENDS
    renewed = play.clearance(number, path=Path.CONTRACT, agreement=play.agree())
    play.do(play.model.clear(play.key(REGULATOR), renewed, NOTICE))
    assert BORDER in ask()
    play.do(play.model.end_agreement(play.key(COMPANY), len(play.model.state.agreements)))
    assert BORDER not in ask()


def test_a_clearance_that_is_taken_back_ends_at_once(play: Play) -> None:
    play.require(BORDER)
    number = play.clear(Path.ASSESSMENT, REGULATOR)
    assert BORDER in play.ask(COMPANY, project_id=number)
    play.do(play.model.withdraw_clearance(play.key(REGULATOR), 1))
    assert BORDER not in play.ask(COMPANY, project_id=number)


def test_a_clearance_counts_each_person_once(play: Play) -> None:
    """Two passports under one holder's key are one person; a third person is one too many, the first still goes."""
    play.require(BORDER)
    number = play.clear(Path.ASSESSMENT, REGULATOR, max_persons=2)
    same, second, third = (play.issue(holder) for holder in (HOLDERS[0], HOLDERS[1], HOLDERS[2]))
    asked = (PASSPORT, same, PASSPORT, second, third, same)
    found = [BORDER in play.ask(COMPANY, passport_id=one, project_id=number) for one in asked]
    assert found == [True, True, True, True, False, True]
    assert play.model.state.clearances[1].clearance.persons == 2
    # A new clearance begins to count anew; the exporter's year does not.
    play.do(play.model.clear(play.key(REGULATOR), play.clearance(number), NOTICE))
    assert BORDER in play.ask(COMPANY, passport_id=third, project_id=number)
    assert list(play.model.state.exports.values()) == [Exports(3, 0)]


def test_a_key_that_took_anothers_place_is_another_person(play: Play) -> None:
    """Never too few are counted."""
    play.require(BORDER)
    number = play.clear(Path.ASSESSMENT, REGULATOR, max_persons=1)
    found = [BORDER in play.ask(COMPANY, project_id=number)]
    play.do(play.model.rotate_holder(PASSPORT, HOLDERS[0], HOLDERS[1], Custody.SELF))
    found.append(BORDER in play.ask(COMPANY, project_id=number))
    assert found == [True, False]


def test_where_the_custodian_keeps_the_key_each_passport_is_a_person(play: Play) -> None:
    """Whoever makes the keys says nothing with them; a holder who keeps the same key counts by it."""
    play.require(BORDER)
    number = play.clear(Path.ASSESSMENT, REGULATOR, max_persons=2)
    assisted = [play.issue(HOLDERS[0], Custody.ASSISTED) for _ in range(3)]
    asked = (*assisted, assisted[0], PASSPORT)
    found = [BORDER in play.ask(COMPANY, passport_id=one, project_id=number) for one in asked]
    assert found == [True, True, False, True, False]
    assert list(play.model.state.exports.values()) == [Exports(2, 0)]


def test_data_that_serves_a_controller_abroad_crosses(play: Play) -> None:
    """Though a processor at home asks for it: the controller must be on the list, and the person counts."""
    play.require(BORDER)
    play.do(play.model.entrust(play.key(COMPANY), UNIVERSITY, ALL, LATER))
    assert BORDER not in play.ask(controller_id=COMPANY, project_id=play.file(COMPANY))
    assert play.model.state.exports == {}
    number = play.clear(Path.ASSESSMENT, REGULATOR, access_until=SOON)
    ask = lambda: play.ask(controller_id=COMPANY, project_id=number)  # noqa: E731
    assert _changes(play, BORDER, SOON, ask) == ENDS
    assert list(play.model.state.exports.values()) == [Exports(1, 0)]
    # From then on it is in nobody's right, and the data stays at home.
    assert _changes(play, BORDER, LATER, ask) == BEGINS
    assert list(play.model.state.exports.values()) == [Exports(1, 0)]


def test_two_from_abroad_are_both_on_the_list(play: Play) -> None:
    """Who asks, and on whose behalf."""
    play.require(BORDER)
    play.do(play.model.entrust(play.key(COMPANY), OVERSEER, ALL, FOREVER))
    number = play.clear(Path.ASSESSMENT, REGULATOR, access_until=LATER)
    ask = lambda: play.ask(OVERSEER, controller_id=COMPANY, project_id=number)  # noqa: E731
    assert BORDER not in ask()
    play.do(play.model.set_border_access(play.key(REGULATOR), OVERSEER, SOON))
    assert _changes(play, BORDER, SOON, ask) == ENDS
    play.do(play.model.set_border_access(play.key(REGULATOR), OVERSEER, FOREVER))
    assert _changes(play, BORDER, LATER, ask) == ENDS


@pytest.mark.parametrize(("path", "agreed"), [(Path.ASSESSMENT, False), (Path.CONTRACT, True)])
def test_a_certification_takes_no_regulators_place(play: Play, path: Path, agreed: bool) -> None:
    """Until that is over, or taken back; a certification's place it does take."""
    number = play.clear(path, REGULATOR, agreement=play.agree() if agreed else 0, valid_to=SOON)
    certify = lambda **how: play.do(  # noqa: E731
        play.model.clear(play.key(VERIFIER), play.clearance(number, path=Path.CERTIFICATION), NOTICE), **how
    )
    play.at(SOON - 1)
    certify(refused="Borders_Standing")
    play.at(SOON)
    certify()
    certify()
    again = play.clearance(number, path=path, agreement=int(agreed))
    play.do(play.model.clear(play.key(REGULATOR), again, NOTICE))
    certify(refused="Borders_Standing")
    if agreed:
        play.do(play.model.end_agreement(play.key(COMPANY), 1))
    else:
        play.do(play.model.withdraw_clearance(play.key(REGULATOR), len(play.model.state.clearances)))
    certify()


def test_a_dataset_lasts_no_longer_than_its_grounds(play: Play) -> None:
    """An emergency's end limits it if the permit rests on it; and nobody allowed that it is passed on."""
    play.require(Fact(0))
    number = play.declare(START, LATER)
    plan = Plan(1 << Purpose.RESEARCH, Category(ALL), FOREVER, 0)
    play.do(play.model.declare(play.key(UNIVERSITY), plan, NOTICE))
    include = {"operation": Operation.INCLUDE, "dataset_id": 1, "emergency_id": number}
    assert Fact.DATASET_FITS in play.ask(**include)
    dataset = play.model.state.datasets[1]
    assert (dataset.included, dataset.no_onward, dataset.usable_until) == (1, True, NO_END)
    play.ask(**include, basis=Basis.PUBLIC_EMERGENCY)
    dataset = play.model.state.datasets[1]
    assert (dataset.included, dataset.no_onward, dataset.usable_until) == (2, True, LATER)


@pytest.mark.parametrize(
    ("path", "below"), [(Path.ASSESSMENT, True), (Path.CERTIFICATION, False), (Path.CONTRACT, False)]
)
def test_thresholds_let_nothing_but_an_assessment_through(play: Play, path: Path, below: bool) -> None:
    """Whoever is counted this year goes on; the rest of the persons does not."""
    play.require(BORDER)
    play.do(play.model.set_thresholds(2, 1))
    agreement = play.agree() if path is Path.CONTRACT else 0
    issuer = VERIFIER if path is Path.CERTIFICATION else REGULATOR
    number = play.clear(path, issuer, agreement=agreement)
    second, third = play.issue(HOLDERS[1]), play.issue(HOLDERS[2])
    touchy = {"categories": Category.DIAGNOSIS}

    def ask(passport_id: PassportId, **changes: object) -> bool:
        return BORDER in play.ask(COMPANY, passport_id=passport_id, project_id=number, **changes)

    assert ask(PASSPORT, **touchy)
    assert ask(second, **touchy) is below, "one person's sensitive data is the threshold"
    assert ask(second)
    assert ask(third) is below, "two persons are the threshold"
    assert ask(PASSPORT, **touchy), "counted already"


def test_exports_are_counted_by_the_year(play: Play) -> None:
    """Until midnight in Beijing."""
    play.require(BORDER)
    play.do(play.model.set_thresholds(1, 1))
    number = play.clear(Path.CERTIFICATION, VERIFIER)
    second = play.issue(HOLDERS[1])
    assert BORDER in play.ask(COMPANY, project_id=number)
    new_year = int(datetime(2028, 1, 1, tzinfo=UTC).timestamp()) - 8 * HOUR
    ask = lambda: play.ask(COMPANY, passport_id=second, project_id=number)  # noqa: E731
    assert _changes(play, BORDER, new_year, ask) == BEGINS
    assert play.model.state.exports == {(HOSPITAL, 2027): Exports(1, 0), (HOSPITAL, 2028): Exports(1, 0)}


def test_nothing_is_counted_where_the_law_asks_for_no_clearance(play: Play) -> None:
    """Nor of a denial, nor at home."""
    play.require(Fact(0))
    number = play.clear(Path.ASSESSMENT, REGULATOR)
    play.ask(COMPANY, project_id=number)
    play.require(BORDER | Fact.ENCRYPTED)
    play.ask(COMPANY, project_id=number)
    play.require(BORDER)
    play.ask(UNIVERSITY, project_id=number)
    assert play.model.state.exports == {}
    assert play.model.state.clearances[1].clearance.persons == 0


@pytest.mark.parametrize(
    ("path", "issuer", "refused"),
    [
        (Path.ASSESSMENT, VERIFIER, "Members_MissingRole"),
        (Path.CONTRACT, VERIFIER, "Members_MissingRole"),
        (Path.CERTIFICATION, REGULATOR, "Members_MissingRole"),
        (Path.ASSESSMENT, OVERSEER, "Borders_NotQualified"),
        (Path.CERTIFICATION, COMPANY, "Borders_NotQualified"),
    ],
)
def test_a_path_has_its_issuers(play: Play, path: Path, issuer: int, refused: str) -> None:
    """Of the exporter's jurisdiction."""
    agreement = play.agree() if path is Path.CONTRACT else 0
    number = play.file(COMPANY)
    given = play.clearance(number, path=path, agreement=agreement)
    play.do(play.model.clear(play.key(issuer), given, NOTICE), refused=refused)


@pytest.mark.parametrize(
    "changes",
    [
        {"path": Path.NONE},
        {"max_persons": 0},
        {"valid_to": START},
        {"valid_from": LATER, "valid_to": LATER},
        {"agreement": 1},
        {"path": Path.CONTRACT},
        {"path": Path.CONTRACT, "agreement": 2},
    ],
)
def test_a_clearance_is_whole(play: Play, changes: dict[str, object]) -> None:
    """With a path, a number of persons, a time to come, and a signed contract between the two for that path alone."""
    play.agree()
    play.agree(signed=False)
    given = play.clearance(play.file(COMPANY), **changes)
    play.do(play.model.clear(play.key(REGULATOR), given, NOTICE), refused="Borders_Incomplete")


def test_who_checked_is_neither_who_asks_nor_on_whose_behalf(play: Play) -> None:
    """The company may verify; what it says helps others, not itself and not who acts for it."""
    play.require(Fact.DEIDENTIFIED)
    play.do(play.model.attest(play.key(COMPANY), PASSPORT, AttestationKind.DEIDENTIFICATION, FOREVER))
    play.do(play.model.entrust(play.key(COMPANY), UNIVERSITY, ALL, FOREVER))
    handed_over = {"level": Level.DEIDENTIFIED}
    assert Fact.DEIDENTIFIED in play.ask(UNIVERSITY, **handed_over)
    assert Fact.DEIDENTIFIED not in play.ask(COMPANY, **handed_over)
    assert Fact.DEIDENTIFIED not in play.ask(UNIVERSITY, controller_id=COMPANY, **handed_over)
    assert Fact.DEIDENTIFIED not in play.ask(UNIVERSITY, level=Level.PSEUDONYMISED)
    assert Fact.DEIDENTIFIED in play.ask(UNIVERSITY, level=Level.AGGREGATE)


def test_a_cap_is_for_a_day(play: Play) -> None:
    """The permits of the day count until its last second."""
    play.require(Fact(0))
    play.do(play.model.set_caps(UNIVERSITY, 2 << 16 * Purpose.RESEARCH))
    midnight = (START // DAY + 1) * DAY
    play.at(midnight - 5)
    assert [Fact.WITHIN_CAP in play.ask() for _ in range(3)] == [True, True, False]
    assert _changes(play, Fact.WITHIN_CAP, midnight, play.ask) == BEGINS


def test_uses_are_counted(play: Play) -> None:
    """The last use is one; the one after it is not."""
    play.require(Fact(0))
    play.give(max_uses=2)
    found = [Fact.GRANT_QUOTA in play.ask(basis=Basis.CONSENT, grant_id=GRANT) for _ in range(4)]
    assert found == [True, True, False, False]


def test_records_of_an_emergency_are_counted(play: Play) -> None:
    play.require(Fact.EMERGENCY_IN_FORCE)
    number = play.declare(START, LATER, 2)
    found = [Fact.EMERGENCY_IN_FORCE in play.ask(emergency_id=number) for _ in range(4)]
    assert found == [True, True, False, False]


@pytest.mark.parametrize(
    ("first", "last", "inside"),
    [(10, 20, True), (9, 20, False), (10, 21, False), (11, 19, True), (10, 0, False), (0, 20, False)],
)
def test_days_are_within_the_consents_days(play: Play, first: int, last: int, inside: bool) -> None:
    """First and last day included; no day asked for means all days."""
    play.require(Fact(0))
    play.give(data_from=10, data_to=20)
    facts = play.ask(basis=Basis.CONSENT, grant_id=GRANT, first_day=first, last_day=last)
    assert (Fact.GRANT_PERIOD in facts) is inside


@pytest.mark.parametrize(("asked", "in_any_case"), list(product(Level, Level)))
def test_levels(play: Play, asked: Level, in_any_case: Level) -> None:
    """What is asked for, or what the data is anyway, has to reach the consent's level."""
    play.require(Fact(0))
    words = (b"\x53" * 32, HOLDERS[0].account, 0, ALL, int(in_any_case), 0, NOTICE)
    play.do(play.model.issue(play.key(HOSPITAL), [words], [HOLDERS[0]]))
    for number, least in enumerate(Level):
        given = {"passport_id": PassportId(words[0]), "grant_id": GrantId(bytes([number + 1]) * 32)}
        play.give(level=least, **given)
        terms = Terms(Purpose.RESEARCH, Basis.CONSENT, Operation.READ, Category.VITALS, asked)
        request = Request(given["passport_id"], given["grant_id"], Commitment(ZERO32), terms)
        play.do(play.model.decide(play.key(UNIVERSITY), [(request, pack_terms(terms))]))
        facts = unpack_verdict(play.model.events[-1].arguments["verdict"]).facts
        assert (Fact.LEVEL_SUFFICIENT in facts) is (max(asked, in_any_case) >= least)


def test_a_permit_to_transfer_lasts_an_hour(play: Play) -> None:
    play.require(Fact(0))
    play.at(START)
    play.ask(operation=Operation.TRANSFER)
    for second, stands in ((SOON, True), (SOON + 1, False)):
        play.at(second)
        play.history.chain.mine(second)
        play.history.compare()
        assert bool(play.model.permit(PASSPORT, 0)) is stands
    move = play.model.ship(play.key(HOSPITAL), b"\x54" * 32, PASSPORT, 0, NOTICE)
    play.do(move, refused="Transfers_NotPermitted")


def test_a_delegate_speaks_until_its_end(play: Play) -> None:
    play.require(Fact(0))
    play.do(play.model.name_delegate(PASSPORT, HOLDERS[0], DELEGATES[0], SOON))
    play.give()
    for second, refused in ((SOON, "Consents_InvalidSignature"), (SOON - 1, "")):
        if not refused:
            # Time does not go back: the same once more, to the second before.
            play.do(play.model.name_delegate(PASSPORT, HOLDERS[0], DELEGATES[0], SOON + 2))
            second = SOON + 1  # noqa: PLW2901
        play.at(second)
        play.do(play.model.revoke(OUTSIDER, PASSPORT, GRANT, DELEGATES[0], named=True), refused=refused)


def test_a_recovery_waits_until_its_second(play: Play) -> None:
    play.require(Fact(0), recovery_seconds=HOUR)
    play.at(START)
    play.do(play.model.recover_at_counter(play.key(HOSPITAL), PASSPORT, HOLDERS[1], Custody.ASSISTED))
    play.at(SOON - 1)
    play.do(play.model.complete_recovery(OUTSIDER, PASSPORT), refused="Holders_TooEarly")
    play.at(SOON)
    play.do(play.model.complete_recovery(OUTSIDER, PASSPORT))


def test_a_consent_to_kinds_names_no_member(play: Play) -> None:
    """The kind is enough, whatever has happened to control."""
    play.require(Fact(0))
    play.give(recipient=0, recipient_kinds=1 << MemberKind.RESEARCH)
    play.do(play.model.change_control(UNIVERSITY))
    assert Fact.GRANT_RECIPIENT in play.ask(UNIVERSITY, basis=Basis.CONSENT, grant_id=GRANT)
    assert Fact.GRANT_RECIPIENT not in play.ask(COMPANY, basis=Basis.CONSENT, grant_id=GRANT)


def test_a_change_of_control_freezes_a_consent_until_it_is_confirmed(play: Play) -> None:
    play.require(Fact(0))
    play.give()
    ask = lambda: Fact.GRANT_RECIPIENT in play.ask(basis=Basis.CONSENT, grant_id=GRANT)  # noqa: E731
    found = [ask()]
    play.do(play.model.change_control(UNIVERSITY))
    found.append(ask())
    play.do(play.model.confirm(OUTSIDER, PASSPORT, GRANT, HOLDERS[0]))
    found.append(ask())
    assert found == [True, False, True]


@pytest.mark.parametrize("fact", ON_DEMAND)
def test_what_is_not_required_is_not_established(play: Play, fact: Fact) -> None:
    """Though it holds."""
    number = play.file()
    for approval, body in ((Approval.ETHICS, ETHICS), (Approval.COMPLIANCE, COMPLIANCE)):
        play.do(play.model.review_project(play.key(body), number, approval, approved=True))
    play.require(Fact(0))
    assert fact not in play.ask(project_id=number)


@pytest.mark.parametrize(
    ("custody", "signer", "separate"),
    [
        (Custody.SELF, HOLDERS[0], True),
        (Custody.SELF, DELEGATES[0], True),
        (Custody.ASSISTED, HOLDERS[0], False),
        (Custody.ASSISTED, DELEGATES[0], False),
    ],
)
def test_a_consent_is_separate_by_who_signs(play: Play, custody: Custody, signer, separate: bool) -> None:
    """The subject, or whom the subject let speak; not the custodian, nor whom the custodian let speak."""
    play.require(Fact(0))
    words = (b"\x53" * 32, HOLDERS[0].account, int(custody), ALL, 0, 0, NOTICE)
    play.do(play.model.issue(play.key(HOSPITAL), [words], [HOLDERS[0]]))
    passport_id, named = PassportId(words[0]), signer is DELEGATES[0]
    play.do(play.model.name_delegate(passport_id, HOLDERS[0], DELEGATES[0], FOREVER))
    play.give(passport_id=passport_id, flags=GrantFlag.SEPARATE, signer=signer, named=named)
    terms = Terms(Purpose.RESEARCH, Basis.CONSENT, Operation.READ, Category.VITALS)
    request = Request(passport_id, GRANT, Commitment(NOTICE), terms)
    play.do(play.model.decide(play.key(UNIVERSITY), [(request, pack_terms(terms))]))
    facts = unpack_verdict(play.model.events[-1].arguments["verdict"]).facts
    assert (Fact.GRANT_SEPARATE in facts) is separate


@pytest.mark.parametrize(("highest", "asked"), list(product(DataClass, DataClass)))
def test_a_project_reaches_up_to_its_class(play: Play, highest: DataClass, asked: DataClass) -> None:
    play.require(Fact(0))
    filing = (ALL, ALL, 1, int(highest), START, FOREVER, NOTICE)
    play.do(play.model.file_project(play.key(UNIVERSITY), filing, NOTICE))
    category = {1: Category.GENOMICS, 2: Category.DIAGNOSIS, 3: Category.VITALS}[asked]
    facts = play.ask(project_id=1, categories=category)
    assert (Fact.PROJECT_FILED in facts) is (asked >= highest)


@pytest.mark.parametrize(("place", "here"), [(0, True), (156, True), (840, False)])
def test_a_public_emergency_is_where_the_custodian_is(play: Play, place: int, here: bool) -> None:
    play.require(Fact.EMERGENCY_IN_FORCE)
    play.do(play.model.declare_emergency((ALL, ALL, START, LATER, 9, place), NOTICE))
    assert (Fact.EMERGENCY_IN_FORCE in play.ask(COMPANY, emergency_id=1)) is here


@pytest.mark.parametrize("controller", [HOSPITAL, UNIVERSITY])
def test_a_permit_in_nobodys_right_is_none_to_transfer(play: Play, controller: int) -> None:
    """A controller that entrusts only after the decision, or the requester itself, makes it nobody's; found by a history."""
    play.require(Fact(0))
    play.ask(operation=Operation.TRANSFER, controller_id=controller)
    assert play.model.state.transfer_permits
    if controller == HOSPITAL:
        play.do(play.model.entrust(play.key(HOSPITAL), UNIVERSITY, ALL, FOREVER))
    play.history.compare()
    assert play.model.permit(PASSPORT, 0) == 0
    move = play.model.ship(play.key(HOSPITAL), b"\x54" * 32, PASSPORT, 0, NOTICE)
    play.do(move, refused="Transfers_NotPermitted")
