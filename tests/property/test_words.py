"""Packed words: what goes in comes out, and nothing overlaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.records import Commitment, GrantId, PassportId, Request, Verdict
from ledger.domain.vocabulary import Basis, Category, DataClass, Fact, Operation, Outcome, Purpose
from ledger.encoding.words import fold_decision, pack_terms, pack_verdict, unpack_verdict
from ledger.errors import VerificationError

FACTS = st.integers(0, 2**32 - 1).map(lambda value: Fact(value & int(sum(Fact))))
CATEGORIES = st.integers(0, 0xFFFF).map(Category)
IDS = st.binary(min_size=32, max_size=32)

VERDICTS = st.builds(
    Verdict,
    seq=st.integers(0, 2**40 - 1),
    policy_version=st.integers(0, 2**32 - 1),
    project_id=st.integers(0, 2**32 - 1),
    categories=CATEGORIES,
    purpose=st.sampled_from(Purpose),
    basis=st.sampled_from(Basis),
    operation=st.sampled_from(Operation),
    data_class=st.sampled_from(DataClass),
    outcome=st.sampled_from(Outcome),
    facts=FACTS,
    missing=FACTS,
)
REQUESTS = st.builds(
    Request,
    passport_id=IDS.map(PassportId),
    grant_id=IDS.map(GrantId),
    commitment=IDS.map(Commitment),
    purpose=st.sampled_from(Purpose),
    basis=st.sampled_from(Basis),
    operation=st.sampled_from(Operation),
    categories=CATEGORIES,
    project_id=st.integers(0, 2**32 - 1),
)
DECISIONS = st.fixed_dictionaries(
    {
        "passport_id": IDS,
        "grant_id": IDS,
        "member_id": st.integers(0, 2**32 - 1),
        "verdict_word": st.integers(0, 2**224 - 1),
        "commitment": IDS,
    }
)


@given(VERDICTS)
def test_a_verdict_survives_its_word(verdict):
    """Packed and unpacked it is the same."""
    word = pack_verdict(verdict)
    assert 0 <= word < 2**224
    assert unpack_verdict(word) == verdict


@given(VERDICTS, VERDICTS)
def test_two_verdicts_share_no_word(first, second):
    """The word says everything."""
    assert (pack_verdict(first) == pack_verdict(second)) == (first == second)


@given(st.integers(0, 2**256 - 1))
def test_any_word_is_a_verdict_or_refused(word):
    """Nothing is read that would be written differently."""
    try:
        verdict = unpack_verdict(word)
    except VerificationError:
        return
    assert pack_verdict(verdict) == word


@given(REQUESTS)
def test_terms_hold_every_part(request):
    """Each at its place, nothing above."""
    word = pack_terms(request)
    assert word >> 72 == 0
    parts = (word & 0xFF, word >> 8 & 0xFF, word >> 16 & 0xFF, word >> 24 & 0xFFFF, word >> 40 & 0xFFFFFFFF)
    asked = (request.purpose, request.basis, request.operation, int(request.categories), request.project_id)
    assert parts == asked


@given(IDS, st.lists(DECISIONS, min_size=2, max_size=4), st.randoms())
def test_the_head_knows_every_decision_and_their_order(head, decisions, random):
    """Another list, another head."""

    def fold(items):
        value = head
        for item in items:
            value = fold_decision(value, **item)
        return value

    shuffled = list(decisions)
    random.shuffle(shuffled)
    assert (fold(decisions) == fold(shuffled)) == (decisions == shuffled)
    assert fold(decisions) != fold(decisions[:-1])
