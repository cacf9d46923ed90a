"""The replay: the state that events add up to, and every decision decided again."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from ledger.audit.columns import Columns
from ledger.audit.replay import replay
from ledger.chain import artifacts
from ledger.domain.records import NO_GRANT, EmergencyRight, Event, GrantId, PassportId, PolicyTable
from ledger.domain.vocabulary import (
    CONSENT_FLOOR,
    ActKind,
    Approval,
    Assurance,
    AttestationKind,
    Basis,
    Category,
    Custody,
    DataClass,
    EmergencyFinding,
    Fact,
    GrantFlag,
    GrantStatus,
    Level,
    MemberKind,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Purpose,
    Role,
    SeatKind,
    StepKind,
    TransferStatus,
)
from ledger.encoding.words import fold_decision
from ledger.errors import VerificationError
from tests.unit.chronicle import (
    COMPLIANCE,
    DAY,
    ETHICS,
    HOSPITAL,
    HOUR,
    LAB,
    START,
    Chronicle,
    crossings,
    default_law,
    encode_log,
    everything,
)


@pytest.fixture
def chronicle():
    return Chronicle.begun()


def outcomes(chronicle: Chronicle) -> list[Outcome]:
    """Return the recorded outcomes in the order of the chain."""
    entries = [entry for entries in chronicle.state.decisions.values() for entry in entries.values()]
    return [entry.verdict.outcome for entry in sorted(entries, key=lambda entry: entry.position.block_number)]


def test_an_empty_ledger_has_nothing_to_decide():
    """Zero events, zero of everything."""
    result = replay([])
    assert (result.decisions, result.permits, result.denied, result.mismatches) == (0, 0, 0, [])
    assert result.state.head == bytes(32)


def test_members_are_folded(chronicle):
    """Admitted, suspended, reinstated, with new keys."""
    chronicle.emit("MemberSuspended", memberId=3, reasons=chronicle.name())
    assert replay(chronicle.events).state.members[3].status is MemberStatus.SUSPENDED
    chronicle.emit("MemberReinstated", memberId=3)
    keys = {"signer": "0x" + "77" * 20, "signingKey": b"\x01" * 32, "sealingKey": b"\x02" * 32}
    chronicle.emit("MemberKeysRotated", memberId=3, **keys)
    member = replay(chronicle.events).state.members[3]
    assert (member.name, member.status) == ("Lab", MemberStatus.ACTIVE)
    assert (member.signer, member.signing_key, member.sealing_key) == tuple(keys.values())


def test_passports_are_folded(chronicle):
    """New content, narrowed, sealed, unsealed, destroyed."""
    passport = chronicle.issue()
    chronicle.emit("PassportContentCommitted", passportId=passport, content=b"\x09" * 32)
    chronicle.emit("PassportNarrowed", passportId=passport, purposes=1)
    chronicle.emit("PassportSealed", passportId=passport, reasons=chronicle.name())
    found = replay(chronicle.events).state.passports[passport]
    assert (found.content, found.purposes, found.status) == (b"\x09" * 32, 1, PassportStatus.SEALED)
    chronicle.emit("PassportUnsealed", passportId=passport)
    assert replay(chronicle.events).state.passports[passport].status is PassportStatus.OPEN
    chronicle.emit("PassportDestroyed", passportId=passport, evidence=chronicle.name())
    assert replay(chronicle.events).state.passports[passport].status is PassportStatus.DESTROYED


def test_grants_are_folded(chronicle):
    """Given, amended by a successor, withdrawn, with the time of each end."""
    passport = chronicle.issue()
    first = chronicle.give(passport)
    second = chronicle.give(passport, supersedes=first)
    position = chronicle.withdraw(passport, second)
    grants = replay(chronicle.events).state.grants
    assert grants[passport, first].state.status is GrantStatus.SUPERSEDED
    assert grants[passport, first].successor == second
    assert grants[passport, second].supersedes == first
    assert grants[passport, second].state.status is GrantStatus.WITHDRAWN
    assert grants[passport, second].ended == position


def test_transfers_are_folded(chronicle):
    """Whether both sides agree is worked out anew, whatever the event claims."""
    passport = chronicle.issue()
    transfer = chronicle.ship(passport, chronicle.permitted(passport, operation=Operation.TRANSFER))
    arguments = {"transferId": transfer, "passportId": passport, "recipient": 3, "content": b"\x01" * 32}
    chronicle.emit("TransferReceived", **arguments, matched=True)
    found = replay(chronicle.events).state.transfers[transfer]
    assert (found.transfer.status, found.unfounded) == (TransferStatus.DISPUTED, False)


def test_a_withdrawal_reaches_what_replaced_the_consent(chronicle):
    """The event names the successor; the one it replaced stays replaced."""
    passport = chronicle.issue()
    first, project = chronicle.give(passport), chronicle.file_project()
    second = chronicle.give(passport, supersedes=first)
    replaced = chronicle.time
    position = chronicle.withdraw(passport, second)
    for grant in (first, second):
        chronicle.decide(passport, grant_id=grant, project_id=project)
    result = replay(chronicle.events)
    former, latter = (result.state.grants[passport, grant] for grant in (first, second))
    assert (former.state.status, former.ended.time) == (GrantStatus.SUPERSEDED, replaced)
    assert (latter.state.status, latter.ended) == (GrantStatus.WITHDRAWN, position)
    assert (result.mismatches, result.denials) == ([], {Fact.GRANT_LIVE: 2})


def test_a_consent_withdrawn_before_it_was_given_is_none(chronicle):
    """It is nowhere in the state, and a request that names it lacks all that a consent gives."""
    passport, grant = chronicle.issue(), GrantId(chronicle.name())
    project = chronicle.file_project()
    chronicle.withdraw(passport, grant)
    chronicle.decide(passport, grant_id=grant, project_id=project)
    result = replay(chronicle.events)
    assert (result.mismatches, result.state.grants) == ([], {})
    [entry] = result.state.decisions[passport].values()
    assert entry.verdict.missing == CONSENT_FLOOR


@pytest.mark.parametrize("custody", list(Custody))
def test_a_separate_consent_needs_the_patients_own_key(chronicle, custody):
    """The replay knows who keeps it from the passport's issue."""
    passport = chronicle.issue(custody=custody)
    care = {"purpose": Purpose.PRIMARY_CARE, "categories": Category.PSYCHIATRY}
    words = {"purposes": 1 << care["purpose"], "categories": care["categories"]}
    grant = chronicle.give(passport, flags=GrantFlag.SEPARATE, **words)
    chronicle.decide(passport, grant_id=grant, **care)
    result = replay(chronicle.events)
    assert result.mismatches == []
    assert result.denials == ({} if custody is Custody.SELF else {Fact.GRANT_SEPARATE: 1})


