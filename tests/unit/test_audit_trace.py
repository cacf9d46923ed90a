"""A trace: who held and got data, what first went wrong, and who is responsible, from the chain alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.audit.auditor import audit
from ledger.audit.findings import Rule
from ledger.audit.lineage import LineageGraph
from ledger.audit.link import LinkAct
from ledger.audit.links import NO_LINKS, READINGS
from ledger.audit.report import AuditReport
from ledger.audit.subjects import SubjectKind
from ledger.audit.trace import Form, Gravity, Misuse, Trace, trace
from ledger.audit.trace_report import trace_as_json
from ledger.chain import artifacts
from ledger.domain.lineage import VersionId
from ledger.domain.vocabulary import (
    Category,
    Level,
    Operation,
    Outcome,
    Purpose,
    Role,
    StepFact,
    StepKind,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.inclusions import MAX_NAMED
from ledger.errors import InvalidInput, NotFound
from ledger.policy import PERMIT_SECONDS
from tests.unit.chronicle import (
    DAY,
    HOSPITAL,
    LAB,
    LEDGER,
    STUDY,
    Chronicle,
    FakeNode,
    Logged,
    everything,
)

ABI = artifacts.load().abi


@pytest.fixture
def chronicle() -> Chronicle:
    return Chronicle.begun()


def audited(chronicle: Chronicle, **node: object) -> AuditReport:
    """Audit a chronicle as an auditor with a node does."""
    return audit(FakeNode(chronicle, blind=False, **node), ABI, LEDGER)


def traced(chronicle: Chronicle, subject: str | bytes, **words: object) -> Trace:
    """Trace something in a chronicle."""
    asked = subject if isinstance(subject, str) else to_hex(subject)
    return trace(audited(chronicle), asked, **words)


def acts(found: Trace) -> list[LinkAct]:
    """Return what the links of a trace are about, without what bears on members and projects."""
    return [link.act for link in found.chain if link.act not in (LinkAct.MEMBER, LinkAct.PROJECT)]


class TestTable:
    def test_every_event_is_a_link_or_said_to_be_none(self):
        """A new event must be put into one of both."""
        events = {entry["name"] for entry in ABI if entry["type"] == "event"}
        assert READINGS.keys() | NO_LINKS == events
        assert not READINGS.keys() & NO_LINKS

    def test_every_event_that_is_a_link_is_found_in_some_trace(self):
        """And each link can be written as JSON."""
        told = everything()
        report = audited(told)
        state = report.replay.state
        subjects = [
            *(to_hex(passport_id) for passport_id in state.passports),
            *(to_hex(transfer_id) for transfer_id in state.transfers),
            *(to_hex(version_id) for version_id in state.versions),
            *(to_hex(grant_id) for _, grant_id in state.grants),
            *(f"dataset:{number}" for number in state.datasets),
            *(f"step:{number}" for number in state.steps),
            *(f"member:{number}" for number in state.members),
        ]
        found = set()
        for subject in subjects:
            answer = trace(report, subject)
            found |= {link.position.order for link in answer.chain if link.position}
            written = trace_as_json(report, answer)
            assert len(written["chain"]) == len(answer.chain)
            assert written["conclusion"]
            orders = [link.position.order for link in answer.chain if link.position]
            assert orders == sorted(set(orders)), subject
        places = {e.position.order: e.name for e in told.events if e.name in READINGS}
        # What nobody's passport, version or member bears on: emergencies of everybody, and their end and review.
        left = {name for place, name in places.items() if place not in found}
        assert left <= {"EmergencyDeclared", "EmergencyEnded", "Attested"}


class TestRecords:
    def test_a_refused_request_names_who_asked_and_where_it_stands(self, chronicle):
        """Nothing moved; still somebody tried."""
        passport = chronicle.issue()
        seq = chronicle.decide(passport)

        found = traced(chronicle, passport)

        assert acts(found) == [LinkAct.KEPT, LinkAct.ASKED]
        violation, position = found.violation, chronicle.state.decisions[passport][seq].position
        assert (violation.rule, violation.gravity) == (Misuse.REQUEST_REFUSED, Gravity.ATTEMPT)
        assert (violation.passport, violation.seq, violation.evidence) == (to_hex(passport), seq, (position,))
        assert (found.responsible.member_id, found.responsible.member_name) == (LAB, "Lab")
        assert found.responsible.reason == (
            "By the rule request-refused: Lab asked to read diagnoses, laboratory results under a pseudonym for "
            "training an AI model, on the basis of consent: refused: it has no project of its own on file that covers "
            f"this; there was no consent in force. Evidence: decision {to_hex(passport)}/0; "
            f"block {position.block_number}, transaction {to_hex(position.transaction_hash)}."
        )
        assert found.conclusion.startswith(
            "Nothing on record moved against the rules; Lab is responsible for trying."
        )
        assert [(holder.member_name, holder.allowed) for holder in found.holders] == [("Hospital", True)]

    def test_what_was_done_by_the_rules_has_nobody_responsible(self, chronicle):
        """Who is accountable is told instead, with decision, consent, law, project and agreement of each link."""
        passport = chronicle.issue()
        seq = chronicle.permitted(passport)
        chronicle.release(passport, seq)

        found = traced(chronicle, passport)

        assert (found.violation, found.responsible, found.violations) == (None, None, ())
        assert found.conclusion == "Nobody broke a rule on record. Accountable: Hospital, Lab."
        assert acts(found) == [LinkAct.KEPT, LinkAct.CONSENT, LinkAct.ASKED, LinkAct.HANDED_OVER]
        asked, released = (link for link in found.chain if link.seq == seq)
        entry = chronicle.state.decisions[passport][seq]
        filed = next(event for event in chronicle.events if event.name == "ProjectFiled")
        for link in (asked, released):
            assert (link.grant_id, link.policy_version, link.project_id) == (entry.grant_id, 1, 1)
            assert (link.basis, link.agreement) == ("consent", filed.arguments["filing"][-1])
        assert (released.member_id, released.recipient, released.permitted) == (HOSPITAL, LAB, True)
        assert any(link.sentence == "Ethics body approved project 1" for link in found.chain)

    def test_a_breach_outweighs_an_attempt_that_came_before(self, chronicle):
        """The first of the gravest is told; all are listed."""
        passport = chronicle.issue()
        refused = chronicle.decide(passport)
        chronicle.release(passport, refused)

        found = traced(chronicle, passport)

        rules = [item.rule for item in found.violations]
        assert rules == [Rule.RELEASE_WITHOUT_PERMIT, Misuse.REQUEST_REFUSED]
        assert found.responsible.member_name == "Hospital"
        assert found.conclusion.startswith("Hospital is responsible. By the rule release-without-permit: ")
        lab = next(holder for holder in found.holders if holder.member_id == LAB)
        assert not lab.allowed

    def test_a_permit_used_late_and_one_used_after_the_consent(self, chronicle):
        """The custodian handed the data over all the same."""
        late, ended = chronicle.issue(), chronicle.issue()
        seq = chronicle.permitted(late)
        chronicle.time += PERMIT_SECONDS
        chronicle.release(late, seq)
        grant = chronicle.give(ended)
        seq = chronicle.decide(ended, grant_id=grant, project_id=chronicle.file_project())
        withdrawn = chronicle.withdraw(ended, grant)
        place = chronicle.release(ended, seq)

        assert traced(chronicle, late).violation.rule is Misuse.PERMIT_USED_LATE
        found = traced(chronicle, ended)
        assert (found.violation.rule, found.responsible.member_name) == (
            Misuse.RELEASE_AFTER_CONSENT,
            "Hospital",
        )
        assert found.violation.evidence[-2:] == (withdrawn, place)

    def test_in_time_to_the_second(self, chronicle):
        """A permit is good for an hour, and that second still counts."""
        passport = chronicle.issue()
        seq = chronicle.permitted(passport)
        chronicle.time += PERMIT_SECONDS - 10
        chronicle.release(passport, seq)
        assert traced(chronicle, passport).violations == ()

    def test_a_gap_accuses_nobody(self, chronicle):
        """A permit that was not used, or whose receipt is missing."""
        passport = chronicle.issue()
        chronicle.permitted(passport)
        chronicle.time += DAY
        chronicle.issue()

        found = traced(chronicle, passport)

        assert [item.rule for item in found.gaps] == [Rule.PERMIT_WITHOUT_RELEASE]
        assert (found.violation, found.responsible) == (None, None)

    def test_a_release_under_a_decision_that_is_not_on_record(self, chronicle):
        """The custodian is accused; to whom it went the chain does not say."""
        passport = chronicle.issue()
        chronicle.release(passport, 7)
        found = traced(chronicle, passport)
        assert (found.violation.rule, found.responsible.member_name) == (
            Rule.RELEASE_WITHOUT_PERMIT,
            "Hospital",
        )
        assert "handed the data over to nobody on record" in found.chain[1].sentence
        assert [holder.member_id for holder in found.holders] == [HOSPITAL]

    def test_a_request_that_waits_for_a_human_is_no_attempt(self, chronicle):
        """Nor is what was asked on somebody's behalf told without naming whom."""
        passport = chronicle.issue()
        purpose = Purpose.DISEASE_RESEARCH
        waiting = {
            "grant_id": chronicle.give(passport, purposes=1 << purpose),
            "project_id": chronicle.file_project(purposes=1 << purpose),
            "purpose": purpose,
        }
        seq = chronicle.decide(passport, **waiting)
        assert chronicle.state.decisions[passport][seq].outcome == Outcome.REVIEW
        asked = traced(chronicle, passport).chain[-1]
        assert traced(chronicle, passport).violations == ()
        assert asked.permitted is None
        assert asked.sentence.endswith(": waits for a human review")

        chronicle.decide(passport, controller_id=HOSPITAL)
        found = traced(chronicle, "Hospital")
        assert "Lab, on behalf of Hospital, asked to" in found.chain[-1].sentence
        assert found.responsible is None  # The request was the laboratory's.

    def test_one_decision_leaves_the_others_out(self, chronicle):
        """`PASSPORT:SEQ` is that decision, its consent, and what was done under it."""
        passport = chronicle.issue()
        refused = chronicle.decide(passport)
        permit = chronicle.permitted(passport, operation=Operation.TRANSFER)
        chronicle.receive(chronicle.ship(passport, permit))

        found = traced(chronicle, f"{to_hex(passport)}:{permit}")
        assert (found.responsible, found.subject.kind) == (None, SubjectKind.DECISION)
        assert acts(found) == [
            LinkAct.KEPT,
            LinkAct.CONSENT,
            LinkAct.ASKED,
            LinkAct.SHIPPED,
            LinkAct.RECEIVED,
        ]
        other = traced(chronicle, f"{to_hex(passport)}/{refused}")
        assert acts(other) == [LinkAct.KEPT, LinkAct.ASKED]

    def test_a_disputed_transfer_is_found_by_what_arrived(self, chronicle):
        """By its id, by what was sent, and by what its recipient says that it got."""
        passport, other = chronicle.issue(), chronicle.name()
        transfer = chronicle.ship(passport, chronicle.permitted(passport, operation=Operation.TRANSFER))
        chronicle.receive(transfer, content=other)

        for subject in (transfer, other):
            found = traced(chronicle, subject)
            assert (found.subject.kind, found.violation.rule) == (
                SubjectKind.TRANSFER,
                Rule.TRANSFER_DISPUTED,
            )
            assert found.responsible.member_name == "Hospital"
            written = trace_as_json(audited(chronicle), found)
            assert [link["act"] for link in written["transfers"]] == ["SHIPPED", "RECEIVED"]
        assert "arrived, by its recipient's word" in traced(chronicle, other).subject.words


