"""Each rule of the audit: where it speaks and where it is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ledger.audit.findings import (
    Finding,
    Limits,
    Rule,
    border_findings,
    decision_findings,
    declaration_findings,
    emergency_findings,
    head_findings,
    release_findings,
    retention_findings,
    size_findings,
    step_findings,
    transfer_findings,
    use_findings,
    withdrawal_findings,
)
from ledger.audit.replay import replay
from ledger.domain.lineage import ANSWER_SECONDS
from ledger.domain.records import Consignment, TransferId
from ledger.domain.vocabulary import (
    Answer,
    Basis,
    Category,
    EmergencyFinding,
    MemberKind,
    Operation,
    Outcome,
    Purpose,
    Role,
    StepFact,
    StepKind,
    TransferFact,
    TransferStatus,
)
from ledger.encoding.hexadecimal import to_hex
from tests.unit.chronicle import (
    COMMITTEE,
    COMPLIANCE,
    DAY,
    ETHICS,
    HERE,
    HOSPITAL,
    LAB,
    START,
    STUDY,
    Chronicle,
    Logged,
)

LIMITS = Limits()


@pytest.fixture
def chronicle():
    return Chronicle.begun()


def use(passport: bytes, at: int, **changes) -> Logged:
    """Return a use of a passport at a time of the chain."""
    return Logged(to_hex(passport), datetime.fromtimestamp(at, UTC), **changes)


def found_uses(chronicle: Chronicle, *uses: Logged, limits: Limits = LIMITS) -> list[Finding]:
    """Return the findings about uses."""
    return list(use_findings(replay(chronicle.events).state, uses, limits=limits))


def rules(findings: list[Finding]) -> list[Rule]:
    """Return the rules that were broken."""
    return [finding.rule for finding in findings]


class TestDecisionMismatch:
    def test_an_honest_decision_is_silent(self, chronicle):
        """Denials as well as permits."""
        passport = chronicle.issue()
        chronicle.decide(passport)
        chronicle.permitted(passport)
        assert list(decision_findings(replay(chronicle.events))) == []

    def test_a_forged_permit_is_named(self, chronicle):
        """With the requester, the decision, what it says and what the law says."""
        passport = chronicle.issue()
        chronicle.decide(passport, forge=lambda verdict: replace(verdict, outcome=Outcome.PERMIT))
        [finding] = decision_findings(replay(chronicle.events))
        assert (finding.rule, finding.member_id, finding.member_name) == (Rule.DECISION_MISMATCH, 3, "Lab")
        assert (finding.passport, finding.seq) == (to_hex(passport), 0)
        assert "outcome is PERMIT, by the law it is DENY" in finding.detail
        assert finding.evidence == (chronicle.events[-1].position,)


class TestHeadMismatch:
    def test_the_right_head_is_silent(self, chronicle):
        """The fold of what was found."""
        chronicle.decide(chronicle.issue())
        state = replay(chronicle.events).state
        assert list(head_findings(state, chronicle.state.head)) == []

    def test_another_head_is_named(self, chronicle):
        """Both heads are in the sentence."""
        state = replay(chronicle.events).state
        [finding] = head_findings(state, b"\x01" * 32)
        assert finding.rule is Rule.HEAD_MISMATCH
        assert to_hex(b"\x01" * 32) in finding.detail
        assert to_hex(state.head) in finding.detail


class TestSizeMismatch:
    def test_the_right_size_is_silent(self, chronicle):
        """Also none at all."""
        used, unused = chronicle.issue(), chronicle.issue()
        chronicle.decide(used)
        assert list(size_findings(replay(chronicle.events).state, [(used, 1), (unused, 0)])) == []

    def test_another_size_is_named(self, chronicle):
        """With the custodian, whose passport it is."""
        passport = chronicle.issue()
        [finding] = size_findings(replay(chronicle.events).state, [(passport, 2)])
        assert (finding.rule, finding.member_name, finding.passport) == (
            Rule.SIZE_MISMATCH,
            "Hospital",
            to_hex(passport),
        )
        assert "counts 2 decisions for this passport, 0 were found" in finding.detail


class TestReleases:
    def found(self, chronicle, *, after: int = 0) -> list[Finding]:
        state = replay(chronicle.events).state
        return list(release_findings(state, at=chronicle.time + after, limits=LIMITS))

    @pytest.mark.parametrize("operation", [Operation.READ, Operation.TRANSFER])
    def test_a_release_of_a_permit_is_silent(self, chronicle, operation):
        """For both operations, however much later."""
        passport = chronicle.issue()
        chronicle.release(passport, chronicle.permitted(passport, operation=operation))
        assert self.found(chronicle, after=DAY) == []

    def test_a_release_without_permit_is_named(self, chronicle):
        """With the custodian who handed over, and why it was no permit."""
        passport = chronicle.issue()
        chronicle.release(passport, chronicle.decide(passport))
        [finding] = self.found(chronicle)
        assert (finding.rule, finding.member_id, finding.seq) == (Rule.RELEASE_WITHOUT_PERMIT, 2, 0)
        assert "there was no consent in force" in finding.detail
        assert len(finding.evidence) == 2

    def test_a_release_of_no_decision_at_all_is_named(self, chronicle):
        """The node hid the decision, or there was none."""
        chronicle.release(chronicle.issue(), 4)
        [finding] = self.found(chronicle)
        assert (finding.rule, finding.seq) == (Rule.RELEASE_WITHOUT_PERMIT, 4)
        assert "not on record" in finding.detail

    def test_a_permit_waits_for_its_limit(self, chronicle):
        """Within the hour nothing is said, after it a gap that needs no wrong-doing."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        assert self.found(chronicle, after=LIMITS.release_seconds) == []
        [finding] = self.found(chronicle, after=LIMITS.release_seconds + 1)
        assert (finding.rule, finding.member_name) == (Rule.PERMIT_WITHOUT_RELEASE, "Lab")
        assert finding.rule.is_informational

    def test_only_permits_to_read_wait(self, chronicle):
        """Not denials, not transfers, which have receipts of their own, not inclusions, which hand nothing over."""
        passport = chronicle.issue()
        chronicle.decide(passport)
        chronicle.permitted(passport, operation=Operation.TRANSFER)
        chronicle.include(passport, chronicle.declare())
        assert self.found(chronicle, after=DAY) == []