class TestTransferPermits:
    """Shipping is founded exactly where the contract lets it through."""

    @pytest.fixture
    def passport(self, chronicle):
        return chronicle.issue()

    @pytest.fixture
    def grant(self, chronicle, passport):
        return chronicle.give(passport, use_to=START + DAY)

    @pytest.fixture
    def seq(self, chronicle, passport, grant):
        project = chronicle.file_project()
        return chronicle.decide(
            passport, grant_id=grant, project_id=project, operation=Operation.TRANSFER, same_block=True
        )

    def unfounded(self, chronicle, passport, seq, *, at: int | None = None, **changes) -> bool:
        """Ship at a time, and tell what the replay says of it."""
        if at is not None:
            chronicle.time = at - 10  # a block takes ten seconds
        transfer = chronicle.ship(passport, seq, **changes)
        result = replay(chronicle.events)
        assert result.mismatches == []
        return result.state.transfers[transfer].unfounded

    @pytest.mark.parametrize(("age", "unfounded"), [(3600, False), (3601, True)])
    def test_a_permit_is_good_for_an_hour(self, chronicle, passport, seq, age, unfounded):
        """The hour itself is in."""
        assert self.unfounded(chronicle, passport, seq, at=chronicle.time + age) is unfounded

    def test_a_permit_is_good_once(self, chronicle, passport, seq):
        """And for its own recipient."""
        assert not self.unfounded(chronicle, passport, seq)
        assert self.unfounded(chronicle, passport, seq)

    def test_a_permit_names_its_recipient(self, chronicle, passport, seq):
        """Nobody else may be sent the data."""
        assert self.unfounded(chronicle, passport, seq, recipient=1)

    def test_the_recipient_must_be_active(self, chronicle, passport, seq):
        """Not suspended when the data leaves; reinstated is as before."""
        chronicle.emit("MemberSuspended", memberId=3, reasons=chronicle.name())
        suspended = Chronicle(events=list(chronicle.events), time=chronicle.time, block=chronicle.block)
        suspended.state = replay(suspended.events).state
        assert self.unfounded(suspended, passport, seq)
        chronicle.emit("MemberReinstated", memberId=3)
        assert not self.unfounded(chronicle, passport, seq)

    @pytest.mark.parametrize(("left", "unfounded"), [(1, False), (0, True)])
    def test_the_recipients_membership_must_not_have_ended(self, chronicle, passport, left, unfounded):
        """Its end is out."""
        guest = chronicle.admit("Guest", Role.PROCESSOR, valid_to=START + 1000)
        grant, project = chronicle.give(passport, guest), chronicle.file_project(guest)
        seq = chronicle.decide(
            passport, guest, grant_id=grant, project_id=project, operation=Operation.TRANSFER
        )
        at = START + 1000 - left
        assert self.unfounded(chronicle, passport, seq, at=at, recipient=guest) is unfounded

    def test_the_consent_must_not_have_been_withdrawn(self, chronicle, passport, grant, seq):
        """Before the data left."""
        chronicle.withdraw(passport, grant)
        assert self.unfounded(chronicle, passport, seq)

    def test_the_consent_must_not_have_been_replaced(self, chronicle, passport, grant, seq):
        """The new one needs a new permit."""
        chronicle.give(passport, supersedes=grant)
        assert self.unfounded(chronicle, passport, seq)

    @pytest.mark.parametrize(("left", "unfounded"), [(1, False), (0, True)])
    def test_the_consent_must_not_have_ended(self, chronicle, passport, grant, left, unfounded):
        """Its end is out."""
        project = chronicle.file_project()
        chronicle.time = START + DAY - 1000
        seq = chronicle.decide(passport, grant_id=grant, project_id=project, operation=Operation.TRANSFER)
        assert self.unfounded(chronicle, passport, seq, at=START + DAY - left) is unfounded

    def test_a_consent_that_is_named_and_not_rested_on_does_not_matter(self, chronicle, passport, grant):
        """Care by the custodian, under a grant that ends, or one that never was."""
        care = {
            "basis": Basis.CUSTODIAN_CARE,
            "purpose": Purpose.PRIMARY_CARE,
            "operation": Operation.TRANSFER,
        }
        named = (grant, GrantId(chronicle.name()), NO_GRANT)
        numbers = [chronicle.decide(passport, 2, grant_id=name, **care) for name in named]
        chronicle.withdraw(passport, grant)
        assert [self.unfounded(chronicle, passport, seq, recipient=2) for seq in numbers] == [False] * 3


def test_an_honest_ledger_has_no_mismatch(chronicle):
    """Permits, denials for several reasons, and the head."""
    passport = chronicle.issue()
    chronicle.decide(passport)
    chronicle.permitted(passport)
    chronicle.decide(passport, 2, basis=Basis.CUSTODIAN_CARE, purpose=Purpose.PRIMARY_CARE)
    chronicle.decide(passport, purpose=Purpose.MARKETING, basis=Basis.NO_BASIS)
    result = replay(chronicle.events)
    assert result.mismatches == []
    assert (result.decisions, result.permits, result.denied, result.reviews) == (4, 2, 2, 0)
    assert result.denials[Fact.GRANT_LIVE] == 1
    assert result.denials[Fact.LAWFUL] == 1
    assert Fact.MEMBER_ACTIVE not in result.denials
    assert result.state.head == chronicle.state.head
    assert result.state.passports[passport].size == 4