class TestHolders:
    def test_a_right_ends_with_the_consent_and_with_the_membership(self, chronicle):
        """Judged at the time that is asked about."""
        passport = chronicle.issue()
        grant = chronicle.give(passport)
        seq = chronicle.decide(passport, grant_id=grant, project_id=chronicle.file_project())
        got = chronicle.release(passport, seq).time
        suspended = chronicle.emit("MemberSuspended", memberId=LAB, reasons=chronicle.name()).time
        back = chronicle.emit("MemberReinstated", memberId=LAB).time
        ended = chronicle.withdraw(passport, grant).time

        def may(at: int) -> bool:
            holders = traced(chronicle, passport, at=at).holders
            return next(holder.allowed for holder in holders if holder.member_id == LAB)

        assert [may(at) for at in (got - 1, got, suspended, back, ended - 1, ended)] == [
            False,
            True,
            False,
            True,
            True,
            False,
        ]
        assert traced(chronicle, passport).holders[1].until == ended

    def test_a_second_right_counts_when_the_first_has_ended(self, chronicle):
        """Whoever got it twice may have it by either."""
        passport = chronicle.issue()
        for _ in range(2):
            grant = chronicle.give(passport)
            seq = chronicle.decide(passport, grant_id=grant, project_id=chronicle.file_project())
            last = chronicle.release(passport, seq)
            if seq == 0:
                chronicle.withdraw(passport, grant)

        _, lab = traced(chronicle, passport).holders
        assert (lab.allowed, lab.since) == (True, last)

    def test_who_got_another_form_is_left_out(self, chronicle):
        """A file of laboratory results under a pseudonym is not what somebody got who asked for diagnoses."""
        passport = chronicle.issue()
        for categories in (Category.DIAGNOSIS, STUDY):
            chronicle.release(passport, chronicle.permitted(passport, categories=categories))

        def names(form: Form) -> list[str]:
            return [holder.reason for holder in traced(chronicle, passport, form=form).holders]

        kept = "keeps the record"
        assert names(Form(Level.PSEUDONYMISED, Category.LABORATORY)) == [
            kept,
            "got the data under decision 1",
        ]
        assert names(Form(Level.PSEUDONYMISED, Category.DIAGNOSIS)) == [kept, "got the data under decision 0"]
        assert names(Form(Level.IDENTIFIED, STUDY)) == [kept]