class TestTransfers:
    def found(self, chronicle, *, after: int = 0) -> list[Finding]:
        state = replay(chronicle.events).state
        return list(transfer_findings(state, at=chronicle.time + after, limits=LIMITS))

    def shipped(self, chronicle) -> bytes:
        passport = chronicle.issue()
        return chronicle.ship(passport, chronicle.permitted(passport, operation=Operation.TRANSFER))

    def test_a_transfer_that_arrived_is_silent(self, chronicle):
        """Both sides committed to the same content."""
        chronicle.receive(self.shipped(chronicle))
        assert self.found(chronicle, after=30 * DAY) == []

    def test_a_dispute_is_named(self, chronicle):
        """Both contents, both members, both places."""
        chronicle.receive(self.shipped(chronicle), content=b"\x01" * 32)
        [finding] = self.found(chronicle)
        assert finding.rule is Rule.TRANSFER_DISPUTED
        assert "Hospital shipped transfer" in finding.detail
        assert to_hex(b"\x01" * 32) in finding.detail
        assert len(finding.evidence) == 3

    def test_an_answer_is_waited_for(self, chronicle):
        """A week, then the recipient is named."""
        self.shipped(chronicle)
        assert self.found(chronicle, after=LIMITS.transfer_seconds) == []
        [finding] = self.found(chronicle, after=LIMITS.transfer_seconds + 1)
        assert (finding.rule, finding.member_name) == (Rule.TRANSFER_UNANSWERED, "Lab")

    def test_shipping_without_a_permit_to_transfer_is_named(self, chronicle):
        """A permit to read is none, and one permit is good for one transfer."""
        passport = chronicle.issue()
        chronicle.ship(passport, chronicle.permitted(passport))
        seq = chronicle.permitted(passport, operation=Operation.TRANSFER)
        chronicle.ship(passport, seq)
        chronicle.ship(passport, seq)
        findings = self.found(chronicle)
        assert rules(findings) == [Rule.RELEASE_WITHOUT_PERMIT] * 2
        assert [finding.seq for finding in findings] == [0, seq]

    def test_shipping_under_a_permit_that_lapsed_is_named(self, chronicle):
        """An hour after the decision it stands no more."""
        passport = chronicle.issue()
        seq = chronicle.permitted(passport, operation=Operation.TRANSFER)
        chronicle.time += 3600
        chronicle.ship(passport, seq)
        [finding] = self.found(chronicle)
        assert (finding.rule, finding.member_name) == (Rule.RELEASE_WITHOUT_PERMIT, "Hospital")
        assert "still stood" in finding.detail


