"""
Contract and twin in step: a random history is played on a devnet and in the twin, and compared after every step.

The twin is `ledger.audit` and `ledger.policy`; `tests.twin.model` says in advance whether a call is refused, with which
errors, and otherwise which events it emits. Compared are: refusal and its reason, every event word for word (verdicts
with facts and missing facts among them), and what all views answer.
"""

from __future__ import annotations

import pathlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import product
from typing import Any, ClassVar, Final

from eth_utils.crypto import keccak
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ledger.audit.columns import replay_logs
from ledger.audit.findings import Rule, withdrawal_findings
from ledger.audit.folds import _stands
from ledger.audit.replay import Replay, replay
from ledger.audit.state import DAY_SECONDS, hash_of
from ledger.chain import artifacts
from ledger.chain.contract import calldata
from ledger.chain.devnet import Devnet
from ledger.domain.lineage import Dataset, JointPart, Origin, Plan, Step, Version, VersionId
from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Clearance,
    Commitment,
    Grant,
    GrantId,
    Limits,
    PassportId,
    PolicyTable,
    Request,
    Terms,
    TransferId,
)
from ledger.domain.vocabulary import (
    Answer,
    Approval,
    AttestationKind,
    Basis,
    Category,
    Check,
    Custody,
    DataClass,
    DatasetStatus,
    EmergencyKind,
    Fact,
    GrantFlag,
    Level,
    MemberKind,
    ModelStatus,
    Operation,
    Part,
    Path,
    Purpose,
    Role,
    StepFact,
    StepKind,
    TransferStatus,
    VersionKind,
)
from ledger.encoding.commitments import external_id
from ledger.encoding.hexadecimal import from_hex
from ledger.encoding.structs import clearance_values, limits_values, policy_values
from ledger.encoding.typed_data import LedgerDomain
from ledger.encoding.words import pack_terms, project_subject, unpack_terms, unpack_verdict
from ledger.errors import VerificationError
from ledger.lineage import PURPOSE_OF, missing_of, obligation_of
from ledger.policy import class_of, grant_is_live, is_cleared, may_cross, person_of, year_of
from ledger.ports import Call
from tests.twin.chain import Chain, Key, View, word
from tests.twin.dice import DAY, HOUR, MINUTE, Dice, flip, law_from
from tests.twin.model import FOUNDER, Model, Move, grant_values

START: Final = 1_800_000_000
FOREVER: Final = 2**32 - 1
ALL: Final = 0xFFFF
NOTICE: Final = b"\x21" * 32
TOOLS: Final = tuple(keccak(text=f"tool {number}") for number in range(2))
#: How often steps of a kind are tried.
STEP_KINDS: Final = {
    StepKind.COLLECT: 5,
    StepKind.CLEAN: 1,
    StepKind.LABEL: 1,
    StepKind.SPLIT: 3,
    StepKind.MERGE: 2,
    StepKind.DEIDENTIFY: 1,
    StepKind.TRAIN: 5,
    StepKind.EVALUATE: 4,
    StepKind.DEPLOY: 3,
    StepKind.INFER: 3,
    StepKind.RELEASE: 2,
    StepKind.DESTROY: 1,
}
#: Kinds of steps that are about a dataset; kinds that use a model, and data with it or not.
DATASET_STEPS: Final = (StepKind.COLLECT, StepKind.DESTROY)
MODEL_STEPS: Final = (StepKind.EVALUATE, StepKind.DEPLOY, StepKind.INFER)
DICE: Final = st.integers(0, 2**64 - 1)
#: Who is there from the beginning: name, roles, kind, jurisdiction. The founder is member 1.
CAST: Final = (
    ("Alliance", Role.ALLIANCE, MemberKind.OTHER, 156),
    ("Regulator", Role.REGULATOR, MemberKind.AUTHORITY, 156),
    ("Ethics", Role.ETHICS, MemberKind.OTHER, 156),
    ("Compliance", Role.COMPLIANCE | Role.ETHICS, MemberKind.OTHER, 156),
    ("Verifier", Role.VERIFIER, MemberKind.OTHER, 156),
    ("Hospital", Role.CUSTODIAN | Role.EMERGENCY, MemberKind.HOSPITAL, 156),
    ("Clinic", Role.CUSTODIAN | Role.EMERGENCY | Role.ETHICS, MemberKind.HOSPITAL, 840),
    ("University", Role.PROCESSOR, MemberKind.RESEARCH, 156),
    ("Company", Role.PROCESSOR | Role.VERIFIER, MemberKind.COMPANY, 840),
    ("Overseer", Role.REGULATOR, MemberKind.AUTHORITY, 840),
)
#: Members that ask for data across a border, by where they are; and who clears it, by where it is kept.
IMPORTERS: Final = {156: 9, 840: 10}
CLEARERS: Final = {156: (3, 6), 840: (11, 10)}
OUTSIDER: Final = Key("outsider")
HOLDERS: Final = tuple(Key(f"holder {number}") for number in range(4))
DELEGATES: Final = tuple(Key(f"delegate {number}") for number in range(2))

_VIEWS: Final = {
    name: View(name)
    for name in (
        "memberOf",
        "capsOf",
        "entrustmentOf",
        "policy",
        "policyVersion",
        "passportOf",
        "sizeOf",
        "grantOf",
        "templateOf",
        "projectOf",
        "attestationOf",
        "emergencyOf",
        "emergencyRightOf",
        "transferOf",
        "transferPermit",
        "recoveryOf",
        "delegateUntil",
        "nonceOf",
        "head",
        "memberCount",
        "emergencyCount",
        "projectCount",
        "datasetOf",
        "datasetCount",
        "withdrawalsOf",
        "inclusionsOf",
        "versionOf",
        "originsOf",
        "shareOf",
        "contributionOf",
        "stepCount",
        "obligationOf",
        "agreementOf",
        "agreementText",
        "agreementCount",
        "borderAccessOf",
        "clearanceOf",
        "clearanceFor",
        "clearanceCount",
        "thresholds",
        "exportsOf",
        "mayCross",
    )
}


@dataclass
class Wish:
    """What a request is to be for, as far as it is known."""

    basis: Basis
    passport_id: PassportId
    member_id: int
    grant_id: GrantId = NO_GRANT
    emergency_id: int = 0
    purposes: int = ALL
    categories: int = ALL
    level: Level = Level.IDENTIFIED
    days: tuple[int, int] = (0, 0)


@contextmanager
def devnet(folder: pathlib.Path) -> Iterator[Chain]:
    """Yield a connection to a devnet of its own, at the beginning of its time."""
    node = Devnet(folder)
    node.spec = replace(node.spec, genesis_time=START - 10)
    node.start()
    connection = Chain(node.spec.url, node.spec.chain_id)
    try:
        yield connection
    finally:
        connection.close()
        node.stop()