class TestLineage:
    def test_a_version_has_its_makers_checks_shares_and_uses(self, chronicle):
        """And the decisions behind what was collected; agreement and recipient of what was shared."""
        dataset = chronicle.declare()
        grants = [chronicle.include(chronicle.issue(), dataset) for _ in range(3)]
        model = chronicle.model(dataset)
        number = chronicle.agree(HOSPITAL, provider=LAB)
        agreement = chronicle.state.agreements[number].text
        [data] = LineageGraph(chronicle.state).collected(dataset)
        chronicle.emit(
            "VersionShared",
            versionId=data,
            owner=LAB,
            recipient=HOSPITAL,
            agreementId=number,
            projectId=0,
            keepUntil=chronicle.time + 90 * DAY,
        )

        found = traced(chronicle, data)

        assert acts(found) == [
            LinkAct.DATASET,
            LinkAct.STEP,
            LinkAct.CHECKED,
            LinkAct.STEP,
            LinkAct.SHARED,
        ]
        collected = next(link for link in found.chain if link.act is LinkAct.STEP)
        assert collected.inclusions.count == 3
        assert [grant for _, _, grant in collected.inclusions.named] == grants
        assert next(link for link in found.chain if link.act is LinkAct.SHARED).agreement == agreement
        assert [(holder.member_name, holder.reason) for holder in found.holders] == [
            ("Lab", "made it in step 1"),
            ("Hospital", "Lab shared it with it"),
        ]
        assert traced(chronicle, f"dataset:{dataset}").responsible is None
        assert {holder.member_name for holder in traced(chronicle, model).holders} == {"Lab"}

    def test_a_decision_that_includes_somebody_leads_to_the_model(self, chronicle):
        """What was collected before, or after the consent had ended, is not the patient's."""
        dataset = chronicle.declare()
        chronicle.include(chronicle.issue(), dataset)
        before = chronicle.model(dataset)
        passport = chronicle.issue()
        grant = chronicle.include(passport, dataset)
        model = chronicle.model(dataset)
        chronicle.withdraw(passport, grant)
        after = chronicle.model(dataset)

        for subject in (to_hex(passport), f"{to_hex(passport)}:0", to_hex(grant)):
            versions = traced(chronicle, subject).subject.versions
            assert model in versions, subject
            assert not versions & {before, after}, subject

    def test_a_consent_that_was_replaced_by_one_that_permits_no_less_stays_behind_it(self, chronicle):
        """Until the one that it rests on now ends."""
        dataset, passport = chronicle.declare(), chronicle.issue()
        first = chronicle.include(passport, dataset)
        second = chronicle.give(passport, supersedes=first)
        [data] = chronicle.step(StepKind.COLLECT, dataset_id=dataset)
        chronicle.withdraw(passport, second)
        [later] = chronicle.step(StepKind.COLLECT, dataset_id=dataset)

        for grant in (first, second):
            assert traced(chronicle, grant).subject.versions == {data}
        [step] = [link for link in traced(chronicle, later).chain if link.step_id == 2]
        assert step.inclusions.count == 0

    def test_a_use_after_the_withdrawal_is_blamed_on_who_did_it(self, chronicle):
        """The step is on record, with the rule that it broke."""
        dataset, passport = chronicle.declare(), chronicle.issue()
        grant = chronicle.include(passport, dataset)
        [data] = chronicle.step(StepKind.COLLECT, dataset_id=dataset)
        chronicle.withdraw(passport, grant)
        [cleaned] = chronicle.step(StepKind.CLEAN, data, tool=chronicle.certify())

        found = traced(chronicle, data)
        assert (found.violation.rule, found.responsible.member_name) == (Misuse.STEP_AGAINST_RULES, "Lab")
        assert "INPUTS_CURRENT" in next(link for link in found.chain if link.step_id == 2).missing
        assert found.violation.evidence == (chronicle.state.steps[2].position,)
        # What it would have made is no version: the commitment leads to the step.
        named = traced(chronicle, cleaned)
        assert (named.violation.rule, named.subject.versions) == (Misuse.STEP_AGAINST_RULES, frozenset())
        assert "only steps that broke a rule name it" in named.subject.words
        assert traced(chronicle, "step:2").violation.rule is Misuse.STEP_AGAINST_RULES

    def test_a_failed_check_is_blamed_on_who_made_it(self, chronicle):
        """Not on the verifier; and no more once it has passed."""
        dataset = chronicle.declare()
        chronicle.include(chronicle.issue(), dataset)
        [data] = chronicle.step(StepKind.COLLECT, dataset_id=dataset)
        chronicle.check(data, passed=False)

        found = traced(chronicle, data)
        assert (found.violation.rule, found.responsible.member_name) == (Misuse.CHECK_FAILED, "Lab")
        blame = LineageGraph(chronicle.state).blame(data)
        assert (blame.step.record.step_id, blame.failed.version_id) == (1, data)
        chronicle.check(data)
        assert traced(chronicle, data).violation is None
        assert LineageGraph(chronicle.state).blame(data) is None

    def test_blame_goes_through_what_a_refused_step_used(self, chronicle):
        """The first that went wrong, not the last."""
        dataset = chronicle.declare()
        chronicle.include(chronicle.issue(), dataset)
        [data] = chronicle.step(StepKind.COLLECT, dataset_id=dataset)
        chronicle.check(data, passed=False)
        [cleaned] = chronicle.step(StepKind.CLEAN, data, tool=chronicle.certify())

        graph = LineageGraph(chronicle.state)
        assert StepFact.INPUTS_SOUND in chronicle.state.steps[2].record.missing
        assert graph.blame(cleaned).step.record.step_id == 1
        with pytest.raises(NotFound, match="no step on this chain names"):
            graph.blame(VersionId(chronicle.name()))

    def test_the_list_of_decisions_is_cut_and_its_digest_is_not(self, chronicle):
        """Count and digest are over all."""
        dataset = chronicle.declare()
        for _ in range(MAX_NAMED + 1):
            chronicle.include(chronicle.issue(), dataset)
        [data] = chronicle.step(StepKind.COLLECT, dataset_id=dataset)
        chronicle.include(chronicle.issue(), dataset)

        [step] = [link for link in traced(chronicle, data).chain if link.act is LinkAct.STEP]
        assert (step.inclusions.count, len(step.inclusions.named)) == (MAX_NAMED + 1, MAX_NAMED)

    def test_ten_thousand_steps_that_branch_and_join_are_walked_once_each(self, chronicle):
        """The number of ways doubles with each layer: a walk that took a way twice would not come back."""
        dataset = chronicle.declare()
        chronicle.include(chronicle.issue(), dataset)
        data = chronicle.step(StepKind.COLLECT, dataset_id=dataset)[0]
        state = chronicle.state
        first, names = state.versions[data], [data, data]
        for number in range(2, 10_002):
            name = VersionId(number.to_bytes(32, "big"))
            record = state.steps[1].record
            step = replace(
                record.step, kind=StepKind.CLEAN, dataset_id=0, inputs=tuple(names[-2:]), outputs=(name,)
            )
            state.steps[number] = replace(state.steps[1], record=replace(record, step_id=number, step=step))
            state.versions[name] = replace(first, version_id=name, step_id=number)
            names.append(name)

        graph = LineageGraph(state)

        assert len(graph.back([names[-1]]).steps) == len(graph.forward([data]).steps) + 1 == 10_001
        assert graph.blame(names[-1]) is None