class TestEmergencies:
    """Only those of one person are reviewed."""

    @staticmethod
    def found(chronicle: Chronicle, after: int = 0) -> list[Finding]:
        """Return the findings that many seconds after the last event."""
        return list(emergency_findings(replay(chronicle.events).state, at=chronicle.time + after))

    @pytest.fixture
    def opened(self, chronicle):
        chronicle.open_emergency(chronicle.issue())
        return chronicle

    def test_its_time_for_review_is_waited_for(self, opened):
        """Until its last second; then it is the opener's."""
        assert self.found(opened, 3 * DAY) == []
        (finding,) = self.found(opened, 3 * DAY + 1)
        assert finding.rule is Rule.EMERGENCY_UNREVIEWED
        assert finding.member_id == HOSPITAL
        assert finding.detail.endswith("and is missing.")
        assert finding.evidence == (opened.events[-1].position,)

    def test_reviewed_in_time_and_justified_is_silent(self, opened):
        opened.review_emergency(1)
        assert self.found(opened, 30 * DAY) == []

    def test_one_found_unjustified_is_named(self, opened):
        opened.review_emergency(1, finding=EmergencyFinding.UNJUSTIFIED, right_lost=True)
        (finding,) = self.found(opened, 30 * DAY)
        assert finding.rule is Rule.EMERGENCY_UNJUSTIFIED
        assert finding.member_id == HOSPITAL
        assert "found it unjustified" in finding.detail

    def test_a_review_that_came_late_stays_on_record(self, opened):
        opened.time += 3 * DAY
        opened.review_emergency(1, right_lost=True)
        (finding,) = self.found(opened)
        assert finding.rule is Rule.EMERGENCY_UNREVIEWED
        assert "and came on" in finding.detail