def test_the_head_is_the_fold_of_the_decisions(chronicle):
    """Written out here once more."""
    passport = chronicle.issue()
    chronicle.decide(passport)
    chronicle.decide(passport)
    head = bytes(32)
    for event in chronicle.events[-2:]:
        given = event.arguments
        head = fold_decision(
            head,
            passport_id=passport,
            grant_id=NO_GRANT,
            member_id=3,
            terms_word=given["terms"],
            verdict_word=given["verdict"],
            commitment=given["commitment"],
        )
    assert replay(chronicle.events).state.head == head


def test_a_withdrawal_counts_from_its_place_in_the_block(chronicle):
    """Two decisions in one block, and a withdrawal between them."""
    passport = chronicle.issue()
    grant, project = chronicle.give(passport), chronicle.file_project()
    chronicle.decide(passport, grant_id=grant, project_id=project)
    chronicle.emit("ConsentWithdrawn", grantId=grant, passportId=passport, same_block=True)
    chronicle.decide(passport, grant_id=grant, project_id=project, same_block=True)
    result = replay(chronicle.events)
    assert (result.permits, result.denied, result.mismatches) == (1, 1, [])
    assert result.denials == {Fact.GRANT_LIVE: 1}


def test_a_limited_consent_is_used_up(chronicle):
    """Two uses, three requests; a denial takes no use, nor does another basis."""
    passport = chronicle.issue(3)
    grant, project = chronicle.give(passport, max_uses=2), chronicle.file_project()
    chronicle.decide(passport, grant_id=grant, project_id=project, categories=Category.GENOMICS)
    chronicle.decide(passport, grant_id=grant, basis=Basis.CUSTODIAN_CARE, purpose=Purpose.PRIMARY_CARE)
    for _ in range(3):
        chronicle.decide(passport, grant_id=grant, project_id=project, same_block=True)
    result = replay(chronicle.events)
    assert result.mismatches == []
    assert outcomes(chronicle)[2:] == [Outcome.PERMIT, Outcome.PERMIT, Outcome.DENY]
    assert result.state.grants[passport, grant].state.uses == 2


def test_a_law_that_asks_for_a_humans_look_leaves_it_to_a_human(chronicle):
    """A review is neither a permit nor a denial, and takes no use."""
    chronicle.law(with_human_review())
    passport = chronicle.issue()
    grant, project = chronicle.give(passport, max_uses=1), chronicle.file_project()
    chronicle.decide(passport, grant_id=grant, project_id=project)
    result = replay(chronicle.events)
    assert (result.permits, result.denied, result.reviews, result.mismatches) == (0, 0, 1, [])
    assert result.denials == {}
    assert result.state.grants[passport, grant].state.uses == 0


def test_a_new_law_counts_from_its_place_on(chronicle):
    """What was permitted before is denied after, and neither is decided again under the other law."""
    passport = chronicle.issue()
    grant, project = chronicle.give(passport), chronicle.file_project()
    chronicle.decide(passport, grant_id=grant, project_id=project)
    chronicle.law(replace(default_law(), banned_purposes=1 << Purpose.AI_TRAINING))
    chronicle.decide(passport, grant_id=grant, project_id=project)
    result = replay(chronicle.events)
    assert result.mismatches == []
    versions = [entry.verdict.policy_version for entry in result.state.decisions[passport].values()]
    assert (versions, outcomes(chronicle)) == ([1, 2], [Outcome.PERMIT, Outcome.DENY])


def test_a_membership_ends_at_its_time(chronicle):
    """The time is the block's."""
    guest = chronicle.admit("Guest", Role.PROCESSOR, valid_to=START + DAY)
    passport = chronicle.issue()
    chronicle.give(passport, guest)
    chronicle.decide(passport, guest)
    chronicle.time = START + DAY
    chronicle.decide(passport, guest)
    result = replay(chronicle.events)
    facts = [entry.verdict.facts for entry in result.state.decisions[passport].values()]
    assert [Fact.MEMBER_ACTIVE in held for held in facts] == [True, False]
    assert result.mismatches == []


@pytest.mark.parametrize(
    ("part", "forged"),
    [
        ("outcome", Outcome.PERMIT),
        ("facts", Fact(0)),
        ("missing", Fact(0)),
        ("data_class", 3),
        ("policy_version", 2),
        ("seq", 7),
    ],
)
def test_every_part_of_a_verdict_is_compared(chronicle, part, forged):
    """One part that the law would not have given is one mismatch that names it."""
    passport = chronicle.issue()
    chronicle.decide(passport, forge=lambda verdict: replace(verdict, **{part: forged}))
    [mismatch] = replay(chronicle.events).mismatches
    assert [name for name, _, _ in mismatch.differences] == [part]
    assert mismatch.entry.passport_id == passport


def test_a_forged_permit_is_one_mismatch_and_spoils_nothing_after_it(chronicle):
    """The replay goes on from what was recorded."""
    passport = chronicle.issue()
    chronicle.decide(passport, forge=lambda verdict: replace(verdict, outcome=Outcome.PERMIT))
    chronicle.decide(passport)
    result = replay(chronicle.events)
    assert (len(result.mismatches), result.permits, result.denied) == (1, 1, 1)


def test_a_missing_decision_is_one_mismatch(chronicle):
    """The next one has a number too high."""
    passport = chronicle.issue()
    for _ in range(4):
        chronicle.decide(passport)
    del chronicle.events[-3]
    result = replay(chronicle.events)
    assert [mismatch.differences for mismatch in result.mismatches] == [(("seq", "2", "1"),)]
    assert result.state.counts[passport] == 3


def test_a_word_that_is_no_verdict_is_a_mismatch(chronicle):
    """It is counted, and named."""
    passport = chronicle.issue()
    chronicle.decide(passport)
    event = chronicle.events[-1]
    chronicle.events[-1] = replace(event, arguments={**event.arguments, "verdict": 9 << 152 | 1 << 144})
    [mismatch] = replay(chronicle.events).mismatches
    assert mismatch.expected is None
    assert mismatch.differences[0][0] == "word"