class TestSubjects:
    def test_a_member_by_number_and_by_name(self, chronicle):
        """All that it did, and what of that was wrong."""
        passport = chronicle.issue()
        chronicle.decide(passport)
        chronicle.permitted(passport)

        by_number, by_name = traced(chronicle, f"member:{LAB}"), traced(chronicle, "lab")
        assert by_number == by_name
        assert acts(by_number).count(LinkAct.ASKED) == 2
        assert by_number.responsible.member_id == LAB
        assert traced(chronicle, "Hospital").responsible is None

    @pytest.mark.parametrize("field", ["commitment", "content"])
    def test_a_commitment_that_the_state_does_not_keep(self, chronicle, field):
        """A receipt, and the former content of a record."""
        passport = chronicle.issue()
        chronicle.release(passport, chronicle.permitted(passport))
        chronicle.emit("PassportContentCommitted", passportId=passport, content=chronicle.name())
        name = {"commitment": "ReleaseRecorded", "content": "PassportIssued"}[field]
        event = next(event for event in chronicle.events if event.name == name)

        found = traced(chronicle, event.arguments[field])

        assert found.subject.passports == {passport}
        assert f"the commitment is the {field} of {name} in block" in found.subject.words

    def test_the_content_of_a_record_leads_to_it(self, chronicle):
        """As it is now."""
        passport = chronicle.issue()
        found = traced(chronicle, chronicle.state.passports[passport].content)
        assert (found.subject.kind, found.subject.name) == (SubjectKind.PASSPORT, to_hex(passport))

    @pytest.mark.parametrize(
        "subject",
        ["0x" + "ab" * 32, "0x" + "ab" * 32 + ":0", "dataset:7", "step:7", "member:70", "Nobody Ltd"],
    )
    def test_what_the_chain_knows_nothing_of(self, chronicle, subject):
        """An error that says what to try."""
        with pytest.raises(NotFound) as error:
            traced(chronicle, subject)
        assert "PASSPORT:SEQ" in error.value.advice

    def test_words_that_name_nothing_or_several(self, chronicle):
        """Each with what to do."""
        with pytest.raises(InvalidInput, match="neither an id nor a commitment"):
            traced(chronicle, "0x1234")
        chronicle.admit("Lab", Role.PROCESSOR)
        with pytest.raises(InvalidInput, match="several members are called 'Lab'") as error:
            traced(chronicle, "Lab")
        assert "member:3, member:6" in error.value.advice