class TestUseWithoutPermit:
    def test_a_permitted_use_is_silent(self, chronicle):
        """Naming the decision or not, by number or by name."""
        passport = chronicle.issue()
        seq = chronicle.permitted(passport)
        at = chronicle.time + 60
        uses = [
            use(passport, at),
            use(passport, at, decision=seq),
            use(passport, at, member="", member_id=3),
            use(passport, at, purpose="HRESCH"),
            use(passport, at, purpose="AI_TRAINING"),
            use(passport, at, purpose="a code of their own"),
            use(passport, chronicle.time),
        ]
        assert found_uses(chronicle, *uses) == []

    def test_no_request_at_all(self, chronicle):
        """The institution is named, the passport, and that it never asked."""
        passport = chronicle.issue()
        [finding] = found_uses(chronicle, use(passport, chronicle.time))
        assert (finding.rule, finding.member_id, finding.member_name) == (Rule.USE_WITHOUT_PERMIT, 3, "Lab")
        assert (finding.passport, finding.seq, finding.evidence) == (to_hex(passport), None, ())
        assert finding.detail.endswith("without a permit: it never asked.")

    def test_only_denials(self, chronicle):
        """The reasons are those of the latest one."""
        passport = chronicle.issue()
        chronicle.decide(passport)
        chronicle.decide(passport, grant_id=chronicle.give(passport))
        [finding] = found_uses(chronicle, use(passport, chronicle.time))
        assert finding.seq == 1
        assert "it has no project of its own on file" in finding.detail
        assert "no consent in force" not in finding.detail

    def test_another_members_permit(self, chronicle):
        """Neither counts for somebody else nor when the log names it."""
        passport = chronicle.issue()
        chronicle.admit("Other", Role.PROCESSOR)
        seq = chronicle.permitted(passport)
        unnamed, named = found_uses(
            chronicle,
            use(passport, chronicle.time, member="Other"),
            use(passport, chronicle.time, member="Other", decision=seq),
        )
        assert "it never asked" in unnamed.detail
        assert f"decision {seq} answers Lab" in named.detail

    def test_a_decision_that_does_not_exist(self, chronicle):
        """Another one does not help."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        [finding] = found_uses(chronicle, use(passport, chronicle.time, decision=7))
        assert finding.seq == 7
        assert "relies on decision 7, which does not exist" in finding.detail

    def test_another_passports_permit(self, chronicle):
        """A permit is for one passport."""
        used, permitted = chronicle.issue(), chronicle.issue()
        chronicle.permitted(permitted)
        assert rules(found_uses(chronicle, use(used, chronicle.time))) == [Rule.USE_WITHOUT_PERMIT]

    def test_a_use_before_its_permit(self, chronicle):
        """Asking afterwards does not heal."""
        passport = chronicle.issue()
        before = chronicle.time
        seq = chronicle.permitted(passport)
        [finding] = found_uses(chronicle, use(passport, before))
        assert finding.seq == seq
        assert "its permit came later" in finding.detail
        assert found_uses(chronicle, use(passport, before), limits=Limits(clock_skew_seconds=60)) == []

    def test_a_use_after_withdrawal(self, chronicle):
        """Until the second of the withdrawal it is fine; evidence has the permit and the withdrawal."""
        passport = chronicle.issue()
        seq = chronicle.permitted(passport)
        [(key, _)] = chronicle.state.grants.items()
        ended = chronicle.withdraw(*key)
        assert found_uses(chronicle, use(passport, ended.time - 1), use(passport, ended.time)) == []
        [finding] = found_uses(chronicle, use(passport, ended.time + 1, decision=seq))
        assert "the consent behind its permit was withdrawn" in finding.detail
        assert [position.block_number for position in finding.evidence] == [
            chronicle.state.decisions[passport][seq].position.block_number,
            ended.block_number,
        ]

    def test_a_use_after_the_consent_was_replaced(self, chronicle):
        """A new consent asks for a new request."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        [(_, grant_id)] = chronicle.state.grants
        chronicle.give(passport, supersedes=grant_id)
        [finding] = found_uses(chronicle, use(passport, chronicle.time + 1))
        assert "was replaced" in finding.detail

    def test_a_use_after_the_consent_expired(self, chronicle):
        """The end of the use period is exact."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        [entry] = chronicle.state.grants.values()
        assert found_uses(chronicle, use(passport, entry.state.use_to - 1)) == []
        [finding] = found_uses(chronicle, use(passport, entry.state.use_to))
        assert "the consent behind its permit ended" in finding.detail

    def test_a_use_that_rests_on_no_consent_outlives_consents(self, chronicle):
        """The custodian's own care."""
        passport = chronicle.issue()
        chronicle.decide(passport, 2, basis=Basis.CUSTODIAN_CARE, purpose=Purpose.PRIMARY_CARE)
        assert found_uses(chronicle, use(passport, chronicle.time + 900 * DAY, member="Hospital")) == []

    def test_a_use_for_another_purpose(self, chronicle):
        """A permit is for one purpose."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        [finding] = found_uses(chronicle, use(passport, chronicle.time, purpose="HMARKT"))
        assert "its permit is for training an AI model, the log says HMARKT" in finding.detail

    @pytest.mark.parametrize("passport", ["0x" + "ab" * 32, "0x12", ""])
    def test_a_passport_that_is_not_on_the_ledger(self, chronicle, passport):
        """Whether it looks like one or not."""
        entry = Logged(passport, datetime.fromtimestamp(chronicle.time, UTC))
        [finding] = found_uses(chronicle, entry)
        assert (finding.rule, finding.passport) == (Rule.USE_WITHOUT_PERMIT, passport)
        assert "no such passport" in finding.detail

    def test_a_later_permit_heals_later_uses(self, chronicle):
        """Any permit that stands at the time of the use is enough."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        [key] = chronicle.state.grants
        chronicle.withdraw(*key)
        chronicle.permitted(passport)
        assert found_uses(chronicle, use(passport, chronicle.time)) == []

    def test_times_have_zones(self, chronicle):
        """Noon in Shanghai is four in the morning in Greenwich."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        moment = datetime.fromtimestamp(chronicle.time, UTC)
        shanghai = moment.astimezone(timezone(timedelta(hours=8)))
        assert found_uses(chronicle, Logged(to_hex(passport), shanghai)) == []


class TestUnknownMember:
    def test_a_known_member_is_silent(self, chronicle):
        """By number, whatever the name; the number goes before the name."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        assert found_uses(chronicle, use(passport, chronicle.time, member="Nobody", member_id=3)) == []

    @pytest.mark.parametrize("changes", [{"member": "Nobody"}, {"member": ""}, {"member_id": 9}])
    def test_an_unknown_member_is_named(self, chronicle, changes):
        """As the log calls it, and only once."""
        passport = chronicle.issue()
        [finding] = found_uses(chronicle, use(passport, chronicle.time, **changes))
        assert finding.rule is Rule.UNKNOWN_MEMBER
        assert "Nobody" not in finding.detail

    def test_a_name_that_two_members_have_is_not_enough(self, chronicle):
        """Names are not unique on the ledger; numbers are."""
        twin = chronicle.admit("Lab", Role.PROCESSOR)
        passport = chronicle.issue()
        chronicle.permitted(passport)
        [finding] = found_uses(chronicle, use(passport, chronicle.time))
        assert finding.rule is Rule.UNKNOWN_MEMBER
        by_number = found_uses(
            chronicle,
            use(passport, chronicle.time, member_id=3),
            use(passport, chronicle.time, member_id=twin),
        )
        assert rules(by_number) == [Rule.USE_WITHOUT_PERMIT]