@pytest.mark.parametrize("left_out", ["PolicySet", "PassportIssued", "MemberAdmitted"])
def test_a_beginning_that_is_missing_is_an_error(chronicle, left_out):
    """A decision needs a law, a passport and a requester; the message says where to start."""
    chronicle.decide(chronicle.issue())
    events = [event for event in chronicle.events if event.name != left_out]
    with pytest.raises(VerificationError, match="no earlier event brought about") as caught:
        replay(events)
    assert "where the ledger was deployed" in caught.value.advice


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("MemberSuspended", {"memberId": 9}),
        ("PassportSealed", {"passportId": b"\x01" * 32}),
        ("ConsentWithdrawn", {"passportId": b"\x01" * 32, "grantId": b"\x02" * 32}),
        ("MemberExpelled", {"memberId": 9, "reasons": b""}),
        ("MemberControlChanged", {"memberId": 9, "control": 1, "reasons": b""}),
        ("MemberLicensed", {"memberId": 9, "purposes": 1, "validTo": 1}),
        ("MemberCapsSet", {"memberId": 9, "caps": 1}),
        ("TemplateWithdrawn", {"template": 9}),
        ("ActApproved", {"actId": 9, "memberId": 1}),
        ("ActExecuted", {"actId": 9}),
        ("HolderRotated", {"passportId": b"\x01" * 32, "holder": b"", "custody": 0, "epoch": 1}),
        (
            "ConsentRequested",
            {"passportId": b"\x01" * 32, "grantId": b"\x02" * 32, "memberId": 3, "terms": b""},
        ),
        ("ProjectWithdrawn", {"projectId": 9}),
        ("ProjectReviewed", {"projectId": 9, "memberId": 4, "approval": 0, "approved": True}),
        ("EmergencyEnded", {"emergencyId": 9, "until": 1}),
        ("EmergencyReviewed", {"emergencyId": 9, "reviewer": 4, "finding": 1, "rightLost": False}),
        ("RequestReviewed", {"passportId": b"\x01" * 32, "seq": 0, "reviewer": 4, "approvedUntil": 1}),
        ("ReleaseRecorded", {"passportId": b"\x01" * 32, "seq": 0, "custodian": 2}),
        ("TransferReceived", {"transferId": b"\x01" * 32, "content": b"\x02" * 32}),
    ],
)
def test_an_event_about_nothing_is_an_error(chronicle, name, arguments):
    """Each kind."""
    with pytest.raises(VerificationError, match="no earlier event brought about"):
        replay([*chronicle.events, Event(name, arguments, chronicle.place())])


@pytest.mark.parametrize(
    "name", ["ConsentRefused", "ConsentConfirmed", "ConsentRepudiated", "ConsentSuperseded"]
)
def test_an_event_about_no_consent_is_an_error(chronicle, name):
    """Only a withdrawal may come before what it withdraws."""
    arguments = {
        "passportId": chronicle.issue(),
        "grantId": chronicle.name(),
        "control": 0,
        "assurance": 4,
        "successor": chronicle.name(),
    }
    with pytest.raises(VerificationError, match="of a grant that no earlier event brought about"):
        replay([*chronicle.events, Event(name, arguments, chronicle.place())])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("SeatSet", {"memberId": 1, "kind": 99}),
        ("RuleSet", {"kind": 99, "rule": (1, 0, 0)}),
        ("Attested", {"subject": b"\x01" * 32, "kind": 99, "issuer": 1, "validTo": 1, "statement": b""}),
    ],
)
def test_a_code_that_does_not_exist_is_an_error(chronicle, name, arguments):
    """No ledger emitted it: the node made it up."""
    with pytest.raises(VerificationError, match="says what no ledger says"):
        replay([*chronicle.events, Event(name, arguments, chronicle.place())])


def test_a_withdrawn_project_justifies_nothing(chronicle):
    """From its withdrawal on."""
    passport = chronicle.issue()
    grant, project = chronicle.give(passport), chronicle.file_project()
    chronicle.emit("ProjectWithdrawn", projectId=project)
    chronicle.decide(passport, grant_id=grant, project_id=project)
    result = replay(chronicle.events)
    of_project = ("FILED", "ETHICS", "TECHNIQUE", "AGREEMENT", "COMPLIANCE")
    assert result.mismatches == []
    assert result.denials == {Fact[f"PROJECT_{name}"]: 1 for name in of_project}


def test_events_of_other_standards_change_nothing(chronicle):
    """They are passed over."""
    before = replay(chronicle.events).state
    moved = Event("OwnershipTransferred", {"previousOwner": "0x", "newOwner": "0x"}, chronicle.place())
    assert before == replay([*chronicle.events, moved]).state


