"""
A world in which every fact of every entry of the law can be switched by what a request names, and when it is made.

Facts about members are switched by who asks, on behalf of one controller that everything else belongs to; facts about
passports, grants, projects, emergencies by which one is named; facts about the request itself by its words; that a
grant lives and a passport is open by four phases through which the whole world goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, islice, product
from typing import Any, Final

from eth_utils.crypto import keccak

from ledger.chain.contract import calldata
from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Clearance,
    Commitment,
    Grant,
    GrantId,
    PassportId,
    PolicyTable,
    Request,
    Terms,
)
from ledger.domain.vocabulary import (
    Approval,
    AttestationKind,
    Basis,
    Category,
    DataClass,
    Fact,
    GrantFlag,
    Level,
    MemberKind,
    Operation,
    Path,
    Purpose,
    Role,
)
from ledger.encoding.words import pack_terms, pack_verdict, project_subject
from ledger.policy import class_of, decide
from ledger.ports import Call
from tests.twin.chain import Key
from tests.twin.machine import ALL, FOREVER, OUTSIDER, START, Stage, admission
from tests.twin.model import Model, Move, batched, floor_of

#: Facts of the four groups whose combinations are all tried, the rest of the entry holding.
GRANT: Final = (
    Fact.GRANT_LIVE
    | Fact.GRANT_RECIPIENT
    | Fact.GRANT_PURPOSE
    | Fact.GRANT_CATEGORIES
    | Fact.GRANT_SEPARATE
    | Fact.GRANT_QUOTA
    | Fact.GRANT_PERIOD
)
PROJECT: Final = (
    Fact.PROJECT_FILED
    | Fact.PROJECT_ETHICS
    | Fact.PROJECT_COMPLIANCE
    | Fact.PROJECT_TECHNIQUE
    | Fact.PROJECT_AGREEMENT
    | Fact.BORDER_CLEARED
    | Fact.MODEL_LICENSED
)
#: Switched by who asks.
CALLER: Final = (Fact.MEMBER_ACTIVE, Fact.MEMBER_SCOPE, Fact.REVIEWS_CURRENT, Fact.WITHIN_CAP)
_ABROAD: Final = Fact(sum(CALLER)) | Fact.BORDER_CLEARED
#: Entries with at most so many facts are tried on all combinations of them; and with so many if it may take long.
WHOLE: Final = 11
WHOLE_DEEP: Final = 18

_PURPOSES: Final = tuple(Purpose)[:12]
_EVENS: Final = sum(1 << purpose for purpose in _PURPOSES if purpose % 2 == 0)
_ODDS: Final = sum(1 << purpose for purpose in _PURPOSES if purpose % 2 == 1)
_SEPARATE: Final = (1 << 16, *(1 << purpose for purpose in _PURPOSES))
_END: Final = START + 3 * 3600
_COVERED: Final = (
    Category.GENOMICS | Category.DIAGNOSIS | Category.DEMOGRAPHICS | Category.VITALS | Category.DEVICE
)
_ONLY_RESALE: Final = 1 << Purpose.RESALE
_INSTRUMENT: Final = Commitment(b"\x41" * 32)
_TEN_DAYS: Final = 10 * 86_400
NEVER_WAITED: Final = "it never was such that a human was all it lacked"
#: What a block takes, what a hundred decisions take at most, and a review.
_BLOCK_GAS: Final = 900_000_000
_DECIDE_GAS: Final = 16_000_000
_REVIEW_GAS: Final = 200_000
#: Under consent these say what the holder signed: no request without them ever waited for a human. Two of them can go
#: missing afterwards, by a change of control or a stricter law; such cases are left to `test_histories`.
SIGNED: Final = (
    Fact.GRANT_RECIPIENT
    | Fact.GRANT_PURPOSE
    | Fact.GRANT_CATEGORIES
    | Fact.GRANT_PERIOD
    | Fact.LEVEL_SUFFICIENT
)


@dataclass(frozen=True)
class Case:
    """An entry of the law and the facts that are to be missing. `direct`: the principal asks itself."""

    data_class: DataClass
    purpose: Purpose
    basis: Basis
    required: Fact
    missing: Fact
    direct: bool = False

    def holds(self, fact: Fact) -> bool:
        """Tell whether a fact is not to be missing, be it required or not."""
        return fact not in self.missing

    def needs(self, fact: Fact) -> bool:
        """Tell whether a fact is required, and not to be missing."""
        return fact in self.required and fact not in self.missing

    @property
    def is_approved(self) -> bool:
        """Tell whether a human is to have approved it."""
        return self.needs(Fact.HUMAN_REVIEWED)

    @property
    def has_direct(self) -> bool:
        """Tell whether the principal can ask itself: it is a member that lacks nothing, and at home."""
        unlike = self.missing & _ABROAD or self.basis is Basis.INDIVIDUAL_EMERGENCY
        return not unlike and not self.is_approved


@dataclass
class Table:
    """The world, and what was compared in it."""

    stage: Stage
    model: Model = field(init=False)
    law: PolicyTable = field(init=False)
    passports: dict[tuple[bool, ...], PassportId] = field(default_factory=dict)
    grants: dict[tuple[PassportId, bool, bool, int], GrantId] = field(default_factory=dict)
    projects: dict[Fact, int] = field(default_factory=dict)
    callers: dict[Fact, Key] = field(default_factory=dict)
    individual: dict[tuple[Fact, PassportId], int] = field(default_factory=dict)
    approved: set[tuple[Request, bytes]] = field(default_factory=set)
    categories: dict[tuple[DataClass, Purpose, bool, bool], Category | None] = field(default_factory=dict)
    declared: int = 0
    lock: int = 0
    compared: int = 0
    #: Cases that nothing can bring about, by the reason.
    unreachable: Counter[str] = field(default_factory=Counter)
    permitted: set[tuple[DataClass, Purpose, Basis]] = field(default_factory=set)

    def do(self, move: Move) -> None:
        """Do what nothing forbids, in both worlds."""
        assert move.errors == set(), (move.call, move.errors)
        answer = self.stage.chain.send(move.key, calldata(move.call), self.model.now)
        assert answer.error is None, (move.call, answer.error)
        found = [(event.name, event.arguments) for event in answer.events]
        assert [(event.name, event.arguments) for event in self.model.expected(move)] == found

    def do_together(self, key: Key, moves: Iterable[Move], *, gas: int) -> None:
        """Do what nothing forbids in few blocks; each move is made when the one before it has happened."""
        left = iter(moves)
        while True:
            calls, expected = [], []
            for move in islice(left, _BLOCK_GAS // gas):
                assert move.errors == set(), (move.call, move.errors)
                calls.append(calldata(move.call))
                expected.append(self.model.expected(move))
            if not calls:
                return
            answers = self.stage.chain.send_together(key, calls, self.model.now, gas=gas)
            for events, answer in zip(expected, answers, strict=True):
                found = [(event.name, event.arguments) for event in answer.events]
                assert [(event.name, event.arguments) for event in events] == found

    # The world

    def build(self, cases: Callable[[PolicyTable], Iterable[Case]]) -> None:
        """Build everything, have humans approve what is to be approved, then let what is to be missing go missing."""
        self.model = self.stage.begin()
        self.law = self.model.state.law
        self.do(self.model.set_policy(self._lax(human=Fact.HUMAN_REVIEWED)))
        self.principal, self.other = Key("principal"), Key("other")
        self._admit("Principal", Role.PROCESSOR | Role.CUSTODIAN, MemberKind.RESEARCH, 156, self.principal)
        self._admit("Other", Role.PROCESSOR | Role.CUSTODIAN, MemberKind.HOSPITAL, 156, self.other)
        self.declared, self.lock = self._declare(), self._declare()
        self._issue()
        self._file()
        self._give()
        self._call()
        self._approve(case for case in cases(self.law) if case.is_approved)
        self.do(self.model.set_policy(self._lax(human=Fact(0))))
        self._spend()
        self._spoil()
        self.do(self.model.set_policy(replace(self.law)))

    def _admit(self, name: str, roles: Role, kind: MemberKind, place: int, key: Key) -> None:
        self.stage.chain.fund(key)
        self.do(self.model.admit(admission(name, key, roles, kind, place), key))

    def _lax(self, *, human: Fact) -> PolicyTable:
        """Return a law that requires the floors alone, and a human where the law in force wants one, or not even that."""
        required = []
        for data_class, purpose in product(DataClass, Purpose):
            word = 0
            for basis in Basis:
                entry = floor_of(basis) | self.law.required_for(data_class, purpose, basis) & human
                word |= int(entry) << 32 * basis
            required.append(word)
        limits = replace(self.law.emergencies, seconds=86_400, categories=Category(ALL), monthly_quota=100)
        return replace(self.law, required=tuple(required), necessary=2**256 - 1, levels=0, emergencies=limits)

    def _declare(self) -> int:
        self.do(self.model.declare_emergency((ALL, ALL, START, START + 86_400, 10**6, 0), b"\x42" * 32))
        return len(self.model.state.emergencies)

    def _issue(self) -> None:
        """Passports by custody, allowed, unlocked, encrypted, de-identified, source."""
        holder = Key("patient")
        variants = [
            *((False, *bits, False, False) for bits in product((True, False), repeat=3)),
            *((False, a, u, False, d, s) for a, u, d, s in product((True, False), repeat=4) if d or s),
            *((True, a, u, False, False, False) for a, u in product((True, False), repeat=2)),
        ]
        for own, allowed, unlocked, encrypted, checked, sourced in variants:
            passport_id = PassportId(keccak(text=f"passport {len(self.passports)}"))
            lock = 0 if unlocked else self.lock
            keeper = self.principal if own else self.other
            words = (passport_id, holder.account, 0, ALL, 0, lock, b"\x43" * 32)
            self.do(self.model.issue(keeper, [words], [holder]))
            self.passports[own, allowed, unlocked, encrypted, checked, sourced] = passport_id
            verifier = self.stage.people[5]
            if encrypted:
                self.do(self.model.attest(verifier, passport_id, AttestationKind.ENCRYPTION, FOREVER))
            if checked:
                self.do(self.model.attest(verifier, passport_id, AttestationKind.DEIDENTIFICATION, FOREVER))
            if sourced:
                self.do(self.model.attest(keeper, passport_id, AttestationKind.SOURCE, FOREVER))

    def _file(self) -> None:
        """A project of the principal's for each set of facts about projects."""
        _, regulator, ethics, compliance = self.stage.people[1:5]
        for count in range(len(list(PROJECT)) + 1):
            for chosen in combinations(list(PROJECT), count):
                facts = Fact(sum(chosen))
                begins = START if Fact.PROJECT_FILED in facts else START + _TEN_DAYS
                agreement = b"\x44" * 32 if Fact.PROJECT_AGREEMENT in facts else ZERO32
                techniques = int(Fact.PROJECT_TECHNIQUE in facts)
                filing = (ALL, ALL, techniques, 1, begins, FOREVER, agreement)
                self.do(self.model.file_project(self.principal, filing, b"\x45" * 32))
                number = self.projects[facts] = len(self.model.state.projects)
                if Fact.PROJECT_ETHICS in facts:
                    self.do(self.model.review_project(ethics, number, Approval.ETHICS, approved=True))
                if Fact.PROJECT_COMPLIANCE in facts:
                    self.do(self.model.review_project(compliance, number, Approval.COMPLIANCE, approved=True))
                if Fact.BORDER_CLEARED in facts:
                    self._clear(number)
                if Fact.MODEL_LICENSED in facts:
                    licence = AttestationKind.LICENCE
                    self.do(self.model.attest(regulator, project_subject(number), licence, FOREVER))

    def _clear(self, project_id: int) -> None:
        """Clear the other's data, which is what the principal's callers ask for from abroad, for a project."""
        exporter = self.model.member_of(self.other)
        given = Clearance(0, project_id, exporter, 0, Path.ASSESSMENT, START, FOREVER, 1)
        self.do(self.model.clear(self.stage.people[2], given, b"\x46" * 32))

    def _give(self) -> None:
        """Grants by passport, recipient, quota, and purposes: one purpose each is separate, a half of them is not."""
        holder = Key("patient")
        consented = [self.passports[False, *bits, False, False] for bits in product((True, False), repeat=3)]
        for passport_id, recipient, quota in product(consented, (True, False), (True, False)):
            for purposes in (_EVENS, _ODDS, *_SEPARATE[1:]):
                grant_id = GrantId(keccak(text=f"grant {len(self.grants)}"))
                given = Grant(
                    grant_id=grant_id,
                    passport_id=passport_id,
                    recipient=self.model.member_of(self.principal if recipient else self.other),
                    recipient_kinds=0,
                    purposes=purposes,
                    categories=_COVERED,
                    use_from=START,
                    use_to=_END,
                    data_from=10,
                    data_to=20,
                    max_uses=0 if quota else 1,
                    level=Level.PSEUDONYMISED,
                    flags=GrantFlag.SEPARATE if purposes in _SEPARATE else GrantFlag(0),
                    template=1,
                    terms=_INSTRUMENT,
                    supersedes=NO_GRANT,
                    deadline=FOREVER,
                )
                self.do(self.model.grant(OUTSIDER, given, holder))
                self.grants[passport_id, recipient, quota, purposes] = grant_id

    def _call(self) -> None:
        """Who asks: one member for each set of facts about members, from abroad, entrusted by the principal."""
        places = [
            self.passports[False, *bits, False, False, False] for bits in product((True, False), repeat=2)
        ]
        for bits in product((True, False), repeat=len(CALLER)):
            facts = Fact(sum(fact for fact, bit in zip(CALLER, bits, strict=True) if bit))
            key = self.callers[facts] = Key(f"caller {int(facts)}")
            self._admit(f"Caller {int(facts)}", Role.PROCESSOR | Role.EMERGENCY, MemberKind.COMPANY, 840, key)
            regulator, listed = self.stage.people[2], self.model.member_of(key)
            self.do(self.model.set_border_access(regulator, listed, FOREVER))
            self.do(self.model.entrust(self.principal, self.model.member_of(key), ALL, FOREVER))
            for passport_id in places:
                self.do(self.model.open_emergency(key, passport_id, 1, 0))
                self.individual[facts, passport_id] = len(self.model.state.emergencies)

    def _approve(self, cases: Iterable[Case]) -> None:
        """Have humans approve the requests of these cases, as far as they ever were such that a human was all they lacked."""
        waiting: dict[Key, dict[Request, None]] = {}
        for case in cases:
            if case.basis is Basis.CONSENT and case.missing & SIGNED:
                continue
            found = self.request(case)
            if not isinstance(found, str):
                waiting.setdefault(found[0], {})[found[1]] = None
        for key, asked in waiting.items():
            requests = [(request, pack_terms(request.terms)) for request in asked]
            parts = [requests[index : index + 100] for index in range(0, len(requests), 100)]
            self.do_together(key, (self.model.decide(key, part) for part in parts), gas=_DECIDE_GAS)
            self.approved |= {(request, key.account) for request in asked}
            self._review(self.model.member_of(key))

    def _review(self, member_id: int) -> None:
        """Have what waits of one member approved."""
        bodies: dict[Key, list[tuple[Request, int]]] = {}
        for (_, seq), (request, asker) in self.model.waiting.items():
            assert asker == member_id
            body = self.stage.people[2 if request.terms.basis is Basis.COMPELLED else 3]
            bodies.setdefault(body, []).append((request, seq))
        for body, waiting in bodies.items():
            moves = (
                self.model.review_request(body, request, member_id, seq, approved=True)
                for request, seq in waiting
            )
            self.do_together(body, moves, gas=_REVIEW_GAS)

    def _spend(self) -> None:
        """Spend the quotas and the caps that are to be spent."""
        for recipient, key in ((True, self.principal), (False, self.other)):
            asked = []
            for (passport_id, whose, quota, purposes), grant_id in self.grants.items():
                if whose is recipient and not quota:
                    purpose = next(purpose for purpose in _PURPOSES if purposes >> purpose & 1)
                    locked = self.model.state.passports[passport_id].lock
                    terms = Terms(
                        purpose,
                        Basis.CONSENT,
                        Operation.READ,
                        Category.VITALS,
                        Level.AGGREGATE,
                        0,
                        locked,
                        0,
                        12,
                        15,
                    )
                    asked.append((Request(passport_id, grant_id, _INSTRUMENT, terms), pack_terms(terms)))
            self.do(self.model.decide(key, asked))
        passport_id = self.passports[True, True, True, False, False, False]
        for facts, key in self.callers.items():
            if Fact.WITHIN_CAP not in facts:
                self.do(self.model.set_caps(self.model.member_of(key), sum(1 << 16 * p for p in Purpose)))
                asked = []
                for purpose in _PURPOSES:
                    terms = Terms(purpose, Basis.LEGAL_DUTY, Operation.READ, Category.VITALS)
                    asked.append((Request(passport_id, NO_GRANT, _INSTRUMENT, terms), pack_terms(terms)))
                self.do(self.model.decide(key, asked))

    def _spoil(self) -> None:
        """Let members lose what they are to lack, passports what they are to lack."""
        regulator = self.stage.people[2]
        for facts, key in self.callers.items():
            member_id = self.model.member_of(key)
            if Fact.REVIEWS_CURRENT not in facts:
                passport_id = self.passports[True, True, True, False, False, False]
                self.do(self.model.open_emergency(key, passport_id, 1, 0))
                number = len(self.model.state.emergencies)
                self.do(self.model.review_emergency(regulator, number, justified=False))
            if Fact.MEMBER_SCOPE not in facts:
                self.do(self.model.license(member_id, 0, FOREVER))
            if Fact.MEMBER_ACTIVE not in facts:
                self.do(self.model.suspend(member_id))
        for (own, allowed, *_), passport_id in self.passports.items():
            if not allowed:
                keeper = self.principal if own else self.other
                self.do(self.model.narrow(keeper, passport_id, _ONLY_RESALE))
        self.do(self.model.end_emergency(self.lock))

    # The phases

    def phases(self) -> Iterator[Fact]:
        """Go through the phases: yields which of `PASSPORT_OPEN` and `GRANT_LIVE` fail in each."""
        yield Fact(0)
        for (own, *_), passport_id in self.passports.items():
            self.do(self.model.seal(passport_id, by=self.principal if own else self.other))
        yield Fact.PASSPORT_OPEN
        self.model.now = _END
        self.stage.chain.mine(_END)
        yield Fact.PASSPORT_OPEN | Fact.GRANT_LIVE
        for passport_id in self.passports.values():
            self.do(self.model.unseal(passport_id))
        yield Fact.GRANT_LIVE

    # Requests

    def request(self, case: Case) -> tuple[Key, Request] | str:
        """Return who asks what, so that of what the entry requires exactly these facts are missing; or why nobody can."""
        found = self.words(case)
        if isinstance(found, str):
            return found
        key, commitment, terms = found
        request = Request(*self.target(case), commitment, terms)
        if case.is_approved and self.approved and (request, key.account) not in self.approved:
            return NEVER_WAITED
        return key, request

    def words(self, case: Case) -> tuple[Key, Commitment, Terms] | str:
        """Return who asks in which words, but for the passport and the grant; or why there are none."""
        consent, individual = case.basis is Basis.CONSENT, case.basis is Basis.INDIVIDUAL_EMERGENCY
        wanted = self._categories(
            case.data_class,
            case.purpose,
            case.holds(Fact.CATEGORIES_NECESSARY),
            case.holds(Fact.GRANT_CATEGORIES),
        )
        if wanted is None:
            return "no categories of this class are so for this purpose"
        least = max(self.law.level_for(case.data_class, case.purpose), Level.PSEUDONYMISED if consent else 0)
        if least == 0 and not case.holds(Fact.LEVEL_SUFFICIENT):
            return "the law lets this be handed over as recorded"
        if case.needs(Fact.DEIDENTIFIED):
            if not case.holds(Fact.LEVEL_SUFFICIENT):
                return "what is handed over de-identified is at every level that the law demands"
            least = Level.DEIDENTIFIED
        facts = Fact(sum(fact for fact in CALLER if case.holds(fact)))
        emergency_id = 0
        if case.needs(Fact.EMERGENCY_IN_FORCE):
            emergency_id = self.individual[facts, self._passport(case)] if individual else self.declared
        if case.is_approved and not case.holds(Fact.UNLOCKED):
            if emergency_id:
                return "data that is locked cannot be approved under another emergency"
            emergency_id = self.lock  # When a human approved it, the emergency was in force.
        terms = Terms(
            purpose=case.purpose,
            basis=case.basis,
            operation=Operation.READ,
            categories=wanted,
            level=Level(least if case.holds(Fact.LEVEL_SUFFICIENT) else 0),
            project_id=self.projects[PROJECT & ~case.missing] if case.required & PROJECT else 0,
            emergency_id=emergency_id,
            controller_id=0 if case.direct else self.model.member_of(self.principal),
            first_day=12 if case.holds(Fact.GRANT_PERIOD) else 5,
            last_day=15,
        )
        # What is to lack a human's approval differs in its statement from what has it.
        unapproved = Fact.HUMAN_REVIEWED in case.required and not case.is_approved
        commitment = Commitment(ZERO32) if unapproved else _INSTRUMENT
        return self.principal if case.direct else self.callers[facts], commitment, terms

    def target(self, case: Case) -> tuple[PassportId, GrantId]:
        """Return the passport and the grant that are named."""
        passport_id = self._passport(case)
        return passport_id, self._grant(case, passport_id) if case.basis is Basis.CONSENT else NO_GRANT

    def _passport(self, case: Case) -> PassportId:
        return self.passports[
            case.needs(Fact.REQUESTER_IS_CUSTODIAN),
            case.holds(Fact.PURPOSE_ALLOWED),
            case.holds(Fact.UNLOCKED),
            case.needs(Fact.ENCRYPTED),
            case.needs(Fact.DEIDENTIFIED),
            case.needs(Fact.SOURCE_DECLARED),
        ]

    def _grant(self, case: Case, passport_id: PassportId) -> GrantId:
        right = Fact.GRANT_PURPOSE not in case.missing
        if Fact.GRANT_SEPARATE in case.missing or (
            Fact.GRANT_SEPARATE not in case.required and case.purpose % 3
        ):
            purposes = _EVENS if (case.purpose % 2 == 0) == right else _ODDS
        else:
            purposes = 1 << (case.purpose if right else (case.purpose + 1) % len(_PURPOSES))
        recipient = Fact.GRANT_RECIPIENT not in case.missing
        return self.grants[passport_id, recipient, Fact.GRANT_QUOTA not in case.missing, purposes]

    def _categories(
        self, data_class: DataClass, purpose: Purpose, necessary: bool, covered: bool
    ) -> Category | None:
        """Return categories of a class that are, or are not, all necessary for a purpose and in the grants."""
        key = data_class, purpose, necessary, covered
        if key not in self.categories:
            needed = self.law.necessary_for(purpose)
            sets = (
                Category(sum(chosen)) for count in (1, 2, 3) for chosen in combinations(list(Category), count)
            )
            self.categories[key] = next(
                (
                    found
                    for found in sets
                    if class_of(self.law, found) is data_class
                    and (found in needed) == necessary
                    and (found in _COVERED) == covered
                ),
                None,
            )
        return self.categories[key]

    # The comparison

    def compare(self, cases: Iterable[Case]) -> None:
        """Let the contract and the twin answer the cases of this phase, and compare the verdicts bit for bit."""
        asked: dict[Key, list[tuple[Case, Request]]] = {}
        for case in cases:
            found = self.request(case)
            if isinstance(found, str):
                self.unreachable[found] += 1
            else:
                asked.setdefault(found[0], []).append((case, found[1]))
        for key, pairs in asked.items():
            # What shares its words is asked in one batch: what is worked out once must be right for all of it.
            pairs.sort(key=lambda pair: (pack_terms(pair[1].terms), pair[1].commitment))
            for index in range(0, len(pairs), 500):
                self._compare(key, pairs[index : index + 500])

    def _compare(self, key: Key, pairs: list[tuple[Case, Request]]) -> None:
        requests = [(request, pack_terms(request.terms)) for _, request in pairs]
        answer = self.stage.chain.call(key, calldata(Call("decide", (batched(requests),))))
        member_id, state = self.model.member_of(key), self.model.state
        sizes: dict[PassportId, int] = {}
        for number, (case, request) in enumerate(pairs):
            word = int.from_bytes(answer[64 + 32 * number : 96 + 32 * number], "big")
            verdict = decide(request, state.situation(request, member_id, self.model.now))
            size = sizes.get(request.passport_id, verdict.seq)
            sizes[request.passport_id] = size + 1
            verdict = replace(verdict, seq=size)
            assert case.data_class is verdict.data_class
            assert case.missing == verdict.missing, (case, verdict)
            if not verdict.missing:
                self.permitted.add((case.data_class, case.purpose, case.basis))
            assert f"{pack_verdict(verdict):064x}" == f"{word:064x}", (case, request, verdict)
            self.compared += 1