def test_gaps_and_limits_are_informational():
    """Every other rule speaks of something wrong."""
    assert [rule for rule in Rule if rule.is_informational] == [
        Rule.PERMIT_WITHOUT_RELEASE,
        Rule.CLEARANCE_USED_UP,
        Rule.THRESHOLD_REACHED,
    ]


class TestStepMismatch:
    def test_an_honest_step_is_silent(self, chronicle):
        """Whether it stands or not."""
        chronicle.model(chronicle.declare())
        chronicle.step(StepKind.CLEAN)
        assert list(step_findings(replay(chronicle.events))) == []

    def test_a_forged_step_is_named(self, chronicle):
        """With who recorded it, the rules that it really broke, and those that it did not."""
        dataset = chronicle.declare()
        [data] = chronicle.step(StepKind.COLLECT, dataset_id=dataset)
        chronicle.step(StepKind.CLEAN, data, forge=StepFact.MEMBER_ACTIVE)
        [finding] = step_findings(replay(chronicle.events))
        assert (finding.rule, finding.member_id, finding.member_name) == (Rule.STEP_MISMATCH, 3, "Lab")
        assert "Step 2 (clean)" in finding.detail
        assert "recorded as broken, but kept: MEMBER_ACTIVE" in finding.detail
        assert "broken, but not recorded: TOOL_CERTIFIED" in finding.detail
        assert finding.evidence == (chronicle.events[-1].position,)


class TestWithdrawals:
    def found(self, chronicle: Chronicle, *, after: int = 0) -> list[Finding]:
        state = replay(chronicle.events).state
        return list(withdrawal_findings(state, at=chronicle.time + after))

    def included(self, chronicle: Chronicle) -> tuple[bytes, bytes, int]:
        """Return a passport, the grant under which it was included into a dataset, and the dataset."""
        passport, dataset = chronicle.issue(), chronicle.declare()
        return passport, chronicle.include(passport, dataset), dataset

    def test_what_is_announced_is_silent(self, chronicle):
        """And what nobody was included under is none of a dataset's business."""
        passport, grant, _ = self.included(chronicle)
        chronicle.withdraw(passport, grant)
        chronicle.withdraw(passport, chronicle.give(passport))
        assert self.found(chronicle) == []

    def test_a_withdrawal_that_is_not_announced_is_named(self, chronicle):
        """The consent ended; the dataset was not told."""
        passport, grant, dataset = self.included(chronicle)
        chronicle.emit("ConsentWithdrawn", grantId=grant, passportId=passport)
        [finding] = self.found(chronicle)
        assert (finding.rule, finding.member_name) == (Rule.WITHDRAWAL_MISMATCH, "Lab")
        assert f"Dataset {dataset} was not told that consent {to_hex(grant)} ended" in finding.detail
        assert finding.evidence == (chronicle.events[-1].position,)

    @pytest.mark.parametrize("number", [1, 2])
    def test_an_announcement_without_a_withdrawal_is_named(self, chronicle, number):
        """Out of nothing, or under another number; it makes nothing stale."""
        passport, grant, dataset = self.included(chronicle)
        if number > 1:
            chronicle.withdraw(passport, grant)
        chronicle.emit("DatasetWithdrawn", datasetId=dataset, grantId=grant, withdrawals=number)
        [finding] = self.found(chronicle)
        assert finding.rule is Rule.WITHDRAWAL_MISMATCH
        assert "which the ends of consents do not bear out" in finding.detail
        assert len(chronicle.state.datasets[dataset].withdrawals) == number - 1

    def test_a_successor_that_covers_takes_the_place(self, chronicle):
        """Nobody is told; when it ends, the dataset is."""
        passport, grant, dataset = self.included(chronicle)
        successor = chronicle.give(passport, supersedes=grant)
        assert chronicle.state.datasets[dataset].withdrawals == ()
        chronicle.withdraw(passport, successor)
        assert len(chronicle.state.datasets[dataset].withdrawals) == 1
        assert self.found(chronicle) == []

    def test_a_successor_that_covers_less_is_a_withdrawal(self, chronicle):
        """At the time at which it was given."""
        passport, grant, dataset = self.included(chronicle)
        chronicle.give(passport, supersedes=grant, use_to=START + DAY)
        [finding] = self.found(chronicle)
        assert (finding.rule, finding.evidence) == (
            Rule.WITHDRAWAL_MISMATCH,
            (chronicle.events[-1].position,),
        )
        assert chronicle.state.datasets[dataset].withdrawals == (chronicle.time,)

    def test_a_repudiation_is_a_withdrawal(self, chronicle):
        """Of what was never given."""
        passport, dataset = chronicle.issue(), chronicle.declare()
        grant = chronicle.include(passport, dataset, evidence=chronicle.name())
        chronicle.emit("ConsentRepudiated", grantId=grant, passportId=passport)
        chronicle.announce(grant)
        assert len(chronicle.state.datasets[dataset].withdrawals) == 1
        assert self.found(chronicle) == []

    def test_an_answer_has_a_month(self, chronicle):
        """After that the owner, the model, the step that made it and the withdrawal are named."""
        passport, grant, dataset = self.included(chronicle)
        model = chronicle.model(dataset)
        made, withdrawn = chronicle.events[-1].position, chronicle.withdraw(passport, grant)
        assert self.found(chronicle, after=ANSWER_SECONDS) == []
        [finding] = self.found(chronicle, after=ANSWER_SECONDS + 1)
        assert (finding.rule, finding.member_name) == (Rule.WITHDRAWAL_UNANSWERED, "Lab")
        assert to_hex(model) in finding.detail
        assert finding.evidence == (made, withdrawn)

    @pytest.mark.parametrize("answer", [Answer.RETIRED, Answer.JUSTIFIED])
    def test_an_answer_is_an_answer(self, chronicle, answer):
        """Until the next withdrawal, if the model serves on."""
        passport, grant, dataset = self.included(chronicle)
        other = chronicle.issue()
        second = chronicle.include(other, dataset)
        model = chronicle.model(dataset)
        chronicle.withdraw(passport, grant)
        chronicle.answer(model, answer)
        assert self.found(chronicle, after=99 * DAY) == []
        chronicle.withdraw(other, second)
        assert len(self.found(chronicle, after=99 * DAY)) == (answer is Answer.JUSTIFIED)

    def test_data_owes_nothing(self, chronicle):
        """Nor does a dataset whose withdrawals an ethics body excused."""
        passport, grant, dataset = self.included(chronicle)
        chronicle.step(StepKind.COLLECT, dataset_id=dataset)
        chronicle.model(dataset)
        chronicle.withdraw(passport, grant)
        chronicle.emit(
            "DatasetExcused", datasetId=dataset, reviewer=4, withdrawals=1, opinion=chronicle.name()
        )
        assert self.found(chronicle, after=99 * DAY) == []