class TestRegisters:
    """What the new law brought: each fold, read back from the state that a replay ends with."""

    def test_everything_at_once_has_no_mismatch(self):
        """Each event that the ledger has, and each decision as the law says."""
        result = replay(everything().events)
        assert result.mismatches == []
        assert (result.permits, result.denied, result.reviews) == (10, 2, 1)

    def test_members(self, chronicle):
        """Licensed anew, sold, expelled; and the kind that was stated at admission."""
        guest = chronicle.admit("Guest", Role.PROCESSOR, kind=MemberKind.COMPANY)
        chronicle.emit("MemberLicensed", memberId=guest, purposes=1, validTo=START + DAY)
        chronicle.emit("MemberControlChanged", memberId=guest, control=2, reasons=chronicle.name())
        chronicle.emit("MemberExpelled", memberId=guest, reasons=chronicle.name())
        member = replay(chronicle.events).state.members[guest]
        assert (member.kind, member.purposes, member.valid_to) == (MemberKind.COMPANY, 1, START + DAY)
        assert (member.control, member.status) == (2, MemberStatus.EXPELLED)

    def test_the_committee(self, chronicle):
        """Who sits, what acts need, what was proposed, approved and done."""
        chronicle.emit("SeatSet", memberId=LAB, kind=int(SeatKind.DATA_SCIENCE))
        chronicle.emit("RuleSet", kind=int(ActKind.LAW), rule=(2, 4, 60))
        chronicle.emit("ActProposed", actId=1, memberId=1, kind=int(ActKind.LAW), call=b"\x01", reasons=b"")
        chronicle.emit("ActApproved", actId=1, memberId=LAB)
        done = chronicle.emit("ActExecuted", actId=1)
        state = replay(chronicle.events).state
        assert state.seats == {1: SeatKind.CONVENOR, LAB: SeatKind.DATA_SCIENCE}
        assert (state.rules[ActKind.LAW], state.rules[ActKind.SEATS]) == ((2, 4, 60), (1, 0, 0))
        act = state.acts[1]
        assert (act.kind, act.approvers, act.executed) == (ActKind.LAW, (1, LAB), done)
        chronicle.emit("SeatSet", memberId=LAB, kind=int(SeatKind.NONE))
        assert replay(chronicle.events).state.seats == {1: SeatKind.CONVENOR}

    def test_templates(self, chronicle):
        """Issued, and withdrawn for new grants."""
        assert not replay(chronicle.events).state.templates[1].withdrawn
        chronicle.emit("TemplateWithdrawn", template=1)
        template = replay(chronicle.events).state.templates[1]
        assert (template.withdrawn, template.max_seconds) == (True, 3650 * DAY)

    def test_a_new_key_ends_what_the_old_one_allowed(self, chronicle):
        """Delegates, guardians, a recovery under way; of this passport alone."""
        passport, other = chronicle.issue(custody=Custody.ASSISTED), chronicle.issue()
        delegate = chronicle.name()[:20]
        for subject in (passport, other):
            chronicle.emit("DelegateNamed", passportId=subject, delegate=delegate, validTo=START + DAY)
            chronicle.emit("GuardiansNamed", passportId=subject, guardians=chronicle.name())
        started = {"holder": b"\x09" * 52, "custody": 0, "readyAt": START + DAY, "byCustodian": False}
        chronicle.emit("RecoveryStarted", passportId=passport, **started)
        before = replay(chronicle.events).state
        assert before.recoveries[passport].ready_at == START + DAY
        chronicle.emit("HolderRotated", passportId=passport, holder=b"\x09" * 52, custody=0, epoch=1)
        state = replay(chronicle.events).state
        found = state.passports[passport]
        assert (found.holder, found.custody, found.epoch) == ("0x" + "09" * 52, Custody.SELF, 1)
        assert (state.recoveries, set(state.guardians)) == ({}, {other})
        assert state.delegates == {(other, "0x" + delegate.hex()): START + DAY}

    def test_a_delegate_ends_at_once(self, chronicle):
        """With a time of 0."""
        passport, delegate = chronicle.issue(), chronicle.name()[:20]
        for valid_to in (START + DAY, 0):
            chronicle.emit("DelegateNamed", passportId=passport, delegate=delegate, validTo=valid_to)
        assert replay(chronicle.events).state.delegates == {}

    def test_a_consent_asked_for_is_none(self, chronicle):
        """Nor one that was refused; the request is on record with who asked."""
        passport, project = chronicle.issue(), chronicle.file_project()
        asked = chronicle.ask(passport)
        chronicle.decide(passport, grant_id=asked, project_id=project)
        chronicle.emit("ConsentRefused", grantId=asked, passportId=passport)
        chronicle.decide(passport, grant_id=asked, project_id=project)
        result = replay(chronicle.events)
        entry = result.state.grants[passport, asked]
        assert (entry.state.status, entry.requested_by) == (GrantStatus.REFUSED, LAB)
        verdicts = [decision.verdict for decision in result.state.decisions[passport].values()]
        assert [verdict.missing for verdict in verdicts] == [CONSENT_FLOOR] * 2
        assert result.mismatches == []

    def test_a_consent_given_on_request_remembers_who_asked(self, chronicle):
        """And is as any other."""
        passport, project = chronicle.issue(), chronicle.file_project()
        grant = chronicle.give(passport, grant_id=chronicle.ask(passport))
        chronicle.decide(passport, grant_id=grant, project_id=project)
        result = replay(chronicle.events)
        assert result.state.grants[passport, grant].requested_by == LAB
        assert (result.permits, result.mismatches) == (1, [])

    def test_paper_is_never_separate_until_it_is_confirmed(self, chronicle):
        """A countersignature raises it to the signer's word (R115)."""
        passport, evidence = chronicle.issue(), chronicle.name()
        care = {"purpose": Purpose.PRIMARY_CARE, "categories": Category.PSYCHIATRY}
        words = {"purposes": 1 << Purpose.PRIMARY_CARE, "categories": Category.PSYCHIATRY}
        grant = chronicle.give(passport, evidence=evidence, flags=GrantFlag.SEPARATE, **words)
        chronicle.decide(passport, grant_id=grant, **care)
        confirmed = {"control": 0, "assurance": int(Assurance.SELF)}
        chronicle.emit("ConsentConfirmed", grantId=grant, passportId=passport, **confirmed)
        chronicle.decide(passport, grant_id=grant, **care)
        result = replay(chronicle.events)
        assert result.state.grants[passport, grant].evidence == evidence
        assert (result.denials, result.permits, result.mismatches) == ({Fact.GRANT_SEPARATE: 1}, 1, [])

    def test_a_repudiated_consent_permits_nothing(self, chronicle):
        """It was never given, says the subject."""
        passport, project = chronicle.issue(), chronicle.file_project()
        grant = chronicle.give(passport, evidence=chronicle.name())
        ended = chronicle.emit("ConsentRepudiated", grantId=grant, passportId=passport)
        chronicle.decide(passport, grant_id=grant, project_id=project)
        result = replay(chronicle.events)
        entry = result.state.grants[passport, grant]
        assert (entry.state.status, entry.ended) == (GrantStatus.REPUDIATED, ended)
        assert result.denials == {Fact.GRANT_LIVE: 1}

    def test_a_sold_recipient_waits_for_the_holder(self, chronicle):
        """R020: frozen by a change of control, lifted by a confirmation."""
        passport, project = chronicle.issue(), chronicle.file_project()
        grant = chronicle.give(passport)
        chronicle.emit("MemberControlChanged", memberId=LAB, control=1, reasons=chronicle.name())
        chronicle.decide(passport, grant_id=grant, project_id=project)
        confirmed = {"control": 1, "assurance": int(Assurance.SELF)}
        chronicle.emit("ConsentConfirmed", grantId=grant, passportId=passport, **confirmed)
        chronicle.decide(passport, grant_id=grant, project_id=project)
        result = replay(chronicle.events)
        assert (result.denials, result.permits, result.mismatches) == ({Fact.GRANT_RECIPIENT: 1}, 1, [])

    def test_an_approval_that_was_taken_back_is_none(self, chronicle):
        """R111: both bodies' or nothing."""
        passport, project = chronicle.issue(), chronicle.file_project()
        grant = chronicle.give(passport)
        chronicle.review_project(project, Approval.ETHICS, ETHICS, approved=False)
        chronicle.decide(passport, grant_id=grant, project_id=project)
        result = replay(chronicle.events)
        found = result.state.projects[project]
        assert (found.ethics, found.compliance) == (0, COMPLIANCE)
        assert (result.denials, result.mismatches) == ({Fact.PROJECT_ETHICS: 1}, [])

    def test_statements_expire_and_are_taken_back(self, chronicle):
        """R100: source and verified de-identification, each while it stands."""
        passport = chronicle.issue()
        asked = {
            "purpose": Purpose.PUBLIC_HEALTH,
            "basis": Basis.LEGAL_DUTY,
            "categories": Category.VITALS,
            "level": Level.DEIDENTIFIED,
        }
        chronicle.attest(passport, AttestationKind.SOURCE, HOSPITAL)
        chronicle.attest(passport, AttestationKind.DEIDENTIFICATION, ETHICS, valid_to=START + HOUR)
        chronicle.decide(passport, **asked)
        chronicle.time = START + HOUR
        chronicle.decide(passport, **asked)
        chronicle.attest(passport, AttestationKind.SOURCE, HOSPITAL, valid_to=0)
        chronicle.decide(passport, **asked)
        result = replay(chronicle.events)
        assert result.mismatches == []
        verdicts = [entry.verdict for entry in result.state.decisions[passport].values()]
        assert [verdict.missing for verdict in verdicts] == [
            Fact(0),
            Fact.DEIDENTIFIED,
            Fact.DEIDENTIFIED | Fact.SOURCE_DECLARED,
        ]

    def test_caps_count_the_permits_of_a_day(self, chronicle):
        """R021: the third of a day is refused, the first of the next is not; a denial does not count."""
        chronicle.emit("MemberCapsSet", memberId=LAB, caps=2 << (16 * Purpose.AI_TRAINING))
        passport, project = chronicle.issue(), chronicle.file_project()
        grant = chronicle.give(passport)
        chronicle.decide(passport, project_id=project)
        for _ in range(3):
            chronicle.decide(passport, grant_id=grant, project_id=project)
        today = chronicle.time // DAY
        chronicle.time = (today + 1) * DAY - 10  # a block takes ten seconds
        chronicle.decide(passport, grant_id=grant, project_id=project)
        result = replay(chronicle.events)
        assert result.mismatches == []
        assert outcomes(chronicle)[1:] == [Outcome.PERMIT, Outcome.PERMIT, Outcome.DENY, Outcome.PERMIT]
        place = 16 * Purpose.AI_TRAINING
        assert result.state.cap_uses == {(LAB, today): 2 << place, (LAB, today + 1): 1 << place}

    def test_who_is_entrusted_acts_in_the_controllers_right(self, chronicle):
        """R031: grant and project are the controller's; after the order's end it is nobody's."""
        processor = chronicle.admit("Processor", Role.PROCESSOR)
        passport, project = chronicle.issue(), chronicle.file_project()
        grant = chronicle.give(passport)
        chronicle.entrust(LAB, processor, valid_to=START + HOUR)
        asked = {"grant_id": grant, "project_id": project, "controller_id": LAB}
        chronicle.decide(passport, processor, **asked)
        chronicle.time = START + HOUR
        chronicle.decide(passport, processor, **asked)
        result = replay(chronicle.events)
        assert (outcomes(chronicle), result.mismatches) == ([Outcome.PERMIT, Outcome.DENY], [])
        assert Fact.GRANT_RECIPIENT in result.denials

    def test_an_approved_request_is_permitted_when_it_is_made_again(self, chronicle):
        """Word for word, by the same member, before the approval's end."""
        passport = chronicle.issue()
        chronicle.law(with_human_review())
        grant, project = chronicle.give(passport), chronicle.file_project()
        asked = {"grant_id": grant, "project_id": project, "commitment": chronicle.name()}
        seq = chronicle.decide(passport, **asked)
        chronicle.review_request(passport, seq, approved_until=chronicle.time + HOUR)
        chronicle.decide(passport, **asked)
        chronicle.decide(passport, **{**asked, "commitment": chronicle.name()})
        chronicle.time += HOUR
        chronicle.decide(passport, **asked)
        result = replay(chronicle.events)
        assert result.mismatches == []
        assert outcomes(chronicle) == [Outcome.REVIEW, Outcome.PERMIT, Outcome.REVIEW, Outcome.REVIEW]

    def test_a_refused_review_approves_nothing(self, chronicle):
        """The answer was no."""
        passport = chronicle.issue()
        chronicle.law(with_human_review())
        grant, project = chronicle.give(passport), chronicle.file_project()
        asked = {"grant_id": grant, "project_id": project, "commitment": chronicle.name()}
        chronicle.review_request(passport, chronicle.decide(passport, **asked), approved_until=0)
        chronicle.decide(passport, **asked)
        result = replay(chronicle.events)
        assert (set(result.state.approvals.values()), result.mismatches) == ({0}, [])
        assert outcomes(chronicle) == [Outcome.REVIEW, Outcome.REVIEW]

    def test_an_answer_replaces_the_one_before_it(self, chronicle):
        """Who waited twice with the same words and is told yes, then no, has been told no."""
        passport = chronicle.issue()
        chronicle.law(with_human_review())
        grant, project = chronicle.give(passport), chronicle.file_project()
        asked = {"grant_id": grant, "project_id": project, "commitment": chronicle.name()}
        first, second = (chronicle.decide(passport, **asked) for _ in range(2))
        chronicle.review_request(passport, first, approved_until=chronicle.time + HOUR)
        chronicle.review_request(passport, second, approved_until=0)
        chronicle.decide(passport, **asked)
        assert replay(chronicle.events).mismatches == []
        assert outcomes(chronicle) == [Outcome.REVIEW] * 3

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            (None, {}),
            ("MemberSuspended", {"memberId": LAB, "reasons": b""}),
            ("MemberControlChanged", {"memberId": LAB, "control": 1, "reasons": b""}),
            ("MemberEntrusted", {"controller": LAB, "processor": 6, "purposes": 0, "validTo": 0}),
        ],
    )
    def test_a_processors_permit_to_transfer_stands_with_its_controller(self, chronicle, name, arguments):
        """Both active, the controller controlled as it was, the order in force."""
        processor = chronicle.admit("Processor", Role.PROCESSOR)
        passport, project = chronicle.issue(), chronicle.file_project()
        grant = chronicle.give(passport)
        chronicle.entrust(LAB, processor, valid_to=START + DAY)
        asked = {"grant_id": grant, "project_id": project, "controller_id": LAB}
        seq = chronicle.decide(passport, processor, operation=Operation.TRANSFER, **asked)
        if name:
            chronicle.emit(name, **arguments)
        transfer = chronicle.ship(passport, seq, recipient=processor)
        result = replay(chronicle.events)
        assert (outcomes(chronicle), result.mismatches) == ([Outcome.PERMIT], [])
        assert result.state.transfers[transfer].unfounded is (name is not None)