def entries(law: PolicyTable) -> Iterator[tuple[DataClass, Purpose, Basis, Fact]]:
    """Yield every entry of the law, the empty ones too."""
    for data_class, purpose, basis in product(DataClass, Purpose, Basis):
        yield data_class, purpose, basis, law.required_for(data_class, purpose, basis)


def combinations_of(required: Fact, *, deep: bool = False) -> Iterator[Fact]:
    """
    Yield the sets of facts to be missing of an entry, each once.

    All of them for an entry of at most `WHOLE` facts, `WHOLE_DEEP` if *deep*. Of a larger one: all of at most two facts, all but at most two,
    and every set of facts about the grant, about the project, and of the rest. *deep*: all of three facts, and
    every set about grant and project together.
    """
    facts = list(required)
    if len(facts) <= (WHOLE_DEEP if deep else WHOLE):
        yield from (Fact(sum(chosen)) for chosen in _subsets(facts))
        return
    found: dict[Fact, None] = {}
    for count in range(4 if deep else 3):
        found |= {Fact(sum(chosen)): None for chosen in combinations(facts, count)}
    for count in range(3):
        found |= {required & ~Fact(sum(chosen)): None for chosen in combinations(facts, count)}
    rest = required & ~GRANT & ~PROJECT
    for group in (required & GRANT, required & PROJECT, rest):
        found |= {Fact(sum(chosen)): None for chosen in _subsets(list(group))}
    if deep:
        found |= {Fact(sum(chosen)): None for chosen in _subsets(list(required & GRANT | required & PROJECT))}
    yield from found


def _subsets(facts: list[Any]) -> Iterator[tuple[Any, ...]]:
    for count in range(len(facts) + 1):
        yield from combinations(facts, count)


def cases_of(law: PolicyTable, *, deep: bool = False) -> Iterator[Case]:
    """Yield every case; an empty entry has one, which lacks the law itself."""
    for data_class, purpose, basis, required in entries(law):
        for missing in combinations_of(required, deep=deep) if required else [Fact.LAWFUL]:
            case = Case(data_class, purpose, basis, required, missing)
            yield case
            # Where the principal lacks nothing, it asks itself, too.
            if case.has_direct:
                yield replace(case, direct=True)