class TestRetention:
    def found(self, chronicle: Chronicle, at: int) -> list[Finding]:
        return list(retention_findings(replay(chronicle.events).state, at=at))

    def test_a_dataset_is_destroyed_in_time(self, chronicle):
        """From the second on in which its retention is over; whether anything is in it or not."""
        chronicle.declare(retain_until=START + DAY)
        position = chronicle.events[-1].position
        assert self.found(chronicle, START + DAY - 1) == []
        [finding] = self.found(chronicle, START + DAY)
        assert (finding.rule, finding.member_name) == (Rule.RETENTION_OVERDUE, "Lab")
        assert (finding.evidence, "dataset 1 by 2027-01-16" in finding.detail) == ((position,), True)

    def test_what_is_destroyed_is_silent(self, chronicle):
        """However late."""
        dataset = chronicle.declare(retain_until=START + DAY)
        chronicle.time += 2 * DAY
        chronicle.step(StepKind.DESTROY, dataset_id=dataset)
        assert self.found(chronicle, chronicle.time) == []


class TestTransfersOfMany:
    """Two records from the hospital to the lab, declared by the rules unless a test says otherwise."""

    @staticmethod
    def declared(chronicle: Chronicle, **changes: Any) -> TransferId:
        """Declare them; *changes* are of the consignment, or say what is on record of it."""
        recorded = {name: changes.pop(name) for name in ("missing", "crosses") if name in changes}
        words: dict[str, Any] = {
            "agreement_id": 0,
            "project_id": 0,
            "count": 2,
            "purposes": 1 << Purpose.AI_TRAINING,
            "categories": STUDY,
            "places": (HERE,),
            **changes,
        }
        words["agreement_id"] = words["agreement_id"] or chronicle.agree(LAB)
        return chronicle.declare_transfer(Consignment(**words), **recorded)

    def loaded(self, chronicle: Chronicle, **changes: Any) -> TransferId:
        """Load both under permits."""
        permits = []
        for _ in range(2):
            passport = chronicle.issue()
            permits.append((passport, chronicle.permitted(passport, operation=Operation.TRANSFER)))
        name = self.declared(chronicle, **changes)
        for passport, seq in permits:
            chronicle.load(name, passport, seq)
        return name

    @staticmethod
    def found(chronicle: Chronicle, *, after: int = 0) -> list[Finding]:
        """Return all findings about transfers that many seconds after the last event."""
        done = replay(chronicle.events)
        return [
            *declaration_findings(done),
            *transfer_findings(done.state, at=chronicle.time + after, limits=LIMITS),
        ]

    def test_what_is_in_order_is_silent(self, chronicle: Chronicle) -> None:
        """Until a week has passed without an answer."""
        name = self.loaded(chronicle)
        chronicle.dispatch(name)
        assert self.found(chronicle) == []
        assert rules(self.found(chronicle, after=LIMITS.transfer_seconds + 1)) == [Rule.TRANSFER_UNANSWERED]
        chronicle.receive(name)
        assert self.found(chronicle, after=300 * DAY) == []

    def test_another_root_is_named(self, chronicle: Chronicle) -> None:
        """Both what the sender shipped under it, and what the recipient disputes."""
        name = self.loaded(chronicle)
        chronicle.dispatch(name, root=b"\x01" * 32)
        [finding] = self.found(chronicle)
        assert (finding.rule, finding.member_name) == (Rule.TRANSFER_ROOT, "Hospital")
        chronicle.receive(name, content=b"\x02" * 32)
        assert rules(self.found(chronicle)) == [Rule.TRANSFER_ROOT, Rule.TRANSFER_DISPUTED]

    def test_a_declaration_that_was_answered_otherwise_is_named(self, chronicle: Chronicle) -> None:
        """A rule kept on record that was broken, one broken that was kept, and a border that was not told."""
        self.declared(chronicle, purposes=1 << Purpose.RESEARCH, missing=TransferFact(0))
        self.declared(chronicle, missing=TransferFact.SENDER_ACTIVE)
        self.declared(chronicle, places=(840,), crosses=False)
        first, second, third = self.found(chronicle)
        assert {finding.rule for finding in (first, second, third)} == {Rule.TRANSFER_MISMATCH}
        assert "broken, but not recorded: WITHIN_LIMITS" in first.detail
        assert "recorded as broken, but kept: SENDER_ACTIVE" in second.detail
        assert "it crosses a border" in third.detail

    def test_a_declaration_by_somebody_else_is_named(self, chronicle: Chronicle) -> None:
        """An agreement is between its sides."""
        consignment = Consignment(chronicle.agree(LAB), 0, 1, 1 << Purpose.AI_TRAINING, STUDY, places=(HERE,))
        chronicle.declare_transfer(consignment, sender=ETHICS)
        [finding] = self.found(chronicle)
        assert "not between the sides of its agreement" in finding.detail

    def test_a_load_without_a_permit_is_named(self, chronicle: Chronicle) -> None:
        """Under a permit to read, under one that was used, beyond what was declared, and after it lapsed."""
        passport = chronicle.issue()
        permit = chronicle.permitted(passport, operation=Operation.TRANSFER)
        other = chronicle.issue()
        name = self.declared(chronicle, count=4)
        chronicle.load(name, passport, permit)
        chronicle.load(name, passport, permit)
        chronicle.load(name, other, chronicle.permitted(other))
        narrow = self.declared(chronicle, categories=Category.LABORATORY)
        chronicle.load(narrow, other, chronicle.permitted(other, operation=Operation.TRANSFER))
        findings = self.found(chronicle)
        assert rules(findings) == [Rule.RELEASE_WITHOUT_PERMIT] * 3
        assert [finding.seq for finding in findings] == [permit, 0, 1]

    def test_what_moves_when_it_cannot_is_named(self, chronicle: Chronicle) -> None:
        """Loaded and shipped after the agreement ended, or not whole."""
        name = self.loaded(chronicle)
        chronicle.emit("AgreementEnded", agreementId=1, memberId=LAB, reasons=bytes(32))
        chronicle.dispatch(name)
        [finding] = self.found(chronicle)
        assert finding.rule is Rule.RELEASE_WITHOUT_PERMIT
        assert "when it could not be shipped" in finding.detail
        chronicle.dispatch(self.loaded(chronicle, count=3))
        assert len(self.found(chronicle)) == 2

    def test_what_the_parent_does_not_hold_is_no_child(self, chronicle: Chronicle) -> None:
        """Only what the sender received by it is passed on."""
        agreement = chronicle.agree(LAB, onward=True)
        parent = self.loaded(chronicle, agreement_id=agreement)
        chronicle.dispatch(parent)
        chronicle.receive(parent)
        passed_on = chronicle.agree(COMPLIANCE, provider=LAB)
        consignment = Consignment(
            passed_on, 0, 2, 1 << Purpose.AI_TRAINING, STUDY, parent=parent, places=(HERE,)
        )
        child = chronicle.declare_transfer(consignment, sender=LAB)
        mine = chronicle.state.loads[parent][0].item.passport_id
        for passport in (mine, chronicle.issue()):
            seq = chronicle.decide(
                passport,
                COMPLIANCE,
                grant_id=chronicle.give(passport, recipient=COMPLIANCE),
                project_id=chronicle.file_project(COMPLIANCE),
                operation=Operation.TRANSFER,
            )
            chronicle.load(child, passport, seq)
        [finding] = self.found(chronicle)
        assert finding.passport != to_hex(mine)

    def test_an_overdue_report_is_named(self, chronicle: Chronicle) -> None:
        """Ninety days after the receipt from abroad, until it comes or the data is gone."""
        project = chronicle.file_project()
        chronicle.clear(project)
        chronicle.list_for_borders(LAB)
        name = self.declared(chronicle, places=(840,), project_id=project)
        chronicle.emit(
            "TransferInspected", transferId=name, regulator=COMMITTEE, released=True, report=bytes(32)
        )
        for _ in range(2):
            passport = chronicle.issue()
            chronicle.load(name, passport, chronicle.permitted(passport, operation=Operation.TRANSFER))
        chronicle.dispatch(name)
        chronicle.receive(name)
        assert self.found(chronicle, after=90 * DAY - 11) == []
        [finding] = self.found(chronicle, after=90 * DAY)
        assert (finding.rule, finding.member_name) == (Rule.REPORT_OVERDUE, "Lab")
        chronicle.emit("TransferReported", transferId=name, memberId=LAB, nextDue=0, report=b"\x01" * 32)
        assert self.found(chronicle, after=89 * DAY) == []
        chronicle.emit("TransferClosed", transferId=name, memberId=LAB, evidence=b"\x01" * 32)
        assert self.found(chronicle, after=300 * DAY) == []

    def test_what_members_did_is_kept_in_order(self, chronicle: Chronicle) -> None:
        """Halted, resumed to where it stood, terminated."""
        name = self.loaded(chronicle)
        chronicle.emit("TransferHalted", transferId=name, memberId=HOSPITAL, reasons=bytes(32))
        chronicle.emit("TransferResumed", transferId=name, memberId=HOSPITAL)
        chronicle.emit("TransferTerminated", transferId=name, memberId=LAB, reasons=bytes(32))
        state = replay(chronicle.events).state
        assert state.transfers[name].transfer.status is TransferStatus.TERMINATED
        assert [note.event for note in state.transfers[name].notes] == [
            "TransferHalted",
            "TransferResumed",
            "TransferTerminated",
        ]


