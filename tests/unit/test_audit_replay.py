"""The replay: the state that events add up to, and every decision decided again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.audit.replay import replay
from ledger.domain.records import NO_GRANT, Event, GrantId
from ledger.domain.vocabulary import (
    CONSENT_FLOOR,
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    GrantStatus,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Purpose,
    Role,
    TransferStatus,
)
from ledger.encoding.words import fold_decision
from ledger.errors import VerificationError
from tests.unit.chronicle import DAY, START, Chronicle, default_law


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
    chronicle.emit("MemberSuspended", memberId=3, reasonCommitment=chronicle.name())
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
    chronicle.emit("PassportSealed", passportId=passport, reasonCommitment=chronicle.name())
    found = replay(chronicle.events).state.passports[passport]
    assert (found.content, found.purposes, found.status) == (b"\x09" * 32, 1, PassportStatus.SEALED)
    chronicle.emit("PassportUnsealed", passportId=passport)
    assert replay(chronicle.events).state.passports[passport].status is PassportStatus.OPEN
    chronicle.emit("PassportDestroyed", passportId=passport, evidenceCommitment=chronicle.name())
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
    assert grants[passport, second].state.ended_at == position.time


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
    assert (former.state.status, former.state.ended_at) == (GrantStatus.SUPERSEDED, replaced)
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
    words = {"purposes": 1 << care["purpose"], "categories": int(care["categories"])}
    grant = chronicle.give(passport, flags=int(GrantFlag.SEPARATE), **words)
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
        return chronicle.give(passport, useTo=START + DAY)

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
        chronicle.emit("MemberSuspended", memberId=3, reasonCommitment=chronicle.name())
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
    grant, project = chronicle.give(passport, maxUses=2), chronicle.file_project()
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
    words = list(default_law().required)
    place = (DataClass.SENSITIVE - 1) * 16 + Purpose.AI_TRAINING
    words[place] |= int(Fact.HUMAN_REVIEWED) << (32 * Basis.CONSENT)
    chronicle.law(replace(default_law(), required=tuple(words)))
    passport = chronicle.issue()
    grant, project = chronicle.give(passport, maxUses=1), chronicle.file_project()
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
        ("ProjectWithdrawn", {"projectId": 9}),
        ("ReleaseRecorded", {"passportId": b"\x01" * 32, "seq": 0, "custodian": 2}),
        ("TransferReceived", {"transferId": b"\x01" * 32, "content": b"\x02" * 32}),
    ],
)
def test_an_event_about_nothing_is_an_error(chronicle, name, arguments):
    """Each kind."""
    with pytest.raises(VerificationError, match="no earlier event brought about"):
        replay([*chronicle.events, Event(name, arguments, chronicle.place())])


def test_a_withdrawn_project_justifies_nothing(chronicle):
    """From its withdrawal on."""
    passport = chronicle.issue()
    grant, project = chronicle.give(passport), chronicle.file_project()
    chronicle.emit("ProjectWithdrawn", projectId=project)
    chronicle.decide(passport, grant_id=grant, project_id=project)
    result = replay(chronicle.events)
    assert (result.mismatches, result.denials) == ([], {Fact.PROJECT_FILED: 1, Fact.PROJECT_TECHNIQUE: 1})


def test_events_of_other_standards_change_nothing(chronicle):
    """Ownership is passed over."""
    before = replay(chronicle.events).state
    moved = Event("OwnershipTransferred", {"previousOwner": "0x", "newOwner": "0x"}, chronicle.place())
    assert before == replay([*chronicle.events, moved]).state