class TestEvidence:
    def test_an_access_log_convicts(self, chronicle):
        """A use that no permit covers outweighs the refusal before it; a lawful one accuses nobody."""
        passport = chronicle.issue()
        chronicle.decide(passport)
        seq = chronicle.permitted(passport)
        when = datetime.fromtimestamp(chronicle.time + 60, UTC)
        lawful = Logged(to_hex(passport), when, decision=seq)
        resold = replace(lawful, purpose=Purpose.INSURANCE_RATING.name)
        elsewhere = Logged(to_hex(chronicle.issue()), when)

        found = traced(chronicle, passport, uses=[lawful, resold, elsewhere])

        used = [link for link in found.chain if link.act is LinkAct.USED]
        assert [(link.permitted, link.position) for link in used] == [(True, None), (False, None)]
        assert (found.violation.rule, found.violation.seq) == (Rule.USE_WITHOUT_PERMIT, seq)
        assert found.at == int(when.timestamp())
        assert found.violation.evidence == (chronicle.state.decisions[passport][seq].position,)
        assert (
            traced(chronicle, f"{to_hex(passport)}:0", uses=[resold]).violation.rule is Misuse.REQUEST_REFUSED
        )
        assert traced(chronicle, "Lab", uses=[resold]).violation.rule is Rule.USE_WITHOUT_PERMIT

    def test_a_use_of_what_is_no_passport(self, chronicle):
        """Of its member it is told; of no record."""
        use = Logged("a drawer", datetime.fromtimestamp(chronicle.time, UTC))
        found = traced(chronicle, "Lab", uses=[use])
        assert (found.violation.rule, found.chain[-1].passport_id) == (Rule.USE_WITHOUT_PERMIT, None)
        assert traced(chronicle, chronicle.issue(), uses=[use]).violations == ()

    def test_a_use_by_a_stranger(self, chronicle):
        """Named as the log names it; no member of the ledger is accused."""
        passport = chronicle.issue()
        use = Logged(to_hex(passport), datetime.fromtimestamp(chronicle.time, UTC), member="Stranger Ltd")
        found = traced(chronicle, passport, uses=[use])
        assert (found.responsible.member_id, found.responsible.member_name) == (None, "Stranger Ltd")
        assert found.responsible.reason.endswith("Evidence: the access log alone.")

    def test_evidence_that_does_not_hold_accuses_no_member(self, chronicle):
        """A decision that is not the law's, and a node that leaves decisions out."""
        passport = chronicle.issue()
        chronicle.decide(passport, forge=lambda verdict: replace(verdict, outcome=Outcome.PERMIT))
        found = traced(chronicle, passport)
        assert [finding.rule for finding in found.unreliable] == [Rule.DECISION_MISMATCH]
        assert found.responsible is None

        other = Chronicle.begun()
        known, hidden = other.issue(), other.issue()
        other.decide(known)
        other.decide(hidden)
        report = audited(other, hidden=frozenset({len(other.events) - 1}))
        rules = [finding.rule for finding in trace(report, to_hex(known)).unreliable]
        assert rules == [Rule.HEAD_MISMATCH]

    def test_a_word_that_cannot_be_read_is_still_a_link(self, chronicle):
        """The audit says what is wrong with it."""
        passport = chronicle.issue()
        event_at = len(chronicle.events)
        chronicle.decide(passport)
        event = chronicle.events[event_at]
        event.arguments["terms"] |= 0xFF
        found = traced(chronicle, passport)
        assert [finding.rule for finding in found.unreliable] == [Rule.DECISION_MISMATCH, Rule.HEAD_MISMATCH]
        assert "says what no ledger says" in found.chain[-1].sentence

    def test_an_audit_that_compared_an_index_cannot_be_traced(self, chronicle):
        """It kept no events: an empty chain would look like innocence."""
        report = replace(audited(chronicle), index_block=1, events=tuple)
        with pytest.raises(InvalidInput, match="compared an index"):
            trace(report, f"member:{LAB}")