class TestEmergencies:
    """R083 to R087: opened, used, reviewed, ended; and what is locked to one."""

    URGENT: ClassVar = {"purpose": Purpose.EMERGENCY_CARE, "basis": Basis.INDIVIDUAL_EMERGENCY}
    PUBLIC: ClassVar = {"purpose": Purpose.PUBLIC_HEALTH, "basis": Basis.PUBLIC_EMERGENCY}

    def test_an_individual_one_ends_by_itself(self, chronicle):
        """Its last second is in, its end is out."""
        passport = chronicle.issue()
        number = chronicle.open_emergency(passport, until=START + HOUR)
        chronicle.time = START + HOUR - 11  # a block takes ten seconds
        for _ in range(2):
            chronicle.decide(passport, HOSPITAL, emergency_id=number, **self.URGENT)
        result = replay(chronicle.events)
        assert (outcomes(chronicle), result.mismatches) == ([Outcome.PERMIT, Outcome.DENY], [])
        assert result.denials == {Fact.EMERGENCY_IN_FORCE: 1}

    def test_who_owes_a_review_may_not_go_on(self, chronicle):
        """The oldest unreviewed one counts; reviewed in time, all is well."""
        passport = chronicle.issue()
        first = chronicle.open_emergency(passport, until=START + 9 * DAY, review_due=START + HOUR)
        second = chronicle.open_emergency(passport, until=START + 9 * DAY, review_due=START + DAY)
        chronicle.time = START + HOUR
        chronicle.decide(passport, HOSPITAL, emergency_id=second, **self.URGENT)
        chronicle.review_emergency(first)
        chronicle.decide(passport, HOSPITAL, emergency_id=second, **self.URGENT)
        result = replay(chronicle.events)
        assert (outcomes(chronicle), result.mismatches) == ([Outcome.DENY, Outcome.PERMIT], [])
        assert result.denials == {Fact.REVIEWS_CURRENT: 1}
        assert result.state.right(HOSPITAL) == EmergencyRight(lost=False, oldest_due=START + DAY)

    def test_a_right_is_lost_and_restored(self, chronicle):
        """Unjustified, it is gone; what the committee restores is settled."""
        passport = chronicle.issue()
        number = chronicle.open_emergency(passport)
        chronicle.review_emergency(number, finding=EmergencyFinding.UNJUSTIFIED, right_lost=True)
        assert replay(chronicle.events).state.right(HOSPITAL).lost
        late = chronicle.open_emergency(passport, until=START + 9 * DAY, review_due=chronicle.time)
        chronicle.emit("EmergencyRightRestored", memberId=HOSPITAL)
        chronicle.decide(passport, HOSPITAL, emergency_id=late, **self.URGENT)
        result = replay(chronicle.events)
        assert (outcomes(chronicle), result.mismatches) == ([Outcome.PERMIT], [])
        assert result.state.right(HOSPITAL) == EmergencyRight()

    def test_a_public_one_is_good_for_so_many_records(self, chronicle):
        """Then it is used up; ended before its time, it is over."""
        passport = chronicle.issue()
        project = chronicle.file_project(purposes=1 << Purpose.PUBLIC_HEALTH)
        number = chronicle.declare_emergency(max_records=2)
        for _ in range(3):
            chronicle.decide(passport, project_id=project, emergency_id=number, **self.PUBLIC)
        another = chronicle.declare_emergency()
        chronicle.emit("EmergencyEnded", emergencyId=another, until=chronicle.time + 10)
        chronicle.decide(passport, project_id=project, emergency_id=another, **self.PUBLIC)
        result = replay(chronicle.events)
        assert result.mismatches == []
        assert outcomes(chronicle) == [Outcome.PERMIT, Outcome.PERMIT, Outcome.DENY, Outcome.DENY]
        assert result.state.emergencies[number].emergency.used == 2

    def test_data_stays_in_its_emergency(self, chronicle):
        """R080: no other purpose, no other emergency, not after its end; and each use counts."""
        number = chronicle.declare_emergency(until=START + HOUR)
        passport = chronicle.issue(lock=number)
        project = chronicle.file_project(purposes=1 << Purpose.PUBLIC_HEALTH | 1 << Purpose.AI_TRAINING)
        grant = chronicle.give(passport)
        chronicle.decide(passport, project_id=project, emergency_id=number, **self.PUBLIC)
        chronicle.decide(passport, grant_id=grant, project_id=project)
        chronicle.decide(passport, grant_id=grant, project_id=project, emergency_id=number)
        chronicle.time = START + HOUR
        chronicle.decide(passport, project_id=project, emergency_id=number, **self.PUBLIC)
        result = replay(chronicle.events)
        assert result.mismatches == []
        assert outcomes(chronicle) == [Outcome.PERMIT, *[Outcome.DENY] * 3]
        assert result.denials[Fact.UNLOCKED] == 3
        assert result.state.emergencies[number].emergency.used == 1

    @pytest.mark.parametrize(("at", "unfounded"), [(START + HOUR - 1, False), (START + HOUR, True)])
    def test_a_permit_to_transfer_ends_with_its_emergency(self, chronicle, at, unfounded):
        """As one under a consent ends with it."""
        passport = chronicle.issue()
        number = chronicle.open_emergency(passport, until=START + HOUR)
        given = {"emergency_id": number, "operation": Operation.TRANSFER, **self.URGENT}
        seq = chronicle.decide(passport, HOSPITAL, **given)
        chronicle.time = at - 10  # a block takes ten seconds
        transfer = chronicle.ship(passport, seq, recipient=HOSPITAL)
        assert replay(chronicle.events).state.transfers[transfer].unfounded is unfounded

    def test_a_permit_to_transfer_does_not_outlive_a_change_of_control(self, chronicle):
        """Whoever bought the recipient asks again."""
        passport = chronicle.issue()
        seq = chronicle.permitted(passport, operation=Operation.TRANSFER)
        chronicle.emit("MemberControlChanged", memberId=LAB, control=1, reasons=chronicle.name())
        transfer = chronicle.ship(passport, seq)
        assert replay(chronicle.events).state.transfers[transfer].unfounded