class Stage:
    """A devnet with a founded ledger and a cast, from which every history begins."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        founder = Key("founder")
        self.people = [founder, *(Key(name) for name, *_ in CAST)]
        chain.fund(*self.people, OUTSIDER, *HOLDERS, *DELEGATES, *(Key(f"spare {n}") for n in range(4)))
        chain.found(
            founder, admission("Founder", founder, Role.COMMITTEE, MemberKind.OTHER, 156), NOTICE, START
        )
        self.first = list(chain.history())
        model = self._model()
        for (name, roles, kind, place), key in zip(CAST, self.people[1:], strict=True):
            move = model.admit(admission(name, key, roles, kind, place), key)
            assert chain.send(move.key, calldata(move.call), START).error is None
            model.expected(move)
        self.first = list(chain.history())
        self.snapshot = chain.snapshot()

    def begin(self) -> Model:
        """Go back to the beginning; return a model of it."""
        self.snapshot = self.chain.revert(self.snapshot)
        model = self._model()
        for number, ((name, *_), key) in enumerate(zip(CAST, self.people[1:], strict=True), FOUNDER + 1):
            model.keys[number], model.signing_keys[_signing(name)] = key, number
        return model

    def _model(self) -> Model:
        model = Model(LedgerDomain(self.chain.chain_id, "0x" + self.chain.ledger.hex()))
        model.now = START
        model.keys[FOUNDER] = self.people[0]
        model.signing_keys[_signing("Founder")] = FOUNDER
        model.take(self.first)
        return model


class ContractAndTwin(RuleBasedStateMachine):
    """One history. `stage` is set by the test."""

    stage: ClassVar[Stage]
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.model = self.stage.begin()
        self.chain = self.stage.chain
        self.known: dict[bytes, tuple[bytes, Any]] = {}
        self.names = self.trail = self.law = 0
        self.kinds = [kind for kind, weight in self._weights().items() for _ in range(weight)]

    def _weights(self) -> dict[Callable[[Dice], None], int]:
        return {
            self.ask: 18,
            self.ask_often: 6,
            self.ask_once_more: 8,
            self.give: 14,
            self.change_grant: 10,
            self.change_project: 9,
            self.attest: 10,
            self.emergency: 8,
            self.review_request: 8,
            self.hand_over: 8,
            self.pass_time: 8,
            self.change_member: 8,
            self.cap: 3,
            self.change_law: 3,
            self.issue: 2,
            self.change_passport: 4,
            self.change_holder: 5,
            self.change_dataset: 4,
            self.settle: 1,
            self.work: 14,
            self.judge: 4,
            self.share: 10,
            self.federate: 4,
            self.vouch: 2,
            self.owe: 7,
            self.agree: 4,
            self.clear: 6,
            self.cross: 7,
        }

    def _throw(self, seed: int) -> None:
        self.trail = int.from_bytes(
            blake2b(self.trail.to_bytes(8, "big") + seed.to_bytes(8, "big"), digest_size=8).digest()
        )

    # What every step does

    def play(self, move: Move, *, look: bool = True) -> None:
        """Make a call in both worlds and compare what became of it."""
        model = self.model
        answer = self.chain.send(move.key, calldata(move.call), model.now)
        what = f"{move.call} at {model.now}"
        if move.errors:
            assert answer.error is not None, f"{what} went through, but the twin says {move.errors}"
            assert answer.error in move.errors, f"{what}: {answer.error}, but the twin says {move.errors}"
            self.seen[answer.error] += 1
        else:
            assert answer.error is None, f"{what} reverted with {answer.error}, but nothing forbids it"
            expected = model.expected(move)
            self.seen[move.act or move.call.function] += 1
            found = [(event.name, event.arguments) for event in answer.events]
            assert [(event.name, event.arguments) for event in expected] == found, what
            self._count(expected)
        if look:
            self.compare()

    def compare(self) -> None:
        """Compare what the views answer with the twin's state."""
        asked = list(_questions(self.model))
        if self.law != self.model.state.policy_version:
            # The largest of all answers: asked for when it changed, and once more in the end.
            self.law = self.model.state.policy_version
            view = _VIEWS["policy"]
            asked.append((view.ask(b""), view, policy_values(self.model.state.law)))
        answers = self.chain.views([question for question, *_ in asked])
        for (question, view, expected), raw in zip(asked, answers, strict=True):
            known = self.known.get(question)
            if known is not None and known[0] == raw and known[1] == expected:
                continue
            found = _plain(view.read(raw))
            assert expected == found, f"{question.hex()}: {found} on chain, {expected} in the twin"
            self.known[question] = raw, expected

    def _count(self, events: list[Any]) -> None:
        for event in events:
            if event.name == "DecisionRecorded":
                verdict = unpack_verdict(event.arguments["verdict"])
                self.seen[verdict.outcome.name] += 1
                for fact in Fact:
                    self.seen[f"{fact.name} holds" if fact in verdict.facts else f"{fact.name} fails"] += 1
            if event.name == "StepRecorded":
                missing = StepFact(event.arguments["missing"])
                if not missing:
                    self.seen[f"{StepKind(event.arguments['kind']).name} stands"] += 1
                for rule_ in missing:
                    self.seen[f"{rule_.name} broken"] += 1

    def teardown(self) -> None:
        """Replay the whole chain as the auditor does."""
        if not self.model.events:
            return
        self.law = 0
        self.compare()
        found = replay(self.chain.history())
        assert found.mismatches == []
        assert found.step_mismatches == []
        assert not [
            finding
            for finding in withdrawal_findings(found.state, at=self.model.now)
            if finding.rule is Rule.WITHDRAWAL_MISMATCH
        ]
        assert found.state.head == self.model.state.head
        assert found.state.passports == self.model.state.passports
        assert outcome_of(lambda: replay_logs(self.chain.raw_logs(), artifacts.load().abi)) == parts_of(found)

    # Choices

    def name(self) -> bytes:
        self.names += 1
        return keccak(text=f"name {self.names}")

    def member(self, dice: Dice, *wanted: Role) -> int:
        """Return a member, mostly one with a role; once in a while one that there is not."""
        if dice.slips(24):
            return len(self.model.state.members) + 1
        members = self.model.state.members.values()
        fit = [m.member_id for m in members if not wanted or any(role in m.roles for role in wanted)]
        return dice.pick(fit if fit and not dice.slips(6) else [m.member_id for m in members])

    def key_of(self, member_id: int) -> Key:
        return self.model.keys.get(member_id, OUTSIDER)

    def key(self, dice: Dice, *wanted: Role) -> Key:
        return self.key_of(self.member(dice, *wanted))

    def passport(self, dice: Dice) -> PassportId:
        known = list(reversed(self.model.state.passports))
        return PassportId(b"\x55" * 32) if not known or dice.slips(40) else dice.pick(known[:6])

    def keeper(self, dice: Dice, passport_id: PassportId) -> Key:
        """Return the key of a passport's custodian, mostly."""
        passport = self.model.state.passports.get(passport_id)
        return self.key(dice) if passport is None or dice.slips(8) else self.key_of(passport.custodian)

    def grant_key(self, dice: Dice) -> tuple[PassportId, GrantId]:
        known = list(reversed(self.model.state.grants))
        if not known or dice.slips(16):
            return self.passport(dice), GrantId(keccak(text=f"reserved {dice.below(3)}"))
        passport_id, grant_id = dice.pick(known[:8])
        return (self.passport(dice) if dice.slips(16) else passport_id), grant_id

    def signer(self, dice: Dice, passport_id: PassportId) -> tuple[Key, bool]:
        """Return who signs for a passport, and whether the proof says who."""
        named = [key for key in DELEGATES if (passport_id, key.address) in self.model.state.delegates]
        if (named and dice.rarely(2)) or dice.slips(6):
            return dice.pick(named or DELEGATES), True
        if dice.slips(12):
            return dice.pick(HOLDERS), dice.slips(4)
        return self.model.holders.get(passport_id, HOLDERS[0]), False

    def later(self, dice: Dice) -> int:
        """Return an end: mostly soon, or once in a while over already."""
        return self.model.now + dice.pick((30 * DAY, HOUR, DAY, 7 * DAY, MINUTE, 0 if dice.slips(4) else 1))

    def boundaries(self) -> list[int]:
        """Return the moments to come at which something begins or ends."""
        state = self.model.state
        found = [member.valid_to for member in state.members.values()]
        for entry in state.grants.values():
            found += [entry.state.use_from, entry.state.use_to]
        for project in state.projects.values():
            found += [project.valid_from, project.valid_to]
        for urgent in state.emergencies.values():
            found += [urgent.emergency.valid_from, urgent.emergency.until, urgent.emergency.review_due]
        found += [order.valid_to for order in state.entrustments.values()]
        found += list(state.delegates.values())
        found += [recovery.ready_at for recovery in state.recoveries.values()]
        found += [statement.valid_to for kinds in state.attestations.values() for statement in kinds.values()]
        found += list(state.approvals.values())
        found += [entry.position.time + HOUR for entry in state.transfer_permits.values()]
        found += [start + 30 * DAY for start, _ in self.model.windows.values()]
        for dataset in state.datasets.values():
            found += [dataset.retain_until, dataset.usable_until]
        found += [obligation_of(version, state.datasets) or 0 for version in state.versions.values()]
        found += [entry.agreement.limits.valid_to for entry in state.agreements.values()]
        found += list(state.border_access.values())
        for cleared in state.clearances.values():
            found += [cleared.clearance.valid_from, cleared.clearance.valid_to]
        found.append((self.model.now // DAY_SECONDS + 1) * DAY_SECONDS)
        return sorted({moment for moment in found if self.model.now < moment < FOREVER - DAY * 400})

    # Rules

    @initialize(first=DICE, second=DICE, third=DICE)
    def begin(self, first: int, second: int = 0, third: int = 0) -> None:
        """Mostly a law that permits much, and two passports."""
        for seed in (first, second, third):
            self._throw(seed)
        chance = Dice(self.trail)
        if not chance.rarely(6):
            law = law_from(chance, self.model.state.law)
            self.play(self.model.set_policy(guarded(law) if chance.rarely(3) else law), look=False)
        for custodian, custody in ((7, Custody.SELF), (8, Custody.ASSISTED)):
            self._issue(Dice(self.trail, custodian, clumsy=False), self.key_of(custodian), custody, 1)
        self.compare()

    @rule(seed=DICE)
    def go_on(self, seed: int) -> None:
        """
        Do something. Hypothesis chooses how many steps there are; what a step does follows from its seed.

        One rule and not one for each kind of step: Hypothesis leaves rules out of whole histories, and here a history
        is worth most if everything happens in it. It also throws the same few seeds again and again, so what a step
        does follows from all seeds up to it: two histories that once differ stay different.
        """
        self._throw(seed)
        chance = Dice(self.trail)
        chance.pick(self.kinds)(chance)

    def pass_time(self, chance: Dice) -> None:
        """Up to a moment at which something begins or ends: the second before, itself, or the one after."""
        moment = chance.pick(self.boundaries()[:4]) + chance.pick((0, -1, 1))
        self.model.now = max(self.model.now, moment)
        self.chain.mine(self.model.now)
        self.seen["time passed"] += 1
        self.compare()

    def change_member(self, chance: Dice) -> None:
        model, kind = self.model, chance.pick((0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9))
        member_id = self.member(chance)
        if kind <= 1:
            self._admit(chance)
        elif kind == 2:
            by = None if chance.rarely(2) else self.key(chance, Role.ALLIANCE, Role.REGULATOR)
            self.play(model.suspend(member_id, by=by))
        elif kind <= 4:
            suspended = [
                m.member_id for m in model.state.members.values() if not model.is_active(m.member_id)
            ]
            self.play(model.reinstate(chance.pick(suspended) if suspended else member_id))
        elif kind == 5:
            self.play(model.expel(member_id) if chance.rarely(4) else model.restore_right(member_id))
        elif kind == 6:
            # Mostly of who asks: half of its scope is gone, and the end is near.
            asking = [m for _, m in model.asked[-4:]]
            holder = chance.pick(asking) if asking and not chance.rarely(4) else member_id
            if holder == FOUNDER and not chance.slips(4):
                return  # Nobody is left to act once the only seat's membership runs out.
            self.play(model.license(holder, chance.below(1 << 16), self.later(chance)))
        elif kind == 7:
            by = None if chance.rarely(2) else self.key(chance, Role.ALLIANCE)
            self.play(model.change_control(member_id, by=by))
        elif kind == 8:
            key = chance.pick([Key(f"spare {chance.below(4)}"), self.key_of(member_id), self.key(chance)])
            signing = chance.pick((self.name(), _signing("Ethics"), ZERO32))
            if key is not OUTSIDER:
                self.play(model.rotate_keys(member_id, key, signing))
        else:
            purposes = chance.part(ALL)
            self.play(
                model.entrust(
                    self.key_of(member_id), self.member(chance, Role.PROCESSOR), purposes, self.later(chance)
                )
            )

    def _admit(self, dice: Dice) -> None:
        key = Key(f"spare {dice.below(4)}") if not dice.slips(6) else self.key(dice)
        roles = Role(
            dice.pick((Role.PROCESSOR, Role.CUSTODIAN, Role.EMERGENCY | Role.CUSTODIAN, Role.ETHICS, 0))
        )
        name = dice.pick(("Newcomer", "", "N" * 64, "N" * 65)) if dice.slips(6) else "Newcomer"
        kind, place = dice.pick(tuple(MemberKind)), dice.pick((156, 840))
        values = admission(name, key, roles, kind, place)
        values[4], values[6] = self.later(dice), self.name() if not dice.slips(12) else _signing("Ethics")
        by = None if dice.rarely(2) else self.key(dice, Role.ALLIANCE)
        self.play(self.model.admit(values, key, by=by))

    def cap(self, chance: Dice) -> None:
        caps = 0
        for purpose in Purpose:
            caps |= chance.pick((2, 1, 0, 3)) << 16 * purpose
        self.play(self.model.set_caps(self.member(chance, Role.PROCESSOR, Role.CUSTODIAN), caps))

    def change_law(self, chance: Dice) -> None:
        model, kind = self.model, chance.below(8)
        if kind < 5:
            law = law_from(chance, model.state.law)
            self.play(model.set_policy(guarded(law) if chance.rarely(3) else law))
        elif kind == 5:
            content = (chance.part(ALL), chance.part(ALL), chance.part(63), 30 * DAY, chance.slips(8), NOTICE)
            self.play(model.issue_template(content))
        elif kind == 6:
            self.play(model.withdraw_template(chance.below(len(model.state.templates) + 2)))
        else:
            call = chance.pick(
                (
                    Call("setPolicy", (policy_values(model.state.law),)),
                    Call("reinstate", (2,)),
                    Call("setCaps", (2, 1)),
                    Call("unseal", (self.passport(chance),)),
                    Call("restoreEmergencyRight", (2,)),
                    Call("endEmergency", (1,)),
                    Call("license", (2, 1, FOREVER)),
                    Call("setThresholds", ((1, 1),)),
                    Call("countCrossing", ((1, 7, 10, False, self.passport(chance)),)),
                )
            )
            self.play(model.direct(self.key(chance), call))

    def issue(self, chance: Dice) -> None:
        self._issue(
            chance, self.key(chance, Role.CUSTODIAN), chance.pick(tuple(Custody)), 1 + chance.below(2)
        )
        self.compare()

    def _issue(self, dice: Dice, key: Key, custody: Custody, count: int) -> None:
        issues, holders = [], []
        public = [
            n for n, e in self.model.state.emergencies.items() if e.emergency.kind is EmergencyKind.PUBLIC
        ]
        for _ in range(count):
            holder = dice.pick(HOLDERS)
            lock = dice.pick(public) if public and dice.rarely(2) else 0
            lock = dice.below(4) if dice.slips(12) else lock
            passport_id = self.passport(dice) if dice.slips(16) else PassportId(self.name())
            level = 4 if dice.slips(24) else dice.pick(tuple(Level))
            purposes = 0 if dice.slips(24) else dice.part(ALL)
            issues.append(
                (passport_id, holder.account, int(custody), purposes, int(level), lock, self.name())
            )
            holders.append(holder)
        self.play(self.model.issue(key, issues, holders), look=False)

    def change_passport(self, chance: Dice) -> None:
        model, passport_id, kind = self.model, self.passport(chance), chance.below(8)
        passport = model.state.passports.get(passport_id)
        if kind <= 1:
            purposes = chance.part(passport.purposes if passport else ALL) & ~(1 << chance.below(16))
            self.play(model.narrow(self.keeper(chance, passport_id), passport_id, purposes))
        elif kind == 2:
            by = None if chance.rarely(2) else self.keeper(chance, passport_id)
            by = self.key(chance, Role.REGULATOR) if by and chance.rarely(2) else by
            self.play(model.seal(passport_id, by=by))
        elif kind <= 5:
            self.play(model.unseal(passport_id))
        elif kind == 6:
            content = ZERO32 if chance.slips(6) else self.name()
            self.play(model.commit_content(self.keeper(chance, passport_id), passport_id, content))
        elif chance.rarely(4):
            self.play(model.destroy(self.keeper(chance, passport_id), passport_id))

    def change_holder(self, chance: Dice) -> None:
        model, passport_id, kind = self.model, self.passport(chance), chance.below(8)
        waiting = list(model.state.recoveries)
        if waiting and chance.rarely(2):
            passport_id, kind = chance.pick(waiting), 6 + chance.below(2)
            # As late as it must be, or one second earlier.
            late = model.state.recoveries[passport_id].ready_at - int(chance.slips(3))
            model.now = max(model.now, late) if kind == 6 and chance.below(2) else model.now
        signer, custody = self.signer(chance, passport_id)[0], chance.pick(tuple(Custody))
        if not chance.slips(3):
            signer = model.holders.get(passport_id, signer)
        new = chance.pick(HOLDERS)
        if kind <= 2:
            self.play(model.name_delegate(passport_id, signer, chance.pick(DELEGATES), self.later(chance)))
        elif kind == 3:
            self.play(model.rotate_holder(passport_id, signer, new, custody))
        elif kind == 4:
            self.play(model.name_guardians(passport_id, signer, chance.pick((ZERO32, b"\x31" * 32))))
        elif kind == 5:
            keeper = self.keeper(chance, passport_id)
            self.play(model.recover_at_counter(keeper, passport_id, new, custody))
        elif kind == 6:
            self.play(model.complete_recovery(OUTSIDER, passport_id))
        else:
            self.play(model.cancel_recovery(passport_id, signer))

    def give(self, chance: Dice) -> None:
        """A grant of any shape: signed, on paper, amending, answering a request."""
        model, passport_id = self.model, self.passport(chance)
        given = self._grant(chance, passport_id)
        if chance.rarely(5):
            evidence = ZERO32 if chance.slips(8) else self.name()
            given = replace(given, supersedes=NO_GRANT) if not chance.slips(8) else given
            self.play(model.file_consent(self.keeper(chance, passport_id), given, evidence))
        else:
            signer, named = self.signer(chance, passport_id)
            self.play(model.grant(OUTSIDER, given, signer, named=named))

    def _grant(self, dice: Dice, passport_id: PassportId) -> Grant:
        model, now = self.model, self.model.now
        mine = [grant_id for owner, grant_id in reversed(model.state.grants) if owner == passport_id]
        asked = [grant_id for grant_id in mine if model.status(passport_id, grant_id).name == "REQUESTED"]
        grant_id = dice.pick(asked) if asked and dice.rarely(3) else GrantId(self.name())
        if dice.slips(16):
            grant_id = self.grant_key(dice)[1]
        kinds = dice.part(63) if dice.rarely(3) else 0
        separate = dice.rarely(4)
        templates = list(reversed(model.state.templates))
        number = dice.below(4) if dice.slips(8) else dice.pick(templates)
        template = model.state.templates.get(number)
        allowed = ALL & ~model.state.law.banned_purposes
        if template is not None and not dice.slips(8):
            allowed &= template.purposes
        categories = int(template.categories) if template is not None and not dice.slips(8) else ALL
        purposes = dice.part(allowed)
        if separate and not dice.slips(8):
            purposes = purposes & -purposes
        use_from = now + dice.pick((-HOUR, 0, -HOUR, -1, 0, 1, HOUR))
        use_to = now + 365 * DAY if dice.below(2) else self.later(dice)
        if use_to <= use_from and not dice.slips(4):
            use_to = use_from + DAY
        if not dice.slips(8):
            longest = template.max_seconds if template is not None else DAY
            use_to = min(use_to, now + model.state.law.max_grant_seconds, use_from + longest)
        days = dice.pick(((0, 0), (2, 0), (0, 5), (2, 5))) if not dice.slips(8) else (5, 2)
        return Grant(
            grant_id=grant_id,
            passport_id=passport_id,
            recipient=0 if kinds else self.member(dice, Role.PROCESSOR, Role.CUSTODIAN),
            recipient_kinds=kinds,
            purposes=purposes,
            categories=Category(dice.part(categories)),
            use_from=use_from,
            use_to=use_to,
            data_from=days[0],
            data_to=days[1],
            max_uses=dice.pick((0, 1, 2)),
            level=dice.pick(tuple(Level)),
            flags=GrantFlag.SEPARATE if separate else GrantFlag(dice.pick((0, 2, 8))),
            template=number,
            terms=Commitment(ZERO32 if dice.slips(24) else self.name()),
            supersedes=dice.pick(mine) if mine and dice.rarely(3) else NO_GRANT,
            deadline=now + dice.pick((MINUTE, 0)) - int(dice.slips(16)),
        )

    def change_grant(self, chance: Dice) -> None:
        model, kind = self.model, chance.below(8)
        passport_id, grant_id = self.grant_key(chance)
        signer, named = self.signer(chance, passport_id)
        if kind <= 1:
            self.play(model.revoke(OUTSIDER, passport_id, grant_id, signer, named=named))
        elif kind <= 3:
            reserved = GrantId(keccak(text=f"reserved {chance.below(3)}"))
            fresh = GrantId(self.name()) if not chance.slips(4) else reserved
            terms = ZERO32 if chance.slips(16) else self.name()
            self.play(
                model.request_consent(self.key(chance, Role.PROCESSOR), self.passport(chance), fresh, terms)
            )
        elif kind == 4:
            self.play(model.refuse(OUTSIDER, passport_id, grant_id, signer, named=named))
        elif kind <= 6:
            self.play(model.confirm(OUTSIDER, passport_id, grant_id, signer, named=named))
        else:
            self.play(model.repudiate(OUTSIDER, passport_id, grant_id, signer, named=named))

    def change_project(self, chance: Dice) -> None:
        model, kind = self.model, chance.below(8)
        project_id = self._project(chance)
        project = model.state.projects.get(project_id)
        if kind <= 2 or project is None:
            valid_from = model.now + chance.pick((0, 1, -HOUR, HOUR))
            filing = (
                0 if chance.slips(24) else chance.part(ALL),
                chance.part(ALL),
                chance.pick((1, 0)),
                chance.pick((0, 4)) if chance.slips(8) else chance.pick((1, 1, 2, 3)),
                valid_from,
                max(self.later(chance), valid_from + int(not chance.slips(8))),
                chance.pick((self.name(), ZERO32)),
            )
            description = ZERO32 if chance.slips(24) else self.name()
            self.play(
                model.file_project(self.key(chance, Role.PROCESSOR, Role.CUSTODIAN), filing, description)
            )
        elif kind == 3:
            owner = self.key(chance) if chance.slips(6) else self.key_of(project.member_id)
            self.play(model.withdraw_project(owner, project_id))
        else:
            approval = chance.pick(tuple(Approval))
            role = Role.ETHICS if approval is Approval.ETHICS else Role.COMPLIANCE
            body = self.key(chance, role)
            self.play(model.review_project(body, project_id, approval, approved=not chance.rarely(4)))

    def _project(self, dice: Dice) -> int:
        known = list(reversed(self.model.state.projects))
        return dice.pick(known[:4]) if known and not dice.slips(16) else dice.below(4)

    def attest(self, chance: Dice) -> None:
        kind = chance.pick(tuple(AttestationKind))
        subject: bytes
        versions = list(reversed(self.model.state.versions))
        if kind is AttestationKind.TOOL:
            subject = ZERO32 if chance.slips(12) else chance.pick(TOOLS)
            key = self.key(chance, Role.ALLIANCE)
        elif kind is AttestationKind.ENCRYPTION and versions and chance.below(2):
            subject, key = chance.pick(versions[:6]), self.key(chance, Role.VERIFIER)
        elif kind is AttestationKind.LICENCE:
            subject, key = project_subject(self._project(chance)), self.key(chance, Role.REGULATOR)
        else:
            subject = self.passport(chance)
            source = kind is AttestationKind.SOURCE
            key = self.keeper(chance, PassportId(subject)) if source else self.key(chance, Role.VERIFIER)
        valid_to = 0 if chance.slips(8) else self.later(chance)
        self.play(self.model.attest(key, subject, kind, valid_to))

    def emergency(self, chance: Dice) -> None:
        model, kind = self.model, chance.below(8)
        known = model.state.emergencies
        wanted = EmergencyKind.PUBLIC if kind == 5 else EmergencyKind.INDIVIDUAL
        fit = [number for number in reversed(known) if known[number].emergency.kind is wanted]
        number = chance.pick(fit) if fit and not chance.slips(6) else chance.below(5)
        if kind >= 5 and not fit and not chance.slips(2):
            kind = chance.below(5)
        if kind <= 2:
            sealed = chance.pick(
                (0, model.now + MINUTE, model.now + model.state.law.emergencies.review_seconds)
            )
            sealed += int(chance.slips(16))
            reason = chance.pick((1, 255)) if not chance.slips(24) else 0
            self.play(
                model.open_emergency(self.key(chance, Role.EMERGENCY), self.passport(chance), reason, sealed)
            )
        elif kind <= 4:
            valid_from = model.now + chance.pick((0, 1, -HOUR, HOUR))
            longest = model.state.law.emergencies.max_declaration_seconds
            until = valid_from + chance.pick(
                (longest, 2 * HOUR, DAY, longest, longest + 1 if chance.slips(4) else HOUR + 1)
            )
            records, place = (
                chance.pick((100, 1, 2)) if not chance.slips(24) else 0,
                chance.pick((0, 156, 840)),
            )
            words = (chance.part(ALL), chance.part(ALL), valid_from, until, records, place)
            self.play(model.declare_emergency(words, ZERO32 if chance.slips(24) else NOTICE))
        elif kind == 5:
            self.play(model.end_emergency(number))
        else:
            body = self.key(chance, Role.ETHICS, Role.REGULATOR)
            self.play(model.review_emergency(body, number, justified=not chance.rarely(3)))

    def ask(self, chance: Dice) -> None:
        """Ask for what somebody may have, mostly; one thing wrong in a third of the requests."""
        self._ask(chance, 1)

    def ask_often(self, chance: Dice) -> None:
        self._ask(chance, 0 if chance.slips(8) else chance.pick((2, 4, 3)))

    def ask_once_more(self, chance: Dice) -> None:
        """Ask for the same, word for word: a human approved it, a quota is spent, a cap is reached, a moment has come."""
        model = self.model
        known = chance.pick((model.approved, model.permitted, model.asked))
        if not known:
            return
        request, member_id = chance.pick(known[-4:])
        self._wait(chance, request, member_id)
        count = chance.pick((1, 2, 3))
        self.play(model.decide(self.key_of(member_id), [(request, pack_terms(request.terms))] * count))

    def _wait(self, dice: Dice, request: Request, member_id: int) -> None:
        """Let time pass, in half of all cases, up to a moment that matters to a request: before, at or after it."""
        moments = [moment for moment in self._moments(request, member_id) if moment > self.model.now]
        if moments and dice.below(2):
            self.model.now = max(self.model.now, dice.pick(moments) + dice.pick((0, 1, -1)))

    def _moments(self, request: Request, member_id: int) -> Iterator[int]:
        """Yield the moments at which something that a request rests on begins or ends."""
        state, terms = self.model.state, request.terms
        yield (self.model.now // DAY_SECONDS + 1) * DAY_SECONDS
        yield state.approvals.get(hash_of(request, member_id), 0)
        yield state.right(member_id).oldest_due or 0
        grant = state.grants.get((request.passport_id, request.grant_id))
        if grant is not None:
            yield from (grant.state.use_from, grant.state.use_to)
        urgent = state.emergencies.get(terms.emergency_id)
        if urgent is not None:
            yield from (urgent.emergency.valid_from, urgent.emergency.until)
        project = state.projects.get(terms.project_id)
        if project is not None:
            yield from (project.valid_from, project.valid_to)
        order = state.entrustments.get((terms.controller_id, member_id))
        if order is not None:
            yield order.valid_to
        for subject in (request.passport_id, project_subject(terms.project_id)):
            yield from (statement.valid_to for statement in state.attestations.get(subject, {}).values())
        passport = state.passports.get(request.passport_id)
        if passport is not None and terms.project_id in state.projects:
            cleared = state.crossing(terms.project_id, passport.custodian, member_id, self.model.now)
            yield cleared.access_until
            if cleared.clearance is not None:
                yield from (cleared.clearance.valid_from, cleared.clearance.valid_to)
        for number in (member_id, terms.controller_id):
            if number in state.members and state.members[number].valid_to < FOREVER:
                yield state.members[number].valid_to

    def _ask(self, dice: Dice, count: int) -> None:
        member_id, first = self._request(dice)
        if dice.rarely(4):
            self._wait(dice, first[0], member_id)
        requests = [first]
        for _ in range(count - 1):
            kind = dice.below(4)
            if kind == 0:
                requests.append(first)
            elif kind == 1:
                requests.append(self._request(dice, member_id)[1])
            else:
                # The same words about other data: one batch.
                request, terms = first
                passport_id, grant_id = self.grant_key(dice)
                grant_id = grant_id if request.grant_id != NO_GRANT else NO_GRANT
                requests.append((replace(request, passport_id=passport_id, grant_id=grant_id), terms))
        key = self.key(dice) if dice.slips(12) else self.key_of(member_id)
        self.play(self.model.decide(key, requests[:count], hollow=dice.slips(16)))

    def _request(self, dice: Dice, member_id: int = 0) -> tuple[int, tuple[Request, int]]:
        """Return a request, with its terms as a word, and whose it is: for what somebody may have, mostly."""
        state = self.model.state
        basis = self._basis(dice)
        wish = Wish(basis, self.passport(dice), member_id)
        if basis is Basis.CONSENT:
            self._wish_by_consent(dice, wish)
        passport = state.passports.get(wish.passport_id)
        if passport is not None:
            wish.emergency_id = passport.lock
            if basis in (Basis.CUSTODIAN_CARE, Basis.SUBJECT_REQUEST):
                wish.member_id = wish.member_id or passport.custodian
            wish.purposes = wish.purposes & passport.purposes or wish.purposes
        self._wish_in_emergency(dice, wish)
        wish.member_id = wish.member_id or self.member(dice, Role.PROCESSOR)
        terms = self._terms(dice, wish)
        if dice.rarely(3):
            terms = self._including(dice, terms, wish)
        asked = pack_terms(terms)
        if dice.rarely(3):
            asked = flip(dice, asked)
        if basis is Basis.CONSENT and dice.slips(16):
            wish.grant_id = self.grant_key(dice)[1]
        commitment = Commitment(dice.pick((NOTICE, ZERO32)))
        request = Request(wish.passport_id, wish.grant_id, commitment, _terms(asked) or terms)
        return wish.member_id, (request, asked)

    def _basis(self, dice: Dice) -> Basis:
        """Return a basis, mostly one that there is something for: grants, emergencies of a kind."""
        state = self.model.state
        kinds = {entry.emergency.kind for entry in state.emergencies.values()}
        bases = list(Basis)
        if state.grants or dice.rarely(12):
            bases += [Basis.CONSENT] * 8
        if EmergencyKind.INDIVIDUAL not in kinds and not dice.rarely(12):
            bases.remove(Basis.INDIVIDUAL_EMERGENCY)
        if EmergencyKind.PUBLIC not in kinds and not dice.rarely(12):
            bases.remove(Basis.PUBLIC_EMERGENCY)
        return dice.pick(bases)

    def _wish_by_consent(self, dice: Dice, wish: Wish) -> None:
        """Rely on a grant, mostly one that lives."""
        grants = self.model.state.grants
        mine = [key for key in grants if key[0] == wish.passport_id]
        live = [key for key in grants if grant_is_live(grants[key].state, self.model.now)]
        known = live if live and not dice.rarely(4) else mine
        if not known:
            return
        wish.passport_id, wish.grant_id = dice.pick(known)
        grant = grants[wish.passport_id, wish.grant_id].state
        wish.purposes, wish.categories, wish.level = grant.purposes or ALL, int(grant.categories), grant.level
        wish.days = (grant.data_from, grant.data_to)
        members = self.model.state.members.values()
        fit = [member.member_id for member in members if grant.recipient_kinds >> member.kind & 1]
        wish.member_id = wish.member_id or grant.recipient or (dice.pick(fit) if fit else 0)

    def _wish_in_emergency(self, dice: Dice, wish: Wish) -> None:
        """Name an emergency of the kind that the basis is about."""
        individual = wish.basis is Basis.INDIVIDUAL_EMERGENCY
        urgent = [
            entry.emergency
            for entry in reversed(self.model.state.emergencies.values())
            if (entry.emergency.kind is EmergencyKind.INDIVIDUAL) == individual
        ]
        if not urgent or (wish.emergency_id and not individual):
            return
        chosen = dice.pick(urgent)
        wish.emergency_id = chosen.emergency_id
        wish.categories &= int(chosen.categories)
        if individual:
            wish.member_id, wish.passport_id = wish.member_id or chosen.member_id, chosen.passport_id
        else:
            wish.purposes = wish.purposes & chosen.purposes or wish.purposes

    def _terms(self, dice: Dice, wish: Wish) -> Terms:
        """Return terms that the law has an entry for, if that can be."""
        state, law = self.model.state, self.model.state.law
        purpose = dice.pick([p for p in Purpose if wish.purposes >> p & 1])
        for other in Purpose:
            if any(law.required_for(data_class, purpose, wish.basis) for data_class in DataClass):
                break
            purpose = other if wish.purposes >> other & 1 else purpose
        needed = Category(wish.categories & int(law.necessary_for(purpose)) or wish.categories or ALL)
        asked = Category(dice.part(int(needed)))
        for category in Category:
            if law.required_for(class_of(law, asked), purpose, wish.basis):
                break
            asked = category if category in needed else asked
        orders = [controller for controller, processor in state.entrustments if processor == wish.member_id]
        controller_id = dice.pick(orders) if orders and dice.rarely(2) else 0
        owner = controller_id or wish.member_id
        projects = [number for number, project in state.projects.items() if project.member_id == owner]
        return Terms(
            purpose=purpose,
            basis=wish.basis,
            operation=dice.pick((Operation.READ, Operation.TRANSFER)),
            categories=asked,
            level=max(wish.level, *(law.level_for(data_class, purpose) for data_class in DataClass)),
            project_id=dice.pick(projects) if projects else 0,
            emergency_id=wish.emergency_id,
            controller_id=controller_id,
            first_day=wish.days[0],
            last_day=wish.days[1],
        )

    def _including(self, dice: Dice, terms: Terms, wish: Wish) -> Terms:
        """Return the same terms to include the data into a dataset, mostly one that it fits."""
        datasets, owner = self.model.state.datasets, terms.controller_id or wish.member_id
        served = wish.purposes if terms.basis is Basis.CONSENT else 1 << terms.purpose
        fit = [
            number
            for number, one in datasets.items()
            if one.owner == owner and terms.categories in one.categories and not one.purposes & ~served
        ]
        known = fit if fit and not dice.rarely(6) else list(datasets)
        if not known:
            return terms
        return replace(terms, operation=Operation.INCLUDE, dataset_id=dice.pick(known))

    def review_request(self, chance: Dice) -> None:
        model = self.model
        if not model.waiting:
            return
        (passport_id, seq), (request, member_id) = chance.pick(list(reversed(model.waiting.items())))
        if chance.slips(12):
            seq += 1
        if chance.slips(12):
            request = replace(request, commitment=Commitment(ZERO32))
        if chance.slips(12):
            member_id = self.member(chance)
        role = Role.REGULATOR if request.terms.basis is Basis.COMPELLED else Role.ETHICS
        body = self.key(chance, role)
        assert passport_id == request.passport_id
        self.play(model.review_request(body, request, member_id, seq, approved=not chance.rarely(4)))

    def hand_over(self, chance: Dice) -> None:
        """Ship, receive, or record a release."""
        model = self.model
        kind = chance.below(4)
        sent = [entry.transfer for entry in model.state.transfers.values() if entry.received is None]
        permits = [place for place in reversed(model.state.transfer_permits) if model.permit(*place)]
        if not permits or chance.slips(4):
            permits = list(reversed(model.state.transfer_permits))
        shipped = list(model.state.transfers)
        if shipped and (kind == 1 or (sent and chance.rarely(2))):
            transfer = chance.pick(sent) if sent else model.state.transfers[chance.pick(shipped)].transfer
            content = chance.pick((transfer.content, self.name(), ZERO32))
            to = self.key(chance) if chance.slips(8) else self.key_of(transfer.recipient)
            known = transfer.transfer_id if not chance.slips(12) else TransferId(self.name())
            self.play(model.receive(to, known, content))
        elif kind == 2:
            passport_id = self.passport(chance)
            passport = model.state.passports.get(passport_id)
            seq = chance.below((passport.size if passport else 0) + 1)
            self.play(model.record_release(self.keeper(chance, passport_id), passport_id, seq))
        else:
            passport_id, seq = chance.pick(permits) if permits else (self.passport(chance), 0)
            seq += int(chance.slips(12))
            transfer_id = TransferId(self.name())
            if shipped and chance.rarely(8):
                transfer_id = shipped[0]
            content = ZERO32 if chance.slips(16) else self.name()
            self.play(model.ship(self.keeper(chance, passport_id), transfer_id, passport_id, seq, content))

    # Agreements and borders

    def agree(self, chance: Dice) -> None:
        """Propose an agreement, sign or end one."""
        model, kind = self.model, chance.below(8)
        known = list(reversed(model.state.agreements))
        number = chance.pick(known[:3]) if known and not chance.slips(12) else chance.below(3)
        entry = model.state.agreements.get(number)
        if kind <= 2 or entry is None:
            provider = self.member(chance, Role.CUSTODIAN)
            self._propose(chance, self.key_of(provider), self.member(chance, Role.PROCESSOR))
        elif kind <= 6:
            text = self.name() if chance.slips(6) else entry.text
            recipient = self.key(chance) if chance.slips(6) else self.key_of(entry.agreement.recipient)
            self.play(model.sign_agreement(recipient, number, text))
        else:
            sides = entry.agreement.provider, entry.agreement.recipient
            party = self.key(chance) if chance.slips(4) else self.key_of(chance.pick(sides))
            self.play(model.end_agreement(party, number))

    def _propose(self, dice: Dice, provider: Key, recipient: int) -> None:
        model = self.model
        banned = 0 if dice.slips(12) else model.state.law.banned_purposes
        limits = Limits(
            recipient=model.member_of(provider) if dice.slips(16) else recipient,
            purposes=0 if dice.slips(24) else dice.part(ALL) & ~banned or 1,
            categories=Category(0 if dice.slips(24) else dice.part(ALL)),
            valid_to=self.later(dice),
            retention_seconds=0 if dice.slips(24) else DAY,
            response_hours=dice.pick((0, 72)),
            onward=dice.rarely(2),
            linkage=dice.rarely(2),
        )
        self.play(model.propose_agreement(provider, limits, ZERO32 if dice.slips(24) else self.name()))

    def clear(self, chance: Dice) -> None:
        """The list for crossing borders, clearances given and taken back, thresholds."""
        model, kind = self.model, chance.below(8)
        member_id = self.member(chance, Role.PROCESSOR)
        if kind <= 1:
            until = 0 if chance.rarely(4) else self.later(chance)
            self.play(model.set_border_access(self.key(chance, Role.REGULATOR), member_id, until))
        elif kind <= 4:
            exporter = self.member(chance, Role.CUSTODIAN)
            self._clear(chance, self._project(chance), exporter, member_id, listed=False)
        elif kind == 5:
            self.play(model.set_thresholds(*self._numbers(chance), *self._numbers(chance)))
        else:
            known = list(reversed(model.state.clearances))
            number = chance.pick(known[:3]) if known and not chance.slips(8) else chance.below(3)
            self.play(model.withdraw_clearance(self.key(chance, Role.REGULATOR, Role.VERIFIER), number))

    def _numbers(self, dice: Dice) -> tuple[int]:
        return (0 if dice.slips(24) else dice.pick((1, 2, 3, 10**6)),)

    def _clear(
        self, dice: Dice, project_id: int, exporter: int, importer: int, *, listed: bool = True
    ) -> None:
        """Clear an exporter's data for a project, mostly by who may; *listed*: and put the importer on the list."""
        model = self.model
        place = model.state.members[exporter].jurisdiction if exporter in model.state.members else 156
        regulator, verifier = CLEARERS.get(place, (3, 6))
        path = Path.NONE if dice.slips(24) else dice.pick(tuple(Path)[1:])
        agreement = int(dice.slips(16))
        if path is Path.CONTRACT and not dice.slips(12):
            agreement = self._contract(dice, exporter, project_id)
        begins = model.now + dice.pick((0, -HOUR, 0, 1 if dice.slips(2) else 0))
        given = Clearance(
            clearance_id=0,
            project_id=project_id,
            exporter=exporter,
            issuer=0,
            path=path,
            valid_from=begins,
            valid_to=begins if dice.slips(24) else max(self.later(dice), begins + 1),
            max_persons=0 if dice.slips(24) else dice.pick((1, 2, 3, 100)),
            persons=dice.below(3),
            agreement=agreement,
        )
        by = verifier if path is Path.CERTIFICATION else regulator
        key = self.key(dice, Role.REGULATOR, Role.VERIFIER) if dice.slips(6) else self.key_of(by)
        self.play(model.clear(key, given, ZERO32 if dice.slips(24) else self.name()), look=False)
        if listed:
            until = model.now + dice.pick((300 * DAY, HOUR))
            self.play(model.set_border_access(self.key_of(regulator), importer, until), look=False)
        self.compare()

    def _contract(self, dice: Dice, exporter: int, project_id: int) -> int:
        """Return an agreement between exporter and importer, signed mostly."""
        model = self.model
        project = model.state.projects.get(project_id)
        self._propose(
            Dice(dice.below(1 << 16), clumsy=False),
            self.key_of(exporter),
            project.member_id if project else 9,
        )
        number = len(model.state.agreements)
        if number and not dice.slips(8):
            entry = model.state.agreements[number]
            self.play(model.sign_agreement(self.key_of(entry.agreement.recipient), number, entry.text))
        return number

    def cross(self, chance: Dice) -> None:
        """Ask from abroad for the data of several persons, mostly after it was cleared, under thresholds that bite."""
        model, state = self.model, self.model.state
        if chance.rarely(6):
            self.play(model.set_policy(guarded(law_from(chance, state.law))), look=False)
        passport = state.passports.get(self.passport(chance))
        if passport is None:
            return
        place = state.members[passport.custodian].jurisdiction
        importer = IMPORTERS[840 if place == 156 else 156]
        projects = [number for number, one in state.projects.items() if one.member_id == importer]
        project = projects[-1] if projects else self._approved_project(importer, model.now + 300 * DAY)
        if chance.rarely(3):
            self.play(model.set_thresholds(*self._numbers(chance), *self._numbers(chance)), look=False)
        standing = state.crossing(project, passport.custodian, importer, model.now)
        if not is_cleared(standing, model.now) or chance.rarely(3):
            self._clear(chance, project, passport.custodian, importer)
        kept = [name for name, one in state.passports.items() if one.custodian == passport.custodian]
        requests = []
        for _ in range(chance.pick((1, 2, 3, 4))):
            wish = Wish(
                chance.pick((Basis.LEGAL_DUTY, Basis.PUBLIC_EMERGENCY, Basis.SUBJECT_REQUEST)),
                chance.pick(kept),
                importer,
            )
            wish.purposes = state.passports[wish.passport_id].purposes
            wish.emergency_id = state.passports[wish.passport_id].lock
            terms = replace(self._terms(chance, wish), project_id=project, controller_id=0)
            requests.append(
                (Request(wish.passport_id, NO_GRANT, Commitment(NOTICE), terms), pack_terms(terms))
            )
        if chance.rarely(3):
            self._wait(chance, requests[0][0], importer)
        if chance.rarely(12):
            # Over the turn of the year: the second before, at it, or the one after.
            year = datetime(year_of(model.now) + 1, 1, 1, tzinfo=UTC).timestamp() - 8 * HOUR
            model.now = int(year) + chance.pick((-1, 0, 1))
        self.play(model.decide(self.key_of(importer), requests))

    # Datasets, steps, versions

    def dataset(self, dice: Dice) -> int:
        known = list(reversed(self.model.state.datasets))
        return dice.pick(known[:4]) if known and not dice.slips(16) else dice.below(4)

    def version(self, dice: Dice, *kinds: VersionKind) -> VersionId:
        """Return a version, mostly one of these kinds; once in a while one that there is not."""
        found = [
            name for name, version in self.model.state.versions.items() if not kinds or version.kind in kinds
        ]
        known = found or list(self.model.state.versions)
        if not known or dice.slips(16):
            return VersionId(dice.pick((b"\x56" * 32, ZERO32)))
        return dice.pick(list(reversed(known))[:6])

    def _plan(self, dice: Dice, purposes: int) -> Plan:
        retain = self.model.now + dice.pick((300 * DAY, 300 * DAY, 90 * DAY, HOUR))
        banned = 0 if dice.slips(12) else self.model.state.law.banned_purposes
        core = int(self.model.state.law.core_categories)
        categories = Category(dice.pick((ALL, ALL & ~core or ALL, ALL & ~core or ALL)))
        return Plan(purposes & ~banned or 1, categories, retain, dice.pick((0, 0, 20, 5)))

    def change_dataset(self, chance: Dice) -> None:
        model, kind = self.model, chance.below(12)
        number = self.dataset(chance)
        if kind <= 4 or not model.state.datasets:
            self._declare(chance)
        elif kind <= 6:
            dataset = model.state.datasets.get(number)
            owner = self.key_of(dataset.owner) if dataset else OUTSIDER
            by = owner if chance.below(2) else self.key(chance, Role.REGULATOR)
            self.play(model.seal_dataset(by, number))
        elif kind <= 9:
            sealed = [n for n, one in model.state.datasets.items() if one.status is DatasetStatus.SEALED]
            number = chance.pick(sealed) if sealed and not chance.slips(6) else number
            self.play(model.unseal_dataset(self.key(chance, Role.REGULATOR), number))
        else:
            self._excuse(chance)

    def _declare(self, dice: Dice) -> None:
        """Declare a dataset, mostly of somebody who is consented to, for no more than that."""
        live = [
            entry.state
            for entry in self.model.state.grants.values()
            if grant_is_live(entry.state, self.model.now) and entry.state.recipient
        ]
        grant = dice.pick(live) if live and not dice.rarely(3) else None
        owner = self.key_of(grant.recipient) if grant else self.key(dice, Role.PROCESSOR)
        plan = self._plan(dice, grant.purposes if grant else dice.part(ALL))
        if dice.slips(6):
            plan = replace(
                plan, **dice.pick(({"purposes": 0}, {"categories": Category(0)}, {"retain_until": 1}))
            )
        self.play(self.model.declare(owner, plan, ZERO32 if dice.slips(24) else self.name()))

    def _excuse(self, dice: Dice) -> None:
        told = [number for number, one in self.model.state.datasets.items() if one.withdrawals]
        number = dice.pick(told) if told and not dice.slips(6) else self.dataset(dice)
        opinion = ZERO32 if dice.slips(12) else self.name()
        off = dice.pick((1, 2)) if dice.slips(6) else 0
        self.play(self.model.excuse(self.key(dice, Role.ETHICS), number, opinion, off=off))

    def settle(self, chance: Dice) -> None:
        """A research institution sets out: a project, a tool, a dataset with somebody in it, data, perhaps a model of it."""
        model, end = self.model, self.model.now + 300 * DAY
        owner = chance.pick((8, 9))
        project = self._approved_project(owner, end)
        self.play(model.attest(self.key_of(2), TOOLS[0], AttestationKind.TOOL, end), look=False)
        wishes = [self._consented(chance, owner) for _ in range(1 + chance.below(2))]
        purposes = wishes[0].purposes & wishes[-1].purposes
        self.play(model.declare(self.key_of(owner), self._plan(chance, purposes), NOTICE), look=False)
        number = len(model.state.datasets)
        for wish in wishes:
            terms = replace(self._terms(chance, wish), operation=Operation.INCLUDE, dataset_id=number)
            request = Request(wish.passport_id, wish.grant_id, Commitment(NOTICE), terms)
            self.play(model.decide(self.key_of(owner), [(request, pack_terms(terms))]), look=False)
        data = self._done(owner, StepKind.COLLECT, dataset_id=number)
        if data and not chance.rarely(3):
            licence = AttestationKind.LICENCE
            self.play(model.attest(self.key_of(3), project_subject(project), licence, end), look=False)
            self._develop(owner, data[0], {"project_id": project, "tool": TOOLS[0], "epsilon": 1})
        self.compare()

    def _consented(self, dice: Dice, owner: int) -> Wish:
        """Have a patient consent to all that somebody may be consented to; return that."""
        calm = Dice(dice.below(1 << 16), clumsy=False)
        passport_id = self.passport(calm)
        given = self._grant(calm, passport_id)
        template = self.model.state.templates.get(given.template)
        allowed = (template.purposes if template else ALL) & ~self.model.state.law.banned_purposes
        given = replace(
            given,
            recipient=owner,
            recipient_kinds=0,
            purposes=allowed or given.purposes or 1,
            use_from=self.model.now,
            use_to=max(given.use_to, self.model.now + 1),
            max_uses=0,
            flags=GrantFlag(dice.pick((0, 0, 2))) | (0 if dice.rarely(4) else GrantFlag.ONWARD),
            supersedes=NO_GRANT,
        )
        signer = self.model.holders.get(passport_id, HOLDERS[0])
        self.play(self.model.grant(OUTSIDER, given, signer), look=False)
        return Wish(
            Basis.CONSENT,
            passport_id,
            owner,
            given.grant_id,
            purposes=given.purposes,
            categories=int(given.categories),
            level=given.level,
            days=(given.data_from, given.data_to),
        )

    def _develop(self, owner: int, data: VersionId, words: dict[str, Any]) -> None:
        """Split data, train on a part of it, evaluate on another, and deploy, as far as that stands."""
        parts = self._done(owner, StepKind.SPLIT, data, **words)
        if not parts:
            return
        models = self._done(owner, StepKind.TRAIN, parts[0], purposes=self._purposes(parts), **words)
        for name in models:
            self._done(owner, StepKind.EVALUATE, name, parts[2], **words)
            self._done(owner, StepKind.DEPLOY, name, **words)

    def _done(self, owner: int, kind: StepKind, *inputs: VersionId, **words: Any) -> tuple[VersionId, ...]:
        """Record a step, and have the first data that it makes checked; return what it makes."""
        model = self.model
        outputs = self._outputs(Dice(0, clumsy=False), kind)
        step = Step(kind, Commitment(self.name()), inputs, outputs, **words)
        self.play(model.record_step(self.key_of(owner), step), look=False)
        made = tuple(name for name in outputs if name in model.state.versions)
        for name in made[:1]:
            if model.state.versions[name].kind is VersionKind.DATA:
                self.play(model.verify(self.key_of(6), name, NOTICE, passed=True), look=False)
        return made

    def work(self, chance: Dice) -> None:
        """Record a step of a kind that there is something for; what is missing for it is made up for first, mostly."""
        if not self.model.state.datasets and not chance.slips(2):
            self.settle(chance)
            return
        kinds = [kind for kind, weight in STEP_KINDS.items() for _ in range(weight)]
        kind = chance.pick([one for one in kinds if self._is_possible(one)] or kinds)
        dataset_id, inputs, owner = 0, (), self.member(chance, Role.PROCESSOR)
        if kind in DATASET_STEPS:
            dataset_id = self.dataset(chance) if not chance.slips(24) else 0
            dataset = self.model.state.datasets.get(dataset_id)
            owner = dataset.owner if dataset and not chance.rarely(8) else owner
        else:
            first = self._first(chance, kind)
            users = self._users(first)
            owner = chance.pick(users) if users and not chance.rarely(10) else owner
            inputs = (first, *self._rest(chance, kind, first, owner))
        step = Step(
            kind=kind,
            parameters=Commitment(ZERO32 if chance.slips(24) else self.name()),
            inputs=inputs,
            outputs=self._outputs(chance, kind),
            dataset_id=dataset_id,
            project_id=self._project_of(chance, owner, kind),
            purposes=chance.part(self._purposes(inputs) or ALL) if kind is StepKind.TRAIN else 0,
            epsilon=0 if dataset_id and not chance.slips(12) else chance.pick((0, 1, 1, 4)),
            tool=TOOLS[0] if not chance.rarely(8) else chance.pick((TOOLS[1], ZERO32)),
        )
        if chance.slips(6):
            step = self._spoilt(chance, step)
        elif not chance.rarely(8):
            step = self._prepared(chance, step, (owner,))
        self.play(self.model.record_step(self.key_of(owner), step))

    def _is_possible(self, kind: StepKind) -> bool:
        if kind in DATASET_STEPS:
            return bool(self.model.state.datasets)
        found = {version.kind for version in self.model.state.versions.values()}
        return (VersionKind.MODEL if kind in MODEL_STEPS else VersionKind.DATA) in found

    def _users(self, name: VersionId) -> list[int]:
        """Return who may use a version: its owner, and whom it was shared with."""
        version = self.model.state.versions.get(name)
        owners = [version.owner] if version else []
        return owners + [member_id for shared, member_id in self.model.state.shares if shared == name]

    def _purposes(self, inputs: tuple[VersionId, ...]) -> int:
        purposes = ALL
        for name in inputs:
            version = self.model.state.versions.get(name)
            purposes &= version.purposes if version else ALL
        return purposes

    def _first(self, dice: Dice, kind: StepKind) -> VersionId:
        if kind is StepKind.RELEASE and dice.rarely(3):
            return self.version(dice)
        if kind in MODEL_STEPS or (kind is StepKind.TRAIN and dice.rarely(5)):
            return self._model(dice)
        return self._data(dice, tests=dice.rarely(6) or kind is not StepKind.TRAIN)

    def _rest(self, dice: Dice, kind: StepKind, first: VersionId, owner: int) -> Iterator[VersionId]:
        """Yield the inputs after the first one: mostly what a member may use too."""
        if kind is StepKind.EVALUATE or (kind is StepKind.INFER and dice.below(2)):
            for _ in range(1 + dice.below(2)):
                yield self._tested(dice, first, owner)
        elif kind in (StepKind.MERGE, StepKind.TRAIN):
            for _ in range((kind is StepKind.MERGE) + dice.below(2)):
                yield self._data(dice, owner, tests=kind is StepKind.MERGE)

    def _model(self, dice: Dice) -> VersionId:
        """Return a model, mostly one that serves."""
        versions = self.model.state.versions.items()
        fit = [n for n, one in versions if one.kind is VersionKind.MODEL and one.status is ModelStatus.ACTIVE]
        return dice.pick(fit[-4:]) if fit and not dice.rarely(8) else self.version(dice, VersionKind.MODEL)

    def _data(self, dice: Dice, owner: int = 0, *, tests: bool = True) -> VersionId:
        """Return data, mostly what a member may use, and with or without what was set apart for tests."""
        fit = [
            name
            for name, one in self.model.state.versions.items()
            if one.kind is VersionKind.DATA
            and (not owner or owner in self._users(name))
            and (tests or not any(Part.TEST in origin.parts for origin in one.origins))
        ]
        return dice.pick(fit[-6:]) if fit and not dice.rarely(8) else self.version(dice, VersionKind.DATA)

    def _tested(self, dice: Dice, model: VersionId, owner: int) -> VersionId:
        """Return data to use a model with: mostly another part of the split that it learned from, or other data."""
        versions = self.model.state.versions
        learned = versions[model].origins if model in versions else ()
        fit = [
            name
            for name, one in versions.items()
            if one.kind is VersionKind.DATA
            and owner in self._users(name)
            and all(_apart(mine, theirs) for mine in learned for theirs in one.origins)
        ]
        return dice.pick(fit) if fit and not dice.rarely(6) else self._data(dice, owner)

    def _prepared(self, dice: Dice, step: Step, team: Sequence[int]) -> Step:
        """Make up for some of what a team's step would lack: return it with what it needs for that."""
        model, owner = self.model, team[0]
        if model.record_step(self.key_of(owner), step).errors:
            return step
        missing = missing_of(step, model.state.step_situation(step, team, model.now))
        end = model.now + 300 * DAY
        if StepFact.TOOL_CERTIFIED in missing and step.tool == TOOLS[0]:
            self.play(model.attest(self.key_of(2), TOOLS[0], AttestationKind.TOOL, end), look=False)
        if StepFact.PROJECT_APPROVED in missing:
            step = replace(step, project_id=self._approved_project(owner, end))
        if StepFact.MODEL_READY in missing and step.project_id:
            subject = project_subject(step.project_id)
            self.play(model.attest(self.key_of(3), subject, AttestationKind.LICENCE, end), look=False)
        self._clear_inputs(dice, step, team, missing)
        if StepFact.INPUTS_VERIFIED in missing and not dice.rarely(4):
            for name in dict.fromkeys(step.inputs):
                self.play(model.verify(self.key_of(6), name, NOTICE, passed=True), look=False)
        if StepFact.PROTECTED in missing and not dice.rarely(4):
            for name in dict.fromkeys(step.inputs):
                self.play(model.attest(self.key_of(6), name, AttestationKind.ENCRYPTION, end), look=False)
        if (StepFact.PROTECTED | StepFact.BUDGET_LEFT) & missing:
            step = replace(step, epsilon=1)
        return step

    def _clear_inputs(self, dice: Dice, step: Step, team: Sequence[int], missing: StepFact) -> None:
        """Have the data cleared of those owners abroad whose datasets a step's inputs are from, if that is missing."""
        if StepFact.BORDER_CLEARED not in missing or not step.project_id:
            return
        situation = self.model.state.step_situation(step, team, self.model.now)
        here = situation.member.jurisdiction
        abroad = {one.owner for n, one in situation.datasets.items() if situation.jurisdictions[n] != here}
        for exporter in sorted(abroad):
            self._clear(dice, step.project_id, exporter, team[0])

    def _approved_project(self, owner: int, end: int) -> int:
        """File a project for everything, and have it approved; return its number if it is there."""
        model = self.model
        filing = (ALL, ALL, 1, 1, model.now, end, NOTICE)
        self.play(model.file_project(self.key_of(owner), filing, NOTICE), look=False)
        number = len(model.state.projects)
        body = self.key_of(4)
        self.play(model.review_project(body, number, Approval.ETHICS, approved=True), look=False)
        return number

    def _outputs(self, dice: Dice, kind: StepKind) -> tuple[VersionId, ...]:
        if kind in (StepKind.EVALUATE, StepKind.DEPLOY, StepKind.DESTROY):
            return ()
        count = 1 if kind is not StepKind.SPLIT else 2 if dice.rarely(6) else 3
        return tuple(VersionId(self.name()) for _ in range(count))

    def _project_of(self, dice: Dice, member_id: int, kind: StepKind) -> int:
        """Return a project, mostly an approved one of the member's for the purpose of the step; 0 for none."""
        wanted = PURPOSE_OF.get(kind)
        fit = [
            number
            for number, project in self.model.state.projects.items()
            if project.member_id == member_id
            and project.ethics
            and (wanted is None or project.purposes >> wanted & 1)
        ]
        if fit and not dice.rarely(10):
            return fit[-1]
        return dice.below(len(self.model.state.projects) + 1 + int(dice.slips(6)))

    def _spoilt(self, dice: Dice, step: Step) -> Step:
        """Return a step that is formed like none, or not like its kind."""
        taken = [*self.model.state.versions, *self.model.state.passports, VersionId(ZERO32)]
        return dice.pick(
            (
                replace(step, kind=dice.pick(tuple(StepKind))),
                replace(step, inputs=()),
                replace(step, inputs=step.inputs * 17),
                replace(step, outputs=(VersionId(dice.pick(taken)),)),
                replace(step, outputs=step.outputs + step.outputs[:1]),
                replace(step, outputs=tuple(VersionId(self.name()) for _ in range(17))),
                replace(step, dataset_id=0 if step.dataset_id else 1),
                replace(step, dataset_id=9),
                replace(step, purposes=0 if step.purposes else 1),
                replace(step, project_id=99),
                replace(step, epsilon=step.epsilon + 1),
                replace(step, outputs=(*step.outputs[:2], *step.outputs[:1])),
            )
        )

    def judge(self, chance: Dice) -> None:
        """Check a version, mostly one that nobody has."""
        model, versions = self.model, self.model.state.versions
        if not versions and not chance.slips(2):
            self.work(chance)
            return
        waiting = [name for name, one in versions.items() if one.check is Check.PENDING]
        evidence = ZERO32 if chance.slips(16) else self.name()
        name = chance.pick(waiting[-6:]) if waiting and not chance.slips(6) else self.version(chance)
        verifier = self.key_of(6) if not chance.rarely(4) else self.key(chance, Role.VERIFIER)
        self.play(model.verify(verifier, name, evidence, passed=not chance.rarely(8)))

    def share(self, chance: Dice) -> None:
        """Share a version, mostly one that passed, under an agreement, abroad mostly with a clearance."""
        model, versions = self.model, self.model.state.versions
        passed = [name for name, one in versions.items() if one.check is Check.PASSED]
        if not passed and not chance.slips(2):
            waiting = [name for name, one in versions.items() if one.kind is VersionKind.DATA]
            if not waiting:
                self.settle(chance)
                return
            self.play(model.verify(self.key_of(6), waiting[-1], NOTICE, passed=True))
            passed = waiting[-1:]
        name = chance.pick(passed[-8:]) if passed and not chance.slips(6) else self.version(chance)
        version = versions.get(name)
        owner = version.owner if version else self.member(chance)
        recipient = chance.pick([one for one in (7, 8, 9, 10) if one != owner])
        if version and version.only_to in model.state.members and not chance.rarely(3):
            recipient = version.only_to
        recipient = self.member(chance) if chance.rarely(12) else recipient
        by = self.key(chance) if chance.slips(6) else self.key_of(owner)
        agreement = self._agreement(chance, owner, recipient)
        project = self._import_project(chance, owner, recipient)
        self.play(model.share(by, name, recipient, agreement, project))

    def _agreement(self, dice: Dice, provider: int, recipient: int) -> int:
        """Return an agreement between two members, mostly one in force; another one once in a while."""
        model = self.model
        fit = [
            number
            for number, entry in model.state.agreements.items()
            if (entry.agreement.provider, entry.agreement.recipient) == (provider, recipient)
            and model.agreement_stands(number)
        ]
        if dice.rarely(10):
            return dice.below(len(model.state.agreements) + 2)
        if not fit or dice.rarely(3):
            purposes = ALL & ~model.state.law.banned_purposes
            limits = Limits(
                recipient=recipient,
                purposes=purposes if dice.below(3) else dice.part(purposes) or 1,
                categories=Category(ALL if not dice.rarely(8) else dice.part(ALL) or 1),
                valid_to=max(self.later(dice), model.now + HOUR),
                retention_seconds=dice.pick((300 * DAY, FOREVER, DAY, HOUR)),
                onward=dice.rarely(2),
                linkage=dice.rarely(2),
            )
            text = self.name()
            self.play(model.propose_agreement(self.key_of(provider), limits, text), look=False)
            number = len(model.state.agreements)
            if not dice.slips(8):
                self.play(model.sign_agreement(self.key_of(recipient), number, text), look=False)
            return number
        return fit[-1]

    def _import_project(self, dice: Dice, owner: int, recipient: int) -> int:
        """Return a project of the recipient's, mostly one that the owner's data is cleared for if it goes abroad."""
        members, model = self.model.state.members, self.model
        one, other = members.get(owner), members.get(recipient)
        if one is None or other is None or one.jurisdiction == other.jurisdiction or dice.rarely(8):
            return dice.below(len(model.state.projects) + 1)
        projects = [n for n, it in model.state.projects.items() if it.member_id == recipient]
        project = projects[-1] if projects else self._approved_project(recipient, model.now + 300 * DAY)
        cleared = is_cleared(model.state.crossing(project, owner, recipient, model.now), model.now)
        if (not cleared or dice.rarely(3)) and not dice.rarely(6):
            self._clear(dice, project, owner, recipient)
        return project

    def vouch(self, chance: Dice) -> None:
        """Register data or a model from outside; mostly somebody checks it soon."""
        model = self.model
        content = ZERO32 if chance.slips(12) else self.name()
        kinds = tuple(VersionKind) if chance.slips(6) else (VersionKind.DATA, VersionKind.MODEL)
        purposes = ALL if chance.slips(6) else ALL & ~model.state.law.banned_purposes
        purposes = 0 if chance.slips(8) else chance.part(purposes)
        statement = ZERO32 if chance.slips(12) else self.name()
        by = self.key_of(chance.pick((8, 9, 9))) if not chance.rarely(4) else self.key(chance)
        words = chance.pick(kinds), purposes, statement
        self.play(model.register(by, content, *words))
        if chance.slips(6):
            self.play(model.register(by, content, *words))
        name = VersionId(external_id(model.member_of(by), Commitment(content)))
        if name in model.state.versions and not chance.rarely(3):
            self.play(model.verify(self.key_of(6), name, NOTICE, passed=not chance.rarely(4)))

    def federate(self, chance: Dice) -> None:
        """Record a joint step, mostly a round of training on what several members have; what is signed is spoilt at times."""
        model, versions = self.model, self.model.state.versions
        kind = StepKind.TRAIN if not chance.rarely(4) else chance.pick(tuple(StepKind))
        first = self._first(chance, kind)
        rest = [self._data(chance, tests=False) for _ in range(chance.below(3))]
        inputs = (first, *rest) if kind in (StepKind.TRAIN, StepKind.MERGE) else (first,)
        owner = chance.pick((8, 9, 10))
        step = Step(
            kind=kind,
            parameters=Commitment(self.name()),
            inputs=inputs if kind not in DATASET_STEPS else (),
            outputs=self._outputs(chance, kind),
            dataset_id=self.dataset(chance) if kind in DATASET_STEPS else 0,
            project_id=self._project_of(chance, owner, kind),
            purposes=chance.part(self._purposes(inputs) or ALL) if kind is StepKind.TRAIN else 0,
            tool=TOOLS[0],
        )
        holders = [chance.pick(users) for name in inputs if name in versions and (users := self._users(name))]
        team = sorted({*holders, *(() if not chance.rarely(3) else (self.member(chance),))} or {8})
        if chance.rarely(4) and len(team) > 1:
            team.remove(chance.pick(team))
        if all(member_id in model.state.members for member_id in team) and not chance.rarely(8):
            step = self._prepared(chance, step, (owner, *team))
        parts = [model.part(step, self.key_of(one), owner, one, self.name()) for one in team]
        if chance.rarely(8):
            parts = self._spoilt_parts(chance, step, parts, owner)
        by = self.key(chance) if chance.slips(8) else self.key_of(owner)
        self.play(model.record_step(by, step, parts))
        if chance.rarely(6):  # the same again, refused or not
            self.play(model.record_step(by, step, parts))

    def _spoilt_parts(self, dice: Dice, step: Step, parts: list[JointPart], owner: int) -> list[JointPart]:
        """Return parts that are signed by somebody else, for something else, twice, by too many or by nobody."""
        model, one = self.model, dice.pick(parts)
        signer = self.key_of(one.member_id)
        others = [part for part in parts if part is not one]
        return dice.pick(
            (
                [],
                parts * 17,
                [*parts, one],
                [*reversed(parts), one],
                [*others, model.part(step, OUTSIDER, owner, one.member_id, self.name())],
                [*others, model.part(step, signer, owner + 1, one.member_id, self.name())],
                [*others, model.part(step, signer, owner, one.member_id, ZERO32)],
                [*others, replace(one, contribution=Commitment(self.name()))],
                [model.part(step, signer, owner, 0, self.name())],
                [model.part(replace(step, epsilon=9), signer, owner, one.member_id, self.name())],
            )
        )

    def owe(self, chance: Dice) -> None:
        """Withdraw what was included; answer for the models that it reached, or suspend them. Else there is to begin."""
        model = self.model
        state, kind = model.state, chance.below(10)
        dues = {n: obligation_of(one, state.datasets) for n, one in state.versions.items()}
        owing = [name for name, due in dues.items() if due is not None]
        owing += [name for name, one in state.versions.items() if one.status is ModelStatus.SUSPENDED]
        included = [
            key for key, entry in state.grants.items() if key[1] in state.inclusions and not entry.ended
        ]
        if not owing and not included and not chance.slips(4):
            (self.settle if chance.rarely(3) else self.work)(chance)
        elif included and (kind <= 2 or not owing):
            passport_id, grant_id = chance.pick(included)
            signer, named = self.signer(chance, passport_id)
            end = model.repudiate if chance.rarely(4) else model.revoke
            self.play(end(OUTSIDER, passport_id, grant_id, signer, named=named))
        elif kind <= 4:
            self._suspend(chance, {name: dues[name] or 0 for name in owing})
        elif kind <= 8:
            self._answer(chance, owing)
        else:
            self._excuse(chance)

    def _suspend(self, dice: Dice, owing: dict[VersionId, int]) -> None:
        name = (
            dice.pick(list(owing)) if owing and not dice.slips(6) else self.version(dice, VersionKind.MODEL)
        )
        if dice.below(4):
            self.model.now = max(self.model.now, owing.get(name, 0) + dice.pick((1, 1, 0)))
        self.play(self.model.suspend_overdue(self.key(dice), name))

    def _answer(self, dice: Dice, owing: list[VersionId]) -> None:
        name = dice.pick(owing) if owing and not dice.slips(6) else self.version(dice, VersionKind.MODEL)
        version = self.model.state.versions.get(name)
        answer = dice.pick(tuple(Answer)[1:]) if not dice.slips(12) else Answer.NONE
        replaced = answer in (Answer.RETRAINED, Answer.UNLEARNED)
        successor = self._model(dice) if replaced != dice.slips(12) else ZERO32
        by = self.key(dice) if version is None or dice.slips(8) else self.key_of(version.owner)
        evidence = ZERO32 if dice.slips(16) else self.name()
        self.play(self.model.answer(by, name, answer, successor=successor, evidence=evidence))


def guarded(law: PolicyTable) -> PolicyTable:
    """Return a law whose entries require that borders are cleared, and otherwise what they require."""
    required = []
    for word_ in law.required:
        for basis in Basis:
            if word_ >> 32 * basis & 0xFFFFFFFF:
                word_ |= int(Fact.BORDER_CLEARED) << 32 * basis  # noqa: PLW2901 - built up
        required.append(word_)
    return replace(law, required=tuple(required))


def _apart(learned: Origin, tested: Origin) -> bool:
    """Tell whether what was learned from leaves what is tested on unseen."""
    if learned.dataset_id != tested.dataset_id:
        return True
    return learned.split_id == tested.split_id != 0 and not learned.parts & tested.parts


def parts_of(found: Replay) -> tuple[Any, ...]:
    """Return all that a replay found."""
    return (
        found.mismatches,
        found.decisions,
        found.permits,
        found.reviews,
        found.denied_facts,
        found.step_mismatches,
        found.state,
    )


def outcome_of(replayed: Callable[[], Replay]) -> tuple[Any, ...] | type[Exception]:
    """Return all that a replay finds, or the kind of error that it ends with."""
    try:
        return parts_of(replayed())
    except (VerificationError, ValueError, KeyError) as error:
        return type(error)


def admission(name: str, key: Key, roles: Role, kind: MemberKind, place: int) -> list[Any]:
    return [key.address, int(roles), ALL, place, FOREVER, int(kind), _signing(name), keccak(text=name), name]


def _signing(name: str) -> bytes:
    return keccak(text=f"signing key of {name}")


def _terms(word_: int) -> Terms | None:
    try:
        return unpack_terms(word_)
    except VerificationError:
        return None


def _plain(value: Any) -> Any:
    """Return a decoded answer with lists as tuples."""
    return tuple(_plain(part) for part in value) if isinstance(value, list | tuple) else value


def _questions(model: Model) -> Iterator[tuple[bytes, View, Any]]:
    """Yield every question that the twin can answer, with its answer."""
    state = model.state
    for name, arguments, expected in (
        *_about_members(model),
        *_about_passports(model),
        *_about_the_rest(model),
        *_about_lineage(model),
        *_about_borders(model),
        ("datasetCount", b"", len(state.datasets)),
        ("agreementCount", b"", len(state.agreements)),
        ("clearanceCount", b"", len(state.clearances)),
        ("thresholds", b"", (state.thresholds.persons, state.thresholds.sensitive_persons)),
        ("stepCount", b"", len(state.steps)),
        ("head", b"", state.head),
        ("policyVersion", b"", state.policy_version),
        ("memberCount", b"", len(state.members)),
        ("emergencyCount", b"", len(state.emergencies)),
        ("projectCount", b"", len(state.projects)),
    ):
        view = _VIEWS[name]
        yield view.ask(arguments), view, expected


def _about_members(model: Model) -> Iterator[tuple[str, bytes, Any]]:
    state, today = model.state, model.now // DAY_SECONDS
    for number, member in state.members.items():
        yield (
            "memberOf",
            word(number),
            (
                member.signer,
                int(member.roles),
                member.purposes,
                member.jurisdiction,
                member.valid_to,
                int(member.status),
                int(member.kind),
                member.control,
                member.signing_key,
                member.sealing_key,
            ),
        )
        used = state.cap_uses.get((number, today), 0)
        yield "capsOf", word(number) + word(today), (state.caps.get(number, 0), used)
        yield "emergencyRightOf", word(number), (*model.right(number), *model.windows.get(number, (0, 0)))
    for (controller, processor), order in state.entrustments.items():
        yield "entrustmentOf", word(controller) + word(processor), (order.purposes, order.valid_to)


def _about_passports(model: Model) -> Iterator[tuple[str, bytes, Any]]:
    state = model.state
    for passport_id, passport in state.passports.items():
        yield (
            "passportOf",
            passport_id,
            (
                passport.size,
                passport.custodian,
                passport.purposes,
                int(passport.status),
                int(passport.custody),
                int(passport.level),
                passport.lock,
                passport.epoch,
                passport.content,
                from_hex(passport.holder),
            ),
        )
        yield "nonceOf", passport_id, model.nonces.get(passport_id, 0)
        recovery = state.recoveries.get(passport_id)
        yield (
            "recoveryOf",
            passport_id,
            (from_hex(recovery.holder), recovery.custody, recovery.ready_at) if recovery else (b"", 0, 0),
        )
        for key in DELEGATES:
            yield (
                "delegateUntil",
                passport_id + word(64) + word(20) + key.account.ljust(32, b"\0"),
                state.delegates.get((passport_id, key.address), 0),
            )
    for (passport_id, grant_id), entry in state.grants.items():
        yield "grantOf", passport_id + grant_id, grant_values(entry.state)
    for passport_id, grant_id in model.dead:
        if (passport_id, grant_id) not in state.grants:
            yield "grantOf", passport_id + grant_id, (*[0] * 13, 4, 0)
    for passport_id, entries in state.decisions.items():
        for seq, decision in entries.items():
            if decision.permits(Operation.TRANSFER):
                recipient = model.permit(passport_id, seq)
                unused = state.transfer_permits.get((passport_id, seq))
                stands = unused is not None and _stands(state, unused, model.now)
                assert stands == bool(recipient), (
                    f"the auditor's fold says {stands} of {passport_id.hex()}/{seq}"
                )
                yield "transferPermit", passport_id + word(seq), recipient


def _about_the_rest(model: Model) -> Iterator[tuple[str, bytes, Any]]:
    state = model.state
    for number, project in state.projects.items():
        yield (
            "projectOf",
            word(number),
            (
                project.member_id,
                project.purposes,
                int(project.categories),
                int(project.techniques),
                int(project.highest_class),
                project.withdrawn,
                project.agreement,
                project.valid_from,
                project.valid_to,
                project.ethics,
                project.compliance,
            ),
        )
    for subject, kinds in state.attestations.items():
        for kind, statement in kinds.items():
            yield "attestationOf", subject + word(int(kind)), (statement.issuer, statement.valid_to)
    for number, entry in state.emergencies.items():
        emergency = entry.emergency
        yield (
            "emergencyOf",
            word(number),
            (
                int(emergency.kind),
                int(emergency.finding),
                emergency.member_id,
                emergency.purposes,
                int(emergency.categories),
                emergency.valid_from,
                emergency.until,
                emergency.review_due,
                emergency.max_records,
                emergency.used,
                emergency.jurisdiction,
                emergency.passport_id,
            ),
        )
    for number, template in state.templates.items():
        yield (
            "templateOf",
            word(number),
            (
                template.purposes,
                int(template.categories),
                template.recipient_kinds,
                template.max_seconds,
                template.withdrawn,
                template.notice,
            ),
        )
    for transfer_id, shipped in state.transfers.items():
        transfer = shipped.transfer
        received = model.received_at[transfer_id] if transfer.status is not TransferStatus.SHIPPED else 0
        yield (
            "transferOf",
            transfer_id,
            (
                transfer.sender,
                transfer.recipient,
                transfer.seq,
                model.shipped_at[transfer_id],
                received,
                int(transfer.status),
                0,
                0,
                transfer.passport_id,
                transfer.content,
                # Of one record: nothing that is special to many but what follows from a border between its sides.
                *(0, 0, 0, 0, transfer.report_due, 0, 0, transfer.crosses, ZERO32),
            ),
        )


def _about_lineage(model: Model) -> Iterator[tuple[str, bytes, Any]]:
    state = model.state
    for number, dataset in state.datasets.items():
        yield "datasetOf", word(number), _dataset_values(dataset)
        yield "withdrawalsOf", word(number), dataset.withdrawals
    for _, grant_id in state.grants:
        yield "inclusionsOf", grant_id, state.inclusions.get(grant_id, ())
    for name, version in state.versions.items():
        yield "versionOf", name, _version_values(version)
        origins = tuple(
            (one.dataset_id, one.withdrawals, one.answered, one.split_id, int(one.parts))
            for one in version.origins
        )
        yield "originsOf", name, origins
        yield "obligationOf", name, obligation_of(version, state.datasets) or 0
    for (name, member_id), share in state.shares.items():
        yield "shareOf", name + word(member_id), (share.agreement_id, share.keep_until)
    for (step_id, member_id), contribution in model.contributions.items():
        yield "contributionOf", word(step_id) + word(member_id), contribution


def _about_borders(model: Model) -> Iterator[tuple[str, bytes, Any]]:
    state = model.state
    for number, entry in state.agreements.items():
        agreement = entry.agreement
        recipient, *rest = limits_values(agreement.limits)
        values = (agreement.provider, recipient, *rest, int(agreement.status))
        yield "agreementOf", word(number), values
        yield "agreementText", word(number), entry.text
    for number in state.members:
        yield "borderAccessOf", word(number), state.border_access.get(number, 0)
    for number, cleared in state.clearances.items():
        yield "clearanceOf", word(number), clearance_values(cleared.clearance)
    for (project_id, exporter), number in state.clearance_for.items():
        yield "clearanceFor", word(project_id) + word(exporter), number
        importer = state.projects[project_id].member_id
        kept = [one for one in state.passports.values() if one.custodian == exporter]
        for passport, sensitive in product(kept[-2:], (False, True)):
            crossing = state.crossing(project_id, exporter, importer, model.now, person_of(passport))
            words = word(project_id) + word(exporter) + word(importer) + word(int(sensitive))
            expected = may_cross(crossing, model.now, sensitive=sensitive)
            yield "mayCross", words + passport.passport_id, expected
    for (exporter, year), exports in state.exports.items():
        yield "exportsOf", word(exporter) + word(year), (exports.persons, exports.sensitive_persons)


def _dataset_values(dataset: Dataset) -> tuple[Any, ...]:
    """Return a dataset as `IDatasets.Dataset`."""
    return (
        dataset.owner,
        dataset.purposes,
        int(dataset.categories),
        int(dataset.status),
        dataset.no_relink,
        dataset.no_onward,
        dataset.retain_until,
        dataset.usable_until,
        dataset.included,
        dataset.excused,
        dataset.budget,
        dataset.spent,
    )


def _version_values(version: Version) -> tuple[Any, ...]:
    """Return a version as `ILineage.Version`."""
    return (
        version.step_id,
        version.owner,
        int(version.kind),
        version.purposes,
        int(version.check),
        version.verifier,
        int(version.status),
        version.evaluated,
        version.deployed,
        version.only_to,
    )