class TestBorders:
    """What an exporter and a regulator should know; nobody did wrong."""

    def crossed(self, persons: int, *, thresholds: tuple[int, int], max_persons: int = 100) -> Chronicle:
        """Return a ledger on which so many persons' data crossed a border by assessment."""
        told = Chronicle.begun()
        told.emit("ThresholdsSet", thresholds=thresholds)
        abroad = told.admit("Lab abroad", Role.PROCESSOR, kind=MemberKind.RESEARCH, jurisdiction=840)
        project = told.file_project(abroad)
        told.clear(project, max_persons=max_persons)
        told.list_for_borders(abroad)
        for _ in range(persons):
            passport = told.issue()
            told.decide(passport, abroad, grant_id=told.give(passport, abroad), project_id=project)
        return told

    def found(self, told: Chronicle, at: int | None = None) -> list[Finding]:
        return list(border_findings(told.state, at=told.time if at is None else at))

    def test_below_all_limits_nothing_is_told(self):
        assert self.found(self.crossed(2, thresholds=(3, 3), max_persons=3)) == []

    def test_a_clearance_that_is_used_up(self):
        """While it is in force, and no other took its place."""
        told = self.crossed(2, thresholds=(9, 9), max_persons=2)
        (finding,) = self.found(told)
        assert (finding.rule, finding.member_id) == (Rule.CLEARANCE_USED_UP, HOSPITAL)
        assert "2 persons have crossed under it, of 2" in finding.detail
        assert finding.rule.is_informational
        assert self.found(told, START + 300 * DAY) == []
        told.clear(1)
        assert self.found(told) == []

    @pytest.mark.parametrize(
        ("thresholds", "words"),
        [((2, 9), "2 persons (the threshold is 2)"), ((9, 1), "class 1 or 2 (the threshold is 1)")],
    )
    def test_a_threshold_that_is_reached(self, thresholds, words):
        """In the calendar year that it is about."""
        told = self.crossed(2, thresholds=thresholds)
        (finding,) = self.found(told)
        assert (finding.rule, finding.member_id) == (Rule.THRESHOLD_REACHED, HOSPITAL)
        assert words in finding.detail
        assert finding.rule.is_informational
        assert self.found(told, told.time + 400 * DAY) == []