def with_human_review() -> PolicyTable:
    """Return the default law, which asks for a human's look at AI training on class 2 besides."""
    words = list(default_law().required)
    place = (DataClass.SENSITIVE - 1) * 16 + Purpose.AI_TRAINING
    words[place] |= int(Fact.HUMAN_REVIEWED) << (32 * Basis.CONSENT)
    return replace(default_law(), required=tuple(words))


def test_what_crosses_by_a_processor_at_home_and_what_an_emergency_leaves():
    """The columns say what the plain replay says: who counts, what is lacking, how long the dataset lasts."""
    told = crossings()
    columns = Columns(artifacts.load().abi)
    columns.take(encode_log(event) for event in told.events)
    plain = replay(told.events)
    assert columns._check().mismatches == plain.mismatches == []
    (own, asked), (kept, twice) = plain.state.decisions.items()
    assert [Fact(entry.missing) for entry in asked.values()] == [0, 0, Fact.BORDER_CLEARED, 0]
    assert [Fact(entry.missing) for entry in twice.values()] == [0, 0]
    assert plain.state.crossed == {(1, plain.state.passports[own].holder), (1, kept)}
    dataset = plain.state.datasets[1]
    assert (dataset.included, dataset.usable_until, dataset.no_onward) == (1, START + 30 * DAY, True)


