"""Was it permitted at T? The answer is what the ledger itself says at that very second, on a devnet whose clock is set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cli.auditing import asked_about, permitted
from ledger.audit.point_in_time import Answer, Question, state_at, was_permitted
from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node
from ledger.domain.records import NO_GRANT, Event, GrantId, PassportId, PolicyTable, Terms, Verdict
from ledger.domain.vocabulary import (
    Basis,
    Category,
    Fact,
    Level,
    MemberKind,
    Operation,
    Outcome,
    Purpose,
    Role,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import InvalidInput, NotFound
from ledger.ports import Call
from tests.support.clock import mine_at
from tests.support.world import STUDY, World

ASKED = Terms(
    purpose=Purpose.AI_TRAINING,
    basis=Basis.CONSENT,
    operation=Operation.READ,
    categories=Category.DIAGNOSIS,
    level=Level.PSEUDONYMISED,
)


class History:
    """A hospital, a company and a patient, and a clock that is set before each thing that happens."""

    def __init__(self, world: World, node: Node) -> None:
        self.world, self.node = world, node
        self.hospital = world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR)
        self.lab = world.admit("Northern AI Laboratory", Role.PROCESSOR, kind=MemberKind.COMPANY)
        now = world.now()
        self.project = world.project(self.lab, valid_from=now - 10, valid_to=now + 10**7)

    def passport(self) -> PassportId:
        return self.world.register(self.hospital, 1)

    def soon(self, seconds: int = 1000) -> int:
        """Return a time that is still to come."""
        return self.world.now() + seconds

    def grant(self, passport: PassportId, at: int, **changes: Any) -> GrantId:
        """Give consent in a block of a time."""
        words = {
            "recipient": self.lab.member.member_id,
            "purposes": [Purpose.AI_TRAINING],
            "categories": STUDY,
            "use_from": at,
            "use_to": at + 1000,
            **changes,
        }
        prepared = self.world.service.consents.prepare(passport, **words)
        mine_at(self.node, at)
        self.world.done(self.world.service.consents.assist(self.hospital.member, prepared))
        return prepared.grant.grant_id

    def decided(self, passport: PassportId, grant: GrantId, at: int) -> Verdict:
        """Let the contract decide in a block of a time."""
        mine_at(self.node, at)
        return self.world.ask(self.lab, passport, grant_id=grant, project_id=self.project)

    def events(self) -> list[Event]:
        found, cursor = self.world.service.index.events(limit=500)
        while cursor is not None:
            more, cursor = self.world.service.index.events(after=cursor, limit=500)
            found += more
        return found

    def question(self, passport: PassportId, grant: GrantId | None = None) -> Question:
        terms = replace(ASKED, project_id=self.project)
        return Question(passport, self.lab.member.member_id, terms, grant)

    def answer(self, passport: PassportId, at: int, grant: GrantId | None = None) -> Answer:
        return was_permitted(self.events(), self.question(passport, grant), at)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    devnet = Devnet(tmp_path_factory.mktemp("devnet-time"))
    devnet.start()
    world = World(tmp_path_factory.mktemp("time"), devnet.spec.url)
    yield History(world, Node(devnet.spec.url))
    world.stop()
    devnet.stop()


def same(answer: Answer, verdict: Verdict) -> None:
    """Check that the answer about the past is what the contract decided then, fact for fact."""
    assert (answer.verdict.outcome, answer.verdict.missing) == (verdict.outcome, verdict.missing)
    assert (answer.verdict.facts, answer.verdict.policy_version) == (verdict.facts, verdict.policy_version)


@pytest.mark.parametrize(
    ("which", "outcomes"),
    [
        ("start", (Outcome.DENY, Outcome.PERMIT, Outcome.PERMIT)),
        ("end", (Outcome.PERMIT, Outcome.DENY, Outcome.DENY)),
    ],
)
def test_a_grant_begins_at_its_start_and_is_over_at_its_end(history, which, outcomes):
    """The second before, the second itself, the second after; the contract decides in each of them."""
    passport, given = history.passport(), history.soon()
    grant = history.grant(passport, given, use_from=given + 100, use_to=given + 200)
    border = given + (100 if which == "start" else 200)
    for second, outcome in zip((border - 1, border, border + 1), outcomes, strict=True):
        answer = history.answer(passport, second)
        assert answer.verdict.outcome is outcome
        assert answer.grant_id == grant
        same(answer, history.decided(passport, grant, second))
        same(history.answer(passport, second), answer.verdict)


def test_before_it_was_given_there_is_no_consent(history):
    """The second before the block that holds it, that second, the second after."""
    passport, given = history.passport(), history.soon()
    grant = history.grant(passport, given)
    before, itself, after = (history.answer(passport, given + shift) for shift in (-1, 0, 1))
    assert (before.verdict.outcome, before.grant_id) == (Outcome.DENY, NO_GRANT)
    assert Fact.GRANT_LIVE in before.verdict.missing
    assert (itself.verdict.outcome, itself.grant_id) == (Outcome.PERMIT, grant)
    assert (after.verdict.outcome, after.grant_id) == (Outcome.PERMIT, grant)


def test_a_withdrawal_counts_from_its_second_on(history):
    passport, given = history.passport(), history.soon()
    grant = history.grant(passport, given)
    mine_at(history.node, given + 500)
    history.world.revoke(history.hospital, grant)
    outcomes = [history.answer(passport, given + 500 + shift).verdict.outcome for shift in (-1, 0, 1)]
    assert outcomes == [Outcome.PERMIT, Outcome.DENY, Outcome.DENY]
    same(history.answer(passport, given + 501, grant), history.decided(passport, grant, given + 501))


def test_the_law_of_that_time_decides(history):
    """A purpose that is banned later was lawful before, under the version in force then."""
    passport, given = history.passport(), history.soon()
    grant = history.grant(passport, given)
    law = history.world.service.index.policy()
    assert law is not None
    banned = replace(law, banned_purposes=law.banned_purposes | 1 << Purpose.AI_TRAINING)
    changed = given + 300
    set_law(history, banned, changed)
    before, itself, after = (history.answer(passport, changed + shift) for shift in (-1, 0, 1))
    assert (before.verdict.outcome, before.verdict.policy_version) == (Outcome.PERMIT, law.version)
    for answer in (itself, after):
        assert (answer.verdict.outcome, answer.verdict.policy_version) == (Outcome.DENY, law.version + 1)
        assert Fact.PURPOSE_ALLOWED in answer.verdict.missing
    same(after, history.decided(passport, grant, changed + 1))
    set_law(history, law, changed + 10)
    assert history.answer(passport, changed + 10).verdict.outcome is Outcome.PERMIT
    # What was said about the past does not change with the law.
    assert history.answer(passport, changed).verdict.outcome is Outcome.DENY


def test_the_best_grant_answers_or_the_one_that_is_named(history):
    """Of several grants the one that permits; among equals the one given last; a named one and no other."""
    passport, given = history.passport(), history.soon()
    narrow = history.grant(passport, given, categories=Category.VITALS)
    first = history.grant(passport, given + 1)
    second = history.grant(passport, given + 2)
    assert history.answer(passport, given).grant_id == narrow
    assert history.answer(passport, given + 1).grant_id == first
    assert history.answer(passport, given + 2).grant_id == second
    named = history.answer(passport, given + 2, narrow)
    assert (named.grant_id, named.verdict.outcome) == (narrow, Outcome.DENY)


def test_the_service_goes_on_from_where_it_was_and_says_the_same(history):
    """Asked about now, about the past and about now again, with news in between, it answers as if it began anew."""
    index, permissions = history.world.service.index, history.world.service.permissions
    passport, given = history.passport(), history.soon()
    grant = history.grant(passport, given)

    def told(at: int) -> Answer:
        answer = permissions.at(history.question(passport), at)
        assert answer == history.answer(passport, at)
        return answer

    assert told(given).grant_id == grant
    state, last = permissions.newest._folded.state, permissions.newest._folded.last
    assert told(given - 1).grant_id == NO_GRANT
    assert permissions.newest._folded.last == last, "a question about the past leaves the newest state"
    second = history.grant(passport, given + 2)
    assert [told(at).grant_id for at in (given + 2, given + 1, given + 2)] == [second, grant, second]
    assert permissions.newest._folded.state is state
    assert permissions.newest._folded.last == index.events_since(last, limit=500)[-1].position

    # The chain took another branch: what was folded is not part of it.
    lost = replace(last, block_hash=b"\x01" * 32)
    assert index.events_since(lost, limit=1) is None
    permissions.newest._folded.last = lost
    assert told(given + 2).grant_id == second
    assert permissions.newest._folded.state is not state


def test_events_are_read_on_from_any_of_them(history):
    """In the order of the chain, page by page: none is left out and none comes twice."""
    index, found, last = history.world.service.index, [], None
    while page := index.events_since(last, limit=7):
        found += page
        last = page[-1].position
    assert found == history.events()
    assert page == []


def test_who_and_what_did_not_exist_is_not_found(history):
    before = history.world.now()
    mine_at(history.node, before + 5)
    passport = history.passport()
    with pytest.raises(NotFound, match="no such passport"):
        history.answer(passport, before + 4)
    with pytest.raises(NotFound, match="no member 999"):
        was_permitted(history.events(), replace(history.question(passport), member_id=999), before + 5)
    with pytest.raises(NotFound, match="no law yet"):
        history.answer(passport, 0)
    state, last = state_at(history.events(), 0)
    assert (state.policy_version, last) == (0, None)


def test_a_node_alone_gives_the_same_answer(history):
    """The auditor's command reads the chain, not the index, and says the same."""
    passport, given = history.passport(), history.soon()
    history.grant(passport, given)
    domain = history.world.service.chain.domain()
    question = asked_about(
        to_hex(passport),
        history.lab.member.member_id,
        purpose="AI_TRAINING",
        basis="CONSENT",
        operation="READ",
        categories=["DIAGNOSIS"],
        level="PSEUDONYMISED",
        numbers=(history.project, 0, 0),
    )
    for at in (given - 1, given):
        told = permitted(history.world.settings.rpc, domain.ledger, question, at)
        answer = history.answer(passport, at)
        assert told["outcome"] == answer.verdict.outcome.name
        assert told["grantId"] == (to_hex(answer.grant_id) if answer.grant_id != NO_GRANT else None)
        assert told["policyVersion"] == answer.verdict.policy_version
        assert told["block"] == answer.last.block_number
    now = permitted(history.world.settings.rpc, domain.ledger, question, None)
    assert now["permitted"] is True
    with pytest.raises(InvalidInput, match="no block of that time"):
        permitted(history.world.settings.rpc, domain.ledger, question, given + 10**6)


def set_law(history: History, law: PolicyTable, at: int) -> None:
    """Put a law into force in a block of a time."""
    limits = law.emergencies
    table = [
        list(law.required),
        law.necessary,
        law.levels,
        int(law.core_categories),
        int(law.sensitive_categories),
        law.banned_purposes,
        law.max_grant_seconds,
        [
            limits.seconds,
            int(limits.categories),
            limits.monthly_quota,
            limits.review_seconds,
            limits.max_declaration_seconds,
            limits.recovery_seconds,
        ],
    ]
    mine_at(history.node, at)
    call = Call("setPolicy", (table,))
    history.world.done(
        history.world.service.committee.propose(history.world.committee.member, call, "A resolution")
    )