class TestInclusions:
    """Into datasets: the columns say of each what the plain replay says, and need no help of it."""

    def checked(self, chronicle: Chronicle) -> list[Fact]:
        """Return what each decision lacked, after both replays found nothing wrong with it."""
        columns = Columns(artifacts.load().abi)
        columns.take(encode_log(event) for event in chronicle.events)
        assert columns._check().mismatches == replay(chronicle.events).mismatches == []
        decided = [entry for entries in chronicle.state.decisions.values() for entry in entries.values()]
        return [Fact(entry.missing) for entry in decided]

    def asked(self, chronicle: Chronicle, passport: bytes, grant: bytes, dataset: int) -> None:
        """Ask to include a passport's data under a grant, on file as the project's."""
        words = {"project_id": 1, "operation": Operation.INCLUDE, "dataset_id": dataset}
        chronicle.decide(PassportId(passport), grant_id=GrantId(grant), **words)

    def test_a_grant_has_room_for_seven(self, chronicle):
        """The eighth is refused; what is in stays in, and what covers the grant takes over its places."""
        passport, project = chronicle.issue(), chronicle.file_project()
        assert project == 1
        datasets = [chronicle.declare() for _ in range(8)]
        grant = chronicle.give(passport)
        for dataset in datasets:
            self.asked(chronicle, passport, grant, dataset)
        successor = chronicle.give(passport, supersedes=grant)
        for dataset in (datasets[0], datasets[7]):
            self.asked(chronicle, passport, successor, dataset)
        assert self.checked(chronicle) == [Fact(0)] * 7 + [Fact.DATASET_FITS, Fact(0), Fact.DATASET_FITS]

    def test_a_successor_that_covers_less_begins_anew(self, chronicle):
        """It has room again."""
        passport, _ = chronicle.issue(), chronicle.file_project()
        datasets = [chronicle.declare() for _ in range(8)]
        grant = chronicle.give(passport)
        for dataset in datasets[:7]:
            self.asked(chronicle, passport, grant, dataset)
        narrower = chronicle.give(passport, supersedes=grant, use_to=START + 50 * DAY)
        self.asked(chronicle, passport, narrower, datasets[7])
        assert self.checked(chronicle) == [Fact(0)] * 8

    def test_what_is_closed_takes_nothing_in(self, chronicle):
        """Sealed, opened again, destroyed; a dataset of somebody else, and one that does not exist."""
        passport, _ = chronicle.issue(), chronicle.file_project()
        dataset, other, grant = chronicle.declare(), chronicle.declare(HOSPITAL), chronicle.give(passport)
        chronicle.emit("DatasetSealed", datasetId=dataset, memberId=3, reasons=chronicle.name())
        self.asked(chronicle, passport, grant, dataset)
        chronicle.emit("DatasetUnsealed", datasetId=dataset, memberId=4)
        self.asked(chronicle, passport, grant, dataset)
        chronicle.step(StepKind.DESTROY, dataset_id=dataset)
        for number in (dataset, other, 99):
            self.asked(chronicle, passport, grant, number)
        refused = Fact.DATASET_FITS
        assert self.checked(chronicle) == [refused, Fact(0), refused, refused, refused]
